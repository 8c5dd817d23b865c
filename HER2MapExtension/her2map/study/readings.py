"""What a store's events come to: one reading a case and repeat, in its present state."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from ..errors import InputError
from .order import Slot
from .protocol import Protocol
from .store import Event, problems_of, read_events

OPEN, FINISHED, SKIPPED = "open", "finished", "skipped"

Points = tuple[tuple[float, float, float], ...]


@dataclass(frozen=True)
class Drawing:
    """What a reader has drawn: enough to go on drawing.

    Attributes:
        contour: control points, RAS in mm; none where nothing is drawn.
        holes: the same, one entry a hole.
        phase: the DCE phase that was drawn on, counted from 0; None where it was chosen by the rule.
    """

    contour: Points = ()
    holes: tuple[Points, ...] = ()
    phase: int | None = None

    def as_content(self) -> dict[str, Any]:
        """For an event."""
        return {"contour": self.contour, "holes": self.holes, "phase": self.phase}

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> "Drawing":
        """From an event."""
        holes = tuple(_points(hole) for hole in content["holes"])
        return cls(_points(content["contour"]), holes, content["phase"])


@dataclass(frozen=True)
class Reading:
    """One reading as the store's events leave it.

    Attributes:
        reader, case, repeat: whose, of what, the how-manieth (from 1).
        state: `OPEN`, `FINISHED` or `SKIPPED`.
        started, ended: UTC; `ended` is None while it is open.
        last_edit, finish: what the last edit and the end of the reading told, JSON; "" before.
        reason: of skipping; "" where it was not skipped.
        edits: how many there were.
        reopened: the reasons for which it was opened again, in order.
        earlier: of a reading that was opened again, what its former end told, JSON; else "".
    """

    reader: str
    case: str
    repeat: int
    state: str
    started: datetime
    ended: datetime | None = None
    last_edit: str = ""
    finish: str = ""
    reason: str = ""
    edits: int = 0
    reopened: tuple[str, ...] = ()
    earlier: str = ""

    @property
    def slot(self) -> Slot:
        """Which reading it is."""
        return Slot(self.case, self.repeat)

    @property
    def drawing(self) -> Drawing | None:
        """The last edit; None before the first."""
        return Drawing.from_content(json.loads(self.last_edit)) if self.last_edit else None

    @cached_property
    def result(self) -> Mapping[str, Any]:
        """Of a finished reading, see :mod:`~her2map.study.result`; of another it is empty."""
        return dict(json.loads(self.finish)) if self.finish else {}


def read_readings(protocol: Protocol) -> dict[str, tuple[Reading, ...]]:
    """All readings of all readers, in the order in which they were begun: for the coordinator.

    Raises:
        InputError: a store cannot be read, or was changed after it was written.
    """
    return {reader: readings_by(protocol, reader) for reader in protocol.readers}


def readings_by(protocol: Protocol, reader: str) -> tuple[Reading, ...]:
    """All readings of one reader; errors as of :func:`read_readings`."""
    path = protocol.store(reader)
    events = read_events(path)
    problems = problems_of(path, reader) if events else []
    if problems:
        raise InputError(
            f"The readings of {reader} do not verify ({problems[0]}), so nothing is taken from them; run "
            "`her2map study verify`, and put back a copy that does."
        )
    return readings_of(reader, events)


def readings_of(reader: str, events: Iterable[Event]) -> tuple[Reading, ...]:
    """What the events come to."""
    found: dict[Slot, Reading] = {}
    for event in events:
        slot = Slot(event.case, event.repeat)
        found[slot] = after_event(found.get(slot), reader, event)
    return tuple(found.values())


def after_event(reading: Reading | None, reader: str, event: Event) -> Reading:
    """The reading of an event's case and repeat after it; `reading` is None before the first."""
    now = reading or Reading(reader, event.case, event.repeat, OPEN, event.time)
    match event.kind:
        case "edited":
            return replace(now, last_edit=event.text, edits=now.edits + 1)
        case "finished":
            return replace(now, state=FINISHED, ended=event.time, finish=event.text)
        case "skipped":
            return replace(now, state=SKIPPED, ended=event.time, reason=event.content["reason"])
        case "reopened":
            reasons = (*now.reopened, event.content["reason"])
            return replace(
                now, state=OPEN, ended=None, finish="", reason="", reopened=reasons, earlier=now.finish
            )
    return now


def _points(points: Iterable[Iterable[float]]) -> Points:
    return tuple((float(r), float(a), float(s)) for r, a, s in points)
