"""How far the readers are: for the coordinator."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from .order import Slot
from .prepared import is_prepared
from .protocol import Protocol
from .readings import FINISHED, OPEN, SKIPPED, Reading


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


def _status(protocol: Protocol, reader: str, readings: Sequence[Reading]) -> ReaderStatus:
    asked = {Slot(code, repeat) for code in protocol.codes for repeat in range(1, protocol.repeats + 1)}
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
