"""Fitted maps as files: NIfTI with BIDS names and side-cars, written by `fit` and read by `measure`.

BIDS gives relaxation times in seconds, so ``T1map``, ``T2map`` and ``T2starmap`` are in seconds on disk and
in ms in memory; ``TB1map`` is relative (1 = nominal). Quality maps carry a ``desc-`` entity. The summary
names every file of the fit with its SHA-256, so that maps of two fits are never taken for one.
"""

import gzip
import hashlib
import json
import os
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import __version__
from .errors import InputError
from .exam import Exam
from .fitting import FittedMap
from .geometry import Geometry
from .relaxometry import ParameterMap, Status
from .series.nifti import load_nibabel
from .summary import exam_facts, map_facts

SUMMARY = "summary.json"

_SECONDS = {"ms": 1e-3, "1": 1.0}


@dataclass(frozen=True)
class BidsName:
    """Which file a biomarker's map is: ``sub-<case>[_<entity>]_<suffix>.nii.gz``."""

    suffix: str
    entity: str = ""

    def stem(self, case: str, description: str = "") -> str:
        """The file name without its extension."""
        parts = [f"sub-{case}", self.entity, f"desc-{description}" if description else "", self.suffix]
        return "_".join(part for part in parts if part)


NAMES = {
    "T1_pre": BidsName("T1map"),
    "T1_post": BidsName("T1map", "ce-contrast"),
    "T2": BidsName("T2map"),
    "T2star": BidsName("T2starmap"),
    "B1": BidsName("TB1map"),
}
_FIELDS = {
    "value": "",
    "standard_error": "standarderror",
    "r_squared": "rsquared",
    "status": "status",
    "m0": "amplitude",
}
"""The `desc-` entity of each array of a map."""


def write_fit(
    folder: Path, case: str, exam: Exam, preset: str, maps: Mapping[str, FittedMap]
) -> dict[str, Any]:
    """Write every map with its quality maps and side-car, and the summary, which is returned.

    All is written beside the final place first; an earlier fit of the same case is replaced at the end.

    Args:
        case: the subject label of the files' names; not the patient's.
        preset: the name under which the fit options are known.

    Raises:
        InputError: `case` is no BIDS label, the folder holds another case, a file cannot be written, or
            nibabel is not installed.
    """
    if not (case.isascii() and case.isalnum()):
        raise InputError(f"The case '{case}' must be letters and digits only, as BIDS file names want it.")
    earlier = _earlier_files(folder, case)
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".her2map-") as name:
            part = Path(name)
            for biomarker, fitted in maps.items():
                _write_map(part, case, biomarker, fitted)
            written = {path.name: _sha256(path.read_bytes()) for path in sorted(part.iterdir())}
            summary = {
                "software": f"HER2Map {__version__}",
                "case": case,
                "preset": preset,
                "maps": {biomarker: map_facts(fitted) for biomarker, fitted in maps.items()},
                **exam_facts(exam),
                "files": written,
            }
            (part / SUMMARY).write_text(
                json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8"
            )
            for file in (*written, SUMMARY):
                _to_disk(part / file)
                (part / file).replace(folder / file)
            for stale in earlier - written.keys():
                (folder / stale).unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(
            f"Cannot write the maps to {folder} ({reason}); free space or choose another."
        ) from None
    return summary


def _earlier_files(folder: Path, case: str) -> set[str]:
    """The files of an earlier fit of the same case."""
    if not (folder / SUMMARY).exists():
        return set()
    summary = read_summary(folder)
    if summary["case"] != case:
        raise InputError(
            f"{folder} holds the maps of case '{summary['case']}'; choose another output folder."
        )
    return set(summary["files"])


def read_summary(folder: Path) -> dict[str, Any]:
    """The summary that :func:`write_fit` left in `folder`.

    Raises:
        InputError: there is none, or it is damaged.
    """
    path = folder / SUMMARY
    if not path.is_file():
        raise InputError(f"{folder} holds no maps; run `her2map fit EXAM --output {folder}` first.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content["case"], str) and content["maps"].keys() <= NAMES.keys():
            for name, digest in content["files"].items():
                if Path(name).name != name or not isinstance(digest, str):
                    raise ValueError
            return dict(content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    raise InputError(f"{path} is damaged; fit the exam again.")


def roi_thickness(summary: Mapping[str, Any]) -> float | None:
    """The DCE slice thickness in mm that a summary tells, for ROIs that state none."""
    dce = summary.get("dce")
    thickness = dce.get("slice_thickness_mm") if isinstance(dce, dict) else None
    return float(thickness) if isinstance(thickness, (int, float)) else None


def read_maps(folder: Path) -> dict[str, tuple[ParameterMap, Geometry]]:
    """The maps of the summary in `folder`, by biomarker.

    Raises:
        InputError: there is no fit in the folder, or a file of it is missing, damaged or of another fit.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}; give the output folder of `her2map fit`.")
    summary = read_summary(folder)
    return {biomarker: _read_map(folder, summary, biomarker) for biomarker in summary["maps"]}


def _write_map(folder: Path, case: str, biomarker: str, fitted: FittedMap) -> None:
    name, scale = NAMES[biomarker], _SECONDS[fitted.map.unit]
    for field, description in _FIELDS.items():
        values = getattr(fitted.map, field)
        if field in ("value", "standard_error"):
            values = values * values.dtype.type(scale)
        _write_nifti(folder / f"{name.stem(case, description)}.nii.gz", values, fitted.geometry)
    side_car = {
        "Units": "s" if fitted.map.unit == "ms" else "arbitrary",
        "EstimationAlgorithm": fitted.map.method,
        "EstimationSoftwareName": "HER2Map",
        "EstimationSoftwareVersion": __version__,
        "HER2MapBiomarker": biomarker,
        "HER2MapStatus": {status.name: int(status) for status in Status},
        "HER2MapFit": map_facts(fitted),
    }
    text = json.dumps(side_car, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    (folder / f"{name.stem(case)}.json").write_text(text, encoding="utf-8")


def _read_map(folder: Path, summary: dict[str, Any], biomarker: str) -> tuple[ParameterMap, Geometry]:
    facts, grid = summary["maps"][biomarker], None
    arrays: dict[str, Any] = {}
    try:
        scale = _SECONDS[facts["unit"]]
        for field, description in _FIELDS.items():
            file = f"{NAMES[biomarker].stem(summary['case'], description)}.nii.gz"
            arrays[field], here = _read_nifti(folder / file, summary["files"][file])
            grid = grid or here
            if not here.matches(grid):
                raise InputError(f"{folder / file} lies on another grid than its map; fit the exam again.")
        arrays["value"], arrays["standard_error"] = arrays["value"] / scale, arrays["standard_error"] / scale
        texts: dict[str, Any] = {name: str(facts[name]) for name in ("quantity", "unit", "method")}
        fitted = ParameterMap(**arrays, **texts, notes=tuple(facts["notes"]))
    except (KeyError, TypeError):
        raise InputError(f"{folder / SUMMARY} lacks a field of {biomarker}; fit the exam again.") from None
    assert grid is not None  # there are fields
    return fitted, grid


def _write_nifti(path: Path, values: NDArray[Any], geometry: Geometry) -> None:
    nibabel = load_nibabel()
    # NIfTI counts columns first, our arrays slices first.
    image = nibabel.Nifti1Image(np.ascontiguousarray(values.T), geometry.affine)
    image.header.set_xyzt_units("mm")
    image.set_qform(geometry.affine, code=1)
    image.set_sform(geometry.affine, code=1)
    nibabel.save(image, path)


def _read_nifti(path: Path, digest: str) -> tuple[NDArray[Any], Geometry]:
    nibabel = load_nibabel()
    try:
        content = path.read_bytes()
        if _sha256(content) != digest:
            raise InputError(f"{path} was changed or belongs to another fit; fit the exam again.")
        image = nibabel.Nifti1Image.from_bytes(gzip.decompress(content))
        values = np.asanyarray(image.dataobj).T
    except (OSError, EOFError, zlib.error, nibabel.filebasedimages.ImageFileError):
        raise InputError(f"{path} is missing or damaged; fit the exam again.") from None
    return values, Geometry(values.shape, np.asarray(image.affine, np.float64))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _to_disk(path: Path) -> None:
    with path.open("rb") as written:
        os.fsync(written.fileno())
