"""The exported tables: every reading is in them, no cell is a formula, numbers stay numbers."""

import csv
import io
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2map.errors import InputError
from her2map.spreadsheet import csv_text, neutral, write_csv
from her2map.study.export import Export, export_tables, write_export
from her2map.study.order import Slot
from her2map.study.protocol import Protocol, read_protocol
from her2map.study.readings import read_readings
from her2map.study.store import Store
from study_samples import START, change_study, make_study, read_cases, sample_result, sample_value


@pytest.fixture
def protocol(tmp_path: Path) -> Protocol:
    return make_study(tmp_path / "study", 3)


def exported(protocol: Protocol) -> Export:
    return export_tables(protocol, read_readings(protocol))


def test_every_reading_in_every_table(protocol: Protocol) -> None:
    for reader in protocol.readers:
        read_cases(protocol, reader)
    tables = exported(protocol)
    assert len(tables.long) == 3 * 2 * 3 * 7
    assert len(tables.readings) == 3 * 2 * 3
    assert list(tables.long["biomarker"][:7]) == [
        "T1_pre", "T1_post", "delta_T1", "delta_T1_ratio", "T2", "T2star", "B1",
    ]  # fmt: skip
    keys = tables.readings[["case", "reader", "repeat"]].values.tolist()
    assert keys == sorted(keys)
    assert set(tables.wide["complete"]) == {"yes"}


def test_wide_is_the_median_of_repeats_and_the_mean_of_readers(protocol: Protocol) -> None:
    for reader in protocol.readers:
        read_cases(protocol, reader)
    tables = exported(protocol)
    row = tables.wide.iloc[1]
    medians = []
    for reader in ("A", "B"):
        chosen = tables.long.query(f"case == 'C002' and reader == '{reader}' and biomarker == 'T2star'")
        assert [row[f"T2star.{reader}.{repeat}"] for repeat in (1, 2, 3)] == list(chosen["value"])
        medians.append(np.median(chosen["value"]))
        assert row[f"T2star.{reader}"] == medians[-1]
    assert row["T2star"] == pytest.approx(np.mean(medians), rel=1e-15)
    assert row["delta_T1"] == pytest.approx(row["T1_pre"] - row["T1_post"], rel=1e-15)


def test_what_is_incomplete_is_said_and_not_filled(protocol: Protocol) -> None:
    read_cases(protocol, "A")
    read_cases(protocol, "B", [Slot("C001", 1), Slot("C001", 2), Slot("C001", 3), Slot("C003", 2)])
    wide = exported(protocol).wide.set_index("case")
    assert list(wide["complete"]) == ["yes", "no", "no"]
    assert wide.loc["C002", "lacking"] == "B has finished 0 of 3"
    assert wide.loc[["C002", "C003"], ["T1_pre", "T2star", "T2star.B"]].isna().all(axis=None)
    assert wide.loc["C002", "T2star.A"] > 0
    assert wide.loc["C003", "T2star.B.2"] > 0
    assert math.isnan(wide.loc["C003", "T2star.B.1"])


def test_states_reasons_and_missing_values(protocol: Protocol) -> None:
    result = sample_result("C001", np.random.default_rng(1), remark="=HYPERLINK(1)")
    result["values"]["T1_post"] = sample_value(None, "ROI leaves the map")
    del result["values"]["B1"]
    store = Store(protocol.store("A"), "A", lambda: START)
    store.append("opened", "C001", 1, {})
    store.append("finished", "C001", 1, result)
    store.append("opened", "C002", 1, {})
    store.append("skipped", "C002", 1, {"reason": "motion"})
    store.append("opened", "C003", 1, {})
    store.close()
    tables = exported(protocol)
    assert list(tables.readings["state"]) == ["finished", "skipped", "open"]
    assert list(tables.readings["skip_reason"]) == ["", "motion", ""]
    assert tables.readings["confidence"].isna().tolist() == [False, True, True]
    assert tables.readings["ended"][2] == ""
    long = tables.long.set_index("biomarker")
    assert "B1" not in long.index
    assert long.loc["T1_post", "reason"] == "ROI leaves the map"
    assert math.isnan(long.loc["T1_post", "value"])
    assert math.isnan(long.loc["delta_T1", "value"])
    assert "'=HYPERLINK(1)" in csv_text(tables.readings)


def test_nothing_read_yet(protocol: Protocol, tmp_path: Path) -> None:
    tables = exported(protocol)
    paths = write_export(tmp_path / "out", tables)
    assert [path.name for path in paths] == ["long.csv", "wide.csv", "readings.csv"]
    assert len(pd.read_csv(tmp_path / "out" / "long.csv")) == 0
    assert list(pd.read_csv(tmp_path / "out" / "wide.csv")["case"]) == ["C001", "C002", "C003"]


@pytest.mark.parametrize(("file_format", "read"), [("feather", "read_feather"), ("parquet", "read_parquet")])
def test_columnar_files_hold_what_the_csv_holds(
    protocol: Protocol, tmp_path: Path, file_format: str, read: str
) -> None:
    pytest.importorskip("pyarrow", reason="needs the extra 'export'")
    read_cases(protocol, "A", [Slot("C001", 1)])
    tables = exported(protocol)
    write_export(tmp_path / "out", tables, file_format)
    assert len(list((tmp_path / "out").iterdir())) == 6
    for name in ("long", "wide", "readings"):
        found = getattr(pd, read)(tmp_path / "out" / f"{name}.{file_format}")
        pd.testing.assert_frame_equal(found, getattr(tables, name), check_dtype=False)
        again = pd.read_csv(tmp_path / "out" / f"{name}.csv")
        numbers = getattr(tables, name).select_dtypes(float).columns
        pd.testing.assert_frame_equal(
            again[numbers].astype(float), getattr(tables, name)[numbers], check_exact=True
        )


def test_without_pyarrow_one_sentence_and_nothing_written(
    protocol: Protocol, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("her2map.spreadsheet.find_spec", lambda name: None)
    with pytest.raises(InputError, match="needs the Python package pyarrow"):
        write_export(tmp_path / "out", exported(protocol), "parquet")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_leaves_the_earlier_export(
    protocol: Protocol, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = exported(protocol)
    write_export(tmp_path / "out", tables)
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    read_cases(protocol, "A")

    def no_space(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("her2map.files.os.fsync", no_space)
    with pytest.raises(InputError, match="No space left"):
        write_export(tmp_path / "out", exported(protocol))
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


def test_unknown_format(protocol: Protocol, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no format 'xlsx'; use csv, feather or parquet"):
        write_export(tmp_path, exported(protocol), "xlsx")


def test_cases_that_left_the_protocol_are_kept_in_long(protocol: Protocol) -> None:
    read_cases(protocol, "A")
    path = protocol.folder / "study.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text[: text.index('[[cases]]\ncode = "C003"')], encoding="utf-8")
    tables = exported(read_protocol(protocol.folder))
    assert list(tables.wide["case"]) == ["C001", "C002"]
    assert set(tables.long["case"]) == {"C001", "C002", "C003"}


def test_one_repeat_and_one_reader(tmp_path: Path) -> None:
    protocol = make_study(tmp_path / "study", 2, ["only"])
    change_study(protocol.folder, repeats=1)
    protocol = read_protocol(protocol.folder)
    read_cases(protocol, "only")
    wide = exported(protocol).wide
    assert (wide["T2"] == wide["T2.only"]).all()
    assert (wide["T2"] == wide["T2.only.1"]).all()


cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=15)


@given(st.lists(st.tuples(cells, st.floats(allow_nan=False), st.integers()), min_size=1, max_size=6))
def test_no_cell_is_a_formula_and_every_number_comes_back(rows: list[tuple[str, float, int]]) -> None:
    frame = pd.DataFrame(rows, columns=["=text", "number", "count"])
    head, *lines = csv.reader(io.StringIO(csv_text(frame), newline=""))
    assert head == ["'=text", "number", "count"]
    for (text, number, count), line in zip(rows, lines, strict=True):
        plain = text.replace("\r\n", "\n").replace("\r", "\n")
        assert line[0] in (plain, f"'{plain}")
        assert not line[0].lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
        assert float(line[1]) == number
        assert int(line[2]) == count


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n1", " =1", "＝1"])
def test_formulas_are_neutralised(text: str) -> None:
    assert neutral(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "C001", "a=1", "motion - left", "1.5", "'=1", "ΔT1", "(-1)"])
def test_plain_texts_are_left_alone(text: str) -> None:
    assert neutral(text) == text


def test_negative_numbers_stay_numbers_also_among_texts(tmp_path: Path) -> None:
    frame = pd.DataFrame({"value": [-1.5, math.nan], "mixed": [-2, "-2"], "text": ["é", None]})
    assert csv_text(frame) == "value,mixed,text\n-1.5,-2,é\n,'-2,\n"
    write_csv(tmp_path / "x.csv", frame)
    assert (tmp_path / "x.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    write_csv(tmp_path / "y.csv", frame[["value"]])
    assert (tmp_path / "y.csv").read_bytes().startswith(b"value")
