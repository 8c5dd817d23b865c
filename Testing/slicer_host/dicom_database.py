"""``slicer.dicomDatabase``, as far as scripted modules read it."""

from pathlib import Path

import pydicom
from PySide6.QtCore import Property, QObject

_TAGS = ("PatientID", "PatientName", "StudyInstanceUID", "SeriesInstanceUID", "StudyDate", "StudyDescription")


class ctkDICOMDatabase(QObject):
    """Stands for ctkDICOMDatabase. Tests fill it by `_index`, in Slicer ctkDICOMIndexer does."""

    isOpen = Property(bool, lambda self: self._open)

    def __init__(self) -> None:
        super().__init__()
        self._open, self._headers = False, {}

    def _index(self, folder) -> None:
        """Open the database with the files of a folder."""
        self._open = True
        for file in sorted(Path(folder).rglob("*")):
            if file.is_file():
                header = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=list(_TAGS))
                self._headers[str(file)] = {tag: str(header.get(tag, "")) for tag in _TAGS}

    def closeDatabase(self) -> None:
        self._open, self._headers = False, {}

    def patients(self) -> tuple[str, ...]:
        return self._distinct("PatientID")

    def studiesForPatient(self, patientUID: str) -> tuple[str, ...]:
        return self._distinct("StudyInstanceUID", PatientID=patientUID)

    def seriesForStudy(self, studyUID: str) -> tuple[str, ...]:
        return self._distinct("SeriesInstanceUID", StudyInstanceUID=studyUID)

    def filesForSeries(self, seriesUID: str, hits: int = -1) -> tuple[str, ...]:
        found = tuple(file for file, h in self._headers.items() if h["SeriesInstanceUID"] == seriesUID)
        return found if hits < 0 else found[:hits]

    def displayedNameForPatient(self, patientUID: str) -> str:
        return self._distinct("PatientName", PatientID=patientUID)[0]

    def descriptionForStudy(self, studyUID: str) -> str:
        return self._distinct("StudyDescription", StudyInstanceUID=studyUID)[0]

    def fieldForStudy(self, field: str, studyInstanceUID: str) -> str:
        return self._distinct(field, StudyInstanceUID=studyInstanceUID)[0]

    def _distinct(self, tag: str, **having: str) -> tuple[str, ...]:
        matching = (
            h for h in self._headers.values() if all(h[name] == value for name, value in having.items())
        )
        return tuple(dict.fromkeys(h[tag] for h in matching))
