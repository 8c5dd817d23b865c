"""`her2map study enrol`: the flow diagram of a screening table."""

import argparse
import sys
from pathlib import Path

import pandas as pd

from ..enrolment import CRITERIA, enrolment, read_screening
from ..files import output_folder
from ..pathology import PRESETS
from ..pathology_table import assess_table, read_pathology
from ..report.enrolment import flow_rows, flow_text, missing_letters, write_flow
from ..spreadsheet import write_csv
from .common import declare, json_option, output_option, print_json
from .pathology import preset_option


def declare_enrol(parser: argparse.ArgumentParser) -> None:
    codes = ", ".join(criterion.code for criterion in CRITERIA)
    declare(
        parser,
        _enrol,
        "Counts who was screened, left out and why, and included, from a CSV with the columns case, "
        f"included (yes, no), reason ({codes}, or words of your own) and if wanted stage (inclusion, "
        "exclusion). Writes enrolment.svg, enrolment.png and enrolment.csv.",
    )
    parser.add_argument("table", type=Path, metavar="TABLE", help="the screening table")
    output_option(parser)
    parser.add_argument(
        "--pathology", type=Path, metavar="FILE", help="a pathology table: the included by HER2 status"
    )
    preset_option(parser)
    json_option(parser)


def _enrol(options: argparse.Namespace) -> None:
    cases = read_screening(options.table)
    her2 = None
    if options.pathology:
        assessed = assess_table(read_pathology(options.pathology), PRESETS[options.preset])
        her2 = {case: found.her2 for case, found in assessed.items()}
    flow = enrolment(cases, her2)
    folder = output_folder(options.output)
    rows = pd.DataFrame(flow_rows(flow), columns=["stage", "count_of", "cases"])
    write_csv(folder / "enrolment.csv", rows.assign(pathology_preset=options.preset if her2 else ""))
    written = write_flow(folder, flow)
    for case, state in flow.unsettled:
        print(f"her2map: note: {case} is included, but its HER2 status is: {state}.", file=sys.stderr)
    for case in flow.without_pathology:
        print(f"her2map: note: {case} is included, but not in {options.pathology.name}.", file=sys.stderr)
    letters = missing_letters(flow)
    if letters:
        print(
            f"her2map: note: no font of this machine has {letters}; the figure shows boxes.", file=sys.stderr
        )
    if options.json:
        print_json(rows.to_dict("records"))
    else:
        print(f"{flow_text(flow)}\n\nFlow diagram: {', '.join(str(path) for path in written)}")
