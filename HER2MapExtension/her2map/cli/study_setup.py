"""`her2map study new`, `check` and `prepare`: what the coordinator does before the reading."""

import argparse
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..progress import Progress
from ..study.phantoms import prepare_phantom, training_protocol
from ..study.prepared import PreparedCase, prepare_case
from ..study.protocol import FILE, Protocol, read_protocol
from ..study.setup import dealt, exam_folders, new_study, prepare_cases, study_mistakes
from ..wording import counted
from .common import declare, progress_bar
from .study import folder_argument, listed


def declare_new(parser: argparse.ArgumentParser) -> None:
    declare(
        parser,
        _new,
        f"Makes a study folder with a {FILE} that can be edited by hand. Every folder in PARENT is an exam. "
        "The codes under which readers see the cases are C001 and on, dealt out at random, so that a code "
        f"tells nothing of the folder's name, which may be a patient's; only {FILE} knows both.",
    )
    parser.add_argument("folder", type=Path, metavar="STUDY", help="the folder to make")
    parser.add_argument("--title", required=True, help="of the study; readers see it")
    parser.add_argument("--cases", type=Path, required=True, metavar="PARENT", help="the folder of the exams")
    parser.add_argument(
        "--reader", action="append", required=True, metavar="CODE",
        help="who reads: letters, digits, - and _; once for each reader",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, help="deal the codes out alike again (default: anew every time)")


def declare_check(parser: argparse.ArgumentParser) -> None:
    declare(
        parser,
        _check,
        f"Reads {FILE} and looks for all that it names: exams, pathology table, score card. Every mistake is "
        "told with its line.",
    )
    folder_argument(parser)


def declare_prepare(parser: argparse.ArgumentParser) -> None:
    declare(
        parser,
        _prepare,
        "Reads and fits every exam once and keeps the result in the study's cache; what is there already is "
        "left alone. It can be stopped at any time, and goes on where it was.",
    )
    folder_argument(parser)
    parser.add_argument("--case", metavar="CODE", help="this case alone")
    parser.add_argument(
        "--training", action="store_const", const=_training, default=_study,
        help="the phantoms of the training, written where they are not there yet, in place of the cases",
    )  # fmt: skip


def _new(options: argparse.Namespace) -> None:
    cases = dealt(exam_folders(options.cases), random.Random(options.seed))
    protocol = new_study(options.folder, options.title, cases, options.reader)
    read = counted(len(protocol.readers), "reader"), counted(protocol.repeats, "repeat")
    print(
        f"{protocol.folder / FILE}: {counted(len(protocol.cases), 'case')}, {', '.join(read)}.\n"
        f"Edit it, then run `her2map study check {options.folder}` and "
        f"`her2map study prepare {options.folder}`."
    )


def _check(options: argparse.Namespace) -> None:
    protocol = read_protocol(options.folder)
    mistakes = study_mistakes(protocol)
    if mistakes:
        raise InputError("\n".join(mistakes))
    readers = f"reader{'s' * (len(protocol.readers) > 1)} {', '.join(protocol.readers)}"
    hours = counted(protocol.minimum_interval_hours, "hour")
    apart = f" at least {hours} apart" if protocol.repeats > 1 else ""
    print(
        f"{protocol.title}: {counted(len(protocol.cases), 'case')}, {readers}, "
        f"{counted(protocol.repeats, 'repeat')}{apart}. All is there."
    )


@dataclass(frozen=True)
class _Cases:
    """Cases to be prepared, and how."""

    protocol: Protocol
    prepare: Callable[[Protocol, str, Progress], PreparedCase]


def _study(protocol: Protocol) -> _Cases:
    return _Cases(protocol, prepare_case)


def _training(protocol: Protocol) -> _Cases:
    return _Cases(training_protocol(protocol), prepare_phantom)


def _prepare(options: argparse.Namespace) -> None:
    cases: _Cases = options.training(read_protocol(options.folder))
    protocol = cases.protocol
    codes = [protocol.case(options.case).code] if options.case else list(protocol.codes)
    with progress_bar(f"preparing {counted(len(codes), 'case')}") as progress:
        found = prepare_cases(protocol, codes, cases.prepare, progress)
    for line, of in found.remarks.items():
        print(f"her2map: note on {listed(of)}: {line}", file=sys.stderr)
    if found.problems:
        raise InputError("\n".join(f"case {code}: {problem}" for code, problem in found.problems))
    print("prepared:", ", ".join(codes) if len(codes) < 10 else f"all {len(codes)} cases")
