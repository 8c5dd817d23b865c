"""Base classes of the widgets that know a scene."""

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QWidget


class qMRMLWidget(QWidget):
    """Stands for qMRMLWidget: a widget with a scene, which it hands on to its children by a signal."""

    mrmlSceneChanged = Signal(object)

    def __init__(self, *args):
        super().__init__(*args)
        self._scene = None

    def mrmlScene(self):
        return self._scene

    @Slot(object)
    def setMRMLScene(self, scene) -> None:
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)


class qSlicerWidget(QWidget):
    """Stands for qSlicerWidget, which the ``.ui`` files of Slicer modules use as their root."""

    mrmlSceneChanged = Signal(object)

    def __init__(self, *args):
        super().__init__(*args)
        self._scene = None

    @Slot(object)
    def setMRMLScene(self, scene) -> None:
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)
