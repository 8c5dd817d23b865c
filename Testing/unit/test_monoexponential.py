"""T2 and T2* fits against SciPy, the NIST phantom, the Cramer-Rao bound and analytic cases."""

import csv
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit
from scipy.stats import ncx2, rice

from her2map.errors import Cancelled, InputError
from her2map.relaxometry import ParameterMap, Status, fit_monoexponential
from her2map.relaxometry.rician import bessel_ratio, fisher_information, mean_magnitude

T2_ECHOES = 13.8 * np.arange(1, 9)
T2STAR_ECHOES = 3.54 * np.arange(1, 9)
UNEQUAL_ECHOES = np.array([2.1, 4.6, 9.0, 11.3, 20.0, 31.7])


def decay(te, t, m0=1.0):
    return m0 * np.exp(-np.asarray(te)[:, None] / np.atleast_1d(t))


def magnitude(signal, noise, seed=0):
    """Rician: Gaussian noise of SD `noise` in the real and in the imaginary part."""
    rng = np.random.default_rng(seed)
    return np.hypot(
        signal + noise * rng.standard_normal(signal.shape), noise * rng.standard_normal(signal.shape)
    )


def relative_bound(te, t, noise):
    """Cramer-Rao bound of T's relative SD at M0 = 1, Gaussian noise."""
    f = np.exp(-te / t)
    derivatives = np.stack([f, f * te / t])
    return noise * np.sqrt(np.linalg.inv(derivatives @ derivatives.T)[1, 1])


def scipy_t(te, y):
    """A tightly converged nonlinear least-squares fit."""
    best = curve_fit(
        lambda te, m0, r: m0 * np.exp(-te * r),
        te,
        y.astype(float),
        p0=(y[0] * 1.3, 1 / te.mean()),
        ftol=1e-15,
        xtol=1e-15,
        gtol=1e-15,
        maxfev=10_000,
    )[0]
    return 1 / best[1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("te", "t"), [(T2_ECHOES, (40, 120)), (T2STAR_ECHOES, (10, 50)), (UNEQUAL_ECHOES, (5, 60))]
)
@pytest.mark.parametrize("snr", [10, 50, 400])
def test_least_squares_equals_scipy_curve_fit(te, t, snr, dtype):
    y = magnitude(decay(te, np.linspace(*t, 60), 830.0), 830.0 / snr).astype(dtype)
    fitted = fit_monoexponential(y, te)
    expected = np.array([scipy_t(te, voxel) for voxel in y.T])
    assert fitted.fitted.all() and fitted.value.dtype == dtype
    np.testing.assert_allclose(fitted.value, expected, rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("te", [T2_ECHOES, UNEQUAL_ECHOES])
def test_quality_figures_follow_from_the_residuals(te, dtype):
    y = magnitude(decay(te, np.linspace(8, 90, 50), 500.0), 15.0).astype(dtype)
    fitted = fit_monoexponential(y, te)
    f = np.exp(-te[:, None] / fitted.value.astype(float))
    residual = ((y - fitted.m0 * f) ** 2).sum(axis=0)
    total = ((y - y.mean(axis=0, dtype=float)) ** 2).sum(axis=0)
    np.testing.assert_allclose(fitted.r_squared, 1 - residual / total, atol=1e-5)
    for voxel in range(0, 50, 7):
        jacobian = np.stack([f[:, voxel], fitted.m0[voxel] * f[:, voxel] * te / fitted.value[voxel] ** 2])
        covariance = np.linalg.inv(jacobian @ jacobian.T) * residual[voxel] / (len(te) - 2)
        assert fitted.standard_error[voxel] == pytest.approx(np.sqrt(covariance[1, 1]), rel=2e-3)


@pytest.mark.parametrize(
    ("te", "t"),
    [(T2_ECHOES, 40), (T2_ECHOES, 70), (T2_ECHOES, 120), (T2STAR_ECHOES, 10), (T2STAR_ECHOES, 50)],
)
def test_rician_data_at_snr_50_in_the_first_echo(te, t):
    noise = np.exp(-te[0] / t) / 50
    fitted = fit_monoexponential(magnitude(decay(te, np.full(40_000, t)), noise), te)
    assert fitted.fitted.all()
    relative = fitted.value / t - 1
    assert abs(relative.mean()) <= 0.005
    assert (relative.std() / relative_bound(te, t, noise)) ** 2 <= 1.05
    # The variance from residuals is unbiased, its root is not (0.959 with 6 degrees of freedom): average it.
    assert np.sqrt(np.mean(fitted.standard_error**2)) / t == pytest.approx(relative.std(), rel=0.02)


@pytest.mark.parametrize(("te", "t"), [(T2_ECHOES, 40), (T2STAR_ECHOES, 10)])
def test_rician_fit_at_snr_50_of_m0(te, t):
    fitted = fit_monoexponential(magnitude(decay(te, np.full(12_000, t)), 0.02), te, 0.02, "rician")
    relative = fitted.value / t - 1
    assert abs(relative.mean()) <= 0.005
    assert fitted.standard_error.mean() / t == pytest.approx(relative.std(), rel=0.05)


def test_rician_fit_removes_the_noise_floor_bias():
    y = magnitude(decay(T2STAR_ECHOES, np.full(30_000, 8.0)), 0.05, seed=3)
    plain = fit_monoexponential(y, T2STAR_ECHOES)
    likely = fit_monoexponential(y, T2STAR_ECHOES, 0.05, "rician")
    assert plain.value.mean() / 8 - 1 > 0.08
    assert abs(likely.value.mean() / 8 - 1) <= 0.01
    assert likely.standard_error.mean() == pytest.approx(likely.value.std(), rel=0.05)


def test_rician_fit_of_channels_combined_by_sum_of_squares():
    rng = np.random.default_rng(5)
    channels = 0.05 * rng.standard_normal((4, 2, 8, 4000))
    channels[:, 0] += decay(T2STAR_ECHOES, 12.0) / 2
    y = np.sqrt((channels**2).sum(axis=(0, 1)))
    right = fit_monoexponential(y, T2STAR_ECHOES, 0.05, "rician", n_channels=4)
    wrong = fit_monoexponential(y, T2STAR_ECHOES, 0.05, "rician")
    assert abs(right.value.mean() / 12 - 1) < 0.01 < abs(wrong.value.mean() / 12 - 1)
    assert right.standard_error.mean() == pytest.approx(right.value.std(), rel=0.05)


@pytest.mark.parametrize("n_channels", [1, 4])
@pytest.mark.parametrize("signal", [0.2, 1.0, 4.0, 15.0])
def test_magnitude_distribution_against_scipy(signal, n_channels):
    squares = ncx2(2 * n_channels, signal**2)
    expected = squares.expect(np.sqrt) if n_channels > 1 else rice(signal).mean()
    assert mean_magnitude(np.array(signal), n_channels) == pytest.approx(expected, rel=1e-6)

    def squared_score(square):
        y = np.sqrt(square)
        return (y * bessel_ratio(y * signal, n_channels) - signal) ** 2

    information = squares.expect(squared_score)
    assert fisher_information(np.array(signal), n_channels) == pytest.approx(information, rel=1e-4)


def test_loglinear_is_the_weighted_straight_line():
    y = magnitude(decay(UNEQUAL_ECHOES, np.linspace(10, 40, 20)), 0.02)
    fitted = fit_monoexponential(y, UNEQUAL_ECHOES, method="loglinear")
    for voxel in range(20):
        slope, intercept = np.polyfit(UNEQUAL_ECHOES, np.log(y[:, voxel]), 1, w=y[:, voxel])
        assert fitted.value[voxel] == pytest.approx(-1 / slope, rel=1e-9)
        assert fitted.m0[voxel] == pytest.approx(np.exp(intercept), rel=1e-9)


def read_philips_echoes(folder: Path):
    """Echo times and true-scale echoes (see the data's README) of the Philips 32-echo spin echo."""
    images = sorted(
        (pydicom.dcmread(f) for f in folder.rglob("*") if f.is_file()), key=lambda i: float(i.EchoTime)
    )
    pixels = [
        (i.pixel_array * float(i.RescaleSlope) + float(i.RescaleIntercept))
        / (float(i.RescaleSlope) * float(i[0x2005, 0x100E].value))
        for i in images
    ]
    return np.array([float(i.EchoTime) for i in images]), np.stack(pixels)


def test_nist_phantom_t2(shared_data):
    folder = shared_data / "nist_phantom_hazen"
    te, echoes = read_philips_echoes(folder / "T2" / "site4_philips")
    with (folder / "sphere_centres.csv").open() as file:
        spheres = [row for row in csv.DictReader(file) if row["param"] == "T2"]
    rows, columns = np.indices(echoes.shape[1:])
    discs = [(rows - int(s["row"])) ** 2 + (columns - int(s["col"])) ** 2 <= 9 for s in spheres]
    signal = np.stack([echoes[:, disc].mean(axis=1) for disc in discs], axis=1)
    reference = np.array([float(s["nmr_reference_ms"]) for s in spheres])
    fitted = fit_monoexponential(signal[1:], te[1:])
    judged = (reference >= 20) & (reference <= 300)
    assert len(te) == 32 and judged.sum() == 8
    assert fitted.fitted[judged].all()
    assert np.median(np.abs(fitted.value / reference - 1)[judged]) <= 0.02


@pytest.mark.parametrize("te", [T2_ECHOES, UNEQUAL_ECHOES])
def test_best_fit_of_pure_noise_is_the_global_one(te):
    y = magnitude(np.zeros((len(te), 400)), 1.0)
    fitted = fit_monoexponential(y, te)
    candidates = np.exp(-te[:, None] / np.geomspace(0.5, 5000, 3000))
    candidates /= np.linalg.norm(candidates, axis=0)
    best = ((candidates.T @ y) ** 2).max(axis=0)
    f = np.exp(-te[:, None] / fitted.value)
    explained = (f * y).sum(axis=0) ** 2 / (f * f).sum(axis=0)
    ok = fitted.fitted
    assert 100 < ok.sum() < 400
    assert np.mean(explained[ok] >= best[ok] * (1 - 1e-6)) > 0.99
    assert not (fitted.status == Status.NOT_CONVERGED).any()


def test_status_says_why_there_is_no_value():
    te = np.array([10.0, 20.0, 30.0, 40.0])
    y = np.ones((4, 6))
    y[:, 0] = decay(te, 25.0)[:, 0]
    y[:, 1] = 0
    y[:, 2] = [1, 2, 3, 4]
    y[2, 3] = np.nan
    y[:, 4] = decay(te, 9000.0)[:, 0]
    y[:, 5] = -decay(te, 25.0)[:, 0]
    fitted = fit_monoexponential(y, te)
    expected = ["FITTED", "LOW_SIGNAL", "OUT_OF_RANGE", "NOT_ASKED", "OUT_OF_RANGE", "LOW_SIGNAL"]
    assert [Status(s).name for s in fitted.status] == expected
    np.testing.assert_allclose(fitted.value, [25, np.nan, np.nan, np.nan, 9000, np.nan], rtol=1e-6)
    assert np.isnan(fitted.m0[[1, 2, 3, 5]]).all() and fitted.m0[0] == pytest.approx(1)


@pytest.mark.parametrize("method", ["least_squares", "rician", "loglinear"])
def test_known_noise_marks_voxels_without_signal(method):
    y = magnitude(decay(T2_ECHOES, [60.0, 60.0], np.array([100.0, 1.0])), 1.0)
    y[:, 1] = np.minimum(y[:, 1], 2.9)
    fitted = fit_monoexponential(y, T2_ECHOES, 1.0, method)
    assert fitted.status.tolist() == [Status.FITTED, Status.LOW_SIGNAL]
    assert np.isnan(fitted.value[1]) and np.isnan(fitted.standard_error[1])


@pytest.mark.parametrize("method", ["least_squares", "loglinear"])
def test_two_echoes_are_fitted_exactly_without_a_standard_error(method):
    fitted = fit_monoexponential(np.array([80.0, 20.0]), [10, 30], method=method, quantity="T2star")
    assert fitted.value == pytest.approx(20 / np.log(4), rel=1e-9)
    assert fitted.m0 == pytest.approx(160, rel=1e-9)
    assert np.isnan(fitted.standard_error) and fitted.status == Status.FITTED
    assert (fitted.quantity, fitted.unit) == ("T2star", "ms")


@pytest.mark.parametrize("method", ["least_squares", "rician", "loglinear"])
@settings(max_examples=20)
@given(shape=st.lists(st.integers(1, 4), max_size=3), scale=st.floats(1e-6, 1e6), seed=st.integers(0, 99))
def test_shape_scale_and_mask_change_nothing_else(method, shape, scale, seed):
    rng = np.random.default_rng(seed)
    t = rng.uniform(15, 90, shape)
    y = np.exp(-T2_ECHOES.reshape(8, *[1] * len(shape)) / t) + 0.02 * rng.standard_normal((8, *shape))
    mask = rng.random((8, *shape)) < 0.03
    fitted = fit_monoexponential(np.ma.array(y * scale, mask=mask), T2_ECHOES, 0.02 * scale, method)
    flat = fit_monoexponential(y.reshape(8, -1), T2_ECHOES, 0.02, method)
    left_out = mask.any(axis=0)
    assert fitted.value.shape == tuple(shape)
    assert np.all((fitted.status == Status.NOT_ASKED) == left_out)
    assert np.isnan(fitted.value[left_out]).all()
    kept = ~left_out & fitted.fitted
    expected = flat.value.reshape(shape)[kept]
    np.testing.assert_allclose(fitted.value[kept], expected, rtol=1e-6)
    np.testing.assert_allclose(fitted.m0[kept], scale * flat.m0.reshape(shape)[kept], rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.float32])
def test_stored_integers_are_fitted_as_they_are(dtype):
    y = np.rint(decay(T2_ECHOES, [45.0, 80.0], 4000.0)).astype(dtype)
    fitted = fit_monoexponential(y, T2_ECHOES)
    np.testing.assert_allclose(fitted.value, [45, 80], rtol=1e-3)
    assert fitted.value.dtype == np.float32


def refused(*args, **kwargs) -> str:
    with pytest.raises(InputError) as caught:
        fit_monoexponential(*args, **kwargs)
    return str(caught.value)


def test_bad_input_is_refused_in_one_sentence():
    y = np.ones((3, 5))
    assert "3 echoes but te_ms has 2" in refused(y, [1, 2])
    assert "at least two echoes" in refused(y[:1], [1])
    assert "rise" in refused(y, [1, 3, 2])
    assert "positive" in refused(y, [0, 1, 2])
    assert "rise" in refused(y, [1, 2, np.nan])
    assert "needs the noise SD" in refused(y, [1, 2, 3], method="rician")
    assert "one positive number" in refused(y, [1, 2, 3], noise=-1.0)
    assert "Unknown method" in refused(y, [1, 2, 3], method="magic")


def test_progress_rises_to_one_and_can_cancel():
    y = magnitude(decay(T2_ECHOES, np.full(150_000, 60.0)), 0.02).astype(np.float32)
    seen: list[float] = []
    whole = fit_monoexponential(y, T2_ECHOES, progress=seen.append)
    assert isinstance(whole, ParameterMap)
    assert seen == sorted(seen) and seen[-1] == 1 and len(seen) > 2

    def cancel(fraction: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        fit_monoexponential(y, T2_ECHOES, progress=cancel)


@pytest.mark.parametrize("n_channels", [1, 4])
def test_rician_takes_samples_below_zero_as_the_noise_floor(n_channels):
    """Interpolation overshoots; a late echo of -0.5 SD says no more than one of 0, and nothing breaks."""
    te = 3.54 * np.arange(1, 9)
    signal = 50 * np.exp(-te / 5.0)
    below, zero = signal.copy(), signal.copy()
    below[-2:], zero[-2:] = [-0.5, -20.0], 0.0
    found = fit_monoexponential(
        np.stack([below, zero], axis=1), te, noise=1.0, method="rician", n_channels=n_channels
    )
    assert found.fitted.all()
    assert found.value[0] == found.value[1]
    assert 2.5 < found.value[0] < 5.5  # signals without the noise floor look shorter to the fit
