"""The pathology table: what spreadsheets write is read; every mistake is told with line, column, remedy."""

import csv
import io
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2map.checked_csv import read_checked_csv
from her2map.errors import InputError
from her2map.pathology import PRESETS, Group, Ish, Receptor
from her2map.pathology_table import PathologyTable, assess_table, pathology_records, read_pathology


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "pathology.csv"


def read(path: Path, text: str) -> PathologyTable:
    path.write_text(text, encoding="utf-8")
    return read_pathology(path)


def mistakes(path: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as error:
        read(path, text)
    return str(error.value).splitlines()


FULL = """\
case,her2_status,her2_ihc,her2_ish_ratio,her2_copies,her2_recount_ratio,her2_recount_copies,er_status,er_percent,\
pr_status,pr_percent,ki67_percent,age,menopause,histology,grade
C001,,2+,1.6,7.0,1.7,6.4,,80,,0,30,52,post,"ductal, NST",3
C002,low,,,,,,positive,,negative,,,41,pre,lobular,2
C003,,0,,,,,,5,,,10,,,,
"""


def test_every_column(table: Path) -> None:
    found = read(table, FULL)
    first, second, third = found.cases
    assert found.further == ("histology", "grade")
    assert first.tissue.ish == Ish(1.6, 7.0)
    assert first.tissue.recount == Ish(1.7, 6.4)
    assert (first.age, first.menopause) == (52.0, "post")
    assert first.further == {"histology": "ductal, NST", "grade": "3"}
    assert second.tissue.her2_stated is Group.LOW
    assert second.tissue.er_stated is Receptor.POSITIVE
    assert (third.age, third.menopause, third.further["grade"]) == (None, "", "")
    assert [case.line for case in found.cases] == [2, 3, 4]


def test_records_name_the_preset_and_what_is_not_settled(table: Path) -> None:
    found = read(table, FULL + "C004,,2+,1.6,7.0,,,,,,,,,,,\n")
    guideline = pd.DataFrame(pathology_records(found, PRESETS["guideline"]))
    assert list(guideline["her2"]) == ["positive", "low", "zero", "needs recount"]
    assert list(guideline["her2_group"]) == ["positive", "low", "zero", ""]
    assert set(guideline["pathology_preset"]) == {"guideline"}
    assert list(guideline["ki67"]) == ["", "", "", ""]
    paper = pd.DataFrame(pathology_records(found, PRESETS["paper"]))
    assert list(paper["her2"]) == ["positive", "low", "zero", "positive"]
    assert list(paper["ki67"]) == ["high", "", "low", ""]
    assert list(paper["er"]) == ["positive", "positive", "low positive", ""]
    assert list(paper["subtype"]) == ["luminal B (HER2-positive)", "", "luminal A", ""]
    assert list(paper["grade"]) == ["3", "2", "", ""]


def test_a_spreadsheets_export(table: Path) -> None:
    """BOM, Excel's sep line, semicolons, decimal commas, other spelling of the heads, blank lines, CRLF."""
    text = (
        "sep=;\r\nCase;HER2 IHC;her2-ish-ratio;HER2_Copies;;\r\n;;;;;\r\nC1;2+;1,8;6,5;;\r\n\r\nC2;NA;;;;\r\n"
    )
    table.write_bytes(b"\xef\xbb\xbf" + text.encode())
    found = read_pathology(table)
    assert [case.case for case in found.cases] == ["C1", "C2"]
    assert found.cases[0].tissue.ish == Ish(1.8, 6.5)
    assert found.cases[1].tissue.her2_ihc is None
    assert found.cases[0].line == 4


def test_all_mistakes_at_once_in_the_files_order(table: Path) -> None:
    said = mistakes(
        table,
        "case,her2_ihc,er_percent,er_status,menopause\n"
        "C1,4+,120,,peri\n"
        ",1+,,,\n"
        "C3,1+,80,unknown,\n"
        "c3,1+,<1,,\n"
        "Doe^Jane,0,,,\n"
        "C6,0,1,2,3,4\n",
    )
    assert said == sorted(said, key=lambda line: int(line.split("line ")[1].split(",")[0].split(":")[0]))
    lines = "\n".join(said)
    for words in (
        "line 2, her2_ihc: '4+' is not known; write 0, 1+, 2+ or 3+, or leave the cell empty.",
        "line 2, er_percent: '120' is no number from 0 to 100",
        "line 2, menopause: 'peri' is not known; write pre or post",
        "line 3, case: the cell is empty",
        "line 4, er_status: 'unknown' is not known; write positive or negative",
        "line 5, case: c3 is already in line 4",
        "line 5, er_percent: '<1' is no number",
        "line 6, case: the cell is no code",
        "line 7: 6 cells under 5 columns",
    ):
        assert words in lines
    assert len(said) == 11
    assert "Doe" not in lines


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("her2_ihc,age", "the column case is missing"),
        ("case,age", "neither her2_status nor her2_ihc"),
        ("case,her2_ihc,her2_ish_ration", "'her2_ish_ration' is not known; write her2_ish_ratio"),
        ("case,her2_ihc,er", "'er' is not known; write er_status or er_percent"),
        ("case,her2_ihc,Ki-67", "'Ki-67' is not known; write ki67_percent"),
        ("case,her2_ihc,age,Age", "age is there twice"),
        ("case,her2_ihc,,grade", "column 3 has no name"),
        ("case,her2_ihc,Name", "'Name' looks like personal data"),
        ("case,her2_ihc,PatientName", "personal data"),
        ("case,her2_ihc,date of birth", "personal data"),
        ("case,her2_ihc,Birth Date", "personal data"),
        ("case,her2_ihc,姓名", "personal data"),
        ("case,her2_ihc,Patient ID", "personal data"),
    ],
)
def test_heads_that_are_wrong(table: Path, head: str, said: str) -> None:
    assert any(said in line for line in mistakes(table, f"{head}\n{'1,' * head.count(',')}1\n"))


@pytest.mark.parametrize("column", ["grade", "histology", "T_stage", "drug_name", "menarche_age", "birads"])
def test_heads_that_are_kept(table: Path, column: str) -> None:
    assert read(table, f"case,her2_ihc,{column}\nC1,0,x\n").cases[0].further == {column: "x"}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("C1,low,3+,,,,", "her2_status: low, but the measurements give positive"),
        ("C1,positive,2+,1.1,2.0,,", "her2_status: positive, but the measurements give low"),
        ("C1,,,,,positive,0.5", "er_status: positive, but er_percent is 0.5"),
        ("C1,,,,,negative,1", "er_status: negative, but er_percent is 1"),
    ],
)
def test_contradictions(table: Path, row: str, said: str) -> None:
    head = "case,her2_status,her2_ihc,her2_ish_ratio,her2_copies,er_status,er_percent"
    assert said in mistakes(table, f"{head}\n{row}\n")[0]


def test_what_one_of_the_rules_allows_is_no_contradiction(table: Path) -> None:
    """IHC 1+ with ISH positive: low by the paper's rule, positive by the guideline's."""
    head = "case,her2_status,her2_ihc,her2_ish_ratio,her2_copies"
    found = read(table, f"{head}\nC1,low,1+,2.5,8\nC2,positive,1+,2.5,8\nC3,positive,2+,2.5,3\n")
    assert [a.her2.state for a in assess_table(found, PRESETS["guideline"]).values()] == [
        "positive", "positive", "positive",
    ]  # fmt: skip


def test_recount_without_a_count(table: Path) -> None:
    said = mistakes(table, "case,her2_ihc,her2_recount_ratio\nC1,2+,1.5\n")
    assert "recount without a first count" in said[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n \n;;\n", "is empty"),
        (b"case,her2_ihc\n", "no line below its header"),
        ("case,her2_ihc,größe\nC1,0,1\n".encode("cp1252"), "CSV UTF-8"),
        ("case,her2_ihc\nC1,0\n".encode("utf-16"), "CSV UTF-8"),
        (b"PK\x03\x04rest of a workbook", "CSV UTF-8"),
        (b'case,her2_ihc\nC1,"0\n', "quote is not closed"),
    ],
)
def test_files_that_are_no_table(table: Path, content: bytes, said: str) -> None:
    table.write_bytes(content)
    with pytest.raises(InputError, match=said):
        read_pathology(table)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere\.csv"):
        read_pathology(tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match="Is a directory"):
        read_pathology(tmp_path)


texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="\ufeff"), max_size=12
)


@given(rows=st.lists(st.tuples(texts, texts), min_size=1, max_size=8), delimiter=st.sampled_from(",;\t"))
def test_cells_come_back_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], delimiter: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "cells.csv"
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter)
    writer.writerows([("case", "one", "two"), *((f"C{i}", *row) for i, row in enumerate(rows))])
    path.write_text(buffer.getvalue(), encoding="utf-8", newline="")
    found = read_checked_csv(path, ("case",), ("case",), "table")
    assert [(row.cells["one"], row.cells["two"]) for row in found.rows] == [
        (one.strip(), two.strip()) for one, two in rows
    ]


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"bytes\.csv"):
        read_pathology(path)


@given(st.text(max_size=200))
def test_any_body_is_read_or_refused_in_words(tmp_path_factory: pytest.TempPathFactory, body: str) -> None:
    path = tmp_path_factory.getbasetemp() / "body.csv"
    path.write_text(f"case,her2_ihc,age\nC1,0,50\n{body}", encoding="utf-8", errors="ignore", newline="")
    try:
        assert read_pathology(path).cases
    except InputError as error:
        assert "body.csv" in str(error)
