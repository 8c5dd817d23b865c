"""A reader's session in the scene: what is kept of every edit, what comes back, and what is never there."""

import numpy as np
import pytest
from reading_steps import openNext, stored

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")
pytest_plugins = ["slicer_host.pytest_fixtures"]


def test_the_case_is_shown_as_it_was_prepared(reading, logic):
    from HER2MapModuleLib import map_nodes

    case = logic.case
    assert reading.shown == reading.session.current
    assert logic.exam is None and logic.facts == case.facts
    assert list(map_nodes.readMaps()) == ["T1_pre", "T1_post", "T2", "T2star", "B1"]
    assert logic.phase == case.facts["dce"]["roi_phase"] and logic.phaseReason
    for name, (fitted, geometry) in case.maps.items():
        shown = map_nodes.readMaps()[name]
        np.testing.assert_array_equal(shown.map.value, fitted.value)
        np.testing.assert_array_equal(shown.map.standard_error, fitted.standard_error)
        np.testing.assert_allclose(shown.geometry.affine, geometry.affine, atol=1e-9)


def test_values_are_the_librarys(reading, logic, contours):
    from her2map.exam import measure_maps

    logic.setContour(contours[reading.shown.case])
    direct = measure_maps(logic.case.maps, logic.roi(), logic.case.placements)
    assert logic.values.values.keys() == direct.values.keys()
    for name, value in direct.values.items():
        assert logic.values.values[name].value == pytest.approx(value.value, rel=1e-6), name


def test_every_edit_is_in_the_store_as_it_is_made(reading, logic, study, contours):
    points = contours[reading.shown.case]
    logic.setContour(points)
    logic.addHole(points.mean(axis=0) + 0.2 * (points - points.mean(axis=0)))
    logic.choosePhase(3)
    logic.undo()
    edits = stored(study)
    assert [bool(edit["holes"]) for edit in edits] == [False, True, True, False]
    assert [edit["phase"] for edit in edits] == [None, None, 3, 3]
    np.testing.assert_array_equal(edits[0]["contour"], points)
    logic.redo()
    curve = logic.parameters.roi
    curve.SetNthControlPointPositionWorld(0, points[0] + [0.5, 0.5, 0.0])
    assert len(stored(study)) == 5  # a mouse that moves
    curve.InvokeEvent(curve.PointEndInteractionEvent)
    assert stored(study)[-1]["contour"][0] == pytest.approx(points[0] + [0.5, 0.5, 0.0])
    curve.RemoveNthControlPoint(1)
    assert len(stored(study)[-1]["contour"]) == len(points) - 1


def test_a_tool_taken_up_and_put_away_is_no_edit(reading, logic, study, contours, loadedModule):
    logic.setContour(contours[reading.shown.case])
    drawing = loadedModule.panels[2].drawing
    drawing.start("click")
    drawing.stop()
    assert len(stored(study)) == 1
    assert reading.session.drawing == reading.drawing()


@pytest.mark.parametrize("count", [2, 12])
def test_a_reading_is_taken_up_exactly_where_it_was_left(
    reading, logic, study, contours, count, loadedModule
):
    import slicer

    loadedModule.panels[2].drawing.stop()
    points = contours[reading.shown.case][:count]
    logic.setContour(points)
    if count > 2:
        logic.addHole(points.mean(axis=0) + 0.2 * (points - points.mean(axis=0)))
    logic.choosePhase(4)
    before, slot = reading.drawing(), reading.shown
    reading.signOut()
    assert slicer.util.getNodesByClass("vtkMRMLMarkupsClosedCurveNode") == []
    reading.signIn(str(study), "r1")
    openNext(logic)
    assert reading.shown == slot
    assert reading.drawing() == before
    assert logic.phase == 4
    tool = loadedModule.panels[2].drawing.tool
    assert tool == ("click" if count == 2 else None)  # a curve only begun is gone on with
    loadedModule.panels[2].drawing.stop()
    if count > 2:
        assert not logic.history.canUndo
        assert len(stored(study)) == 3  # taking up is no edit


def test_finish_keeps_values_and_clears_the_scene(reading, logic, study, contours):
    from HER2MapModuleLib import map_nodes, roi_nodes

    assert "draw" in reading.refusal(3)
    logic.setContour(contours[reading.shown.case])
    assert "1 to 5" in reading.refusal(None)
    assert reading.refusal(4) == ""
    value, slot = logic.values.values["T2star"].value, reading.shown
    logic.phases.showTimeCourse()
    reading.finish(4, "clear border")
    [result] = stored(study, kind="finished")
    assert result["values"]["T2star"]["value"] == value
    assert (result["confidence"], result["remark"]) == (4, "clear border")
    assert reading.shown is None and reading.session.current is None
    assert reading.session.done == 1
    assert map_nodes.readMaps() == {} and roi_nodes.drawing() == () and logic.case is None
    assert leftovers() == []
    openNext(logic)
    assert reading.shown != slot
    assert roi_nodes.drawing() == ()


def leftovers():
    """Nodes of a case: volumes, curves, tables, sequences."""
    import slicer

    kinds = ("Volume", "Markups", "Table", "Sequence", "PlotSeries", "PlotChart", "Transform")
    nodes = [node for kind in kinds for node in slicer.util.getNodesByClass(f"vtkMRML{kind}Node")]
    return [node.GetName() for node in nodes if not node.GetHideFromEditors()]


def test_an_edit_made_without_the_mouse_is_in_the_finished_reading(reading, logic, study, contours):
    points = contours[reading.shown.case]
    logic.setContour(points)
    logic.parameters.roi.SetNthControlPointPositionWorld(0, points[0] + [0.25, 0.25, 0.0])
    value = logic.values.values["T2"].value
    reading.finish(3)
    [result] = stored(study, kind="finished")
    assert result["values"]["T2"]["value"] == value
    assert result["drawing"]["contour"][0] == pytest.approx(points[0] + [0.25, 0.25, 0.0])


def test_a_value_that_is_missing_refuses_the_finish(reading, logic, study, contours):
    from her2map.errors import InputError

    logic.setContour(contours[reading.shown.case] + [500.0, 0.0, 0.0])
    with pytest.raises(InputError, match="No value"):
        reading.finish(3)
    assert stored(study, kind="finished") == []
    assert reading.shown is not None


def test_skip_and_reopen(reading, logic, study, contours):
    from her2map.errors import InputError

    slot = reading.shown
    with pytest.raises(InputError, match="reason"):
        reading.skip("  ")
    logic.setContour(contours[slot.case])
    reading.skip("biopsy clip")
    assert reading.shown is None and leftovers() == []
    reading.reopen(slot, "wrong key")
    openNext(logic)
    assert reading.shown == slot
    np.testing.assert_array_equal(reading.drawing().contour, contours[slot.case])


def test_a_scene_closed_in_the_middle_of_a_reading(reading, logic, study, contours):
    import slicer

    logic.setContour(contours[reading.shown.case])
    slot, before = reading.shown, reading.drawing()
    slicer.mrmlScene.Clear(0)
    assert reading.shown is None and reading.session.current == slot
    assert "still open" in reading.notice and slot.case in reading.notice
    assert reading.session.drawing == before
    openNext(logic)
    assert (reading.shown, reading.drawing(), reading.notice) == (slot, before, "")


def test_something_added_to_the_scene_keeps_the_reading(reading, logic, contours, tmp_path):
    import slicer

    logic.setContour(contours[reading.shown.case])
    slot, value = reading.shown, logic.values.values["T2"].value
    file = tmp_path / "other.mrml"
    file.write_text('<MRML version="Slicer4.4.0" userTags=""></MRML>')
    slicer.mrmlScene.SetURL(str(file))
    slicer.mrmlScene.Import()
    assert reading.shown == slot
    assert logic.values.values["T2"].value == value


def test_no_other_exam_while_a_reader_is_signed_in(reading, logic, fittedExam):
    from her2map.errors import InputError

    with pytest.raises(InputError, match="sign out"):
        logic.takeExam(fittedExam[0], "somewhere")
    reading.signOut()
    logic.takeExam(fittedExam[0], "somewhere")
    assert logic.exam is not None


def test_an_exam_shown_before_is_gone(shownExam, study):
    shownExam.readings.signIn(str(study), "r1")
    left = shownExam.exam, leftovers()
    shownExam.readings.signOut()
    assert left == (None, [])


def test_a_second_window_is_refused_and_changes_nothing(reading, study):
    from her2map.errors import InputError
    from her2map.study.session import open_session

    with pytest.raises(InputError, match="open in another window"):
        open_session(study, "r1")
    with pytest.raises(InputError, match="sign out first"):
        reading.signIn(str(study), "r2")
    assert reading.session.reader == "r1" and reading.shown is not None


def test_an_edit_that_cannot_be_written_is_told_and_tried_again(reading, logic, study, contours, monkeypatch):
    from her2map.errors import InputError

    kept = reading.session.edited

    def full(drawing):
        raise InputError("the disk is full")

    monkeypatch.setattr(reading.session, "edited", full)
    logic.setContour(contours[reading.shown.case])
    assert "disk is full" in reading.notice
    assert logic.values is not None
    with pytest.raises(InputError, match="disk is full"):
        reading.finish(3)
    monkeypatch.setattr(reading.session, "edited", kept)
    logic.edited.emit()
    assert reading.notice == ""
    assert len(stored(study)) == 1


def test_placements_move_the_maps(logic, study, contours):
    from HER2MapModuleLib import map_nodes
    from study_samples import change_study

    text = (study / "study.toml").read_text(encoding="utf-8")
    (study / "study.toml").write_text(
        text.replace("registration = false", "registration = true"), encoding="utf-8"
    )
    change_study(study, seed=7)
    logic.readings.signIn(str(study), "r1")
    openNext(logic)
    case = logic.case
    assert set(case.placements) == {"T1_pre", "T1_post", "T2", "T2star"}
    for name, matrix in case.placements.items():
        np.testing.assert_allclose(map_nodes.readMaps()[name].fromDce, matrix, atol=1e-9)
    logic.setContour(contours[logic.readings.shown.case])
    from her2map.exam import measure_maps

    direct = measure_maps(case.maps, logic.roi(), case.placements)
    for name, value in direct.values.items():
        assert logic.values.values[name].value == pytest.approx(value.value, rel=1e-6), name


def test_training_tells_how_far_the_value_is_from_the_truth(logic, study):
    from her2map.markups import read_roi

    readings = logic.readings
    readings.signInTraining(str(study), "r1")
    assert readings.training and "training" in readings.session.title
    openNext(logic)
    folder = study / "training" / "exams" / "small-1" / readings.shown.case
    logic.setContour(read_roi(folder / "roi.mrk.json", 3.0).outline[::20])
    readings.finish(5)
    found = readings.deviations
    assert set(found) >= {"T1_pre", "T1_post", "T2", "T2star", "delta_T1"}
    assert abs(found["T2"].percent) < 5
    openNext(logic)
    assert readings.deviations == {}


def test_the_module_is_reloaded_in_the_middle_of_a_reading(reading, logic, study, contours):
    import slicer

    from her2map.study.session import open_session

    logic.setContour(contours[reading.shown.case])
    before = reading.drawing()
    slicer.util.reloadScriptedModule("HER2MapModule")
    slicer.util.selectModule("HER2MapModule")
    module = slicer.modules.HER2MapModuleWidget
    assert leftovers() == [] and module.logic.readings.session is None
    with open_session(study, "r1") as session:
        assert session.drawing == before
