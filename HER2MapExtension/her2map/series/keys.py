"""A short name by which the user addresses a series."""

from collections import Counter
from collections.abc import Sequence
from string import ascii_lowercase

from .model import Series


def unique_keys(series: Sequence[Series]) -> list[str]:
    """Its number, with a letter where several series share it ("701a"); "n1", "n2", ... where it has none."""
    shared = Counter(one.number for one in series)
    seen: Counter[int | None] = Counter()
    keys = []
    for one in series:
        seen[one.number] += 1
        count = seen[one.number]
        if one.number is None:
            keys.append(f"n{count}")
        else:
            keys.append(f"{one.number}{_letters(count) if shared[one.number] > 1 else ''}")
    return keys


def _letters(count: int) -> str:
    """1 is "a", 26 "z", 27 "aa"."""
    higher, last = divmod(count - 1, 26)
    return (_letters(higher) if higher else "") + ascii_lowercase[last]
