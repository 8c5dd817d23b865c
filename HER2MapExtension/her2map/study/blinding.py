"""What a reader must not see of an exam, and the exam without it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError

from ..exam import Exam
from ..series import Assignment, Role, Series
from ..series.assemble import name_of

HIDEABLE = {
    "patient_name": "PatientName",
    "patient_id": "PatientID",
    "birth_date": "PatientBirthDate",
    "study_date": "StudyDate",
    "institution": "InstitutionName",
    "patient_age": "PatientAge",
    "study_description": "StudyDescription",
}
"""By the protocol's name: the DICOM keyword. What a study does not hide is shown to readers."""
PERSONAL = ("patient_name", "patient_id", "birth_date")
"""Always hidden."""


def blinded(exam: Exam) -> Exam:
    """The exam for telling of it: series are called by their role, and no file is named.

    A series' description may hold anything that somebody typed. Pixels, geometry and parameters stay.
    """
    plain = tuple(_called_by_role(assignment) for assignment in exam.assignments)
    return Exam(plain, (), exam.skipped_counts, ())


def _called_by_role(assignment: Assignment) -> Assignment:
    series = assignment.series
    name = "unused series" if assignment.role is Role.NONE else f"{assignment.role.value} series"
    plain = replace(series, description=name, problems=())
    plain.problems = tuple(_told_of(plain, problem, name_of(series)) for problem in series.problems)
    return replace(assignment, series=plain, reason="")


def _told_of(series: Series, problem: str, old_name: str) -> str:
    """A problem that begins with the series' former name, with its new one."""
    if problem.startswith(old_name):
        return name_of(series) + problem.removeprefix(old_name)
    return f"{name_of(series)}: a part of it could not be used."


def header_fields(folder: Path, names: Sequence[str]) -> dict[str, str]:
    """Fields of :data:`HIDEABLE` as the first DICOM file of `folder` has them; empty ones are left out."""
    if not names:
        return {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        try:
            header = pydicom.dcmread(file, stop_before_pixels=True)
        except (InvalidDicomError, OSError):
            continue
        found = {name: str(header.get(HIDEABLE[name], "")).strip() for name in names}
        return {name: text for name, text in found.items() if text}
    return {}
