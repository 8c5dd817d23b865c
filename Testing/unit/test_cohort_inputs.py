"""What enters a cohort: values and pathology joined by case; what is left out is told, nothing filled in."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cohort_data import READERS, simulated_cohort, write_cohort, write_study
from her2map.cohort.inputs import Cohort, read_cohort
from her2map.cohort.values import read_values
from her2map.cohort.variables import BIOMARKERS, design
from her2map.errors import InputError
from her2map.study.export import export_tables, write_export
from her2map.study.readings import read_readings


@pytest.fixture
def frame() -> pd.DataFrame:
    return simulated_cohort(3, 8, 9)


def cohort_of(folder: Path, frame: pd.DataFrame, **more: str) -> Cohort:
    return read_cohort(*write_cohort(folder, frame), **more)


def mistake(folder: Path, frame: pd.DataFrame) -> str:
    with pytest.raises(InputError) as raised:
        cohort_of(folder, frame)
    return str(raised.value)


def test_differences_follow_from_the_times(tmp_path: Path, frame: pd.DataFrame) -> None:
    cohort = cohort_of(tmp_path, frame)
    cases = cohort.cases
    assert cohort.counts == {"zero": 3, "low": 8, "positive": 9}
    assert cases["delta_T1"].to_numpy() == pytest.approx((cases["T1_pre"] - cases["T1_post"]).to_numpy())
    assert cases["delta_T1_ratio"].to_numpy() == pytest.approx(
        (1 - cases["T1_post"] / cases["T1_pre"]).to_numpy()
    )
    assert list(cases.index) == list(frame["case"])


def test_a_missing_value_stays_missing(tmp_path: Path, frame: pd.DataFrame) -> None:
    frame.loc[0, "T1_post"] = np.nan
    case = cohort_of(tmp_path, frame).cases.iloc[0]
    assert case[["T1_post", "delta_T1", "delta_T1_ratio"]].isna().all()
    assert case[["T1_pre", "T2", "T2star"]].notna().all()


def test_the_cases_of_one_table_alone_are_listed(tmp_path: Path, frame: pd.DataFrame) -> None:
    _, pathology = write_cohort(tmp_path, frame)
    frame.iloc[2:].to_csv(tmp_path / "v.csv", index=False, columns=["case", "T1_pre", "T2"])
    other = pd.read_csv(pathology).iloc[:-1]
    other.to_csv(pathology, index=False)
    cohort = read_cohort(tmp_path / "v.csv", pathology)
    assert dict(cohort.left_out.values) == {
        frame["case"].iloc[0]: "no values, only pathology",
        frame["case"].iloc[1]: "no values, only pathology",
        frame["case"].iloc[-1]: "not in the pathology table",
    }
    assert any(text.startswith("T2*: no case has a value") for text in cohort.remarks)


def test_capitals_of_a_code_make_no_difference(tmp_path: Path, frame: pd.DataFrame) -> None:
    values, pathology = write_cohort(tmp_path, frame)
    table = pd.read_csv(pathology)
    table.assign(case=table["case"].str.lower()).to_csv(pathology, index=False)
    assert len(read_cohort(values, pathology).cases) == len(frame)


def test_an_undetermined_her2_is_listed_and_left_out(tmp_path: Path, frame: pd.DataFrame) -> None:
    frame = frame.drop(columns="her2_status").assign(her2_ihc="1+")
    frame.loc[0, "her2_ihc"] = "2+"
    frame.loc[1, "her2_ihc"] = "3+"
    cohort = cohort_of(tmp_path, frame)
    assert cohort.counts == {"zero": 0, "low": len(frame) - 2, "positive": 1}
    ((case, why),) = cohort.left_out.values
    assert case == frame["case"][0]
    assert "IHC 2+" in why
    with pytest.raises(InputError, match="None of the 20 cases has a settled HER2 status"):
        cohort_of(tmp_path, frame.assign(her2_ihc="2+"))


def test_no_case_in_common(tmp_path: Path, frame: pd.DataFrame) -> None:
    values, pathology = write_cohort(tmp_path, frame)
    table = pd.read_csv(pathology)
    table.assign(case="X" + table["case"]).to_csv(pathology, index=False)
    with pytest.raises(InputError, match=r"have no case in common .*XC\d+.*same code in both"):
        read_cohort(values, pathology)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda f: f.assign(T1_pre=f["T1_pre"] / 1000),
            r"T1_pre: the values \(median 1\.\d+\) look like seconds",
        ),
        (lambda f: f.assign(T2star=f["T2star"] / 1000), r"T2star: the values .* look like seconds"),
        (lambda f: f.rename(columns={"T2star": "T2*"}), r"'T2\*' is not known; write T2star"),
        (lambda f: f.assign(case=["C001"] * len(f)), r"line 3, case: C001 is already in line 2"),
        (lambda f: f.assign(delta_T1=100.0), r"line 2, delta_T1: 100, but T1_pre and T1_post give"),
        (lambda f: f.assign(T2=[-5.0, *f["T2"][1:]]), r"line 2, T2: '-5.0' is no number from 1 to 5000"),
        (lambda f: f[["case"]], "there is no column of values; add at least one of T1_pre"),
    ],
)
def test_a_mistake_is_told(tmp_path: Path, frame: pd.DataFrame, change: object, said: str) -> None:
    path = tmp_path / "values.csv"
    columns = ["case", "T1_pre", "T1_post", "T2", "T2star"]
    change(frame[columns]).to_csv(path, index=False)  # type: ignore[operator]
    with pytest.raises(InputError, match=said):
        read_values(path)


def test_a_whole_column_of_seconds_is_one_mistake(tmp_path: Path, frame: pd.DataFrame) -> None:
    frame["T1_pre"] /= 1000
    assert len(mistake(tmp_path, frame).splitlines()) == 1


def test_further_columns(tmp_path: Path, frame: pd.DataFrame) -> None:
    frame["size_mm"] = np.arange(len(frame)) + 0.5
    frame["remark"] = [f"text {i}" for i in range(len(frame))]
    frame["stage"] = [1, 2] * (len(frame) // 2)
    cohort = cohort_of(tmp_path, frame)
    assert cohort.variable("size_mm").levels == ()
    assert cohort.variable("stage").levels == ("1", "2")
    assert cohort.variable("grade").levels == ("I", "II", "III")
    assert not any(one.name == "remark" for one in cohort.variables)
    assert any("'remark' has too many different words" in text for text in cohort.remarks)


def test_a_category_becomes_columns_against_its_reference(tmp_path: Path, frame: pd.DataFrame) -> None:
    frame.loc[0, "grade"] = ""
    cohort = cohort_of(tmp_path, frame)
    columns = design(cohort.cases, [cohort.variable("grade"), cohort.variable("er")])
    assert list(columns) == ["grade=II", "grade=III", "er"]
    assert columns.iloc[0][["grade=II", "grade=III"]].isna().all()
    assert (columns["er"] == (frame["er_status"] == "positive").to_numpy()).all()


def test_a_study_its_export_and_the_cohort_agree(tmp_path: Path) -> None:
    frame = simulated_cohort(2, 3, 3)
    protocol = write_study(tmp_path / "study", frame)
    write_export(tmp_path / "export", export_tables(protocol, read_readings(protocol)))
    study, table = read_values(tmp_path / "study"), read_values(tmp_path / "export" / "wide.csv")
    for name in ("by_reader", "readings"):
        keys = ["case", "reader", "repeat"][: 3 if name == "readings" else 2]
        one, other = (getattr(x, name).sort_values(keys, ignore_index=True) for x in (study, table))
        pd.testing.assert_frame_equal(one[keys].astype(str), other[keys].astype(str))
        pd.testing.assert_frame_equal(one[list(BIOMARKERS)], other[list(BIOMARKERS)])
    pd.testing.assert_frame_equal(study.by_case, table.by_case)
    assert set(study.by_reader["reader"]) == set(READERS)


def test_incomplete_cases_of_a_study_are_listed(tmp_path: Path) -> None:
    frame = simulated_cohort(2, 3, 3)
    protocol = write_study(tmp_path / "study", frame)
    (tmp_path / "study" / "readings" / "ben.sqlite").unlink()
    with pytest.raises(InputError, match=r"No case of the study .* finished by all readers"):
        read_values(tmp_path / "study")
    export = write_export(tmp_path / "export", export_tables(protocol, read_readings(protocol)))
    values = read_values(export[1])
    assert len(values.incomplete) == len(frame)
    assert values.by_case.empty


def test_a_case_that_is_not_complete_is_listed_with_what_is_lacking(
    tmp_path: Path, frame: pd.DataFrame
) -> None:
    values, pathology = write_cohort(tmp_path, frame, READERS)
    table = pd.read_csv(values)
    table["complete"], table["lacking"] = "yes", ""
    table.loc[3, ["complete", "lacking"]] = ["no", "ben has finished 2 of 3"]
    table.to_csv(values, index=False)
    cohort = read_cohort(values, pathology)
    assert cohort.left_out.to_numpy().tolist() == [[frame["case"][3], "readings: ben has finished 2 of 3"]]
    for own in (cohort.by_reader, cohort.readings):
        assert frame["case"][3] not in set(own["case"])
