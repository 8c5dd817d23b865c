"""The benchmark of the intervals' coverage, with few cohorts, and the page that it makes."""

import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks import interval_coverage
from benchmarks.interval_coverage import BEYOND, JUDGED, Checked, Row, count, main
from her2map.progress import no_progress

PAGE = Path(__file__).parents[2] / "HER2MapExtension" / "docs" / "coverage.md"
COHORTS = 40


@pytest.fixture(scope="module")
def judged() -> list[Row]:
    return count(JUDGED, COHORTS, 1, no_progress)


def rows_of(page: str) -> list[dict[str, list[str]]]:
    """Both tables of a page: by interval the further cells."""
    tables = re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE)
    found = []
    for table in tables:
        cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]
        found.append({name: rest for name, *rest in cells})
    return found


def test_every_interval_mostly_covers_the_truth(judged: list[Row]) -> None:
    """Of an interval at 95 %, fewer than 32 of 40 have a chance under 1 in 3000."""
    for row in judged:
        assert row.covered >= 32, row
        assert row.covered + row.below + row.above == row.cohorts == COHORTS
    for kind in ("AUC", "DeLong", "logit", "Wald", "profile", "ICC(2,1)", "ICC(3,1)", "within SD", "limit"):
        assert any(kind in row.name for row in judged), kind


def test_every_scenario_draws_anew() -> None:
    for scenario in (JUDGED | BEYOND).values():
        first, again, other = (list(scenario(np.random.default_rng(seed))) for seed in (1, 1, 2))
        assert first == again
        assert all(one.low != another.low for one, another in zip(first, other, strict=True))


def test_a_cohort_does_not_depend_on_what_else_is_counted(judged: list[Row]) -> None:
    alone = count({"agreement": JUDGED["agreement"]}, COHORTS, 1, no_progress)
    assert [row for row in judged if row.name in {one.name for one in alone}] == alone


@pytest.mark.parametrize(
    ("covered", "allowed"), [(929, False), (930, True), (970, True), (971, False), (1000, False)]
)
def test_what_is_allowed(covered: int, allowed: bool) -> None:
    assert Row("an interval", 1000, covered, 0, 1000 - covered).allowed is allowed


def test_the_standard_error() -> None:
    assert Row("an interval", 1000, 950, 25, 25).error == pytest.approx(0.00689, abs=1e-5)


def of_a_mean(width: float, rng: np.random.Generator) -> Iterator[Checked]:
    mean = float(rng.normal(size=50).mean())
    yield Checked("a mean", 0.0, mean - width / math.sqrt(50), mean + width / math.sqrt(50))


@pytest.mark.parametrize(("width", "status"), [(1.96, 0), (1.5, 1), (2.8, 1)])
def test_the_exit_status_tells_of_an_interval_that_is_too_narrow_or_too_wide(
    width: float, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(interval_coverage, "JUDGED", {"mean": lambda rng: of_a_mean(width, rng)})
    monkeypatch.setattr(interval_coverage, "BEYOND", {})
    assert main(["--cohorts", "2000"]) == status
    assert ("Outside 93 to 97 %: none" in capsys.readouterr().out) == (status == 0)


def test_an_interval_that_does_not_exist_is_no_cover() -> None:
    def none(rng: np.random.Generator) -> Iterator[Checked]:
        yield Checked("none", 0.5, math.nan, math.nan)

    assert count({"none": none}, 3, 1, no_progress) == [Row("none", 3, 0, 0, 0)]


def test_the_page_is_written_and_has_the_rows_of_the_one_in_the_documentation(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "coverage.md"
    for _ in range(2):
        main(["--cohorts", "3", "--write", str(path)])
        written = path.read_text(encoding="utf-8")
        assert "in 3 simulated cohorts" in written and "--cohorts 3 --seed" in written
    printed = capsys.readouterr().out
    stored = rows_of(PAGE.read_text(encoding="utf-8"))
    for new, old in zip(rows_of(written), stored, strict=True):
        assert list(new) == list(old)
        assert all(name in printed for name in new)


def test_the_page_of_the_documentation_is_of_a_thousand_cohorts_all_within_what_is_allowed() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert f"--cohorts 1000 --seed {interval_coverage.SEED}`" in page
    allowed, beyond = rows_of(page)
    assert len(beyond) >= len(BEYOND)
    for name, (share, *_) in allowed.items():
        assert 93 <= float(share) <= 97, name
