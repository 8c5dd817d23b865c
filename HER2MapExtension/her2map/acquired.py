"""How an exam was acquired, as far as a score must know: field strength and technique of every map."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .biomarkers import MEASURED
from .exam import MAP_ROLES, Exam


@dataclass(frozen=True)
class CaseAcquired:
    """Of one exam.

    Attributes:
        field_strength_t: NaN where it is not known.
        techniques: by measured biomarker, of :class:`~her2map.series.Technique`.
    """

    field_strength_t: float = math.nan
    techniques: Mapping[str, str] = field(default_factory=dict)

    def as_facts(self) -> dict[str, Any]:
        """As plain values for JSON."""
        known = math.isfinite(self.field_strength_t)
        return {
            "field_strength_t": self.field_strength_t if known else None,
            "techniques": dict(self.techniques),
        }


UNKNOWN = CaseAcquired()


def exam_acquired(exam: Exam) -> CaseAcquired:
    """Of an exam that was read."""
    techniques, field_strength = {}, math.nan
    for name, role in MAP_ROLES.items():
        group = exam.group(role)
        if group and name in MEASURED:
            techniques[name] = group.technique.value
            field_strength = next(iter(group)).field_strength_t
    return CaseAcquired(field_strength, techniques)


def acquired_of_facts(facts: Mapping[str, Any]) -> CaseAcquired:
    """From what :func:`~her2map.summary.exam_facts` kept; not known where older facts are silent."""
    kept = facts.get("acquired") or {}
    field_strength = kept.get("field_strength_t")
    return CaseAcquired(
        math.nan if field_strength is None else float(field_strength), kept.get("techniques") or {}
    )
