"""Does the score's 95 % interval hold the probability without errors in 93 to 97 % of cases?

    python Testing/benchmarks/score_coverage.py --output HER2MapExtension/docs/score_coverage.md

Every case is a small piece of a breast with a tumour, simulated as raw signals (multi-echo gradient echo;
variable flip angles after contrast), fitted by the library, and read by virtual readers whose contours are
measured by the library's ROI rule. Errors: image noise, one B1 error an exam, each map displaced against the
image that is drawn on, contours of every repeat and reader, and the coefficients of a model that was trained
on other cases' readings. It takes ten to fifteen minutes on two cores.
"""

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from scipy.special import expit

from her2map.acquired import CaseAcquired
from her2map.exam import ExamValues
from her2map.geometry import Geometry
from her2map.phantom.signals import spoiled_gradient_echo
from her2map.relaxometry import ParameterMap, fit_monoexponential, fit_vfa
from her2map.reproduce.readers import VirtualReader
from her2map.roi import Roi, measure
from her2map.score import ModelCard, Readings, assess, demo_card
from her2map.score.case import ScoreCase
from her2map.score.exam_case import B1_MAPPED, UNREGISTERED_MM, case_of_exam, placement_sds
from her2map.score.reading_errors import reading_errors
from her2map.statistics.logistic import logistic

Array = NDArray[np.float64]

CARDS, TRAINING, JUDGED = 100, 158, 20
"""Models, cases that each is trained on, and other cases that it judges."""
SHAPE, VOXEL_MM = (5, 26, 26), (1.5, 1.5, 3.0)
ECHOES_MS, FLIP_ANGLES, TR_MS = np.arange(1, 9) * 4.5, np.array([2.0, 5.0, 10.0, 15.0]), 5.0
SNR, POOR_SNR = 80.0, 40.0
"""Of the first echo, and of the brightest flip angle."""
NAMES = ("T1_post", "T2star")
HABIT_MM = 0.7
"""SD, along each axis in the plane, of where a reader sees the tumour; drawn for every case and reader."""
DRAWING = VirtualReader("drawing", 1.0, slice_slip=0.0)
SLIPPING = VirtualReader("slipping", 1.0)
STEADY = VirtualReader("steady", 1.0, size_sd=0.0, shift_mm=0.0, wobble=0.0, slice_slip=0.0)
TRUE = np.array([-7.0, -1.2, 0.2, 0.006])
"""Of the outcome: intercept, ER, T2* and T1 after contrast in ms."""
ACQUIRED = CaseAcquired(3.0, {"T1_post": "vfa", "T2star": "multi_echo_gradient_echo"})


@dataclass(frozen=True)
class Errors:
    """Which errors the simulation has; all of them by default.

    Attributes:
        snr: infinite without noise.
        b1_sd: relative.
        placement_mm: SD along each axis.
        repeats: how a reader's contours vary.
        habit_mm: see `HABIT_MM`.
    """

    snr: float = SNR
    b1_sd: float = B1_MAPPED
    placement_mm: float = UNREGISTERED_MM
    repeats: VirtualReader = DRAWING
    habit_mm: float = HABIT_MM


NONE = Errors(np.inf, 0.0, 0.0, STEADY, 0.0)


@dataclass(frozen=True, eq=False)
class Read:
    """One case.

    Attributes:
        er: 0 or 1.
        truth: T1_post and T2star without any error over the true contour, in ms.
        readings: a row a reading: reader, T1_post, T2star.
        case: of the readings together, as the score is given it; of the first one alone in `once`.
    """

    er: float
    truth: Array
    readings: pd.DataFrame
    case: ScoreCase
    once: ScoreCase


def read_case(number: int, errors: Errors) -> Read:
    """Simulate, fit and read case `number`; the same number is the same tumour whatever the errors are."""
    rng = np.random.default_rng([7, number])
    geometry = Geometry(SHAPE, np.diag([*VOXEL_MM, 1.0]))
    middle = ((np.array(SHAPE[::-1]) - 1) / 2 + rng.uniform(-0.5, 0.5, 3) * [1, 1, 0]) * VOXEL_MM
    er = float(rng.random() < 0.7)
    means = np.exp(rng.normal(np.log([520.0, 27.0]), [0.22, 0.18]))
    true = _tumour(middle, means, rng)
    maps = _fitted(true, errors, np.random.default_rng([8, number]))
    roi = Roi.circle(middle, [0, 0, 1], rng.uniform(5.5, 8.0), VOXEL_MM[2])
    exact = np.array([measure(_exact(true[name]), geometry, roi).value for name in NAMES])
    rng = np.random.default_rng([9, number])
    moves = {name: _moved(errors.placement_mm * rng.standard_normal(3)) for name in NAMES}
    found = [
        (reader, contour, _values(maps, geometry, contour, moves))
        for reader, contour in _drawn(roi, errors, rng)
    ]
    placed = dict.fromkeys(NAMES, 0.0)
    if errors.placement_mm:  # nobody knows where the map lies: the spread is found at its displaced place
        first, grids = found[0][1], {name: (maps[name], geometry) for name in NAMES}
        for name in NAMES:
            placed |= placement_sds(grids, first.transformed(moves[name]), [name])
    rows = pd.DataFrame(
        [
            {"case": number, "reader": reader, **{name: values.values[name].value for name in NAMES}}
            for reader, _, values in found
        ]
    )
    once = replace(case_of_exam(found[0][2], bool(er), ACQUIRED, placed), b1_relative_sd=errors.b1_sd)
    together = _together(once, rows, found)
    return Read(er, exact, rows, together, once)


def _tumour(middle: Array, means: Array, rng: np.random.Generator) -> dict[str, Array]:
    """T1 after contrast and T2* in ms: a tumour that is not alike everywhere, in glandular tissue."""
    index = np.stack(np.meshgrid(*(np.arange(n) for n in SHAPE), indexing="ij"), axis=-1)[..., ::-1]
    away = index * VOXEL_MM - middle
    inside = np.clip((rng.uniform(11, 13) - np.linalg.norm(away * [1, 1, 1.2], axis=-1)) / 1.5 + 0.5, 0, 1)
    true = {}
    for name, mean, tissue in zip(NAMES, means, (900.0, 35.0), strict=True):
        slope = rng.normal(0, 0.012, 3)
        true[name] = inside * mean * np.exp(away @ slope) + (1 - inside) * tissue
    return true


def _fitted(true: dict[str, Array], errors: Errors, rng: np.random.Generator) -> dict[str, ParameterMap]:
    angles = np.deg2rad(FLIP_ANGLES)
    ernst = np.stack([spoiled_gradient_echo(true["T1_post"], TR_MS, angle) for angle in angles])
    decay = np.exp(-ECHOES_MS[:, None, None, None] / true["T2star"])
    noise, method = None, "least_squares"
    if np.isfinite(errors.snr):
        noise, method = _sd(decay, errors.snr), "rician"
    believed = np.full(SHAPE, 1.0 + errors.b1_sd * rng.standard_normal())
    return {
        "T1_post": fit_vfa(_noisy(ernst, errors.snr, rng), FLIP_ANGLES, TR_MS, believed),
        "T2star": fit_monoexponential(
            _noisy(decay, errors.snr, rng), ECHOES_MS, noise, method, quantity="T2star"
        ),
    }


def _noisy(signal: Array, snr: float, rng: np.random.Generator) -> Array:
    real, imaginary = _sd(signal, snr) * rng.standard_normal((2, *signal.shape))
    return np.hypot(signal + real, imaginary)


def _sd(signal: Array, snr: float) -> float:
    return float(np.median(signal.max(axis=0))) / snr


def _exact(values: Array) -> ParameterMap:
    nothing = np.zeros_like(values)
    return ParameterMap(values, nothing, nothing, np.ones(values.shape, np.uint8), values, "T", "ms", "true")


def _drawn(roi: Roi, errors: Errors, rng: np.random.Generator) -> Iterator[tuple[str, Roi]]:
    """Both readers' three contours."""
    for reader in ("A", "B"):
        seen = roi.transformed(_moved(errors.habit_mm * rng.standard_normal(3) * [1, 1, 0]))
        for _ in range(3):
            yield reader, errors.repeats.draw(seen, VOXEL_MM[2], rng)


def _moved(offset: Array) -> Array:
    move = np.eye(4)
    move[:3, 3] = offset
    return move


def _values(
    maps: dict[str, ParameterMap], geometry: Geometry, contour: Roi, moves: dict[str, Array]
) -> ExamValues:
    values = {name: measure(maps[name], geometry, contour.transformed(moves[name])) for name in NAMES}
    return ExamValues(contour, values)


def _together(once: ScoreCase, rows: pd.DataFrame, found: Sequence[tuple[str, Roi, ExamValues]]) -> ScoreCase:
    """The mean over the readers of the median of their repeats, as a study takes it."""
    means = rows.groupby("reader")[list(NAMES)].median().mean()
    maps = {
        name: replace(
            one,
            value=float(means[name]),
            standard_error=float(np.median([v.values[name].standard_error for _, _, v in found])),
        )
        for name, one in once.maps.items()
    }
    return replace(once, maps=maps, readings=Readings(2, 3, reading_errors(rows)))


def trained(reads: Sequence[Read], rng: np.random.Generator) -> ModelCard:
    """A card from the readings of cases whose outcome is drawn from the true model."""
    outcome = (rng.random(len(reads)) < true_probability(reads)).astype(float)
    columns = {name: np.array([_of(one, name) for one in reads]) for name in ("T2star", "T1_post")}
    fit = logistic(outcome, {"er": np.array([one.er for one in reads]), **columns})
    errors = reading_errors(pd.concat([one.readings for one in reads]))
    return replace(
        KNOWN,
        coefficients=tuple(map(float, fit.coefficients)),
        covariance=tuple(tuple(map(float, row)) for row in fit.covariance),
        errors=errors,
    )


def known_with_errors(reads: Sequence[Read], rng: np.random.Generator) -> ModelCard:
    """The true model, with the errors of these readings."""
    return replace(KNOWN, errors=reading_errors(pd.concat([one.readings for one in reads])))


def known(reads: Sequence[Read], rng: np.random.Generator) -> ModelCard:
    """The true model; nothing is known of readings."""
    return KNOWN


def true_probability(reads: Sequence[Read]) -> Array:
    """(n,) of the outcome, without any error."""
    return np.asarray(expit(np.array([[1.0, one.er, one.truth[1], one.truth[0]] for one in reads]) @ TRUE))


def _of(read: Read, name: str) -> float:
    return read.case.maps[name].value


def _known() -> ModelCard:
    """The demonstration card with the true coefficients, and without limits that would refuse a case."""
    card = demo_card()
    nothing = tuple((0.0,) * len(TRUE) for _ in TRUE)
    wide = tuple(replace(one, minimum=-1e4, maximum=1e4) for one in card.predictors)
    return replace(
        card, predictors=wide, coefficients=tuple(map(float, TRUE)), covariance=nothing, errors=None,
        minimum_coverage=0.1,
    )  # fmt: skip


KNOWN = _known()


@dataclass(frozen=True)
class Trial:
    """What is simulated, and what the score is given.

    Attributes:
        errors: of the simulation.
        card: from the reads that a model is trained on.
        case: of a read.
    """

    name: str
    errors: Errors
    card: Callable[[Sequence[Read], np.random.Generator], ModelCard]
    case: Callable[[Read], ScoreCase]


def together(read: Read) -> ScoreCase:
    """Two readers, three times each."""
    return read.case


def once(read: Read) -> ScoreCase:
    """One drawing."""
    return read.once


TRIALS = (
    Trial("all sources, two readers three times", Errors(), trained, together),
    Trial("all sources, one drawing", Errors(), trained, once),
    Trial("image noise alone", replace(NONE, snr=SNR), known, once),
    Trial("image noise alone, half the SNR", replace(NONE, snr=POOR_SNR), known, once),
    Trial("B1 alone", replace(NONE, b1_sd=B1_MAPPED), known, once),
    Trial("placement alone", replace(NONE, placement_mm=UNREGISTERED_MM), known, once),
    Trial("repeats alone, one drawing", replace(NONE, repeats=DRAWING), known_with_errors, once),
    Trial("repeats alone, two readers thrice", replace(NONE, repeats=DRAWING), known_with_errors, together),
    Trial("the same, another slice in 15 %", replace(NONE, repeats=SLIPPING), known_with_errors, together),
    Trial("readers alone, one", replace(NONE, habit_mm=HABIT_MM), known_with_errors, once),
    Trial("readers alone, two", replace(NONE, habit_mm=HABIT_MM), known_with_errors, together),
    Trial("coefficients alone", NONE, trained, together),
)  # fmt: skip


@dataclass(frozen=True)
class Found:
    """Of one trial.

    Attributes:
        covered: the part of the intervals that hold the probability without errors.
        cases: judged.
        width: mean of the intervals, in probability.
        shares: mean part of each source.
        change, changed: of one drawing: the mean probability that another one changes the call, and the part
            of cases in which the other reader's first drawing did; NaN where no reading was repeated.
    """

    name: str
    covered: float
    cases: int
    width: float
    shares: dict[str, float]
    change: float
    changed: float


def run(trial: Trial, reads: Sequence[Read], cards: int, judged: int) -> Found:
    """Train `cards` models on `TRAINING` cases each, and judge `judged` others by each."""
    rng = np.random.default_rng(11)
    rows, shares = [], []
    for number in range(cards):
        own = range(number * judged, (number + 1) * judged)
        others = rng.permutation([i for i in range(len(reads)) if i not in own])[:TRAINING]
        card = trial.card([reads[i] for i in others], rng)
        tested = [reads[i] for i in own]
        for read, probability in zip(tested, true_probability(tested), strict=True):
            said = assess(card, trial.case(read))
            zone = said.grey_zone
            other = replace(read.once, maps=_second(read))
            flipped = assess(card, other).call != said.call
            rows.append((said.low <= probability <= said.high, said.high - said.low, zone.change, flipped))
            shares.append({name: share.part for name, share in said.shares.items()})
    covered, width, change, flipped = np.array(rows, float).mean(axis=0)
    means = pd.DataFrame(shares).mean().to_dict()
    repeated = trial.case is once and trial.card is not known
    return Found(
        trial.name, covered, len(rows), width, means,
        change if repeated else np.nan, flipped if repeated else np.nan,
    )  # fmt: skip


def _second(read: Read) -> dict[str, object]:
    """The values of the other reader's first drawing."""
    other = read.readings[read.readings["reader"] == "B"].iloc[0]
    return {name: replace(one, value=float(other[name])) for name, one in read.once.maps.items()}


def simulate(errors: Errors, count: int, workers: int) -> list[Read]:
    """Cases 0 to `count` - 1."""
    parts = np.array_split(np.arange(count), max(count // 50, 1))
    found = Parallel(n_jobs=workers)(delayed(_reads)(part, errors) for part in parts)
    return [read for part in found for read in part]


def _reads(numbers: Array, errors: Errors) -> list[Read]:
    return [read_case(int(number), errors) for number in numbers]


def table(found: Sequence[Found]) -> str:
    """As markdown."""
    lines = [
        "| Errors | Cases | Covered | Mean width | Shares: noise, B1, placement, repeats, readers, model "
        "| Change said | Calls changed |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in found:
        shares = ", ".join(f"{100 * part:.0f}" for part in one.shares.values())
        repeated = [f"{100 * x:.1f} %" if np.isfinite(x) else "–" for x in (one.change, one.changed)]
        lines.append(
            f"| {one.name} | {one.cases} | {100 * one.covered:.1f} % | {one.width:.3f} | {shares} % | "
            f"{repeated[0]} | {repeated[1]} |"
        )
    return "\n".join(lines)


DOCUMENT = """# Does the score's interval hold the truth?

Written by `python Testing/benchmarks/score_coverage.py --output HER2MapExtension/docs/score_coverage.md`.

The 95 % interval of a case's probability should hold, in 93 to 97 % of cases, the probability that the true
coefficients give of the tumour's true values over the true contour. Simulated are {cards} models, each
trained on {training} cases and judged on {judged} others; every case from raw signals through the library's
fits, its ROI rule and its virtual readers to the score. Where one source is named alone, the simulation has
no other error, and the interval holds no other share.

{table}

- *Change said* is the mean probability that another drawing changes the call, *calls changed* how often the
  other reader's first drawing did.
- At half the SNR the fit of T1 errs by more than its standard error tells: what noise shifts, in the second
  order, is no part of the interval.
- A reader who takes another slice now and then has outliers. The median of three keeps them out better than
  normal errors would let it, so the interval is then a little too wide.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--output", type=Path, help="write the table into this Markdown file, between its text"
    )
    parser.add_argument("--cards", type=int, default=CARDS)
    parser.add_argument("--only", default="", help="trials whose name has this text")
    options = parser.parse_args()
    found, simulated = [], {}
    for trial in (one for one in TRIALS if options.only in one.name):
        if trial.errors not in simulated:
            simulated = {trial.errors: simulate(trial.errors, options.cards * JUDGED, os.cpu_count() or 1)}
        found.append(run(trial, simulated[trial.errors], options.cards, JUDGED))
        print(table(found[-1:]).splitlines()[-1], flush=True)
    if options.output:
        options.output.write_text(
            DOCUMENT.format(table=table(found), cards=options.cards, training=TRAINING, judged=JUDGED),
            encoding="utf-8",
        )


if __name__ == "__main__":
    main()
