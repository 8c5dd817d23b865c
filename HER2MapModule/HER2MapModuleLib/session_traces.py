"""What a reader's session leaves behind in Slicer: nothing, neither in the scene nor in a file."""

import slicer
import vtk

from .observers import Observers


class Traces:
    """A saved scene, or what was drawn in another module, would show a reader what he drew the last time."""

    def __init__(self, clipboard) -> None:
        self._clipboard = clipboard
        self._ofScene = Observers()

    def begin(self) -> None:
        """From now on whatever is added to the scene stays out of files."""
        self.clear()
        self._ofScene.add(slicer.mrmlScene, slicer.vtkMRMLScene.NodeAddedEvent, self._onNodeAdded)

    def end(self) -> None:
        """Nothing of the session is left; what is added to the scene now is somebody else's."""
        self._ofScene.clear()
        self.clear()

    def clear(self) -> None:
        """Close the scene: also what the reader put into it, in whatever module."""
        self._clipboard.forget()
        with slicer.util.RenderBlocker():
            slicer.mrmlScene.Clear(0)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeAdded(self, caller, event, node) -> None:
        """Views and parameters are singletons: they outlive the session, and tell nothing of a drawing."""
        if node is not None and not node.GetSingletonTag():
            node.SetSaveWithScene(False)
