"""Writes a scan's images as a Siemens scanner does: classic MR Image Storage, one file a slice."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element, write_file_meta_info
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from ..geometry import swap_ras_lps
from ..progress import Progress, no_progress, part_of
from .protocol import slice_normal
from .scans import Measurement, Scan

BITS = 12
CHANNEL_NAMES = ("BR1", "BR2", "BL1", "BL2")
COMBINED_COIL = "BR;BL"


class DicomWriter:
    """Writes the series of one exam.

    Args:
        folder: where a sub-folder for each series goes.
        seed: of the exam; the patient's name and id, the date and the time follow from it.
        fingerprint: a text that differs between exams; all UIDs follow from it.
        injection_s: of the contrast agent, after the start of the exam.
    """

    def __init__(self, folder: Path, seed: int, fingerprint: str, injection_s: float) -> None:
        self._folder = folder
        self._fingerprint = fingerprint
        self._injection_s = injection_s
        self._start = exam_start(seed)
        self._patient_id = f"PHANTOM-{seed}"
        self._series_number = 1  # 1 is the localiser, which is not kept

    def write_scan(self, scan: Scan, stored: NDArray[np.uint16], progress: Progress = no_progress) -> None:
        """Write `stored`, (channels, images, slices, rows, columns), as one series or one an image set."""
        groups = [[i] for i in range(stored.shape[1])]
        if not scan.series_per_measurement:
            groups = [list(range(stored.shape[1]))]
        for done, group in enumerate(groups):
            self._series_number += 1
            part = part_of(progress, done / len(groups), (done + 1) / len(groups))
            self._write_series(scan, stored, group, part)

    def _write_series(
        self, scan: Scan, stored: NDArray[np.uint16], group: Sequence[int], progress: Progress
    ) -> None:
        first = scan.measurements[group[0]]
        description = scan.description
        if scan.series_per_measurement:
            description += f"_fa{first.flip_angle_deg:g}"
        folder = self._folder / f"{self._series_number:02d}_{description}"
        folder.mkdir(parents=True)
        header = self._series_header(scan, first, description)
        window = max(float(np.percentile(stored[:, group], 99.5)), 1.0)
        header.WindowCenter, header.WindowWidth = _decimal(window / 2), _decimal(window)
        same_for_all = _encode(header)
        number = 0
        for echo, index in enumerate(group, 1):
            progress((echo - 1) / len(group))
            for channel in range(stored.shape[0]):
                image = _measurement_header(scan, scan.measurements[index], echo)
                _set_coil(image, CHANNEL_NAMES[channel] if scan.channels > 1 else COMBINED_COIL)
                for place, pixels in enumerate(stored[channel, index]):
                    number += 1
                    acquired = scan.measurements[index].time_s + place * scan.slice_interval_s
                    self._set_image(image, scan, acquired, place, number)
                    _set_pixels(image, pixels)
                    _write_file(folder / f"{number:05d}.dcm", image, same_for_all)

    def _uid(self, *parts: object) -> str:
        return str(generate_uid(entropy_srcs=[self._fingerprint, *map(str, parts)]))

    def _series_header(self, scan: Scan, first: Measurement, description: str) -> Dataset:
        ds = Dataset()
        ds.SpecificCharacterSet = "ISO_IR 100"
        ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
        ds.SOPClassUID = MRImageStorage
        for kind in ("Study", "Series", "Acquisition", "Content", "InstanceCreation"):
            setattr(ds, f"{kind}Date", self._start.strftime("%Y%m%d"))
        ds.StudyTime = self._time(0.0)
        ds.SeriesTime = self._time(first.time_s)
        ds.AccessionNumber = ""
        ds.Modality, ds.Manufacturer, ds.ManufacturerModelName = "MR", "SIEMENS", "HER2Map digital phantom"
        ds.StudyDescription, ds.SeriesDescription = "Breast^Phantom", description
        ds.ReferringPhysicianName = ""
        ds.PatientName, ds.PatientID = "HER2Map^Phantom", self._patient_id
        ds.PatientBirthDate, ds.PatientSex = "", "F"
        ds.BodyPartExamined, ds.ProtocolName, ds.PatientPosition = "BREAST", description, "HFP"
        for keyword, value in scan.header.items():
            setattr(ds, keyword, value)
        ds.MagneticFieldStrength, ds.ImagingFrequency, ds.ImagedNucleus = "3", "123.25", "1H"
        ds.NumberOfAverages, ds.EchoTrainLength, ds.SoftwareVersions = "1", "1", "syngo MR E11 (simulated)"
        if scan.name in ("DCE", "VFA_post"):
            ds.ContrastBolusAgent = "Gadolinium chelate"
            ds.ContrastBolusStartTime = self._time(self._injection_s)
        ds.StudyInstanceUID = self._uid("study")
        ds.SeriesInstanceUID = self._uid("series", self._series_number)
        ds.FrameOfReferenceUID = self._uid("frame of reference")
        ds.StudyID, ds.SeriesNumber = "1", str(self._series_number)
        ds.ImageComments = "Simulated; not a patient"
        _set_plane(ds, scan)
        _set_pixel_format(ds)
        ds.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(
            0x0B, "DS", _decimal(scan.duration_s * 1000.0)
        )
        minutes, seconds = divmod(scan.duration_s, 60.0)
        ds.private_block(0x0051, "SIEMENS MR HEADER", create=True).add_new(
            0x0A, "SH", f"TA {minutes:02.0f}:{seconds:02.0f}"
        )
        return ds

    def _set_image(self, ds: Dataset, scan: Scan, acquired_s: float, place: int, number: int) -> None:
        ds.AcquisitionTime = self._time(acquired_s)
        ds.ContentTime = ds.InstanceCreationTime = self._time(acquired_s + scan.duration_s + 2.0)
        ds.SOPInstanceUID = self._uid("image", self._series_number, number)
        ds.InstanceNumber = str(number)
        position = swap_ras_lps(scan.geometry.to_ras([0, 0, place]))
        ds.ImagePositionPatient = [_decimal(x) for x in position]
        ds.SliceLocation = _decimal(float(position @ swap_ras_lps(slice_normal(scan.geometry))))

    def _time(self, seconds: float) -> str:
        return time_of_day(self._start, seconds)


def time_of_day(start: datetime, seconds: float) -> str:
    """`seconds` after `start`, as DICOM writes a time."""
    return (start + timedelta(seconds=seconds)).strftime("%H%M%S.%f")


def exam_start(seed: int) -> datetime:
    """Date and time at which the exam of `seed` begins, in the morning."""
    return datetime(2026, 1, 1, 8) + timedelta(days=seed % 28, minutes=seed % 240)


def _measurement_header(scan: Scan, measurement: Measurement, number: int) -> Dataset:
    ds = Dataset()
    ds.RepetitionTime = _decimal(measurement.tr_ms)
    ds.EchoTime = _decimal(measurement.te_ms)
    ds.FlipAngle = _decimal(measurement.flip_angle_deg)
    if measurement.ti_ms is not None:
        ds.InversionTime = _decimal(measurement.ti_ms)
    echo_train = len({m.te_ms for m in scan.measurements}) > 1
    ds.EchoNumbers = str(number if echo_train else 1)
    ds.AcquisitionNumber = str(1 if echo_train else number)
    return ds


def _encode(ds: Dataset) -> dict[int, bytes]:
    """Every element as it stands in the file."""
    encoded = {}
    for element in ds:
        buffer = DicomBytesIO()
        buffer.is_little_endian, buffer.is_implicit_VR = True, False
        write_data_element(buffer, element)
        encoded[int(element.tag)] = buffer.getvalue()
    return encoded


def _write_file(path: Path, image: Dataset, same_for_all: dict[int, bytes]) -> None:
    """One image: its own elements among those of its series, which are encoded once, not for every file."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = MRImageStorage
    meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, False
    write_file_meta_info(buffer, meta)
    elements = same_for_all | _encode(image)
    path.write_bytes(
        b"\0" * 128 + b"DICM" + buffer.getvalue() + b"".join(elements[tag] for tag in sorted(elements))
    )


def _decimal(value: float) -> str:
    """As a DICOM decimal string, at most 16 characters."""
    return f"{value:.9g}"


def _set_plane(ds: Dataset, scan: Scan) -> None:
    geometry = scan.geometry
    column_step, row_step, _ = geometry.spacing
    directions = swap_ras_lps((geometry.affine[:3, :2] / geometry.spacing[:2]).T)
    ds.ImageOrientationPatient = [_decimal(x) for x in directions.ravel()]
    ds.PixelSpacing = [_decimal(row_step), _decimal(column_step)]
    ds.SliceThickness = _decimal(scan.thickness_mm)
    if ds.MRAcquisitionType == "2D":
        ds.SpacingBetweenSlices = _decimal(geometry.spacing[2])
    _, ds.Rows, ds.Columns = geometry.shape
    ds.AcquisitionMatrix = [0, ds.Columns, ds.Rows, 0]


def _set_pixel_format(ds: Dataset) -> None:
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, BITS, BITS - 1, 0


def _set_pixels(ds: Dataset, pixels: NDArray[np.uint16]) -> None:
    ds.add_new("SmallestImagePixelValue", "US", int(pixels.min()))
    ds.add_new("LargestImagePixelValue", "US", int(pixels.max()))
    ds.add_new("PixelData", "OW", pixels.astype("<u2").tobytes())


def _set_coil(ds: Dataset, name: str) -> None:
    ds.private_block(0x0051, "SIEMENS MR HEADER", create=True).add_new(0x0F, "LO", name)
