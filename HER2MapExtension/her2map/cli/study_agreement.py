"""`her2map study agreement`: how well the readings agree."""

import argparse
from typing import Any

import pandas as pd

from ..files import output_folder
from ..report.agreement import write_bland_altman
from ..report.style import STYLES
from ..report.tables import aligned, percent, plain
from ..spreadsheet import write_csv
from ..study.agreement import StudyAgreement, agreement
from ..study.protocol import read_protocol
from ..study.readings import read_readings
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
        "Repeatability (95 % interval)", aligned(_repeatability_lines(found.repeatability), 2),
        "\nIntraclass correlation (95 % interval)", _icc_text(found.icc),
    ]  # fmt: skip
    if len(found.bland_altman):
        parts += ["\nBland-Altman", aligned(_bland_altman_lines(found.bland_altman), 2)]
    parts += ["\nContours, median (quartiles)", aligned(_overlap_lines(found.overlap), 1)]
    if found.incomplete:
        parts.append(f"\n{len(found.incomplete)} cases are not complete; left_out.csv says where they lack.")
    return "\n".join(parts)


def _repeatability_lines(frame: pd.DataFrame) -> list[list[str]]:
    lines = [["biomarker", "compared", "cases", "mean", "within SD", "wCV", "repeatability coefficient"]]
    for row in frame.to_dict("records"):
        digits = STYLES[row["biomarker"]].decimals + 1
        cv = [percent(row[f"within_cv{end}"], 1) for end in ("", "_low", "_high")]
        lines.append(
            [
                _named(row), row["compared"], str(row["cases"]), plain(row["mean"], digits),
                _with_interval(row, "within_sd", digits), _bracketed(*cv),
                _with_interval(row, "repeatability_coefficient", digits),
            ]
        )  # fmt: skip
    return lines


def _icc_text(frame: pd.DataFrame) -> str:
    lines = [["biomarker", "compared", "ICC", "cases", "value"]]
    for row in frame.to_dict("records"):
        value = _bracketed(*(plain(row[key], 3) for key in ("value", "low", "high")))
        kind = row["icc"].removeprefix("ICC")
        lines.append([row["biomarker"], row["compared"], kind, str(row["cases"]), value])
    remarks = ["", *frame["remark"]]
    table = aligned(lines, right_from=3).splitlines()
    return "\n".join(f"{line}  {remark}".rstrip() for line, remark in zip(table, remarks, strict=True))


def _bland_altman_lines(frame: pd.DataFrame) -> list[list[str]]:
    lines = [["biomarker", "compared", "cases", "bias", "lower limit", "upper limit"]]
    for row in frame.to_dict("records"):
        digits = STYLES[row["biomarker"]].decimals + 1
        limits = [_with_interval(row, key, digits) for key in ("bias", "lower", "upper")]
        lines.append([_named(row), row["compared"], str(row["cases"]), *limits])
    return lines


def _overlap_lines(frame: pd.DataFrame) -> list[list[str]]:
    lines = [["compared", "cases", "pairs", "Dice", "distance / mm", "other slice"]]
    for row in frame.to_dict("records"):
        dice = _bracketed(*(plain(row[f"dice{end}"], 3) for end in ("", "_q1", "_q3")))
        distance = _bracketed(*(plain(row[f"distance_mm{end}"], 2) for end in ("", "_q1", "_q3")))
        counts = [str(row[key]) for key in ("cases", "comparisons")]
        lines.append([row["compared"], *counts, dice, distance, str(row["other_slice"])])
    return lines


def _named(row: dict[str, Any]) -> str:
    return row["biomarker"] if row["unit"] == "1" else f"{row['biomarker']} / {row['unit']}"


def _with_interval(row: dict[str, Any], name: str, digits: int) -> str:
    return _bracketed(*(plain(row[f"{name}{end}"], digits) for end in ("", "_low", "_high")))


def _bracketed(value: str, low: str, high: str) -> str:
    return f"{value} ({low} to {high})" if value != "–" else value
