"""From readings to one value a case: the median of a reader's repeats, then the mean over the readers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ..biomarkers import MEASURED, Biomarkers, from_values
from .protocol import Protocol
from .readings import FINISHED, Reading
from .result import Basis, basis_of, biomarkers_of

NAMES = tuple(name for name, _ in Biomarkers())


@dataclass(frozen=True, eq=False)
class Aggregate:
    """The values of a study. A missing one is NaN, never filled in.

    Readings of one case that were made in different images, or with maps fitted in different ways, are no
    repeats of each other: such a case is in no table but in `incomplete`.

    Attributes:
        readings: a row a finished reading that the protocol asks for: case, reader, repeat, and the six
            biomarkers.
        by_reader: a row a case and reader whose repeats are all finished: case, reader, and the medians of
            the four measured biomarkers; delta_T1 and its ratio follow from the medians.
        by_case: a row a case that all readers have finished: case, and the means over the readers; delta_T1
            and its ratio follow from the means.
        incomplete: every case that is not in `by_case`, with what is lacking, a sentence each.
        spread: a row a case, reader and measured biomarker whose repeats differ by more than the limit:
            case, reader, biomarker, lowest, highest, spread (their difference over the median).
        mixed: the cases whose readings do not belong together, with what differs.
    """

    readings: pd.DataFrame
    by_reader: pd.DataFrame
    by_case: pd.DataFrame
    incomplete: tuple[str, ...]
    spread: pd.DataFrame
    mixed: Mapping[str, str] = field(default_factory=dict)


def aggregate(protocol: Protocol, readings: Mapping[str, Sequence[Reading]]) -> Aggregate:
    """The values of a study from its readings.

    Args:
        readings: by reader, of :func:`~her2map.study.readings.read_readings`.
    """
    asked = protocol.slots
    every = [
        one
        for reader in protocol.readers
        for one in readings[reader]
        if one.state == FINISHED and one.slot in asked
    ]
    mixed = mixed_cases(every)
    table = reading_table(one for one in every if one.case not in mixed)
    by_reader = _medians(protocol, table)
    complete = by_reader.groupby("case").size().eq(len(protocol.readers)) if len(by_reader) else {}
    codes = [code for code in protocol.codes if complete.get(code, False)]
    by_case = _means(by_reader, codes)
    lacking = tuple(
        f"case {code}: {mixed[code]}" if code in mixed else _lacking(protocol, table, code)
        for code in protocol.codes
        if code not in codes
    )
    return Aggregate(table, by_reader, by_case, lacking, _spread(protocol, table), mixed)


def mixed_cases(finished: Iterable[Reading]) -> dict[str, str]:
    """The cases whose readings do not belong together, with what differs between them."""
    bases: dict[str, set[Basis]] = {}
    for one in finished:
        bases.setdefault(one.case, set()).add(basis_of(one.result))
    return {case: _difference(found) for case, found in bases.items() if len(found) > 1}


def _difference(bases: Iterable[Basis]) -> str:
    same_pixels = len({one.pixels_sha256 for one in bases}) == 1
    what = "maps that were fitted in different ways" if same_pixels else "different images"
    return f"its readings are of {what}, so they are no repeats of each other"


def reading_table(finished: Iterable[Reading]) -> pd.DataFrame:
    """A row a finished reading: case, reader, repeat and the six biomarkers, NaN where there is no value."""
    rows = [
        (
            one.case,
            one.reader,
            one.repeat,
            *(quantity.value for _, quantity in biomarkers_of(one.result)),
        )
        for one in finished
    ]
    table = pd.DataFrame(rows, columns=["case", "reader", "repeat", *NAMES])
    return table.astype(dict.fromkeys(NAMES, float) | {"repeat": int})


def _medians(protocol: Protocol, table: pd.DataFrame) -> pd.DataFrame:
    groups = table.groupby(["case", "reader"], sort=False)
    # A median of fewer repeats is another statistic: it needs all, each with a value.
    medians = groups[list(MEASURED)].agg(lambda values: np.median(values) if values.notna().all() else np.nan)
    medians = medians[groups.size() == protocol.repeats].reset_index()
    return _with_deltas(medians, ["case", "reader"])


def _means(by_reader: pd.DataFrame, codes: Sequence[str]) -> pd.DataFrame:
    groups = by_reader.groupby("case", sort=False)[list(MEASURED)]
    means = groups.agg(lambda values: values.mean(skipna=False)).reindex(codes)
    return _with_deltas(means.rename_axis("case").reset_index(), ["case"])


def _with_deltas(measured: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    rows = [
        [quantity.value for _, quantity in from_values(**{name: getattr(row, name) for name in MEASURED})]
        for row in measured.itertuples()
    ]
    values = pd.DataFrame(rows, columns=list(NAMES), index=measured.index, dtype=float)
    return pd.concat([measured[keys], values], axis=1)


def _lacking(protocol: Protocol, table: pd.DataFrame, code: str) -> str:
    counts = table[table["case"] == code].groupby("reader").size()
    parts = [
        f"{reader} has finished {counts.get(reader, 0)} of {protocol.repeats}"
        for reader in protocol.readers
        if counts.get(reader, 0) < protocol.repeats
    ]
    return f"case {code}: {', '.join(parts)}"


def _spread(protocol: Protocol, table: pd.DataFrame) -> pd.DataFrame:
    columns = ["case", "reader", "biomarker", "lowest", "highest", "spread"]
    long = table.melt(["case", "reader", "repeat"], list(MEASURED), "biomarker")
    groups = long.groupby(["case", "reader", "biomarker"], sort=False)["value"]
    found = groups.agg(lowest="min", highest="max", middle="median").reset_index()
    found["spread"] = (found["highest"] - found["lowest"]) / found["middle"]
    return found[found["spread"] > protocol.spread_limit][columns].reset_index(drop=True)
