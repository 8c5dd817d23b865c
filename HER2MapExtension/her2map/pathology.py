"""From what the pathologist measured to HER2, ER, PR and Ki-67 status and subtype: rules alone.

Sources:

- HER2, preset *guideline*: Wolff AC et al., Human Epidermal Growth Factor Receptor 2 Testing in Breast
  Cancer: ASCO/CAP Clinical Practice Guideline Focused Update. J Clin Oncol 2018;36(20):2105-2122, doi
  10.1200/JCO.2018.77.8738; figures 1 (IHC), 2 (single probe), 3 (the five groups of a dual probe) and 4 to 6
  (work-up of groups 2, 3 and 4). Affirmed by Wolff AC et al., J Clin Oncol 2023;41:3867-3872, doi
  10.1200/JCO.22.02864, which makes no category of HER2-low; the split of the negative cases by IHC is that
  of the trials which it cites.
- HER2, preset *paper*: Zhang Y et al., Quant Imaging Med Surg 2026;16(4):288, doi 10.21037/qims-2025-1449.
- ER and PR: Allison KH et al., J Clin Oncol 2020;38:1346-1366, doi 10.1200/JCO.19.02309.
- Subtype: the surrogate definitions of St Gallen 2011, Goldhirsch A et al., Ann Oncol 2011;22:1736-1747,
  doi 10.1093/annonc/mdr304, whose Ki-67 cut-off is the paper's 14 %. Intrinsic subtypes are defined by gene
  expression; these are not.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from .errors import InputError

RECEPTOR_CUT_OFF = 1.0
"""Percent of tumour nuclei from which ER or PR is positive."""
ER_LOW_LIMIT = 10.0
"""Percent of tumour nuclei up to which a positive ER is low positive."""


class Group(Enum):
    """The three groups that a study compares."""

    ZERO = "zero"
    LOW = "low"
    POSITIVE = "positive"


class Verdict(Enum):
    """What the tests say of HER2, or what they still lack."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    NEEDS_IHC = "needs IHC"
    NEEDS_ISH = "needs ISH"
    NEEDS_RECOUNT = "needs recount"
    ADJUDICATE = "adjudicate"
    UNDETERMINED = "undetermined"


class Receptor(Enum):
    """Status of ER or PR; low positive is a kind of positive, and known of ER alone."""

    NEGATIVE = "negative"
    LOW_POSITIVE = "low positive"
    POSITIVE = "positive"

    @property
    def positive(self) -> bool:
        return self is not Receptor.NEGATIVE


class Subtype(Enum):
    """Surrogate subtypes of St Gallen 2011."""

    LUMINAL_A = "luminal A"
    LUMINAL_B_HER2_NEGATIVE = "luminal B (HER2-negative)"
    LUMINAL_B_HER2_POSITIVE = "luminal B (HER2-positive)"
    HER2_POSITIVE = "HER2-positive (non-luminal)"
    TRIPLE_NEGATIVE = "triple negative"


@dataclass(frozen=True)
class Ish:
    """One count by in-situ hybridisation.

    Attributes:
        ratio: HER2 signals over CEP17 signals; None where not counted (a single probe).
        copies: HER2 signals a cell, on average; None where not given.

    Raises:
        InputError: a number that is negative or not finite.
    """

    ratio: float | None = None
    copies: float | None = None

    def __post_init__(self) -> None:
        for name, value in (("HER2/CEP17 ratio", self.ratio), ("HER2 copy number", self.copies)):
            if value is not None and not 0 <= value < math.inf:
                raise InputError(f"The {name} {value:g} is no count; give a number of at least 0.")

    @property
    def given(self) -> bool:
        return self.ratio is not None or self.copies is not None

    @property
    def group(self) -> int | None:
        """The guideline's group 1 to 5; None unless both numbers are there."""
        if self.ratio is None or self.copies is None:
            return None
        if self.ratio >= 2.0:
            return 1 if self.copies >= 4.0 else 2
        if self.copies >= 6.0:
            return 3
        return 4 if self.copies >= 4.0 else 5

    @property
    def amplified(self) -> bool | None:
        """The paper's rule: ratio >= 2.0 with >= 4.0 copies, or >= 6.0 copies; None where not known."""
        if self.copies is not None and (self.copies >= 6.0 or self.copies < 4.0):
            return self.copies >= 6.0
        if self.copies is not None and self.ratio is not None:
            return self.ratio >= 2.0
        return None


NO_ISH = Ish()


@dataclass(frozen=True)
class Her2:
    """A HER2 status and why.

    Attributes:
        verdict: positive, negative, or what is lacking.
        group: for the study; None where it is not settled - also of a negative whose IHC score is not known.
        reason: in words, for the table's reader.
        ish_group: the guideline's, 1 to 5; None where ISH did not give both numbers.
    """

    verdict: Verdict
    group: Group | None
    reason: str
    ish_group: int | None = None

    @property
    def state(self) -> str:
        """One word for a table: the group where it is settled, else the verdict."""
        return self.group.value if self.group else self.verdict.value


@dataclass(frozen=True)
class Tissue:
    """What is known of one tumour; None where it is not known. Percentages are of tumour nuclei, 0 to 100.

    Attributes:
        her2_stated: the group as someone has settled it; used where the measurements do not settle it.
        her2_ihc: score 0 to 3.
        ish: the first count; `recount`: that of a second observer, blinded to the first.
        er_stated, pr_stated: positive or negative without a percentage.
    """

    her2_stated: Group | None = None
    her2_ihc: int | None = None
    ish: Ish = NO_ISH
    recount: Ish = NO_ISH
    er_stated: Receptor | None = None
    er_percent: float | None = None
    pr_stated: Receptor | None = None
    pr_percent: float | None = None
    ki67_percent: float | None = None


@dataclass(frozen=True)
class Assessment:
    """What follows from a :class:`Tissue` under one preset; None where it does not follow."""

    her2: Her2
    er: Receptor | None
    pr: Receptor | None
    ki67_high: bool | None
    subtype: Subtype | None


@dataclass(frozen=True)
class Preset:
    """A set of rules.

    Attributes:
        name: written beside every result.
        her2: the rule, of IHC score, first count and recount.
        ki67_cut_off: percent from which Ki-67 is high; None where the source sets none.
    """

    name: str
    her2: Callable[[int | None, Ish, Ish], Her2]
    ki67_cut_off: float | None


def paper_her2(ihc: int | None, ish: Ish, recount: Ish = NO_ISH) -> Her2:
    """HER2 as the paper groups it: 3+, or 2+ with ISH positive; 1+, or 2+ with ISH negative; 0.

    Raises:
        InputError: a score other than 0 to 3.
    """
    _check_ihc(ihc)
    if ihc is None:
        return Her2(Verdict.UNDETERMINED, None, "no IHC score", ish.group)
    if ihc != 2:
        return _of_ihc_alone(ihc, ish)
    if ish.amplified is None:
        lack = "ISH does not decide without both numbers" if ish.given else "no ISH"
        return Her2(Verdict.UNDETERMINED, None, f"IHC 2+, {lack}", ish.group)
    if ish.amplified:
        return Her2(Verdict.POSITIVE, Group.POSITIVE, "IHC 2+, ISH positive", ish.group)
    return Her2(Verdict.NEGATIVE, Group.LOW, "IHC 2+, ISH negative", ish.group)


def _of_ihc_alone(ihc: int, ish: Ish) -> Her2:
    verdict = Verdict.POSITIVE if ihc == 3 else Verdict.NEGATIVE
    group = {0: Group.ZERO, 1: Group.LOW, 3: Group.POSITIVE}[ihc]
    remark = ""
    if ish.amplified is not None and ish.amplified is not (ihc == 3):
        remark = f"; ISH is {'positive' if ish.amplified else 'negative'}, the rule goes by IHC"
    return Her2(verdict, group, f"IHC {_score(ihc)}{remark}", ish.group)


def guideline_her2(ihc: int | None, ish: Ish, recount: Ish = NO_ISH) -> Her2:
    """HER2 by the ASCO/CAP guideline, from IHC of the same tissue, the ISH count and the blinded recount.

    A copy number without a ratio is taken for a single-probe count (figure 2 of the guideline).

    Raises:
        InputError: a score other than 0 to 3.
    """
    _check_ihc(ihc)
    if not ish.given:
        return _guideline_ihc(ihc)
    if ish.copies is None:
        return _settled(Verdict.NEEDS_ISH, ihc, ish, "a ratio without the copy number names no group")
    if ish.ratio is None:
        return _single_probe(ihc, ish)
    if ish.group == 1:
        return _settled(Verdict.POSITIVE, ihc, ish, "ISH group 1: ISH positive")
    if ish.group == 5:
        if ihc == 3:
            return _settled(Verdict.POSITIVE, ihc, ish, "ISH group 5: ISH negative, but overexpressed")
        return _settled(Verdict.NEGATIVE, ihc, ish, "ISH group 5: ISH negative")
    return _work_up(ihc, ish, recount)


def _guideline_ihc(ihc: int | None) -> Her2:
    if ihc is None:
        return Her2(Verdict.UNDETERMINED, None, "neither IHC nor ISH")
    if ihc == 2:
        return Her2(Verdict.NEEDS_ISH, None, "IHC 2+: equivocal without ISH")
    return _of_ihc_alone(ihc, NO_ISH)


def _single_probe(ihc: int | None, ish: Ish) -> Her2:
    """Figure 2; 4 to 6 copies are settled by IHC or by a dual probe."""
    copies = ish.copies or 0.0
    if copies >= 6.0:
        return _settled(Verdict.POSITIVE, ihc, ish, "single probe, >= 6 copies: ISH positive")
    if ihc == 3:
        return _settled(Verdict.POSITIVE, ihc, ish, "single probe, < 6 copies, but overexpressed")
    if copies < 4.0:
        return _settled(Verdict.NEGATIVE, ihc, ish, "single probe, < 4 copies: ISH negative")
    if ihc is None:
        return _settled(Verdict.NEEDS_IHC, ihc, ish, "single probe, 4 to 6 copies: IHC decides")
    if ihc == 2:
        return _settled(Verdict.NEEDS_ISH, ihc, ish, "single probe, 4 to 6 copies: needs a dual probe")
    return _settled(Verdict.NEGATIVE, ihc, ish, "single probe, 4 to 6 copies, not overexpressed")


def _work_up(ihc: int | None, ish: Ish, recount: Ish) -> Her2:
    """Figures 4 to 6: groups 2, 3 and 4 by IHC, and at 2+ by a blinded recount."""
    which = f"ISH group {ish.group}"
    if ihc is None:
        return _settled(Verdict.NEEDS_IHC, ihc, ish, f"{which}: IHC of the same tissue decides")
    if ihc == 3:
        return _settled(Verdict.POSITIVE, ihc, ish, f"{which}: overexpressed")
    if ihc < 2:
        return _settled(Verdict.NEGATIVE, ihc, ish, f"{which}: negative with comment")
    if recount.group is None:
        lack = "the recount lacks a number" if recount.given else "a blinded recount decides"
        return _settled(Verdict.NEEDS_RECOUNT, ihc, ish, f"{which}: {lack}")
    if recount.group != ish.group:
        reason = f"{which}, recounted as group {recount.group}: adjudicate by the laboratory's procedure"
        return _settled(Verdict.ADJUDICATE, ihc, ish, reason)
    if ish.group == 3:
        return _settled(Verdict.POSITIVE, ihc, ish, f"{which}, confirmed by recount")
    return _settled(Verdict.NEGATIVE, ihc, ish, f"{which}, confirmed by recount: negative with comment")


def _settled(verdict: Verdict, ihc: int | None, ish: Ish, reason: str) -> Her2:
    group = None
    if verdict is Verdict.POSITIVE:
        group = Group.POSITIVE
    elif verdict is Verdict.NEGATIVE and ihc is not None:
        group = Group.LOW if ihc else Group.ZERO
    of_ihc = "IHC not known" if ihc is None else f"IHC {_score(ihc)}"
    return Her2(verdict, group, f"{of_ihc}, {reason}", ish.group)


PRESETS = {
    "paper": Preset("paper", paper_her2, 14.0),
    "guideline": Preset("guideline", guideline_her2, None),
}


def assess(tissue: Tissue, preset: Preset) -> Assessment:
    """Apply a preset's rules.

    A group that is stated stands where the measurements do not settle one, e.g. after adjudication.

    Raises:
        InputError: a percentage outside 0 to 100, or a score other than 0 to 3.
    """
    her2 = _with_stated(preset.her2(tissue.her2_ihc, tissue.ish, tissue.recount), tissue.her2_stated)
    er = tissue.er_stated if tissue.er_percent is None else er_status(tissue.er_percent)
    pr = tissue.pr_stated if tissue.pr_percent is None else pr_status(tissue.pr_percent)
    ki67_high = None
    if tissue.ki67_percent is not None and preset.ki67_cut_off is not None:
        ki67_high = _percent(tissue.ki67_percent, "Ki-67") >= preset.ki67_cut_off
    return Assessment(her2, er, pr, ki67_high, surrogate_subtype(her2.verdict, er, pr, ki67_high))


def _with_stated(found: Her2, stated: Group | None) -> Her2:
    if stated is None or found.group is stated:
        return found
    if found.group or (found.verdict is Verdict.NEGATIVE and stated is Group.POSITIVE):
        return replace(found, reason=f"{found.reason}; stated as {stated.value}")
    verdict = Verdict.POSITIVE if stated is Group.POSITIVE else Verdict.NEGATIVE
    measured = found.verdict is not Verdict.UNDETERMINED or found.ish_group is not None
    reason = f"as stated; measured: {found.reason}" if measured else "as stated"
    return Her2(verdict, stated, reason, found.ish_group)


def er_status(percent: float) -> Receptor:
    """ER: positive from 1 %, low positive up to and with 10 %."""
    if _percent(percent, "ER") < RECEPTOR_CUT_OFF:
        return Receptor.NEGATIVE
    return Receptor.LOW_POSITIVE if percent <= ER_LOW_LIMIT else Receptor.POSITIVE


def pr_status(percent: float) -> Receptor:
    """PR: positive from 1 %; the guideline has no low positive for it."""
    return Receptor.NEGATIVE if _percent(percent, "PR") < RECEPTOR_CUT_OFF else Receptor.POSITIVE


def surrogate_subtype(
    her2: Verdict, er: Receptor | None, pr: Receptor | None, ki67_high: bool | None
) -> Subtype | None:
    """St Gallen 2011; None where what is known allows more than one."""
    if her2 not in (Verdict.POSITIVE, Verdict.NEGATIVE):
        return None
    luminal = _either_positive(er, pr)
    if luminal is None or (luminal and her2 is Verdict.NEGATIVE and ki67_high is None):
        return None
    if not luminal:
        return Subtype.HER2_POSITIVE if her2 is Verdict.POSITIVE else Subtype.TRIPLE_NEGATIVE
    if her2 is Verdict.POSITIVE:
        return Subtype.LUMINAL_B_HER2_POSITIVE
    return Subtype.LUMINAL_B_HER2_NEGATIVE if ki67_high else Subtype.LUMINAL_A


def _either_positive(er: Receptor | None, pr: Receptor | None) -> bool | None:
    known = [receptor.positive for receptor in (er, pr) if receptor is not None]
    if any(known):
        return True
    return False if len(known) == 2 else None


def _check_ihc(ihc: int | None) -> None:
    if ihc is not None and ihc not in (0, 1, 2, 3):
        raise InputError(f"{ihc} is no IHC score; give 0, 1, 2 or 3.")


def _score(ihc: int) -> str:
    return f"{ihc}+" if ihc else "0"


def _percent(value: float, name: str) -> float:
    if not 0 <= value <= 100:
        raise InputError(f"{name} {value:g} is no percentage; give a number from 0 to 100.")
    return value
