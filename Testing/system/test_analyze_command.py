"""`her2map analyze`: one command from values and pathology to tables, figures, numbers and a report."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cohort_data import READERS, simulated_cohort, write_cohort, write_study
from her2map.cli import main
from her2map.study.export import export_tables, write_export
from her2map.study.readings import read_readings

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs the command with few bootstraps into `tmp_path / "out"`."""

    def run(values: Path, pathology: Path, *more: object) -> tuple[int, str, str]:
        arguments = [
            values,
            "--pathology",
            pathology,
            "--output",
            tmp_path / "out",
            "--bootstraps",
            "20",
            *more,
        ]
        capsys.readouterr()
        status = main(["analyze", *map(str, arguments)])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def results(folder: Path) -> dict[str, Any]:
    def refuse(text: str) -> None:
        raise AssertionError(f"{text} in JSON")

    text = (folder / "out" / "results.json").read_text(encoding="utf-8")
    return dict(json.loads(text, parse_constant=refuse))


def test_the_whole_cohort(run: Run, tmp_path: Path) -> None:
    frame = simulated_cohort()
    status, said, _ = run(*write_cohort(tmp_path, frame, READERS), "--predictors", "er,T2star")
    assert status == 0
    assert "178 cases by the preset 'paper': 20 zero, 72 low, 86 positive." in said
    found = results(tmp_path)
    two = frame[frame["her2_status"] != "zero"]
    positive, negative = (
        two.loc[two["her2_status"] == group, "T2star"].to_numpy() for group in ("positive", "low")
    )
    values = pd.read_csv(tmp_path / "values.csv").set_index("case")["T2star"]
    positive, negative = (
        values[two.loc[two["her2_status"] == group, "case"]].to_numpy() for group in ("positive", "low")
    )
    by_hand = float(np.mean(positive[:, None] > negative))
    assert found["performance"]["markers"]["T2star"]["roc"]["auc"]["value"] == pytest.approx(
        by_hand, rel=1e-12
    )
    assert set(found["models"]["together"]) == {"entry", "paper", "named"}
    assert found["conventions"]["ROC curve"]
    written = {path.name for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert {"report.html", "table2_patients.csv", "table3_imaging.csv", "table4_performance.csv"} <= written
    for name in ("boxes", "roc", "forest", "bland_altman_anna_ben"):
        assert {f"{name}.svg", f"{name}.png"} <= written


def test_the_same_seed_gives_the_same_numbers(run: Run, tmp_path: Path) -> None:
    files = write_cohort(tmp_path, simulated_cohort(5, 20, 20))
    run(*files)
    first = results(tmp_path)
    figure = (tmp_path / "out" / "figures" / "boxes.svg").read_bytes()
    run(*files)
    assert results(tmp_path) == first
    assert (tmp_path / "out" / "figures" / "boxes.svg").read_bytes() == figure


def test_a_study_and_its_export_give_the_same(run: Run, tmp_path: Path) -> None:
    frame = simulated_cohort(3, 8, 9)
    protocol = write_study(tmp_path / "study", frame)
    _, pathology = write_cohort(tmp_path, frame)
    export = write_export(tmp_path / "export", export_tables(protocol, read_readings(protocol)))
    status, said, _ = run(tmp_path / "study", pathology)
    assert (status, "20 cases" in said) == (0, True)
    of_study = results(tmp_path)
    run(export[1], pathology)
    of_table = results(tmp_path)
    for part in ("patients", "imaging", "performance", "models", "further"):
        assert of_study[part] == of_table[part]
    assert of_study["agreement"]["icc"] == of_table["agreement"]["icc"]
    assert of_study["acquisition"]["unread"]  # the exams of this study do not exist


@pytest.mark.parametrize(
    ("zero", "low", "positive"),
    [(0, 30, 30), (10, 0, 30), (10, 30, 0), (0, 0, 12), (0, 1, 1), (0, 1, 0), (1, 1, 1)],
)
def test_groups_that_are_missing_or_tiny(
    run: Run, tmp_path: Path, zero: int, low: int, positive: int
) -> None:
    status, said, _ = run(*write_cohort(tmp_path, simulated_cohort(zero, low, positive), READERS))
    assert status == 0
    for group, n in (("zero", zero), ("low", low), ("positive", positive)):
        if n == 0:
            assert f"There is no HER2-{group} case" in said
    results(tmp_path)


def test_odd_columns(run: Run, tmp_path: Path) -> None:
    frame = simulated_cohort(5, 20, 20)
    frame["T2"] = 80.0
    frame["T2star"] += np.where(frame["her2_status"] == "positive", 100.0, 0.0)
    frame.loc[:10, "T1_post"] = np.nan
    frame["age"] = ""
    frame["menopause"] = "post"
    frame = frame.drop(columns=["er_status", "pr_status"])
    frame["=cmd()"] = np.where(np.arange(len(frame)) % 2, "=1+1", "<script>alert(1)</script>")
    status, said, _ = run(*write_cohort(tmp_path, frame))
    assert status == 0
    assert "ER: no case has a value" in said
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "separates the groups" in page
    results(tmp_path)


def test_other_values_of_the_same_cases_are_compared(run: Run, tmp_path: Path) -> None:
    frame = simulated_cohort(5, 20, 20)
    files = write_cohort(tmp_path / "one", frame)
    other, _ = write_cohort(tmp_path / "two", frame.assign(T2star=frame["T2star"].to_numpy()[::-1]))
    status, _, _ = run(*files, "--against", f"paper fit={other}")
    assert status == 0
    further = results(tmp_path)["further"]["alternatives"]
    assert set(further["results"]) == {"as analysed", "paper fit"}
    assert further["tests"]["T2"][0]["difference"]["value"] == 0


def test_enrolment_is_drawn_where_there_is_a_screening_table(run: Run, tmp_path: Path) -> None:
    frame = simulated_cohort(2, 6, 6)
    rows = [f"{case},yes," for case in frame["case"]] + ["X1,no,quality", "X2,no,treated"]
    (tmp_path / "screening.csv").write_text("case,included,reason\n" + "\n".join(rows), encoding="utf-8")
    status, _, _ = run(*write_cohort(tmp_path, frame), "--screening", tmp_path / "screening.csv")
    assert status == 0
    assert (tmp_path / "out" / "figures" / "enrolment.svg").is_file()
    answers = pd.read_csv(tmp_path / "out" / "tables" / "checklists.csv")
    flow = answers[(answers["checklist"] == "STROBE") & (answers["number"] == "13c")]
    assert list(flow["state"]) == ["answered"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--predictors", "er,T1_pre,delta_T1"), "cannot enter one model"),
        (("--predictors", "size"), "no variable 'size'"),
        (("--against", "nonsense"), "write NAME=STUDY_OR_CSV"),
    ],
)
def test_a_mistake_is_one_sentence_and_status_2(
    run: Run, tmp_path: Path, more: tuple[str, ...], said: str
) -> None:
    status, _, error = run(*write_cohort(tmp_path, simulated_cohort(2, 6, 6)), *more)
    assert status == 2
    assert said in error
    assert len(error.strip().splitlines()) == 1


def test_a_study_s_own_pathology_is_taken(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    values, _ = write_cohort(tmp_path, simulated_cohort(2, 6, 6))
    assert main(["analyze", str(values), "--output", str(tmp_path / "out")]) == 2
    assert "Name the table with --pathology" in capsys.readouterr().err


def test_two_thousand_bootstraps_of_the_paper_s_cohort_take_less_than_a_minute(tmp_path: Path) -> None:
    values, pathology = write_cohort(tmp_path, simulated_cohort(), READERS)
    began = time.monotonic()
    assert (
        main(["analyze", str(values), "--pathology", str(pathology), "--output", str(tmp_path / "out")]) == 0
    )
    assert time.monotonic() - began < 60
    found = results(tmp_path)["validation"]
    for model in ("entry", "paper"):
        assert found[model]["bootstrap"]["resamples"] == 2000
        assert (
            found[model]["bootstrap"]["auc"]["corrected"]["value"]
            < found[model]["bootstrap"]["auc"]["apparent"]
        )
