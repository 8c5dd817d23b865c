"""Registration that is switched on and off, also in a scene that was opened; the placement check."""

import json

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")
pytest_plugins = ["slicer_host.pytest_fixtures"]


@pytest.fixture
def panel(loadedModule, shownExam):
    return next(p for p in loadedModule.panels if type(p).__name__ == "PropagationPanel")


@pytest.fixture
def drawn(shownExam, phantomFolder):
    """The logic with a circle about the phantom's tumour."""
    truth = json.loads((phantomFolder / "truth.json").read_text(encoding="utf-8"))
    centre = np.array(truth["tumour_centre_lps_mm"]) * [-1, -1, 1]
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    shownExam.setContour(centre + 8 * np.column_stack([np.cos(angle), np.sin(angle), 0 * angle]))
    return shownExam


def _motion(used=True):
    """3 mm along R and 2 degrees about S."""
    from scipy.spatial.transform import Rotation

    from her2map.registration import Motion

    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("z", 2, degrees=True).as_matrix()
    matrix[:3, 3] = [3.0, 0.0, 0.0]
    return Motion(
        matrix if used else np.eye(4), np.zeros(3), 0.1, 0.2, used, "found" if used else "not better"
    )


def _values(logic):
    return {name: value.value for name, value in logic.values.values.items()}


def test_maps_are_measured_at_their_placements(panel, drawn, fittedExam):
    from her2map.exam import measure_maps

    maps = {name: (m.map, m.geometry) for name, m in fittedExam[1].items()}
    motions = {"T2": _motion(), "T2star": _motion(used=False)}
    before = _values(drawn)
    drawn.propagation.takeMotions(motions)
    placed = measure_maps(maps, drawn.roi(), {name: m.matrix for name, m in motions.items()}).values
    for name, value in placed.items():
        assert _values(drawn)[name] == pytest.approx(value.value, rel=1e-6), name
    assert _values(drawn)["T2"] != pytest.approx(before["T2"], rel=1e-4)
    assert panel.ui.useBox.checked
    panel.ui.useBox.checked = False
    assert _values(drawn) == pytest.approx(before)
    panel.ui.useBox.checked = True
    assert _values(drawn)["T2"] == pytest.approx(placed["T2"].value, rel=1e-6)


def test_maps_of_delta_t1_lie_where_both_t1_maps_do(panel, drawn, fittedExam):
    from HER2MapModuleLib import map_nodes, scene

    def placement(name):
        return scene.worldToVolume(map_nodes.mapNode(name))

    drawn.propagation.takeMotions({"T1_pre": _motion(), "T1_post": _motion()})
    for name in ("delta_T1", "delta_T1_ratio"):
        np.testing.assert_allclose(placement(name), _motion().matrix, atol=1e-9)
    drawn.takeMaps({"T2": fittedExam[1]["T2"]})  # takes the maps of delta T1 anew
    for name in ("T1_pre", "T1_post", "delta_T1"):
        np.testing.assert_allclose(placement(name), _motion().matrix, atol=1e-9)
    drawn.propagation.takeMotions({"T1_post": _motion(used=False)})
    assert map_nodes.mapNode("delta_T1") is None and map_nodes.mapNode("delta_T1_ratio") is None
    np.testing.assert_allclose(placement("T1_pre"), _motion().matrix, atol=1e-9)
    panel.ui.useBox.checked = False
    np.testing.assert_array_equal(placement("delta_T1"), np.eye(4))


def test_the_users_own_transform_is_not_touched(drawn):
    import slicer

    from HER2MapModuleLib import map_nodes

    mine = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "mine")
    map_nodes.mapNode("T2").SetAndObserveTransformNodeID(mine.GetID())
    drawn.propagation.takeMotions({"T2": _motion()})
    assert map_nodes.mapNode("T2").GetParentTransformNode() is not mine
    map_nodes.mapNode("T2").SetAndObserveTransformNodeID(mine.GetID())
    map_nodes.removeMap("T2")
    assert slicer.mrmlScene.IsNodePresent(mine)
    np.testing.assert_array_equal(slicer.util.arrayFromTransformMatrix(mine), np.eye(4))


def test_the_table_says_what_was_found(panel, drawn):
    drawn.propagation.takeMotions({"T2": _motion(), "T2star": _motion(used=False)})
    table = panel.ui.motionTable
    rows = [[table.item(row, column).text() for column in range(4)] for row in range(table.rowCount)]
    assert rows == [["T2", "3.0 mm", "2.0°", "yes: found"], ["T2star", "0.0 mm", "0.0°", "no: not better"]]


def test_switching_works_in_a_scene_that_was_opened(panel, drawn, tmp_path):
    import slicer

    plain = _values(drawn)
    drawn.propagation.takeMotions({"T2": _motion()})
    moved = _values(drawn)
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(0)
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    assert _values(drawn) == pytest.approx(moved)
    assert panel.ui.useBox.checked
    panel.ui.useBox.checked = False
    assert _values(drawn) == pytest.approx(plain)
    panel.ui.useBox.checked = True
    assert _values(drawn) == pytest.approx(moved)


def test_registration_of_the_phantom(panel, drawn, fittedExam):
    from her2map.exam import register_maps

    exam, maps = fittedExam
    expected = register_maps(maps, exam.dce, 2)
    panel.ui.registerButton.click()
    found = drawn.propagation.motions()
    assert found.keys() == expected.keys()
    for name, motion in expected.items():
        np.testing.assert_allclose(found[name]["matrix"], motion.matrix, atol=1e-4)
        assert found[name]["reason"] == motion.reason


def test_placement_check_is_the_librarys(panel, drawn, fittedExam):
    from her2map.placement import check_placement

    panel.ui.checkButton.click()
    exam, maps = fittedExam
    placed = {name: (m.map, m.geometry, np.eye(4)) for name, m in maps.items()}
    expected = check_placement(placed, drawn.roi(), in_plane=exam.dce.affine[:3, :2].T)
    for mine, theirs in zip(panel.check.largest, expected.largest, strict=True):
        assert (mine.biomarker, mine.shift_mm) == (theirs.biomarker, theirs.shift_mm)
        assert mine.change == pytest.approx(theirs.change, rel=1e-6)
    table = panel.ui.checkTable
    assert table.rowCount == 6
    assert [table.horizontalHeaderItem(i).text() for i in (3, 4)] == ["by 1 mm", "by 2 mm"]
    drawn.setContour(drawn.roi().outline + [0.5, 0.0, 0.0])
    assert panel.check is None


def test_what_is_missing_is_told(panel, shownExam):
    from her2map.errors import InputError

    with pytest.raises(InputError, match="draw the ROI"):
        shownExam.propagation.checking()
    shownExam.fitted = {}
    with pytest.raises(InputError, match="fit its maps again"):
        shownExam.propagation.registering()
