"""The models of a cohort: what enters, what excludes what, and the answers where there is no model."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cohort_data import simulated_cohort, write_cohort
from her2map.cohort.analysis_options import AnalysisOptions
from her2map.cohort.inputs import Cohort, read_cohort
from her2map.cohort.markers import contrast, judge, measured_markers
from her2map.cohort.models import (
    Alone,
    Entry,
    alone_table,
    enter,
    entry_candidates,
    fit_alone,
    fit_models,
    model_table,
)
from her2map.cohort.validated import chosen_table, validate_models, validation_table
from her2map.errors import InputError
from her2map.statistics import roc
from her2map.statistics.logistic import logistic


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return simulated_cohort()


def cohort_of(folder: Path, frame: pd.DataFrame) -> Cohort:
    return read_cohort(*write_cohort(folder, frame))


def alone_of(cohort: Cohort) -> tuple[Alone, ...]:
    return fit_alone(contrast(cohort), cohort.variables)


def test_each_factor_alone_is_the_model_of_it_alone(tmp_path: Path, frame: pd.DataFrame) -> None:
    cohort = cohort_of(tmp_path, frame)
    found = {one.variable.name: one for one in alone_of(cohort)}
    two = frame[frame["her2_status"] != "zero"]
    outcome = (two["her2_status"] == "positive").astype(float).to_numpy()
    direct = logistic(outcome, {"er": (two["er_status"] == "positive").astype(float).to_numpy()})
    assert found["er"].p == direct.terms[0].p_wald
    assert found["er"].fit.n == 158
    assert found["grade"].p == found["grade"].fit.overall.p
    assert len(found["grade"].fit.terms) == 2


def test_what_is_significant_enters_but_nothing_that_was_derived(tmp_path: Path, frame: pd.DataFrame) -> None:
    cohort = cohort_of(tmp_path, frame)
    alone = alone_of(cohort)
    entry = enter(contrast(cohort), alone)
    significant = {one.variable.name for one in alone if one.p < 0.05}
    assert significant == {*entry.entered, *(name for name, _ in entry.aside)}
    assert {"T2star", "T1_post", "er"} <= set(entry.entered)
    assert {"delta_T1", "delta_T1_ratio"} <= {name for name, _ in entry.aside}
    assert {one.name for one in cohort.variables} == {one.variable.name for one in alone}
    assert "ki67" not in {one.name for one in entry_candidates(cohort.variables)}
    assert max(term.vif for term in fit_models(cohort, contrast(cohort), entry)[0].fit.terms) < 5


def test_the_bootstrap_starts_from_the_model_that_is_shown(tmp_path: Path, frame: pd.DataFrame) -> None:
    cohort = cohort_of(tmp_path, frame)
    pair = contrast(cohort)
    models = fit_models(cohort, pair, enter(pair, alone_of(cohort)), ("grade", "T2star"))
    found = validate_models(pair, models, cohort.variables, AnalysisOptions(bootstraps=40))
    for model in models:
        one = found[model.name].bootstrap
        assert one is not None
        assert set(one.names) == set(model.fit.names)
        area = judge(pair.outcome, model.marker).curve.auc.value
        assert one.auc.apparent == pytest.approx(area, rel=1e-9)
        assert one.auc.optimism > 0
    assert found["paper"].bootstrap.chosen == dict.fromkeys(models[1].fit.names, 1.0)
    assert found["entry"].bootstrap.chosen["T2star"] > 0.9
    assert len(chosen_table(found)) == len(entry_candidates(cohort.variables))
    without = validate_models(pair, models, cohort.variables, AnalysisOptions(bootstraps=0))
    assert without["paper"].bootstrap is None
    assert set(validation_table(without)["figure"]) == {"auc", "brier", "slope", "intercept"}


def test_the_paper_s_model_and_the_user_s(tmp_path: Path, frame: pd.DataFrame) -> None:
    cohort = cohort_of(tmp_path, frame)
    pair = contrast(cohort)
    models = fit_models(cohort, pair, enter(pair, alone_of(cohort)), ("age", "T2star"))
    assert [model.name for model in models] == ["entry", "paper", "named"]
    paper = models[1]
    assert [one.name for one in paper.variables] == ["er", "T2star", "T1_post"]
    assert dict(paper.adds)["T2star"].df == (2,)
    area = judge(pair.outcome, paper.marker).curve.auc.value
    assert area == roc(paper.fit.outcome, paper.fit.probability).auc.value
    table = model_table(models)
    assert set(table.loc[table["model"] == "paper", "column"]) == {"intercept", "er", "T2star", "T1_post"}


@pytest.mark.parametrize(
    ("named", "said"),
    [
        (("delta_T1", "T1_post"), "delta_T1|T1_post.*cannot enter one model"),
        (("T2star", "T2star"), "T2star is named twice"),
        (("T2*",), r"no variable 'T2\*'; it has T1_pre, T1_post"),
    ],
)
def test_what_cannot_be_named(tmp_path: Path, frame: pd.DataFrame, named: tuple[str, ...], said: str) -> None:
    cohort = cohort_of(tmp_path, frame)
    with pytest.raises(InputError, match=said):
        fit_models(cohort, contrast(cohort), Entry(()), named)


def test_perfect_separation_is_found_and_said(tmp_path: Path, frame: pd.DataFrame) -> None:
    changed = frame.copy()
    positive = changed["her2_status"] == "positive"
    changed.loc[positive, "T2star"] = 60 + changed.loc[positive, "T2star"]
    cohort = cohort_of(tmp_path, changed)
    one = next(a for a in alone_of(cohort) if a.variable.name == "T2star")
    assert one.fit.separated == ("T2star",)
    assert np.isfinite(one.p)
    assert "T2star" in enter(contrast(cohort), alone_of(cohort)).entered
    marker = next(m for m in measured_markers(cohort.variables, contrast(cohort).frame) if m.name == "T2star")
    result = judge(contrast(cohort).outcome, marker)
    assert result.curve.auc.value == 1
    assert result.at_cut_off is not None
    assert result.at_cut_off.accuracy.value == 1


def test_a_constant_column_has_a_reason_and_does_not_enter(tmp_path: Path, frame: pd.DataFrame) -> None:
    cohort = cohort_of(tmp_path, frame.assign(T2=80.0, grade="II"))
    rows = alone_table(alone_of(cohort)).set_index("factor")
    for name in ("T2", "grade"):
        assert rows.loc[name, "remark"]
        assert name not in enter(contrast(cohort), alone_of(cohort)).entered


def test_missing_values_leave_a_case_out_of_that_model_alone(tmp_path: Path, frame: pd.DataFrame) -> None:
    changed = frame.copy()
    changed.loc[changed.index[changed["her2_status"] == "low"][:5], "er_status"] = ""
    changed.loc[changed.index[changed["her2_status"] == "positive"][:7], "T2star"] = np.nan
    cohort = cohort_of(tmp_path, changed)
    n = {one.variable.name: one.fit.n for one in alone_of(cohort)}
    assert (n["er"], n["T2star"], n["T1_post"]) == (153, 151, 158)
    paper = fit_models(cohort, contrast(cohort), Entry(()))[1]
    assert (paper.fit.n, len(paper.fit.left_out)) == (146, 12)
    assert paper.marker.values.isna().sum() == 12


def test_no_er_column_no_paper_model(tmp_path: Path, frame: pd.DataFrame) -> None:
    cohort = cohort_of(tmp_path, frame.drop(columns="er_status"))
    assert any(text.startswith("ER: no case has a value") for text in cohort.remarks)
    models = fit_models(cohort, contrast(cohort), Entry(()))
    assert [model.name for model in models] == ["entry"]
    assert models[0].fit.reason == "No predictor was named."
