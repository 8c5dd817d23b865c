"""`her2map study`: the coordinator's commands of a reader study."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from ..study.protocol import FILE
from .common import CommandPlace, add_commands

COMMANDS = (
    CommandPlace("new", "her2map.cli.study_setup", "make a study of a folder of exams"),
    CommandPlace("check", "her2map.cli.study_setup", "whether the study can be read"),
    CommandPlace("prepare", "her2map.cli.study_setup", "fit the maps of every case ahead of the reading"),
    CommandPlace("status", "her2map.cli.study_readings", "how far the readers are"),
    CommandPlace("verify", "her2map.cli.study_readings", "whether any reading was changed since it was made"),
    CommandPlace("export", "her2map.cli.study_readings", "the readings as tables"),
    CommandPlace("agreement", "her2map.cli.study_agreement", "repeatability, ICC, Bland-Altman, overlap"),
    CommandPlace("enrol", "her2map.cli.study_enrol", "the flow diagram of a screening table"),
)


def declare_study(parser: argparse.ArgumentParser) -> None:
    parser.description = "The coordinator's commands of a reader study. Readers work in 3D Slicer."
    parser.epilog = (
        "A study's course: `study new`, edit study.toml, `study check`, `study prepare`; while the readers "
        "read, `study status` and `study verify`; afterwards `study export` and `study agreement`. "
        "`study enrol` draws the flow diagram from a screening table."
    )
    add_commands(parser, COMMANDS)


def folder_argument(parser: argparse.ArgumentParser) -> None:
    """The study."""
    parser.add_argument("folder", type=Path, metavar="STUDY", help=f"the folder with {FILE}")


def listed(codes: Sequence[str]) -> str:
    """Some codes, for a sentence."""
    shown = ", ".join(codes[:10])
    return shown if len(codes) <= 10 else f"{shown} and {len(codes) - 10} more"
