"""One case of the simulated cohort: raw signals, files, maps, and what the virtual readers read in them."""

import json
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from ..biomarkers import Biomarkers, from_values
from ..errors import InputError
from ..exam import Exam, fit_exam, measure_maps, read_exam
from ..markups import read_roi
from ..phantom import DICOM_FOLDER, ROI_FILE, TRUTH_FILE, ExamSettings, TumourSettings, write_exam
from ..roi import Roi
from ..series import Role
from ..study.prepared import PreparedCase, fit_case, pixels_sha256
from ..study.protocol import Protocol
from ..study.readings import Drawing, Points
from ..study.result import result_of
from .patients import Patient
from .readers import VirtualReader

Array = NDArray[np.float64]

CONFIDENCE = 4
_DRAWINGS = 20
"""How often a reader tries until a contour can be a ROI."""


@dataclass(frozen=True)
class SimulatedReading:
    """What one drawing gave: the content of a finished reading."""

    reader: str
    repeat: int
    result: Mapping[str, Any]


@dataclass(frozen=True)
class SimulatedCase:
    """A case with its readings, and its values after each step from the tumour to a reading.

    Attributes:
        patient: as drawn.
        drawn: the values drawn from the population.
        truth: the means over the true contour's volume in the phantom.
        fitted: the true contour's values on maps of an exam without noise; not of T2, by which no group
            differs, as half of the time would go into it.
        noisy: the same with noise, and T2.
        readings: of all readers.
    """

    patient: Patient
    drawn: Biomarkers
    truth: Biomarkers
    fitted: Biomarkers
    noisy: Biomarkers
    readings: tuple[SimulatedReading, ...]


def simulate_case(
    patient: Patient, protocol: Protocol, readers: Sequence[VirtualReader], size: str, seed: int
) -> SimulatedCase:
    """Simulate a patient's exam, write it as DICOM, read it back, fit it, and read it.

    It runs on one thread, so that its numbers do not depend on how many cases are simulated at once.

    Args:
        protocol: of the study that the readings are for.
        size: of the phantom: "small", "standard" or "clinical".
        seed: of the cohort.

    Raises:
        InputError: the temporary folder cannot be written to.
    """
    number, settings = _number(patient, seed), _settings(patient, size)
    with _one_thread(), tempfile.TemporaryDirectory(prefix="her2map-") as place:
        exam, roi, truth = _written(Path(place) / "exam", settings, number)
        case = fit_case(protocol, patient.case, exam, pixels_sha256(exam))
        clear, _, _ = _written(Path(place) / "clear", replace(settings, snr=inf), number)
        return SimulatedCase(
            patient=patient,
            drawn=_biomarkers(asdict(patient.tumour)),
            truth=_biomarkers(truth),
            fitted=_without_t2(clear, protocol, roi),
            noisy=measure_maps(case.maps, roi).biomarkers,
            readings=tuple(_readings(case, roi, protocol, readers, number)),
        )


def simulate_readings(
    patient: Patient,
    protocol: Protocol,
    readers: Sequence[VirtualReader],
    size: str,
    seed: int,
    roles: Collection[Role],
) -> tuple[SimulatedReading, ...]:
    """The readings of :func:`simulate_case` of some maps alone: the same numbers in a third of the time.

    Args:
        roles: of the series that are fitted.
    """
    number, settings = _number(patient, seed), _settings(patient, size)
    with _one_thread(), tempfile.TemporaryDirectory(prefix="her2map-") as place:
        exam, roi, _ = _written(Path(place) / "exam", settings, number)
        kept = tuple(a for a in exam.assignments if a.role in {*roles, Role.DCE})
        exam = replace(exam, assignments=kept)
        case = fit_case(protocol, patient.case, exam, pixels_sha256(exam))
        return tuple(_readings(case, roi, protocol, readers, number))


def _number(patient: Patient, seed: int) -> int:
    """The seed of a patient's exam and readings."""
    return int(np.random.default_rng([seed, *patient.case.encode()]).integers(2**31))


def _settings(patient: Patient, size: str) -> ExamSettings:
    settings: ExamSettings = getattr(ExamSettings, size)()
    return replace(settings, tumour=_tumour(patient))


def _biomarkers(values: Mapping[str, float]) -> Biomarkers:
    return from_values(values["T1_pre"], values["T1_post"], values["T2"], values["T2star"])


def _tumour(patient: Patient) -> TumourSettings:
    true = patient.tumour
    return TumourSettings(
        diameter_mm=true.diameter_mm,
        t1_pre_ms=true.T1_pre,
        t1_post_ms=true.T1_post,
        t2_ms=true.T2,
        t2star_ms=true.T2star,
    )


def _written(folder: Path, settings: ExamSettings, seed: int) -> tuple[Exam, Roi, Mapping[str, float]]:
    """The exam as it is read back, the true contour and the true values."""
    write_exam(folder, settings, seed)
    truth = json.loads((folder / TRUTH_FILE).read_text(encoding="utf-8"))
    roi = read_roi(folder / ROI_FILE, truth["roi_thickness_mm"])
    return read_exam(folder / DICOM_FOLDER), roi, truth["values"]


def _without_t2(exam: Exam, protocol: Protocol, roi: Roi) -> Biomarkers:
    others = tuple(a for a in exam.assignments if a.role is not Role.T2)
    maps = fit_exam(replace(exam, assignments=others), protocol.fit)
    return measure_maps({name: (one.map, one.geometry) for name, one in maps.items()}, roi).biomarkers


def _readings(
    case: PreparedCase, truth: Roi, protocol: Protocol, readers: Sequence[VirtualReader], seed: int
) -> Iterator[SimulatedReading]:
    spacing = float(case.dce.geometry.spacing[2])
    for i, reader in enumerate(readers):
        for repeat in range(1, protocol.repeats + 1):
            rng = np.random.default_rng([seed, i, repeat])
            roi = _drawn(reader, truth, spacing, rng)
            drawing = Drawing(
                tuple(map(tuple, roi.outline.tolist())),
                tuple(tuple(map(tuple, h.tolist())) for h in roi.holes),
            )
            values = measure_maps(case.maps, roi)
            result = result_of(protocol, case, values, drawing, CONFIDENCE, "virtual reader")
            yield SimulatedReading(reader.name, repeat, result)


def _points(loop: Array) -> Points:
    return tuple((float(r), float(a), float(s)) for r, a, s in loop)


def _drawn(reader: VirtualReader, truth: Roi, spacing_mm: float, rng: np.random.Generator) -> Roi:
    """A contour that crosses itself or a hole is drawn again, as a reader would."""
    for _ in range(_DRAWINGS):
        try:
            return reader.draw(truth, spacing_mm, rng)
        except InputError:
            continue
    return replace(reader, wobble=0.0, shift_mm=0.0).draw(truth, spacing_mm, rng)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Sums of ITK's threads come in varying order; cases are what runs side by side."""
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
