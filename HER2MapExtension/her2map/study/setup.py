"""Setting up a study: codes for a folder of exams, and whether all that the protocol names is there."""

import random
from collections.abc import Sequence
from pathlib import Path

from ..errors import InputError
from ..pathology_table import read_pathology
from ..score import load_card
from .protocol import FILE, Case, Protocol


def exam_folders(parent: Path) -> list[Path]:
    """Every folder in `parent` whose name does not begin with a dot, by name.

    Raises:
        InputError: `parent` is no folder, or has none.
    """
    try:
        folders = sorted(path.absolute() for path in parent.iterdir() if path.is_dir())
    except OSError as error:
        raise InputError(f"Cannot read the folder {parent} ({error.strerror}); check its path.") from None
    folders = [folder for folder in folders if not folder.name.startswith(".")]
    if not folders:
        raise InputError(f"{parent} has no folder in it; give the folder that holds the exams.")
    return folders


def dealt(folders: Sequence[Path], chance: random.Random) -> list[Case]:
    """The folders under the codes C001 and on, shuffled; the letter keeps spreadsheets from cutting zeros."""
    shuffled = list(folders)
    chance.shuffle(shuffled)
    digits = max(3, len(str(len(shuffled))))
    return [Case(f"C{number:0{digits}}", folder) for number, folder in enumerate(shuffled, start=1)]


def study_mistakes(protocol: Protocol) -> list[str]:
    """What is lacking or wrong beside `study.toml`: exams, pathology table, score card; a sentence each."""
    return [*_missing_exams(protocol), *_mistakes_beside(protocol)]


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
