"""A fitted map in the scene: its values, and its quality layers by node reference."""

import json
from dataclasses import dataclass

import numpy as np
import slicer
from slicer.i18n import tr as _

from her2map.geometry import Geometry
from her2map.relaxometry import ParameterMap
from her2map.report.style import STYLES

from . import scene

QUANTITY = "HER2Map.Quantity"
LAYER_OF = "HER2Map.LayerOf"
FACTS = "HER2Map.Facts"
MOTION = "HER2Map.Motion"
"""What registration found for a map, as JSON."""
LAYERS = {"standard_error": _("standard error"), "r_squared": "R2", "status": _("status")}
MEASURED = ("T1_pre", "T1_post", "T2", "T2star", "B1")
NAMES = {
    "T1_pre": "T1 pre",
    "T1_post": "T1 post",
    "T2": "T2",
    "T2star": "T2star",
    "B1": "B1",
    "delta_T1": "delta T1",
    "delta_T1_ratio": "delta T1 ratio",
}


@dataclass(frozen=True, eq=False)
class SceneMap:
    """A map as the scene holds it.

    map - The arrays are the nodes' own memory.
    fromDce - (4, 4), RAS: from where the contour is drawn to the map's own space.
    """

    map: ParameterMap
    geometry: Geometry
    fromDce: np.ndarray


def showMap(quantity: str, fitted: ParameterMap, geometry: Geometry) -> None:
    """Add a map and its quality layers, or replace those that are there."""
    volume = mapNode(quantity)
    if volume is not None:  # where registration put the former map is nothing to this one
        scene.placeVolume(volume, None, "")
        volume.RemoveAttribute(MOTION)
    values = np.asarray(fitted.value, np.float32)
    volume = scene.showArray(values, geometry, NAMES[quantity], volume)
    volume.SetAttribute(QUANTITY, quantity)
    facts = {"unit": fitted.unit, "method": fitted.method, "notes": list(fitted.notes)}
    volume.SetAttribute(FACTS, json.dumps({**facts, "quantity": fitted.quantity}))
    for layer, title in LAYERS.items():
        node = volume.GetNodeReference(layer)
        array = getattr(fitted, layer)
        array = array if layer == "status" else np.asarray(array, np.float32)
        node = scene.showArray(array, geometry, f"{NAMES[quantity]} {title}", node)
        node.SetAttribute(LAYER_OF, quantity)
        volume.SetNodeReferenceID(layer, node.GetID())
    _style(volume, quantity)


def placeMap(quantity: str, fromDce) -> None:
    """Show a map where a motion (4, 4) from the DCE to it says, or where the scanner did: None."""
    name = _("{map} to DCE").format(map=NAMES[quantity])
    scene.placeVolume(mapNode(quantity), None if fromDce is None else np.linalg.inv(fromDce), name)


def showDerived(quantity: str, values, geometry: Geometry) -> None:
    """Add a map that follows from T1 before and after, where they lie; none where these were moved apart.

    It is for viewing alone: its ROI value is taken from the others'.
    """
    before, after = mapNode("T1_pre"), mapNode("T1_post")
    if not np.allclose(scene.worldToVolume(before), scene.worldToVolume(after), atol=1e-6):
        return
    volume = scene.showArray(np.asarray(values, np.float32), geometry, NAMES[quantity], mapNode(quantity))
    volume.SetAttribute(QUANTITY, quantity)
    volume.SetAndObserveTransformNodeID(before.GetTransformNodeID())
    _style(volume, quantity)


def removeMaps() -> None:
    """Remove all maps."""
    for quantity in NAMES:
        removeMap(quantity)


def removeMap(quantity: str) -> None:
    """Remove a map with its layers, as far as the scene has them."""
    volume, layers = mapNode(quantity), scene.nodesWith("vtkMRMLScalarVolumeNode", LAYER_OF)
    parts = [node for node in layers if node.GetAttribute(LAYER_OF) == quantity]  # also of a map that is gone
    if volume is not None:
        if quantity not in MEASURED:
            volume.SetAndObserveTransformNodeID(None)  # the transform belongs to T1 before
        parts += [node for layer in LAYERS if (node := volume.GetNodeReference(layer)) not in (*parts, None)]
        parts.append(volume)
    for node in parts:
        scene.removeNode(node)


def mapNode(quantity: str):
    """The volume of a map; None where the scene has none."""
    for node in scene.nodesWith("vtkMRMLScalarVolumeNode", QUANTITY):
        if node.GetAttribute(QUANTITY) == quantity:
            return node
    return None


def layerNode(quantity: str, layer: str):
    """The volume of a map's quality layer, or of its values; None where the scene has none."""
    volume = mapNode(quantity)
    return volume.GetNodeReference(layer) if volume and layer in LAYERS else volume


def layerToShow(quantity: str, layer: str):
    """As :func:`layerNode`, in its colours; a quality layer lies where its map was placed."""
    node = layerNode(quantity, layer)
    if node is not None and layer in LAYERS:
        node.SetAndObserveTransformNodeID(mapNode(quantity).GetTransformNodeID())
        if node.GetDisplayNode() is None:  # few are ever looked at: a legend is made for those alone
            _styleLayer(node, quantity, layer)
    return node


def readMaps() -> dict[str, SceneMap]:
    """The measured maps of the scene that are whole, in the order of the report.

    Raises:
        ValueError: a map lies under a transform that bends.
    """
    found = {}
    for quantity in NAMES:
        volume = mapNode(quantity)
        if volume is None or not volume.GetAttribute(FACTS) or volume.GetImageData() is None:
            continue
        layers = {name: volume.GetNodeReference(name) for name in LAYERS}
        if not all(node and node.GetImageData() for node in layers.values()):
            continue
        found[quantity] = SceneMap(
            _parameterMap(volume, layers), scene.geometryOf(volume), scene.worldToVolume(volume)
        )
    return found


def _parameterMap(volume, layers) -> ParameterMap:
    facts = json.loads(volume.GetAttribute(FACTS))
    arrays = {name: slicer.util.arrayFromVolume(node) for name, node in layers.items()}
    value = slicer.util.arrayFromVolume(volume)
    return ParameterMap(
        value=value,
        m0=value,  # not kept in the scene: no value of a ROI needs it
        quantity=facts["quantity"],
        unit=facts["unit"],
        method=facts["method"],
        notes=tuple(facts["notes"]),
        **arrays,
    )


def _style(volume, quantity: str) -> None:
    style = STYLES[quantity]
    unit = f" ({style.unit})" if style.unit else ""
    labels = f"%5.{style.decimals}f" if style.window[1] < 10 else "%5.0f"
    showInColours(volume, style.colours, style.window, f"{NAMES[quantity]}{unit}", labels)


def _styleLayer(volume, quantity: str, layer: str) -> None:
    """Errors up to a tenth of the map's window; R2 and status over their whole range."""
    style = STYLES[quantity]
    unit = f" ({style.unit})" if style.unit else ""
    looks = {
        "standard_error": (style.colours, (0, style.window[1] / 10), f"SE{unit}", "%5.1f"),
        "r_squared": ("lipari", (0, 1), "R2", "%5.2f"),
        "status": ("lipari", (0, 5), LAYERS["status"], "%5.0f"),
    }
    showInColours(volume, *looks[layer])


def showInColours(volume, colours: str, window, title: str, labels: str) -> None:
    """Show a volume in a table of colours over a window, with a legend; `labels` is a printf format."""
    if volume.GetDisplayNode() is None:
        volume.CreateDefaultDisplayNodes()
    display = volume.GetDisplayNode()
    display.SetAndObserveColorNodeID(scene.colourTable(colours).GetID())
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(*window)
    legend = slicer.modules.colors.logic().AddDefaultColorLegendDisplayNode(volume)
    legend.SetTitleText(title)
    # The legend's font is as large as its longest label fits: labels of one width give one font in all views.
    legend.SetLabelFormat(labels)
    legend.SetSize(0.15, 0.4)
    legend.SetPosition(0.97, 0.05)
