"""The fit engine and the parameter map: shapes, masks, types, cancelling, bad input."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from her2map.errors import Cancelled, InputError
from her2map.relaxometry import ParameterMap, Status
from her2map.relaxometry.engine import Estimate, fit_voxels


def mean_kernel(signal, *maps):
    """The mean of the measurements plus the maps, and its spread: checkable with NumPy alone."""
    mean = signal.mean(axis=0) + sum(maps)
    error = signal.std(axis=0) / np.sqrt(len(signal))
    status = np.full(mean.shape, Status.FITTED, np.uint8)
    return Estimate(mean, error, np.ones_like(mean), status, signal[0])


def fit(signal, *maps, **options) -> ParameterMap:
    return fit_voxels(mean_kernel, signal, *maps, quantity="T1", method="mean", **options)


@settings(max_examples=40)
@given(
    shape=hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
    chunk=st.integers(1, 40),
)
def test_any_trailing_shape_and_chunk_gives_the_same_map(shape, chunk):
    signal = np.random.default_rng(0).random((3, *shape))
    found = fit(signal, chunk_voxels=chunk)
    np.testing.assert_allclose(found.value, signal.mean(axis=0))
    np.testing.assert_allclose(found.standard_error, signal.std(axis=0) / np.sqrt(3))
    np.testing.assert_array_equal(found.m0, signal[0])
    assert {x.shape for x in (found.value, found.r_squared, found.status, found.fitted)} == {shape}
    assert found.fitted.all()


@pytest.mark.parametrize(
    "given_type, found_type",
    [
        (np.float64, np.float64),
        (np.float32, np.float32),
        (np.float16, np.float32),
        (np.int16, np.float32),
        (np.uint16, np.float32),
        (bool, np.float32),
        (">i2", np.float32),
    ],
)
def test_only_a_float64_signal_gives_a_float64_map(given_type, found_type):
    found = fit(np.ones((2, 3), given_type), np.ones(3))
    for array in (found.value, found.standard_error, found.r_squared, found.m0):
        assert array.dtype == found_type
    assert found.status.dtype == np.uint8


@pytest.mark.filterwarnings("error")
@given(st.data())
def test_a_voxel_with_any_masked_or_non_finite_measurement_is_not_asked(data):
    shape = (3, 2, 4)
    masked = data.draw(hnp.arrays(bool, shape))
    samples = st.sampled_from([1.0, 2.0, np.nan, np.inf, -np.inf])
    spoilt = data.draw(hnp.arrays(float, shape, elements=samples))
    found = fit(np.ma.array(spoilt, mask=masked), chunk_voxels=3)
    usable = (np.isfinite(spoilt) & ~masked).all(axis=0)
    np.testing.assert_array_equal(found.status, np.where(usable, Status.FITTED, Status.NOT_ASKED))
    np.testing.assert_array_equal(np.isfinite(found.value), usable)
    np.testing.assert_allclose(found.value[usable], spoilt[:, usable].mean(axis=0))


def test_non_finite_and_masked_map_values_are_not_asked():
    b1 = np.ma.array([1.0, np.nan, 1.0], mask=[False, False, True])
    found = fit(np.ones((2, 3)), b1)
    assert found.status.tolist() == [Status.FITTED, Status.NOT_ASKED, Status.NOT_ASKED]
    assert found.value[0] == 2


def test_inputs_are_not_changed():
    signal = np.ma.array(np.arange(12.0).reshape(3, 4), mask=np.eye(3, 4, dtype=bool))
    before, mask = signal.data.copy(), signal.mask.copy()
    fit(signal, np.ones(4))
    np.testing.assert_array_equal(signal.data, before)
    np.testing.assert_array_equal(signal.mask, mask)


def test_a_sliced_or_transposed_signal_is_read_right():
    signal = np.random.default_rng(1).random((6, 5, 8)).transpose(2, 0, 1)[::-2]
    np.testing.assert_allclose(fit(signal, chunk_voxels=7).value, signal.mean(axis=0))


def test_a_map_broadcasts_and_none_is_left_out():
    signal = np.zeros((2, 3, 4))
    rows = np.arange(4.0)
    np.testing.assert_array_equal(fit(signal, rows, None).value, np.tile(rows, (3, 1)))
    np.testing.assert_array_equal(fit(signal, 5).value, np.full((3, 4), 5.0))


def test_the_kernel_gets_contiguous_arrays_of_the_maps_type():
    seen = []

    def kernel(signal, b1):
        seen.append((signal.flags.c_contiguous, b1.flags.c_contiguous, signal.dtype, b1.dtype))
        return mean_kernel(signal, b1)

    fit_voxels(kernel, np.ones((4, 6), np.int16)[:, ::2], np.ones(3), quantity="T1", method="mean")
    assert seen == [(True, True, np.float32, np.float32)]


def test_progress_rises_to_one():
    seen = []
    fit(np.ones((2, 1000)), chunk_voxels=64, progress=seen.append)
    assert len(seen) == 16
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_cancel_stops_the_work_and_leaves_no_thread():
    done = []

    def slow(signal):
        time.sleep(0.002)
        done.append(signal.shape[1])
        return mean_kernel(signal)

    def cancel(fraction):
        raise Cancelled

    before = set(threading.enumerate())
    with pytest.raises(Cancelled):
        fit_voxels(slow, np.ones((2, 1000)), quantity="T1", method="mean", chunk_voxels=1, progress=cancel)
    assert set(threading.enumerate()) <= before
    assert 0 < len(done) < 500


def test_an_error_in_a_kernel_reaches_the_caller():
    def broken(signal):
        raise ZeroDivisionError

    before = set(threading.enumerate())
    with pytest.raises(ZeroDivisionError):
        fit_voxels(broken, np.ones((2, 100)), quantity="T1", method="mean", chunk_voxels=1)
    assert set(threading.enumerate()) <= before


def test_a_signal_without_measurements_is_refused():
    with pytest.raises(InputError, match="no measurement axis"):
        fit(5.0)


def test_a_map_of_another_grid_is_refused():
    with pytest.raises(InputError, match="resample"):
        fit(np.ones((2, 3, 4)), np.ones((4, 3)))


def test_fraction_counts_the_voxels_that_were_asked_for():
    status = np.array([Status.NOT_ASKED, Status.FITTED, Status.FITTED, Status.OUT_OF_RANGE], np.uint8)
    numbers = np.ones(4)
    found = ParameterMap(numbers, numbers, numbers, status, numbers, "T2", "ms", "made by hand")
    assert found.fraction(Status.FITTED) == pytest.approx(2 / 3)
    assert found.fraction(Status.OUT_OF_RANGE) == pytest.approx(1 / 3)
    assert found.fitted.tolist() == [False, True, True, False]


def test_fraction_of_a_map_of_which_nothing_was_asked_is_zero():
    assert fit(np.full((2, 3), np.nan)).fraction(Status.FITTED) == 0
    assert fit(np.ones((2, 0))).fraction(Status.FITTED) == 0
