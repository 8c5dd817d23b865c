"""Drawing on the DCE by mouse: the values that follow, undo and redo, the phase, the slice, the SNR."""

import json

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")
pytest_plugins = ["slicer_host.pytest_fixtures"]

DCE, T2 = "HER2MapDCE", "HER2MapT2"


def _panel(module, name):
    return next(panel for panel in module.panels if type(panel).__name__ == name)


@pytest.fixture
def panel(loadedModule, shownExam):
    loadedModule.readingRoom.show()
    _settle()
    yield _panel(loadedModule, "RoiPanel")
    _settle()


@pytest.fixture
def centre(phantomFolder, panel):
    """(3,) RAS of the phantom's tumour on its largest slice, which the views show."""
    import slicer

    truth = json.loads((phantomFolder / "truth.json").read_text(encoding="utf-8"))
    point = np.array(truth["tumour_centre_lps_mm"]) * [-1, -1, 1]
    panel.readingRoom.jumpTo(point)
    _settle()
    assert slicer.app.layoutManager().sliceWidget(DCE).mrmlSliceNode().GetSliceOffset() != 0
    return point


def _settle():
    from slicer_host import testing

    testing.process_events(6)


def _loop(centre, radius, count, start=0.0):
    """(count, 3) about a point, in the plane of an axial slice."""
    angle = start + 2 * np.pi * np.arange(count) / count
    return centre + radius * np.column_stack([np.cos(angle), np.sin(angle), np.zeros(count)])


def _drawPoints(panel, points, view=DCE):
    from slicer_host import testing

    panel.ui.clickButton.click()
    where = testing.slice_view(view)
    for point in points:
        testing.click(where, point)
    testing.click(where, points[-1], testing.RIGHT)
    _settle()


def _dragCircle(panel, centre, radius):
    from slicer_host import testing

    panel.ui.circleButton.click()
    testing.drag(testing.slice_view(DCE), [centre + [r, 0, 0] for r in np.linspace(0, radius, 6)])
    _settle()


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
    _drawPoints(panel, _loop(centre, 9, 8))
    assert panel.drawing.tool is None
    assert not panel.ui.clickButton.checked
    assert shownExam.problem == ""
    _assertSame(shownExam, fittedExam)
    assert "slice 4 of 8" in panel.ui.roiLabel.text
    assert shownExam.roi().longest_diameter_mm == pytest.approx(18, abs=1)


def test_a_dragged_point_moves_the_values(panel, shownExam, centre):
    from slicer_host import testing

    points = _loop(centre, 9, 6)
    _drawPoints(panel, points)
    before = shownExam.values.values["T1_pre"].value
    outwards = centre + 1.5 * (points[0] - centre)
    testing.drag(testing.slice_view(DCE), [points[0], (points[0] + outwards) / 2, outwards])
    assert shownExam.values.values["T1_pre"].value != before
    panel.ui.undoButton.click()
    assert shownExam.values.values["T1_pre"].value == pytest.approx(before)


def test_freehand(panel, shownExam, centre, fittedExam):
    from slicer_host import testing

    panel.ui.freehandButton.click()
    testing.drag(testing.slice_view(DCE), _loop(centre, 9, 60))
    _settle()
    assert shownExam.problem == ""
    _assertSame(shownExam, fittedExam)
    assert shownExam.roi().area_mm2 == pytest.approx(np.pi * 81, rel=0.05)
    assert _leftovers() == []


def test_a_view_does_not_pan_below_a_freehand_line(panel, centre):
    import slicer

    from slicer_host import testing

    node = slicer.app.layoutManager().sliceWidget(DCE).mrmlSliceNode()
    before = node.GetXYToRAS().GetElement(0, 3), node.GetFieldOfView()
    panel.ui.freehandButton.click()
    testing.drag(testing.slice_view(DCE), _loop(centre, 9, 30))
    assert (node.GetXYToRAS().GetElement(0, 3), node.GetFieldOfView()) == before


def test_circle(panel, shownExam, centre, fittedExam):
    _dragCircle(panel, centre, 8)
    roi = shownExam.roi()
    assert roi.area_mm2 == pytest.approx(np.pi * 64, rel=0.05)
    np.testing.assert_allclose(roi.centroid, centre, atol=0.5)
    _assertSame(shownExam, fittedExam)


def test_a_click_by_mistake_draws_nothing(panel, shownExam, centre):
    from slicer_host import testing

    panel.ui.circleButton.click()
    testing.click(testing.slice_view(DCE), centre)
    _settle()
    assert shownExam.roi() is None
    assert panel.drawing.tool == "circle"
    panel.ui.circleButton.click()
    assert panel.drawing.tool is None


@pytest.mark.parametrize("tool", ["points", "freehand", "circle"])
def test_holes_are_left_out(panel, shownExam, centre, fittedExam, tool):
    from slicer_host import testing

    _dragCircle(panel, centre, 10)
    whole = shownExam.roi().area_mm2
    panel.ui.holeButton.checked = True
    if tool == "points":
        _drawPoints(panel, _loop(centre, 3, 6))
    elif tool == "freehand":
        panel.ui.freehandButton.click()
        testing.drag(testing.slice_view(DCE), _loop(centre, 3, 30))
        _settle()
    else:
        _dragCircle(panel, centre, 3)
    assert shownExam.problem == ""
    assert len(shownExam.roi().holes) == 1
    assert whole - shownExam.roi().area_mm2 == pytest.approx(np.pi * 9, rel=0.15)
    _assertSame(shownExam, fittedExam)
    panel.ui.contourButton.checked = True


def test_undo_and_redo_by_keys(panel, shownExam, centre):
    import qt
    import slicer

    from slicer_host import testing

    _dragCircle(panel, centre, 8)
    small = shownExam.roi().area_mm2
    _dragCircle(panel, centre, 10)
    large = shownExam.roi().area_mm2
    window = slicer.util.mainWindow()
    window.activateWindow()
    _settle()
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
    _dragCircle(panel, centre, 10)
    panel.ui.holeButton.checked = True
    _dragCircle(panel, centre, 3)
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

    _dragCircle(panel, centre, 8)
    area = shownExam.roi().area_mm2
    panel.ui.clickButton.click()
    testing.click(testing.slice_view(DCE), centre)
    panel.ui.clickButton.click()
    _settle()
    assert shownExam.roi().area_mm2 == pytest.approx(area)


def test_undo_in_the_middle_of_drawing(panel, shownExam, centre):
    from HER2MapModuleLib import roi_nodes
    from slicer_host import testing

    _dragCircle(panel, centre, 8)
    first = shownExam.roi().area_mm2
    _dragCircle(panel, centre, 10)
    panel.ui.clickButton.click()
    testing.click(testing.slice_view(DCE), centre)
    panel.ui.undoButton.click()
    _settle()
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
    points = _loop(centre, 9, 4)
    _drawPoints(panel, points[[0, 2, 1, 3]])
    assert "crosses" in panel.ui.problemLabel.text
    assert panel.ui.problemLabel.visible
    assert shownExam.values is None


def test_suggested_slice(panel, shownExam, centre, fittedExam):
    import slicer

    from her2map.enhancement import subtraction
    from her2map.tumour_slice import suggest_slice
    from slicer_host import testing

    off = centre + [2, 1, 3]
    panel.readingRoom.jumpTo(off)
    _settle()
    panel.ui.suggestButton.click()
    testing.click(testing.slice_view(DCE), off)
    _settle()
    dce = fittedExam[0].dce
    expected = suggest_slice(subtraction(dce, 2), dce.geometry, off)
    assert f"slice {expected.slice_index + 1} of 8" in panel.ui.sliceLabel.text
    assert f"{expected.diameter_mm:.1f} mm" in panel.ui.sliceLabel.text
    for name in (DCE, T2):
        node = slicer.app.layoutManager().sliceWidget(name).mrmlSliceNode()
        assert node.GetSliceOffset() == pytest.approx(expected.plane_point[2], abs=1e-6)
    assert _leftovers() == []
    assert not panel.ui.suggestButton.checked


def test_a_seed_in_the_air_is_told_in_words(panel, shownExam, centre):
    import slicer

    from slicer_host import testing

    panel.ui.suggestButton.click()
    testing.click(testing.slice_view(DCE), centre + [65, 50, 0])
    _settle()
    assert "does not enhance" in testing.errors()[0].text
    slicer.app.errorLogModel().clear()
    assert _leftovers() == []
    assert panel.ui.sliceLabel.text == "" and panel.ui.hintLabel.text == ""


@pytest.mark.parametrize("button", ["suggestButton", "undoButton", "freehandButton"])
def test_the_hint_to_click_goes_with_the_tool(panel, shownExam, centre, button):
    _dragCircle(panel, centre, 8)
    panel.ui.suggestButton.click()
    assert "enhances" in panel.ui.hintLabel.text
    getattr(panel.ui, button).click()
    assert "enhances" not in panel.ui.hintLabel.text and panel.ui.sliceLabel.text == ""
    assert _leftovers() == []


def test_phases_are_scrolled_and_overridden(panel, shownExam):
    import slicer

    ui = panel.ui
    node = slicer.app.layoutManager().sliceWidget(DCE).mrmlSliceNode()
    assert (ui.phaseSlider.value, ui.phaseLabel.text) == (2, "Phase 3 of 8, 100 s")
    assert "100 s after the injection" in ui.reasonLabel.text
    assert not ui.drawOnButton.enabled
    assert node.GetLayoutLabel() == "DCE 100 s"
    ui.phaseSlider.value = 4
    assert ui.phaseLabel.text == "Phase 5 of 8, 220 s"
    assert node.GetLayoutLabel() == "DCE 220 s"
    assert shownExam.phase == 2
    ui.drawOnButton.click()
    assert shownExam.phase == 4
    assert "chosen by the user" in ui.reasonLabel.text
    ui.automaticButton.click()
    assert shownExam.phase == 2
    assert ui.phaseSlider.value == 2


def test_the_curve_is_the_librarys(panel, shownExam, centre, fittedExam):
    import slicer

    from her2map.enhancement import time_course

    _dragCircle(panel, centre, 8)
    course = time_course(fittedExam[0].dce, shownExam.roi())
    view = slicer.mrmlScene.GetSingletonNode("HER2MapTimeCourse", "vtkMRMLPlotViewNode")
    chart = view.GetPlotChartNode()
    table = chart.GetNthPlotSeriesNode(0).GetTableNode().GetTable()
    shown = [table.GetValue(row, 1).ToDouble() for row in range(table.GetNumberOfRows())]
    np.testing.assert_allclose(shown, course.enhancement_percent, rtol=1e-5)
    panel.ui.deleteButton.click()
    assert chart.GetNumberOfPlotSeriesNodes() == 0


def test_snr_is_the_librarys_and_follows_a_rectangle(panel, shownExam, centre, fittedExam):
    from her2map.lesion_snr import background_rectangles, central_circle, lesion_snr
    from HER2MapModuleLib import roi_nodes, scene

    _dragCircle(panel, centre, 8)
    panel.ui.backgroundButton.click()
    dce, roi = fittedExam[0].dce, shownExam.roi()
    image = dce.data[2]
    rectangles = background_rectangles(image, dce.geometry, roi)
    expected = lesion_snr(image, dce.geometry, central_circle(roi), rectangles)
    assert panel.snr.result.snr == pytest.approx(expected.snr, rel=1e-4)
    assert f"SNR {expected.snr:.1f}" in panel.ui.snrLabel.text
    curve = roi_nodes.curvesOf(roi_nodes.BACKGROUND)[0]
    scene.setControlPoints(curve, scene.controlPoints(curve) + [-20.0, -30.0, 0.0])
    assert panel.snr.result.background != pytest.approx(expected.background, rel=1e-3)
    before = panel.snr.result.sd
    _dragCircle(panel, centre, 5)
    assert panel.snr.result.sd != before
    panel.ui.backgroundButton.click()
    assert roi_nodes.curvesOf(roi_nodes.BACKGROUND) == []
    assert panel.ui.snrLabel.text == ""


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
    _settle()
    assert panel.drawing.tool is None
    assert len(panel.drawing._ofPlacing) == 0
    interactor = view.interactor()
    assert not _isHidden(interactor, "LeftButtonPressEvent")
    assert not getattr(panel.ui, tool).checked
    testing.release(view, testing.ras_of(view, 50, 50))
    _settle()
    assert _leftovers() == []


def _isHidden(interactor, event):
    """Whether a drawing tool still hides `event` from Slicer."""
    reached = []
    tag = interactor.AddObserver(event, lambda *_: reached.append(True), 9.0)
    interactor.InvokeEvent(event)
    interactor.RemoveObserver(tag)
    return not reached


def _leftovers():
    """Nodes that only help to draw."""
    import slicer

    return [
        node.GetName()
        for node in slicer.util.getNodesByClass("vtkMRMLMarkupsNode")
        if node.GetAttribute("HER2Map.Part") in ("seed", "stroke")
    ]
