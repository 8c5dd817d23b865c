"""Fitted maps as files: NIfTI with BIDS names and side-cars, written by `fit` and read by `measure`.

BIDS gives relaxation times in seconds, so ``T1map``, ``T2map`` and ``T2starmap`` are in seconds on disk and
in ms in memory; ``TB1map`` is relative (1 = nominal). Quality maps carry a ``desc-`` entity.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

from . import __version__
from .errors import InputError
from .exam import Exam
from .files import replacing, write_json
from .fitting import FittedMap
from .geometry import Geometry
from .registration import Motion
from .relaxometry import ParameterMap, Status
from .series import choose_phase

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
_QUALITY = {"standard_error": "standarderror", "r_squared": "rsquared", "status": "status", "m0": "amplitude"}


def write_fit(
    folder: Path, case: str, exam: Exam, preset: str, maps: Mapping[str, FittedMap]
) -> dict[str, Any]:
    """Write every map, its quality maps and side-car, and last the summary, which is returned.

    Args:
        case: the subject label of the files' names; not the patient's.
        preset: the name under which the fit options are known.

    Raises:
        InputError: `case` is no BIDS label, or a file cannot be written.
    """
    if not (case.isascii() and case.isalnum()):
        raise InputError(f"The case '{case}' must be letters and digits only, as BIDS file names want it.")
    for biomarker, fitted in maps.items():
        _write_map(folder, NAMES[biomarker], case, biomarker, fitted)
    summary = {
        "software": f"HER2Map {__version__}",
        "case": case,
        "preset": preset,
        "maps": {biomarker: map_facts(fitted) for biomarker, fitted in maps.items()},
        **exam_facts(exam),
    }
    write_json(folder / SUMMARY, summary)
    return summary


def exam_facts(exam: Exam) -> dict[str, Any]:
    """What is known of the exam besides its maps: series and roles, DCE times, what was skipped."""
    return {
        "series": [
            {
                "number": a.series.number,
                "description": a.series.description,
                "role": a.role.value,
                "technique": a.technique.value,
                "reason": a.reason,
                "missing": list(a.missing),
                "problems": list(a.series.problems),
            }
            for a in exam.assignments
        ],
        "dce": _dce_facts(exam),
        "t1_post_delay_s": _delay(exam),
        "skipped_files": list(exam.skipped),
        "notes": list(exam.notes),
    }


def _delay(exam: Exam) -> float | None:
    try:
        found = exam.t1_post_delay
    except InputError:  # said where the times are: in "dce"
        return None
    return found.delay_s if found else None


def _dce_facts(exam: Exam) -> dict[str, Any] | None:
    try:
        dce = exam.dce
        if dce is None:
            return None
        phase = choose_phase(dce)
    except InputError as problem:  # maps can be fitted and measured without it
        return {"problem": str(problem)}
    return {
        "slice_thickness_mm": dce.slice_thickness_mm if dce.slice_thickness_mm > 0 else None,
        "phases": len(dce.data),
        "roi_phase": phase.index,
        "roi_phase_after_injection_s": phase.after_injection_s
        if math.isfinite(phase.after_injection_s)
        else None,
        "reason": phase.reason,
    }


def map_facts(fitted: FittedMap) -> dict[str, Any]:
    """What is known of a fit besides its maps: method, sources, share of voxels by status, motion."""
    return {
        "quantity": fitted.map.quantity,
        "unit": fitted.map.unit,
        "method": fitted.map.method,
        "technique": fitted.technique.value,
        "sources": list(fitted.sources),
        "notes": list(fitted.map.notes),
        "status_shares": {status.name: fitted.map.fraction(status) for status in list(Status)[1:]},
        "noise_sd": None if math.isnan(fitted.noise_sd) else fitted.noise_sd,
        "motion": [_motion_facts(motion) for motion in fitted.motions],
    }


def _motion_facts(motion: Motion) -> dict[str, Any]:
    return {
        "translation_mm": motion.translation_mm.tolist(),
        "rotation_deg": motion.rotation_deg.tolist(),
        "used": motion.used,
        "reason": motion.reason,
    }


def read_summary(folder: Path) -> dict[str, Any]:
    """The summary that :func:`write_fit` left in `folder`.

    Raises:
        InputError: there is none, or it is damaged.
    """
    path = folder / SUMMARY
    if not path.is_file():
        raise InputError(f"{folder} holds no {SUMMARY}; run `her2map fit EXAM --output {folder}` first.")
    return _read_json(path)


def _write_map(folder: Path, name: BidsName, case: str, biomarker: str, fitted: FittedMap) -> None:
    scale = _SECONDS[fitted.map.unit]
    for field, description in _QUALITY.items():
        values = getattr(fitted.map, field)
        values = values * values.dtype.type(scale) if field == "standard_error" else values
        _write_nifti(folder / f"{name.stem(case, description)}.nii.gz", values, fitted.geometry)
    _write_nifti(
        folder / f"{name.stem(case)}.nii.gz",
        fitted.map.value * fitted.map.value.dtype.type(scale),
        fitted.geometry,
    )
    write_json(
        folder / f"{name.stem(case)}.json",
        {
            "Units": "s" if fitted.map.unit == "ms" else "arbitrary",
            "EstimationAlgorithm": fitted.map.method,
            "EstimationSoftwareName": "HER2Map",
            "EstimationSoftwareVersion": __version__,
            "HER2MapBiomarker": biomarker,
            "HER2MapStatus": {status.name: int(status) for status in Status},
            "HER2MapFit": map_facts(fitted),
        },
    )


def read_maps(folder: Path) -> dict[str, tuple[ParameterMap, Geometry]]:
    """The maps that :func:`write_map` wrote into `folder`, by biomarker.

    Raises:
        InputError: there is no map in the folder, or a file of one is missing or damaged.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}; give the output folder of `her2map fit`.")
    found = {}
    for sidecar in sorted(folder.glob("sub-*map.json")):
        facts = _read_json(sidecar)
        if "HER2MapBiomarker" in facts:
            found[facts["HER2MapBiomarker"]] = _read_map(sidecar, facts)
    if not found:
        raise InputError(f"{folder} holds no maps; run `her2map fit EXAM --output {folder}` first.")
    return found


def _read_map(sidecar: Path, facts: dict[str, Any]) -> tuple[ParameterMap, Geometry]:
    stem, suffix = sidecar.stem.rsplit("_", 1)
    value, geometry = _read_nifti(sidecar.with_suffix(".nii.gz"))
    quality = {
        field: _read_nifti(sidecar.with_name(f"{stem}_desc-{description}_{suffix}.nii.gz"))[0]
        for field, description in _QUALITY.items()
    }
    try:
        fit = facts["HER2MapFit"]
        scale = _SECONDS[fit["unit"]]
        quality["standard_error"] = quality["standard_error"] / scale
        return ParameterMap(
            value=value / scale,
            **quality,
            quantity=fit["quantity"],
            unit=fit["unit"],
            method=fit["method"],
            notes=tuple(fit["notes"]),
        ), geometry
    except (KeyError, TypeError):
        raise InputError(f"The side-car {sidecar} lacks a field of HER2Map; fit the exam again.") from None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(f"{path} is damaged; fit the exam again.") from None
    if not isinstance(content, dict):
        raise InputError(f"{path} holds no JSON object; fit the exam again.")
    return content


def _write_nifti(path: Path, values: NDArray[Any], geometry: Geometry) -> None:
    # NIfTI counts columns first, our arrays slices first.
    image = nibabel.Nifti1Image(np.ascontiguousarray(values.T), geometry.affine)
    image.header.set_xyzt_units("mm")
    with replacing(path) as temporary:
        nibabel.save(image, temporary)


def _read_nifti(path: Path) -> tuple[NDArray[Any], Geometry]:
    try:
        image = nibabel.Nifti1Image.from_filename(path)
        values = np.asanyarray(image.dataobj).T
    except (OSError, ValueError, EOFError, nibabel.filebasedimages.ImageFileError):
        raise InputError(f"{path} is missing or damaged; fit the exam again.") from None
    return values, Geometry(values.shape, np.asarray(image.affine, np.float64))
