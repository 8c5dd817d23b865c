"""`her2map analyze` with the paper's cohort and one of four times its size; its bootstrap beside a peer's.

Run from the project's root: ``python Testing/benchmarks/cohort.py [--cases 178 712] [--bootstraps 2000]``.

The whole command runs as a process of its own, from a wide table of two readers with three repeats each to
the report: wall time, processor time, and the most memory that it held. The bootstrap, one model of three
predictors without selection, is timed beside the loop that one would write: statsmodels' Logit for the fit
and scikit-learn's roc_auc_score for the figures, in the same process and run. Both correct the area for its
optimism, each with resamples of its own; ours gives Brier score, calibration and .632+ besides.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import statsmodels.api as sm
from sklearn.metrics import roc_auc_score

sys.path.insert(0, str(Path(__file__).parents[1]))

from cohort_data import READERS, simulated_cohort, write_cohort
from her2map.phantom.cohort import Cohort, simulate
from her2map.statistics import bootstrap

PAPER = {"zero": 20, "low": 72, "positive": 86}
TARGET_S = 60.0
"""Of the paper's 178 cases with 2,000 bootstraps."""


class Cost(NamedTuple):
    """Of one run of the command."""

    wall_s: float
    processor_s: float
    memory_mb: float


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, nargs="+", default=[178, 712])
    parser.add_argument("--bootstraps", type=int, default=2000)
    options = parser.parse_args()
    print(f"her2map analyze, {options.bootstraps} bootstraps, two readers x three repeats")
    print(f"{'cases':>6} {'wall s':>8} {'CPU s':>8} {'peak MB':>8}")
    costs = {}
    for cases in options.cases:
        costs[cases] = cost = analyze(cases, options.bootstraps)
        print(f"{cases:6} {cost.wall_s:8.1f} {cost.processor_s:8.1f} {cost.memory_mb:8.0f}")
    first, last = options.cases[0], options.cases[-1]
    ratio = costs[last].wall_s / costs[first].wall_s
    print(f"{last / first:.2f} times the cases take {ratio:.2f} times as long; 178 may take {TARGET_S:g} s")
    compare(options.bootstraps)


def analyze(cases: int, bootstraps: int) -> Cost:
    """The command on a cohort whose groups have the paper's shares."""
    scale = cases / sum(PAPER.values())
    groups = {name: round(count * scale) for name, count in PAPER.items()}
    groups["positive"] += cases - sum(groups.values())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        values, pathology = write_cohort(folder, simulated_cohort(**groups), READERS)
        command = [sys.executable, "-m", "her2map", "analyze", values, "--pathology", pathology]
        command += ["--output", folder / "out", "--bootstraps", str(bootstraps)]
        start = time.perf_counter()
        with (folder / "said.txt").open("w") as said:
            process = subprocess.Popen(list(map(str, command)), stdout=said, stderr=said)
            _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - start
        if process.returncode or not (folder / "out" / "report.html").is_file():
            raise SystemExit((folder / "said.txt").read_text(encoding="utf-8"))
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def compare(resamples: int) -> None:
    """Our bootstrap beside the loop, on one cohort of 72 HER2-low and 86 HER2-positive cases."""
    cohort = simulate(1)
    print(
        f"\noptimism bootstrap of er + T2star + T1_post, {resamples} resamples of {len(cohort.T2star)} cases"
    )
    print(f"{'':32} {'s':>8} {'ratio':>8} {'AUC corrected':>14}")
    ours, reference = timed(lambda: our_area(cohort, resamples))
    theirs, peer = timed(lambda: loop_area(cohort, resamples))
    print(f"{'her2map.statistics.bootstrap':32} {reference:8.2f} {1:8.1f} {ours:14.4f}")
    print(f"{'statsmodels + scikit-learn loop':32} {peer:8.2f} {peer / reference:8.1f} {theirs:14.4f}")


def timed(call: Callable[[], float]) -> tuple[float, float]:
    """What `call` gives, and its processor time in s: other work on the machine counts least."""
    start = time.process_time()
    found = call()
    return found, time.process_time() - start


def our_area(cohort: Cohort, resamples: int) -> float:
    predictors = dict(zip(("er", "T2star", "T1_post"), cohort.design[:, 1:].T, strict=True))
    return bootstrap(cohort.her2_positive, predictors, None, resamples=resamples).auc.corrected.value


def loop_area(cohort: Cohort, resamples: int) -> float:
    outcome, design = cohort.her2_positive, cohort.design
    rng, optimism = np.random.default_rng(1), []
    for _ in range(resamples):
        drawn = rng.integers(0, len(outcome), len(outcome))
        fit = sm.Logit(outcome[drawn], design[drawn]).fit(disp=0)
        inside = roc_auc_score(outcome[drawn], fit.predict())
        optimism.append(inside - roc_auc_score(outcome, fit.predict(design)))
    apparent = roc_auc_score(outcome, sm.Logit(outcome, design).fit(disp=0).predict())
    return float(apparent - np.mean(optimism))


if __name__ == "__main__":
    main()
