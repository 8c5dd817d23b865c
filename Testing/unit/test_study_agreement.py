"""The agreement of a study from its readings, and its figure."""

import math
import time
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from agreement_data import a_protocol, a_reading, some_readings, without
from her2map.errors import InputError
from her2map.report.agreement import bland_altman_figure, write_bland_altman
from her2map.roi import Roi
from her2map.roi.overlap import overlap
from her2map.statistics import bland_altman, icc, repeatability
from her2map.study.aggregate import aggregate
from her2map.study.agreement import CONTOUR, UNITS, StudyAgreement, agreement, value_agreement
from her2map.study.readings import OPEN, SKIPPED, Reading

pytestmark = pytest.mark.filterwarnings("error")

Readings = dict[str, tuple[Reading, ...]]
PROTOCOL = a_protocol(8)


@pytest.fixture(scope="module")
def readings() -> Readings:
    return some_readings(PROTOCOL, bias=1.1)


@pytest.fixture(scope="module")
def found(readings: Readings) -> StudyAgreement:
    return agreement(PROTOCOL, readings)


def table(readings: Readings, reader: str, biomarker: str) -> np.ndarray:
    """(cases, repeats)."""
    values = {(one.case, one.repeat): one.result["values"] for one in readings[reader]}
    rows = [[values[code, repeat] for repeat in (1, 2, 3)] for code in PROTOCOL.codes]
    if biomarker == "delta_T1":
        return np.array([[one["T1_pre"]["value"] - one["T1_post"]["value"] for one in row] for row in rows])
    return np.array([[one[biomarker]["value"] for one in row] for row in rows])


def row(frame, **wanted):
    """The only row with these values."""
    for name, value in wanted.items():
        frame = frame[frame[name] == value]
    assert len(frame) == 1, wanted
    return frame.iloc[0]


def changed(readings: Readings, reader: str, case: str, repeat: int, **fields) -> Readings:
    return readings | {
        reader: tuple(
            replace(one, **fields) if (one.case, one.repeat) == (case, repeat) else one
            for one in readings[reader]
        )
    }


@pytest.mark.parametrize("biomarker", ["T2star", "delta_T1"])
def test_repeatability_of_each_reader_and_of_all(found, readings, biomarker) -> None:
    own = {reader: table(readings, reader, biomarker) for reader in PROTOCOL.readers}
    for compared, readings_of in {
        "repeats of R1": own["R1"],
        "repeats of R2": own["R2"],
        "repeats of all readers": np.vstack(list(own.values())),
    }.items():
        expected = repeatability(readings_of)
        line = row(found.repeatability, compared=compared, biomarker=biomarker)
        assert line.within_sd == pytest.approx(expected.within_sd.value)
        assert line.within_sd_low == pytest.approx(expected.within_sd.low)
        assert line.within_cv == pytest.approx(expected.within_cv.value)
        assert line.repeatability_coefficient_high == pytest.approx(expected.repeatability_coefficient.high)
        assert (line.cases, line.repeats, line.left_out, line.remark) == (len(readings_of), 3, 0, "")
    assert set(found.repeatability["biomarker"]) == set(UNITS)
    assert row(found.repeatability, compared="repeats of R1", biomarker="delta_T1_ratio").unit == "1"


def test_icc_within_a_reader_and_between_the_medians(found, readings) -> None:
    own = {reader: table(readings, reader, "T2") for reader in PROTOCOL.readers}
    medians = np.column_stack([np.median(one, axis=1) for one in own.values()])
    for compared, ratings in (("repeats of R2", own["R2"]), ("readers", medians)):
        for name, expected in zip(("ICC(2,1)", "ICC(3,1)"), icc(ratings), strict=True):
            line = row(found.icc, compared=compared, biomarker="T2", icc=name)
            for figure in ("value", "low", "high", "F", "df1", "df2", "p"):
                assert line[figure] == pytest.approx(getattr(expected, figure)), figure
            assert (line.cases, line.readings) == ratings.shape
    # A tenth more by one reader costs agreement, not consistency.
    both = {
        name: row(found.icc, compared="readers", biomarker="T2", icc=name).value for name in found.icc["icc"]
    }
    assert both["ICC(2,1)"] < both["ICC(3,1)"] - 0.03


def test_bland_altman_of_the_pair(found, readings) -> None:
    first, second = (np.median(table(readings, reader, "T2star"), axis=1) for reader in PROTOCOL.readers)
    expected = bland_altman(first, second)
    line = row(found.bland_altman, compared="R1 and R2", biomarker="T2star")
    assert (line["first"], line["second"], line.unit) == ("R1", "R2", "ms")
    assert line.bias == pytest.approx(expected.bias.value)
    assert line.bias < -2  # R2 reads a tenth more
    assert line.upper_high == pytest.approx(expected.upper.high)
    assert line.slope_p == pytest.approx(expected.slope_p)
    points = found.differences[found.differences["biomarker"] == "T2star"]
    assert list(points["case"]) == list(PROTOCOL.codes)
    assert points["difference"].to_numpy() == pytest.approx(first - second)


def test_the_delta_between_readers_comes_from_the_medians(found, readings) -> None:
    def delta(reader: str) -> np.ndarray:
        before, after = (np.median(table(readings, reader, name), axis=1) for name in ("T1_pre", "T1_post"))
        return before - after

    line = row(found.bland_altman, biomarker="delta_T1")
    assert line.bias == pytest.approx((delta("R1") - delta("R2")).mean())


def test_overlap_within_and_between(found, readings) -> None:
    assert len(found.overlaps) == 8 * 15
    summary = {line.compared: line for line in found.overlap.itertuples()}
    assert {name: line.comparisons for name, line in summary.items()} == {
        "repeats of R1": 24,
        "repeats of R2": 24,
        "R1 and R2": 72,
    }
    between = found.overlaps[found.overlaps["compared"] == "R1 and R2"]
    assert summary["R1 and R2"].dice == pytest.approx(between["dice"].median())
    assert summary["R1 and R2"].distance_mm_q3 == pytest.approx(
        np.percentile(between["mean_surface_distance_mm"], 75)
    )

    def roi(reader: str, repeat: int) -> Roi:
        one = next(one for one in readings[reader] if (one.case, one.repeat) == ("003", repeat))
        return Roi(one.result["roi"]["outline"], one.result["roi"]["thickness_mm"])

    line = row(found.overlaps, case="003", first="R1", first_repeat=2, second="R2", second_repeat=3)
    expected = overlap(roi("R1", 2), roi("R2", 3))
    assert line.dice == pytest.approx(expected.dice)
    assert line.mean_surface_distance_mm == pytest.approx(expected.mean_surface_distance_mm, abs=1e-6)


def test_incomplete_cases_are_listed_and_left_out(found, readings) -> None:
    lacking = changed(readings, "R1", "003", 2, state=OPEN, finish="", ended=None)
    lacking = changed(lacking, "R2", "005", 1, state=SKIPPED, finish="", reason="no tumour")
    partly = agreement(PROTOCOL, lacking)
    assert len(partly.incomplete) == 2
    assert "003" in partly.incomplete[0]
    assert row(partly.repeatability, compared="repeats of R1", biomarker="T2").cases == 7
    assert row(partly.repeatability, compared="repeats of all readers", biomarker="T2").cases == 14
    assert row(partly.icc, compared="readers", biomarker="T2", icc="ICC(2,1)").cases == 6
    line = row(partly.bland_altman, biomarker="T2")
    assert (line.cases, line.left_out) == (6, 2)
    cases = {
        (one.compared, one.biomarker): list(group["case"])
        for _, group in partly.left_out.groupby(["compared", "biomarker"])
        for one in group.head(1).itertuples()
    }
    assert cases["repeats of R1", "T2"] == cases["repeats of R1", CONTOUR] == ["003"]
    assert cases["readers", "T2star"] == cases["R1 and R2", "T2star"] == ["003", "005"]
    assert cases["R1 and R2", CONTOUR] == ["003", "005"]
    assert ("repeats of R2", "T2") in cases
    summary = row(partly.overlap, compared="R1 and R2")
    assert (summary.cases, summary.left_out, summary.comparisons) == (6, 2, 54)
    whole = found.overlaps[~found.overlaps["case"].isin(["003", "005"])]
    kept = partly.overlaps[partly.overlaps["compared"] == "R1 and R2"]
    assert list(kept["dice"]) == list(whole[whole["compared"] == "R1 and R2"]["dice"])


def test_a_reading_without_a_value_leaves_its_case_out_of_that_biomarker(readings) -> None:
    first = readings["R1"][0]
    one_less = readings | {"R1": (without(first, "T1_post"), *readings["R1"][1:])}
    partly = agreement(PROTOCOL, one_less)
    for biomarker, cases in {"T1_pre": 8, "T1_post": 7, "delta_T1": 7, "delta_T1_ratio": 7, "T2": 8}.items():
        assert row(partly.repeatability, compared="repeats of R1", biomarker=biomarker).cases == cases
        assert row(partly.bland_altman, biomarker=biomarker).cases == cases
    assert row(partly.overlap, compared="repeats of R1").cases == 8


def test_cases_that_the_protocol_no_longer_has_do_not_enter(readings) -> None:
    fewer = replace(PROTOCOL, cases=PROTOCOL.cases[2:])
    part = agreement(fewer, readings)
    assert set(part.differences["case"]) == set(fewer.codes)
    assert row(part.repeatability, compared="repeats of R1", biomarker="T2").cases == 6
    assert len(part.overlaps) == 6 * 15


def test_a_negative_icc_is_remarked_upon() -> None:
    """One tumour throughout: the cases do not differ."""
    protocol = a_protocol(6)
    values = [{"T1_pre": 1500.0, "T1_post": 500.0, "T2": 70.0, "T2star": 30.0 + i} for i in range(3)]
    flat = Roi.circle([0, 0, 0], [0, 0, 1], 8, 2).outline
    shuffled = {
        reader: tuple(
            a_reading(reader, code, repeat, flat, values[(repeat + number * sense) % 3])
            for number, code in enumerate(protocol.codes)
            for repeat in (1, 2, 3)
        )
        for reader, sense in (("R1", 1), ("R2", 2))
    }
    line = row(
        agreement(protocol, shuffled).icc, compared="repeats of R1", biomarker="T2star", icc="ICC(3,1)"
    )
    assert line.value == pytest.approx(-0.5)
    assert line.remark == "Negative: the cases differ less than the readings of one case."
    same = row(agreement(protocol, shuffled).icc, compared="repeats of R1", biomarker="T2", icc="ICC(2,1)")
    assert math.isnan(same.value)
    assert same.remark == "The cases do not differ, so there is no ICC."


@pytest.mark.parametrize("repeats", [1, 3])
@pytest.mark.parametrize("readers", [("R1",), ("R1", "R2", "R3")])
@pytest.mark.parametrize("finished", [0, 1, 4])
def test_any_study_has_the_same_tables(found, readers, repeats, finished) -> None:
    protocol = a_protocol(4, readers, repeats)
    whole = some_readings(protocol)
    codes = protocol.codes[:finished]
    begun = {reader: tuple(one for one in whole[reader] if one.case in codes) for reader in readers}
    part = agreement(protocol, begun)
    pairs = len(readers) * (len(readers) - 1) // 2
    own = len(readers) if repeats > 1 else 0
    for name in ("repeatability", "icc", "bland_altman", "differences", "overlap", "overlaps", "left_out"):
        assert list(getattr(part, name).columns) == list(getattr(found, name).columns), name
    assert len(part.repeatability) == 6 * (len(readers) + (len(readers) > 1))
    assert len(part.icc) == 12 * (len(readers) + (len(readers) > 1))
    assert len(part.bland_altman) == 6 * pairs
    assert len(part.differences) == 6 * pairs * finished
    assert len(part.overlap) == own + pairs
    assert len(part.incomplete) == 4 - finished
    missing = part.icc[part.icc["value"].isna()]
    assert (missing["remark"] != "").all()
    assert (part.repeatability[part.repeatability["within_sd"].isna()]["remark"] != "").all()
    assert (part.bland_altman[part.bland_altman["lower"].isna()]["remark"] != "").all()


def test_contours_on_another_slice_and_tilted_ones_are_counted() -> None:
    protocol = a_protocol(1, repeats=1)
    values = {"T1_pre": 1500.0, "T1_post": 500.0, "T2": 70.0, "T2star": 30.0}
    flat = Roi.circle([0, 0, 0], [0, 0, 1], 8, 2).outline
    above, tilted = flat + np.array([0, 0, 1.0]), Roi.circle([0, 0, 0], [1, 0, 1], 8, 2).outline
    for outline, other_slice, without_figures, dice in ((above, 1, 0, 0.5), (tilted, 0, 1, math.nan)):
        both = {
            "R1": (a_reading("R1", "001", 1, flat, values),),
            "R2": (a_reading("R2", "001", 1, outline, values),),
        }
        line = row(agreement(protocol, both).overlap, compared="R1 and R2")
        assert (line.other_slice, line.without) == (other_slice, without_figures)
        assert line.dice == pytest.approx(dice, nan_ok=True)


def test_a_study_of_200_cases_takes_seconds() -> None:
    protocol = a_protocol(200)
    readings = some_readings(protocol)
    start = time.perf_counter()
    found = agreement(protocol, readings)
    assert len(found.overlaps) == 3000
    assert time.perf_counter() - start < 6  # 1.6 s on two idle cores


def test_the_figure_has_a_panel_for_each_biomarker_with_its_n(readings) -> None:
    first = readings["R1"][0]
    partly = agreement(PROTOCOL, readings | {"R1": (without(first, "T2"), *readings["R1"][1:])})
    panels = bland_altman_figure(partly, "R1 and R2").axes
    assert [panel.get_title("left") for panel in panels][-2:] == ["T2", "T2*"]
    assert [panel.get_title("right") for panel in panels] == ["n = 8"] * 4 + ["n = 7", "n = 8"]
    for name, panel in zip(UNITS, panels, strict=True):
        line = row(partly.bland_altman, biomarker=name)
        points, *_ = panel.lines
        assert len(points.get_ydata()) == line.cases
        low, high = panel.get_ylim()
        assert low < min(line.lower, *points.get_ydata())
        assert max(line.upper, *points.get_ydata()) < high
        labels = {text.get_text().partition("\n")[0] for text in panel.texts}
        assert labels == {"bias", "+1.96 SD", "−1.96 SD"}


def test_figures_are_written_alike_every_time(tmp_path: Path, readings) -> None:
    three = a_protocol(4, ("R1", "R2", "R3"))
    found = agreement(three, some_readings(three))
    written = write_bland_altman(tmp_path / "a", found)
    assert [path.name for path in written[:2]] == ["bland_altman_R1_R2.svg", "bland_altman_R1_R2.png"]
    assert len(written) == 6
    ElementTree.parse(written[0])
    assert written[1].read_bytes().startswith(b"\x89PNG")
    for path in write_bland_altman(tmp_path / "b", found):
        assert path.read_bytes() == (tmp_path / "a" / path.name).read_bytes()


@pytest.mark.parametrize("finished", [0, 1, 2])
def test_a_figure_of_hardly_any_case_says_so(finished: int) -> None:
    protocol = a_protocol(2)
    codes = protocol.codes[:finished]
    begun = {
        reader: tuple(one for one in own if one.case in codes)
        for reader, own in some_readings(protocol).items()
    }
    figure = bland_altman_figure(agreement(protocol, begun), "R1 and R2")
    figure.draw_without_rendering()
    told = [text.get_text() for panel in figure.axes for text in panel.texts]
    assert any("Limits of agreement need" in text for text in told) == (finished < 2)


def test_a_pair_that_does_not_exist(found) -> None:
    with pytest.raises(
        InputError, match="No pair of readers is called 'R1 and R9'; the pairs are: R1 and R2"
    ):
        bland_altman_figure(found, "R1 and R9")
    alone = a_protocol(2, ("R1",))
    with pytest.raises(InputError, match="there is one reader only"):
        bland_altman_figure(agreement(alone, some_readings(alone)), "R1 and R2")


def test_values_alone_agree_as_with_their_contours(readings: Readings, found: StudyAgreement) -> None:
    alone = value_agreement(PROTOCOL, aggregate(PROTOCOL, readings))
    for name in ("repeatability", "icc", "bland_altman", "differences"):
        pd.testing.assert_frame_equal(getattr(alone, name), getattr(found, name))
    assert len(found.overlaps) > 0 and len(alone.overlaps) == 0
    assert len(alone.overlap) == 0 and CONTOUR not in set(alone.left_out["biomarker"])
