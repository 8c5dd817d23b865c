"""Enrolment and pathology by the command."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

Run = Callable[..., tuple[int, str, str]]


# Enrolment and pathology

PATHOLOGY = "case,her2_ihc,her2_ish_ratio,her2_copies\nC1,3+,,\nC2,1+,,\nC3,2+,1.5,4.5\nC4,0,,\n"


@pytest.fixture
def pathology(tmp_path: Path) -> Path:
    path = tmp_path / "pathology.csv"
    path.write_text(PATHOLOGY)
    return path


def test_enrol(tmp_path: Path, pathology: Path, run: Run) -> None:
    table = tmp_path / "screening.csv"
    table.write_text(
        "case,included,reason\nC1,yes,\nC2,yes,\nC3,yes,\nC5,yes,\nS1,no,quality\nS2,no,=CMD()\nS3,no,treated\n"
    )
    arguments = ("study", "enrol", table, "--output", tmp_path / "out", "--pathology", pathology)
    status, out, err = run(*arguments, "--preset", "guideline")
    assert status == 0
    assert out.splitlines()[0] == "7  screened"
    assert "C3 is included, but its HER2 status is: needs recount." in err
    assert "C5 is included, but not in pathology.csv." in err
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == ["enrolment.csv", "enrolment.png", "enrolment.svg"]
    rows: list[dict[str, Any]] = json.loads(run(*arguments, "--json")[1])
    assert {"stage": "analysis", "count_of": "HER2-low", "cases": 2} in rows
    written = pd.read_csv(tmp_path / "out" / "enrolment.csv").set_index("count_of")
    assert written.loc["'=CMD()", "cases"] == 1
    assert set(written["pathology_preset"]) == {"paper"}


def test_enrol_with_mistakes(tmp_path: Path, run: Run) -> None:
    table = tmp_path / "screening.csv"
    table.write_text("case,included,reason\nS1,perhaps,\nS2,no,\n")
    status, _, err = run("study", "enrol", table, "--output", tmp_path / "out")
    assert status == 2
    assert [line[:33] for line in err.splitlines()] == [
        "her2map: screening.csv line 2, in", "her2map: screening.csv line 3, re",
    ]  # fmt: skip
    assert not (tmp_path / "out").exists()


def test_pathology(pathology: Path, tmp_path: Path, run: Run) -> None:
    status, out, _ = run("pathology", pathology)
    assert status == 0
    assert "4 cases by the preset 'paper': 2 low, 1 positive, 1 zero." in out
    _, out, _ = run("pathology", pathology, "--preset", "guideline", "--output", tmp_path / "status.csv")
    assert "C3    needs recount" in out
    assert list(pd.read_csv(tmp_path / "status.csv")["her2"]) == ["positive", "low", "needs recount", "zero"]
    facts = json.loads(run("pathology", pathology, "--json")[1])
    assert [row["her2_group"] for row in facts] == ["positive", "low", "low", "zero"]
    assert facts[0]["er_percent"] is None
    assert {row["pathology_preset"] for row in facts} == {"paper"}
