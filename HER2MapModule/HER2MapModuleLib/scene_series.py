"""Series of an exam from what is in the scene: volumes, and sequences of Slicer's own DICOM import."""

from dataclasses import dataclass, field

import numpy as np
import slicer

from her2map.errors import InputError
from her2map.exam import Exam
from her2map.series import Role, Series, Technique, override, propose_roles

from . import dce_nodes, map_nodes, scene

PARAMETERS = {
    "te_ms": ("EchoTime", 1.0),
    "tr_ms": ("RepetitionTime", 1.0),
    "ti_ms": ("InversionTime", 1.0),
    "flip_angle_deg": ("FlipAngle", 1.0),
    "time_s": ("AcquisitionTime", 1e-3),
}
"""By field of a series: the DICOM keyword that the MultiVolume import writes, and the factor to our unit."""
TIME_TAGS = ("AcquisitionTime", "Time", "SeriesTime", "ContentTime", "TriggerTime")
SCANNER_MAPS = {Role.T1_PRE: "T1", Role.T1_POST: "T1", Role.T2: "T2", Role.T2STAR: "T2star"}


@dataclass(frozen=True)
class SceneItem:
    """A node that can be a series. texts - By field of `PARAMETERS`: what its attributes say."""

    node: object
    measurements: int
    texts: dict[str, str]


@dataclass(frozen=True)
class Choice:
    """What the user says of an item: role and technique; parameters as texts; the unit of a scanner's map."""

    item: SceneItem
    role: Role
    technique: Technique
    texts: dict[str, str] = field(default_factory=dict)
    unit: str = ""


def sceneItems() -> list[SceneItem]:
    """The volumes and sequences of volumes that did not come from this module."""
    sequences = [
        node
        for node in slicer.util.getNodesByClass("vtkMRMLSequenceNode")
        if not node.GetAttribute(dce_nodes.THICKNESS) and _isOfVolumes(node)
    ]
    proxies = {
        browser.GetProxyNode(sequence).GetID()
        for browser in slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode")
        for sequence in slicer.util.getNodesByClass("vtkMRMLSequenceNode")
        if browser.GetProxyNode(sequence) is not None
    }
    ours = {
        node.GetID()
        for quantity in map_nodes.NAMES
        for node in (
            map_nodes.mapNode(quantity),
            *(map_nodes.layerNode(quantity, layer) for layer in map_nodes.LAYERS),
        )
        if node is not None
    }
    volumes = [
        node
        for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
        if node.GetID() not in proxies | ours and node.GetImageData() is not None
    ]
    return [SceneItem(node, node.GetNumberOfDataNodes(), _texts(node)) for node in sequences] + [
        SceneItem(node, 1, _texts(node)) for node in volumes
    ]


def examOf(choices) -> Exam:
    """The exam that the user's choices make.

    Raises:
        InputError: nothing was chosen, or a parameter is no number or not one a measurement.
    """
    if not choices:
        raise InputError("No volume was chosen; choose what each is used for.")
    series = [seriesOf(choice) for choice in choices]
    assignments = propose_roles(series)
    for one, choice in zip(series, choices, strict=True):
        assignments = override(assignments, one, choice.role, choice.technique)
    return Exam(
        tuple(assignments), notes=("taken from volumes in the scene; parameters as the user gave them",)
    )


def seriesOf(choice: Choice) -> Series:
    """The series of one item."""
    item, node = choice.item, choice.item.node
    volumes = [node.GetNthDataNode(i) for i in range(item.measurements)] if _isSequence(node) else [node]
    geometry = scene.geometryOf(volumes[0])
    if any(scene.geometryOf(volume).shape != geometry.shape for volume in volumes):
        raise InputError(f"The volumes of {node.GetName()} differ in size; take them one by one.")
    data = np.stack([slicer.util.arrayFromVolume(volume) for volume in volumes]).astype(np.float32)
    texts = {**item.texts, **choice.texts}
    numbers = {name: _numbers(texts.get(name, ""), item, name) for name in PARAMETERS}
    isMap = choice.technique is Technique.SCANNER_MAP
    return Series(
        data=data,
        affine=geometry.affine,
        **numbers,
        channel=np.zeros(item.measurements, int),
        component=np.full(item.measurements, "magnitude"),
        uid=node.GetID(),
        description=node.GetName(),
        scanner_map=SCANNER_MAPS.get(choice.role, "") if isMap else "",
        unit=choice.unit,
        slice_thickness_mm=float(geometry.spacing[2]),
        time_source="the scene" if np.isfinite(numbers["time_s"]).any() else "",
    )


def _numbers(text: str, item: SceneItem, name: str) -> np.ndarray:
    """One number a measurement; a single one holds for all, and NaN stands for none."""
    keyword = PARAMETERS[name][0]
    try:
        numbers = np.array([float(part) for part in text.replace(";", ",").split(",") if part.strip()])
    except ValueError:
        raise InputError(
            f"{keyword} of {item.node.GetName()} is '{text}'; write numbers, with commas between."
        ) from None
    if len(numbers) == 0:
        return np.full(item.measurements, np.nan)
    if len(numbers) not in (1, item.measurements):
        raise InputError(
            f"{keyword} of {item.node.GetName()} has {len(numbers)} numbers; it needs one, or "
            f"{item.measurements}."
        )
    return np.broadcast_to(numbers, item.measurements).astype(float)


def _texts(node) -> dict[str, str]:
    """The parameters that Slicer's MultiVolume import left as attributes, in our units."""
    labels = node.GetAttribute("MultiVolume.FrameLabels") or ""
    tag = node.GetAttribute("MultiVolume.FrameIdentifyingDICOMTagName") or ""
    found = {}
    for name, (keyword, factor) in PARAMETERS.items():
        isFrameTag = tag == keyword or (name == "time_s" and tag in TIME_TAGS)
        text = labels if isFrameTag else node.GetAttribute(f"MultiVolume.DICOM.{keyword}") or ""
        if name == "time_s" and not isFrameTag:
            text = ""
        found[name] = text if factor == 1.0 else _scaled(text, factor)
    return found


def _scaled(text: str, factor: float) -> str:
    try:
        return ", ".join(f"{factor * float(part):g}" for part in text.split(",") if part.strip())
    except ValueError:
        return ""


def _isSequence(node) -> bool:
    return node.IsA("vtkMRMLSequenceNode")


def _isOfVolumes(sequence) -> bool:
    return sequence.GetNumberOfDataNodes() > 0 and sequence.GetNthDataNode(0).IsA("vtkMRMLScalarVolumeNode")
