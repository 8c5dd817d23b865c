"""`her2map train`, `score` and `validate`: from a cohort to a card, a case and another cohort."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from cohort_data import READERS, simulated_cohort, write_cohort, write_study
from her2map.cli import main
from her2map.score import demo_card, load_card

Run = Callable[..., tuple[int, str, str]]
CASE = ("--er", "positive", "--t2star", 27.1, "--t1-post", 512)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            status = main([str(one) for one in arguments])
        except SystemExit as ended:  # argparse
            status = int(str(ended.code))
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


@pytest.fixture
def cohort(tmp_path: Path) -> tuple[Path, Path]:
    """A table of values and a pathology table."""
    values, pathology = write_cohort(tmp_path, simulated_cohort(), READERS)
    return values, pathology


def train(run: Run, cohort: tuple[Path, Path], output: Path, *more: object) -> tuple[int, str, str]:
    values, pathology = cohort
    return run("train", values, "--pathology", pathology, "--output", output, "--bootstraps", 20, *more)


def test_a_card_is_trained_and_used(run: Run, cohort: tuple[Path, Path], tmp_path: Path) -> None:
    card = tmp_path / "new" / "card.json"
    status, said, _ = train(
        run, cohort, card, "--name", "Ours", "--centre", "Here", "--period", "2021 to 2024",
        "--field-strength", 3, "--technique", "T2star=multi_echo_gradient_echo", "--licence", "CC-BY-4.0",
    )  # fmt: skip
    assert status == 0
    assert "Ours: 72 HER2-low, 86 HER2-positive; 0 left out." in said
    model = load_card(card)
    assert (model.name, model.cohort.centre, model.cohort.period) == ("Ours", "Here", "2021 to 2024")
    assert model.cohort.field_strengths_t == (3.0,)
    assert model.predictor("T2star").techniques == ("multi_echo_gradient_echo",)
    assert (model.licence, model.cohort.simulated) == ("CC-BY-4.0", False)
    assert model.errors is not None
    status, said, _ = run("score", "--card", card, *CASE, "--json")
    expected = expit(np.array([1, 1, 27.1, 512]) @ model.coefficients)
    assert status == 0
    assert json.loads(said)["probability"] == pytest.approx(expected)


def test_the_score_answers_in_words(run: Run) -> None:
    status, said, _ = run("score", *CASE, "--readers", 2, "--repeats", 3, "--t2star-se", 0.4)
    assert status == 0
    assert "probability of HER2-positive rather than HER2-low (95 % interval" in said
    assert "Would a second reading change the call?" in said
    assert "The uncertainty comes from" in said
    assert demo_card().warning in said


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (("--er", "unknown", "--t2star", 27, "--t1-post", 512), "The ER status is missing"),
        (("--er", "positive", "--t1-post", 512), "T2star is missing (T2star: not measured)."),
        (("--er", "positive", "--t2star", 90, "--t1-post", 512), "outside the training range"),
        ((*CASE, "--field-strength", 1.5), "The exam was made at 1.5 T"),
        ((*CASE, "--technique", "T2star=scanner_map"), "T2star was acquired by scanner map"),
        ((*CASE, "--coverage", 0.3), "Only 30 % of the ROI"),
    ],
)
def test_a_refusal_is_an_answer(run: Run, case: tuple[object, ...], reason: str) -> None:
    status, said, _ = run("score", *case)
    assert status == 0
    assert said.startswith("No score.")
    assert reason in said
    found = json.loads(run("score", *case, "--json")[1])
    assert found["probability"] is None
    assert any(reason in one for one in found["refusals"])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--t2star", -1), "no positive number"),
        (("--t2star", "nan"), "no positive number"),
        (("--coverage", 1.2), "does not lie in 0 to 1"),
        (("--readers", 0), "does not lie in 1 to 99"),
        (("--technique", "T2star=magic"), "The technique 'T2star=magic': write BIOMARKER=TECHNIQUE"),
        (("--field-strength", 3000), "3000 T is none; give it in tesla"),
        (("--card", "absent.json"), "Cannot read the model card absent.json"),
    ],
)
def test_bad_input_ends_with_status_2(run: Run, more: tuple[object, ...], message: str) -> None:
    status, _, complaint = run("score", *CASE, *more)
    assert status == 2
    assert message in complaint


def test_training_refuses_in_a_sentence(run: Run, cohort: tuple[Path, Path], tmp_path: Path) -> None:
    card = tmp_path / "card.json"
    status, _, complaint = train(run, cohort, card, "--predictors", "er,age")
    assert status == 2
    assert complaint == "her2map: A score cannot take 'age'; it takes er, T1_pre, T1_post, delta_T1, " + (
        "delta_T1_ratio, T2, T2star.\n"
    )
    assert not card.exists()
    assert train(run, cohort, tmp_path)[0] == 2


def test_a_card_is_validated_and_recalibrated(run: Run, cohort: tuple[Path, Path], tmp_path: Path) -> None:
    values, pathology = cohort
    out = tmp_path / "out"
    status, said, _ = run(
        "validate", values, "--pathology", pathology, "--output", out, "--bootstraps", 20, "--recalibrate",
        "in-the-large", "--field-strength", 3, "--period", "2025",
    )  # fmt: skip
    assert status == 0
    assert "HER2Map demonstration model on" in said
    assert "By the closed test" in said
    new = load_card(out / "card.json")
    assert demo_card().content_hash in new.history[-1]
    assert new.coefficients[1:] == demo_card().coefficients[1:]
    assert (out / "validation.html").exists()
    assert (
        json.loads((out / "validation.json").read_text(encoding="utf-8"))["cohort"]["counts"]["cases"] == 158
    )
    assert {path.name for path in (out / "tables").iterdir()} >= {"refused.csv", "case_mix.csv", "cases.csv"}


def test_a_study_without_its_exams_is_trained_on_with_a_note(run: Run, tmp_path: Path) -> None:
    frame = simulated_cohort()
    _, pathology = write_cohort(tmp_path, frame)
    study = write_study(tmp_path / "study", frame)
    card = tmp_path / "card.json"
    status, _, note = train(run, (study.folder, pathology), card, "--field-strength", 1.5, "--demonstration")
    assert status == 0
    assert "The exams of 158 of 158 cases cannot be read" in note
    assert load_card(card).cohort.field_strengths_t == (1.5,)
    assert load_card(card).cohort.simulated
    assert load_card(card).warning == demo_card().warning
