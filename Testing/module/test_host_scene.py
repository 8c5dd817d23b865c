"""Node selectors, scripted modules, the parameter node and its widgets, scenes saved and opened."""

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("slicer_core")
pytest.importorskip("PySide6")
sys.path.insert(0, str(Path(__file__).parents[1]))
pytest_plugins = ["slicer_host.pytest_fixtures"]

EXAMPLE = Path(__file__).parents[1] / "slicer_host/example_module/HostExample.py"


def add_volume(name="volume"):
    import slicer

    return slicer.util.addVolumeFromArray(np.zeros((3, 4, 5)), name=name)


@pytest.fixture
def example(host):
    """The widget of the example module, entered."""
    import slicer

    import slicer_host

    if not hasattr(slicer.modules, "hostexample"):
        slicer_host.load_module(EXAMPLE)
    slicer.util.selectModule("HostExample")
    widget = slicer.modules.HostExampleWidget
    widget.calls.clear()
    return widget


def selector(**options):
    import slicer

    combo = slicer.qMRMLNodeComboBox()
    combo.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    for name, value in options.items():
        setattr(combo, name, value)
    combo.setMRMLScene(slicer.mrmlScene)
    return combo


@pytest.mark.parametrize("none_enabled", [True, False])
def test_selector_selects_nothing_by_itself(host, none_enabled):
    combo = selector(noneEnabled=none_enabled)
    add_volume()
    assert combo.currentNode() is None
    assert combo.nodeCount() == 1


def test_selector_follows_the_scene(host):
    import slicer

    combo = selector()
    changes = []
    combo.connect("currentNodeChanged(vtkMRMLNode*)", changes.append)
    first, second = add_volume("first"), add_volume("second")
    combo.setCurrentNode(second)
    second.SetName("renamed")
    slicer.mrmlScene.RemoveNode(second)
    assert changes == [second, None]
    combo.setCurrentNodeID(first.GetID())
    assert combo.currentNode() is first
    slicer.mrmlScene.Clear(0)
    assert changes == [second, None, first, None]
    assert combo.currentNodeID == ""


def test_selector_filters_by_attribute_and_hidden_nodes(host):
    combo = selector(noneEnabled=True)
    combo.addAttribute("vtkMRMLScalarVolumeNode", "HER2Map.Role", "T1_pre")
    plain, mapped = add_volume(), add_volume()
    mapped.SetAttribute("HER2Map.Role", "T1_pre")
    combo.setCurrentNode(mapped)
    assert combo.currentNode() is mapped
    mapped.SetHideFromEditors(True)
    mapped.Modified()
    assert combo.nodeCount() == 0
    assert plain is not None


def test_selector_makes_nodes(host):
    combo = selector(baseName="Map")
    node = combo.addNode()
    assert node.GetName() == "Map"
    assert combo.currentNode() is node


def test_module_is_registered_as_slicer_does(example):
    import slicer

    module = slicer.modules.hostexample
    assert (module.name, module.title) == ("HostExample", "Host Example")
    assert slicer.util.modulePath("HostExample") == str(EXAMPLE)
    assert slicer.util.getModuleWidget("HostExample") is example
    assert slicer.modules.HostExampleInstance.parent is module
    assert example.resourcePath("UI") == str(EXAMPLE.parent / "Resources/UI")


def test_enter_and_exit(example):
    import slicer

    slicer.util.mainWindow().moduleSelector().selectModule("")
    slicer.util.selectModule("HostExample")
    assert example.calls == ["exit", "enter"]


def test_widgets_write_the_parameter_node(example):
    volume = add_volume()
    example.ui.inputSelector.setCurrentNode(volume)
    example.ui.slider.value = 55.5
    example.ui.count.value = 7
    example.ui.readerEdit.text = "B"
    example.ui.invert.checked = True
    example.ui.preset.currentIndex = 0
    example.ui.colour.currentText = "red"
    parameters = example.parameters
    assert parameters.inputVolume is volume
    assert (parameters.threshold, parameters.count, parameters.reader) == (55.5, 7, "B")
    assert (parameters.invert, parameters.preset.name, parameters.colour) == (True, "RECOMMENDED", "red")


def test_parameter_node_writes_the_widgets(example):
    volume = add_volume()
    parameters, ui = example.parameters, example.ui
    parameters.inputVolume = volume
    parameters.threshold = -20.5
    parameters.count = 9
    parameters.reader = "C"
    parameters.preset = type(parameters.preset).RECOMMENDED
    assert ui.inputSelector.currentNode() is volume
    assert (ui.slider.value, ui.count.value, ui.readerEdit.text) == (-20.5, 9, "C")
    assert ui.preset.currentText == "Recommended"


def test_values_are_kept_in_slicer_s_own_text_form(example):
    parameters = example.parameters
    parameters.roles["7"] = "T2"
    parameters.numbers = [1.5, 2.5]
    parameters.numbers.append(3.5)
    node = parameters.parameterNode
    names = node.GetParameterNamesAsCommaSeparatedList().split(",")
    assert {name: node.GetParameter(name) for name in names} == {
        "inputVolume": "",
        "contour.1": "True",
        "threshold": "100",
        "count": "3",
        "reader": "A",
        "invert": "False",
        "preset": "PAPER",
        "colour": "blue",
        "roles.len": "1",
        "roles.0.0": "7",
        "roles.0.1": "T2",
        "numbers.len": "3",
        "numbers.0": "1.5",
        "numbers.1": "2.5",
        "numbers.2": "3.5",
    }


@pytest.mark.parametrize(
    "name, value, error",
    [("threshold", 1000, ValueError), ("count", "3", TypeError), ("reader", None, ValueError)],
)
def test_wrong_values_are_refused(example, name, value, error):
    before = getattr(example.parameters, name)
    with pytest.raises(error):
        setattr(example.parameters, name, value)
    assert getattr(example.parameters, name) == before


def test_optional_node(example):
    import slicer

    curve = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsClosedCurveNode")
    assert example.parameters.contour is None
    example.parameters.contour = curve
    assert example.parameters.contour is curve
    example.parameters.contour = None
    assert example.parameters.contour is None


def test_closing_the_scene(example):
    import slicer

    example.parameters.threshold = 1
    for _ in range(3):
        slicer.mrmlScene.Clear(0)
    assert example.calls == ["StartClose", "EndClose"] * 3
    assert example.parameters.threshold == 100
    assert example.ui.slider.value == 100


@pytest.mark.parametrize("ending", [".mrb", ".mrml"])
def test_scene_saved_and_opened_again(example, tmp_path, ending):
    import slicer

    example.parameters.inputVolume = add_volume("DCE")
    example.parameters.threshold = 12.5
    example.parameters.roles["7"] = "T2"
    path = tmp_path / f"scene{ending}"
    if ending == ".mrml":
        slicer.util.saveNode(example.parameters.inputVolume, str(tmp_path / "DCE.nrrd"))
    assert slicer.util.saveScene(str(path))
    slicer.mrmlScene.Clear(0)
    assert example.parameters.inputVolume is None
    slicer.util.loadScene(str(path))
    assert example.parameters.inputVolume.GetName() == "DCE"
    assert example.ui.inputSelector.currentNode().GetName() == "DCE"
    assert (example.parameters.threshold, example.ui.slider.value) == (12.5, 12.5)
    assert dict(example.parameters.roles) == {"7": "T2"}


def test_reload_keeps_the_parameter_node(example):
    import slicer

    example.parameters.count = 8
    slicer.util.reloadScriptedModule("HostExample")
    again = slicer.modules.HostExampleWidget
    assert again is not example
    assert example.calls[-1] == "cleanup"
    assert again.ui.count.value == 8
    slicer.mrmlScene.Clear(0)
    assert example.calls[-1] == "cleanup"


def test_self_test_runs(example):
    import slicer

    slicer.selfTests["HostExample"]()
    assert example.calls == ["test"]


def test_volume_file(host, tmp_path):
    import slicer

    volume = slicer.util.addVolumeFromArray(np.arange(24.0).reshape(2, 3, 4))
    assert slicer.util.saveNode(volume, str(tmp_path / "map.nii.gz"))
    loaded = slicer.util.loadVolume(str(tmp_path / "map.nii.gz"), {"name": "map", "show": False})
    np.testing.assert_array_equal(slicer.util.arrayFromVolume(loaded), np.arange(24.0).reshape(2, 3, 4))
    with pytest.raises(RuntimeError):
        slicer.util.loadVolume(str(tmp_path / "missing.nii"))


def test_sample_data(host):
    import SampleData
    import slicer

    made = []
    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="HER2Map", sampleName="Phantom", uris="", fileNames=[None], customDownloader=made.append
    )
    source = SampleData.SampleDataLogic.sampleDataSourcesByCategory("HER2Map")[0]
    source.customDownloader(source)
    assert made == [source]
    assert list(slicer.modules.sampleDataSources) == ["HER2Map"]


def test_packages_are_not_installed_while_testing(host):
    import slicer

    assert slicer.packaging.pip_check("numpy>=1.20")
    assert not slicer.packaging.pip_check("no-such-package-for-her2map")
    slicer.packaging.pip_ensure("no-such-package-for-her2map", requester="HER2Map")


def test_packages_are_installed_only_with_consent(host):
    import qt
    import slicer

    from slicer_host import testing

    with (
        testing.answering(qt.QMessageBox.Cancel) as texts,
        pytest.raises(RuntimeError, match="declined"),
    ):
        slicer.packaging.pip_ensure("no-such-package-for-her2map", requester="HER2Map")
    assert len(texts) == 1


def test_translation_leaves_the_text(host):
    from slicer.i18n import tr as _
    from slicer.i18n import translate

    assert _("{count} series").format(count=3) == "3 series"
    assert translate("Context", "text") == "text"
