"""The audit chain: every entry carries the hash of the one before, so that no change goes unseen.

Whoever can rewrite all entries that follow can also compute their hashes anew. Against that, keep the head
(the count of entries and the last hash) that `her2map study verify` prints, elsewhere, and compare later.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

KINDS = ("opened", "edited", "finished", "reopened", "skipped")


class Entry(NamedTuple):
    """One event, as the store holds it; texts as UTF-8 bytes, so that damaged ones can be looked at.

    Attributes:
        number: from 1, without a gap.
        time: UTC, ISO 8601.
        kind: one of `KINDS`.
        case, repeat: the reading.
        previous: hash of the entry before, hexadecimal.
        digest: of this entry.
        content: JSON.
    """

    number: int
    time: bytes
    kind: bytes
    case: bytes
    repeat: int
    previous: bytes
    digest: bytes
    content: bytes


@dataclass(frozen=True)
class Head:
    """How long the chain is, and the hash of its last entry."""

    count: int
    digest: str


def first_link(reader: str, store_id: str) -> str:
    """What the first entry has for the hash of the one before it."""
    return hashlib.sha256(f"HER2Map readings of {reader} {store_id}".encode()).hexdigest()


def digest_of(entry: Entry) -> str:
    """SHA-256 of all that an entry says; lengths keep neighbouring fields apart."""
    digest = hashlib.sha256()
    for value in (*entry[:6], entry.content):
        part = value if isinstance(value, bytes) else repr(value).encode()
        digest.update(f"{type(value).__name__} {len(part)}:".encode())
        digest.update(part)
    return digest.hexdigest()


def broken_links(entries: Iterable[Entry], first: str, head: Head) -> list[str]:
    """What does not hold together, a sentence each; none where the chain is whole.

    Args:
        first: of :func:`first_link`.
        head: as it was stored with the last entry.
    """
    found: list[str] = []
    previous, expected = first, 1
    for entry in entries:
        if entry.number != expected:
            found.append(_gap(expected, entry.number))
        digest = digest_of(entry)
        if entry.digest != digest.encode():
            found.append(f"entry {entry.number} was changed after it was written")
        if entry.previous != previous.encode():
            found.append(f"entry {entry.number} does not follow the entry before it")
        previous, expected = _text(entry.digest), entry.number + 1 if isinstance(entry.number, int) else 0
    count = expected - 1
    if head.count != count:
        found.append(f"{head.count} entries were written, {count} are there")
    elif head.digest != previous:
        found.append("the last entry is not the one that was written last")
    return found


def _gap(expected: int, number: int) -> str:
    if number == expected + 1:
        return f"entry {expected} is missing"
    return f"entries {expected} to {number - 1} are missing"


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
