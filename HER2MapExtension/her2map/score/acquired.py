"""How the cases of a cohort were examined: from the headers of a study's exams, or as somebody tells."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..acquired import UNKNOWN, CaseAcquired, exam_acquired
from ..biomarkers import MEASURED
from ..errors import InputError
from ..exam import read_exam_as
from ..progress import Progress, no_progress
from ..series import Technique
from ..study.protocol import Protocol

_SAME_T = 0.05
"""1.494 T and 1.5 T are one field strength."""


@dataclass(frozen=True)
class Acquired:
    """Of a cohort.

    Attributes:
        cases: by case; one that is not there is not known.
        others: of the cases that are not there.
        notes: what could not be read, a sentence each.
    """

    cases: Mapping[str, CaseAcquired] = field(default_factory=dict)
    others: CaseAcquired = UNKNOWN
    notes: tuple[str, ...] = ()

    def of(self, case: str) -> CaseAcquired:
        """Of one case."""
        return self.cases.get(case, self.others)

    def field_strengths_t(self, cases: Iterable[str]) -> tuple[float, ...]:
        """The different ones, rising."""
        found: list[float] = []
        for one in sorted(_known(self.of(case).field_strength_t for case in cases)):
            if not (found and one - found[-1] < _SAME_T):
                found.append(one)
        return tuple(found)

    def techniques(self, cases: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """The different ones by biomarker, each in alphabetical order."""
        found: dict[str, set[str]] = {}
        for case in cases:
            for name, technique in self.of(case).techniques.items():
                found.setdefault(name, set()).add(technique)
        return {name: tuple(sorted(found[name])) for name in MEASURED if name in found}


def _known(values: Iterable[float]) -> set[float]:
    return {one for one in values if math.isfinite(one)}


def read_acquired(
    protocol: Protocol, codes: Sequence[str], others: CaseAcquired = UNKNOWN, progress: Progress = no_progress
) -> Acquired:
    """From the headers of a study's exams: half a second to some seconds a case.

    Args:
        codes: of the cases.
        others: of a case whose exam cannot be read.
    """
    found, unread = {}, 0
    for i, code in enumerate(codes):
        case = protocol.case(code)
        try:
            exam = read_exam_as(case.folder, case.roles)
            found[code] = exam_acquired(exam)
        except InputError:  # its text may hold a patient's name
            unread += 1
        progress((i + 1) / len(codes))
    notes: tuple[str, ...] = ()
    if unread:
        notes = (
            f"The exams of {unread} of {len(codes)} cases cannot be read, so that their field strength and "
            "sequences are taken as told, or not known.",
        )
    return Acquired(found, others, notes)


def as_told(field_strength_t: float | None, techniques: Sequence[str]) -> CaseAcquired:
    """From options.

    Args:
        techniques: BIOMARKER=TECHNIQUE each.

    Raises:
        InputError: a biomarker, technique or field strength is none.
    """
    if field_strength_t is not None and not 0 < field_strength_t <= 30:
        raise InputError(f"The field strength {field_strength_t:g} T is none; give it in tesla, e.g. 3.")
    found = {}
    known = [one.value for one in Technique if one is not Technique.NONE]
    for text in techniques:
        name, _, technique = text.partition("=")
        if name not in MEASURED or technique not in known:
            raise InputError(
                f"The technique '{text}': write BIOMARKER=TECHNIQUE; biomarkers: {', '.join(MEASURED)}; "
                f"techniques: {', '.join(known)}."
            )
        found[name] = technique
    return CaseAcquired(math.nan if field_strength_t is None else field_strength_t, found)
