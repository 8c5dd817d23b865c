"""Whether the stores of a study are as they were written: for the coordinator."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ..errors import InputError
from .chain import Head
from .protocol import Protocol
from .store import Event, digest_at, head_of, problems_of, read_events


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
    return tuple(_check(protocol, reader, (heads or {}).get(reader)) for reader in protocol.readers)


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
    if not path.exists() or path.stat().st_size == 0:
        gone = ("the store is gone",) if earlier and earlier.count else ()
        return StoreCheck(reader, Head(0, ""), gone)
    problems = problems_of(path, reader)
    if problems:
        return StoreCheck(reader, Head(0, ""), tuple(problems))
    if earlier and earlier.count and digest_at(path, earlier.count) != earlier.digest:
        problems = [f"its first {earlier.count} entries are not those of the earlier check"]
    events = read_events(path)
    remarks = (*_times_that_go_back(events), *_strange_readings(protocol, events))
    return StoreCheck(reader, head_of(path), tuple(problems), remarks)


def _times_that_go_back(events: Sequence[Event]) -> list[str]:
    return [
        f"entry {later.number} was made earlier than entry {earlier.number} by the clock"
        for earlier, later in pairwise(events)
        if later.time < earlier.time
    ]


def _strange_readings(protocol: Protocol, events: Sequence[Event]) -> list[str]:
    """Readings that the protocol, as it is now, does not ask for."""
    wanted = {(code, repeat) for code in protocol.codes for repeat in range(1, protocol.repeats + 1)}
    strange = dict.fromkeys((e.case, e.repeat) for e in events if (e.case, e.repeat) not in wanted)
    return [f"case {case}, reading {repeat} is not in the protocol" for case, repeat in strange]
