"""The agreement of a cohort's readings: of a study, or of a table of values that names its readers."""

from pathlib import Path

from ..study.aggregate import Aggregate
from ..study.agreement import StudyAgreement, agreement, value_agreement
from ..study.protocol import Case, Protocol
from .values import Values


def values_agreement(values: Values) -> StudyAgreement | None:
    """Repeatability, ICC and Bland-Altman, and of a study also the overlap; None where no reader is known."""
    if values.protocol is not None and values.study_readings is not None:
        return agreement(values.protocol, values.study_readings)
    readers = tuple(dict.fromkeys(values.by_reader["reader"]))
    if not readers:
        return None
    repeats = int(values.readings["repeat"].max()) if len(values.readings) else 1
    nowhere = Path()
    cases = tuple(Case(code, nowhere) for code in values.by_case.index)
    protocol = Protocol(nowhere, values.name, cases, readers, seed=0, repeats=repeats)
    given = Aggregate(
        readings=values.readings,
        by_reader=values.by_reader,
        by_case=values.by_case.reset_index(),
        mixed={},
        incomplete=(),
        spread=values.readings.iloc[:0],
    )
    return value_agreement(protocol, given)
