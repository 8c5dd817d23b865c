"""Drawing on the DCE by mouse: the values that follow, holes, undo and redo."""

import numpy as np
import pytest
from drawing_steps import DCE, dragCircle, drawPoints, leftovers, loop, settle

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")


pytest_plugins = ["slicer_host.pytest_fixtures"]


@pytest.fixture
def panel(roiPanel):
    return roiPanel


def _fromLibrary(logic, maps):
    """The values of the present polygon, taken by the library from its own maps."""
    from her2map.exam import measure_maps

    return measure_maps({n: (m.map, m.geometry) for n, m in maps.items()}, logic.roi()).values


def _assertSame(logic, fittedExam):
    expected = _fromLibrary(logic, fittedExam[1])
    assert expected.keys() == logic.values.values.keys()
    for name, value in expected.items():
        assert logic.values.values[name].value == pytest.approx(value.value, rel=1e-6), name


def test_points_give_the_librarys_values(panel, shownExam, centre, fittedExam):
    drawPoints(panel, loop(centre, 9, 8))
    assert panel.drawing.tool is None
    assert not panel.ui.clickButton.checked
    assert shownExam.problem == ""
    _assertSame(shownExam, fittedExam)
    assert "slice 4 of 8" in panel.ui.roiLabel.text
    assert shownExam.roi().longest_diameter_mm == pytest.approx(18, abs=1)


def test_a_dragged_point_moves_the_values(panel, shownExam, centre):
    from slicer_host import testing

    points = loop(centre, 9, 6)
    drawPoints(panel, points)
    before = shownExam.values.values["T1_pre"].value
    outwards = centre + 1.5 * (points[0] - centre)
    testing.drag(testing.slice_view(DCE), [points[0], (points[0] + outwards) / 2, outwards])
    assert shownExam.values.values["T1_pre"].value != before
    panel.ui.undoButton.click()
    assert shownExam.values.values["T1_pre"].value == pytest.approx(before)


def test_freehand(panel, shownExam, centre, fittedExam):
    from slicer_host import testing

    panel.ui.freehandButton.click()
    testing.drag(testing.slice_view(DCE), loop(centre, 9, 60))
    settle()
    assert shownExam.problem == ""
    _assertSame(shownExam, fittedExam)
    assert shownExam.roi().area_mm2 == pytest.approx(np.pi * 81, rel=0.05)
    assert leftovers() == []


def test_a_view_does_not_pan_below_a_freehand_line(panel, centre):
    import slicer

    from slicer_host import testing

    node = slicer.app.layoutManager().sliceWidget(DCE).mrmlSliceNode()
    before = node.GetXYToRAS().GetElement(0, 3), node.GetFieldOfView()
    panel.ui.freehandButton.click()
    testing.drag(testing.slice_view(DCE), loop(centre, 9, 30))
    assert (node.GetXYToRAS().GetElement(0, 3), node.GetFieldOfView()) == before


def test_circle(panel, shownExam, centre, fittedExam):
    dragCircle(panel, centre, 8)
    roi = shownExam.roi()
    assert roi.area_mm2 == pytest.approx(np.pi * 64, rel=0.05)
    np.testing.assert_allclose(roi.centroid, centre, atol=0.5)
    _assertSame(shownExam, fittedExam)


def test_a_click_by_mistake_draws_nothing(panel, shownExam, centre):
    from slicer_host import testing

    panel.ui.circleButton.click()
    testing.click(testing.slice_view(DCE), centre)
    settle()
    assert shownExam.roi() is None
    assert panel.drawing.tool == "circle"
    panel.ui.circleButton.click()
    assert panel.drawing.tool is None


@pytest.mark.parametrize("tool", ["points", "freehand", "circle"])
def test_holes_are_left_out(panel, shownExam, centre, fittedExam, tool):
    from slicer_host import testing

    dragCircle(panel, centre, 10)
    whole = shownExam.roi().area_mm2
    panel.ui.holeButton.checked = True
    if tool == "points":
        drawPoints(panel, loop(centre, 3, 6))
    elif tool == "freehand":
        panel.ui.freehandButton.click()
        testing.drag(testing.slice_view(DCE), loop(centre, 3, 30))
        settle()
    else:
        dragCircle(panel, centre, 3)
    assert shownExam.problem == ""
    assert len(shownExam.roi().holes) == 1
    assert whole - shownExam.roi().area_mm2 == pytest.approx(np.pi * 9, rel=0.15)
    _assertSame(shownExam, fittedExam)
    panel.ui.contourButton.checked = True


def test_undo_and_redo_by_keys(panel, shownExam, centre):
    import qt
    import slicer

    from slicer_host import testing

    dragCircle(panel, centre, 8)
    small = shownExam.roi().area_mm2
    dragCircle(panel, centre, 10)
    large = shownExam.roi().area_mm2
    window = slicer.util.mainWindow()
    window.activateWindow()
    settle()
    found = [shortcut.key.toString() for shortcut in window.findChildren(qt.QShortcut)]
    keys = [key for key in found if key != "Esc"]  # that of a text field
    assert sorted(keys) == ["Ctrl+Y", "Ctrl+Z"]
    panel.onUndo()
    assert shownExam.roi().area_mm2 == pytest.approx(small)
    panel.onRedo()
    assert shownExam.roi().area_mm2 == pytest.approx(large)
    panel.onUndo()
    panel.onUndo()
    assert shownExam.roi() is None
    assert not panel.ui.undoButton.enabled
    panel.onRedo()
    assert shownExam.roi().area_mm2 == pytest.approx(small)
    testing.process_events()
    slicer.util.selectModule("")
    testing.process_events()
    assert window.findChildren(qt.QShortcut) == []


def test_delete_can_be_undone(panel, shownExam, centre):
    dragCircle(panel, centre, 10)
    panel.ui.holeButton.checked = True
    dragCircle(panel, centre, 3)
    area = shownExam.roi().area_mm2
    panel.ui.deleteButton.click()
    assert shownExam.roi() is None
    assert shownExam.values is None
    assert not panel.ui.deleteButton.enabled
    panel.ui.undoButton.click()
    assert shownExam.roi().area_mm2 == pytest.approx(area)
    panel.ui.contourButton.checked = True


def test_an_unfinished_contour_brings_the_old_one_back(panel, shownExam, centre):
    from slicer_host import testing

    dragCircle(panel, centre, 8)
    area = shownExam.roi().area_mm2
    panel.ui.clickButton.click()
    testing.click(testing.slice_view(DCE), centre)
    panel.ui.clickButton.click()
    settle()
    assert shownExam.roi().area_mm2 == pytest.approx(area)


def test_undo_in_the_middle_of_drawing(panel, shownExam, centre):
    from HER2MapModuleLib import roi_nodes
    from slicer_host import testing

    dragCircle(panel, centre, 8)
    first = shownExam.roi().area_mm2
    dragCircle(panel, centre, 10)
    panel.ui.clickButton.click()
    testing.click(testing.slice_view(DCE), centre)
    panel.ui.undoButton.click()
    settle()
    assert panel.drawing.tool is None and not panel.ui.clickButton.checked
    assert shownExam.roi().area_mm2 == pytest.approx(first)
    assert len(roi_nodes.curvesOf(roi_nodes.CONTOUR)) == 1


def test_no_hole_in_a_contour_that_is_half_drawn(panel, shownExam, centre):
    from slicer_host import testing

    assert not panel.ui.holeButton.enabled
    panel.ui.freehandButton.click()
    assert not panel.ui.holeButton.enabled
    panel.ui.clickButton.click()
    testing.click(testing.slice_view(DCE), centre)
    panel.ui.holeButton.checked = True
    panel.ui.circleButton.click()
    assert panel.drawing.part == "contour" and panel.ui.contourButton.checked
    assert panel.ui.circleButton.checked
    panel.ui.circleButton.click()


def test_a_contour_that_crosses_itself_is_told_at_once(panel, shownExam, centre):
    points = loop(centre, 9, 4)
    drawPoints(panel, points[[0, 2, 1, 3]])
    assert "crosses" in panel.ui.problemLabel.text
    assert panel.ui.problemLabel.visible
    assert shownExam.values is None


@pytest.mark.parametrize("tool", ["clickButton", "freehandButton", "circleButton", "suggestButton"])
def test_a_scene_closed_in_the_middle_of_drawing(panel, shownExam, centre, tool):
    import slicer

    from slicer_host import testing

    view = testing.slice_view(DCE)
    getattr(panel.ui, tool).click()
    testing.move(view, centre)
    testing.press(view, centre)
    testing.move(view, centre + [4, 0, 0], buttons=testing.LEFT)
    testing.move(view, centre + [4, 4, 0], buttons=testing.LEFT)
    slicer.mrmlScene.Clear(0)
    settle()
    assert panel.drawing.tool is None
    assert len(panel.drawing._ofPlacing) == 0
    interactor = view.interactor()
    assert not _isHidden(interactor, "LeftButtonPressEvent")
    assert not getattr(panel.ui, tool).checked
    testing.release(view, testing.ras_of(view, 50, 50))
    settle()
    assert leftovers() == []


def _isHidden(interactor, event):
    """Whether a drawing tool still hides `event` from Slicer."""
    reached = []
    tag = interactor.AddObserver(event, lambda *_: reached.append(True), 9.0)
    interactor.InvokeEvent(event)
    interactor.RemoveObserver(tag)
    return not reached
