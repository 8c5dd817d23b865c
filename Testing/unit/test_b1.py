"""Relative B1 maps from scanners and from Bloch-Siegert phases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from her2map.errors import InputError
from her2map.relaxometry import (
    Status,
    b1_from_bloch_siegert,
    b1_map,
    recognise_b1_unit,
    relative_b1,
    usable_b1,
)

FIELD = np.array([[0.0, 0.82, 0.95], [1.0, 1.08, 1.21]])
BODY = FIELD > 0


@pytest.mark.parametrize(
    ("factor", "unit", "nominal_flip_deg"),
    [
        (1, "1", None),
        (1, "ratio", None),
        (100, "percent", None),
        (100, "%", 60.0),
        (800, "flip_angle_x10", 80.0),
    ],
)
def test_units_given_and_recognised(factor: float, unit: str, nominal_flip_deg: float | None) -> None:
    for stated in (unit, None):
        relative = relative_b1(factor * FIELD, stated, nominal_flip_deg)
        np.testing.assert_allclose(relative[BODY], FIELD[BODY], rtol=1e-12)
        assert np.isnan(relative[0, 0])


def test_unit_names() -> None:
    assert [recognise_b1_unit(f * FIELD) for f in (1, 100, 900)] == ["1", "percent", "flip_angle_x10"]


@given(arrays(float, 30, elements=st.floats(0.5, 1.6)), st.sampled_from([(1, "1"), (100, "percent")]))
def test_a_wrong_unit_never_passes(field: np.ndarray, case: tuple[float, str]) -> None:
    factor, unit = case
    wrong = {"1": "percent", "percent": "1"}[unit]
    np.testing.assert_allclose(relative_b1(factor * field), field, rtol=1e-12)
    with pytest.raises(InputError, match="median"):
        relative_b1(factor * field, wrong)


def test_isolated_outliers_become_nan_and_body_median_decides() -> None:
    values = np.ones((20, 20))
    values[:12] = 0  # air
    values[15, 15], values[16, 16], values[17, 17] = 7.0, 0.1, np.nan
    relative = relative_b1(values)
    bad = np.zeros_like(values, bool)
    bad[:12] = bad[15, 15] = bad[16, 16] = bad[17, 17] = True
    np.testing.assert_array_equal(np.isnan(relative), bad)
    status = b1_map(values).status
    assert status[15, 15] == status[16, 16] == Status.OUT_OF_RANGE
    assert status[0, 0] == status[17, 17] == Status.NOT_ASKED
    assert status[19, 19] == Status.FITTED


def test_masked_voxels_are_outside() -> None:
    values = np.ma.masked_equal(np.array([1.0, 0.9, -5.0]), -5.0)
    np.testing.assert_array_equal(usable_b1(values), [1.0, 0.9, np.nan])


def test_exam_map() -> None:
    exam = b1_map(100 * FIELD, "percent")
    assert (exam.quantity, exam.unit) == ("B1", "1")
    assert exam.value.shape == exam.standard_error.shape == exam.status.shape == FIELD.shape
    assert exam.status.dtype == np.uint8
    np.testing.assert_array_equal(exam.fitted, BODY)


@pytest.mark.parametrize(
    ("values", "unit", "words"),
    [
        (FIELD, "gauss", "'gauss' is not known"),
        (800 * FIELD, "flip_angle_x10", "nominal flip angle"),
        (800 * FIELD, None, "nominal flip angle"),
        (5 * FIELD, None, "median 5 fits no known unit"),
        (1e5 * FIELD, None, "fits no known unit"),
        (0 * FIELD, None, "no value other than zero"),
        (100 * FIELD, "1", "median is 100"),
    ],
)
def test_bad_maps_are_refused(values: np.ndarray, unit: str | None, words: str) -> None:
    with pytest.raises(InputError, match=words):
        relative_b1(values, unit)


def bloch_siegert_phases(
    b1: np.ndarray, k_bs: float, nominal: float, static: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """Wrapped phases of the pair; `static` is the phase common to both (coil, off-resonance)."""
    shift = k_bs * (b1 * nominal) ** 2
    return np.angle(np.exp(1j * (static + shift))), np.angle(np.exp(1j * (static - shift)))


@given(
    arrays(float, 9, elements=st.floats(0.35, 1.7)),
    arrays(float, 9, elements=st.floats(-20, 20)),
    st.floats(0.5, 1.5),
)
def test_bloch_siegert_recovers_b1_under_any_static_phase(
    b1: np.ndarray, static: np.ndarray, nominal_shift: float
) -> None:
    """Sacolick's pulse has K_BS = 74.01 rad/G^2; the peak is chosen to give `nominal_shift`."""
    k_bs = 74.01e-4
    peak = np.sqrt(nominal_shift / k_bs)
    reachable = b1**2 * nominal_shift < nominal_shift + np.pi / 2 - 0.01
    plus, minus = bloch_siegert_phases(np.where(reachable, b1, 1.0), k_bs, peak, static)
    found = b1_from_bloch_siegert(plus, minus, k_bs, peak)
    np.testing.assert_allclose(found.value, np.where(reachable, b1, 1.0), rtol=1e-9)
    assert (found.quantity, found.unit) == ("B1", "1")


def test_bloch_siegert_from_the_bloch_equation() -> None:
    """K_BS taken from theory (gamma B1)^2 / (2 d_omega) per second against an exact rotation."""
    gamma, offset, duration = 267.522, 2 * np.pi * 4000, 8e-3  # rad/s/uT, rad/s, s; hard pulse
    b1 = np.array([3.0, 4.0, 5.0])
    # In the frame of the off-resonant pulse, precession goes round the effective field.
    effective = np.sqrt(offset**2 + (gamma * b1) ** 2)
    shift = (effective - offset) * duration
    k_bs = gamma**2 * duration / (2 * offset)
    found = b1_from_bloch_siegert(shift, -shift, k_bs, 4.0)
    np.testing.assert_allclose(found.value, b1 / 4, rtol=0.01)


def test_bloch_siegert_marks_what_it_cannot_tell() -> None:
    b1 = np.array([1.0, 1.0, 1.0, 0.1, np.nan])
    plus, minus = bloch_siegert_phases(b1, 0.01, 10.0, 0.3)
    found = b1_from_bloch_siegert(plus, minus, 0.01, 10.0)
    expected = [Status.FITTED] * 3 + [Status.OUT_OF_RANGE, Status.NOT_ASKED]
    np.testing.assert_array_equal(found.status, expected)
    np.testing.assert_array_equal(np.isnan(found.value), [False, False, False, True, True])


def test_bad_phases_are_refused() -> None:
    plus, minus = bloch_siegert_phases(np.ones(4), 0.005, 10.0, 0.0)
    with pytest.raises(InputError, match="exchange"):
        b1_from_bloch_siegert(minus, plus, 0.005, 10.0)
    with pytest.raises(InputError, match="shape"):
        b1_from_bloch_siegert(plus, minus[:2], 0.005, 10.0)
    with pytest.raises(InputError, match="radians"):
        b1_from_bloch_siegert(4096 * plus, 4096 * minus, 0.005, 10.0)
    with pytest.raises(InputError, match="positive"):
        b1_from_bloch_siegert(plus, minus, 0.005, 0.0)
