"""Digital breast exams with known truth, written as DICOM."""
