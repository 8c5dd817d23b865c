"""Tables of a study as texts: what many rows have in common is said once."""

from dataclasses import replace

import pandas as pd
import pytest

from agreement_data import a_protocol, some_readings, without
from her2map.report.study_tables import icc_lines
from her2map.study.agreement import UNITS, agreement
from her2map.study.readings import OPEN, Reading
from her2map.wording import counted

PROTOCOL = a_protocol(4)


def icc_of(readings: dict[str, tuple[Reading, ...]]) -> tuple[pd.DataFrame, list[list[str]]]:
    """The frame, and the lines of the table below its header."""
    frame = agreement(PROTOCOL, readings).icc
    return frame, icc_lines(frame)[1:]


def test_a_whole_study_has_a_line_for_every_icc() -> None:
    frame, lines = icc_of(some_readings(PROTOCOL))
    assert [line[0] for line in lines] == list(frame["biomarker"])
    assert [f"ICC{line[2]}" for line in lines] == list(frame["icc"])


def test_a_reader_who_has_not_begun_is_told_of_once() -> None:
    frame, lines = icc_of({**some_readings(PROTOCOL), "R2": ()})
    assert len(frame) == 6 * len(UNITS)
    assert len(lines) == 2 * len(UNITS) + 2
    found = {line[1]: line for line in lines[-2:]}
    for compared, readings in (("repeats of R2", 3), ("readers", 2)):
        remark = (
            "An ICC needs two complete cases and two readings of each; there are 0 cases with "
            f"{readings} readings."
        )
        assert found[compared] == ["all", compared, "(2,1), (3,1)", "0", "–", remark]


def test_a_reader_who_has_not_finished_is_told_of_once() -> None:
    """One case is left: too few for an ICC, and the count is that of the complete cases."""
    whole = some_readings(PROTOCOL)
    begun = tuple(
        one if one.case == PROTOCOL.codes[0] else replace(one, state=OPEN, finish="", ended=None)
        for one in whole["R2"]
    )
    _, lines = icc_of(whole | {"R2": begun})
    assert [line[:4] for line in lines[-2:]] == [
        ["all", "repeats of R2", "(2,1), (3,1)", "1"],
        ["all", "readers", "(2,1), (3,1)", "1"],
    ]
    assert all("there is 1 case with" in line[-1] for line in lines[-2:])


def test_biomarkers_without_values_share_a_line_and_the_others_keep_theirs() -> None:
    whole = some_readings(PROTOCOL)
    _, lines = icc_of(
        {reader: tuple(without(one, "T1_post") for one in own) for reader, own in whole.items()}
    )
    for compared in ("repeats of R1", "repeats of R2", "readers"):
        part = [line for line in lines if line[1] == compared]
        assert [line[0] for line in part] == [
            *("T1_pre", "T1_pre", "T1_post, delta_T1, delta_T1_ratio"),
            *("T2", "T2", "T2star", "T2star"),
        ]


def test_one_icc_of_two_that_is_missing_says_which() -> None:
    frame = agreement(PROTOCOL, some_readings(PROTOCOL)).icc
    one = frame.index[(frame["biomarker"] == "T2") & (frame["icc"] == "ICC(2,1)")]
    frame.loc[one, ["value", "low", "high"]] = float("nan")
    frame.loc[one, "remark"] = "There is none."
    lacking = [line for line in icc_lines(frame)[1:] if line[-1] == "There is none."]
    assert [line[:3] for line in lacking] == [
        ["T2", "repeats of R1", "(2,1)"],
        ["T2", "repeats of R2", "(2,1)"],
        ["T2", "readers", "(2,1)"],
    ]


def test_a_table_without_rows() -> None:
    frame = agreement(PROTOCOL, some_readings(PROTOCOL)).icc
    assert icc_lines(frame.iloc[:0]) == [["biomarker", "compared", "ICC", "cases", "value", "remark"]]


@pytest.mark.parametrize(
    ("number", "words", "said"),
    [
        (0, ("case",), "0 cases"),
        (1, ("case",), "1 case"),
        (2, ("case",), "2 cases"),
        (1, ("entry", "entries"), "1 entry"),
        (36, ("entry", "entries"), "36 entries"),
        (0.5, ("hour",), "0.5 hours"),
        (1.0, ("hour",), "1 hour"),
    ],
)
def test_numbers_of_things(number: float, words: tuple[str, ...], said: str) -> None:
    assert counted(number, *words) == said
