"""Enrolment: the screening table, the counts, and a flow diagram in which everything can be read."""

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import FancyBboxPatch
from matplotlib.transforms import Bbox

from her2map.enrolment import (
    CRITERIA,
    EXCLUSION,
    INCLUSION,
    Enrolment,
    ScreenedCase,
    enrolment,
    read_screening,
)
from her2map.errors import InputError
from her2map.pathology import Group, Her2, Verdict
from her2map.report.enrolment import flow_figure, flow_rows, flow_text, missing_letters, write_flow

POSITIVE = Her2(Verdict.POSITIVE, Group.POSITIVE, "")
LOW = Her2(Verdict.NEGATIVE, Group.LOW, "")
RECOUNT = Her2(Verdict.NEEDS_RECOUNT, None, "")


def read(path: Path, text: str) -> tuple[ScreenedCase, ...]:
    path.write_text(text, encoding="utf-8")
    return read_screening(path)


def screened(*reasons: tuple[str, str, int], included: int = 5) -> tuple[ScreenedCase, ...]:
    """Cases by reason, stage and number."""
    told = [(reason, stage) for reason, stage, n in reasons for _ in range(n)] + [("", "")] * included
    return tuple(
        ScreenedCase(f"S{i}", i + 2, not reason, stage, reason) for i, (reason, stage) in enumerate(told)
    )


def test_counts_by_stage_and_reason(tmp_path: Path) -> None:
    table = (
        "case,included,reason,stage,note\n"
        "S1,yes,,,\nS2,No,quality,,x\nS3,no,Quality,,\nS4,no,no-her2,,\nS5,YES,,,\n"
        "S6,no,Implant  in the breast,inclusion,\nS7,no,implant in the breast,,\nS8,no,claustrophobia,,\n"
    )
    flow = enrolment(read(tmp_path / "screening.csv", table))
    assert (flow.screened, flow.included) == (8, 2)
    inclusion, exclusion = flow.stages
    assert (inclusion.name, inclusion.excluded, inclusion.remaining) == (INCLUSION, 2, 6)
    assert (exclusion.name, exclusion.excluded, exclusion.remaining) == (EXCLUSION, 4, 2)
    texts = {criterion.code: criterion.text for criterion in CRITERIA}
    assert [(r.text, r.cases) for r in exclusion.reasons] == [
        (texts["quality"], 2), ("implant in the breast", 1), ("claustrophobia", 1),
    ]  # fmt: skip
    assert [r.text for r in inclusion.reasons] == [texts["no-her2"], "Implant in the breast"]


def test_the_stage_of_the_same_words_in_another_line(tmp_path: Path) -> None:
    table = "case,included,reason,stage\nS1,no,Implant,\nS2,no,implant,inclusion\nS3,yes,,\n"
    flow = enrolment(read(tmp_path / "screening.csv", table))
    assert [(stage.name, stage.excluded) for stage in flow.stages] == [(INCLUSION, 2)]
    assert flow.stages[0].reasons[0].text == "Implant"


def test_every_mistake(tmp_path: Path) -> None:
    table = (
        "case,included,reason,stage\nS1,maybe,,\nS2,no,,\nS3,yes,quality,\nS4,,quality,\nS2,yes,,\n"
        "S6,no,too ill,later\nS7,no,qualty,\nS8,yes,,exclusion\n"
    )
    with pytest.raises(InputError) as error:
        read(tmp_path / "screening.csv", table)
    said = str(error.value).splitlines()
    for line, words in zip(
        said,
        (
            "line 2, included: 'maybe' is not known; write yes or no",
            "line 3, reason: the cell is empty; write why in words, or one of no-cancer, no-her2",
            "line 4, reason: an included case has no reason",
            "line 5, included: the cell is empty; write yes or no",
            "line 6, case: S2 is already in line 3",
            "line 7, stage: 'later' is not known; write inclusion or exclusion",
            "line 8, reason: 'qualty' is not known; write quality, or more words.",
            "line 9, reason: an included case has no reason and no stage",
        ),
        strict=True,
    ):
        assert words in line


def test_groups_and_what_is_not_settled() -> None:
    her2 = {"s0": POSITIVE, "S1": LOW, "S2": LOW, "S3": RECOUNT, "S9": POSITIVE}
    flow = enrolment(screened(included=5), her2)
    assert flow.groups == ((Group.ZERO, 0), (Group.LOW, 2), (Group.POSITIVE, 1))
    assert flow.unsettled == (("S3", "needs recount"),)
    assert flow.without_pathology == ("S4",)


reasons = st.lists(
    st.tuples(
        st.text(min_size=1).filter(str.strip), st.sampled_from([INCLUSION, EXCLUSION]), st.integers(1, 9)
    ),
    max_size=10,
)


@given(reasons, st.integers(0, 30))
def test_nobody_is_lost_and_nobody_is_counted_twice(told: list[tuple[str, str, int]], included: int) -> None:
    cases = screened(*told, included=included)
    her2 = {case.case: LOW for case in cases[:-1]}
    flow = enrolment(cases, her2)
    assert flow.screened == len(cases)
    remaining = flow.screened
    for stage in flow.stages:
        assert stage.excluded == sum(reason.cases for reason in stage.reasons)
        remaining -= stage.excluded
        assert stage.remaining == remaining
    assert remaining == flow.included == included
    assert sum(n for _, n in flow.groups) + len(flow.without_pathology) == included


LONG = (
    "Contrast medium was not given because of a known allergy against gadolinium-based agents, and the "
    "exam was ended early ($5 & 100 % <of> the sequences_were^lost)"
)


def flows() -> list[Enrolment]:
    found = [enrolment(screened()), enrolment(screened(), {})]
    for n in range(1, 11):
        short = [(f"Reason {i}", (INCLUSION, EXCLUSION)[i % 2], i + 1) for i in range(n)]
        long = [(f"{i} {LONG}", (INCLUSION, EXCLUSION)[i % 2], 1000) for i in range(n)]
        her2 = {f"S{i}": (POSITIVE, LOW, RECOUNT)[i % 3] for i in range(20_000)}
        found += [enrolment(screened(*short)), enrolment(screened(*long, included=900), her2)]
    found.append(enrolment(screened(("W" * 200, EXCLUSION, 3), ("i" * 300, INCLUSION, 3))))
    return found


@pytest.mark.parametrize("flow", flows())
def test_everything_is_inside_and_nothing_overlaps(flow: Enrolment) -> None:
    figure = flow_figure(flow)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    axes = figure.axes[0]
    renderer = canvas.get_renderer()
    texts = [text.get_window_extent(renderer) for text in axes.texts if text.get_text()]
    boxes = [patch.get_window_extent(renderer) for patch in axes.patches if isinstance(patch, FancyBboxPatch)]
    assert len(boxes) >= 2
    for box in boxes:
        assert within(box, figure.bbox, 1)
    for one, other in combinations(boxes, 2):
        assert not one.padded(2).overlaps(other)
    for text in texts:
        assert sum(within(text, box, 1) for box in boxes) == 1
    for one, other in combinations(texts, 2):
        assert not one.padded(-1.5).overlaps(other)


def within(inner: Bbox, outer: Bbox, slack: float) -> bool:
    around = outer.padded(slack)
    return bool(
        around.x0 <= inner.x0 and inner.x1 <= around.x1 and around.y0 <= inner.y0 and inner.y1 <= around.y1
    )


def test_nothing_of_a_reason_is_left_out_of_the_figure() -> None:
    flow = enrolment(screened((LONG, EXCLUSION, 3)))
    drawn = " ".join(text.get_text() for text in flow_figure(flow).axes[0].texts if text.get_text())
    assert f"– {LONG} (n = 3)" in drawn
    assert "Screened (n = 8)" in drawn
    assert "Included (n = 5)" in drawn


def test_files_are_the_same_for_the_same_flow(tmp_path: Path) -> None:
    flow = enrolment(screened(("quality", EXCLUSION, 3)), {"S3": LOW})
    first, second = tmp_path / "1", tmp_path / "2"
    for folder in (first, second):
        folder.mkdir()
        write_flow(folder, flow)
    assert sorted(path.name for path in first.iterdir()) == ["enrolment.png", "enrolment.svg"]
    for name in ("enrolment.png", "enrolment.svg"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_letters_without_a_font_are_told() -> None:
    assert missing_letters(enrolment(screened(("abc é", EXCLUSION, 1)))) == ""
    assert missing_letters(enrolment(screened(("a\U00012000b", EXCLUSION, 1)))) == "\U00012000"


def test_text_and_rows() -> None:
    flow = enrolment(screened(("quality", EXCLUSION, 12), included=100), {"S12": POSITIVE})
    assert flow_text(flow).splitlines()[:4] == [
        "112  screened",
        " 12  excluded",
        "      12  Poor image quality or motion",
        "100  included",
    ]
    assert ("exclusion", "Excluded", 12) in flow_rows(flow)
    assert ("analysis", "HER2-positive", 1) in flow_rows(flow)
    assert ("analysis", "Not in the pathology table", 99) in flow_rows(flow)
