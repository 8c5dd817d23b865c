"""Values that were saved come back; a damaged table is refused with the line."""

import math
from pathlib import Path

import pytest

from her2map.biomarkers import MEASURED
from her2map.errors import InputError
from her2map.report.tables import ValueRow, values_csv
from her2map.saved_values import EQUAL, UNTOLD, read_saved_case, saved_remarks

VALUES = {
    "T1_pre": (1500.0, 12.5),
    "T1_post": (520.25, 5.0),
    "T2": (math.nan, math.nan),
    "T2star": (28.0, 0.3),
}


def saved(path: Path, b1: tuple[float, float] | None = (0.95, 0.019)) -> Path:
    nan = math.nan
    rows = [
        ValueRow(name, "ms", value, error, nan, nan, nan, 0.9, 0.0, "" if value == value else "outside, far")
        for name, (value, error) in VALUES.items()
    ]
    rows.insert(2, ValueRow("delta_T1", "ms", 979.75, 13.0, nan, nan, nan, 0.9, nan, ""))
    if b1:
        rows.append(ValueRow("B1", "1", *b1, nan, nan, nan, 1.0, 0.0, ""))
    path.write_text(values_csv(rows), encoding="utf-8")
    return path


def test_what_was_saved_comes_back(tmp_path: Path) -> None:
    case = read_saved_case(saved(tmp_path / "values.csv"), {"T1_pre": "vfa"})
    for name in MEASURED:
        one = case.maps[name]
        assert (one.value, one.standard_error) == pytest.approx(VALUES[name], nan_ok=True)
    assert case.maps["T2"].reason == "outside, far" and case.maps["T2star"].coverage == 0.9
    assert case.maps["T1_pre"].technique == "vfa"
    assert case.b1_relative_sd == pytest.approx(math.hypot(0.03, 0.02))
    assert read_saved_case(saved(tmp_path / "no_b1.csv", None), {}).b1_relative_sd == 0.10


def test_remarks(tmp_path: Path) -> None:
    case = read_saved_case(saved(tmp_path / "values.csv"), {})
    assert saved_remarks(case, case) == (EQUAL,)
    changed = (tmp_path / "values.csv").read_text().replace("28.0", "28.1")
    (tmp_path / "other.csv").write_text(changed)
    assert saved_remarks(case, read_saved_case(tmp_path / "other.csv", {})) == (UNTOLD,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n", "column biomarker is missing"),
        ("biomarker,value\nT1,5\n", "line 2, biomarker: 'T1' is not known"),
        ("biomarker,value\nT2,many\n", "line 2, value: 'many' is no number"),
        ("biomarker,value\nT2,-1\n", "line 2, value: '-1' is no number"),
        ("biomarker,value\nT2,0\n", "more than 0"),
        ("biomarker,value,unit\nT2,0.07,s\n", "line 2, unit: 's' is not read"),
        ("biomarker,value\nT2,70\nT2,71\n", "line 3, biomarker: T2 is there twice"),
        ("biomarker,value\nT2,\n", "holds no value"),
        ("biomarker,value,patient name\nT2,70,Doe\n", "personal"),
    ],
)  # fmt: skip
def test_damaged(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "values.csv").write_text(text)
    with pytest.raises(InputError, match=said):
        read_saved_case(tmp_path / "values.csv", {})


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"Cannot read the table of values values\.csv"):
        read_saved_case(tmp_path / "values.csv", {})
