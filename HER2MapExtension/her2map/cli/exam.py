"""The path of one patient: from a DICOM folder to maps, ROI values and a score; and phantoms to try it on."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from ..acquired import exam_acquired
from ..biomarkers import MEASURED
from ..derivatives import read_maps, read_summary, roi_thickness, write_fit
from ..errors import InputError
from ..exam import Exam, fit_exam, measure_maps, read_exam_as
from ..files import output_folder, write_text
from ..fitting import PRESETS, FitOptions, FittedMap
from ..markups import read_roi
from ..phantom import DICOM_FOLDER, ROI_FILE, ExamSettings, write_exam
from ..report import tables
from ..report.exam import ExamReport, score_text, write_overview, write_report
from ..score import assess, demo_card
from ..score.exam_case import case_of_exam, placement_sds
from ..summary import exam_facts
from .common import declare, json_option, print_json, progress_bar, refuse_special_file

SIZES = {"small": ExamSettings.small, "standard": ExamSettings.standard, "clinical": ExamSettings.clinical}


def _demo(options: argparse.Namespace) -> None:
    folder = output_folder(options.output)
    source = folder / "exam"
    with progress_bar("writing a phantom exam") as progress:
        truth = write_exam(source, SIZES[options.size](), options.seed, progress)
    exam = _read(source / DICOM_FOLDER)
    print(tables.series_text(exam.assignments), end="\n\n")
    maps = _fit(exam, PRESETS[options.preset])
    write_fit(output_folder(folder / "maps"), "demo", exam, options.preset, maps)
    roi = read_roi(source / ROI_FILE, truth.roi_thickness_mm)
    on_grids = {name: (fitted.map, fitted.geometry) for name, fitted in maps.items()}
    values = measure_maps(on_grids, roi)
    card = demo_card()
    er_positive = options.er == "positive"
    placed = placement_sds(on_grids, roi, MEASURED)
    report = ExamReport(
        title="Demonstration: a digital breast phantom",
        preset=options.preset,
        exam=exam,
        maps=maps,
        values=values,
        card=card,
        assessment=assess(card, case_of_exam(values, er_positive, exam_acquired(exam), placed)),
        er_positive=er_positive,
        truth=truth.values,
    )
    rows = tables.value_rows(values)
    write_text(folder / "measurements.csv", tables.values_csv(rows))
    write_report(folder / "report.html", report)
    write_overview(folder / "overview.png", report)
    print(tables.values_text(rows, truth.values))
    print(f"\n{score_text(report)}\n\nReport: {folder / 'report.html'}")


def _series(options: argparse.Namespace) -> None:
    exam = _read(options.exam, options.role)
    if options.json:
        print_json(exam_facts(exam))
        return
    print(tables.series_text(exam.assignments))
    for line in (*exam.remarks, *exam.skipped):
        print(line, file=sys.stderr)


def _fit_command(options: argparse.Namespace) -> None:
    folder = output_folder(options.output)
    exam = _read(options.exam, options.role)
    pulse = tuple(options.bloch_siegert) if options.bloch_siegert else None
    how = replace(PRESETS[options.preset], map_unit=options.map_unit, bloch_siegert=pulse)
    summary = write_fit(folder, options.case, exam, options.preset, _fit(exam, how))
    if options.json:
        print_json(summary)
        return
    for name, facts in summary["maps"].items():
        fitted = facts["status_shares"]["FITTED"]
        print(f"{name:8} {tables.percent(fitted, 0):>5} of the measured voxels fitted; {facts['method']}")
        for note in facts["notes"]:
            print(f"         {note}")
    print(f"\nMaps: {folder}")


def _measure(options: argparse.Namespace) -> None:
    maps = read_maps(options.maps)
    thickness = options.thickness
    if thickness is None:
        thickness = roi_thickness(read_summary(options.maps))
    values = measure_maps(maps, read_roi(options.roi, thickness))
    without = [f"{name}: {value.reason}" for name, value in values.values.items() if value.reason]
    if len(without) == len(values.values):
        raise InputError(f"The ROI {options.roi.name} has no value on any map; {without[0]}")
    rows = tables.value_rows(values)
    if options.output:
        refuse_special_file(options.output)
        write_text(output_folder(options.output.parent) / options.output.name, tables.values_csv(rows))
    if options.json:
        print_json([asdict(row) for row in rows])
    else:
        print(tables.values_text(rows))


def _phantom(options: argparse.Namespace) -> None:
    with progress_bar("writing a phantom exam") as progress:
        truth = write_exam(options.output, SIZES[options.size](), options.seed, progress)
    if options.json:
        print_json(asdict(truth))
    else:
        print(f"DICOM files, {ROI_FILE} and the true values: {options.output}")


def _read(folder: Path, roles: Sequence[str] = ()) -> Exam:
    with progress_bar("reading") as progress:
        return read_exam_as(folder, roles, progress)


def _fit(exam: Exam, options: FitOptions) -> dict[str, FittedMap]:
    for remark in exam.remarks:
        print(f"her2map: note: {remark}", file=sys.stderr)
    with progress_bar("fitting") as progress:
        return fit_exam(exam, options, progress)


def declare_demo(parser: argparse.ArgumentParser) -> None:
    declare(
        parser,
        _demo,
        "Writes a digital breast exam with known truth, sorts its series, fits the maps, applies the ROI, "
        "prints the biomarkers beside the truth, scores them, and writes report.html, measurements.csv and"
        " the maps.",
    )
    parser.add_argument(
        "--output", type=Path, default=Path("her2map-demo"), metavar="DIR", help="default: %(default)s"
    )
    _phantom_options(parser)
    _preset_option(parser)
    parser.add_argument(
        "--er",
        choices=["positive", "negative"],
        default="positive",
        help="the phantom's oestrogen receptor status",
    )


def declare_series(parser: argparse.ArgumentParser) -> None:
    declare(
        parser,
        _series,
        "Reads a folder (any depth, DICOM or NIfTI with BIDS side-cars) and proposes each series' role.",
    )
    _exam_options(parser)


def declare_fit(parser: argparse.ArgumentParser) -> None:
    declare(
        parser,
        _fit_command,
        "Fits T1 before and after contrast, T2, T2* and B1, as far as the exam has series for them, and "
        "writes them as NIfTI with BIDS names (relaxation times in seconds) with quality maps, side-cars "
        "and summary.json.",
    )
    _exam_options(parser)
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where the maps go")
    parser.add_argument(
        "--case", default="01", help="the label in the file names, letters and digits (default: %(default)s)"
    )
    _preset_option(parser)
    parser.add_argument(
        "--map-unit", choices=["ms", "s"], default="", help="unit of a scanner's map whose header is silent"
    )
    parser.add_argument(
        "--bloch-siegert", type=float, nargs=2, metavar=("K_BS", "PEAK"),
        help="of a Bloch-Siegert pulse: K_BS in rad/uT² and nominal peak B1 in uT; such a B1 series needs it",
    )  # fmt: skip


def declare_measure(parser: argparse.ArgumentParser) -> None:
    declare(
        parser,
        _measure,
        "Applies a ROI to the maps that `her2map fit` wrote. The contour is a closed polygon in its own "
        "plane, extruded by half the DCE slice thickness to either side; each map is looked up at its own "
        "place in the patient.",
    )
    parser.add_argument("maps", type=Path, metavar="DIR", help="the output folder of `her2map fit`")
    parser.add_argument(
        "--roi",
        type=Path,
        required=True,
        metavar="FILE",
        help="a Slicer closed curve (.mrk.json) or a JSON polygon",
    )
    parser.add_argument(
        "--thickness",
        type=float,
        metavar="MM",
        help="of the ROI (default: the file's own, else that of the DCE slices)",
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="also write the values as CSV")
    json_option(parser)


def declare_phantom(parser: argparse.ArgumentParser) -> None:
    declare(
        parser,
        _phantom,
        "Simulates an exam and writes it as DICOM, with the true values (truth.json) and the ROI "
        "(roi.mrk.json) beside it. The same seed gives the same files.",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="a new or empty folder")
    _phantom_options(parser)
    json_option(parser)


def _exam_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("exam", type=Path, metavar="EXAM", help="the folder of one patient's exam")
    parser.add_argument(
        "--role", action="append", default=[], metavar="KEY=ROLE[:TECHNIQUE]",
        help="what a series is, in place of the proposal, by its key in the list of `her2map series`; "
        "repeatable, e.g. --role 7=T2 --role 9=none",
    )  # fmt: skip
    json_option(parser)


def _phantom_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument(
        "--size", choices=list(SIZES), default="standard", help="of the phantom (default: %(default)s)"
    )


def _preset_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--preset", choices=list(PRESETS), default="recommended",
        help="how the maps are fitted: as recommended, or as in the paper (default: %(default)s)",
    )  # fmt: skip
