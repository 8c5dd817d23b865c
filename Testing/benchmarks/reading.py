"""How long reading an exam of 1,500 DICOM files takes, beside a bare pydicom loop over the same pixels.

Run as ``python Testing/benchmarks/reading.py``. The bound is 1.3 times the bare loop.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from her2map.series import read_series

PHASES, SLICES, SIZE = 30, 50, 192
BOUND = 1.3


def template() -> Dataset:
    """A header with as many elements as a scanner's (about 100), patient fields left blank."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = MRImageStorage
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
    dataset.Modality, dataset.Manufacturer, dataset.ManufacturerModelName = "MR", "SIEMENS", "Prisma"
    for keyword in ["StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "InstanceCreationDate"]:
        setattr(dataset, keyword, "20250102")
    for keyword in ["StudyTime", "SeriesTime", "ContentTime", "InstanceCreationTime"]:
        setattr(dataset, keyword, "101500.250000")
    for keyword in [
        "AccessionNumber",
        "InstitutionName",
        "StationName",
        "StudyDescription",
        "InstitutionalDepartmentName",
        "PatientID",
        "PatientName",
        "PatientBirthDate",
        "PatientAge",
        "PatientSex",
        "ReferringPhysicianName",
        "OperatorsName",
        "StudyID",
        "PositionReferenceIndicator",
        "PatientComments",
        "RequestingPhysician",
        "PerformedProcedureStepID",
    ]:
        setattr(dataset, keyword, "")
    dataset.SeriesDescription = dataset.ProtocolName = "t1_fl3d_dynamic"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = generate_uid(), generate_uid()
    dataset.FrameOfReferenceUID, dataset.SeriesNumber = generate_uid(), 7
    dataset.ScanningSequence, dataset.SequenceVariant, dataset.ScanOptions = "GR", "SP", "PFP"
    dataset.MRAcquisitionType, dataset.SequenceName, dataset.AngioFlag = "3D", "*fl3d1", "N"
    dataset.EchoTime, dataset.RepetitionTime, dataset.FlipAngle = "1.81", "4.9", "10"
    dataset.NumberOfAverages, dataset.ImagingFrequency, dataset.ImagedNucleus = "1", "123.25", "1H"
    dataset.EchoNumbers, dataset.MagneticFieldStrength, dataset.EchoTrainLength = "1", "3", "1"
    dataset.SliceThickness, dataset.SpacingBetweenSlices = "2.4", "2.4"
    dataset.PercentSampling, dataset.PercentPhaseFieldOfView, dataset.PixelBandwidth = "80", "100", "440"
    dataset.SoftwareVersions, dataset.TransmitCoilName, dataset.SAR = "syngo MR E11", "Body", "0.02"
    dataset.AcquisitionMatrix, dataset.InPlanePhaseEncodingDirection = [0, SIZE, SIZE, 0], "ROW"
    dataset.PatientPosition, dataset.BodyPartExamined = "FFP", "BREAST"
    dataset.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    dataset.PixelSpacing = ["1.2", "1.2"]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows = dataset.Columns = SIZE
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.WindowCenter, dataset.WindowWidth = "600", "1200"
    siemens = dataset.private_block(0x0051, "SIEMENS MR HEADER", create=True)
    for element, text in enumerate(("IMAGE NUM 4", "1.0", "TA 01:00", "192*192", "FoV 230*230"), 8):
        siemens.add_new(element, "LO", text)
    siemens.add_new(0x0F, "LO", "C:BR")
    header = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    for element in range(8, 28):
        header.add_new(element, "DS", "12.5")
    return dataset


def write_exam(folder: Path) -> None:
    """`PHASES` x `SLICES` files of one dynamic series, in a shuffled order of names."""
    random = np.random.default_rng(0)
    dataset, names = template(), random.permutation(PHASES * SLICES)
    pixels = random.integers(0, 4096, (SIZE, SIZE), np.uint16)
    for number, name in enumerate(names):
        phase, position = divmod(number, SLICES)
        dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        dataset.InstanceNumber, dataset.AcquisitionNumber = number + 1, phase + 1
        dataset.AcquisitionTime = f"10{20 + phase:02d}00.000000"
        dataset.ImagePositionPatient = ["-115", "-115", f"{2.4 * position:.4f}"]
        dataset.SliceLocation = f"{2.4 * position:.4f}"
        dataset.PixelData = np.roll(pixels, number).tobytes()
        dataset.save_as(folder / f"IM{name:05d}", enforce_file_format=True)


def seconds(call: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    """Prints the best time of each reader and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_exam(folder)
        files = sorted(folder.iterdir())
        (series,) = read_series(folder)
        assert series.data.shape == (PHASES, SLICES, SIZE, SIZE)
        times = [
            (seconds(lambda: [dcmread(f).pixel_array for f in files]), seconds(lambda: read_series(folder)))
            for _ in range(repeats)
        ]
    bare, ours = np.min(times, axis=0)
    print(f"{PHASES * SLICES} files of {SIZE} x {SIZE}; the best of {repeats} runs each")
    print(f"bare pydicom loop   {bare:6.2f} s")
    print(f"her2map read_series {ours:6.2f} s")
    print(f"ratio               {ours / bare:6.2f}   (bound {BOUND})")
    print("ratio of each run  ", *(f"{own / reference:.2f}" for reference, own in times))


if __name__ == "__main__":
    main()
