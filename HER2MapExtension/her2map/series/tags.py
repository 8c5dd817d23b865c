"""Which header fields are read, by DICOM keyword; vendors' private ones with a name of our own."""

# fmt: off
FACTS = (
    "ScanningSequence", "SequenceVariant", "ScanOptions", "MRAcquisitionType", "SequenceName",
    "PulseSequenceName", "EchoPulseSequence", "InversionRecovery", "SteadyStatePulseSequence",
    "EchoPlanarPulseSequence", "Spoiling", "MultipleSpinEcho", "PhaseContrast", "ProtocolName", "ImageType",
    "AcquisitionContrast", "EchoTrainLength", "EchoNumbers", "NumberOfAverages", "PercentSampling",
    "PercentPhaseFieldOfView", "PixelBandwidth", "ImagingFrequency", "VariableFlipAngleFlag",
    "ParallelAcquisition", "ParallelReductionFactorInPlane", "PartialFourier", "PartialFourierDirection",
    "RectilinearPhaseEncodeReordering", "AcquisitionDuration", "FrameAcquisitionDuration",
    "TemporalResolution", "NumberOfTemporalPositions", "ContrastBolusAgent", "ContrastBolusVolume",
    "ContrastBolusStartTime", "BodyPartExamined", "PatientPosition", "SpacingBetweenSlices",
    "DerivationDescription", "RescaleType",
)
PRIVATE_FACTS = ("InternalPulseSequenceName", "SliceMeasurementDuration", "TimeAfterStart")
"""With `FACTS`: what `Series.sequence` holds where the header has it. No personal fields."""

STANDARD = (
    *FACTS,
    "SOPClassUID", "SOPInstanceUID", "Modality", "StudyInstanceUID", "SeriesInstanceUID", "SeriesNumber",
    "SeriesDescription", "PatientID", "PatientName", "Manufacturer", "ManufacturerModelName",
    "MagneticFieldStrength", "InstanceNumber", "AcquisitionNumber", "EchoTime", "EffectiveEchoTime",
    "RepetitionTime", "InversionTime", "InversionTimes", "FlipAngle", "DiffusionBValue", "SliceThickness",
    "PixelSpacing", "ImagePositionPatient", "ImageOrientationPatient", "Rows", "Columns", "NumberOfFrames",
    "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation", "RescaleSlope", "RescaleIntercept", "FrameType", "ComplexImageComponent",
    "StudyDate", "StudyTime", "SeriesDate", "SeriesTime", "AcquisitionDate", "AcquisitionTime",
    "AcquisitionDateTime", "ContentDate", "ContentTime", "FrameAcquisitionDateTime",
    "FrameReferenceDateTime", "TriggerTime", "TemporalPositionIdentifier", "TemporalPositionIndex",
    "TemporalPositionTimeOffset", "HeartRate", "CardiacSynchronizationTechnique", "RealWorldValueSlope",
    "RealWorldValueIntercept", "CodeValue",
)
"""Fields of a file, of a functional group or of a real-world value mapping."""

SEQUENCES = (
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence", "RealWorldValueMappingSequence",
    "ContrastBolusAgentSequence",
)
"""Sequences of a file that are read at all."""

GROUPS = (
    "MRImagingModifierSequence", "MRReceiveCoilSequence", "MRTimingAndRelatedParametersSequence",
    "MRAveragesSequence", "MREchoSequence", "MRModifierSequence", "MRFOVGeometrySequence",
    "MRDiffusionSequence", "MRImageFrameTypeSequence", "FrameContentSequence",
    "CardiacSynchronizationSequence", "TemporalPositionSequence", "PlanePositionSequence",
    "PlaneOrientationSequence", "PixelMeasuresSequence", "PixelValueTransformationSequence",
)
"""Functional groups of an enhanced image whose fields belong to a frame."""
# fmt: on

NESTED = ("MeasurementUnitsCodeSequence", "ContrastAdministrationProfileSequence")
"""Sequences inside the sequences above that are read too."""

PRIVATE = {
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
"""(group, element): private creator, value representation, our name for it."""

PRIVATE_ITEMS = {
    (0x2005, 0x140F): "Philips MR Imaging DD 005",
    (0x0021, 0x11FE): "SIEMENS MR SDI 02",
}
"""Sequences in which a vendor keeps what belongs to one frame of an enhanced image: their creators."""
