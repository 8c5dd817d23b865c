"""`her2map follow-up`: two exams of one patient side by side."""

import argparse
from dataclasses import asdict
from pathlib import Path

from ..errors import InputError
from ..files import output_folder, write_text
from ..follow_up import Reader, Repeatability, follow_up, read_retest, repeatability_of
from ..follow_up_exams import differences, read_fitted_exam
from ..report.follow_up import FollowUpReport, write_follow_up
from ..report.follow_up_words import changes_csv, follow_up_text
from ..score import ReadingErrors
from ..score.reading_errors import reading_errors
from ..study.aggregate import aggregate
from ..study.protocol import read_protocol
from ..study.readings import read_readings
from .common import declare, json_option, output_option, print_json
from .score_options import card_of, positive

TABLE, PAGE = "follow_up.csv", "follow_up.html"


def declare_follow_up(parser: argparse.ArgumentParser) -> None:
    declare(
        parser,
        _follow_up,
        "Compares two exams of one patient: the change of each biomarker against its repeatability "
        "coefficient, as a table on the terminal, follow_up.csv and follow_up.html with the maps of both. "
        "How much readings differ is known from a model card, or from a study; your own test-retest SDs are "
        "better. Research use only.",
    )
    for when in ("before", "after"):
        parser.add_argument(
            f"--{when}", type=Path, required=True, metavar="MAPS", help="the output folder of `her2map fit`"
        )
        parser.add_argument(
            f"--{when}-roi", type=Path, required=True, metavar="FILE", help="the ROI drawn in that exam"
        )
    parser.add_argument(
        "--thickness", type=positive, metavar="MM",
        help="of a ROI whose file states none (default: that of the DCE slices)",
    )  # fmt: skip
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--card", type=Path, metavar="FILE",
        help="a model card, for the errors of readings (default: the one that ships, of simulated readers)",
    )  # fmt: skip
    source.add_argument(
        "--study", type=Path, metavar="DIR", help="a study, whose finished readings tell the errors instead"
    )
    parser.add_argument(
        "--retest", action="append", default=[], metavar="BIOMARKER=SD",
        help="SD of repeated examinations of your own, in ms (delta_T1_ratio: a fraction), e.g. T1_pre=40; "
        "it replaces all else that is known of the biomarker; may be repeated",
    )  # fmt: skip
    parser.add_argument("--other-reader", action="store_true", help="another reader drew the second ROI")
    output_option(parser)
    json_option(parser)


def _follow_up(options: argparse.Namespace) -> None:
    known = _repeatability(options)
    before = read_fitted_exam(options.before, options.before_roi, options.thickness)
    after = read_fitted_exam(options.after, options.after_roi, options.thickness)
    found = follow_up(before.case, after.case, known)
    unlike = differences(before, after)
    folder = output_folder(options.output)
    write_text(folder / TABLE, changes_csv(found.changes))
    write_follow_up(folder / PAGE, FollowUpReport(before, after, found, unlike))
    if options.json:
        changes = [asdict(one) | {"verdict": one.verdict.value} for one in found.changes]
        print_json({"changes": changes, "differences": unlike, "remarks": found.remarks})
        return
    print("\n".join([follow_up_text(found), *(f"The exams differ. {line}" for line in unlike)]))
    print(f"\nPage: {folder / PAGE}")


def _repeatability(options: argparse.Namespace) -> Repeatability:
    reader = Reader.OTHER if options.other_reader else Reader.SAME
    retest = read_retest(options.retest)
    if options.study:
        return Repeatability(_errors_of_study(options.study), "the study's readings", reader, retest)
    return repeatability_of(card_of(options), reader, retest)


def _errors_of_study(folder: Path) -> ReadingErrors:
    protocol = read_protocol(folder)
    found = reading_errors(aggregate(protocol, read_readings(protocol)).readings)
    if found is None:
        raise InputError(
            f"No reader has finished two readings of one case in {folder.name}, so that it does not tell how "
            "much readings differ; give --card or --retest."
        )
    return found
