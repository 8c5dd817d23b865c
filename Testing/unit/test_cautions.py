"""Warnings about a ROI's values."""

import numpy as np
import pytest

from her2map.cautions import cautions, relative_voxel_error
from her2map.exam import measure_maps
from her2map.geometry import Geometry
from her2map.relaxometry import ParameterMap, Status, fit_inversion_recovery
from her2map.roi import Roi

GEOMETRY = Geometry((5, 24, 24), np.diag([-1.0, -1.0, 2.0, 1.0]))
ROI = Roi.circle((-12.0, -12.0, 4.0), (0, 0, 1), 6.0, 2.0)


def a_map(relative_error: float = 0.01, excluded: float = 0.0) -> ParameterMap:
    value = np.full(GEOMETRY.shape, 30.0)
    status = np.full(GEOMETRY.shape, Status.FITTED, np.uint8)
    status[np.random.default_rng(1).random(GEOMETRY.shape) < excluded] = Status.EXCLUDED_BY_SNR
    return ParameterMap(value, value * relative_error, value, status, value, "T2star", "ms", "test")


def said(parameter_map: ParameterMap, name: str = "T2star") -> tuple[str, ...]:
    return cautions(measure_maps({name: (parameter_map, GEOMETRY)}, ROI))


def test_nothing_is_said_where_all_is_well() -> None:
    assert said(a_map()) == ()
    assert said(a_map(excluded=0.003)) == ()


def test_the_snr_rule_and_large_errors_are_told() -> None:
    [line] = said(a_map(excluded=0.2))
    assert line.startswith("T2star: ") and "excluded by SNR" in line
    [line] = said(a_map(relative_error=0.2), "T1_pre")
    assert line.startswith("T1_pre: ") and "20 %" in line


def test_the_voxels_error_is_found_again_from_the_mean() -> None:
    value = measure_maps({"T2": (a_map(relative_error=0.07), GEOMETRY)}, ROI).values["T2"]
    assert relative_voxel_error(value) == pytest.approx(0.07, rel=1e-6)


def test_the_papers_inversion_times_are_warned_of_at_a_native_tumours_t1() -> None:
    """Cramer-Rao: 20 % at 1200 ms, SNR 50; at 600 ms they do."""
    ti = np.array([100.0, 200.0, 350.0, 500.0, 800.0])
    rng = np.random.default_rng(2)
    for t1, warned in ((1500.0, True), (500.0, False)):
        t1_star = t1 / 0.9
        signal = np.abs(1 - 1.9 * np.exp(-ti / t1_star))[:, None, None, None]
        noisy = signal + rng.normal(0, 1 / 50, (5, *GEOMETRY.shape))
        fitted = fit_inversion_recovery(np.abs(noisy), ti)
        assert bool(said(fitted, "T1_pre")) == warned
