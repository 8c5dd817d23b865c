"""How far the readers are: for the coordinator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..wording import counted
from .order import Slot
from .prepared import is_prepared, known_lacking
from .protocol import FILE, Protocol
from .readings import FINISHED, OPEN, SKIPPED, Reading
from .verify import stray_stores


@dataclass(frozen=True)
class ReaderStatus:
    """How far one reader is.

    Attributes:
        reader: the code.
        finished, open, skipped, total: counts of readings that the protocol asks for.
        others: how many readings it does not ask for: of a case or a repeat that it no longer has.
        last: when he last ended one, UTC; None before the first.
        skips: what was skipped, with the reason.
    """

    reader: str
    finished: int
    open: int
    skipped: int
    total: int
    others: int
    last: datetime | None
    skips: tuple[tuple[Slot, str], ...]


def reader_status(protocol: Protocol, readings: Mapping[str, Sequence[Reading]]) -> tuple[ReaderStatus, ...]:
    """One a reader, in the protocol's order.

    Args:
        readings: by reader, of :func:`~her2map.study.readings.read_readings`.
    """
    return tuple(_status(protocol, reader, readings[reader]) for reader in protocol.readers)


def unprepared(protocol: Protocol) -> tuple[str, ...]:
    """The codes of the cases that are not in the cache, or have changed since."""
    return tuple(code for code in protocol.codes if not is_prepared(protocol, code))


def warnings_of(
    protocol: Protocol, readers: Sequence[ReaderStatus], mixed: Mapping[str, str]
) -> tuple[str, ...]:
    """What the coordinator must look at, a sentence each.

    Args:
        readers: of :func:`reader_status`.
        mixed: of :class:`~her2map.study.aggregate.Aggregate`.
    """
    left_out = (f"Case {code} is left out: {why}." for code, why in mixed.items())
    lacks = ((code, known_lacking(protocol, code)) for code in protocol.codes)
    strays = (
        f"{reader} has readings here, but is no reader in {FILE}; put the name back."
        for reader in stray_stores(protocol)
    )
    others = (
        f"{one.reader} has {counted(one.others, 'reading')} of cases or repeats that {FILE} no longer names."
        for one in readers
        if one.others
    )
    return (
        *left_out,
        *(f"Case {code}: {'; '.join(found)}." for code, found in lacks if found),
        *strays,
        *others,
    )


def _status(protocol: Protocol, reader: str, readings: Sequence[Reading]) -> ReaderStatus:
    asked = protocol.slots
    states = [one.state for one in readings if one.slot in asked]
    return ReaderStatus(
        reader=reader,
        finished=states.count(FINISHED),
        open=states.count(OPEN),
        skipped=states.count(SKIPPED),
        total=len(asked),
        others=len(readings) - len(states),
        last=max((one.ended for one in readings if one.ended), default=None),
        skips=tuple((one.slot, one.reason) for one in readings if one.state == SKIPPED),
    )
