"""Setting up a study: codes for a folder of exams, and whether all that the protocol names is there."""

import json
import os
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..files import output_folder, write_text
from ..pathology_table import read_pathology
from ..progress import Progress, no_progress, part_of
from ..score import load_card
from .prepared import PreparedCase, lacking, prepare_case
from .protocol import FILE, Case, Protocol, read_protocol


def exam_folders(parent: Path) -> list[Path]:
    """Every folder in `parent` whose name does not begin with a dot, by name; but for studies.

    Raises:
        InputError: `parent` is no folder, or has none.
    """
    try:
        folders = sorted(path.absolute() for path in parent.iterdir() if path.is_dir())
    except OSError as error:
        raise InputError(f"Cannot read the folder {parent} ({error.strerror}); check its path.") from None
    folders = [one for one in folders if not one.name.startswith(".") and not (one / FILE).exists()]
    if not folders:
        raise InputError(f"{parent} has no folder in it; give the folder that holds the exams.")
    return folders


def dealt(folders: Sequence[Path], chance: random.Random) -> list[Case]:
    """The folders under the codes C001 and on, shuffled; the letter keeps spreadsheets from cutting zeros."""
    shuffled = list(folders)
    chance.shuffle(shuffled)
    digits = max(3, len(str(len(shuffled))))
    return [Case(f"C{number:0{digits}}", folder) for number, folder in enumerate(shuffled, start=1)]


def new_study(
    folder: str | os.PathLike[str],
    title: str,
    cases: Sequence[Case],
    readers: Sequence[str],
    seed: int | None = None,
) -> Protocol:
    """Write the `study.toml` of a new study, to be completed by hand, and make its folders.

    Args:
        cases: with complete paths; one inside `folder` is written relative to it.
        seed: of the orders of reading; drawn where it is not given.

    Raises:
        InputError: there is a study in `folder`, it cannot be written to, or what is given makes no study.
    """
    place = output_folder(folder).absolute()
    path = place / FILE
    if path.exists():
        raise InputError(f"{place} holds a study already; edit its {FILE}, or choose another folder.")
    drawn = int.from_bytes(os.urandom(4)) % 1_000_000
    draft = Protocol(place, title, tuple(cases), tuple(readers), drawn if seed is None else seed)
    write_text(path, _as_text(draft))
    try:
        protocol = read_protocol(place)
    except InputError as mistakes:
        path.unlink()
        with suppress(OSError):  # it was there before, with something in it
            place.rmdir()
        told = (line.partition(": ")[2] for line in str(mistakes).splitlines())
        raise InputError("\n".join(f"This makes no study: {text}" for text in told)) from None
    output_folder(protocol.store("any").parent)
    return protocol


@dataclass(frozen=True)
class Preparation:
    """What came of preparing cases.

    Attributes:
        prepared: the codes of those that are in the cache now.
        problems: why another is not, or what a prepared one lacks: its code and a sentence, each.
        remarks: what is to be known of the exams, with the codes that it is said of.
    """

    prepared: tuple[str, ...]
    problems: tuple[tuple[str, str], ...]
    remarks: Mapping[str, tuple[str, ...]]


def prepare_cases(
    protocol: Protocol,
    codes: Sequence[str],
    prepare: Callable[[Protocol, str, Progress], PreparedCase] = prepare_case,
    progress: Progress = no_progress,
) -> Preparation:
    """Prepare cases one after the other; one that cannot be prepared does not stop the others.

    Args:
        prepare: :func:`~her2map.study.prepared.prepare_case`, or for phantoms
            :func:`~her2map.study.phantoms.prepare_phantom`.

    Raises:
        Cancelled: raised by `progress`; what was prepared by then stays.
    """
    prepared: list[str] = []
    problems: list[tuple[str, str]] = []
    remarks: dict[str, tuple[str, ...]] = {}
    for i, code in enumerate(codes):
        try:
            case = prepare(protocol, code, part_of(progress, i / len(codes), (i + 1) / len(codes)))
        except InputError as error:
            problems += [(code, line) for line in str(error).splitlines()]
            continue
        prepared.append(code)
        problems += [(code, f"{line}.") for line in lacking(protocol, case)]
        for line in case.facts["remarks"]:
            remarks[line] = (*remarks.get(line, ()), code)
    return Preparation(tuple(prepared), tuple(problems), remarks)


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


def _as_text(draft: Protocol) -> str:
    """A commented file that says all there is to choose."""
    case_lines = "".join(
        f"\n[[cases]]\ncode = {_quoted(case.code)}\n"
        f"folder = {_quoted(_shortest(case.folder, draft.folder))}\n"
        for case in draft.cases
    )
    return (
        _TEMPLATE.format(
            title=_quoted(draft.title),
            readers=_listed(draft.readers),
            repeats=draft.repeats,
            seed=draft.seed,
            interval=f"{draft.minimum_interval_hours:g}",
            hidden=_listed(draft.hidden),
            required=_listed(draft.required),
            spread=f"{draft.spread_limit:g}",
            training=draft.training,
        )
        + case_lines
    )


def _shortest(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)


def _quoted(text: str) -> str:
    """A TOML text: JSON writes the same, but for the one character that TOML wants escaped as well."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _listed(texts: Sequence[str]) -> str:
    return "[" + ", ".join(map(_quoted, texts)) + "]"


_TEMPLATE = """\
# The protocol of a HER2Map reader study. Lines that begin with # are remarks.
# Check it with `her2map study check` after every change.

title = {title}
readers = {readers}
# How often each reader reads each case, and the least time between two readings of one case.
repeats = {repeats}
minimum_interval_hours = {interval}
# The order of the readings follows from it; do not change it once reading has begun.
seed = {seed}

# What readers do not see. The first three must stay.
hidden = {hidden}
# A reading cannot be finished without these values.
required = {required}
# The coordinator is told of cases whose readings by one reader differ by more than this part of their median.
spread_limit = {spread}
# The pathology table, outside of this folder, so that readers need no access to it.
# pathology = "../pathology.csv"

[fit]
# "recommended" or "paper"; single options can be set beside it, such as minimum_snr = 5.0
preset = "recommended"
# Whether the ROI follows the motion between the DCE and each map.
registration = false

[score]
# A model card in place of the one that ships.
# card = "card.json"
# Whether readers see the score of what they draw. It tells them what is to be found out: leave it at false
# unless the study is about reading with the score.
show_to_readers = false

[training]
# Digital breasts of known truth.
cases = {training.cases}
repeats = {training.repeats}
size = "{training.size}"
seed = {training.seed}

# Uncomment to open the study only to readers whose training reached it: "wcv" at most, "icc" at least, limit.
# [gate]
# statistic = "wcv"
# limit = 0.05
# parameters = ["T1_post", "T2star"]

# The exams. A code is all that readers see of a case; add cases at the end. Where the program takes a series
# for the wrong one, say what it is by its key in the list of `her2map series`: roles = ["7=T2", "9=none"]
"""
