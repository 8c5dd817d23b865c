"""Whether the stores of a study are as they were written: for the coordinator."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from ..errors import InputError
from .chain import Head
from .order import Slot
from .protocol import Protocol
from .readings import Reading, readings_of
from .store import Event, digest_at, head_of, is_there, problems_of, read_events

_UNKNOWN = "study.toml has no such reader, so these readings are in no table; put the name back"


@dataclass(frozen=True)
class StoreCheck:
    """What was found in one reader's store.

    Attributes:
        reader: whose.
        head: the count of entries and the last hash; keep it elsewhere, and compare later.
        problems: what was changed, a sentence each; none where the store is whole.
        remarks: what is odd but no change, such as a clock that went back.
    """

    reader: str
    head: Head
    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def verify_study(protocol: Protocol, heads: Mapping[str, Head] | None = None) -> tuple[StoreCheck, ...]:
    """Check every reader's store.

    Args:
        heads: by reader, of an earlier check: the store must have begun with those very entries.
    """
    earlier = heads or {}
    others = [reader for reader in (*stray_stores(protocol), *earlier) if reader not in protocol.readers]
    return tuple(
        _check(protocol, reader, earlier.get(reader))
        for reader in (*protocol.readers, *dict.fromkeys(others))
    )


def stray_stores(protocol: Protocol) -> tuple[str, ...]:
    """Whose readings lie in the study though the protocol names no such reader."""
    stores = sorted(protocol.store("any").parent.glob("*.sqlite"))
    return tuple(path.stem for path in stores if path.stem not in protocol.readers)


def read_heads(path: Path) -> dict[str, Head]:
    """The heads that an earlier check wrote.

    Raises:
        InputError: the file is not one of these.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {reader: Head(int(head["count"]), str(head["digest"])) for reader, head in content.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{path} holds no heads; give a file that `her2map study verify` wrote.") from None


def heads_as_json(checks: tuple[StoreCheck, ...]) -> dict[str, dict[str, object]]:
    """For a file that :func:`read_heads` reads."""
    return {one.reader: {"count": one.head.count, "digest": one.head.digest} for one in checks}


def _check(protocol: Protocol, reader: str, earlier: Head | None) -> StoreCheck:
    path = protocol.store(reader)
    unknown = [] if reader in protocol.readers else [_UNKNOWN]
    if not is_there(path):
        was_there = (earlier and earlier.count) or path.with_name(f".{reader}.lock").exists()
        return StoreCheck(reader, Head(0, ""), (*unknown, *(["the store is gone"] if was_there else [])))
    problems = [*unknown, *problems_of(path, reader)]
    if len(problems) > len(unknown):
        return StoreCheck(reader, Head(0, ""), tuple(problems))
    if earlier and earlier.count and digest_at(path, earlier.count) != earlier.digest:
        problems.append(f"its first {earlier.count} entries are not those of the earlier check")
    events = read_events(path)
    remarks = (
        *_times_that_go_back(events),
        *_strange_readings(protocol, events),
        *_too_early(protocol, readings_of(reader, events)),
    )
    return StoreCheck(reader, head_of(path), tuple(problems), remarks)


def _times_that_go_back(events: Sequence[Event]) -> list[str]:
    return [
        f"entry {later.number} was made earlier than entry {earlier.number} by the clock"
        for earlier, later in pairwise(events)
        if later.time < earlier.time
    ]


def _too_early(protocol: Protocol, readings: Sequence[Reading]) -> list[str]:
    """Repeats that began sooner after the one before than the protocol, as it is now, allows."""
    by_slot = {one.slot: one for one in readings}
    interval = timedelta(hours=protocol.minimum_interval_hours)
    return [
        f"case {one.case}, reading {one.repeat} began sooner after reading {before.repeat} than allowed"
        for one in readings
        if (before := by_slot.get(Slot(one.case, one.repeat - 1))) is not None
        and before.ended is not None
        and one.started < before.ended + interval
    ]


def _strange_readings(protocol: Protocol, events: Sequence[Event]) -> list[str]:
    """Readings that the protocol, as it is now, does not ask for."""
    asked = protocol.slots
    strange = dict.fromkeys((e.case, e.repeat) for e in events if (e.case, e.repeat) not in asked)
    return [f"case {case}, reading {repeat} is not in the protocol" for case, repeat in strange]
