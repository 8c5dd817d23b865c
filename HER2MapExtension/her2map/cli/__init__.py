"""The command `her2map`: from DICOM folders to maps, ROI values, a score, and a reader study."""

import argparse
import sys
from collections.abc import Sequence

from .. import __version__
from ..errors import InputError
from .common import CommandPlace, add_commands

COMMANDS = (
    CommandPlace("demo", "her2map.cli.exam", "a phantom exam from DICOM to report"),
    CommandPlace("series", "her2map.cli.exam", "what each series of an exam is taken for, and why"),
    CommandPlace("fit", "her2map.cli.exam", "fit the maps of an exam"),
    CommandPlace("measure", "her2map.cli.exam", "the values of a ROI on fitted maps"),
    CommandPlace("phantom", "her2map.cli.exam", "write a digital breast exam with known truth"),
    CommandPlace("study", "her2map.cli.study", "a blinded reader study: set up, watch, export"),
    CommandPlace("pathology", "her2map.cli.pathology", "HER2 status and subtype from a pathology table"),
    CommandPlace("analyze", "her2map.cli.analyze", "the tables, models and figures of a cohort"),
    CommandPlace("train", "her2map.cli.score_models", "a model card of the score from a cohort"),
    CommandPlace("score", "her2map.cli.score", "what a model card says of a case"),
    CommandPlace("validate", "her2map.cli.score_models", "a model card judged on another cohort"),
    CommandPlace("follow-up", "her2map.cli.follow_up", "two exams of one patient: which changes are real"),
    CommandPlace("reproduce", "her2map.cli.reproduce", "the paper's cohort, simulated and analysed"),
    CommandPlace("app", "her2map.cli.app", "the Slicer module in a window, without Slicer"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Returns:
        Its exit status: 0 done, 1 `study verify` found a change, 2 input that cannot be used, 130 stopped.
    """
    options = _parser().parse_args(arguments)
    try:
        return options.run(options) or 0
    except InputError as error:
        for line in str(error).splitlines():
            print(f"her2map: {line}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("her2map: stopped; the files that were finished are whole.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="her2map",
        description="Quantitative breast MRI: T1, T2 and T2* maps, a ROI's values on each, a HER2 score, and "
        "blinded reader studies of them. Research use only.",
        epilog="First steps: `her2map demo` makes a digital breast exam and carries it through to a report. "
        "Then, with a patient's folder: `her2map series EXAM`, `her2map fit EXAM --output MAPS`, `her2map "
        "measure MAPS --roi roi.mrk.json`. For a study of many: `her2map study --help`.",
    )
    parser.add_argument("--version", action="version", version=f"her2map {__version__}")
    add_commands(parser, COMMANDS)
    return parser
