"""Qt as PythonQt shows it, the CTK widgets and the loading of .ui files."""

import sys
from pathlib import Path

import pytest

pytest.importorskip("slicer_core")
pytest.importorskip("PySide6")
sys.path.insert(0, str(Path(__file__).parents[1]))
pytest_plugins = ["slicer_host.pytest_fixtures"]


pytestmark = pytest.mark.usefixtures("host")


def test_properties_are_attributes_and_setters_stay():
    import qt

    button = qt.QPushButton("text")
    button.enabled = False
    assert (button.text, button.enabled, button.className()) == ("text", False, "QPushButton")
    button.setEnabled(True)
    button.name = "apply"
    assert button.isEnabled()
    assert button.objectName == "apply"


def test_misspelt_property_is_refused():
    import qt

    with pytest.raises(AttributeError, match="tooltip"):
        qt.QPushButton().tooltip = "a property is called toolTip"


@pytest.mark.parametrize(
    "signature, expected", [("clicked(bool)", (True,)), ("clicked()", ()), ("toggled(bool)", (True,))]
)
def test_signals_are_connected_by_signature(signature, expected):
    import qt

    calls = []

    def record(*arguments):
        calls.append(arguments)

    button = qt.QPushButton()
    button.checkable = True
    button.connect(signature, record)
    button.click()
    assert calls == [expected]
    assert button.disconnect(signature, record)
    button.click()
    assert len(calls) == 1


def test_a_callable_gets_as_many_arguments_as_it_takes():
    import qt

    calls = []
    button = qt.QPushButton()
    button.clicked.connect(lambda: calls.append(()))
    button.connect("clicked(bool)", lambda: calls.append(()))
    button.clicked.connect(lambda checked: calls.append((checked,)))
    button.click()
    assert calls == [(), (), (False,)]


def test_unknown_signal_is_an_error():
    import qt

    with pytest.raises(ValueError, match="pressed\\(bool\\)"):
        qt.QPushButton().connect("pressed(bool)", print)


def test_signals_can_be_emitted_any_number_of_times():
    import ctk

    slider = ctk.ctkSliderWidget()
    slider.maximum = 10
    for step in range(20_000):
        slider.value = step % 10
    assert slider.value == 9


def test_slider_widget():
    import ctk

    values = []
    slider = ctk.ctkSliderWidget()
    slider.decimals = 2
    slider.singleStep = 0.25
    slider.minimum, slider.maximum = -5, 5
    slider.connect("valueChanged(double)", values.append)
    slider.value = 1.25
    slider.setValue(-2.5)
    slider.value = 99
    assert values == [1.25, -2.5, 5]


def test_path_line_edit(tmp_path):
    import ctk

    seen, valid = [], []
    edit = ctk.ctkPathLineEdit()
    edit.filters = ctk.ctkPathLineEdit.Dirs
    edit.connect("currentPathChanged(QString)", seen.append)
    edit.connect("validInputChanged(bool)", valid.append)
    edit.currentPath = str(tmp_path)
    edit.currentPath = str(tmp_path / "missing")
    assert seen == [str(tmp_path), str(tmp_path / "missing")]
    assert valid == [True, False]


def test_collapsible_button_hides_its_contents():
    import ctk
    import qt

    button = ctk.ctkCollapsibleButton()
    button.text = "Maps"
    layout = qt.QVBoxLayout(button)
    shown, hidden = qt.QLabel("shown"), qt.QLabel("hidden")
    for label in (shown, hidden):
        layout.addWidget(label)
    hidden.visible = False
    button.show()
    button.collapsed = True
    assert not shown.visible
    button.collapsed = False
    assert shown.visible
    assert not hidden.visible


def test_ui_file_with_widgets_and_connections():
    import slicer

    path = Path(__file__).parents[1] / "slicer_host/example_module/Resources/UI/HostExample.ui"
    widget = slicer.util.loadUI(str(path))
    ui = slicer.util.childWidgetVariables(widget)
    assert isinstance(widget, slicer.qMRMLWidget)
    assert ui.inputSelector.nodeTypes == ("vtkMRMLScalarVolumeNode",)
    assert ui.inputSelector.noneEnabled
    assert ui.slider.property("SlicerParameterName") == "threshold"
    assert ui.path.filters == ui.path.Dirs | ui.path.Drives
    widget.setMRMLScene(slicer.mrmlScene)
    assert ui.inputSelector.mrmlScene() is slicer.mrmlScene
    ui.count.enabled = False
    ui.invert.checked = True
    assert ui.count.enabled


def test_find_children_by_class_name():
    import slicer

    window = slicer.util.mainWindow()
    assert window.findChildren("QToolBar") == [window.moduleSelector()]
    assert slicer.util.findChild(window, "ModulePanel").className() == "qSlicerModulePanel"


def test_messages_are_logged_instead_of_shown_when_testing(caplog):
    import slicer

    assert slicer.app.testingEnabled()
    slicer.util.errorDisplay("no maps")
    assert "no maps" in caplog.text
    slicer.app.errorLogModel().clear()
