"""Biomarkers: the derived ones, their errors, and what is said where one is missing."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2map.biomarkers import from_values
from her2map.errors import InputError

times = st.floats(10, 4000)


@given(times, times)
def test_differences_follow_their_definition(t1_pre: float, t1_post: float) -> None:
    reading = from_values(T1_pre=t1_pre, T1_post=t1_post)
    assert reading.delta_T1.value == t1_pre - t1_post
    assert reading.delta_T1_ratio.value == pytest.approx((t1_pre - t1_post) / t1_pre, abs=1e-12)


def test_errors_agree_with_a_simulation() -> None:
    rng = np.random.default_rng(1)
    pre, post = 1850 + 60 * rng.standard_normal(200_000), 520 + 12 * rng.standard_normal(200_000)
    reading = from_values(T1_pre=1850, T1_post=520, standard_errors={"T1_pre": 60, "T1_post": 12})
    assert reading.delta_T1.standard_error == pytest.approx(np.std(pre - post), rel=0.01)
    assert reading.delta_T1_ratio.standard_error == pytest.approx(np.std((pre - post) / pre), rel=0.01)


def test_missing_input_gives_no_number_but_the_reason() -> None:
    reading = from_values(T1_pre=1850, T2=80, reasons={"T1_post": "the ROI leaves the map"})
    assert not reading.delta_T1.known
    assert reading.delta_T1.reason == "T1_post: the ROI leaves the map"
    assert math.isnan(reading.delta_T1_ratio.value)
    assert reading.T2star.reason == "not measured"
    assert reading.T2.known
    assert reading.T2.reason == ""


def test_unknown_error_stays_unknown() -> None:
    reading = from_values(T1_pre=1850, T1_post=520, standard_errors={"T1_pre": 60})
    assert math.isnan(reading.delta_T1.standard_error)


def test_all_six_by_name() -> None:
    names = [name for name, _ in from_values(T2star=27)]
    assert names == ["T1_pre", "T1_post", "delta_T1", "delta_T1_ratio", "T2", "T2star"]


@pytest.mark.parametrize("value", [0.0, -3.0, math.inf])
def test_impossible_times_are_refused(value: float) -> None:
    with pytest.raises(InputError, match="T2star"):
        from_values(T2star=value)


def test_wrong_error_or_name_is_refused() -> None:
    with pytest.raises(InputError, match="standard error of T2 "):
        from_values(T2=80, standard_errors={"T2": -1})
    with pytest.raises(InputError, match="delta_T1 is no measured"):
        from_values(reasons={"delta_T1": "?"})
