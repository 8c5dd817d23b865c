"""A slice of the scene: real displayable managers over the picture of a real slice logic."""

import slicer
import vtk
from PySide6.QtCore import QSize, QTimer, Signal, Slot

from ..observation import Observations
from .vtk_view import ctkVTKAbstractView

# Those of qMRMLSliceView itself; the modules register theirs.
_DISPLAYABLE_MANAGERS = (
    "vtkMRMLVolumeGlyphSliceDisplayableManager",
    "vtkMRMLModelSliceDisplayableManager",
    "vtkMRMLCrosshairDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLScalarBarDisplayableManager",
)


class qMRMLSliceView(ctkVTKAbstractView):
    """Stands for qMRMLSliceView. A single image actor takes the place of CTK's light box."""

    resized = Signal(QSize)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._scene = self._node = None
        self._observations = Observations()
        self._mapper = vtk.vtkImageMapper()
        self._mapper.SetColorWindow(255)
        self._mapper.SetColorLevel(127.5)
        self._image = vtk.vtkActor2D()
        self._image.SetMapper(self._mapper)
        self._image.GetProperty().SetDisplayLocationToBackground()
        self._image.VisibilityOff()
        self._renderer = vtk.vtkRenderer()
        self._renderer.GetActiveCamera().ParallelProjectionOn()
        self._renderer.AddViewProp(self._image)
        self._corner = vtk.vtkCornerAnnotation()
        self._renderer.AddViewProp(self._corner)
        self._window.AddRenderer(self._renderer)
        self._interactor.SetInteractorStyle(vtk.vtkInteractorStyleUser())
        self._style = slicer.vtkMRMLSliceViewInteractorStyle()
        self._make_displayable_managers()
        logic = slicer.app.applicationLogic()
        self._observations.connect(logic, logic.ShowViewContextMenuEvent, self._on_context_menu)
        self._style.SetInteractor(self._interactor)
        # Picking needs a context before the first picture is asked for, as in qMRMLSliceView.
        self._window.Render()

    def _make_displayable_managers(self) -> None:
        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        for name in _DISPLAYABLE_MANAGERS:
            if not factory.IsDisplayableManagerRegistered(name):
                factory.RegisterDisplayableManager(name)
        self._group = slicer.vtkMRMLDisplayableManagerGroup()
        self._group.Initialize(factory, self._renderer)
        self._style.SetDisplayableManagers(self._group)
        self._observations.connect(self._group, vtk.vtkCommand.UpdateEvent, self._on_render_requested)

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self.resized.emit(event.size())

    def _on_render_requested(self, _caller, _data) -> None:
        self.scheduleRender()

    def _on_context_menu(self, _logic, event_data) -> None:
        if event_data is not None and event_data.GetViewNode() is self._node:
            QTimer.singleShot(0, self._lose_mouse)

    def _lose_mouse(self) -> None:
        """Slicer's context menu takes the mouse from the view, which ends the right button's action."""
        self._interactor.InvokeEvent("LeaveEvent")
        self._interactor.InvokeEvent("EnterEvent")

    def _ready(self) -> bool:
        return self._scene is not None and not self._scene.IsBatchProcessing()

    @Slot(object)
    def setMRMLScene(self, scene) -> None:
        if scene is self._scene:
            return
        events = {slicer.vtkMRMLScene.EndBatchProcessEvent: self._on_render_requested}
        self._observations.reconnect(self._scene, scene, events)
        self._scene = scene
        self.scheduleRender()

    @Slot(object)
    def setMRMLSliceNode(self, node) -> None:
        if node is self._node:
            return
        self._node = node
        self._group.SetMRMLDisplayableNode(node)
        self.enabled = node is not None

    def setImageDataConnection(self, connection) -> None:
        self._mapper.SetInputConnection(connection)
        self._image.SetVisibility(connection is not None)
        self.scheduleRender()

    def mrmlSliceNode(self):
        return self._node

    def interactorObserver(self):
        return self._style

    def displayableManagerByClassName(self, name: str):
        return self._group.GetDisplayableManagerByClassName(name)

    def getDisplayableManagers(self, collection) -> None:
        for index in range(self._group.GetDisplayableManagerCount()):
            collection.AddItem(self._group.GetNthDisplayableManager(index))

    def cornerAnnotation(self):
        return self._corner

    def convertDeviceToXYZ(self, xy) -> list[float]:
        return self._convert("ConvertDeviceToXYZ", *xy)

    def convertRASToXYZ(self, ras) -> list[float]:
        return self._convert("ConvertRASToXYZ", ras)

    def convertXYZToRAS(self, xyz) -> list[float]:
        return self._convert("ConvertXYZToRAS", xyz)

    def _convert(self, method: str, *position) -> list[float]:
        result = [0.0, 0.0, 0.0]
        manager = self._group.GetDisplayableManagerByClassName("vtkMRMLCrosshairDisplayableManager")
        getattr(manager, method)(*position, result)
        return result

    def _close(self) -> None:
        """Let go of the scene and the graphics context, in the order of the C++ destructor."""
        self._timer.stop()
        self._observations.disconnect()
        self._style.SetInteractor(None)
        self._style.SetDisplayableManagers(None)
        self._group.SetMRMLDisplayableNode(None)
        self._group.SetRenderer(None)
        self._window.RemoveRenderer(self._renderer)
        self._window.Finalize()
