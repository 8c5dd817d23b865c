"""The maps, followed where they are moved: by the Transforms module, or by a transform that is changed."""

import slicer

from . import map_nodes
from .observers import Observers


class MapWatch:
    """Calls `moved` after a map was put elsewhere, whoever did it."""

    def __init__(self, mapsChanged, moved) -> None:
        self._moved = moved
        self._ofMaps, self._ofScene = Observers(), Observers()
        mapsChanged.connect(self._observe)
        self._ofScene.add(slicer.mrmlScene, slicer.vtkMRMLScene.StartCloseEvent, self._onStartClose)

    def cleanup(self) -> None:
        self._ofMaps.clear()
        self._ofScene.clear()

    def _observe(self) -> None:
        self._ofMaps.clear()
        for quantity in map_nodes.NAMES:
            volume = map_nodes.mapNode(quantity)
            if volume is not None:
                self._ofMaps.add(volume, volume.TransformModifiedEvent, self._moved)

    def _onStartClose(self, caller=None, event=None) -> None:
        self._ofMaps.clear()
