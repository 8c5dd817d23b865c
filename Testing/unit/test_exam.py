"""An exam's maps measured at their own places, and the motion that puts them there."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from her2map.errors import Cancelled, InputError
from her2map.exam import Exam, fit_exam, measure_maps, read_exam, register_maps
from her2map.fitting import FittedMap
from her2map.markups import read_roi
from her2map.phantom import DICOM_FOLDER, ROI_FILE, ExamSettings, write_exam
from her2map.registration import Motion
from her2map.roi import Roi
from her2map.series import DceSeries

MEASURED = ("T1_pre", "T1_post", "T2", "T2star")


@dataclass(frozen=True, eq=False)
class Fitted:
    """The exam of a patient who lay still, with its maps and its ROI."""

    exam: Exam
    maps: dict[str, FittedMap]
    roi: Roi

    @property
    def dce(self) -> DceSeries:
        assert self.exam.dce is not None
        return self.exam.dce


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    folder = tmp_path_factory.mktemp("still") / "exam"
    settings = replace(ExamSettings.small(), motion_mm=0.0, motion_deg=0.0)
    truth = write_exam(folder, settings, 3)
    exam = read_exam(folder / DICOM_FOLDER)
    return Fitted(exam, fit_exam(exam), read_roi(folder / ROI_FILE, truth.roi_thickness_mm))


def rigid(translation: tuple[float, float, float], degrees: tuple[float, float, float], about: np.ndarray):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(degrees, degrees=True).as_matrix()
    matrix[:3, 3] = about + translation - matrix[:3, :3] @ about
    return matrix


def moved(fitted: FittedMap, matrix: np.ndarray) -> FittedMap:
    """The same map of a patient who had moved by `matrix`: the tissue at x lies at matrix @ x."""
    return replace(fitted, signals=replace(fitted.signals, affine=matrix @ fitted.signals.affine))


def places(maps: dict[str, FittedMap]) -> dict[str, tuple]:
    return {name: (fitted.map, fitted.geometry) for name, fitted in maps.items()}


def off_mm(motion: Motion, matrix: np.ndarray, roi: Roi) -> float:
    """How far the motion found puts the ROI's points from where they belong, at most."""
    points = np.column_stack([roi.outline, np.ones(len(roi.outline))])
    return float(np.linalg.norm((points @ (motion.matrix - matrix).T)[:, :3], axis=1).max())


def test_a_still_patient_has_no_motion(still: Fitted) -> None:
    motions = register_maps(still.maps, still.dce, 2)
    assert motions.keys() == set(MEASURED)
    for name, motion in motions.items():
        assert off_mm(motion, np.eye(4), still.roi) < 0.5, name


@pytest.mark.parametrize(
    ("names", "translation", "degrees", "within_mm"),
    [
        # The T2 and T2* stacks of a small exam have five slices, which tell motion in their plane only.
        (("T1_pre", "T1_post"), (3.0, -2.0, 1.5), (1.0, -1.5, 2.0), 0.25),
        (("T2", "T2star"), (3.0, -2.0, 0.0), (0.0, 0.0, 2.0), 0.8),
    ],
)
def test_known_motion_of_a_map_is_found(
    still: Fitted,
    names: tuple[str, ...],
    translation: tuple[float, float, float],
    degrees: tuple[float, float, float],
    within_mm: float,
) -> None:
    matrix = rigid(translation, degrees, still.roi.centroid)
    shifted = {name: moved(still.maps[name], matrix) for name in names}
    for name, motion in register_maps(shifted, still.dce, 2).items():
        assert motion.used, name
        assert off_mm(motion, matrix, still.roi) < within_mm, name


def test_a_map_is_measured_at_its_placement(still: Fitted) -> None:
    at_rest = measure_maps(places(still.maps), still.roi)
    matrix = rigid((6.0, 4.0, -2.0), (4.0, 0.0, 8.0), still.roi.centroid)
    shifted = places({**still.maps, "T2": moved(still.maps["T2"], matrix)})
    placed = measure_maps(shifted, still.roi, {"T2": matrix})
    assert placed.roi is still.roi
    assert placed.values["T2"].value == pytest.approx(at_rest.values["T2"].value, rel=1e-6)
    assert placed.values["T1_pre"] == at_rest.values["T1_pre"]
    unplaced = measure_maps(shifted, still.roi)
    assert abs(unplaced.values["T2"].value / at_rest.values["T2"].value - 1) > 0.01


def test_placements_are_checked(still: Fitted) -> None:
    with pytest.raises(InputError, match="T3"):
        measure_maps(places(still.maps), still.roi, {"T3": np.eye(4)})
    with pytest.raises(InputError, match="rigid"):
        measure_maps(places(still.maps), still.roi, {"T2": np.diag([2.0, 1, 1, 1])})
    with pytest.raises(InputError, match="no DCE phase 0"):
        register_maps(still.maps, still.dce, -1)


def test_progress_rises_and_cancels(still: Fitted) -> None:
    seen: list[float] = []
    register_maps({"B1": still.maps["B1"]}, still.dce, 0, seen.append)
    assert seen == [1.0]

    def cancel(fraction: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        register_maps(still.maps, still.dce, 0, cancel)


def test_an_exam_is_read_from_a_list_of_its_files(tmp_path: Path) -> None:
    write_exam(
        tmp_path / "exam", replace(ExamSettings.small(), matrix=24, slices=3, oversampling=(1, 1, 1)), 1
    )
    folder = tmp_path / "exam" / DICOM_FOLDER
    whole = read_exam(folder)
    listed = read_exam([file for file in folder.rglob("*") if file.is_file()])
    assert [(a.key, a.role) for a in listed.assignments] == [(a.key, a.role) for a in whole.assignments]


def test_series_that_are_not_used_are_named(still: Fitted) -> None:
    """VFA goes before MOLLI; a reader of the table would take both for used."""
    keys = {a.series.description: a.key for a in still.exam.assignments}
    [line] = [remark for remark in still.exam.remarks if "not used" in remark]
    assert line.startswith("T1_pre is taken from series " + keys["T1map_vfa_pre_fa2"])
    assert line.endswith("not used: " + keys["T1map_MOLLI_native"])
