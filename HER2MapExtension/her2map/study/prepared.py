"""A case as a reader gets it: the DCE phases and the maps, without name, file or date.

It is made once from the exam's files and kept in the study's cache, one file a case, named by the hash of
what it follows from: pixels, fit settings and version. The file is an uncompressed .npz, whose parts carry a
CRC-32.
"""

import hashlib
import json
import os
import time
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import __version__
from ..errors import InputError
from ..exam import MAP_ROLES, Exam, fit_exam, read_exam_as, register_maps
from ..files import output_folder, replacing, write_json
from ..fitting import FittedMap
from ..geometry import Geometry
from ..progress import Progress, no_progress, part_of
from ..relaxometry import ParameterMap
from ..series import DceSeries, Role, choose_phase
from ..summary import exam_facts, map_facts
from .blinding import HIDEABLE, blinded, header_fields
from .protocol import Protocol

_LAYERS = ("value", "standard_error", "r_squared", "status")
_LEFT_OVER_S = 24 * 3600
"""A half-written file so old is of a process that ended."""


@dataclass(frozen=True, eq=False)
class PreparedCase:
    """What a reader sees of a case.

    Attributes:
        code: the study's.
        dce: all phases.
        maps: by biomarker, with their grids; `m0` is not kept, the values stand for it.
        placements: by biomarker, the motion (4, 4) that takes RAS points of the DCE to the map's; empty where
            the study wants no registration.
        facts: as :func:`~her2map.summary.exam_facts`, and "maps" as :func:`~her2map.summary.map_facts`;
            series are called by their role.
        shown: the header fields that the study does not hide.
        pixels_sha256: of all images that the maps and the DCE come from.
    """

    code: str
    dce: DceSeries
    maps: Mapping[str, tuple[ParameterMap, Geometry]]
    placements: Mapping[str, NDArray[np.float64]]
    facts: Mapping[str, Any]
    shown: Mapping[str, str]
    pixels_sha256: str


def prepare_case(protocol: Protocol, code: str, progress: Progress = no_progress) -> PreparedCase:
    """Read and fit the exam of a case, unless the cache has it; the result is in the cache then.

    Raises:
        InputError: the exam cannot be read or fitted, has no DCE, or the cache cannot be written.
        Cancelled: raised by `progress`.
    """
    found = cached_case(protocol, code)
    if found is not None:
        return found
    folder, roles = protocol.case(code).folder, protocol.case(code).roles
    listing = _listing(folder)
    exam = read_exam_as(folder, roles, part_of(progress, 0.0, 0.15))
    digest = pixels_sha256(exam)
    path = _path(protocol, code, digest)
    case = _read(path, code) or fit_case(protocol, code, exam, digest, part_of(progress, 0.15, 0.95))
    output_folder(protocol.cache)
    if not path.exists():
        _write(path, case)
    write_json(
        _pointer(protocol, code),
        {
            "listing": listing,
            "file": path.name,
            "settings": _settings(protocol, code),
            "lacking": lacking(protocol, case),
        },
    )
    _tidy(protocol.cache, code, path.name)
    progress(1.0)
    return case


def lacking(protocol: Protocol, case: PreparedCase) -> list[str]:
    """The maps without which a reading cannot be finished and that the case has not, a sentence each."""
    told = {name: [r for r in case.facts["remarks"] if name in r.split()] for name in protocol.required}
    return [
        f"it has no {name} map ({'; '.join(told[name]) or 'no series of it was found'})"
        for name in protocol.required
        if name not in case.maps
    ]


def known_lacking(protocol: Protocol, code: str) -> list[str]:
    """What :func:`lacking` said when the case was prepared; nothing where it was not."""
    if not is_prepared(protocol, code):
        return []
    return list(json.loads(_pointer(protocol, code).read_text(encoding="utf-8")).get("lacking", []))


def cached_case(protocol: Protocol, code: str) -> PreparedCase | None:
    """The case from the cache; None where it is not there, or the exam or the settings have changed."""
    path = _cached_file(protocol, code)
    return _read(path, code) if path else None


def is_prepared(protocol: Protocol, code: str) -> bool:
    """Whether the cache has the case, as far as can be told without reading it."""
    return _cached_file(protocol, code) is not None


def pixels_sha256(exam: Exam) -> str:
    """Of the series that the maps and the DCE come from: pixels, place and acquisition parameters."""
    digest = hashlib.sha256()
    for role in (*MAP_ROLES.values(), Role.DCE):
        for series in exam.group(role) or ():
            digest.update(f"{role.value} {series.data.shape}".encode())
            for name in ("data", "affine", "te_ms", "tr_ms", "ti_ms", "flip_angle_deg", "time_s", "channel"):
                digest.update(np.ascontiguousarray(getattr(series, name)).data)
    return digest.hexdigest()


def fit_case(
    protocol: Protocol, code: str, exam: Exam, digest: str, progress: Progress = no_progress
) -> PreparedCase:
    """Fit an exam as the study wants it, and leave out what readers do not see.

    Args:
        digest: of :func:`pixels_sha256`.

    Raises:
        InputError: the exam cannot be fitted, or has no DCE.
        Cancelled: raised by `progress`.
    """
    dce = exam.dce
    if dce is None:
        raise InputError(f"The exam of case {code} has no DCE series to draw on; check its folder.")
    maps = fit_exam(exam, protocol.fit, part_of(progress, 0.0, 0.7 if protocol.registration else 1.0))
    placements = {}
    if protocol.registration:
        motions = register_maps(maps, dce, choose_phase(dce).index, part_of(progress, 0.7, 1.0))
        placements = {name: motion.matrix for name, motion in motions.items()}
    plain = blinded(exam)
    pairs = zip(exam.assignments, plain.assignments, strict=True)
    names = {typed.series.description: called.series.description for typed, called in pairs}
    facts = {**exam_facts(plain), "maps": {name: _plain_facts(one, names) for name, one in maps.items()}}
    open_fields = [name for name in HIDEABLE if name not in protocol.hidden]
    return PreparedCase(
        code=code,
        dce=replace(dce, names="DCE series"),
        maps={name: (_small(fitted.map), fitted.geometry) for name, fitted in maps.items()},
        placements=placements,
        facts=facts,
        shown=header_fields(protocol.case(code).folder, open_fields),
        pixels_sha256=digest,
    )


def _plain_facts(fitted: FittedMap, names: Mapping[str, str]) -> dict[str, Any]:
    return map_facts(replace(fitted, sources=tuple(names[source] for source in fitted.sources)))


def _small(fitted: ParameterMap) -> ParameterMap:
    value = fitted.value.astype(np.float32, copy=False)
    return replace(
        fitted,
        value=value,
        standard_error=fitted.standard_error.astype(np.float32, copy=False),
        r_squared=fitted.r_squared.astype(np.float32, copy=False),
        m0=value,
    )


# The cache


def _settings(protocol: Protocol, code: str) -> str:
    """What the case follows from besides the exam's files."""
    roles, hidden = protocol.case(code).roles, sorted(protocol.hidden)
    text = json.dumps([__version__, asdict(protocol.fit), protocol.registration, roles, hidden])
    return hashlib.sha256(text.encode()).hexdigest()


def _path(protocol: Protocol, code: str, digest: str) -> Path:
    key = hashlib.sha256(f"{digest} {_settings(protocol, code)}".encode()).hexdigest()[:24]
    return protocol.cache / f"{code}.{key}.npz"


def _pointer(protocol: Protocol, code: str) -> Path:
    return protocol.cache / f"{code}.json"


def _cached_file(protocol: Protocol, code: str) -> Path | None:
    """The case's file, if its exam's folder and the study's settings are as they were when it was made."""
    try:
        known = json.loads(_pointer(protocol, code).read_text(encoding="utf-8"))
        path = protocol.cache / Path(known["file"]).name
        as_it_was = known["listing"] == _listing(protocol.case(code).folder)
        if as_it_was and known["settings"] == _settings(protocol, code) and path.is_file():
            return path
    except (OSError, ValueError, KeyError, TypeError):  # damaged, or of another version: made again
        pass
    return None


def _listing(folder: Path) -> str:
    """A hash of the files' names, sizes and times of change: quick to take, and no name can be read in it."""
    digest = hashlib.sha256()
    for place, folders, _ in os.walk(folder):
        folders.sort()
        with os.scandir(place) as entries:
            files = sorted((entry.name, entry.stat()) for entry in entries if not entry.is_dir())
        within = os.path.relpath(place, folder)
        told = "".join(f"{within}/{name} {facts.st_size} {facts.st_mtime_ns}\n" for name, facts in files)
        digest.update(told.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _tidy(cache: Path, code: str, keep: str) -> None:
    """Remove what the case had before, and what killed processes left half written."""
    for path in cache.glob(f"{code}.*.npz"):
        if path.name != keep:
            path.unlink(missing_ok=True)
    for path in cache.glob(".*.npz"):
        if time.time() - path.stat().st_mtime > _LEFT_OVER_S:
            path.unlink(missing_ok=True)


def _write(path: Path, case: PreparedCase) -> None:
    arrays: dict[str, Any] = {"dce": case.dce.data, "dce_affine": case.dce.affine, "time_s": case.dce.time_s}
    known = {name: v for name, v in vars(case.dce).items() if name not in ("data", "affine", "time_s")}
    texts = {}
    for name, (fitted, geometry) in case.maps.items():
        arrays |= {f"{name} {layer}": getattr(fitted, layer) for layer in _LAYERS}
        arrays[f"{name} affine"] = geometry.affine
        texts[name] = {key: getattr(fitted, key) for key in ("quantity", "unit", "method", "notes")}
    arrays |= {f"{name} placement": matrix for name, matrix in case.placements.items()}
    facts = {
        "dce": known, "maps": texts, "facts": case.facts, "shown": case.shown, "pixels": case.pixels_sha256
    }  # fmt: skip
    arrays["facts"] = np.frombuffer(json.dumps(facts).encode(), np.uint8)
    with replacing(path) as temporary:
        np.savez(temporary, allow_pickle=False, **arrays)


def _read(path: Path, code: str) -> PreparedCase | None:
    """The case as it was written; None where the file is missing or damaged."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        facts = json.loads(arrays["facts"].tobytes())
        dce = DceSeries(
            data=arrays["dce"], affine=arrays["dce_affine"], time_s=arrays["time_s"], **facts["dce"]
        )
        return PreparedCase(
            code=code,
            dce=dce,
            maps={name: _map(arrays, name, texts) for name, texts in facts["maps"].items()},
            placements={
                name: arrays[f"{name} placement"] for name in facts["maps"] if f"{name} placement" in arrays
            },
            facts=facts["facts"],
            shown=facts["shown"],
            pixels_sha256=facts["pixels"],
        )
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None


def _map(arrays: Mapping[str, Any], name: str, texts: Mapping[str, Any]) -> tuple[ParameterMap, Geometry]:
    layers = {layer: arrays[f"{name} {layer}"] for layer in _LAYERS}
    fitted = ParameterMap(m0=layers["value"], **layers, **{**texts, "notes": tuple(texts["notes"])})
    return fitted, Geometry(layers["value"].shape, arrays[f"{name} affine"])
