"""`her2map study new`, `check` and `prepare`: what the coordinator does before the reading."""

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError
from ..pathology_table import read_pathology
from ..progress import part_of
from ..score import load_card
from ..study.prepared import prepare_case
from ..study.protocol import FILE, Case, Protocol, new_study, read_protocol
from .common import declare, progress_bar
from .study import folder_argument


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


def _new(options: argparse.Namespace) -> None:
    cases = dealt(exam_folders(options.cases), random.Random(options.seed))
    protocol = new_study(options.folder, options.title, cases, options.reader)
    print(
        f"{protocol.folder / FILE}: {len(protocol.cases)} cases, {len(protocol.readers)} readers, "
        f"{protocol.repeats} repeats.\nEdit it, then run `her2map study check {options.folder}` and "
        f"`her2map study prepare {options.folder}`."
    )


def exam_folders(parent: Path) -> list[Path]:
    """Every folder in `parent` whose name does not begin with a dot, by name.

    Raises:
        InputError: `parent` is no folder, or has none.
    """
    try:
        folders = sorted(path.absolute() for path in parent.iterdir() if path.is_dir())
    except OSError as error:
        raise InputError(f"Cannot read the folder {parent} ({error.strerror}); check --cases.") from None
    folders = [folder for folder in folders if not folder.name.startswith(".")]
    if not folders:
        raise InputError(f"{parent} has no folder in it; --cases wants the folder that holds the exams.")
    return folders


def dealt(folders: Sequence[Path], chance: random.Random) -> list[Case]:
    """The folders under the codes C001 and on, shuffled; the letter keeps spreadsheets from cutting zeros."""
    shuffled = list(folders)
    chance.shuffle(shuffled)
    digits = max(3, len(str(len(shuffled))))
    return [Case(f"C{number:0{digits}}", folder) for number, folder in enumerate(shuffled, start=1)]


def _check(options: argparse.Namespace) -> None:
    protocol = read_protocol(options.folder)
    mistakes = [*_missing_exams(protocol), *_mistakes_beside(protocol)]
    if mistakes:
        raise InputError("\n".join(mistakes))
    readers = ", ".join(protocol.readers)
    print(
        f"{protocol.title}: {len(protocol.cases)} cases, readers {readers}, {protocol.repeats} repeats at "
        f"least {protocol.minimum_interval_hours:g} hours apart. All is there."
    )


def _missing_exams(protocol: Protocol) -> list[str]:
    return [
        f"case {case.code}: there is no exam in {case.folder}; correct its folder in {FILE}."
        for case in protocol.cases
        if not case.folder.is_dir() or next(case.folder.iterdir(), None) is None
    ]


def _mistakes_beside(protocol: Protocol) -> list[str]:
    """Of the pathology table and the score card."""
    found: list[str] = []
    try:
        if protocol.score_card:
            load_card(protocol.score_card)
    except InputError as error:
        found.append(str(error))
    try:
        table = read_pathology(protocol.pathology) if protocol.pathology else None
    except InputError as error:
        return [*found, *str(error).splitlines()]
    if table is not None:
        known = {case.case.casefold() for case in table.cases}
        found += [
            f"{table.name} has no line of case {code}; add one, or correct its code."
            for code in protocol.codes
            if code.casefold() not in known
        ]
    return found


def _prepare(options: argparse.Namespace) -> None:
    protocol = read_protocol(options.folder)
    codes = [protocol.case(options.case).code] if options.case else list(protocol.codes)
    problems = []
    with progress_bar(f"preparing {len(codes)} case{'s' * (len(codes) > 1)}") as progress:
        for i, code in enumerate(codes):
            step = part_of(progress, i / len(codes), (i + 1) / len(codes))
            try:
                prepare_case(protocol, code, step)
            except InputError as error:  # the others can be prepared all the same
                problems += [f"case {code}: {line}" for line in str(error).splitlines()]
    if problems:
        raise InputError("\n".join(problems))
    print("prepared:", ", ".join(codes) if len(codes) < 10 else f"all {len(codes)} cases")
