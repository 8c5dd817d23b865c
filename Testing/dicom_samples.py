"""Small DICOM files for tests of the reader."""

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
    MRImageStorage,
    generate_uid,
)

from her2map.series import SeriesList, read_series

PIXELS = np.random.default_rng(1).integers(0, 4096, (12, 16), np.uint16)


SERIES = "1.2.3.4"


def image(pixels: np.ndarray = PIXELS, **fields: Any) -> Dataset:
    """A classic MR image at z = 0 of series `SERIES`; `fields` are set over it, None deletes."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    defaults: dict[str, Any] = {
        "SOPClassUID": MRImageStorage,
        "SOPInstanceUID": generate_uid(),
        "Modality": "MR",
        "Manufacturer": "SIEMENS",
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"],
        "PatientID": "secret-id",
        "PatientName": "Secret^Name",
        "StudyInstanceUID": "1.2.3",
        "SeriesInstanceUID": SERIES,
        "SeriesNumber": 4,
        "SeriesDescription": "test",
        "StudyDate": "20250102",
        "StudyTime": "100000",
        "AcquisitionTime": "101500.25",
        "EchoTime": "2.5",
        "RepetitionTime": "5",
        "FlipAngle": "10",
        "SliceThickness": "3",
        "ImagePositionPatient": [-10, -20, 0],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "PixelSpacing": [1.5, 2.0],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": pixels.shape[-2],
        "Columns": pixels.shape[-1],
        "BitsAllocated": pixels.itemsize * 8,
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": int(pixels.dtype.kind == "i"),
    }
    for keyword, value in {**defaults, **fields}.items():
        if value is not None:
            setattr(dataset, keyword, value)
    dataset.PixelData = np.ascontiguousarray(pixels).tobytes()
    return dataset


def write(folder: Path, *datasets: Dataset) -> Path:
    """Writes the images under names that say nothing, newest first."""
    folder.mkdir(exist_ok=True)
    for number, dataset in enumerate(reversed(datasets)):
        dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.save_as(folder / f"{len(list(folder.iterdir())):03d}{number}", enforce_file_format=True)
    return folder


def read(folder: Path, *datasets: Dataset) -> SeriesList:
    return read_series(write(folder, *datasets))


def coil(dataset: Dataset, name: str) -> Dataset:
    dataset.private_block(0x0051, "SIEMENS MR HEADER", create=True).add_new(0x0F, "LO", name)
    return dataset


def slices(count: int, **fields: Any) -> list[Dataset]:
    return [image(PIXELS + z, ImagePositionPatient=[-10, -20, 3 * z], **fields) for z in range(count)]
