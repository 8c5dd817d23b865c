"""The score map in the scene: the probability of every voxel, and its uncertainty, in percent.

It is made anew by a click, so it is never saved with the scene.
"""

import numpy as np
from slicer.i18n import tr as _

from . import map_nodes, scene

LAYER = "HER2Map.ScoreMap"
PROBABILITY, SD = "probability", "sd"
LAYERS = (PROBABILITY, SD)
_NAMES = {PROBABILITY: _("score map (exploratory)"), SD: _("score map, SD (exploratory)")}
_LOOKS = {
    PROBABILITY: ("vik", (0, 100), _("Score (%), exploratory"), "%5.0f"),
    SD: ("lipari", (0, 50), _("SD (%), exploratory"), "%5.0f"),
}
"""The SD of what lies between 0 and 100 cannot exceed 50."""


def show(scored) -> None:
    """Show a `her2map.score.voxels.ScoreMap` where the map lies whose grid it has."""
    place = map_nodes.mapNode(scored.grid_of)
    for layer, array in {PROBABILITY: scored.probability, SD: scored.probability_sd}.items():
        percent = np.asarray(100 * array, np.float32)
        node = scene.showArray(percent, scored.geometry, _NAMES[layer], nodeOf(layer))
        node.SetAttribute(LAYER, layer)
        node.SetAndObserveTransformNodeID(place.GetTransformNodeID() if place else None)
        _style(node, layer)


def nodeOf(layer: str):
    """The volume of a layer; None where there is none."""
    found = scene.nodesWith("vtkMRMLScalarVolumeNode", LAYER)
    return next((node for node in found if node.GetAttribute(LAYER) == layer), None)


def remove() -> None:
    for node in scene.nodesWith("vtkMRMLScalarVolumeNode", LAYER):
        node.SetAndObserveTransformNodeID(None)  # the transform belongs to the map
        scene.removeNode(node)


def _style(node, layer: str) -> None:
    """Voxels without a score, which are not a number, pass no threshold: the image below shows."""
    colours, window, title, labels = _LOOKS[layer]
    map_nodes.showInColours(node, colours, window, title, labels)
    display = node.GetScalarVolumeDisplayNode()
    display.SetInterpolate(False)
    display.SetThreshold(*window)
    display.SetApplyThreshold(True)
    for part in (node, *(node.GetNthDisplayNode(i) for i in range(node.GetNumberOfDisplayNodes()))):
        part.SetSaveWithScene(False)
