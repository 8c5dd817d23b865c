"""The order in which a reader reads: of the study's making, the same on every machine."""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple


class Slot(NamedTuple):
    """One reading to be made: the case's code, and which of its repeats, counted from 1."""

    case: str
    repeat: int


def reading_order(cases: Sequence[str], reader: str, repeats: int, seed: int) -> tuple[Slot, ...]:
    """All readings of one reader, round by round: every case once in each round.

    Within a round the order is that of SHA-256 of the seed, the reader, the round and the case, so it depends
    on no library's random numbers, nor on the order of `cases`. The cases fall in two halves, the first of
    which comes first in every round: between two readings of a case lie at least half of the others, while
    nobody can foretell the next case from the round before.
    """
    drawn = sorted(cases, key=lambda case: _draw(seed, reader, "halves", case))
    middle = len(drawn) // 2
    halves = (drawn[:middle], drawn[middle:])
    return tuple(
        Slot(case, repeat)
        for repeat in range(1, repeats + 1)
        for half in halves
        for case in sorted(half, key=lambda case: _draw(seed, reader, f"round {repeat}", case))
    )


def _draw(seed: int, reader: str, purpose: str, case: str) -> bytes:
    return hashlib.sha256(f"{seed}\n{reader}\n{purpose}\n{case}".encode()).digest()
