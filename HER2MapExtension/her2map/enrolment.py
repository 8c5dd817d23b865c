"""Who came into the study and who did not, and why: counts for the flow diagram, from a screening table.

STROBE (von Elm E et al., PLoS Med 2007;4:e296, items 6 and 13) asks for the numbers at each stage and the
reasons.
"""

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from .checked_csv import CheckedCsv, Row, read_checked_csv
from .pathology import Group, Her2

INCLUSION, EXCLUSION = "inclusion", "exclusion"
COLUMNS = ("case", "included", "reason", "stage")
YES_NO = {"yes": True, "no": False}
STAGES = {INCLUSION: INCLUSION, EXCLUSION: EXCLUSION}


@dataclass(frozen=True)
class Criterion:
    """A reason for which a case is left out.

    Attributes:
        code: what a screening table may write for short.
        stage: `inclusion` where an inclusion criterion was not met, `exclusion` where one of exclusion was.
        text: as the flow diagram says it.
    """

    code: str
    stage: str
    text: str


CRITERIA = (
    Criterion("no-cancer", INCLUSION, "No primary breast cancer confirmed by pathology"),
    Criterion("no-her2", INCLUSION, "HER2 status not determined (IHC or ISH incomplete)"),
    Criterion("treated", INCLUSION, "Biopsy or treatment before MRI"),
    Criterion("no-mri", INCLUSION, "No MRI with mapping before surgery"),
    Criterion("incomplete", EXCLUSION, "T1, T2 or T2* mapping or DCE series incomplete"),
    Criterion("quality", EXCLUSION, "Poor image quality or motion"),
    Criterion("small", EXCLUSION, "Lesion too small for a ROI"),
)
"""Assumed: what the paper (doi 10.21037/qims-2025-1449) is known to have required - histologically confirmed
breast cancer, preoperative MRI with T1, T2 and T2* mapping, a HER2 status - and what studies of this kind
usually exclude. A study writes its own reasons in words wherever its list is another."""


@dataclass(frozen=True)
class ScreenedCase:
    """One line of the screening table; `stage` and `reason` are "" of an included case."""

    case: str
    line: int
    included: bool
    stage: str
    reason: str


@dataclass(frozen=True)
class Reason:
    """A reason in words, and how many cases it left out."""

    text: str
    cases: int


@dataclass(frozen=True)
class Stage:
    """One step of the flow: who fell out for which reasons, the most frequent first, and who remained."""

    name: str
    excluded: int
    reasons: tuple[Reason, ...]
    remaining: int


@dataclass(frozen=True)
class Enrolment:
    """The flow.

    Attributes:
        screened, included: numbers of cases.
        stages: those at which someone fell out, in order.
        groups: included cases by HER2 status, zero, low, positive; empty without pathology.
        unsettled: included cases whose HER2 status is not settled, with what is lacking.
        without_pathology: included cases that the pathology table does not have.
    """

    screened: int
    stages: tuple[Stage, ...]
    included: int
    groups: tuple[tuple[Group, int], ...] = ()
    unsettled: tuple[tuple[str, str], ...] = ()
    without_pathology: tuple[str, ...] = ()


def read_screening(path: str | os.PathLike[str]) -> tuple[ScreenedCase, ...]:
    """Read the screening table: `case`, `included` (yes or no), `reason`, and if wanted `stage`.

    A case that is not included has one reason: a code of :data:`CRITERIA` or words of the study's own.
    `stage` is inclusion (a criterion was not met) or exclusion; where it is empty, that of the code, or of
    the same words in another line, else exclusion. Further columns are left alone.

    Raises:
        InputError: as :func:`~her2map.checked_csv.read_checked_csv`, or a line for every cell that is wrong.
    """
    table = read_checked_csv(path, ("case", "included", "reason"), COLUMNS, "screening table")
    seen: dict[str, int] = {}
    stages = _stages_of_words(table)
    cases = tuple(_case(table, row, seen, stages) for row in table.rows)
    table.raise_mistakes()
    return cases


def _stages_of_words(table: CheckedCsv) -> dict[str, str]:
    """The stage of each reason, where a line gives it."""
    known = {criterion.code: criterion.stage for criterion in CRITERIA}
    for row in table.rows:
        reason, stage = table.text(row, "reason").casefold(), table.text(row, "stage").casefold()
        if reason and stage in STAGES:
            known.setdefault(reason, stage)
    return known


def _case(table: CheckedCsv, row: Row, seen: dict[str, int], stages: Mapping[str, str]) -> ScreenedCase:
    case = table.case(row, seen)
    included = table.choice(row, "included", YES_NO)
    reason, stage = table.text(row, "reason"), table.choice(row, "stage", STAGES)
    if included is None and not table.text(row, "included"):
        table.mistake(row, "included", "the cell is empty; write yes or no.")
    elif included is True and (reason or stage):
        table.mistake(row, "reason", "an included case has no reason and no stage; empty them, or write no.")
    elif included is False:
        _check_reason(table, row, reason)
    stage = stage or stages.get(reason.casefold(), EXCLUSION)
    if included:
        return ScreenedCase(case, row.line, True, "", "")
    return ScreenedCase(case, row.line, False, stage, reason)


def _check_reason(table: CheckedCsv, row: Row, reason: str) -> None:
    codes = [criterion.code for criterion in CRITERIA]
    if not reason:
        allowed = ", ".join(codes)
        table.mistake(row, "reason", f"the cell is empty; write why in words, or one of {allowed}.")
    elif reason.casefold() not in codes and (near := get_close_matches(reason.casefold(), codes, 1, 0.8)):
        table.mistake(row, "reason", f"'{reason}' is not known; write {near[0]}, or more words.")


def enrolment(cases: tuple[ScreenedCase, ...], her2: Mapping[str, Her2] | None = None) -> Enrolment:
    """Count the flow.

    Args:
        cases: of :func:`read_screening`.
        her2: status by case code, from the pathology table; codes match in any case of letters.
    """
    remaining = len(cases)
    stages = []
    for name in (INCLUSION, EXCLUSION):
        reasons = _count([case.reason for case in cases if case.stage == name])
        excluded = sum(reason.cases for reason in reasons)
        remaining -= excluded
        if excluded:
            stages.append(Stage(name, excluded, reasons, remaining))
    included = [case.case for case in cases if case.included]
    flow = Enrolment(len(cases), tuple(stages), len(included))
    return flow if her2 is None else _with_groups(flow, included, her2)


def _count(reasons: list[str]) -> tuple[Reason, ...]:
    """The most frequent first, then as they come; words that differ in capitals alone are one reason."""
    texts = {criterion.code: criterion.text for criterion in CRITERIA}
    said: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for reason in reasons:
        words = " ".join(texts.get(reason.casefold(), reason).split())
        said.setdefault(words.casefold(), words)
        counts[words.casefold()] += 1
    return tuple(Reason(said[key], n) for key, n in counts.most_common())


def _with_groups(flow: Enrolment, included: list[str], her2: Mapping[str, Her2]) -> Enrolment:
    known = {case.casefold(): status for case, status in her2.items()}
    found = {case: known[case.casefold()] for case in included if case.casefold() in known}
    counts = Counter(status.group for status in found.values())
    return Enrolment(
        flow.screened,
        flow.stages,
        flow.included,
        groups=tuple((group, counts[group]) for group in Group),
        unsettled=tuple((case, status.state) for case, status in found.items() if status.group is None),
        without_pathology=tuple(case for case in included if case not in found),
    )
