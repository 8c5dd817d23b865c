"""`her2map study agreement`: how well the readings agree."""

import argparse

import pandas as pd

from ..files import output_folder
from ..report.agreement import write_bland_altman
from ..report.study_tables import bland_altman_lines, icc_lines, overlap_lines, repeatability_lines
from ..report.tables import aligned
from ..spreadsheet import write_csv
from ..study.agreement import StudyAgreement, agreement
from ..study.protocol import read_protocol
from ..study.readings import read_readings
from ..wording import counted
from .common import declare, json_option, output_option, print_json
from .study import folder_argument

_TABLES = ("repeatability", "icc", "bland_altman", "differences", "overlap", "overlaps", "left_out")


def declare_agreement(parser: argparse.ArgumentParser) -> None:
    declare(
        parser,
        _agreement,
        "Within-subject SD, CV and repeatability coefficient from the repeats, ICC(2,1) and ICC(3,1) within "
        "and between readers, Bland-Altman between readers, Dice and surface distance of the contours: "
        "printed, and written as CSV and figures.",
    )
    folder_argument(parser)
    output_option(parser)
    json_option(parser)


def _agreement(options: argparse.Namespace) -> None:
    protocol = read_protocol(options.folder)
    found = agreement(protocol, read_readings(protocol))
    folder = output_folder(options.output)
    for name in _TABLES:
        write_csv(folder / f"{name}.csv", getattr(found, name))
    figures = write_bland_altman(folder, found)
    if options.json:
        content = {name: getattr(found, name).to_dict("records") for name in _TABLES}
        print_json({**content, "incomplete": found.incomplete, "conventions": found.conventions})
        return
    print(_agreement_text(found))
    print(f"\nTables and {len(figures)} figures: {folder}")


def _agreement_text(found: StudyAgreement) -> str:
    parts = [
        "Repeatability (95 % interval)", aligned(repeatability_lines(found.repeatability), 2),
        "\nIntraclass correlation (95 % interval)", _icc_text(found.icc),
    ]  # fmt: skip
    if len(found.bland_altman):
        parts += ["\nBland-Altman", aligned(bland_altman_lines(found.bland_altman), 2)]
    parts += ["\nContours, median (quartiles)", aligned(overlap_lines(found.overlap), 1)]
    if found.incomplete:
        cases = counted(len(found.incomplete), "case is", "cases are")
        parts.append(f"\n{cases} not complete; left_out.csv says what is missing where.")
    return "\n".join(parts)


def _icc_text(frame: pd.DataFrame) -> str:
    """The remarks, which are long, run on at the lines' ends."""
    lines = icc_lines(frame)
    table = aligned([line[:-1] for line in lines], right_from=3).splitlines()
    remarks = ["", *(line[-1] for line in lines[1:])]
    return "\n".join(f"{line}  {remark}".rstrip() for line, remark in zip(table, remarks, strict=True))
