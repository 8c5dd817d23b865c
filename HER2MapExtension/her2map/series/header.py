"""The header fields that the library uses, of one image, as plain Python values by DICOM keyword."""

import struct
from collections.abc import Iterable
from typing import Any

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag

Header = dict[str, Any]
"""Keyword to str, int, float or a tuple of these; what is absent, empty or malformed has no entry."""

FACTS = (
    "ScanningSequence SequenceVariant ScanOptions MRAcquisitionType SequenceName PulseSequenceName "
    "EchoPulseSequence InversionRecovery SteadyStatePulseSequence EchoPlanarPulseSequence Spoiling "
    "MultipleSpinEcho PhaseContrast ProtocolName ImageType AcquisitionContrast EchoTrainLength "
    "EchoNumbers NumberOfAverages PercentSampling PercentPhaseFieldOfView PixelBandwidth ImagingFrequency "
    "VariableFlipAngleFlag ParallelAcquisition ParallelReductionFactorInPlane PartialFourier "
    "PartialFourierDirection RectilinearPhaseEncodeReordering AcquisitionDuration FrameAcquisitionDuration "
    "TemporalResolution NumberOfTemporalPositions ContrastBolusAgent ContrastBolusVolume "
    "ContrastBolusStartTime BodyPartExamined PatientPosition SpacingBetweenSlices DerivationDescription "
    "RescaleType"
).split()  # noqa: SIM905
PRIVATE_FACTS = ["InternalPulseSequenceName", "SliceMeasurementDuration", "TimeAfterStart"]
"""With `FACTS`: what `Series.sequence` holds where the header has it. No personal fields."""

_STANDARD = [
    *FACTS,
    *(
        "SOPClassUID SOPInstanceUID Modality StudyInstanceUID SeriesInstanceUID SeriesNumber "
        "SeriesDescription PatientID PatientName Manufacturer ManufacturerModelName MagneticFieldStrength InstanceNumber "
        "AcquisitionNumber EchoTime EffectiveEchoTime RepetitionTime InversionTime InversionTimes FlipAngle "
        "DiffusionBValue SliceThickness PixelSpacing ImagePositionPatient ImageOrientationPatient Rows "
        "Columns NumberOfFrames SamplesPerPixel PhotometricInterpretation BitsAllocated BitsStored HighBit "
        "PixelRepresentation RescaleSlope RescaleIntercept FrameType ComplexImageComponent "
        "StudyDate StudyTime SeriesDate SeriesTime AcquisitionDate AcquisitionTime AcquisitionDateTime "
        "ContentDate ContentTime FrameAcquisitionDateTime FrameReferenceDateTime TriggerTime "
        "TemporalPositionIdentifier TemporalPositionIndex TemporalPositionTimeOffset HeartRate "
        "CardiacSynchronizationTechnique RealWorldValueSlope RealWorldValueIntercept CodeValue"
    ).split(),  # noqa: SIM905
]
_SEQUENCES = (
    "SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence RealWorldValueMappingSequence "
    "ContrastBolusAgentSequence"
).split()  # noqa: SIM905
# Group, element: private creator, VR, our name for it.
_PRIVATE = {
    (0x0019, 0x100B): ("SIEMENS MR HEADER", "DS", "SliceMeasurementDuration"),  # ms
    (0x0019, 0x100C): ("SIEMENS MR HEADER", "IS", "DiffusionBValue"),
    (0x0019, 0x1016): ("SIEMENS MR HEADER", "DS", "TimeAfterStart"),  # s
    (0x0019, 0x109E): ("GEMS_ACQU_01", "LO", "InternalPulseSequenceName"),
    (0x0021, 0x114F): ("SIEMENS MR SDI 02", "LO", "CoilString"),
    (0x0043, 0x102F): ("GEMS_PARM_01", "SS", "RawImageType"),
    (0x0051, 0x100F): ("SIEMENS MR HEADER", "LO", "CoilString"),
    (0x2005, 0x100E): ("Philips MR Imaging DD 001", "FL", "ScaleSlope"),
    (0x2005, 0x10A0): ("Philips MR Imaging DD 001", "FL", "DynamicScanBeginTime"),  # s
    (0x2005, 0x1572): ("Philips MR Imaging DD 006", "FL", "PrivateInversionTime"),  # ms
}
# Sequences in which a vendor keeps what belongs to one frame of an enhanced image.
_PRIVATE_ITEMS = {
    (0x2005, 0x140F): "Philips MR Imaging DD 005",
    (0x0021, 0x11FE): "SIEMENS MR SDI 02",
}
_GROUPS = (
    "MRImagingModifierSequence MRReceiveCoilSequence MRTimingAndRelatedParametersSequence MRAveragesSequence "
    "MREchoSequence MRModifierSequence MRFOVGeometrySequence MRDiffusionSequence MRImageFrameTypeSequence "
    "FrameContentSequence CardiacSynchronizationSequence TemporalPositionSequence PlanePositionSequence "
    "PlaneOrientationSequence PixelMeasuresSequence PixelValueTransformationSequence"
).split()  # noqa: SIM905
_UNPACK = {"FL": "<f", "SS": "<h"}


def _tag(keyword: str) -> BaseTag:
    number = tag_for_keyword(keyword)
    assert number is not None, keyword
    return Tag(number)


def _creator_tag(group: int, element: int) -> BaseTag:
    return Tag(group, element >> 8)


_NAMES: dict[BaseTag, str] = {_tag(keyword): keyword for keyword in _STANDARD}
_PRIVATE_TAGS = {Tag(*key): (_creator_tag(*key), *field) for key, field in _PRIVATE.items()}
TAGS: list[BaseTag] = [
    *_NAMES,
    *map(_tag, _SEQUENCES),
    *_PRIVATE_TAGS,
    *{_creator_tag(*key) for key in (*_PRIVATE, *_PRIVATE_ITEMS)},
]
"""Everything to be read of a file, for pydicom's `specific_tags`."""


def _plain(value: Any) -> Any:
    """`value` without pydicom's classes; None where it is empty."""
    if isinstance(value, MultiValue | list | tuple):
        return tuple(_plain(v) for v in value) or None
    if isinstance(value, float):
        return float(value)
    if isinstance(value, int):
        return int(value)
    return str(value).strip() or None if value is not None else None


def _value(dataset: Dataset, tag: BaseTag, vr: str | None = None) -> Any:
    """The element as a plain value; None where it is absent, empty or malformed."""
    try:
        value = dataset[tag].value
        if isinstance(value, bytes):  # a private element read as unknown, e.g. from implicit VR
            value = (
                struct.unpack_from(_UNPACK[vr], value)[0]
                if vr in _UNPACK
                else value.decode("ascii").strip(" \0") or None
            )
            return float(value) if vr in ("DS", "IS") and value is not None else value
        return _plain(value)
    except Exception:  # pydicom raises what it likes on malformed bytes; the field then counts as absent
        return None


def plain_header(dataset: Dataset) -> Header:
    """The fields of `dataset` itself, sequences left aside."""
    header: Header = {}
    for tag in dataset.keys():  # noqa: SIM118 (iterating a Dataset itself would convert every element)
        if tag in _NAMES:
            header[_NAMES[tag]] = _value(dataset, tag)
        elif tag in _PRIVATE_TAGS:
            creator, owner, vr, name = _PRIVATE_TAGS[tag]
            if _value(dataset, creator) == owner:
                header[name] = _value(dataset, tag, vr)
    return {name: value for name, value in header.items() if value is not None}


def _first_item(dataset: Dataset, keyword: str) -> Dataset | None:
    sequence = dataset.get(keyword)
    return sequence[0] if sequence else None


def _real_world_value(dataset: Dataset) -> Header:
    """Slope, intercept and unit of the first real-world value mapping."""
    mapping = _first_item(dataset, "RealWorldValueMappingSequence")
    if mapping is None:
        return {}
    header = plain_header(mapping)
    unit = _first_item(mapping, "MeasurementUnitsCodeSequence")
    code = plain_header(unit).get("CodeValue") if unit is not None else None
    return {**header, "RealWorldValueUnit": code} if code else header


def _contrast(dataset: Dataset) -> Header:
    """Start of the bolus where an enhanced image keeps it: inside the contrast agent sequence."""
    agent = _first_item(dataset, "ContrastBolusAgentSequence")
    if agent is None:
        return {}
    profile = _first_item(agent, "ContrastAdministrationProfileSequence")
    return {
        "ContrastBolusAgent": str(agent.get("CodeMeaning", "")) or "named by code",
        **(plain_header(profile) if profile is not None else {}),
    }


def image_header(dataset: Dataset) -> Header:
    """The header of a file: its own fields, its contrast bolus and its real-world values."""
    return {**_contrast(dataset), **_real_world_value(dataset), **plain_header(dataset)}


def _functional_groups(item: Dataset) -> tuple[Header, Header]:
    """(vendor's, standard) fields of one item of the shared or the per-frame functional groups."""
    private: Header = {}
    for (group, element), owner in _PRIVATE_ITEMS.items():
        tag = Tag(group, element)
        if tag in item and _value(item, _creator_tag(group, element)) == owner and item[tag].value:
            private.update(plain_header(item[tag].value[0]))
    standard = _real_world_value(item)
    for keyword in _GROUPS:
        content = _first_item(item, keyword)
        if content is not None:
            standard.update(plain_header(content))
    return private, standard


def _with_classic_names(header: Header) -> Header:
    """The same header with an enhanced image's own names for old things turned into the classic ones."""
    renamed = dict(header)
    for enhanced, classic in (
        ("FrameType", "ImageType"),
        ("EffectiveEchoTime", "EchoTime"),
        ("TemporalPositionIndex", "TemporalPositionIdentifier"),
    ):
        if enhanced in header:
            renamed[classic] = header[enhanced]
    times = header.get("InversionTimes")
    if times is not None:
        renamed["InversionTime"] = times[0] if isinstance(times, tuple) else times
    return renamed


def frame_headers(dataset: Dataset) -> Iterable[Header]:
    """The header of every image in a file: one for a classic file, one a frame for an enhanced one.

    What stands nearer to the frame overrides: per-frame over shared over the file's own fields, and a
    standard group over the vendor's private one.
    """
    top = image_header(dataset)
    frames = dataset.get("PerFrameFunctionalGroupsSequence")
    if not frames:
        return [top]
    shared_item = _first_item(dataset, "SharedFunctionalGroupsSequence")
    shared_private, shared = _functional_groups(shared_item) if shared_item is not None else ({}, {})
    headers = []
    for item in frames:
        private, standard = _functional_groups(item)
        headers.append(_with_classic_names({**top, **shared_private, **private, **shared, **standard}))
    return headers
