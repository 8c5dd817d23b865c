"""From readings to one value a case: the median of a reader's repeats, then the mean over the readers."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..biomarkers import Biomarkers, from_values
from .protocol import MEASURED, Protocol
from .readings import FINISHED, Reading
from .result import biomarkers_of

NAMES = tuple(name for name, _ in Biomarkers())


@dataclass(frozen=True, eq=False)
class Aggregate:
    """The values of a study. A missing one is NaN, never filled in.

    Attributes:
        readings: a row a finished reading: case, reader, repeat, and the six biomarkers.
        by_reader: a row a case and reader whose repeats are all finished: case, reader, and the medians of
            the four measured biomarkers; delta_T1 and its ratio follow from the medians.
        by_case: a row a case that all readers have finished: case, and the means over the readers; delta_T1
            and its ratio follow from the means.
        incomplete: every case that is not in `by_case`, with what is lacking, a sentence each.
        spread: a row a case, reader and measured biomarker whose repeats differ by more than the limit:
            case, reader, biomarker, lowest, highest, spread (their difference over the median).
    """

    readings: pd.DataFrame
    by_reader: pd.DataFrame
    by_case: pd.DataFrame
    incomplete: tuple[str, ...]
    spread: pd.DataFrame


def aggregate(protocol: Protocol, readings: Mapping[str, Sequence[Reading]]) -> Aggregate:
    """The values of a study from its readings.

    Args:
        readings: by reader, of :func:`~her2map.study.readings.read_readings`.
    """
    finished = [one for reader in protocol.readers for one in readings[reader] if one.state == FINISHED]
    table = reading_table(finished)
    by_reader = _medians(protocol, table)
    complete = by_reader.groupby("case").size().eq(len(protocol.readers)) if len(by_reader) else {}
    codes = [code for code in protocol.codes if complete.get(code, False)]
    by_case = _means(by_reader, codes)
    lacking = tuple(_lacking(protocol, table, code) for code in protocol.codes if code not in codes)
    return Aggregate(table, by_reader, by_case, lacking, _spread(protocol, table))


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
    wanted = table[table["case"].isin(protocol.codes) & table["repeat"].between(1, protocol.repeats)]
    groups = wanted.groupby(["case", "reader"], sort=False)
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
