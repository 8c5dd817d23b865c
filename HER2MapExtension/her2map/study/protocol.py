"""The study's protocol: `study.toml`, written and read by people, checked to the line."""

import hashlib
import os
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from ..biomarkers import MEASURED
from ..errors import InputError
from ..fitting import PRESETS, FitOptions
from .blinding import HIDEABLE, PERSONAL
from .checked_table import CheckedTable, is_name
from .order import Slot
from .toml_lines import line_of

FILE = "study.toml"
_LONGEST_INTERVAL_HOURS = 100_000
SIZES = ("small", "standard", "clinical")
STATISTICS = ("wcv", "icc")
VFA_METHODS = ("nonlinear", "linear", "weighted")
T2STAR_METHODS = ("rician", "least_squares", "loglinear")
T2_METHODS = (*T2STAR_METHODS, "epg")


@dataclass(frozen=True)
class Case:
    """An exam under its study code.

    Attributes:
        code: it tells nothing.
        folder: of the exam; its name may be a patient's.
        roles: what single series are, in place of the proposals, as :func:`~her2map.exam.with_role` takes it.
    """

    code: str
    folder: Path
    roles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Training:
    """Digital breasts of known truth, on which a reader learns.

    Attributes:
        cases, repeats: how many phantoms, and how often each is read.
        size: of the phantoms, "small", "standard" or "clinical".
        seed: from which they are drawn.
    """

    cases: int = 4
    repeats: int = 2
    size: str = "standard"
    seed: int = 1


@dataclass(frozen=True)
class Gate:
    """What a reader's training must reach before the study opens to him.

    Attributes:
        statistic: "wcv", the within-case coefficient of variation, at most `limit`; or "icc", ICC(2,1) of the
            repeats, at least `limit`.
        limit: as a fraction.
        parameters: each must reach it.
    """

    statistic: str
    limit: float
    parameters: tuple[str, ...]


@dataclass(frozen=True)
class Protocol:
    """What `study.toml` says, with all paths complete. Only the coordinator's functions see all of it.

    Attributes:
        folder: of the study.
        cases, readers: in the order of the file.
        repeats: how often each reader reads each case.
        seed: from which every reader's order follows.
        minimum_interval_hours: between two readings of one case by one reader.
        hidden: of :data:`~her2map.study.blinding.HIDEABLE`, what readers do not see.
        preset, fit: how maps are fitted: the preset's name, and its options with the file's changes.
        registration: whether the ROI is carried over along the motion found between DCE and map.
        required: biomarkers without which a reading cannot be finished.
        spread_limit: largest difference of a case's repeats, over their median, that is not pointed out.
        pathology: the table of the coordinator; outside the study's folder.
        score_card: a model card; None for the one that ships.
        show_to_readers: whether readers see the score of what they draw.
        sha256: of `study.toml`, written into every reading.
    """

    folder: Path
    title: str
    cases: tuple[Case, ...]
    readers: tuple[str, ...]
    seed: int
    repeats: int = 3
    minimum_interval_hours: float = 24.0
    hidden: tuple[str, ...] = tuple(HIDEABLE)
    preset: str = "recommended"
    fit: FitOptions = PRESETS["recommended"]
    registration: bool = False
    required: tuple[str, ...] = MEASURED
    spread_limit: float = 0.15
    pathology: Path | None = None
    score_card: Path | None = None
    show_to_readers: bool = False
    sha256: str = ""
    training: Training = Training()
    gate: Gate | None = None

    @property
    def codes(self) -> tuple[str, ...]:
        """Of all cases."""
        return tuple(case.code for case in self.cases)

    @property
    def slots(self) -> frozenset[Slot]:
        """Every reading that a reader is asked for."""
        return frozenset(Slot(code, repeat) for code in self.codes for repeat in range(1, self.repeats + 1))

    @property
    def cache(self) -> Path:
        """Where prepared cases lie; all in it can be made again."""
        return self.folder / "cache"

    def store(self, reader: str) -> Path:
        """Where the readings of `reader` lie."""
        return self.folder / "readings" / f"{reader}.sqlite"

    def case(self, code: str) -> Case:
        """The case of a code.

        Raises:
            InputError: the study has no such case.
        """
        found = next((case for case in self.cases if case.code == code), None)
        if found is None:
            raise InputError(f"The study has no case '{code}'; its codes are in {FILE}.")
        return found


def read_protocol(folder: str | os.PathLike[str]) -> Protocol:
    """The protocol of the study in `folder`.

    Raises:
        InputError: there is none, or it has mistakes: one sentence each, with its line.
    """
    path = Path(folder).absolute() / FILE
    text = _text(path)
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path} is no TOML: {error}.") from None
    table = CheckedTable(content)
    protocol = _protocol(table, path.parent)
    if table.mistakes:
        found = sorted((line_of(text, mistake.path), mistake.text) for mistake in table.mistakes)
        raise InputError("\n".join(f"{path} line {line}: {text}." for line, text in dict.fromkeys(found)))
    return replace(protocol, sha256=hashlib.sha256(text.encode()).hexdigest())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError(
            f"There is no study in {path.parent}: it has no {FILE}; make one with `her2map study new`."
        ) from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text; save it as UTF-8.") from None
    except OSError as error:
        raise InputError(f"Cannot read {path} ({error.strerror}).") from None


def _protocol(table: CheckedTable, folder: Path) -> Protocol:
    cases = _cases(table, folder)
    readers = _readers(table)
    preset, fit, registration = _fit(table.table("fit"))
    card, show_to_readers = _score(table.table("score"), folder)
    protocol = Protocol(
        folder=folder,
        title=table.text("title"),
        cases=cases,
        readers=readers,
        repeats=table.whole("repeats", 3, 1, 20),
        seed=table.whole("seed", 0, 0),
        minimum_interval_hours=table.number("minimum_interval_hours", 24.0, 0.0, _LONGEST_INTERVAL_HOURS),
        hidden=_hidden(table),
        preset=preset,
        fit=fit,
        registration=registration,
        required=table.names("required", MEASURED, MEASURED),
        spread_limit=table.number("spread_limit", 0.15, 0.0),
        pathology=_pathology(table, folder),
        score_card=card,
        show_to_readers=show_to_readers,
        training=_training(table.table("training")),
        gate=_gate(table.table("gate")),
    )
    table.end()
    return protocol


def _cases(table: CheckedTable, folder: Path) -> tuple[Case, ...]:
    cases: list[Case] = []
    for entry in table.tables("cases"):
        case = Case(entry.text("code"), _path(folder, entry.text("folder")), entry.names("roles", ()))
        entry.end()
        if case.code and not is_name(case.code):
            entry.mistake("code", f"the code '{case.code}' must be letters, digits, - and _, at most 32")
        if case.code.casefold() in {other.code.casefold() for other in cases}:
            entry.mistake("code", f"the code '{case.code}' is given twice")
        if any(os.path.normcase(case.folder) == os.path.normcase(other.folder) for other in cases):
            entry.mistake("folder", f"the case '{case.code}' has the folder of another case")
        cases.append(case)
    if not cases and not table.mistakes:
        table.mistake(None, "there are no cases; write [[cases]] with a code and a folder for each")
    return tuple(cases)


def _readers(table: CheckedTable) -> tuple[str, ...]:
    readers = table.names("readers")
    for reader in readers:
        if not is_name(reader):
            table.mistake("readers", f"the reader '{reader}' must be letters, digits, - and _, at most 32")
    if "readers" in table.content and not readers:
        table.mistake("readers", "readers is empty; name at least one")
    return readers


def _hidden(table: CheckedTable) -> tuple[str, ...]:
    hidden = table.names("hidden", tuple(HIDEABLE), tuple(HIDEABLE))
    open_ones = [name for name in PERSONAL if name not in hidden]
    if open_ones and "hidden" in table.content:
        table.mistake("hidden", f"hidden must have {', '.join(open_ones)}: no reader may see them")
    return hidden


def _pathology(table: CheckedTable, folder: Path) -> Path | None:
    text = table.text("pathology", "")
    if not text:
        return None
    path = _path(folder, text)
    if path.is_relative_to(folder):
        table.mistake(
            "pathology", "the pathology table must lie outside the study's folder, away from readers"
        )
    return path


def _fit(table: CheckedTable | None) -> tuple[str, FitOptions, bool]:
    table = table or CheckedTable({})
    name = table.text("preset", "recommended", tuple(PRESETS))
    options = PRESETS[name]
    changed = replace(
        options,
        vfa_method=table.text("vfa_method", options.vfa_method, VFA_METHODS),
        t2_method=table.text("t2_method", options.t2_method, T2_METHODS),
        t2_first_echo=table.whole("t2_first_echo", options.t2_first_echo, 0, 4),
        t2star_method=table.text("t2star_method", options.t2star_method, T2STAR_METHODS),
        minimum_snr=table.number("minimum_snr", options.minimum_snr, 0.0, 100.0),
        map_unit=table.text("map_unit", options.map_unit, ("ms", "s")),
        bloch_siegert=table.pair("bloch_siegert"),
    )
    registration = table.yes("registration", False)
    table.end()
    return name, changed, registration


def _score(table: CheckedTable | None, folder: Path) -> tuple[Path | None, bool]:
    table = table or CheckedTable({})
    card = table.text("card", "")
    show_to_readers = table.yes("show_to_readers", False)
    table.end()
    return (_path(folder, card) if card else None), show_to_readers


def _training(table: CheckedTable | None) -> Training:
    table, usual = table or CheckedTable({}), Training()
    training = Training(
        cases=table.whole("cases", usual.cases, 1, 50),
        repeats=table.whole("repeats", usual.repeats, 1, 20),
        size=table.text("size", usual.size, SIZES),
        seed=table.whole("seed", usual.seed, 0),
    )
    table.end()
    return training


def _gate(table: CheckedTable | None) -> Gate | None:
    if table is None:
        return None
    gate = Gate(
        statistic=table.text("statistic", None, STATISTICS),
        limit=table.number("limit", 0.0, 0.0, 1.0),
        parameters=table.names("parameters", MEASURED, MEASURED),
    )
    if "limit" not in table.content:
        table.mistake("limit", "limit is missing; a wCV is at most, an ICC at least this fraction")
    table.end()
    return gate


def _path(folder: Path, text: str) -> Path:
    return Path(os.path.normpath(folder / Path(text).expanduser()))
