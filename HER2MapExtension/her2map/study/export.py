"""The readings of a study as tables for other programs: for the coordinator."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ..biomarkers import MEASURED, Quantity
from ..errors import InputError
from ..files import output_folder
from ..relaxometry import Status
from ..spreadsheet import FORMATS, need_pyarrow, write_columnar, write_csv
from .aggregate import NAMES, Aggregate, aggregate
from .protocol import Protocol
from .readings import FINISHED, Reading
from .result import biomarkers_of

_OF_A_MAP = ("median", "sd", "effective_voxels", "coverage")


@dataclass(frozen=True, eq=False)
class Export:
    """The tables of a study; a number that is missing is NaN, a text that is missing "".

    Attributes:
        long: a row a finished reading and biomarker: case, reader, repeat, biomarker, unit, value,
            standard_error, median, sd, effective_voxels, coverage, excluded_by_snr, reason. After the six
            biomarkers comes B1 where it was measured; the columns from median on are of the map, so that
            differences have none.
        wide: a row a case of the protocol: case, the six biomarkers (the case's value: median of a reader's
            repeats, mean over the readers), complete (yes or no), lacking, then every reader's medians as
            `T1_pre.<reader>`, and every reading as `T1_pre.<reader>.<repeat>`.
        readings: a row a reading in any state: when, how, and with what it was made; times in UTC.

    Rows come by case in the protocol's order, reader and repeat, and so tell nothing of the order of reading.
    """

    long: pd.DataFrame
    wide: pd.DataFrame
    readings: pd.DataFrame


def export_tables(protocol: Protocol, readings: Mapping[str, Sequence[Reading]]) -> Export:
    """The tables from the readings of :func:`~her2map.study.readings.read_readings`."""
    place = {code: i for i, code in enumerate(protocol.codes)}
    every = [one for reader in protocol.readers for one in readings[reader]]
    every.sort(key=lambda one: (place.get(one.case, len(place)), one.case, one.reader, one.repeat))
    finished = [one for one in every if one.state == FINISHED]
    long = [row for one in finished for row in _long_rows(one)]
    return Export(
        long=pd.DataFrame(long, columns=_LONG).astype(dict.fromkeys(_LONG_NUMBERS, float) | {"repeat": int}),
        wide=_wide(protocol, aggregate(protocol, readings)),
        readings=pd.DataFrame([_reading_row(one) for one in every], columns=list(_READING)).astype(_READING),
    )


def write_export(folder: Path, tables: Export, file_format: str = "csv") -> tuple[Path, ...]:
    """Write long, wide and readings as CSV, and in `file_format` where that is feather or parquet.

    Raises:
        InputError: the folder cannot be written to, or pyarrow is lacking; nothing was written then.
    """
    if file_format in FORMATS:
        need_pyarrow(file_format)
    elif file_format != "csv":
        raise InputError(f"There is no format '{file_format}'; use csv, {' or '.join(FORMATS)}.")
    folder = output_folder(folder)
    written = []
    for name in ("long", "wide", "readings"):
        frame = getattr(tables, name)
        written.append(folder / f"{name}.csv")
        write_csv(written[-1], frame)
        if file_format != "csv":
            written.append(folder / f"{name}.{file_format}")
            write_columnar(written[-1], frame)
    return tuple(written)


_LONG = (
    "case", "reader", "repeat", "biomarker", "unit", "value", "standard_error", *_OF_A_MAP, "excluded_by_snr",
    "reason",
)  # fmt: skip
_LONG_NUMBERS = ("value", "standard_error", *_OF_A_MAP, "excluded_by_snr")


def _long_rows(reading: Reading) -> list[tuple[Any, ...]]:
    result = reading.result
    quantities = dict(biomarkers_of(result))
    if "B1" in result["values"]:
        quantities["B1"] = _b1(result["values"]["B1"])
    return [
        (
            reading.case, reading.reader, reading.repeat, name, quantity.unit, quantity.value,
            quantity.standard_error, *_of_a_map(result["values"].get(name)), quantity.reason,
        )
        for name, quantity in quantities.items()
    ]  # fmt: skip


def _b1(stored: Mapping[str, Any]) -> Quantity:
    return Quantity(_number(stored["value"]), _number(stored["standard_error"]), "1", stored["reason"])


def _of_a_map(stored: Mapping[str, Any] | None) -> tuple[float, ...]:
    if stored is None:
        return (math.nan,) * (len(_OF_A_MAP) + 1)
    excluded = stored["fractions"].get(Status.EXCLUDED_BY_SNR.name, 0.0)
    return (*(_number(stored[name]) for name in _OF_A_MAP), excluded)


def _wide(protocol: Protocol, found: Aggregate) -> pd.DataFrame:
    codes = pd.Index(protocol.codes, name="case")
    cases = found.by_case.set_index("case").reindex(codes)
    lacking = dict(sentence.removeprefix("case ").split(": ", 1) for sentence in found.incomplete)
    cases["complete"] = ["no" if code in lacking else "yes" for code in codes]
    cases["lacking"] = [lacking.get(code, "") for code in codes]
    by_reader = found.by_reader.set_index(["case", "reader"])
    readings = found.readings.set_index(["case", "reader", "repeat"])
    repeats = range(1, protocol.repeats + 1)
    columns: dict[str, pd.Series] = {}
    for reader in protocol.readers:
        medians = _slice(by_reader, reader).reindex(codes)
        columns |= {f"{name}.{reader}": medians[name] for name in NAMES}
    for reader in protocol.readers:
        for repeat in repeats:
            single = _slice(readings, reader, repeat).reindex(codes)
            columns |= {f"{name}.{reader}.{repeat}": single[name] for name in MEASURED}
    return pd.concat([cases, pd.DataFrame(columns, index=codes)], axis=1).reset_index()


def _slice(frame: pd.DataFrame, *keys: Any) -> pd.DataFrame:
    """The rows of a reader, or of a reader's repeat, by case."""
    levels = list(frame.index.names[1 : 1 + len(keys)])
    chosen = frame.reset_index()
    for level, key in zip(levels, keys, strict=True):
        chosen = chosen[chosen[level] == key]
    return chosen.set_index("case")


_READING: dict[str, Any] = {
    "case": object, "reader": object, "repeat": int, "state": object, "started": object, "ended": object,
    "edits": int, "skip_reason": object, "reopen_reasons": object, "confidence": "Int64", "remark": object,
    "dce_phase": "Int64", "dce_phase_after_injection_s": float, "dce_phase_reason": object,
    "dce_slice": "Int64", "roi_volume_mm3": float, "roi_thickness_mm": float, "fit_preset": object,
    "registration": object, "pixels_sha256": object, "her2map": object,
}  # fmt: skip


def _reading_row(reading: Reading) -> dict[str, Any]:
    ended = reading.ended.isoformat(timespec="seconds") if reading.ended else ""
    row: dict[str, Any] = dict.fromkeys(_READING, "") | {
        "case": reading.case,
        "reader": reading.reader,
        "repeat": reading.repeat,
        "state": reading.state,
        "started": reading.started.isoformat(timespec="seconds"),
        "ended": ended,
        "edits": reading.edits,
        "skip_reason": reading.reason,
        "reopen_reasons": "; ".join(reading.reopened),
    }
    row |= {name: None for name, kind in _READING.items() if kind in (float, "Int64")}
    return row | _how(reading.result) if reading.state == FINISHED else row


def _how(result: Mapping[str, Any]) -> dict[str, Any]:
    volumes = [value["volume_mm3"] for value in result["values"].values()]
    return {
        "confidence": result["confidence"],
        "remark": result["remark"],
        "dce_phase": result["phase"]["index"],
        "dce_phase_after_injection_s": _number(result["phase"]["after_injection_s"]),
        "dce_phase_reason": result["phase"]["reason"],
        "dce_slice": result["slice"],
        "roi_volume_mm3": _number(volumes[0] if volumes else None),
        "roi_thickness_mm": result["roi"]["thickness_mm"],
        "fit_preset": result["fit"]["preset"],
        "registration": "yes" if result["fit"]["registration"] else "no",
        "pixels_sha256": result["pixels_sha256"],
        "her2map": result["software"]["her2map"],
    }


def _number(stored: float | None) -> float:
    """JSON has no NaN."""
    return math.nan if stored is None else stored
