"""What the ROI panel tells of the images: slice, phase, time course, SNR."""

import numpy as np
import pytest
from drawing_steps import DCE, T2, dragCircle, leftovers, settle

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")
pytest_plugins = ["slicer_host.pytest_fixtures"]


@pytest.fixture
def panel(roiPanel):
    return roiPanel


def test_suggested_slice(panel, shownExam, centre, fittedExam):
    import slicer

    from her2map.enhancement import subtraction
    from her2map.tumour_slice import suggest_slice
    from slicer_host import testing

    off = centre + [2, 1, 3]
    panel.readingRoom.jumpTo(off)
    settle()
    panel.ui.suggestButton.click()
    testing.click(testing.slice_view(DCE), off)
    settle()
    dce = fittedExam[0].dce
    expected = suggest_slice(subtraction(dce, 2), dce.geometry, off)
    assert f"slice {expected.slice_index + 1} of 8" in panel.ui.sliceLabel.text
    assert f"{expected.diameter_mm:.1f} mm" in panel.ui.sliceLabel.text
    for name in (DCE, T2):
        node = slicer.app.layoutManager().sliceWidget(name).mrmlSliceNode()
        assert node.GetSliceOffset() == pytest.approx(expected.plane_point[2], abs=1e-6)
    assert leftovers() == []
    assert not panel.ui.suggestButton.checked


def test_a_seed_in_the_air_is_told_in_words(panel, shownExam, centre):
    import slicer

    from slicer_host import testing

    panel.ui.suggestButton.click()
    testing.click(testing.slice_view(DCE), centre + [65, 50, 0])
    settle()
    assert "does not enhance" in testing.errors()[0].text
    slicer.app.errorLogModel().clear()
    assert leftovers() == []
    assert panel.ui.sliceLabel.text == "" and panel.ui.hintLabel.text == ""


@pytest.mark.parametrize("button", ["suggestButton", "undoButton", "freehandButton"])
def test_the_hint_to_click_goes_with_the_tool(panel, shownExam, centre, button):
    dragCircle(panel, centre, 8)
    panel.ui.suggestButton.click()
    assert "enhances" in panel.ui.hintLabel.text
    getattr(panel.ui, button).click()
    assert "enhances" not in panel.ui.hintLabel.text and panel.ui.sliceLabel.text == ""
    assert leftovers() == []


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

    dragCircle(panel, centre, 8)
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

    dragCircle(panel, centre, 8)
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
    dragCircle(panel, centre, 5)
    assert panel.snr.result.sd != before
    panel.ui.backgroundButton.click()
    assert roi_nodes.curvesOf(roi_nodes.BACKGROUND) == []
    assert panel.ui.snrLabel.text == ""
