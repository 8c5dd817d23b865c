"""The order of reading: the same everywhere, repeats far apart."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from her2map.study.order import Slot, reading_order

CASES = st.lists(st.text("abc123", min_size=1, max_size=4), min_size=1, max_size=30, unique=True)


def test_the_order_is_fixed_for_ever() -> None:
    """By coreutils' sha256sum: a study in progress is not reordered by a new version or another machine."""
    order = reading_order(["001", "002", "003", "004"], "r1", 2, seed=7)
    places = [f"{slot.case}/{slot.repeat}" for slot in order]
    assert places == ["002/1", "003/1", "004/1", "001/1", "002/2", "003/2", "001/2", "004/2"]


@given(CASES, st.integers(1, 5), st.integers(0, 2**31))
def test_every_reading_comes_once_and_repeats_in_order(cases: list[str], repeats: int, seed: int) -> None:
    order = reading_order(cases, "r", repeats, seed)
    assert sorted(order) == sorted(Slot(case, i) for case in cases for i in range(1, repeats + 1))
    assert order == reading_order(cases[::-1], "r", repeats, seed)
    for case in cases:
        assert [slot.repeat for slot in order if slot.case == case] == list(range(1, repeats + 1))


@given(CASES, st.integers(2, 4), st.integers(0, 1000))
def test_half_of_the_cases_lie_between_two_readings_of_one(cases: list[str], repeats: int, seed: int) -> None:
    order = reading_order(cases, "r", repeats, seed)
    for case in cases:
        places = [i for i, slot in enumerate(order) if slot.case == case]
        assert min(b - a for a, b in pairwise(places)) >= (len(cases) + 1) // 2


def test_orders_differ_between_readers_seeds_and_rounds() -> None:
    cases = [f"{i:03}" for i in range(40)]
    orders = {reading_order(cases, reader, 1, seed) for reader in ("a", "b") for seed in (1, 2)}
    assert len(orders) == 4
    rounds = reading_order(cases, "a", 2, 1)
    assert [s.case for s in rounds[:40]] != [s.case for s in rounds[40:]]
