"""Which views there are, and how they are arranged."""

import shiboken6
import slicer
import vtk
from PySide6.QtCore import Property, QObject, Signal, Slot
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from ..observation import Observations
from . import layout_xml
from .plot_view import qMRMLPlotWidget
from .slice_widget import qMRMLSliceWidget
from .table_view import qMRMLTableWidget

_VIEW_CLASSES = {
    "vtkMRMLSliceNode": qMRMLSliceWidget,
    "vtkMRMLPlotViewNode": qMRMLPlotWidget,
    "vtkMRMLTableViewNode": qMRMLTableWidget,
}


class qMRMLLayoutManager(QObject):
    """Stands for qMRMLLayoutManager and its view factories; 3D views are left out (an empty frame)."""

    layoutChanged = Signal(int)
    nodeAboutToBeEdited = Signal(object)

    threeDViewCount = Property(int, lambda self: 0)
    plotViewCount = Property(int, lambda self: len(self._of_class("vtkMRMLPlotViewNode")))
    tableViewCount = Property(int, lambda self: len(self._of_class("vtkMRMLTableViewNode")))
    layout = Property(
        int,
        lambda self: self._node.GetViewArrangement() if self._node else 0,
        lambda self, value: self.setLayout(value),
        notify=layoutChanged,
    )

    def __init__(self, viewport: QWidget, parent=None) -> None:
        super().__init__(parent)
        self._viewport = viewport
        QVBoxLayout(viewport).setContentsMargins(0, 0, 0, 0)
        self._scene = self._node = self._container = None
        self._description = ""
        self._widgets: dict[object, QWidget] = {}
        self._pauses = 0
        self._observations = Observations()
        self._logic = slicer.vtkMRMLLayoutLogic()
        self._slice_logics = vtk.vtkCollection()
        self._view_logics = vtk.vtkCollection()

    # The scene and its view nodes.

    def mrmlScene(self):
        return self._scene

    @Slot(object)
    def setMRMLScene(self, scene) -> None:
        if scene is self._scene:
            return
        self._forget_views(list(self._widgets))
        events = {
            slicer.vtkMRMLScene.NodeAddedEvent: self._on_node_added,
            slicer.vtkMRMLScene.NodeRemovedEvent: self._on_node_removed,
            slicer.vtkMRMLScene.EndBatchProcessEvent: self._on_batch_end,
        }
        self._observations.disconnect()
        self._scene, self._node = scene, None
        if scene is not None:
            self._observations.reconnect(None, scene, events)
            self._logic.SetMRMLScene(scene)
            self._on_batch_end(scene, None)
        else:
            self._logic.SetMRMLScene(None)

    def _on_node_added(self, scene, node) -> None:
        # In a batch the nodes that a view needs (its composite node) may still be missing.
        if not scene.IsBatchProcessing() and node.IsA("vtkMRMLAbstractViewNode"):
            self._add_view(node)

    def _on_node_removed(self, _scene, node) -> None:
        if node in self._widgets:
            self._forget_views([node])

    def _on_batch_end(self, scene, _data) -> None:
        if scene.IsBatchProcessing():
            return
        self._forget_views([node for node in self._widgets if node.GetScene() is not scene])
        for name in _VIEW_CLASSES:
            for node in slicer.util.getNodesByClass(name, scene):
                self._add_view(node)
        self._observe_layout_node()

    def _observe_layout_node(self) -> None:
        node = self._logic.GetLayoutNode()
        if node is not self._node:
            events = {vtk.vtkCommand.ModifiedEvent: self._on_layout_modified}
            self._observations.reconnect(self._node, node, events)
            self._node = node
        self._on_layout_modified(node, None)

    # Views.

    def _add_view(self, node) -> None:
        make = next((cls for name, cls in _VIEW_CLASSES.items() if node.IsA(name)), None)
        if make is None or node in self._widgets or node.GetParentLayoutNode():
            return
        widget = make(self._viewport)
        widget.hide()
        widget.setObjectName(make.__name__ + (node.GetLayoutName() or ""))
        self._widgets[node] = widget
        if make is qMRMLSliceWidget:
            self._add_slice_widget(widget, node)
        elif make is qMRMLPlotWidget:
            widget.setMRMLScene(self._scene)
            widget.setMRMLPlotViewNode(node)
        else:
            widget.setMRMLScene(self._scene)
            widget.setMRMLTableViewNode(node)
        for _ in range(self._pauses):
            widget.pauseRender()

    def _add_slice_widget(self, widget: qMRMLSliceWidget, node) -> None:
        # The logic is known to the others before its node is, so that color legends find it.
        widget.setSliceLogics(self._slice_logics)
        self._slice_logics.AddItem(widget.sliceLogic())
        widget.sliceLogic().SetDisplayableManagerGroup(widget.sliceView()._group)
        widget.setMRMLSliceNode(node)
        widget.setMRMLScene(self._scene)

    def _forget_views(self, nodes: list) -> None:
        for node in nodes:
            widget = self._widgets.pop(node)
            if isinstance(widget, qMRMLSliceWidget):
                self._slice_logics.RemoveItem(widget.sliceLogic())
            widget._close()
            widget.setParent(None)
            widget.deleteLater()
        if nodes:
            self._description = ""

    def _of_class(self, name: str) -> list:
        return [node for node in self._widgets if node.IsA(name)]

    # The arrangement.

    def _on_layout_modified(self, node, _data) -> None:
        if self._scene is None or self._scene.IsBatchProcessing():
            return
        description = node.GetCurrentLayoutDescription() or ""
        for index in range(node.GetNumberOfMaximizedViewNodes()):
            view_node = node.GetMaximizedViewNode(index)
            description = self._logic.GetMaximizedViewLayoutDescription(view_node, description)
        if description and description != self._description:
            self._description = description
            self._arrange(description)
            self.layoutChanged.emit(node.GetViewArrangement())

    def _arrange(self, description: str) -> None:
        for node, widget in self._widgets.items():
            widget.hide()
            widget.setParent(self._viewport)
            node.SetMappedInLayout(False)
        if self._container is not None and shiboken6.isValid(self._container):
            self._viewport.layout().removeWidget(self._container)
            self._container.deleteLater()
        self._container = layout_xml.build(description, self._find_view)
        self._viewport.layout().addWidget(self._container)
        self._container.show()

    def _find_view(self, attributes: dict[str, str]) -> tuple[QWidget, str]:
        name, tag = attributes["class"], attributes.get("singletontag", "")
        node = self._scene.GetSingletonNode(tag, name) if tag else None
        if node is None or not any(node.IsA(known) for known in _VIEW_CLASSES):
            return QLabel(), tag
        self._add_view(node)
        node.SetMappedInLayout(True)
        widget = self._widgets[node]
        widget.setVisible(True)
        return widget, node.GetLayoutLabel() or tag

    # What modules call.

    def viewport(self) -> QWidget:
        return self._viewport

    def layoutLogic(self):
        return self._logic

    def mrmlSliceLogics(self):
        return self._slice_logics

    def mrmlViewLogics(self):
        return self._view_logics

    def sliceViewNames(self) -> tuple[str, ...]:
        return tuple(node.GetLayoutName() for node in self._of_class("vtkMRMLSliceNode"))

    def sliceWidget(self, name: str) -> qMRMLSliceWidget | None:
        found = (node for node in self._of_class("vtkMRMLSliceNode") if node.GetLayoutName() == name)
        return self._widgets.get(next(found, None))

    def plotWidget(self, index: int) -> qMRMLPlotWidget | None:
        return self._nth("vtkMRMLPlotViewNode", index)

    def tableWidget(self, index: int) -> qMRMLTableWidget | None:
        return self._nth("vtkMRMLTableViewNode", index)

    def _nth(self, name: str, index: int) -> QWidget | None:
        nodes = self._of_class(name)
        return self._widgets[nodes[index]] if 0 <= index < len(nodes) else None

    def viewWidget(self, node) -> QWidget | None:
        return self._widgets.get(node)

    def viewWidgets(self) -> tuple[QWidget, ...]:
        return tuple(self._widgets.values())

    @Slot(int)
    def setLayout(self, layout: int) -> None:
        if self._node is not None:
            self._node.RemoveAllMaximizedViewNodes()
            self._node.SetViewArrangement(layout)

    @Slot(object)
    def addMaximizedViewNode(self, view_node) -> None:
        self._node.AddMaximizedViewNode(view_node)

    @Slot(object)
    def removeMaximizedViewNode(self, view_node) -> None:
        self._node.RemoveMaximizedViewNode(view_node)

    @Slot()
    def removeAllMaximizedViewNodes(self) -> None:
        self._node.RemoveAllMaximizedViewNodes()

    @Slot()
    def resetSliceViews(self) -> None:
        for node in self._of_class("vtkMRMLSliceNode"):
            self._widgets[node].fitSliceToBackground()

    @Slot()
    def resetThreeDViews(self) -> None:
        """There is none to reset."""

    @Slot(bool)
    def setRenderPaused(self, pause: bool) -> None:
        self._pauses = max(0, self._pauses + (1 if pause else -1))
        for widget in self._widgets.values():
            if pause:
                widget.pauseRender()
            else:
                widget.resumeRender()

    @Slot()
    def pauseRender(self) -> None:
        self.setRenderPaused(True)

    @Slot()
    def resumeRender(self) -> None:
        self.setRenderPaused(False)
