"""The subtraction image and the time course of a ROI, against the ROI rule applied phase by phase."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2map.enhancement import subtraction, time_course
from her2map.errors import InputError
from her2map.roi import Roi, measure_values
from her2map.series import DceSeries
from her2map.series.dce import FROM_HEADER, FROM_USER

CENTRE = np.array([5.0, 4.0, 8.0])


def dce(data: np.ndarray, injection_s: float = 1000.0) -> DceSeries:
    """One phase before the injection at 1000 s, then 60 s each from 1010 s on; voxels of 1 x 1 x 2 mm."""
    return DceSeries(
        data=np.asarray(data, np.float32),
        affine=np.diag([1.0, 1.0, 2.0, 1.0]),
        slice_thickness_mm=2.0,
        time_s=np.array([900.0, *(1010.0 + 60 * np.arange(len(data) - 1))]),
        time_source="AcquisitionTime",
        phase_duration_s=60.0,
        centre_fraction=0.5,
        centre_source="made for this test",
        injection_time_s=injection_s,
        injection_source=FROM_HEADER,
        names="dyn",
    )


def circle(radius_mm: float = 2.7) -> Roi:
    return Roi.circle(CENTRE, [0, 0, 1], radius_mm, 2.0)


@given(seed=st.integers(0, 1000), radius=st.floats(0.6, 3.5))
def test_signal_is_that_of_the_roi_rule_in_every_phase(seed: int, radius: float) -> None:
    rng = np.random.default_rng(seed)
    data = rng.uniform(50, 400, (4, 8, 10, 11))
    data[rng.random(data.shape) < 0.1] = np.nan
    series = dce(data)
    course = time_course(series, circle(radius))
    expected = [measure_values(image, series.geometry, circle(radius)).value for image in series.data]
    assert course.reason == ""
    np.testing.assert_allclose(course.signal, expected, rtol=1e-6)


def test_enhancement_and_times_by_hand() -> None:
    data = np.ones((3, 8, 10, 11)) * np.array([200.0, 500.0, 440.0])[:, None, None, None]
    course = time_course(dce(data), circle())
    np.testing.assert_allclose(course.signal, [200, 500, 440])
    np.testing.assert_allclose(course.enhancement_percent, [0, 150, 120])
    np.testing.assert_allclose(course.after_injection_s, [-70, 40, 100])
    assert (course.injection_source, course.reason) == (FROM_HEADER, "")
    earlier = time_course(dce(data), circle(), injection_time_s=990.0)
    np.testing.assert_allclose(earlier.after_injection_s, [-60, 50, 110])
    assert earlier.injection_source == FROM_USER


def test_a_roi_outside_has_a_reason_instead_of_a_signal() -> None:
    course = time_course(dce(np.ones((3, 8, 10, 11))), circle(9.0))
    assert "field of view" in course.reason
    assert np.isnan(course.signal).all()
    assert np.isnan(course.enhancement_percent).all()


def test_no_signal_before_the_contrast_gives_no_percentage() -> None:
    data = np.ones((3, 8, 10, 11)) * np.array([0.0, 500.0, 440.0])[:, None, None, None]
    course = time_course(dce(data), circle())
    np.testing.assert_allclose(course.signal, [0, 500, 440])
    assert np.isnan(course.enhancement_percent).all()


def test_a_phase_without_values_has_none() -> None:
    data = np.full((3, 8, 10, 11), 100.0)
    data[1] = np.nan
    course = time_course(dce(data), circle())
    np.testing.assert_allclose(course.signal, [100, np.nan, 100])


def test_an_unknown_injection_is_said() -> None:
    with pytest.raises(InputError, match="injection"):
        time_course(dce(np.ones((3, 8, 10, 11)), injection_s=np.nan), circle())


def test_subtraction() -> None:
    data = np.random.default_rng(1).uniform(0, 100, (3, 8, 10, 11)).astype(np.float32)
    np.testing.assert_array_equal(subtraction(dce(data), 2), data[2] - data[0])
    for phase in (-1, 0, 3):
        with pytest.raises(InputError, match="from 2 to 3"):
            subtraction(dce(data), phase)
