"""Inversion recovery against a scanner's map, NMR-referenced phantoms, SciPy and the Cramér-Rao bound."""

import csv
import tracemalloc
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit

from her2map.errors import InputError
from her2map.relaxometry import Status, engine, expected_precision, fit_inversion_recovery, recovery_curve

PAPER_TI = np.array([100.0, 200.0, 350.0, 500.0, 800.0])
MOLLI_TI = np.array([106.0, 200.0, 1106.0, 1200.0, 2106.0, 2200.0, 3106.0, 4106.0])


def look_locker(t1, ti, a=1000.0, ratio=1.9):
    """The signed signal (n, ...) for T1 (...)."""
    t1 = np.asarray(t1, float)
    ti = np.reshape(ti, (-1, *([1] * t1.ndim)))
    return a * (1 - ratio * np.exp(-ti * (ratio - 1) / t1))


def spin_echo(t1, ti, tr, a=1000.0, c=1900.0):
    t1 = np.asarray(t1, float)
    ti, tr = (np.reshape(np.broadcast_to(x, np.shape(ti)), (-1, *([1] * t1.ndim))) for x in (ti, tr))
    return a * (1 + np.exp(-tr / t1)) - c * np.exp(-ti / t1)


def rician(signed, noise, seed=0):
    real, imaginary = np.random.default_rng(seed).normal(0, noise, (2, *signed.shape))
    return np.hypot(signed + real, imaginary)


def test_philips_molli_agrees_with_the_scanners_own_map(shared_data):
    exam = pydicom.dcmread(shared_data / "molli_philips_enhanced" / "IM_0001")
    frames = exam.PerFrameFunctionalGroupsSequence
    ti = [float(frame[0x2005, 0x140F][0][0x2005, 0x1572].value) for frame in frames[:8]]
    transform = frames[8].PixelValueTransformationSequence[0]
    scanner = exam.pixel_array[8] * float(transform.RescaleSlope) + float(transform.RescaleIntercept)
    signal = exam.pixel_array[:8].astype(np.float32)
    body = signal.max(axis=0) > 0.1 * np.percentile(
        signal.max(axis=0), 99
    )  # signal against air, by signal alone

    ours = fit_inversion_recovery(signal, ti)
    both = body & ours.fitted & (scanner > 0)
    assert both.sum() > 0.9 * body.sum() > 1000
    difference = ours.value[both] / scanner[both] - 1
    assert abs(np.median(difference)) <= 0.005
    assert np.median(np.abs(difference)) <= 0.01


def plate5(root: Path, site: str):
    """Signals in true scale (n, rows, columns), TI, TR, and the spheres' reference T1 and ROI masks."""
    images = [
        pydicom.dcmread(f) for f in sorted((root / "nist_phantom_hazen/T1" / site / "plate5").iterdir())
    ]
    signal = np.array([true_scale(image) for image in images])
    with (root / "nist_phantom_hazen/sphere_centres.csv").open() as file:
        spheres = [row for row in csv.DictReader(file) if row["site"] == site and row["param"] == "T1"]
    row, column = np.indices(signal.shape[1:])
    masks = [(row - int(s["row"])) ** 2 + (column - int(s["col"])) ** 2 <= 16 for s in spheres]
    times = [[float(image[key].value) for image in images] for key in ("InversionTime", "RepetitionTime")]
    return signal, *times, np.array([float(s["nmr_reference_ms"]) for s in spheres]), masks


def true_scale(image):
    stored = image.pixel_array.astype(float)
    if (0x2005, 0x100E) not in image:
        return stored
    slope = float(image.RescaleSlope)
    return (stored * slope + float(image.RescaleIntercept)) / (slope * float(image[0x2005, 0x100E].value))


@pytest.mark.parametrize("site", ["site1_20200218", "site4_philips"])
def test_nist_phantom_rois_agree_with_nmr(shared_data, site):
    signal, ti, tr, reference, masks = plate5(shared_data, site)
    means = np.array([signal[:, mask].mean(axis=1) for mask in masks]).T
    ours = fit_inversion_recovery(means, ti, "spin_echo", tr)
    error = np.abs(ours.value / reference - 1)[(reference >= 100) & (reference <= 1600)]
    assert error.size == 8
    assert np.median(error) <= 0.05
    assert ours.fitted.all()


def test_modelling_each_points_tr_rescues_long_t1(shared_data):
    signal, ti, tr, reference, masks = plate5(shared_data, "site1_20200218")
    longest = signal[:, masks[0]].mean(axis=1)
    plain, modelled = (fit_inversion_recovery(longest, ti, "spin_echo", x) for x in (None, tr))
    assert plain.value / reference[0] - 1 < -0.8
    assert abs(modelled.value / reference[0] - 1) < 0.1


def test_sepal_inversion_recovery_image(shared_data):
    nibabel = pytest.importorskip("nibabel")
    files = sorted((shared_data / "irse_sepal_nifti/T1_IRSE_data").glob("*.nii"))
    signal = np.array([nibabel.load(file).get_fdata() for file in files])
    ours = fit_inversion_recovery(signal, [30, 330, 530, 780, 1030, 1530], "spin_echo")
    inside = ours.fitted & (signal.max(axis=0) > 0.3 * signal.max())
    assert abs(np.median(ours.value[inside]) - 165) < 2


TIGHT = {"xtol": 1e-14, "ftol": 1e-14, "gtol": 1e-14, "maxfev": 2000}


def scipy_t1(magnitude, ti, tr, readout, start):
    """curve_fit with every sign pattern, the one with the smallest residual kept; and its delta-method SD."""
    order = np.argsort(ti)
    t, y = np.asarray(ti)[order], magnitude[order]
    u = (lambda t1: 1 + np.exp(-tr[order] / t1)) if tr is not None else (lambda t1: 1.0)

    def curve(_, a, b, log_t):
        return a * u(np.exp(log_t)) - b * np.exp(-t / np.exp(log_t))

    best = None
    for k in range(len(t)):
        signed = np.where(np.arange(len(t)) < k, -y, y)
        try:
            p, covariance = curve_fit(curve, t, signed, (y.max(), 2 * y.max(), start), **TIGHT)
        except RuntimeError:  # this pattern has no optimum at a finite T
            continue
        residual = ((signed - curve(t, *p)) ** 2).sum()
        if best is None or residual < best[0]:
            best = residual, p, covariance
    _, (a, b, log_t), covariance = best
    t_fit = np.exp(log_t)
    if readout == "spin_echo":
        return t_fit, t_fit * np.sqrt(covariance[2, 2])
    slope = np.array([-t_fit * b / a**2, t_fit / a, t_fit * (b / a - 1)])
    return t_fit * (b / a - 1), np.sqrt(slope @ covariance @ slope)


@pytest.mark.filterwarnings("ignore::scipy.optimize.OptimizeWarning")  # wrong signs
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "readout, ti, tr",
    [
        ("look_locker", PAPER_TI, None),
        ("look_locker", MOLLI_TI[::-1], None),
        (
            "spin_echo",
            np.array([50.0, 100, 200, 400, 600, 800]),
            np.array([1000.0, 1000, 1000, 1260, 1860, 2460]),
        ),
    ],
)
def test_solver_agrees_with_scipy(readout, ti, tr, dtype):
    t1 = np.linspace(250, 800, 12)
    signed = look_locker(t1, ti) if readout == "look_locker" else spin_echo(t1, ti, tr)
    signal = rician(signed, 10.0).astype(dtype)
    ours = fit_inversion_recovery(signal, ti, readout, tr)
    assert ours.fitted.all()
    samples = signal.T.astype(float)
    expected = [scipy_t1(y, ti, tr, readout, np.log(start)) for y, start in zip(samples, t1, strict=True)]
    value, error = np.transpose(expected)
    np.testing.assert_allclose(ours.value, value, rtol=1e-5)
    np.testing.assert_allclose(ours.standard_error, error, rtol=1e-3)


def least_residual(magnitude, ti, t1):
    """The least of all sign patterns at T1: |s|^2 less its part in the plane of 1 and exp(-TI/T1)."""
    v = np.exp(-ti[:, None] / t1)
    v -= v.mean(axis=0)
    v /= np.linalg.norm(v, axis=0)
    negative = np.arange(len(ti)) < np.arange(len(ti))[:, None, None]
    s = magnitude * np.where(negative, -1.0, 1.0).swapaxes(1, 2)
    explained = s.sum(axis=1) ** 2 / len(ti) + (s * v).sum(axis=1) ** 2
    return (magnitude**2).sum(axis=0) - explained.max(axis=0)


@pytest.mark.parametrize("ti, longest, noise", [(PAPER_TI, 700, 20.0), (MOLLI_TI, 2000, 20.0)])
def test_finds_what_an_exhaustive_search_finds(ti, longest, noise):
    t1 = np.random.default_rng(1).uniform(200, longest, 20_000)
    signal = rician(spin_echo(t1, ti, np.inf), noise)
    ours = fit_inversion_recovery(signal, ti, "spin_echo")
    grid = np.geomspace(0.125 * (ti[1] - ti[0]), 10 * ti[-1], 300)
    exhaustive = np.min([least_residual(signal, ti, t) for t in grid], axis=0)
    assert np.mean(least_residual(signal, ti, ours.value) <= exhaustive * 1.0001) >= 0.9995


def test_reaches_the_cramer_rao_bound_on_rician_data():
    t1 = np.repeat(np.linspace(300, 700, 41), 2500)
    ours = fit_inversion_recovery(rician(look_locker(t1, PAPER_TI), 20.0), PAPER_TI)  # SNR 50
    assert ours.fitted.mean() > 0.999
    bound = expected_precision(PAPER_TI, t1, snr=50)[ours.fitted]
    error = (ours.value / t1 - 1)[ours.fitted]
    reported = (ours.standard_error / t1)[ours.fitted]
    assert abs(error.mean()) <= 0.005
    assert np.mean(error**2 / bound**2) <= 1.05
    assert abs(np.sqrt(np.mean(reported**2) / np.mean(error**2)) - 1) <= 0.05


@pytest.mark.parametrize("t1", [300.0, 350.0, 400.0, 450.0, 500.0, 550.0, 600.0, 650.0])
def test_known_noise_gives_the_true_spread_at_each_t1(t1):
    signal = rician(look_locker(np.full(20_000, t1), PAPER_TI), 20.0)
    ours = fit_inversion_recovery(signal, PAPER_TI, noise=20.0)
    spread = ours.value.std()
    assert abs(ours.value.mean() / t1 - 1) <= 0.005
    assert abs(np.sqrt(np.mean(ours.standard_error**2)) / spread - 1) <= 0.05
    assert (spread / t1 / expected_precision(PAPER_TI, t1, 50)) ** 2 <= 1.05


def test_the_papers_inversion_times_hardly_determine_a_native_tumour():
    t1 = np.array([1200.0, 1500.0])
    np.testing.assert_allclose(expected_precision(PAPER_TI, t1, 50), [0.20, 0.33], atol=0.005)
    exact = fit_inversion_recovery(np.abs(look_locker(t1, PAPER_TI)), PAPER_TI, noise=20.0)
    np.testing.assert_allclose(exact.value, t1, rtol=1e-6)
    np.testing.assert_allclose(exact.standard_error / t1, [0.20, 0.33], atol=0.005)
    assert "between" in exact.notes[0]
    noisy = fit_inversion_recovery(rician(look_locker(np.repeat(t1[0], 5000), PAPER_TI), 20.0), PAPER_TI)
    relative = (noisy.standard_error / noisy.value)[noisy.fitted]
    assert 0.1 < np.median(relative) < 0.3


def test_expected_precision_agrees_with_the_spread_of_fits():
    ti, tr = np.array([50.0, 400, 1100, 2500]), 4000.0
    signal = rician(spin_echo(np.full(20_000, 900.0), ti, tr), 10.0)
    ours = fit_inversion_recovery(signal, ti, "spin_echo", tr)
    expected = expected_precision(ti, 900.0, 100, "spin_echo", tr)
    assert expected.shape == ()
    assert abs(ours.value.std() / 900 / expected - 1) < 0.03


@settings(max_examples=40)
@given(
    t1=st.floats(400, 2500),
    ratio=st.floats(1.5, 2.3),
    a=st.floats(1, 1e5),
    seed=st.integers(0, 1000),
)
def test_any_recovery_is_found_in_any_order(t1, ratio, a, seed):
    order = np.random.default_rng(seed).permutation(len(MOLLI_TI))
    signal = np.abs(look_locker(t1, MOLLI_TI, a, ratio))
    assume(signal.min() > 1e-6 * a)
    ours = fit_inversion_recovery(signal[order], MOLLI_TI[order])
    assert ours.status == Status.FITTED
    assert ours.value == pytest.approx(t1, rel=1e-5)
    assert ours.m0 == pytest.approx(a, rel=1e-5)
    assert ours.r_squared == pytest.approx(1, abs=1e-9)


@settings(max_examples=60)
@given(st.lists(st.floats(0, 1e4, width=32), min_size=15, max_size=15))
def test_no_signal_gives_a_fitted_voxel_without_a_value(samples):
    ours = fit_inversion_recovery(np.reshape(np.array(samples, np.float32), (5, 3)), PAPER_TI)
    fitted = ours.fitted
    assert np.isfinite(ours.value[fitted]).all() and (ours.value[fitted] > 0).all()
    assert np.isfinite(ours.standard_error[fitted]).all()
    assert np.isfinite(ours.m0[fitted]).all()


def test_signals_that_do_not_determine_t1_are_marked():
    nothing, constant, line = np.zeros(5), np.full(5, 7.0), 900 - PAPER_TI
    decay = np.abs(1000 * np.exp(-PAPER_TI / 200) + 300)  # to a positive asymptote: never inverted
    status = fit_inversion_recovery(np.stack([nothing, constant, line, decay], axis=1), PAPER_TI).status
    assert status.tolist() == [Status.LOW_SIGNAL, *[Status.OUT_OF_RANGE] * 3]


def test_three_points_have_a_value_and_no_standard_error():
    ti = [100, 400, 1200]
    signal = np.abs(look_locker(600.0, ti))
    ours = fit_inversion_recovery(signal, ti)
    assert ours.status == Status.FITTED and ours.value == pytest.approx(600)
    assert np.isnan(ours.standard_error)
    assert fit_inversion_recovery(signal, ti, noise=10.0).standard_error > 0


def test_spin_echo_without_tr_says_so():
    signal = np.abs(spin_echo(400.0, PAPER_TI, 5000.0))
    assert "not modelled" in fit_inversion_recovery(signal, PAPER_TI, "spin_echo").notes[-1]
    assert "not modelled" not in fit_inversion_recovery(signal, PAPER_TI, "spin_echo", 5000).notes[-1]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"ti_ms": [100, 200, 350, 500]}, "4 inversion times"),
        ({"ti_ms": [100, 200]}, "at least 3"),
        ({"ti_ms": np.ones((5, 1))}, "in one row"),
        ({"ti_ms": [0, 0, 0, 0, 0]}, "distinct"),
        ({"ti_ms": [-1, 200, 350, 500, 800]}, "not negative"),
        ({"ti_ms": [np.nan, 200, 350, 500, 800]}, "distinct"),
        ({"ti_ms": PAPER_TI, "tr_ms": 2000}, "leave tr_ms out"),
        ({"ti_ms": PAPER_TI, "readout": "spin_echo", "tr_ms": 2.0}, "in ms"),
        ({"ti_ms": PAPER_TI, "readout": "spin_echo", "tr_ms": [2000, 2000]}, "2 repetition times"),
        ({"ti_ms": PAPER_TI, "readout": "epi"}, "not known"),
        ({"ti_ms": PAPER_TI, "noise": 0.0}, "noise"),
    ],
)
def test_bad_input_is_one_clear_sentence(arguments, message):
    with pytest.raises(InputError, match=message):
        fit_inversion_recovery(np.ones((5, 2)), **arguments)


def test_a_t1_far_outside_the_inversion_times_has_no_finite_bound():
    assert np.isinf(expected_precision([2000, 4000, 8000], [1.0, 2.0], 50)).all()


def test_a_noise_map_and_missing_voxels():
    signal = np.abs(look_locker(np.full((2, 3), 500.0), PAPER_TI)).astype(np.float32)
    signal[1, 0, 0] = np.nan
    noise = np.array([10.0, 20.0, np.nan])
    ours = fit_inversion_recovery(signal, PAPER_TI, noise=noise)
    expected = [[Status.NOT_ASKED, Status.FITTED, Status.NOT_ASKED], [Status.FITTED] * 2 + [Status.NOT_ASKED]]
    np.testing.assert_array_equal(ours.status, expected)
    assert ours.standard_error[1, 1] == pytest.approx(2 * ours.standard_error[1, 0], rel=1e-4)
    with pytest.raises(InputError, match="resample"):
        fit_inversion_recovery(signal, PAPER_TI, noise=np.ones(7))


def test_expected_precision_refuses_what_cannot_be():
    for t1, snr, inversion in [(0.0, 50, 1.9), (500.0, 0, 1.9), (500.0, 50, 1.0)]:
        with pytest.raises(InputError, match="must be"):
            expected_precision(PAPER_TI, t1, snr, inversion=inversion)


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_curve_runs_through_exact_signals(order):
    """At the measured inversion times and between them, whatever their order."""
    between = np.linspace(50, 5000, 40)
    ti = MOLLI_TI[order]
    curve = recovery_curve(np.abs(look_locker(1100, ti)), ti, between)
    assert curve == pytest.approx(np.abs(look_locker(1100, between)), abs=1e-3)
    curve = recovery_curve(np.abs(spin_echo(700, ti, 6000)), ti, between, "spin_echo", 6000.0)
    assert curve == pytest.approx(np.abs(spin_echo(700, between, 6000)), abs=1e-3)


def test_two_workers_need_less_than_three_times_input_and_output(monkeypatch):
    monkeypatch.setattr(engine, "n_workers", lambda: 2)
    signal = np.abs(look_locker(np.linspace(300, 1500, 400_000), MOLLI_TI)).astype(np.float32)
    fit_inversion_recovery(signal[:, :10], MOLLI_TI)  # what is set up once does not count
    tracemalloc.start()
    try:
        ours = fit_inversion_recovery(signal, MOLLI_TI)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    arrays = (ours.value, ours.standard_error, ours.r_squared, ours.status, ours.m0)
    assert signal.nbytes + peak <= 3 * (signal.nbytes + sum(array.nbytes for array in arrays))
