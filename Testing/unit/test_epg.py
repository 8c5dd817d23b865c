"""Extended phase graph and its T2 fit, against Weigel's algorithm, isochromats, SciPy and a real phantom."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import curve_fit, least_squares

from her2map.errors import Cancelled, InputError
from her2map.relaxometry import Status, epg_echo_amplitudes, fit_t2_epg
from her2map.relaxometry.cpmg import cpmg_train

SPACING = 13.8
TE = SPACING * np.arange(1, 9)

times = st.floats(5, 3000)
angles = st.lists(st.floats(20, 220), min_size=1, max_size=12)


def weigel_train(spacing: float, t1: float, t2: float, angles_deg: np.ndarray) -> np.ndarray:
    """The algorithm of Weigel 2015: complex states (F+, F-, Z by order); T, E and S every half spacing."""
    e1, e2 = np.exp(-spacing / 2 / t1), np.exp(-spacing / 2 / t2)
    omega = np.zeros((3, 2 * len(angles_deg) + 2), complex)
    omega[:2, 0] = 1  # a 90 degree pulse of phase 90 degrees has left all magnetisation on +x
    echoes = []

    def relax_and_shift(state: np.ndarray) -> np.ndarray:
        state = np.diag([e2, e2, e1]) @ state
        state[2, 0] += 1 - e1
        out = state.copy()
        out[0, 1:] = state[0, :-1]
        out[1, :-1] = state[1, 1:]
        out[1, -1] = 0
        out[0, 0] = np.conj(out[1, 0])
        return out

    for a in np.deg2rad(angles_deg):
        c, s = np.cos(a / 2) ** 2, np.sin(a / 2) ** 2
        t = np.array(
            [
                [c, s, -1j * np.sin(a)],
                [s, c, 1j * np.sin(a)],
                [-0.5j * np.sin(a), 0.5j * np.sin(a), np.cos(a)],
            ]
        )
        omega = relax_and_shift(t @ relax_and_shift(omega))
        echoes.append(omega[0, 0])
    return np.array(echoes)


def isochromat_train(
    spacing: float, t1: float, t2: float, angles_deg: np.ndarray, excitation_deg: float
) -> np.ndarray:
    """The Bloch equations of evenly dephased isochromats, enough of them for the sum to be exact."""
    n = 4 * len(angles_deg) + 8
    phase = np.exp(2j * np.pi * np.arange(n) / n)  # acquired every half spacing
    e1, e2 = np.exp(-spacing / 2 / t1), np.exp(-spacing / 2 / t2)
    transverse = np.full(n, np.sin(np.deg2rad(excitation_deg)), complex)
    z = np.full(n, np.cos(np.deg2rad(excitation_deg)))
    echoes = []
    for a in np.deg2rad(angles_deg):
        transverse, z = transverse * phase * e2, 1 + (z - 1) * e1
        y = transverse.imag * np.cos(a) - z * np.sin(a)
        z = transverse.imag * np.sin(a) + z * np.cos(a)
        transverse = (transverse.real + 1j * y) * phase * e2
        z = 1 + (z - 1) * e1
        echoes.append(transverse.mean())
    return np.array(echoes)


def noisy_trains(
    t2: Any, b1: Any, snr: float, n_voxels: int, n_echoes: int = 8, t1: float = 1400.0
) -> np.ndarray:
    """Rician trains of unit amplitude just after the excitation."""
    rng = np.random.default_rng(7)
    true = epg_echo_amplitudes(SPACING, n_echoes, t1, t2, b1=b1) / np.sin(np.pi / 2 * np.asarray(b1))
    true = np.broadcast_to(true.reshape(n_echoes, -1), (n_echoes, n_voxels))
    noise = rng.normal(size=(2, n_echoes, n_voxels)) / snr
    return np.abs(true + noise[0] + 1j * noise[1])


@given(times, times, st.floats(1, 60), angles)
def test_amplitudes_are_weigels(t1: float, t2: float, spacing: float, degrees: list[float]) -> None:
    ours = epg_echo_amplitudes(spacing, len(degrees), t1, t2, degrees)
    theirs = weigel_train(spacing, t1, t2, np.array(degrees))
    np.testing.assert_allclose(theirs.imag, 0, atol=1e-12)
    np.testing.assert_allclose(ours, theirs.real, rtol=0, atol=1e-12)


@given(times, times, st.floats(0.4, 1.6), angles)
def test_amplitudes_are_those_of_isochromats(t1: float, t2: float, b1: float, degrees: list[float]) -> None:
    ours = epg_echo_amplitudes(SPACING, len(degrees), t1, t2, degrees, b1)
    theirs = isochromat_train(SPACING, t1, t2, b1 * np.array(degrees), 90 * b1)
    np.testing.assert_allclose(theirs.imag, 0, atol=1e-12)
    np.testing.assert_allclose(ours, theirs.real, rtol=0, atol=1e-12)


def test_perfect_refocusing_is_mono_exponential_for_whole_maps() -> None:
    t2 = np.array([[40.0, 80.0, 120.0], [20.0, 60.0, 300.0]])
    amplitudes = epg_echo_amplitudes(SPACING, 8, 1400.0, t2)
    assert amplitudes.shape == (8, 2, 3)
    np.testing.assert_allclose(amplitudes, np.exp(-TE[:, None, None] / t2), atol=1e-14)


@settings(max_examples=40)
@given(st.floats(100, 3000), st.floats(15, 400), st.floats(30, 180), st.integers(2, 32))
def test_closed_form_is_the_phase_graph(t1: float, t2: float, angle: float, n_echoes: int) -> None:
    k1, k2, x = (np.array([v]) for v in (np.exp(-10 / t1), np.exp(-10 / t2), np.cos(np.deg2rad(angle))))
    train = cpmg_train(k1, k2, x, n_echoes, 2)
    np.testing.assert_allclose(
        train.echoes[:, 0], epg_echo_amplitudes(10, n_echoes, t1, t2, angle), rtol=0, atol=1e-12
    )
    h = 1e-6
    for derivative, low, high in (
        (
            train.derivatives[0],
            cpmg_train(k1, k2 - h, x, n_echoes, 0),
            cpmg_train(k1, k2 + h, x, n_echoes, 0),
        ),
        (
            train.derivatives[1],
            cpmg_train(k1, k2, x - h, n_echoes, 0),
            cpmg_train(k1, k2, x + h, n_echoes, 0),
        ),
    ):
        numeric = (high.echoes - low.echoes) / (2 * h)
        np.testing.assert_allclose(derivative, numeric, rtol=1e-6, atol=1e-6 * np.abs(numeric).max())


@pytest.mark.parametrize("snr", [50, 20])
def test_fit_agrees_with_scipy(snr: float) -> None:
    rng = np.random.default_rng(3)
    t2, b1 = rng.uniform(30, 150, 8), rng.uniform(0.65, 1.0, 8)
    signal = noisy_trains(t2, b1, snr, 8)
    known, free = fit_t2_epg(signal, TE, 1400.0, b1), fit_t2_epg(signal, TE, 1400.0)
    assert known.fitted.all()
    assert free.fitted.mean() > 0.9
    options: dict[str, Any] = {"xtol": 1e-14, "ftol": 1e-14, "gtol": 1e-14, "x_scale": [1, 0.01, 1]}
    for v in range(8):

        def residual(p: np.ndarray, v: int = v) -> np.ndarray:
            angle = 180 * b1[v] if len(p) == 2 else np.rad2deg(np.arccos(p[2]))
            return p[0] * epg_echo_amplitudes(SPACING, 8, 1400.0, 1 / p[1], angle) - signal[:, v]

        best = least_squares(residual, [1, 1 / 70], **{**options, "x_scale": [1, 0.01]})
        assert known.value[v] == pytest.approx(1 / best.x[1], rel=1e-5)
        assert known.m0[v] == pytest.approx(best.x[0], rel=1e-5)
        covariance = np.linalg.inv(best.jac.T @ best.jac) * 2 * best.cost / (8 - 2)
        assert known.standard_error[v] == pytest.approx(np.sqrt(covariance[1, 1]) / best.x[1] ** 2, rel=1e-4)
        # Every start must lead nowhere better; the fit may pass cos = -1, where SciPy's angle cannot go.
        inside = ([0, 1e-4, -1], [np.inf, 0.2, 0.6])
        starts = [[1, 1 / 70, x] for x in (-0.95, -0.4)]
        found = min(
            (least_squares(residual, p, bounds=inside, **options) for p in starts), key=lambda r: r.cost
        )
        total = ((signal[:, v] - signal[:, v].mean()) ** 2).sum()
        assert (1 - free.r_squared[v]) * total <= 2 * found.cost * (1 + 1e-7)
        if found.x[2] > -0.995 and free.fitted[v]:
            assert free.value[v] == pytest.approx(1 / found.x[1], rel=1e-5)


def crlb_t2(t2: float, b1: float, snr: float, free_angle: bool) -> float:
    def train(p: np.ndarray) -> np.ndarray:
        angle = np.rad2deg(np.arccos(p[2]))
        return p[0] * epg_echo_amplitudes(SPACING, 8, 1400.0, p[1], angle)

    p = np.array([1.0, t2, np.cos(np.pi * b1)])
    steps = np.diag([1e-5, 1e-4, 1e-6])[: 3 if free_angle else 2]
    jacobian = np.array([(train(p + h) - train(p - h)) / (2 * h.max()) for h in steps]).T
    return float(np.sqrt(np.linalg.inv(jacobian.T @ jacobian * snr**2)[1, 1]))


@pytest.mark.parametrize("b1", [0.7, 0.8, 0.9, 1.0])
@pytest.mark.parametrize("t2", [40.0, 80.0, 120.0])
def test_bias_spread_and_standard_error_at_snr_50(t2: float, b1: float) -> None:
    n = 8000
    signal = noisy_trains(t2, b1, 50, n)
    for given_b1 in (b1, None):
        fit = fit_t2_epg(signal, TE, 1400.0, given_b1)
        assert fit.fraction(Status.FITTED) > 0.999
        value = fit.value[fit.fitted]
        assert abs(value.mean() / t2 - 1) <= 0.01
        error = np.sqrt(np.mean(fit.standard_error[fit.fitted] ** 2))
        assert error == pytest.approx(value.std(), rel=0.05)
        if b1 < 1:  # at B1 = 1 the bound's angle has no second side to differentiate on
            bound = crlb_t2(t2, b1, 50, free_angle=given_b1 is None)
            assert value.var() / bound**2 <= 1.08


def test_wrong_t1_matters_little() -> None:
    signal = epg_echo_amplitudes(SPACING, 8, 1400.0, 80.0, b1=0.8)[:, None]
    assert fit_t2_epg(signal, TE, 900.0, 0.8).value[0] == pytest.approx(80, rel=0.005)


@settings(max_examples=30)
@given(st.floats(20, 300), st.floats(0.55, 1.0), st.floats(300, 3000), st.floats(1e-3, 1e5))
def test_exact_trains_are_recovered(t2: float, b1: float, t1: float, m0: float) -> None:
    signal = m0 * epg_echo_amplitudes(SPACING, 8, t1, np.array([t2]), b1=b1, excitation_deg=90 / b1)
    known = fit_t2_epg(signal, TE, t1, b1)
    assert known.value[0] == pytest.approx(t2, rel=1e-6)
    assert known.m0[0] == pytest.approx(m0, rel=1e-6)
    free = fit_t2_epg(signal, TE, t1)
    assert free.status[0] == Status.FITTED
    assert free.value[0] == pytest.approx(t2, rel=1e-4)


def test_maps_nan_mask_and_single_precision() -> None:
    t2 = np.array([[40.0, 60.0, 80.0], [100.0, 120.0, 50.0]])
    t1 = np.array([[700.0, 900.0, 1100.0], [1300.0, 1500.0, np.nan]])
    b1 = np.array([[0.7, 0.8, 0.9], [1.0, 1.1, 0.9]])
    signal = np.ma.array(1000 * epg_echo_amplitudes(SPACING, 8, np.nan_to_num(t1, nan=1000.0), t2, b1=b1))
    signal[3, 0, 0] = np.ma.masked
    signal[2, 0, 1] = np.nan
    fit = fit_t2_epg(signal.astype(np.float32), TE, t1, b1)
    assert fit.value.dtype == np.float32
    expected = [[Status.NOT_ASKED, Status.NOT_ASKED, Status.FITTED], [Status.FITTED, 1, Status.NOT_ASKED]]
    np.testing.assert_array_equal(fit.status, expected)
    np.testing.assert_allclose(fit.value[fit.fitted], t2[fit.fitted], rtol=1e-5)
    assert fit.quantity == "T2"
    assert fit.notes == ()


def test_status_of_voxels_without_a_t2() -> None:
    rng = np.random.default_rng(2)
    air = np.abs(rng.normal(size=(8, 500)) + 1j * rng.normal(size=(8, 500)))
    assert fit_t2_epg(air, TE, 1400.0, 1.0).fraction(Status.FITTED) < 0.05
    dark = fit_t2_epg(np.zeros((8, 1)), TE, 1400.0, 1.0)
    assert dark.status[0] == Status.LOW_SIGNAL
    assert np.isnan(dark.value[0])
    flat = fit_t2_epg(np.ones((8, 1)) + 0.001 * rng.normal(size=(8, 1)), TE, 1400.0, 1.0)
    assert flat.status[0] == Status.OUT_OF_RANGE
    decays = (np.exp(-SPACING / np.array([t])) for t in (1400.0, 80.0))
    no_angle_does_this = cpmg_train(*decays, np.array([-1.2]), 8, 0).echoes
    assert fit_t2_epg(no_angle_does_this, TE, 1400.0).status[0] == Status.OUT_OF_RANGE


def test_no_b1_is_said() -> None:
    fit = fit_t2_epg(noisy_trains(80.0, 0.8, 50, 4), TE, 1400.0)
    assert "refocusing angle was fitted" in fit.notes[0]


@pytest.mark.parametrize(
    ("te", "n_echoes", "t1", "b1", "words"),
    [
        ([10, 20, 35, 45, 55], 5, 1000.0, 1.0, "one spacing"),
        ([15, 25, 35, 45, 55], 5, 1000.0, 1.0, "one spacing"),
        ([10, 20, 30, 40], 5, 1000.0, 1.0, "te_ms has 4"),
        ([10, 20, 30, 40, np.nan], 5, 1000.0, 1.0, "te_ms"),
        ([10, 20], 2, 1000.0, 1.0, "needs 3 echoes"),
        ([10, 20, 30], 3, 1000.0, None, "needs 4 echoes"),
        ([10, 20, 30, 40], 4, 0.0, None, "t1_ms"),
        ([10, 20, 30, 40], 4, 1000.0, 85.0, "B1 map's median is 85"),
        ([10, 20, 30, 40], 4, 1000.0, np.ones(7), "does not fit"),
    ],
)
def test_bad_input_is_one_sentence(te: list[float], n_echoes: int, t1: float, b1: Any, words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        fit_t2_epg(np.ones((n_echoes, 3)), te, t1, b1)
    assert str(error.value).count(". ") == 0


def test_bad_train_is_refused() -> None:
    with pytest.raises(InputError, match="3 refocusing angles"):
        epg_echo_amplitudes(10, 8, 1000.0, 80.0, [180, 180, 180])
    with pytest.raises(InputError, match="positive"):
        epg_echo_amplitudes(10, 8, 1000.0, np.array([80.0, 0.0]))


def test_progress_reaches_one_and_cancels() -> None:
    signal = noisy_trains(80.0, 0.9, 50, 9000)
    seen: list[float] = []
    fit_t2_epg(signal, TE, 1400.0, 0.9, progress=seen.append)
    assert seen[-1] == 1.0
    assert len(seen) > 1

    def cancel(fraction: float) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        fit_t2_epg(signal, TE, 1400.0, progress=cancel)


def _true_scale(image: pydicom.Dataset) -> np.ndarray:
    """Philips: the stored value over the private scale slope."""
    stored = image.pixel_array * float(image.RescaleSlope) + float(image.RescaleIntercept)
    return stored / (float(image.RescaleSlope) * float(image[0x2005, 0x100E].value))


def test_nist_phantom_all_echoes(shared_data: Path) -> None:
    """Plate 5, 32 echoes, the first one used too: the fitted angle takes the stimulated echoes out."""
    folder = shared_data / "nist_phantom_hazen"
    images = [pydicom.dcmread(path) for path in (folder / "T2/site4_philips/plate5").iterdir()]
    images.sort(key=lambda image: float(image.EchoTime))
    te = [float(image.EchoTime) for image in images]
    signal = np.array([_true_scale(image) for image in images])
    truth = [row for row in csv.DictReader((folder / "nist_truth.csv").open()) if row["field"] == "1.5T"]
    t1 = {row["sphere"]: float(row["nmr_reference_ms"]) for row in truth if row["param"] == "T1"}
    error, nominal_error = [], []
    for row in csv.DictReader((folder / "sphere_centres.csv").open()):
        reference = float(row["nmr_reference_ms"])
        if row["param"] == "T2" and 20 <= reference <= 300:
            r, c = int(row["row"]), int(row["col"])
            sphere = signal[:, r - 2 : r + 3, c - 2 : c + 3].mean(axis=(1, 2))[:, None]
            for errors, b1 in ((error, None), (nominal_error, 1.0)):
                fit = fit_t2_epg(sphere, te, t1[row["sphere"]], b1)
                assert fit.status[0] == Status.FITTED
                errors.append(abs(fit.value[0] / reference - 1))
    assert len(error) == 8
    assert np.median(error) <= 0.02
    assert max(error) <= 0.03
    assert np.median(error) < np.median(nominal_error)


def test_siemens_phantom_at_nominal_b1_is_mono_exponential(shared_data: Path) -> None:
    files = (shared_data / "mese_siemens_dcmstack").glob("TE_*_SlcPos_-23.*.dcm")
    images = sorted((pydicom.dcmread(path) for path in files), key=lambda image: float(image.EchoTime))
    te = np.array([float(image.EchoTime) for image in images])
    signal = np.array([image.pixel_array for image in images], np.float32)
    fit = fit_t2_epg(signal, te, 1000.0, 1.0)
    rows, columns = np.nonzero(signal[0] > 0.5 * np.percentile(signal[0], 99))
    assert fit.fitted[rows, columns].all()
    for r, c in list(zip(rows, columns, strict=True))[::400]:
        y = signal[:, r, c].astype(float)
        (_, t2), _ = curve_fit(lambda t, m, t2: m * np.exp(-t / t2), te, y, (y[0], 60), xtol=1e-12)
        assert fit.value[r, c] == pytest.approx(t2, rel=1e-5)
    # Two compartments, of which the project's notes give the shorter T2 as 53 to 54 ms.
    short = fit.value[rows, columns][fit.value[rows, columns] < 70]
    assert np.median(short) == pytest.approx(53, abs=1)
