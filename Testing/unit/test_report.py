"""The curves and pictures of the report."""

from dataclasses import replace

import numpy as np
import pytest
from test_fitting import NO_MAPS, SHAPE, TE_T2, group, noisy, series, vfa

from her2map.fitting import RECOMMENDED, FittedMap, fit_group
from her2map.geometry import Geometry
from her2map.report.curves import roi_curve
from her2map.report.figures import Picture, overview, whole_and_enlarged
from her2map.report.style import STYLES
from her2map.roi import Roi
from her2map.series import Technique

ROI = Roi.circle((40, 40, 12), (0, 0, 1), 8, 4)
TI = np.array([100.0, 180, 1000, 1080, 1900, 1980, 2800, 3700])


def recovery() -> FittedMap:
    signal = 500 * np.abs(1 - 1.9 * np.exp(-TI / 1000))
    data = noisy(np.broadcast_to(signal[:, None, None, None], (8, *SHAPE)), 2.0)
    return fit_group(group(Technique.LOOK_LOCKER, series(data, ti_ms=TI)), RECOMMENDED, NO_MAPS)


def decay() -> FittedMap:
    signal = 500 * np.exp(-TE_T2 / 80)
    data = noisy(np.broadcast_to(signal[:, None, None, None], (8, *SHAPE)), 2.0)
    multi_echo = group(Technique.MULTI_ECHO_SPIN_ECHO, series(data, te_ms=TE_T2))
    return fit_group(multi_echo, RECOMMENDED, NO_MAPS)


def flip_angles() -> FittedMap:
    return fit_group(group(Technique.VFA, vfa(np.ones(SHAPE))), RECOMMENDED, NO_MAPS)


@pytest.mark.parametrize("fitted", [recovery(), decay(), flip_angles()], ids=["molli", "t2", "vfa"])
def test_the_curve_runs_through_the_roi_means(fitted: FittedMap) -> None:
    curve = roi_curve(fitted, ROI)
    assert curve is not None
    at_points = np.interp(curve.x, curve.model_x, curve.model)
    assert at_points == pytest.approx(curve.mean, rel=0.03, abs=5)
    assert curve.model_x[0] == 0
    assert curve.model_x[-1] > curve.x.max()


def test_a_scanners_map_has_no_curve() -> None:
    stored = series(np.full((1, *SHAPE), 900.0), scanner_map="T1", unit="ms")
    assert roi_curve(fit_group(group(Technique.SCANNER_MAP, stored), RECOMMENDED, NO_MAPS), ROI) is None


@pytest.mark.parametrize("axes", [np.diag([2, 2, 4]), np.diag([-2, -2, 4]), np.diag([2, 2, -4])])
def test_sides_of_the_patient_are_named(axes: np.ndarray) -> None:
    """R is where RAS x grows; the scanner's usual axial picture has it on the left."""
    affine = np.eye(4)
    affine[:3, :3] = axes
    affine[:3, 3] = [40, 40, 12] - axes @ [20, 20, 3]
    picture = Picture.of_map(np.full(SHAPE, 80.0), Geometry(SHAPE, affine), STYLES["T2"])
    whole = whole_and_enlarged(picture, ROI).axes[0]
    sides = {text.get_text(): text.get_position() for text in whole.texts}
    assert (sides["R"][0] > sides["L"][0]) == (axes[0, 0] > 0)
    assert (sides["A"][1] < sides["P"][1]) == (axes[1, 1] > 0)


def test_the_contour_lies_on_its_place_in_the_picture() -> None:
    """A tilted ROI on a shifted grid: the drawn outline has the ROI's centre and width."""
    grid = Geometry(SHAPE, np.diag([2.0, 2.0, 4.0, 1.0]))
    tilted = Roi.circle((40, 44, 12), (0.1, 0, 1), 8, 4)
    figure = whole_and_enlarged(Picture.of_signal("", np.ones(SHAPE), grid, tilted), tilted)
    line = figure.axes[0].lines[0].get_xydata()
    assert (line.min(axis=0) + line.max(axis=0)) / 2 == pytest.approx([20, 22], abs=0.05)
    assert np.ptp(line[:, 1]) == pytest.approx(8, abs=0.05)


def test_overview_shows_every_picture() -> None:
    grid = Geometry(SHAPE, np.diag([2.0, 2.0, 4.0, 1.0]))
    pictures = [Picture.of_map(np.full(SHAPE, 80.0), grid, style) for style in STYLES.values()]
    shown = overview([replace(p, title=str(i)) for i, p in enumerate(pictures)], ROI)
    assert {axes.get_title() for axes in shown.axes} >= {str(i) for i in range(len(pictures))}
