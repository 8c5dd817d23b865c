"""Digital breast exams with known truth, written as DICOM."""

from .exam import DICOM_FOLDER, ROI_FILE, TRUTH_FILE, Exam, Truth, make_exam, write_exam
from .settings import ExamSettings, TumourSettings

__all__ = [
    "DICOM_FOLDER",
    "ROI_FILE",
    "TRUTH_FILE",
    "Exam",
    "ExamSettings",
    "Truth",
    "TumourSettings",
    "make_exam",
    "write_exam",
]
