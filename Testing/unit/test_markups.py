"""ROI files: Slicer's own curves and planes, plain polygons, and files that are neither."""

import json
from pathlib import Path

import numpy as np
import pytest

from her2map.errors import InputError
from her2map.markups import closed_curve, read_roi, write_roi
from her2map.roi import Roi

REFERENCE = Path(__file__).parent / "reference"
SLICER = json.loads((REFERENCE / "slicer_closed_curve.json").read_text(encoding="utf-8"))

POLYGON = {
    "coordinate_system": "RAS",
    "points": [[-60, 20, 5], [-50, 20, 5], [-50, 32, 5], [-60, 32, 5]],
    "thickness_mm": 2.5,
    "holes": [[[-57, 23, 5], [-54, 23, 5], [-54, 26, 5]]],
}


def write(folder: Path, content: object) -> Path:
    file = folder / "roi.mrk.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def markup(points, **fields) -> dict:
    return {
        "type": "ClosedCurve",
        "coordinateSystem": "RAS",
        "controlPoints": [{"position": list(point)} for point in points],
        **fields,
    }


@pytest.mark.parametrize("name", SLICER["curves"])
def test_a_closed_curve_is_the_one_that_slicer_draws(name: str) -> None:
    curve = SLICER["curves"][name]
    drawn = closed_curve(curve["control_points_ras"])
    np.testing.assert_allclose(drawn, curve["vtk_cardinal_spline_ras"], rtol=0, atol=1e-6)
    np.testing.assert_allclose(drawn, curve["vtk_cardinal_spline_ras"], rtol=0, atol=1e-11)
    # Slicer rounds the points before and after to single precision.
    shown = np.array(curve["slicer_curve_points_ras"])
    rounding = np.spacing(np.abs(shown).max(axis=0).astype(np.float32))
    assert (np.abs(drawn - shown) <= 1.5 * rounding).all()


def test_a_curve_saved_by_slicer_in_lps() -> None:
    roi = read_roi(REFERENCE / "slicer_closed_curve.mrk.json", thickness_mm=2.0)
    expected = np.array(SLICER["curves"]["pentagon"]["vtk_cardinal_spline_ras"])
    np.testing.assert_allclose(roi.outline, expected, atol=1e-9)
    assert roi.thickness_mm == 2.0


def test_a_plane_saved_by_slicer_is_a_rectangle() -> None:
    roi = read_roi(REFERENCE / "slicer_plane.mrk.json", thickness_mm=2.0)
    corners = np.array(SLICER["plane_corners_ras"])
    assert roi.area_mm2 == pytest.approx(14.0 * 9.0)
    distance = np.linalg.norm(roi.outline[:, None] - corners, axis=2)
    assert distance.min(axis=0).max() < 1e-5
    np.testing.assert_allclose(abs(roi.normal @ [0.3, 0.6, 0.8]), np.sqrt(1.09), rtol=1e-9)


@pytest.mark.parametrize("system", ["RAS", "LPS"])
def test_a_plain_polygon_in_either_frame(tmp_path: Path, system: str) -> None:
    flip = np.array([1, 1, 1] if system == "RAS" else [-1, -1, 1])
    content = {
        **POLYGON,
        "coordinate_system": system,
        "points": (np.array(POLYGON["points"]) * flip).tolist(),
        "holes": [(np.array(POLYGON["holes"][0]) * flip).tolist()],
    }
    roi = read_roi(write(tmp_path, content), thickness_mm=9.0)
    assert roi.thickness_mm == 2.5
    assert roi.area_mm2 == pytest.approx(120 - 4.5)
    np.testing.assert_allclose(sorted(map(tuple, roi.outline)), sorted(POLYGON["points"]), atol=1e-9)


def test_holes_are_known_by_name_or_by_the_labels_that_slicer_writes(tmp_path: Path) -> None:
    ring = 10 * np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], axis=1)
    ring = np.c_[ring, np.full(8, 4.0)]
    named = markup(0.3 * ring + [3, 0, 2.8], name="Hole necrosis")
    labelled = markup(0.2 * ring - [5, 0, -3.2])
    labelled["controlPoints"][0]["label"] = "hole-1"
    unplaced = {"position": [99, 99, 99], "positionStatus": "preview"}
    outline = markup(ring, name="tumour")
    outline["controlPoints"].append(unplaced)
    point = {"type": "Fiducial", "controlPoints": []}
    roi = read_roi(write(tmp_path, {"markups": [point, named, outline, labelled]}), thickness_mm=3.0)
    whole = Roi(closed_curve(ring), 3.0).area_mm2
    assert len(roi.holes) == 2
    assert roi.area_mm2 == pytest.approx(whole * (1 - 0.3**2 - 0.2**2))


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    roi = Roi(
        Roi.rectangle([-60, 25, 5], [1, 0, 0], [0, 0.6, 0.8], 24, 17, 1.0).outline,
        3.2,
        (Roi.circle([-58, 25, 5], [0, -0.8, 0.6], 4.0, 1.0).outline,),
    )
    file = tmp_path / "roi.mrk.json"
    write_roi(file, roi)
    again = read_roi(file)
    assert again.thickness_mm == 3.2
    assert again.area_mm2 == pytest.approx(roi.area_mm2, rel=1e-12)
    np.testing.assert_allclose(again.centroid, roi.centroid, atol=1e-9)
    np.testing.assert_allclose(np.abs(again.normal @ roi.normal), 1)
    assert [path.name for path in tmp_path.iterdir()] == ["roi.mrk.json"]

    # Slicer does not know of straight edges: its spline through the written points stays close to them.
    content = json.loads(file.read_text(encoding="utf-8"))
    for curve in content["markups"]:
        assert curve["coordinateSystem"] == "LPS"
        del curve["her2map"]
    as_slicer_draws = read_roi(write(tmp_path, content), thickness_mm=3.2)
    assert as_slicer_draws.area_mm2 == pytest.approx(roi.area_mm2, rel=1e-3)
    local = np.abs((as_slicer_draws.outline - [-60, 25, 5]) @ np.array([[1, 0, 0], [0, 0.6, 0.8]]).T)
    assert (local - [12, 8.5]).max() < 0.1


def test_a_roi_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    roi = Roi.circle([0, 0, 0], [0, 0, 1], 5.0, 2.0)
    with pytest.raises(InputError, match=r"roi\.mrk\.json"):
        write_roi(tmp_path / "absent" / "roi.mrk.json", roi)


RING = [[0, 0, 0], [10, 0, 0], [10, 10, 0], [0, 10, 0]]
PLANE = {"type": "Plane", "center": [0, 0, 0], "orientation": [1, 0, 0, 0, 1, 0, 0, 0, 1], "size": [4, 3, 0]}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ([1, 2], "must hold a JSON object"),
        ({}, "neither the field 'markups' nor the field 'points'"),
        ({**POLYGON, "coordinate_system": "left"}, "'coordinate_system' must be"),
        ({"points": POLYGON["points"]}, "'coordinate_system' must be"),
        ({**POLYGON, "points": [[1, 2], [3, 4], [5, 6]]}, "'points' must give points"),
        ({**POLYGON, "points": "circle"}, "'points' must give points"),
        ({**POLYGON, "points": []}, "'points' must give points"),
        ({**POLYGON, "points": [[0, 0, 0], [1, 0, None], [1, 1, 0]]}, "'points' must give points"),
        ({**POLYGON, "points": POLYGON["points"][:2]}, "at least three different points"),
        ({**POLYGON, "holes": 7}, "'holes' must be a list"),
        ({**POLYGON, "holes": [[1, 2, 3]]}, r"'holes\[0\]' must give points"),
        ({**POLYGON, "thickness_mm": "2"}, "'thickness_mm' must be a number"),
        ({**POLYGON, "thickness_mm": -2}, "thickness must be a positive number"),
        ({"coordinate_system": "RAS", "points": RING}, "states no 'thickness_mm'"),
        ({"markups": {}}, "'markups' must be a list"),
        ({"markups": []}, "'markups' hold nothing"),
        ({"markups": [{"type": "Line"}, {"type": "Fiducial"}]}, "'markups' hold Fiducial, Line"),
        ({"markups": [markup(RING), markup(RING)]}, "hold 2 outlines"),
        ({"markups": [markup(RING, coordinateUnits="um")]}, "'coordinateUnits' must be mm"),
        ({"markups": [markup(RING, coordinateSystem="IJK")]}, "'coordinateSystem' must be"),
        ({"markups": [{"type": "ClosedCurve"}]}, "'controlPoints' is missing"),
        ({"markups": [markup([])]}, "'position' must give points"),
        (
            {"markups": [{"type": "ClosedCurve", "controlPoints": [{}, {}, {}]}]},
            "'position' must give points",
        ),
        ({"markups": [markup(RING[:2])]}, "at least three different points"),
        ({"markups": [{**PLANE, "size": [1]}]}, "'size' is missing or not 3 numbers"),
        ({"markups": [{"type": "Plane", "center": "x"}]}, "Plane markup's field"),
    ],
)
def test_a_file_that_is_no_roi_is_named_with_its_field(tmp_path: Path, content: object, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        read_roi(write(tmp_path, content), None if "no 'thickness_mm'" in says else 2.0)
    message = str(caught.value)
    assert message.startswith("ROI file roi.mrk.json")
    assert "\n" not in message


def test_a_file_that_is_absent_or_not_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"ROI file nothing\.json cannot be read"):
        read_roi(tmp_path / "nothing.json")
    with pytest.raises(InputError, match="cannot be read"):
        read_roi(tmp_path)
    for junk in (b"{", b"\xff\xfe\x00", b"[" * 100_000, b""):
        file = tmp_path / "junk.json"
        file.write_bytes(junk)
        with pytest.raises(InputError, match=r"ROI file junk\.json is not valid JSON"):
            read_roi(file)
