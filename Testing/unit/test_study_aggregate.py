"""Median of the repeats, mean over the readers; what is incomplete is listed, never filled."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2map.study.aggregate import aggregate
from her2map.study.protocol import Case, Protocol
from her2map.study.readings import FINISHED, OPEN, SKIPPED, Reading
from her2map.study.status import reader_status

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PROTOCOL = Protocol(Path("/s"), "T", (Case("001", Path("/a")), Case("002", Path("/b"))), ("r1", "r2"), 1)


def reading(reader: str, case: str, repeat: int, pixels: str = "p", **values: float | None) -> Reading:
    times = {"T1_pre": 1500.0, "T1_post": 500.0, "T2": 80.0, "T2star": 25.0, **values}
    stored = {
        name: {"value": value, "standard_error": 1.0, "reason": "" if value else "outside"}
        for name, value in times.items()
    }
    basis = {"pixels_sha256": pixels, "fit": {"options": {}, "registration": False}}
    told = json.dumps({"values": stored, **basis})
    return Reading(reader, case, repeat, FINISHED, NOW, NOW, finish=told)


def complete(**of_r1: tuple[float, float, float]) -> dict[str, tuple[Reading, ...]]:
    readings = {
        reader: tuple(reading(reader, case, i) for case in PROTOCOL.codes for i in (1, 2, 3))
        for reader in PROTOCOL.readers
    }
    changed = [
        reading("r1", "001", i + 1, **{name: values[i] for name, values in of_r1.items()}) for i in range(3)
    ]
    return {**readings, "r1": (*changed, *readings["r1"][3:])}


def test_median_then_mean_then_deltas() -> None:
    readings = complete(
        T1_pre=(1000.0, 1900.0, 1200.0), T1_post=(300.0, 400.0, 900.0), T2star=(20.0, 22.0, 27.0)
    )
    found = aggregate(PROTOCOL, readings)
    by_reader = found.by_reader.set_index(["case", "reader"])
    assert by_reader.loc[("001", "r1"), "T1_pre"] == 1200 and by_reader.loc[("001", "r1"), "T1_post"] == 400
    assert by_reader.loc[("001", "r1"), "delta_T1"] == 800  # of the medians, not the median of 700, 1500, 300
    by_case = found.by_case.set_index("case")
    assert by_case.loc["001", "T1_pre"] == (1200 + 1500) / 2 and by_case.loc["001", "T2star"] == (22 + 25) / 2
    assert by_case.loc["001", "delta_T1"] == 1350 - 450
    assert by_case.loc["001", "delta_T1_ratio"] == pytest.approx(900 / 1350)
    assert found.incomplete == () and len(found.readings) == 12


def test_incomplete_cases_are_listed_and_not_filled() -> None:
    readings = complete()
    one, *rest = readings["r2"]
    cut = {**readings, "r2": (replace(one, state=SKIPPED, finish=""), *rest)}
    found = aggregate(PROTOCOL, cut)
    assert list(found.by_case["case"]) == ["002"]
    assert found.incomplete == ("case 001: r2 has finished 2 of 3",)
    assert len(found.by_reader) == 3
    nothing = aggregate(PROTOCOL, {"r1": (), "r2": ()})
    assert len(nothing.by_case) == len(nothing.by_reader) == len(nothing.spread) == 0
    assert nothing.incomplete[1] == "case 002: r1 has finished 0 of 3, r2 has finished 0 of 3"


def test_a_missing_value_leaves_the_others() -> None:
    readings = complete()
    first = reading("r1", "001", 1, T2=None)
    found = aggregate(PROTOCOL, {**readings, "r1": (first, *readings["r1"][1:])})
    row = found.by_case.set_index("case").loc["001"]
    assert np.isnan(row["T2"]) and row["T2star"] == 25 and row["delta_T1"] == 1000


def test_readings_that_the_protocol_does_not_ask_for_are_left_out() -> None:
    readings = complete()
    extra = (*readings["r1"], reading("r1", "001", 4, T2=1.0), reading("r1", "009", 1))
    found = aggregate(PROTOCOL, {**readings, "r1": extra})
    assert found.by_case.equals(aggregate(PROTOCOL, readings).by_case)


def test_readings_of_different_images_are_no_repeats() -> None:
    readings = complete()
    other = {**readings, "r2": (reading("r2", "001", 1, pixels="q"), *readings["r2"][1:])}
    found = aggregate(PROTOCOL, other)
    assert list(found.by_case["case"]) == ["002"] and "001" not in set(found.readings["case"])
    assert found.incomplete == (
        "case 001: its readings are of different images, so they are no repeats of each other",
    )
    assert found.mixed.keys() == {"001"} and aggregate(PROTOCOL, readings).mixed == {}


def test_a_large_spread_is_pointed_out() -> None:
    found = aggregate(PROTOCOL, complete(T2=(80.0, 80.0, 92.1), T2star=(25.0, 25.0, 28.7)))
    assert found.spread.to_dict("records") == [
        {"case": "001", "reader": "r1", "biomarker": "T2", "lowest": 80.0, "highest": 92.1,
         "spread": pytest.approx(12.1 / 80)},
    ]  # fmt: skip


@given(st.permutations([900.0, 1000.0, 1300.0]), st.permutations(range(6)))
def test_neither_the_order_of_repeats_nor_that_of_reading_matters(
    values: list[float], order: list[int]
) -> None:
    readings = complete(T1_pre=tuple(values))
    shuffled = {**readings, "r1": tuple(readings["r1"][i] for i in order)}
    found = aggregate(PROTOCOL, shuffled).by_case
    assert found.equals(aggregate(PROTOCOL, complete(T1_pre=(900.0, 1000.0, 1300.0))).by_case)


def test_status_counts() -> None:
    readings = complete()
    one, two, *rest = readings["r1"]
    states = (replace(one, state=OPEN, ended=None), replace(two, state=SKIPPED, reason="blurred"), *rest)
    first, second = reader_status(PROTOCOL, {**readings, "r1": states})
    assert (first.finished, first.open, first.skipped, first.total) == (4, 1, 1, 6)
    assert first.skips == ((("001", 2), "blurred"),) and first.last == NOW
    assert (second.finished, second.total) == (6, 6)
