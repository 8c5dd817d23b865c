"""Studies of Slicer's DICOM database."""

from dataclasses import dataclass

import slicer
from slicer.i18n import tr as _


@dataclass(frozen=True)
class Study:
    """uid - StudyInstanceUID. label - For the user who chooses, on the screen alone."""

    uid: str
    label: str


def studies() -> list[Study]:
    """All studies of the database.

    Raises:
        RuntimeError: there is no database, or it is empty.
    """
    database = getattr(slicer, "dicomDatabase", None)
    if database is None or not database.isOpen:
        raise RuntimeError(_("Slicer's DICOM database is not open; open it in the DICOM module."))
    found = [
        Study(study, _label(database, patient, study))
        for patient in database.patients()
        for study in database.studiesForPatient(patient)
    ]
    if not found:
        raise RuntimeError(_("Slicer's DICOM database holds no study; import one in the DICOM module."))
    return found


def files(study: Study) -> list[str]:
    """The files of a study, of all its series."""
    database = slicer.dicomDatabase
    return [file for series in database.seriesForStudy(study.uid) for file in database.filesForSeries(series)]


def _label(database, patient: str, study: str) -> str:
    parts = (
        database.displayedNameForPatient(patient),
        database.fieldForStudy("StudyDate", study),
        database.descriptionForStudy(study),
    )
    return ", ".join(part for part in parts if part)
