"""Voxel-wise fits: HER2Map beside ukat, SEPAL, qmrpy and a SciPy loop, on the same data in the same run.

Run as ``python Testing/benchmarks/fits.py [--quick]``. Signals are Rician at SNR 50 of the largest
measurement, float32, 8 measurements. Each fit is timed on its own number of voxels (peers are slow) by the
wall clock, the best of several runs; bias and variance are those of the voxels it fitted, relative to the
truth and to the Cramer-Rao bound for Gaussian noise. "of the bound" is the speed relative to reading the data
and taking one NumPy exp a sample on the same cores. A new fit is one more entry in `CASES`.
"""

import argparse
import contextlib
import io
import logging
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit

from her2map.relaxometry import (
    ParameterMap,
    expected_precision,
    fit_inversion_recovery,
    fit_monoexponential,
    fit_vfa,
)
from her2map.relaxometry.engine import n_workers

Array = NDArray[np.floating[Any]]
SNR, M0 = 50.0, 1000.0
T2_ECHOES = 13.8 * np.arange(1, 9)
T2STAR_ECHOES = 3.54 * np.arange(1, 9)
UNEQUAL_ECHOES = T2_ECHOES + np.array([0.0, 0.1, 0.0, 0.3, 0.0, 0.2, 0.5, 0.0])
MOLLI_TI, INVERSION = np.array([106.0, 200.0, 1106.0, 1200.0, 2106.0, 2200.0, 3106.0, 4106.0]), 1.9
FLIP_ANGLES, TR = np.linspace(2.0, 20.0, 8), 5.0


@dataclass(frozen=True)
class Case:
    """A fit to be timed.

    Attributes:
        name: the row's heading.
        truth: the range from which the true values are drawn evenly.
        model: signals (n, voxels) of unit M0 at true values (voxels,), given B1 (voxels,).
        fit: HER2Map's fit of signals, given B1.
        target: million voxels a second on two cores, full output.
        peers: by name, a function of signals (n, voxels) float64 and B1 to values (voxels,); raises
            ImportError where the peer is absent.
        start: the SciPy loop's (M0, value).
        bound: of the relative SD at true values (voxels,) and a noise SD of 1, for a model of more parameters
            than M0 and the value; such a case brings its own SciPy loop among its peers.
    """

    name: str
    truth: tuple[float, float]
    model: Callable[[Array, Array], Array]
    fit: Callable[[Array, Array], ParameterMap]
    target: float
    start: tuple[float, float]
    peers: dict[str, Callable[[Array, Array], Array]] = field(default_factory=dict)
    bound: Callable[[Array], Array] | None = None

    def scipy_loop(self, signals: Array, b1: Array) -> Array:
        """Nonlinear least squares, one voxel at a time."""
        values = np.empty(signals.shape[1])
        for i, y in enumerate(signals.T):

            def curve(_: Array, m0: float, value: float, here: Array = b1[i : i + 1]) -> Array:
                return m0 * self.model(np.array([value]), here)[:, 0]

            values[i] = curve_fit(curve, np.arange(len(y)), y, p0=self.start, maxfev=5000)[0][1]
        return values


def decay(te: Array, t: Array, b1: Array) -> Array:
    return np.exp(-te[:, None] / t)


def ernst(t1: Array, b1: Array) -> Array:
    angle, e1 = np.radians(FLIP_ANGLES)[:, None] * b1, np.exp(-TR / t1)
    return np.sin(angle) * (1 - e1) / (1 - e1 * np.cos(angle))


def ukat_t2(te: Array, signals: Array, b1: Array) -> Array:
    from ukat.mapping.t2 import T2

    return T2(signals.T[None, None], te, np.eye(4), method="2p_exp").t2_map.ravel()


def ukat_t2star(te: Array, signals: Array, b1: Array) -> Array:
    from ukat.mapping.t2star import T2Star

    return T2Star(signals.T[None, None], te, np.eye(4), method="2p_exp").t2star_map.ravel()


def sepal_t2star(te: Array, signals: Array, b1: Array) -> Array:
    from sepal.t2star_fit import MultiEchoT2sNonLinear

    fitter = MultiEchoT2sNonLinear(te)
    return np.array([fitter.proc(y)[1] for y in signals.T])


def sepal_vfa(signals: Array, b1: Array) -> Array:
    from sepal.t1_fit import VFANonLinear

    fitter = VFANonLinear(FLIP_ANGLES, TR / 1000)
    return np.array([1000 * fitter.proc(y, k)[1] for y, k in zip(signals.T, b1, strict=True)])


def qmrpy_t2(te: Array, signals: Array, b1: Array) -> Array:
    from qmrpy.models.t2.mono_t2 import T2Mono

    fitter = T2Mono(te_ms=te)
    return np.array([fitter.fit(y)["t2_ms"] for y in signals.T])


def qmrpy_t2star(te: Array, signals: Array, b1: Array) -> Array:
    from qmrpy.models.t2star.r2star import T2StarMonoR2

    fitter = T2StarMonoR2(te_ms=te)
    return np.array([fitter.fit(y)["t2star_ms"] for y in signals.T])


def qmrpy_vfa_linear(signals: Array, b1: Array) -> Array:
    from qmrpy.models.t1.vfa_t1 import T1VFA

    return np.array(
        [
            T1VFA(flip_angle_deg=FLIP_ANGLES, tr_ms=TR, b1=float(k)).fit(y)["t1_ms"]
            for y, k in zip(signals.T, b1, strict=True)
        ]
    )


def molli(t1: Array, b1: Array) -> Array:
    return 1 - INVERSION * np.exp(-MOLLI_TI[:, None] * (INVERSION - 1) / t1)


def ukat_molli(signals: Array, b1: Array) -> Array:
    from ukat.mapping.t1 import T1

    return T1(signals.T[None, None], MOLLI_TI, np.eye(4), parameters=3, molli=True).t1_map.ravel()


def sepal_molli(signals: Array, b1: Array) -> Array:
    from sepal.t1_fit import IRSE

    fitter = IRSE(1e6, MOLLI_TI / 1000)  # its three free parameters hold no TR
    fits = np.array([fitter.proc(y)[:3] for y in signals.T])
    return 1000 * fits[:, 2] * (-fits[:, 1] / fits[:, 0] - 1)


def qmrpy_molli(signals: Array, b1: Array) -> Array:
    from qmrpy.models.t1.inversion_recovery import T1InversionRecovery

    fits = [T1InversionRecovery(ti_ms=MOLLI_TI).fit(y) for y in signals.T]
    return np.array([f["t1_ms"] * (-f["rb"] / f["ra"] - 1) for f in fits])


def scipy_molli(signals: Array, b1: Array) -> Array:
    def curve(ti: Array, a: float, b: float, t: float) -> Array:
        return np.abs(a - b * np.exp(-ti / t))

    fits = [curve_fit(curve, MOLLI_TI, y, p0=(M0, 2 * M0, 800.0), maxfev=5000)[0] for y in signals.T]
    return np.array([t * (b / a - 1) for a, b, t in fits])


def _decay_case(name: str, te: Array, t: tuple[float, float], quantity: str, **peers: Any) -> Case:
    return Case(
        name,
        t,
        partial(decay, te),
        lambda signals, b1: fit_monoexponential(signals, te, quantity=quantity),
        8.0,
        (M0, sum(t) / 2),
        {peer: partial(run, te) for peer, run in peers.items()},
    )


CASES = [
    _decay_case(
        "T2, equal echo spacing", T2_ECHOES, (40, 120), "T2", ukat=ukat_t2, sepal=sepal_t2star, qmrpy=qmrpy_t2
    ),
    _decay_case("T2, unequal echo spacing", UNEQUAL_ECHOES, (40, 120), "T2"),
    _decay_case(
        "T2*, equal echo spacing",
        T2STAR_ECHOES,
        (10, 50),
        "T2star",
        ukat=ukat_t2star,
        sepal=sepal_t2star,
        qmrpy=qmrpy_t2star,
    ),
    Case(
        "T1, flip angles and B1 map",
        (500, 2000),
        ernst,
        lambda signals, b1: fit_vfa(signals, FLIP_ANGLES, TR, b1),
        8.0,
        (M0, 1000.0),
        {"sepal": sepal_vfa, "qmrpy (linear)": qmrpy_vfa_linear},
    ),
    Case(
        "T1, MOLLI, signs by trial",
        (300, 1500),
        molli,
        lambda signals, b1: fit_inversion_recovery(signals, MOLLI_TI),
        1.0,
        (M0, 1000.0),
        {"ukat": ukat_molli, "sepal": sepal_molli, "qmrpy": qmrpy_molli, "scipy curve_fit": scipy_molli},
        lambda t1: expected_precision(MOLLI_TI, t1, snr=1.0, inversion=INVERSION),
    ),
]


def simulate(case: Case, voxels: int) -> tuple[Array, Array, Array, Array]:
    """Truth, B1, float32 magnitudes and the bound of the relative SD."""
    rng = np.random.default_rng(0)
    truth = rng.uniform(*case.truth, voxels)
    b1 = rng.uniform(0.8, 1.2, voxels)
    signals, bounds = [], []
    for part in np.array_split(np.arange(voxels), voxels // 50_000 + 1):
        value, field_ = truth[part], b1[part]
        s = case.model(value, field_)
        slope = (case.model(value * 1.00001, field_) - case.model(value * 0.99999, field_)) / 2e-5
        noise = s.max(axis=0) / SNR
        inner = (slope * slope).sum(axis=0) - (s * slope).sum(axis=0) ** 2 / (s * s).sum(axis=0)
        bounds.append(noise * (case.bound(value) if case.bound else 1 / np.sqrt(inner)))
        noisy = np.hypot(s + noise * rng.standard_normal(s.shape), noise * rng.standard_normal(s.shape))
        signals.append((M0 * noisy).astype(np.float32))
    return truth, b1.astype(np.float32), np.concatenate(signals, axis=1), np.concatenate(bounds)


def seconds(work: Callable[[], Any], repeats: int) -> tuple[list[float], float, Any]:
    """The wall-clock times, rising; the best CPU time of all cores together; and the last result."""
    wall, cpu = [], []
    for _ in range(repeats):
        start, cpu_start = time.perf_counter(), time.process_time()
        result = work()
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - cpu_start)
    return sorted(wall), min(cpu), result


def read_and_exp(signals: Array) -> None:
    """What no fit can do without: every sample read and put through one exp, on all cores, in chunks."""

    def run(start: int) -> None:
        np.exp(np.multiply(signals[:, start : start + 32768], -1e-3))

    with ThreadPoolExecutor(n_workers()) as pool:
        list(pool.map(run, range(0, signals.shape[1], 32768)))


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Peers print progress bars."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def peak_memory(case: Case, signals: Array, b1: Array) -> float:
    """Peak of what a fit allocates, with its input, in units of input and output."""
    tracemalloc.start()
    fitted = case.fit(signals, b1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    arrays = (fitted.value, fitted.standard_error, fitted.r_squared, fitted.status, fitted.m0)
    output = sum(array.nbytes for array in arrays)
    given = signals.nbytes + b1.nbytes
    return (given + peak) / (given + output)


def row(name: str, rate: float, ours: float, values: Array, truth: Array, bound: Array) -> str:
    """One line of the table."""
    good = np.isfinite(values) & (values > 0.2 * truth) & (values < 5 * truth)  # a peer's failed voxels
    error = (values / truth - 1)[good]
    ratio = np.var(error / bound[good])
    return (
        f"  {name:<16}{rate:>14,.0f}{ours / rate:>12,.1f}{100 * error.mean():>10.2f}{ratio:>12.3f}"
        f"{100 * good.mean():>10.1f}"
    )


def run_case(case: Case, voxels: int, peer_voxels: int) -> None:
    truth, b1, signals, bound = simulate(case, voxels)
    case.fit(signals[:, :1000], b1[:1000])
    taken, cpu, fitted = seconds(lambda: case.fit(signals, b1), 5)
    ours = voxels / taken[0]
    floor = seconds(lambda: read_and_exp(signals), 5)[0][0]
    print(f"\n{case.name}: {voxels:,} voxels; peers on {peer_voxels:,}")
    print(f"  {'':<16}{'voxels/s':>14}{'HER2Map is':>12}{'bias %':>10}{'var/bound':>12}{'fitted %':>10}")
    print(row("HER2Map", ours, ours, np.where(fitted.fitted, fitted.value, np.nan), truth, bound))
    few = slice(0, peer_voxels)
    small = signals[:, few].astype(np.float64)
    for name, peer in {"scipy curve_fit": case.scipy_loop, **case.peers}.items():
        try:
            with warnings.catch_warnings(), silence():
                warnings.simplefilter("ignore")
                peer(small[:, :5], b1[:5].astype(np.float64))
                peer_taken, _, values = seconds(lambda p=peer: p(small, b1[few].astype(np.float64)), 1)
        except ImportError:
            print(f"  {name:<16}{'absent: not installed':>26}")
            continue
        print(row(name, peer_voxels / peer_taken[0], ours, values, truth[few], bound[few]))
    print(
        f"  target {case.target:g} M voxels/s on two cores; {n_workers()} cores gave {ours / 1e6:.1f} M, "
        f"{voxels / taken[-1] / 1e6:.1f} M in the slowest of {len(taken)} runs;\n"
        f"  {voxels / cpu / 1e6:.1f} M a core by CPU time; {floor * ours / voxels:.2f} of the bound;\n"
        f"  reported SE / spread {_error_ratio(fitted, truth):.3f}; "
        f"peak memory {peak_memory(case, signals, b1):.2f} x (input + output)"
    )


def _error_ratio(fitted: ParameterMap, truth: Array) -> float:
    ok = fitted.fitted
    error = (fitted.value - truth)[ok]
    return float(np.sqrt(np.mean(fitted.standard_error[ok].astype(float) ** 2) / np.mean(error**2)))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer voxels: seconds instead of a minute")
    quick = parser.parse_args().quick
    logging.disable(logging.WARNING)
    for case in CASES:
        run_case(case, *((400_000, 100) if quick else (4_000_000, 1000)))


if __name__ == "__main__":
    main()
