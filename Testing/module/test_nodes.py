"""What the module leaves in the scene: nothing piles up, and undo finds the ROI whatever it is called."""

from collections import Counter

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")
pytest_plugins = ["slicer_host.pytest_fixtures"]


def counts():
    import slicer

    nodes = (slicer.mrmlScene.GetNthNode(i) for i in range(slicer.mrmlScene.GetNumberOfNodes()))
    return Counter(node.GetClassName() for node in nodes)


def test_exams_one_after_the_other_leave_no_nodes_behind(loadedModule, fittedExam, outline):
    from slicer_host import testing

    exam, maps = fittedExam
    logic = loadedModule.logic
    after = []
    for _ in range(4):
        logic.takeExam(exam, "folder")
        logic.takeMaps(maps)
        logic.setContour(outline)
        testing.process_events()
        after.append(counts())
    assert after[1] == after[3]


def test_undo_finds_a_contour_that_was_renamed(shownExam, outline):
    from HER2MapModuleLib import roi_nodes

    shownExam.setContour(outline)
    first = shownExam.roi().area_mm2
    shownExam.setContour(outline[::3])
    shownExam.parameters.roi.SetName("tumour A")
    shownExam.undo()
    assert shownExam.roi().area_mm2 == pytest.approx(first)
    assert len(roi_nodes.curvesOf(roi_nodes.CONTOUR)) == 1
    assert shownExam.values is not None


def test_undo_brings_back_a_contour_that_was_removed(shownExam, outline):
    import slicer

    shownExam.setContour(outline)
    first = shownExam.roi().area_mm2
    shownExam.setContour(outline[::3])
    second = shownExam.roi().area_mm2
    slicer.mrmlScene.RemoveNode(shownExam.parameters.roi)
    assert shownExam.roi() is None
    shownExam.undo()
    assert shownExam.roi().area_mm2 == pytest.approx(second)
    shownExam.undo()
    assert shownExam.roi().area_mm2 == pytest.approx(first)


def test_holes_of_one_name_are_all_kept(shownExam, outline):
    from HER2MapModuleLib import roi_nodes

    centre = outline.mean(axis=0)
    shownExam.setContour(outline)
    for shift in (-3.0, 3.0):
        shownExam.addHole(roi_nodes.circlePoints(centre + [shift, 0, 0], (0, 0, 1), 1.0))
    for hole in roi_nodes.curvesOf(roi_nodes.HOLE):
        hole.SetName("necrosis")
    shownExam.addHole(roi_nodes.circlePoints(centre + [0, 3.0, 0], (0, 0, 1), 1.0))
    with_three = shownExam.roi().area_mm2
    shownExam.addHole(roi_nodes.circlePoints(centre - [0, 3.0, 0], (0, 0, 1), 1.0))
    shownExam.undo()
    assert len(shownExam.roi().holes) == 3
    assert shownExam.roi().area_mm2 == pytest.approx(with_three)


def test_a_map_fitted_again_lies_where_it_was_measured(shownExam, fittedExam):
    """Where registration put the former map says nothing of the new one."""
    from HER2MapModuleLib import map_nodes, scene

    volume = map_nodes.mapNode("T2")
    volume.SetAttribute(map_nodes.MOTION, "{}")
    moved = np.eye(4)
    moved[0, 3] = 3.0
    scene.placeVolume(volume, moved, "T2 to DCE")
    shownExam.takeMaps({"T2": fittedExam[1]["T2"]})
    assert map_nodes.mapNode("T2").GetParentTransformNode() is None
    assert map_nodes.mapNode("T2").GetAttribute(map_nodes.MOTION) is None


def test_without_its_sequence_the_roi_says_what_is_missing(shownExam, outline):
    import slicer

    shownExam.setContour(outline)
    slicer.mrmlScene.RemoveNode(shownExam.parameters.dceBrowser.GetMasterSequenceNode())
    shownExam.measure()
    assert shownExam.values is None and "no DCE series" in shownExam.problem


def test_a_scene_opened_without_its_files(shownExam, outline, tmp_path):
    """Only the scene file was copied: what is missing is told, nothing raises."""
    import slicer

    from HER2MapModuleLib import dce_nodes
    from slicer_host import testing

    shownExam.setContour(outline)
    slicer.modules.HER2MapModuleWidget.panels[2].snr.place()
    browser = shownExam.parameters.dceBrowser
    sequence = browser.GetMasterSequenceNode()
    for volume in (dce_nodes.dceVolume(browser), *map(sequence.GetNthDataNode, range(8))):
        volume.SetAndObserveImageData(None)
    shownExam.exam = None
    shownExam.showScene()
    testing.process_events()
    assert dce_nodes.readDce(browser) is None and dce_nodes.dceVolume(browser) is None
    panel = slicer.modules.HER2MapModuleWidget.panels[2]
    assert panel.ui.roiLabel.text.startswith("DCE diameter") and panel.snr.result is None
    assert shownExam.phases.series() is None
    assert testing.errors() == []


def test_a_hole_needs_a_contour(shownExam, outline):
    import slicer

    panel = slicer.modules.HER2MapModuleWidget.panels[2]
    panel.showTools()
    assert not panel.ui.holeButton.enabled
    shownExam.setContour(outline)
    assert panel.ui.holeButton.enabled
    panel.ui.holeButton.checked = True
    panel.onDelete()
    assert not panel.ui.holeButton.enabled and panel.ui.contourButton.checked
