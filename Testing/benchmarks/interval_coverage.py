"""How often the 95 % intervals of the statistics cover the truth, over simulated cohorts.

Run from the project's root:
``python Testing/benchmarks/interval_coverage.py [--cohorts 1000]``; with
``--write HER2MapExtension/docs/coverage.md`` it writes the page of the documentation.

Each cohort has the paper's size, and a truth that is known: areas under the curve by the making of the
population; odds ratios of an outcome drawn from the logistic model itself; readings with stated variances.
Exit status 1 where an interval covers less or more often than it may. The second table shows what becomes of
intervals whose premises do not hold; it is shown, not judged.

It is not called coverage.py: from this folder that would hide the package of that name from numba, which
the peers of fits.py import.
"""

import argparse
import math
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import scipy

from her2map.cli.common import progress_bar
from her2map.files import write_text
from her2map.phantom.cohort import AUC_T1_POST, AUC_T2STAR, simulate
from her2map.progress import Progress, no_progress
from her2map.report.tables import aligned
from her2map.statistics import Direction, Estimate, bland_altman, icc, logistic, repeatability, roc

SCRIPT = "Testing/benchmarks/interval_coverage.py"
SEED = 20260227
ALLOWED = (0.93, 0.97)
CASES, REPEATS = 178, 3
MEAN, CASE_SD, READING_SD, READER_SD = 28.0, 6.0, 0.84, 0.28
"""T2* in ms: cases differ by 21 %, readings of one case by 3 %, readers by 1 %."""
READING_CV = 0.03
LIMIT = 1.959963984540054 * math.sqrt(2) * READING_SD
"""95 % of the differences of two readings of one case lie within it."""
TRUE_MODEL = (-7.62574, -1.20295, 0.198655, 0.00629583)
"""Intercept, ER, T2* and T1 after contrast in ms: the model of the simulated population."""


@dataclass(frozen=True)
class Checked:
    """One interval beside the truth; NaN where the statistic has none, which counts as a miss."""

    name: str
    truth: float
    low: float
    high: float


Scenario = Callable[[np.random.Generator], Iterator[Checked]]


@dataclass(frozen=True)
class Row:
    """How often an interval covered the truth, and how often this lay below and above it."""

    name: str
    cohorts: int
    covered: int
    below: int
    above: int

    @property
    def share(self) -> float:
        return self.covered / self.cohorts

    @property
    def error(self) -> float:
        """Monte-Carlo standard error of the share."""
        return math.sqrt(self.share * (1 - self.share) / self.cohorts)

    @property
    def allowed(self) -> bool:
        return ALLOWED[0] <= self.share <= ALLOWED[1]


def areas(rng: np.random.Generator) -> Iterator[Checked]:
    """Of markers in the paper's cohort: 72 HER2-low and 86 HER2-positive cases."""
    cohort = simulate(1, int(rng.integers(2**63)))
    for name, truth in (("T2star", AUC_T2STAR), ("T1_post", AUC_T1_POST)):
        curve = roc(cohort.her2_positive, getattr(cohort, name), Direction.HIGHER)
        yield checked(f"AUC of {name} ({truth:.3f}), DeLong", truth, curve.auc)
        yield checked(f"AUC of {name} ({truth:.3f}), DeLong on the logit scale", truth, curve.auc_logit)


def odds_ratios(rng: np.random.Generator) -> Iterator[Checked]:
    """158 cases with the paper's predictors, and an outcome drawn from `TRUE_MODEL`."""
    cohort = simulate(1, int(rng.integers(2**63)))
    coefficients = np.array(TRUE_MODEL)
    outcome = rng.random(len(cohort.design)) < 1 / (1 + np.exp(-(cohort.design @ coefficients)))
    names = ("er", "T2star", "T1_post")
    fit = logistic(outcome.astype(float), dict(zip(names, cohort.design[:, 1:].T, strict=True)))
    for name, truth in zip(names, np.exp(coefficients[1:]), strict=True):
        term = fit.term(name)
        yield checked(f"odds ratio of {name} ({truth:.4f}), Wald", truth, term.odds_ratio)
        yield checked(f"odds ratio of {name} ({truth:.4f}), profile", truth, term.odds_ratio_profile)


def agreement(rng: np.random.Generator) -> Iterator[Checked]:
    """178 cases, two readers, three repeats; cases, readers and readings with normal deviations."""
    habits = READER_SD * rng.standard_normal(2)
    case = MEAN + CASE_SD * rng.standard_normal((CASES, 1, 1))
    readings = case + habits[:, None] + READING_SD * rng.standard_normal((CASES, 2, REPEATS))
    truth = CASE_SD**2 / (CASE_SD**2 + READING_SD**2)
    yield from both_icc("three repeats of a reader", readings[:, 0], truth, truth)
    between = CASE_SD**2 / (CASE_SD**2 + READER_SD**2 + READING_SD**2)
    yield from both_icc("two of all readers, SD 1 %", readings[:, :, 0], between, truth)
    own = repeatability(readings[:, 0])
    yield checked("within SD, three repeats", READING_SD, own.within_sd)
    yield checked("repeatability coefficient, three repeats", LIMIT, own.repeatability_coefficient)
    pair = bland_altman(readings[:, 0, 0], readings[:, 1, 0])
    bias = float(habits[0] - habits[1])
    yield checked("Bland-Altman, bias", bias, pair.bias)
    yield checked("Bland-Altman, lower limit", bias - LIMIT, pair.lower)
    yield checked("Bland-Altman, upper limit", bias + LIMIT, pair.upper)


def constant_cv(rng: np.random.Generator) -> Iterator[Checked]:
    """The premise of the within-case CV: an error in proportion to the case's value."""
    yield checked("within CV, three repeats", READING_CV, repeatability(proportional(rng)).within_cv)


def any_readers(share: float, rng: np.random.Generator) -> Iterator[Checked]:
    """Two of all readers, whose habits have an SD of this share of the mean; the truth is that of all."""
    habits = share * MEAN * rng.standard_normal(2)
    yield two_readers(f"two of all readers, SD {100 * share:g} %", share, habits, rng)


def same_readers(share: float, rng: np.random.Generator) -> Iterator[Checked]:
    """The same two readers in every cohort; the truth is theirs."""
    habits = share * MEAN * np.array([-1.0, 1.0]) / math.sqrt(2)
    yield two_readers(f"the same two readers, SD {100 * share:g} %", share, habits, rng)


def two_readers(of: str, share: float, habits: np.ndarray, rng: np.random.Generator) -> Checked:
    """ICC(2,1) of one reading each."""
    case = MEAN + CASE_SD * rng.standard_normal((CASES, 1))
    found = icc(case + habits + READING_SD * rng.standard_normal((CASES, 2))).agreement
    truth = CASE_SD**2 / (CASE_SD**2 + (share * MEAN) ** 2 + READING_SD**2)
    return Checked(f"ICC(2,1), {of}", truth, found.low, found.high)


def not_normal(rng: np.random.Generator) -> Iterator[Checked]:
    """Cases from the paper's population, log-normal, read with an error in proportion to the value."""
    mean_square, variance = population()
    reading = READING_CV**2 * mean_square
    readings = proportional(rng)
    truth = variance / (variance + reading)
    yield from both_icc("three repeats, log-normal cases, constant CV", readings, truth, truth)
    own = repeatability(readings)
    yield checked("within SD, log-normal cases, constant CV", math.sqrt(reading), own.within_sd)


JUDGED: dict[str, Scenario] = {
    "areas": areas,
    "odds ratios": odds_ratios,
    "agreement": agreement,
    "constant CV": constant_cv,
}
BEYOND: dict[str, Scenario] = {
    "readers 2 %": partial(any_readers, 0.02),
    "readers 4 %": partial(any_readers, 0.04),
    "same readers 2 %": partial(same_readers, 0.02),
    "same readers 4 %": partial(same_readers, 0.04),
    "not normal": not_normal,
}


def checked(name: str, truth: float, found: Estimate) -> Checked:
    return Checked(name, float(truth), found.low, found.high)


def both_icc(of: str, readings: np.ndarray, agreement: float, consistency: float) -> Iterator[Checked]:
    """ICC(2,1) and ICC(3,1) of readings (cases, readings) with these true values."""
    pair = icc(readings)
    for name, truth, found in zip(("2,1", "3,1"), (agreement, consistency), pair, strict=True):
        yield Checked(f"ICC({name}), {of}", truth, found.low, found.high)


def proportional(rng: np.random.Generator) -> np.ndarray:
    """(158, repeats) readings of T2star in a cohort of the paper, each with an error of 3 %."""
    case = simulate(1, int(rng.integers(2**63))).T2star[:, None]
    return case * (1 + READING_CV * rng.standard_normal((len(case), REPEATS)))


@lru_cache
def population() -> tuple[float, float]:
    """Mean square and variance of T2star, of a draw so large that its error does not count."""
    values = simulate(5000).T2star
    return float((values**2).mean()), float(values.var())


def count(scenarios: dict[str, Scenario], cohorts: int, seed: int, progress: Progress) -> list[Row]:
    """A row an interval. Every cohort of every scenario has a random stream of its own."""
    tally: dict[str, list[int]] = {}
    for i in range(cohorts):
        for name, scenario in scenarios.items():
            for one in scenario(np.random.default_rng([seed, i, *name.encode()])):
                counts = tally.setdefault(one.name, [0, 0, 0])
                counts[0] += one.low <= one.truth <= one.high
                counts[1] += one.truth < one.low
                counts[2] += one.truth > one.high
        progress((i + 1) / cohorts)
    return [Row(name, cohorts, *counts) for name, counts in tally.items()]


def lines(rows: list[Row]) -> list[list[str]]:
    """The table as texts, a header first; all but the names in percent."""
    found = [["interval", "covers / %", "± SE", "truth below", "truth above"]]
    for row in rows:
        ends = [f"{100 * n / row.cohorts:.1f}" for n in (row.below, row.above)]
        found.append([row.name, f"{100 * row.share:.1f}", f"{100 * row.error:.1f}", *ends])
    return found


def page(judged: list[Row], beyond: list[Row], command: str) -> str:
    """Both tables in Markdown, with what it takes to make them again."""
    cohorts = judged[0].cohorts
    low, high = (f"{100 * limit:.0f}" for limit in ALLOWED)
    versions = f"her2map {version('her2map')}, Python {platform.python_version()}, NumPy {np.__version__}, "
    return PAGE.format(
        cohorts=f"{cohorts:,}",
        low=low,
        high=high,
        sampling=f"{100 * math.sqrt(0.95 * 0.05 / cohorts):.1f}",
        judged=markdown(lines(judged)),
        beyond=markdown(lines(beyond)),
        command=command,
        versions=f"{versions}SciPy {scipy.__version__}",
    )


def markdown(table: list[list[str]]) -> str:
    head, *rows = table
    rule = ["---", *["---:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))


PAGE = """# How often the 95 % intervals cover the truth

Each interval was computed in {cohorts} simulated cohorts whose truth is known. A good one covers the truth in
95 % of them. By chance such a share differs from that with a standard error of {sampling} percentage points;
{low} to {high} % are allowed. *Truth below* and *truth above* are the misses: the truth lies under the
interval or over it.

{judged}

- **Areas**: 72 HER2-low and 86 HER2-positive cases of the population in `her2map.phantom.cohort`, whose areas
  are 0.800 and 0.762 by its making.
- **Odds ratios**: 158 cases with the predictors of that population; the outcome is drawn from the model of
  the simulated population, so that its coefficients are the truth. All three are in one model.
- **Agreement**: 178 cases, two readers, three repeats, all normal: mean 28 ms, SD of the cases 6 ms, of the
  readers 0.28 ms (1 %), of a reading 0.84 ms (3 %). Two readers are compared by one reading each; the limits
  of agreement are those of the cohort's two readers. The within CV is of T2* in the paper's population, with
  an error of 3 % of each case's value.

## Where premises do not hold

These are shown, not judged.

{beyond}

- **ICC(2,1) between two readers** takes them for a random sample of all readers. How much readers differ is
  not to be learnt from two. Where they differ by more than two fifths of a reading's error (here 3 %, 178
  cases), the interval of McGraw and Wong, which R's psych and irr give as well, covers the ICC of all readers
  too rarely (see Ionan et al., BMC Med Res Methodol 2014;14:121). For the two readers of the study themselves
  it is wider than it need be. Read it for these two, and see the bias between them in Bland-Altman.
- **Cases that are not normal**: T2* of the paper's population is log-normal, and its readings err in
  proportion to the value. The intervals of the ICC and of the within SD take each as normal with one spread;
  that of the within CV, in the first table, is made for such readings.

Made by `{command}`; {versions}.
"""


def main(arguments: list[str] | None = None) -> int:
    """Print the tables; 1 where an interval covers less or more often than it may."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cohorts", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--write", type=Path, metavar="FILE", help="the tables as Markdown")
    options = parser.parse_args(arguments)
    with progress_bar("Cohorts") as progress:
        rows = count(JUDGED | BEYOND, options.cohorts, options.seed, progress)
    beyond_names = {row.name for row in count(BEYOND, 1, options.seed, no_progress)}
    judged = [row for row in rows if row.name not in beyond_names]
    beyond = [row for row in rows if row.name in beyond_names]
    print(f"{options.cohorts} cohorts, seed {options.seed}\n{aligned(lines(judged), right_from=1)}")
    print(f"\nWhere premises do not hold (not judged)\n{aligned(lines(beyond), right_from=1)}")
    outside = [row.name for row in judged if not row.allowed]
    print(f"\nOutside 93 to 97 %: {'; '.join(outside) or 'none'}")
    if options.write:
        command = f"python {SCRIPT} --cohorts {options.cohorts} --seed {options.seed}"
        write_text(options.write, page(judged, beyond, command))
    return 1 if outside else 0


if __name__ == "__main__":
    sys.exit(main())
