"""A slice view with its bar above it."""

import slicer
import vtk
from PySide6.QtCore import Property, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStyle, QToolButton, QVBoxLayout

from ..observation import Observations
from ..pythonqt import kept, with_slots
from .slice_view import qMRMLSliceView
from .slider import qMRMLSliderWidget
from .widget import qMRMLWidget


@with_slots("setShowSliceOffsetSlider")
class qMRMLSliceControllerWidget(qMRMLWidget):
    """Stands for qMRMLSliceControllerWidget: the view's name, its offset slider and *fit to window*."""

    imageDataConnectionChanged = Signal(object)
    renderRequested = Signal()
    nodeAboutToBeEdited = Signal(object)

    sliceOffsetResolution = kept(float, "sliceOffsetResolution", 1.0)
    showSliceOffsetSlider = kept(bool, "showSliceOffsetSlider", True)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._node = None
        self._logic = slicer.vtkMRMLSliceLogic()
        self._logic.SetMRMLApplicationLogic(slicer.app.applicationLogic())
        self._observations = Observations()
        self._logics = vtk.vtkCollection()
        self._label = QLabel(self)
        self._label.alignment = Qt.AlignCenter
        self._label.margin = 4
        self._slider = qMRMLSliderWidget(self)
        self._slider.suffix = "mm"
        self._fit = QToolButton(self)
        self._fit.icon = self.style().standardIcon(QStyle.SP_TitleBarMaxButton)
        self._fit.toolTip = (
            "Adjust the slice viewer's field of view to match the extent of lowest non-None volume layer"
        )
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.spacing = 2
        self.enabled = False
        for widget, stretch in ((self._label, 0), (self._fit, 0), (self._slider, 1)):
            layout.addWidget(widget, stretch)
        self._slider.valueChanged.connect(self.setSliceOffsetValue)
        self._fit.clicked.connect(lambda: self.fitSliceToBackground())
        self._observations.connect(self._logic, vtk.vtkCommand.ModifiedEvent, self._on_logic_modified)

    def _on_logic_modified(self, _caller, _data) -> None:
        node = self._logic.GetSliceNode()
        if node is not self._node:
            events = {vtk.vtkCommand.ModifiedEvent: self._on_node_modified}
            self._observations.reconnect(self._node, node, events)
            self._node = node
            self.enabled = node is not None
            self._on_node_modified(node, None)
        self.imageDataConnectionChanged.emit(self._logic.GetImageDataConnection())
        self._update_slider()
        self.renderRequested.emit()

    def _update_slider(self) -> None:
        limits, resolution = [-1.0, 1.0], vtk.reference(1.0)
        if self._node is None or not self._logic.GetSliceOffsetRangeResolution(limits, resolution):
            return
        blocked = self._slider.blockSignals(True)
        self._slider.minimum, self._slider.maximum = limits
        self._slider.singleStep = float(resolution)
        self._slider.value = self._logic.GetSliceOffset()
        self._slider.blockSignals(blocked)

    def _on_node_modified(self, node, _data) -> None:
        if node is None:
            return
        color = QColor.fromRgbF(*self._node.GetLayoutColor())
        self._label.text = self._node.GetLayoutLabel() or ""
        dark = color.lightnessF() < 0.6
        self._label.styleSheet = f"background: {color.name()}; color: {'white' if dark else 'black'};"

    # What the slice widget and modules call.

    @Slot(object)
    def setMRMLScene(self, scene) -> None:
        super().setMRMLScene(scene)
        if self._logic.GetMRMLScene() is not scene:
            self._logic.SetMRMLScene(scene)

    @Slot(object)
    def setMRMLSliceNode(self, node) -> None:
        self._logic.SetSliceNode(node)
        if node is not None and node.GetScene():
            self.setMRMLScene(node.GetScene())

    def mrmlSliceNode(self):
        return self._node

    def mrmlSliceCompositeNode(self):
        return self._logic.GetSliceCompositeNode()

    def sliceLogic(self):
        return self._logic

    def setSliceLogics(self, logics) -> None:
        self._logics = logics

    def sliceOffsetSlider(self) -> qMRMLSliderWidget:
        return self._slider

    def fitToWindowToolButton(self) -> QToolButton:
        return self._fit

    @Slot()
    def fitSliceToBackground(self) -> None:
        if self._node is None:
            return
        self._logic.StartSliceNodeInteraction(slicer.vtkMRMLSliceNode.ResetFieldOfViewFlag)
        self._logic.FitSliceToBackground()
        self._node.UpdateMatrices()
        self._logic.EndSliceNodeInteraction()

    @Slot(float)
    def setSliceOffsetValue(self, offset: float) -> None:
        application_logic = slicer.app.applicationLogic()
        application_logic.PauseRender()
        self._logic.StartSliceOffsetInteraction()
        self._logic.SetSliceOffset(offset)
        self._logic.EndSliceOffsetInteraction()
        application_logic.ResumeRender()

    @Slot(bool)
    def setSliceLink(self, linked: bool) -> None:
        for logic in (self._logics.GetItemAsObject(i) for i in range(self._logics.GetNumberOfItems())):
            logic.GetSliceCompositeNode().SetLinkedControl(linked)

    @Slot(bool)
    def setHotLinked(self, hot: bool) -> None:
        for logic in (self._logics.GetItemAsObject(i) for i in range(self._logics.GetNumberOfItems())):
            logic.GetSliceCompositeNode().SetHotLinkedControl(hot)

    @Slot(QSize)
    def setSliceViewSize(self, size: QSize) -> None:
        if self._node is not None and size.width() > 0 and size.height() > 0:
            self._logic.ResizeSliceNode(size.width(), size.height())

    @Slot(str)
    def setSliceOrientation(self, orientation: str) -> None:
        self._node.SetOrientation(orientation)


class qMRMLSliceWidget(qMRMLWidget):
    """Stands for qMRMLSliceWidget: the controller bar and the slice view below it."""

    nodeAboutToBeEdited = Signal(object)

    sliceViewName = Property(str, lambda self: self.mrmlSliceNode().GetLayoutName())
    sliceViewLabel = Property(
        str,
        lambda self: self.mrmlSliceNode().GetLayoutLabel(),
        lambda self, v: self.mrmlSliceNode().SetLayoutLabel(v),
    )
    sliceOrientation = Property(
        str,
        lambda self: self.mrmlSliceNode().GetOrientation(),
        lambda self, v: self.mrmlSliceNode().SetOrientation(v),
    )

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._observations = Observations()
        self._controller = qMRMLSliceControllerWidget(self)
        self._view = qMRMLSliceView(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.spacing = 0
        layout.addWidget(self._controller)
        layout.addWidget(self._view, 1)
        self._view.interactorObserver().SetSliceLogic(self._controller.sliceLogic())
        self._view.resized.connect(self._on_resized)
        self._controller.imageDataConnectionChanged.connect(self._view.setImageDataConnection)
        self._controller.renderRequested.connect(self._view.scheduleRender)
        self._view.setImageDataConnection(self.sliceLogic().GetImageDataConnection())

    def _on_resized(self, size: QSize) -> None:
        self._controller.setSliceViewSize(size * self._view.devicePixelRatioF())

    def _on_batch_end(self, _scene, _data) -> None:
        # A closed scene gives the slice node its default size.
        self._on_resized(self._view.size)

    @Slot(object)
    def setMRMLScene(self, scene) -> None:
        events = {slicer.vtkMRMLScene.EndBatchProcessEvent: self._on_batch_end}
        self._observations.reconnect(self.mrmlScene(), scene, events)
        super().setMRMLScene(scene)
        self._controller.setMRMLScene(scene)
        self._view.setMRMLScene(scene)

    @Slot(object)
    def setMRMLSliceNode(self, node) -> None:
        self._controller.setMRMLSliceNode(node)
        self._view.setMRMLSliceNode(node)
        self._on_resized(self._view.size)

    def setSliceLogics(self, logics) -> None:
        self._controller.setSliceLogics(logics)

    def sliceController(self) -> qMRMLSliceControllerWidget:
        return self._controller

    def controllerWidget(self) -> qMRMLSliceControllerWidget:
        return self._controller

    def sliceView(self) -> qMRMLSliceView:
        return self._view

    def viewWidget(self) -> qMRMLSliceView:
        return self._view

    def sliceLogic(self):
        return self._controller.sliceLogic()

    def logic(self):
        return self._controller.sliceLogic()

    def mrmlSliceNode(self):
        return self._controller.mrmlSliceNode()

    def mrmlAbstractViewNode(self):
        return self._controller.mrmlSliceNode()

    def mrmlSliceCompositeNode(self):
        return self._controller.mrmlSliceCompositeNode()

    def interactorStyle(self):
        return self._view.interactorStyle()

    def overlayCornerAnnotation(self):
        return self._view.cornerAnnotation()

    @Slot()
    def fitSliceToBackground(self) -> None:
        self._controller.fitSliceToBackground()

    def pauseRender(self) -> None:
        self._view.pauseRender()

    def resumeRender(self) -> None:
        self._view.resumeRender()

    def _close(self) -> None:
        self._observations.disconnect()
        self._controller._observations.disconnect()
        self._view._close()
        self._view.interactorObserver().SetSliceLogic(None)
        self._controller._logic.SetMRMLScene(None)
