"""The simulated cohort: its population, its virtual readers, and one case from raw signals to readings."""

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from her2map.cohort.inputs import read_cohort
from her2map.errors import InputError
from her2map.pathology import PRESETS
from her2map.pathology_table import pathology_records, read_pathology
from her2map.phantom.cohort import AUC_T1_POST, AUC_T2STAR, PUBLISHED
from her2map.report.reproduce import published_text, write_reproduction
from her2map.reproduce.card import demonstration_card
from her2map.reproduce.cohort import PATHOLOGY, STUDY, simulate_cohort, write_study
from her2map.reproduce.exams import SimulatedCase, simulate_case, simulate_readings
from her2map.reproduce.patients import draw_patients
from her2map.reproduce.published import after_step, compared, step_areas
from her2map.reproduce.readers import READERS, VirtualReader
from her2map.roi import Roi
from her2map.roi.overlap import overlap
from her2map.score import demo_card, load_card
from her2map.series import Role
from her2map.study.aggregate import aggregate
from her2map.study.protocol import Case, Protocol
from her2map.study.readings import read_readings
from her2map.study.result import biomarkers_of
from her2map.study.verify import verify_study


@pytest.fixture(scope="module")
def cohort() -> tuple[SimulatedCase, ...]:
    return simulate_cohort(12, seed=5)


def test_the_papers_group_sizes_and_their_proportions() -> None:
    assert Counter(p.group for p in draw_patients(178, 1)) == {
        "HER2-zero": 20, "HER2-low": 72, "HER2-positive": 86
    }  # fmt: skip
    assert Counter(p.group for p in draw_patients(89, 1)) == {
        "HER2-zero": 10, "HER2-low": 36, "HER2-positive": 43
    }  # fmt: skip
    with pytest.raises(InputError, match="too small for three groups"):
        draw_patients(11, 1)


def test_the_population_has_the_published_figures() -> None:
    patients = draw_patients(20_000, 3)
    figures = {}
    for group, printed in PUBLISHED.items():
        tumours = [p.tumour for p in patients if p.group == group]
        pre, post = (np.array([getattr(t, name) for t in tumours]) for name in ("T1_pre", "T1_post"))
        figures[group] = post, np.array([t.T2star for t in tumours])
        delta, ratio = pre - post, 1 - post / pre
        assert delta.mean() == pytest.approx(printed.delta_t1_ms[0], rel=0.02)
        assert delta.std() == pytest.approx(printed.delta_t1_ms[1], rel=0.04)
        assert ratio.mean() == pytest.approx(printed.delta_t1_ratio[0], rel=0.01)
        assert ratio.std() == pytest.approx(printed.delta_t1_ratio[1], rel=0.04)
    low, positive = figures.values()
    outcome = np.repeat([0, 1], [len(low[0]), len(positive[0])])
    for i, printed_auc in enumerate((AUC_T1_POST, AUC_T2STAR)):
        area = roc_auc_score(outcome, np.concatenate([low[i], positive[i]]))
        assert area == pytest.approx(printed_auc, abs=0.01)


def test_the_pathology_says_the_group(tmp_path: Path) -> None:
    patients = draw_patients(178, 2)
    columns = list(patients[0].pathology)
    rows = [",".join(p.pathology[c] for c in columns) for p in patients]
    (tmp_path / "p.csv").write_text("\n".join([",".join(columns), *rows]) + "\n")
    records = pathology_records(read_pathology(tmp_path / "p.csv"), PRESETS["paper"])
    assert {r["case"]: f"HER2-{r['her2']}" for r in records} == {p.case: p.group for p in patients}


def test_a_reader_draws_as_he_is_said_to() -> None:
    angle = np.linspace(0, 2 * np.pi, 1200, endpoint=False)[:, None]
    circle = np.cos(angle) * [1.0, 0.0, 0.0] + np.sin(angle) * [0.0, 0.8, -0.6]
    truth = Roi(np.array([10.0, 20.0, 30.0]) + 10.0 * circle, 3.0)
    reader = VirtualReader("r", size=1.03, size_sd=0.05, shift_mm=0.5, wobble=0.03, slice_slip=0.25)
    rng = np.random.default_rng(1)
    drawn = [reader.draw(truth, 2.0, rng) for _ in range(600)]
    size = np.sqrt([one.area_mm2 / truth.area_mm2 for one in drawn])
    assert size.mean() == pytest.approx(1.03, abs=0.008) and size.std() == pytest.approx(0.0515, rel=0.15)
    off = np.array([one.centroid - truth.centroid for one in drawn])
    along = off @ truth.normal
    assert np.mean(np.abs(along) > 1) == pytest.approx(0.25, abs=0.05)
    assert set(np.round(np.abs(along), 6)) == {0.0, 2.0}
    assert overlap(truth, drawn[0]).dice > 0.8 or abs(along[0]) > 1


def test_a_case_is_read_from_raw_signals(cohort: tuple[SimulatedCase, ...]) -> None:
    case = cohort[0]
    assert len(case.readings) == 6
    for name, true in case.truth:
        if name != "delta_T1_ratio":
            assert dict(case.noisy)[name].value == pytest.approx(true.value, rel=0.05)
    assert not case.fitted.T2.known and case.fitted.T2star.known
    values = {round(biomarkers_of(one.result).T2star.value, 6) for one in case.readings}
    assert len(values) == 6  # every drawing is another


def test_the_numbers_do_not_depend_on_the_workers(cohort: tuple[SimulatedCase, ...]) -> None:
    patient = cohort[3].patient
    protocol = Protocol(
        Path("study"), "T", (Case(patient.case, Path("x")),), tuple(r.name for r in READERS), 1
    )
    alone = simulate_case(patient, protocol, READERS, "small", 5)
    assert alone.noisy == cohort[3].noisy and alone.fitted.T2star == cohort[3].fitted.T2star
    for one, other in zip(alone.readings, cohort[3].readings, strict=True):
        assert one.result["values"] == other.result["values"]


def test_the_study_can_be_read_as_any_other(cohort: tuple[SimulatedCase, ...], tmp_path: Path) -> None:
    protocol = write_study(tmp_path, cohort, seed=5)
    assert all(check.problems == () for check in verify_study(protocol))
    found = aggregate(protocol, read_readings(protocol))
    assert found.incomplete == () and len(found.by_case) == 12 and len(found.readings) == 72
    assert {c.case for c in read_pathology(tmp_path / "pathology.csv").cases} == set(protocol.codes)


def test_the_page_shows_published_beside_simulated(cohort: tuple[SimulatedCase, ...], tmp_path: Path) -> None:
    figures, steps = compared(cohort), step_areas(cohort)
    write_reproduction(tmp_path, figures, steps, len(cohort), seed=5)
    page = (tmp_path / "reproduce.html").read_text(encoding="utf-8")
    assert "1441.0" in page and "0.800" in page and page.count("<tr>") > 18
    with (tmp_path / "published.csv").open(newline="") as file:
        rows = {(row["figure"], row["group"]): row for row in csv.DictReader(file)}
    low = [
        after_step(case, "both readers").delta_T1.value for case in cohort if case.patient.group == "HER2-low"
    ]
    assert float(rows["delta_T1, mean", "HER2-low"]["simulated"]) == pytest.approx(np.mean(low), rel=1e-12)
    assert rows["T2, mean", "HER2-low"]["published"] == ""
    text = published_text(figures, steps)
    assert "(published)" in text and "both readers" in text


def test_the_studys_value_is_what_the_study_aggregates(
    cohort: tuple[SimulatedCase, ...], tmp_path: Path
) -> None:
    protocol = write_study(tmp_path, cohort, seed=5)
    by_case = aggregate(protocol, read_readings(protocol)).by_case.set_index("case")
    for case in cohort:
        for name, quantity in after_step(case, "both readers"):
            assert by_case.loc[case.patient.case, name] == pytest.approx(quantity.value, rel=1e-12)


def test_readings_of_some_maps_alone_are_the_same(cohort: tuple[SimulatedCase, ...]) -> None:
    """What the average over many seeds leaves out changes none of its numbers."""
    whole = cohort[0]
    readers = tuple(reader.name for reader in READERS)
    protocol = Protocol(Path(), "t", (Case(whole.patient.case, Path()),), readers, seed=1)
    roles = (Role.B1, Role.T1_POST, Role.T2STAR)
    found = simulate_readings(whole.patient, protocol, READERS, "small", 5, roles)
    for one, other in zip(found, whole.readings, strict=True):
        assert (one.reader, one.repeat) == (other.reader, other.repeat)
        assert set(one.result["values"]) == {"B1", "T1_post", "T2star"}
        assert all(value == other.result["values"][name] for name, value in one.result["values"].items())


def test_the_cohort_gives_a_card_that_says_it_is_a_demonstration(
    cohort: tuple[SimulatedCase, ...], tmp_path: Path
) -> None:
    write_study(tmp_path, cohort, seed=5)
    card = demonstration_card(read_cohort(tmp_path / STUDY, tmp_path / PATHOLOGY), bootstraps=10)
    assert card.cohort.simulated
    assert card.warning == demo_card().warning
    assert sum(card.cohort.groups.values()) == sum(case.patient.group != "HER2-zero" for case in cohort)
    (tmp_path / "card.json").write_text(card.to_json(), encoding="utf-8")
    assert load_card(tmp_path / "card.json") == card
