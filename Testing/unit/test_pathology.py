"""HER2 status by both presets, against the figures of the guideline; receptors, Ki-67 and subtypes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2map.errors import InputError
from her2map.pathology import (
    NO_ISH,
    PRESETS,
    Assessment,
    Group,
    Ish,
    Receptor,
    Subtype,
    Tissue,
    Verdict,
    assess,
    er_status,
    guideline_her2,
    paper_her2,
    pr_status,
    surrogate_subtype,
)

GROUP_COUNTS = {1: Ish(2.5, 8.0), 2: Ish(2.2, 3.1), 3: Ish(1.6, 7.0), 4: Ish(1.4, 4.8), 5: Ish(1.1, 2.2)}
counts = st.none() | st.floats(0, 30)
ishes = st.builds(Ish, counts, counts)
scores = st.sampled_from([None, 0, 1, 2, 3])


@pytest.mark.parametrize(
    ("ratio", "copies", "group"),
    [
        (2.0, 4.0, 1), (2.0, 3.99, 2), (1.99, 6.0, 3), (1.99, 5.99, 4), (1.99, 4.0, 4), (1.99, 3.99, 5),
        (8.0, 20.0, 1), (0.9, 1.5, 5), (2.0, None, None), (None, 6.0, None), (None, None, None),
    ],
)  # fmt: skip
def test_groups_of_the_guideline(ratio: float | None, copies: float | None, group: int | None) -> None:
    """Figure 3, with the borders on the side where the guideline puts them."""
    assert Ish(ratio, copies).group == group


@pytest.mark.parametrize(
    ("ihc", "ish", "state"),
    [
        (3, NO_ISH, "positive"),
        (2, Ish(2.0, 4.0), "positive"),
        (2, Ish(1.2, 6.0), "positive"),
        (2, Ish(None, 6.0), "positive"),
        (2, Ish(2.4, 3.9), "low"),
        (2, Ish(1.5, 4.5), "low"),
        (2, Ish(None, 3.0), "low"),
        (1, NO_ISH, "low"),
        (0, NO_ISH, "zero"),
        (2, NO_ISH, "undetermined"),
        (2, Ish(2.4, None), "undetermined"),
        (2, Ish(1.2, None), "undetermined"),  # there may be six copies
        (2, Ish(None, 5.0), "undetermined"),
        (None, Ish(2.5, 8.0), "undetermined"),
    ],
)
def test_paper(ihc: int | None, ish: Ish, state: str) -> None:
    assert paper_her2(ihc, ish).state == state


@pytest.mark.parametrize(
    ("group", "by_score"),
    [
        # IHC:  not known        0        1+       2+              3+
        (1, ["positive", "positive", "positive", "positive", "positive"]),
        (2, ["needs IHC", "zero", "low", "needs recount", "positive"]),
        (3, ["needs IHC", "zero", "low", "needs recount", "positive"]),
        (4, ["needs IHC", "zero", "low", "needs recount", "positive"]),
        (5, ["negative", "zero", "low", "low", "positive"]),
    ],
)
def test_guideline_groups_by_ihc(group: int, by_score: list[str]) -> None:
    """Figures 3 to 6."""
    found = [guideline_her2(ihc, GROUP_COUNTS[group], NO_ISH) for ihc in (None, 0, 1, 2, 3)]
    assert [her2.state for her2 in found] == by_score
    assert {her2.ish_group for her2 in found} == {group}


@pytest.mark.parametrize("first", [2, 3, 4])
@pytest.mark.parametrize("second", [1, 2, 3, 4, 5])
def test_guideline_recount(first: int, second: int) -> None:
    """Unchanged: group 3 is positive, 2 and 4 are negative; another group is adjudicated."""
    found = guideline_her2(2, GROUP_COUNTS[first], GROUP_COUNTS[second])
    if first != second:
        assert found.verdict is Verdict.ADJUDICATE
        assert found.group is None
    else:
        assert found.verdict is (Verdict.POSITIVE if first == 3 else Verdict.NEGATIVE)
        assert found.group is (Group.POSITIVE if first == 3 else Group.LOW)


def test_guideline_recount_without_copies_does_not_settle() -> None:
    found = guideline_her2(2, GROUP_COUNTS[3], Ish(1.6, None))
    assert found.verdict is Verdict.NEEDS_RECOUNT
    assert "lacks a number" in found.reason


@pytest.mark.parametrize(
    ("copies", "by_score"),
    [
        (6.0, ["positive"] * 5),
        (5.99, ["needs IHC", "zero", "low", "needs ISH", "positive"]),
        (4.0, ["needs IHC", "zero", "low", "needs ISH", "positive"]),
        (3.99, ["negative", "zero", "low", "low", "positive"]),
    ],
)
def test_guideline_single_probe(copies: float, by_score: list[str]) -> None:
    """Figure 2."""
    found = [guideline_her2(ihc, Ish(None, copies), NO_ISH) for ihc in (None, 0, 1, 2, 3)]
    assert [her2.state for her2 in found] == by_score


def test_guideline_without_ish() -> None:
    """Figure 1."""
    states = [guideline_her2(ihc, NO_ISH, NO_ISH).state for ihc in (None, 0, 1, 2, 3)]
    assert states == ["undetermined", "zero", "low", "needs ISH", "positive"]
    assert guideline_her2(2, Ish(2.4, None), NO_ISH).verdict is Verdict.NEEDS_ISH


@given(scores, ishes, ishes)
def test_a_group_is_never_guessed(ihc: int | None, ish: Ish, recount: Ish) -> None:
    for preset in PRESETS.values():
        found = preset.her2(ihc, ish, recount)
        assert found.reason
        assert (found.group is Group.POSITIVE) == (found.verdict is Verdict.POSITIVE)
        if found.group in (Group.LOW, Group.ZERO):
            assert found.verdict is Verdict.NEGATIVE
            assert found.group is (Group.ZERO if ihc == 0 else Group.LOW)
            assert ihc is not None
        if found.verdict is Verdict.NEGATIVE:
            assert ihc != 3
        if ihc == 2 and not ish.given:
            assert found.group is None


@given(scores, st.builds(Ish, st.floats(0, 30), st.floats(0, 30)), ishes)
def test_presets_agree_wherever_both_settle_ihc_2(ihc: int | None, ish: Ish, recount: Ish) -> None:
    """They differ where ISH is positive in spite of IHC 0 or 1+, which the paper's rule does not look at."""
    paper, guideline = paper_her2(ihc, ish), guideline_her2(ihc, ish, recount)
    if paper.group and guideline.group and not (ihc in (0, 1) and ish.amplified):
        assert paper.group is guideline.group


@given(st.floats(0, 30), st.floats(0, 30), st.floats(0, 10))
def test_more_copies_never_take_positive_away_from_the_paper(
    ratio: float, copies: float, more: float
) -> None:
    if Ish(ratio, copies).amplified:
        assert Ish(ratio, copies + more).amplified


def test_contrary_ish_is_said() -> None:
    assert "ISH is positive" in paper_her2(1, Ish(2.5, 8.0)).reason
    assert "ISH is negative" in paper_her2(3, Ish(1.1, 2.0)).reason


@pytest.mark.parametrize("score", [-1, 4, 20])
def test_scores_that_are_none(score: int) -> None:
    for preset in PRESETS.values():
        with pytest.raises(InputError, match="no IHC score"):
            preset.her2(score, NO_ISH, NO_ISH)


@pytest.mark.parametrize("bad", [-0.1, float("nan"), float("inf")])
def test_counts_that_are_none(bad: float) -> None:
    with pytest.raises(InputError, match="ratio"):
        Ish(bad, 1.0)
    with pytest.raises(InputError, match="copy number"):
        Ish(1.0, bad)


def test_receptors() -> None:
    percents = (0, 0.99, 1, 10, 10.01, 100)
    negative, low, positive = Receptor.NEGATIVE, Receptor.LOW_POSITIVE, Receptor.POSITIVE
    assert [er_status(p) for p in percents] == [negative, negative, low, low, positive, positive]
    assert [pr_status(p) for p in percents] == [negative, negative, positive, positive, positive, positive]
    assert low.positive
    for bad in (-1, 101, float("nan")):
        with pytest.raises(InputError, match="percentage"):
            er_status(bad)


def found(preset: str, **known: object) -> Assessment:
    return assess(Tissue(**known), PRESETS[preset])  # type: ignore[arg-type]


def test_ki67_has_a_cut_off_in_the_paper_alone() -> None:
    assert [found("paper", ki67_percent=p).ki67_high for p in (13.9, 14.0, None)] == [False, True, None]
    assert found("guideline", ki67_percent=50.0).ki67_high is None


def test_what_is_stated_stands_where_the_measurements_do_not_settle() -> None:
    her2 = found(
        "guideline", her2_ihc=2, ish=GROUP_COUNTS[4], recount=GROUP_COUNTS[1], her2_stated=Group.POSITIVE
    ).her2
    assert her2.group is Group.POSITIVE
    assert her2.reason.startswith("as stated; measured: IHC 2+, ISH group 4, recounted as group 1")
    assert found("paper", her2_stated=Group.LOW).her2.reason == "as stated"
    contrary = found("paper", her2_ihc=3, her2_stated=Group.LOW).her2
    assert contrary.group is Group.POSITIVE
    assert contrary.reason == "IHC 3+; stated as low"
    without_ihc = found("guideline", ish=GROUP_COUNTS[5], her2_stated=Group.POSITIVE).her2
    assert without_ihc.verdict is Verdict.NEGATIVE
    assert without_ihc.group is None
    assert found("guideline", ish=GROUP_COUNTS[5], her2_stated=Group.ZERO).her2.group is Group.ZERO


def test_percentages_go_before_words() -> None:
    assert found("paper", er_stated=Receptor.POSITIVE, er_percent=5.0).er is Receptor.LOW_POSITIVE
    assert found("paper", er_stated=Receptor.POSITIVE).er is Receptor.POSITIVE


@pytest.mark.parametrize(
    ("her2", "er", "pr", "ki67_high", "subtype"),
    [
        (Verdict.NEGATIVE, True, None, False, Subtype.LUMINAL_A),
        (Verdict.NEGATIVE, False, True, False, Subtype.LUMINAL_A),
        (Verdict.NEGATIVE, True, False, True, Subtype.LUMINAL_B_HER2_NEGATIVE),
        (Verdict.NEGATIVE, True, False, None, None),
        (Verdict.POSITIVE, True, None, None, Subtype.LUMINAL_B_HER2_POSITIVE),
        (Verdict.POSITIVE, False, False, None, Subtype.HER2_POSITIVE),
        (Verdict.POSITIVE, False, None, None, None),
        (Verdict.NEGATIVE, False, False, True, Subtype.TRIPLE_NEGATIVE),
        (Verdict.NEGATIVE, None, False, True, None),
        (Verdict.NEEDS_RECOUNT, True, True, True, None),
        (Verdict.UNDETERMINED, False, False, True, None),
    ],
)
def test_subtype(
    her2: Verdict, er: bool | None, pr: bool | None, ki67_high: bool | None, subtype: Subtype | None
) -> None:
    words = {True: Receptor.POSITIVE, False: Receptor.NEGATIVE, None: None}
    assert surrogate_subtype(her2, words[er], words[pr], ki67_high) is subtype
