"""The heterogeneity panel: a volume of kept contours, its histogram figures, and the score of every voxel."""

import csv

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")
pytest_plugins = ["slicer_host.pytest_fixtures"]


@pytest.fixture
def panel(loadedModule, shownExam):
    from drawing_steps import panelOf

    return panelOf(loadedModule, "HeterogeneityPanel")


@pytest.fixture
def part(panel):
    return panel.part


def _fromLibrary(logic, fittedExam, region):
    from her2map.exam import region_histograms

    return region_histograms({n: (m.map, m.geometry) for n, m in fittedExam[1].items()}, region)


@pytest.fixture
def keep(shownExam, panel, outline):
    """Keep the phantom's contour on slices some slices above its own."""
    from HER2MapModuleLib import dce_nodes

    thickness = dce_nodes.sliceThickness(shownExam.parameters.dceBrowser)

    def keepThem(*steps):
        for step in steps:
            shownExam.setContour(outline + [0, 0, step * thickness])
            panel.ui.keepButton.click()

    return keepThem


def test_figures_are_the_librarys(panel, part, shownExam, outline, fittedExam):
    assert not panel.ui.keepButton.enabled and panel.ui.figuresTable.rowCount == 0
    shownExam.setContour(outline)
    assert part.of == "roi"
    expected = _fromLibrary(shownExam, fittedExam, shownExam.roi())
    assert part.histograms.keys() == expected.keys()
    for name, one in expected.items():
        for ours, theirs in zip(
            part.histograms[name].histogram.figures("ms"), one.histogram.figures("ms"), strict=True
        ):
            assert ours.value == pytest.approx(theirs.value, rel=1e-5), (name, ours.name)
    table = panel.ui.figuresTable
    assert table.rowCount == 20 and table.columnCount == 2 + len(expected)
    assert table.item(0, 1).text() == "Q4LE"
    assert "fixed bin size" in panel.ui.figuresLabel.text


def test_contours_of_several_slices_make_a_volume(panel, part, shownExam, keep, fittedExam):
    from her2map.roi import Volume
    from HER2MapModuleLib import roi_nodes

    keep(0, 1)
    assert part.of == "volume" and panel.ui.regionBox.currentIndex == 1
    assert panel.ui.keptTable.rowCount == 2
    assert len(roi_nodes.curvesOf(roi_nodes.KEPT)) == 2
    expected = Volume(tuple(part.slices))
    assert part.volume.volume_mm3 == pytest.approx(2 * shownExam.roi().volume_mm3, rel=1e-6)
    assert f"{expected.volume_mm3 / 1000:.2f} cm³, 2 slices" in panel.ui.volumeLabel.text
    found = _fromLibrary(shownExam, fittedExam, expected)
    for name, one in found.items():
        assert part.histograms[name].histogram.entropy == pytest.approx(one.histogram.entropy, rel=1e-6)
    panel.ui.regionBox.setCurrentIndex(0)
    alone = _fromLibrary(shownExam, fittedExam, shownExam.roi())
    assert part.histograms["T2"].histogram.mean == pytest.approx(alone["T2"].histogram.mean, rel=1e-6)


def test_holes_are_kept_with_their_contour(panel, part, shownExam, outline):
    shownExam.setContour(outline)
    middle = outline.mean(axis=0)
    shownExam.addHole(middle + 0.3 * (outline - middle))
    panel.ui.keepButton.click()
    assert part.volume.volume_mm3 == pytest.approx(shownExam.roi().volume_mm3, rel=1e-6)
    panel.ui.keptTable.selectRow(0)
    assert panel.ui.removeButton.enabled
    panel.ui.removeButton.click()
    assert part.volume is None and panel.ui.keptTable.rowCount == 0
    from HER2MapModuleLib import roi_nodes

    assert roi_nodes.curvesOf(roi_nodes.KEPT_HOLE) == []


def test_two_contours_on_one_slice_are_refused(panel, part, keep, monkeypatch):
    import slicer

    shown = []
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, **_: shown.append(text))
    keep(0)
    panel.ui.keepButton.click()
    assert len(part.slices) == 1
    assert shown and "two contours on one slice" in shown[0]


def test_a_gap_between_slices_is_told(panel, keep):
    keep(-1, 1)
    assert "left out" in panel.ui.volumeLabel.text


def test_figures_are_saved_at_full_precision(panel, part, shownExam, outline, tmp_path):
    shownExam.setContour(outline)
    panel.save(str(tmp_path / "figures.csv"))
    rows = list(csv.DictReader((tmp_path / "figures.csv").open(encoding="utf-8")))
    mean = next(row for row in rows if row["biomarker"] == "T2" and row["ibsi_code"] == "Q4LE")
    assert float(mean["value"]) == part.histograms["T2"].histogram.mean
    panel.ui.copyButton.click()
    import slicer

    assert "Q4LE" in slicer.app.clipboard().text()


def test_score_map_over_the_dce(panel, part, shownExam, outline, loadedModule):
    import slicer
    from drawing_steps import DCE, settle

    from HER2MapModuleLib import map_nodes, score_map_nodes

    shownExam.setContour(outline)
    panel.ui.scoreButton.click()
    assert "ER status is missing" in panel.ui.scoreLabel.text
    assert score_map_nodes.nodeOf("probability") is None
    shownExam.scoring.er = "positive"
    panel.ui.scoreButton.click()
    settle()
    node = score_map_nodes.nodeOf("probability")
    shown = slicer.util.arrayFromVolume(node)
    np.testing.assert_allclose(shown, 100 * part.scored.probability, rtol=1e-5)
    assert part.scored.scored > 0
    assert not node.GetSaveWithScene()
    assert "Exploratory" in panel.ui.scoreLabel.text
    assert f"{part.scored.scored} of {part.scored.touched} voxels" in panel.ui.scoreLabel.text
    composite = slicer.app.layoutManager().sliceWidget(DCE).mrmlSliceCompositeNode()
    assert composite.GetForegroundVolumeID() == node.GetID()
    panel.ui.layerBox.setCurrentIndex(1)
    assert composite.GetForegroundVolumeID() == score_map_nodes.nodeOf("sd").GetID()
    panel.ui.layerBox.setCurrentIndex(0)
    assert map_nodes.mapNode("T2star") is not None


@pytest.mark.parametrize("change", ["roi", "map", "er", "place"])
def test_a_stale_score_map_is_taken_away(panel, part, shownExam, outline, fittedExam, change):
    import slicer

    from HER2MapModuleLib import map_nodes, score_map_nodes

    shownExam.setContour(outline)
    shownExam.scoring.er = "positive"
    panel.ui.scoreButton.click()
    assert score_map_nodes.nodeOf("probability") is not None
    shownExam.measure()  # nothing has changed
    assert part.scored is not None
    if change == "roi":
        shownExam.setContour(outline + [0.5, 0, 0])
    elif change == "map":
        shownExam.takeMaps({"T2star": fittedExam[1]["T2star"]})
    elif change == "er":
        shownExam.scoring.er = "negative"
    else:
        transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
        transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(_moved(1.0)))
        map_nodes.mapNode("T2").SetAndObserveTransformNodeID(transform.GetID())
    assert part.scored is None
    assert score_map_nodes.nodeOf("probability") is None
    assert "make the score map anew" in panel.ui.scoreLabel.text


def _moved(mm):
    matrix = np.eye(4)
    matrix[0, 3] = mm
    return matrix


def test_another_exam_takes_everything_away(panel, part, shownExam, keep, fittedExam):
    from HER2MapModuleLib import roi_nodes, score_map_nodes

    keep(0)
    shownExam.scoring.er = "positive"
    panel.ui.scoreButton.click()
    assert score_map_nodes.nodeOf("sd") is not None
    shownExam.takeExam(fittedExam[0])
    assert roi_nodes.curvesOf(roi_nodes.KEPT) == []
    assert score_map_nodes.nodeOf("sd") is None
    assert part.histograms == {} and part.of == "roi" and panel.ui.scoreLabel.text == ""


def test_a_saved_scene_brings_the_volume_back(panel, part, keep, shownExam, tmp_path):
    import slicer

    keep(0, 1)
    volume = part.volume.volume_mm3
    entropy = part.histograms["T1_pre"].histogram.entropy
    shownExam.scoring.er = "positive"
    panel.ui.scoreButton.click()
    slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(0)
    assert panel.ui.keptTable.rowCount == 0
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    slicer.app.processEvents()
    assert part.volume.volume_mm3 == pytest.approx(volume, rel=1e-6)
    assert part.of == "volume"
    assert part.histograms["T1_pre"].histogram.entropy == pytest.approx(entropy, rel=1e-6)
    assert part.scored is None and part.overlay is None


def test_nothing_of_it_in_a_session(loadedModule, panel, part, reading, contours, monkeypatch):
    import slicer

    shown = []
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, **_: shown.append(text))
    loadedModule.logic.setContour(next(iter(contours.values())))
    assert not loadedModule.sections[type(panel)].visible
    assert part.histograms == {}
    panel.onKeep()
    panel.onScore()
    assert part.slices == [] and part.scored is None
    assert len(shown) == 2
