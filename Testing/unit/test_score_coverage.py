"""The benchmark of the score's interval in small: cases are covered, and not where a share is left out."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import score_coverage
from score_coverage import JUDGED, NONE, TRIALS, Trial, known, once, run, simulate

CASES = 3 * JUDGED


def trial(name: str) -> Trial:
    return next(one for one in TRIALS if one.name == name)


def without_share(read: score_coverage.Read) -> score_coverage.ScoreCase:
    """The case without the errors of placement and B1, with a trace of noise so that there is an interval."""
    maps = {
        name: replace(one, placement_sd=0.0, standard_error=0.001) for name, one in read.once.maps.items()
    }
    return replace(read.once, maps=maps, b1_relative_sd=0.0)


@pytest.mark.parametrize("name", ["B1 alone", "placement alone"])
def test_one_source_is_covered_by_its_own_share(name: str) -> None:
    one = trial(name)
    reads = simulate(one.errors, CASES, workers=1)
    found = run(one, reads, 3, JUDGED)
    assert found.cases == CASES
    assert 0.86 < found.covered <= 1.0  # 95 % of 60 cases, give or take three standard errors
    bare = run(replace(one, case=without_share), reads, 3, JUDGED)
    assert bare.covered < 0.3


def test_without_errors_the_probability_is_the_true_one() -> None:
    reads = simulate(NONE, 20, workers=1)
    found = run(Trial("none", NONE, known, once), reads, 1, JUDGED)
    assert found.width < 0.01
