"""`her2map pathology`: what a pathology table comes to."""

import argparse
from collections import Counter
from pathlib import Path

import pandas as pd

from ..errors import InputError
from ..files import output_folder
from ..pathology import PRESETS
from ..pathology_table import pathology_records, read_pathology
from ..report.tables import aligned
from ..spreadsheet import write_csv
from ..study.protocol import read_protocol
from ..wording import counted
from .common import declare, json_option, print_json, refuse_special_file

_SHOWN = {
    "case": "case", "her2": "HER2", "er": "ER", "pr": "PR", "ki67": "Ki-67", "subtype": "subtype",
    "her2_reason": "why this HER2 status",
}  # fmt: skip


def declare_pathology(parser: argparse.ArgumentParser) -> None:
    declare(
        parser,
        _pathology,
        "Checks a pathology table line by line, and tells every case's HER2 status, receptors, Ki-67 and "
        "surrogate subtype. Columns: case; her2_status (zero, low, positive) or her2_ihc (0, 1+, 2+, 3+) "
        "with her2_ish_ratio and her2_copies, and for the guideline her2_recount_ratio and "
        "her2_recount_copies; er_status and pr_status (positive, negative) or er_percent and pr_percent; "
        "ki67_percent; age; menopause (pre, post); further columns as they are. A cell that is empty is not "
        "known.",
    )
    parser.add_argument("table", type=Path, metavar="TABLE", help="a CSV file")
    preset_option(parser)
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write it as CSV")
    json_option(parser)


def preset_option(parser: argparse.ArgumentParser) -> None:
    """--preset of the rules."""
    parser.add_argument(
        "--preset", choices=list(PRESETS), default="paper",
        help="paper: 3+, or 2+ with ISH positive, against 1+ or 2+ with ISH negative; guideline: the five "
        "ISH groups of ASCO/CAP with work-up by IHC and blinded recount (default: %(default)s)",
    )  # fmt: skip


def _pathology(options: argparse.Namespace) -> None:
    frame = pd.DataFrame(pathology_records(read_pathology(options.table), PRESETS[options.preset]))
    if options.output:
        refuse_special_file(options.output)
        write_csv(output_folder(options.output.parent) / options.output.name, frame)
    if options.json:
        print_json(frame.to_dict("records"))
        return
    lines = [list(_SHOWN.values())]
    lines += [[value or "–" for value in row] for row in frame[list(_SHOWN)].itertuples(index=False)]
    counts = Counter(frame["her2"])
    print(aligned(lines, right_from=99))
    told = ", ".join(f"{n} {state}" for state, n in counts.most_common())
    print(f"\n{counted(len(frame), 'case')} by the preset '{options.preset}': {told}.")


def pathology_of(options: argparse.Namespace) -> Path:
    """The table that --pathology names, or that of the study whose folder `values` is.

    Raises:
        InputError: there is none.
    """
    if options.pathology:
        return Path(options.pathology)
    stated = read_protocol(options.values).pathology if options.values.is_dir() else None
    if stated is None:
        raise InputError("Which pathology? Name the table with --pathology FILE.")
    return stated
