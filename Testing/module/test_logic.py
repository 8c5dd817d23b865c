"""The logic where things come in another order than planned: other exams, other scenes, other roles."""

import zipfile

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")
pytest_plugins = ["slicer_host.pytest_fixtures"]


@pytest.fixture
def drawn(shownExam, outline):
    shownExam.setContour(outline)
    return shownExam


def value(logic, name="T2"):
    return logic.values.values[name].value


def test_a_scene_opened_before_the_module_is_followed(drawn, tmp_path):
    """Reloading the module stands for its first entry after a scene was opened."""
    import slicer

    before = value(drawn)
    file = str(tmp_path / "scene.mrb")
    slicer.util.saveScene(file)
    slicer.mrmlScene.Clear(0)
    slicer.util.loadScene(file)
    slicer.util.reloadScriptedModule("HER2MapModule")
    slicer.util.selectModule("HER2MapModule")
    logic = slicer.modules.HER2MapModuleWidget.logic
    assert value(logic) == pytest.approx(before, rel=1e-6)
    curve = logic.parameters.roi
    point = np.empty(3)
    curve.GetNthControlPointPositionWorld(0, point)
    curve.SetNthControlPointPositionWorld(0, point + [2.0, 0.0, 0.0])
    assert value(logic) != pytest.approx(before, rel=1e-6)


def test_an_override_of_the_phase_is_told_after_opening(drawn, tmp_path):
    import slicer

    drawn.choosePhase(4)
    told = drawn.phaseReason
    assert "phase 5 of 8" in told and "chosen by the user" in told
    file = str(tmp_path / "scene.mrb")
    slicer.util.saveScene(file)
    slicer.mrmlScene.Clear(0)
    slicer.util.loadScene(file)
    logic = slicer.modules.HER2MapModuleWidget.logic
    assert logic.phase == 4
    assert logic.phaseReason.startswith("phase 5 of 8") and "chosen by the user" in logic.phaseReason


def test_maps_go_with_the_roles_they_came_from(drawn):
    from HER2MapModuleLib import map_nodes

    keys = {a.role.value: a.key for a in drawn.exam.assignments}
    drawn.setRole(keys["T2"], "none")
    assert set(map_nodes.readMaps()) == {"T1_pre", "T1_post", "T2star", "B1"}
    assert "T2" not in drawn.values.values and "T2" not in drawn.fitted
    drawn.setRole(keys["B1"], "none")
    assert set(map_nodes.readMaps()) == {"T2star"}
    assert map_nodes.mapNode("delta_T1") is None


def test_without_dce_there_are_no_values(drawn):
    key = next(a.key for a in drawn.exam.assignments if a.role.value == "DCE")
    drawn.setRole(key, "none")
    assert drawn.values is None
    assert "no DCE series" in drawn.problem


def test_another_exam_meanwhile_drops_what_was_computed(drawn, fittedExam, monkeypatch):
    import qt
    import slicer

    from HER2MapModuleLib import map_nodes

    said = []
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, *args, **more: said.append(text))
    panel = slicer.modules.HER2MapModuleWidget.panels[1]
    qt.QTimer.singleShot(50, lambda: drawn.takeExam(fittedExam[0], "another"))
    panel.ui.fitButton.click()
    assert map_nodes.readMaps() == {}
    assert len(said) == 1 and "dropped" in said[0]


def test_a_scene_closed_meanwhile_stays_empty(drawn, monkeypatch):
    import qt
    import slicer

    from HER2MapModuleLib import map_nodes

    said = []
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, *args, **more: said.append(text))
    panel = slicer.modules.HER2MapModuleWidget.panels[1]
    qt.QTimer.singleShot(50, lambda: slicer.mrmlScene.Clear(0))
    panel.ui.fitButton.click()
    assert map_nodes.readMaps() == {}
    assert len(said) == 1


def test_one_job_at_a_time(drawn, monkeypatch):
    import qt
    import slicer

    said = []
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, *args, **more: said.append(text))
    panel = slicer.modules.HER2MapModuleWidget.panels[1]
    qt.QTimer.singleShot(50, panel.fit)
    panel.fit()
    assert len(said) == 1 and "Another job is running" in said[0]
    assert set(drawn.fitted) == {"T1_pre", "T1_post", "T2", "T2star", "B1"}


def test_something_added_to_the_scene_keeps_the_exam(drawn, tmp_path):
    import slicer

    exam, before = drawn.exam, value(drawn)
    file = tmp_path / "other.mrml"
    file.write_text('<MRML version="Slicer4.4.0" userTags=""></MRML>')
    slicer.mrmlScene.SetURL(str(file))
    slicer.mrmlScene.Import()
    assert drawn.exam is exam
    assert value(drawn) == before
    assert drawn.history.canUndo


def test_the_folders_name_stays_on_this_computer(loadedModule, fittedExam, tmp_path):
    import slicer

    logic = loadedModule.logic
    logic.takeExam(fittedExam[0], "/exams/Jane_Doe_1970")
    assert logic.examFolder == "/exams/Jane_Doe_1970"
    slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    with zipfile.ZipFile(tmp_path / "scene.mrb") as bundle:
        saved = b"".join(bundle.read(name) for name in bundle.namelist() if name.endswith(".mrml"))
    assert b"examKey" in saved and b"Jane" not in saved
    slicer.mrmlScene.Clear(0)
    assert logic.examFolder == ""
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    assert slicer.modules.HER2MapModuleWidget.logic.examFolder == "/exams/Jane_Doe_1970"


def test_whatever_goes_wrong_is_told(monkeypatch, host):
    import slicer

    from HER2MapModuleLib.panel import problemsShown

    said = []
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, *args, **more: said.append(text))
    monkeypatch.setattr("logging.exception", lambda *args: None)
    with problemsShown():
        raise KeyError("surprise")
    assert said == ["This did not work (KeyError); the error log has the details. What was shown is kept."]
