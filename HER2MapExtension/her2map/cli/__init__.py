"""The command `her2map`: from DICOM folders to maps, ROI values, a score, and a reader study."""

import argparse
import sys
from collections.abc import Sequence

from .. import __version__
from ..errors import InputError
from . import app, exam


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit status: 0 done, 2 input that cannot be used, 130 stopped."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except InputError as error:
        print(f"her2map: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("her2map: stopped; the files that were finished are whole.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="her2map",
        description="Quantitative breast MRI: T1, T2 and T2* maps, a ROI's values on each, and a HER2 score. "
        "Research use only.",
        epilog="First steps: `her2map demo` makes a digital breast exam and carries it through to a report. "
        "Then, with a patient's folder: `her2map series EXAM`, `her2map fit EXAM --output MAPS`, `her2map "
        "measure MAPS --roi roi.mrk.json`.",
    )
    parser.add_argument("--version", action="version", version=f"her2map {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    exam.add_commands(commands)
    app.add_commands(commands)
    return parser
