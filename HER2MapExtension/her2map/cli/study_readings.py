"""`her2map study status`, `export` and `verify`: the readings as they come in."""

import argparse
import sys
from pathlib import Path
from typing import Any

from ..files import output_folder, write_json
from ..report.study_tables import reader_lines, skip_lines, spread_lines
from ..report.tables import aligned
from ..spreadsheet import FORMATS
from ..study.aggregate import aggregate
from ..study.export import export_tables, write_export
from ..study.protocol import read_protocol
from ..study.readings import read_readings
from ..study.status import ReaderStatus, reader_status, unprepared, warnings_of
from ..study.verify import StoreCheck, heads_as_json, read_heads, verify_study
from ..wording import counted
from .common import declare, json_option, output_option, print_json, refuse_special_file
from .study import folder_argument, listed

_CHANGED = 1


def declare_status(parser: argparse.ArgumentParser) -> None:
    declare(
        parser,
        _status,
        "Readings done, open and left of each reader, what was skipped and why, cases that are not prepared, "
        "and cases whose repeats differ by more than the study's limit.",
    )
    folder_argument(parser)
    json_option(parser)


def declare_export(parser: argparse.ArgumentParser) -> None:
    declare(
        parser,
        _export,
        "Writes long.csv (a row a reading and biomarker), wide.csv (a row a case: its value, each reader's "
        "median, each reading) and readings.csv (how each was made). A cell that a spreadsheet would take "
        "for a formula gets an apostrophe. A case that is not complete has no value, but says what lacks.",
    )
    folder_argument(parser)
    output_option(parser)
    parser.add_argument(
        "--format", choices=["csv", *FORMATS], default="csv",
        help="write the same tables in this format as well, for pandas or R (needs pyarrow)",
    )  # fmt: skip


def declare_verify(parser: argparse.ArgumentParser) -> None:
    declare(
        parser,
        _verify,
        "Checks every reader's chain of entries. Exit status: 0 all is as it was written, 1 something was "
        "changed, removed, swapped or added, 2 the study cannot be read. Keep what --save writes away from "
        "the study: a chain that was made anew from some entry on differs from it.",
    )
    folder_argument(parser)
    parser.add_argument("--heads", type=Path, metavar="FILE", help="compare with what --save wrote earlier")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the state of every chain (JSON)")
    json_option(parser)


def _status(options: argparse.Namespace) -> None:
    protocol = read_protocol(options.folder)
    readings = read_readings(protocol)
    readers = reader_status(protocol, readings)
    values = aggregate(protocol, readings)
    missing, warnings = unprepared(protocol), warnings_of(protocol, readers, values.mixed)
    if options.json:
        print_json(
            {
                "title": protocol.title,
                "cases": len(protocol.cases),
                "complete_cases": len(values.by_case),
                "readers": [_reader_facts(one) for one in readers],
                "not_prepared": list(missing),
                "spread": values.spread.to_dict("records"),
                "incomplete": list(values.incomplete),
                "warnings": list(warnings),
            }
        )
        return
    print(f"{protocol.title}: {len(values.by_case)} of {counted(len(protocol.cases), 'case')} complete\n")
    print(aligned(reader_lines(readers), right_from=1))
    if any(one.skips for one in readers):
        print(f"\nSkipped\n{aligned(skip_lines(readers), right_from=99)}")
    if len(values.spread):
        limit = f"{100 * protocol.spread_limit:g} %"
        print(f"\nRepeats that differ by more than {limit} of their median")
        print(aligned(spread_lines(values.spread), right_from=3))
    if warnings:
        print("", *warnings, sep="\n")
    if missing:
        print(f"\nNot prepared: {listed(missing)}. Run `her2map study prepare {options.folder}`.")


def _reader_facts(one: ReaderStatus) -> dict[str, Any]:
    return {
        "reader": one.reader,
        "finished": one.finished,
        "open": one.open,
        "skipped": one.skipped,
        "total": one.total,
        "last": one.last.isoformat() if one.last else None,
        "skips": [{"case": s.case, "repeat": s.repeat, "reason": reason} for s, reason in one.skips],
    }


def _export(options: argparse.Namespace) -> None:
    protocol = read_protocol(options.folder)
    tables = export_tables(protocol, read_readings(protocol))
    written = write_export(options.output, tables, options.format)
    complete = int((tables.wide["complete"] == "yes").sum())
    readings, cases = counted(len(tables.readings), "reading"), counted(len(tables.wide), "case")
    print(f"{readings}; {complete} of {cases} complete")
    for path in written:
        print(f"  {path}")


def _verify(options: argparse.Namespace) -> int:
    protocol = read_protocol(options.folder)
    checks = verify_study(protocol, read_heads(options.heads) if options.heads else None)
    changed = any(one.problems for one in checks)
    if options.save and not changed:
        refuse_special_file(options.save)
        write_json(output_folder(options.save.parent) / options.save.name, heads_as_json(checks))
    if options.json:
        print_json({one.reader: _check_facts(one) for one in checks})
    else:
        print("\n".join(line for one in checks for line in _check_lines(one)))
    if changed and options.save:
        print(f"her2map: {options.save} was not written, as not all is as it was.", file=sys.stderr)
    return _CHANGED if changed else 0


def _check_lines(one: StoreCheck) -> list[str]:
    if one.problems:
        first = f"{one.reader}: CHANGED"
    elif one.head.count:
        first = (
            f"{one.reader}: whole; {counted(one.head.count, 'entry', 'entries')}, the last {one.head.digest}"
        )
    else:
        first = f"{one.reader}: nothing read yet"
    return [first, *(f"  {text}" for text in one.problems), *(f"  note: {text}" for text in one.remarks)]


def _check_facts(one: StoreCheck) -> dict[str, Any]:
    return {
        "whole": not one.problems,
        "count": one.head.count,
        "digest": one.head.digest,
        "problems": list(one.problems),
        "remarks": list(one.remarks),
    }
