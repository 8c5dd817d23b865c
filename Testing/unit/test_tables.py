"""What tables say of values that are there and of those that are not."""

import csv
import io
import math

import pytest

from her2map.exam import ExamValues
from her2map.relaxometry import Status
from her2map.report.tables import percent, plain, value_rows, values_csv, values_text
from her2map.roi import Roi, RoiValue


def value(number: float, error: float = math.nan, coverage: float = 1.0, reason: str = "") -> RoiValue:
    return RoiValue(
        value=number, median=number, sd=1.0, standard_error=error, voxels=30, effective_voxels=25,
        coverage=coverage, outside=0.0, volume_mm3=100, reason=reason, fractions={Status.FITTED: coverage},
    )  # fmt: skip


ROI = Roi.circle((0, 0, 0), (0, 0, 1), 5, 2)
OUTSIDE = "the ROI leaves the map's field of view"
VALUES = ExamValues(
    ROI,
    {
        "T1_pre": value(1800.0, 30.0, 0.9),
        "T1_post": value(600.0, 40.0),
        "T2star": value(math.nan, reason=OUTSIDE),
        "B1": value(1.05),
    },
)


def test_differences_follow_from_t1() -> None:
    rows = {row.biomarker: row for row in value_rows(VALUES)}
    assert list(rows) == ["T1_pre", "T1_post", "delta_T1", "delta_T1_ratio", "T2", "T2star", "B1"]
    assert rows["delta_T1"].value == pytest.approx(1200)
    assert rows["delta_T1"].standard_error == pytest.approx(50)
    assert rows["delta_T1_ratio"].value == pytest.approx(2 / 3)
    assert rows["delta_T1"].coverage == pytest.approx(0.9)


def test_a_missing_value_gives_its_reason() -> None:
    rows = {row.biomarker: row for row in value_rows(VALUES)}
    assert rows["T2"].reason == "not measured"
    assert rows["T2star"].reason == OUTSIDE
    text = values_text(value_rows(VALUES))
    assert f"no value: {OUTSIDE}" in text


def test_csv_has_an_empty_cell_where_there_is_no_number() -> None:
    rows = {row["biomarker"]: row for row in csv.DictReader(io.StringIO(values_csv(value_rows(VALUES))))}
    assert rows["T2star"]["value"] == ""
    assert float(rows["T1_pre"]["standard_error"]) == 30.0
    assert rows["T2star"]["reason"] == OUTSIDE


def test_columns_stand_under_each_other() -> None:
    lines = values_text(value_rows(VALUES), {"T1_pre": 1750.0}).splitlines()
    ends = [line.index("ms") for line in lines if " ms " in line]
    assert len(set(ends)) == 1
    assert "+2.9 %" in lines[1]


@pytest.mark.parametrize(
    ("fraction", "text"), [(0.1234, "12.3 %"), (-1e-17, "0.0 %"), (math.nan, "–"), (1.0, "100.0 %")]
)
def test_percent(fraction: float, text: str) -> None:
    assert percent(fraction, 1) == text


def test_plain() -> None:
    assert plain(12.345, 1) == "12.3"
    assert plain(math.nan, 1) == "–"
