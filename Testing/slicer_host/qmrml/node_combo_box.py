"""The combo box in which a node of the scene is chosen."""

import slicer
import vtk
from PySide6.QtCore import Property, Signal, Slot
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QInputDialog, QWidget

from ..observation import Observations
from ..pythonqt import kept


class qMRMLNodeComboBox(QWidget):
    """Stands for qMRMLNodeComboBox: always shows the scene's nodes of the wanted types."""

    currentNodeChanged = Signal((object,), (bool,))
    currentNodeIDChanged = Signal(str)
    currentNodeRenamed = Signal(str)
    nodeActivated = Signal(object)
    nodeAdded = Signal(object)
    nodeAddedByUser = Signal(object)
    nodeAddedByUserAction = Signal(object)
    nodeAboutToBeRemoved = Signal(object)
    nodeAboutToBeEdited = Signal(object)

    interactionNodeSingletonTag = kept(str, "interactionNodeSingletonTag", "Singleton")
    selectNodeUponCreation = kept(bool, "selectNodeUponCreation", True)
    sizeAdjustPolicy = kept(int, "sizeAdjustPolicy", 0)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._scene = None
        self._observations = Observations()
        self._candidates: list = []
        self._nodes: list = []
        self._current = None
        self._attributes: dict[tuple[str, str], object] = {}
        self._base_names: dict[str, str] = {}
        self._type_labels: dict[str, str] = {}
        self._user_actions: list = []
        self._options = {"noneEnabled": False, "addEnabled": True, "removeEnabled": True}
        self._options |= {"editEnabled": False, "renameEnabled": False, "showHidden": False}
        self._options |= {"showChildNodeTypes": True, "nodeTypes": (), "hideChildNodeTypes": ()}
        self._options |= {"noneDisplay": "None"}
        self._combo = QComboBox(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._combo)
        self._combo.activated.connect(self._on_activated)
        self.enabled = False

    def _option(type_, name):  # noqa: N805
        def write(self, value):
            self._options[name] = tuple(value) if isinstance(value, tuple | list) else value
            self._refresh()

        return Property(type_, lambda self: self._options[name], write)

    noneEnabled = _option(bool, "noneEnabled")
    addEnabled = _option(bool, "addEnabled")
    removeEnabled = _option(bool, "removeEnabled")
    editEnabled = _option(bool, "editEnabled")
    renameEnabled = _option(bool, "renameEnabled")
    showHidden = _option(bool, "showHidden")
    showChildNodeTypes = _option(bool, "showChildNodeTypes")
    nodeTypes = _option("QStringList", "nodeTypes")
    hideChildNodeTypes = _option("QStringList", "hideChildNodeTypes")
    noneDisplay = _option(str, "noneDisplay")
    del _option

    currentNodeID = Property(
        str,
        lambda self: self._current.GetID() if self._current else "",
        lambda self, node_id: self.setCurrentNodeID(node_id),
        notify=currentNodeIDChanged,
    )
    baseName = Property(
        str,
        lambda self: self._base_names.get(self._options["nodeTypes"][0], "") if self.nodeTypes else "",
        lambda self, name: self._base_names.update(dict.fromkeys(self.nodeTypes, name)),
    )

    # The scene.

    def mrmlScene(self):
        return self._scene

    @Slot(object)
    def setMRMLScene(self, scene) -> None:
        if scene is self._scene:
            return
        events = {
            slicer.vtkMRMLScene.NodeAddedEvent: self._on_node_added,
            slicer.vtkMRMLScene.NodeAboutToBeRemovedEvent: self._on_node_about_to_be_removed,
            slicer.vtkMRMLScene.NodeRemovedEvent: self._on_scene_changed,
            slicer.vtkMRMLScene.EndImportEvent: self._on_scene_changed,
            slicer.vtkMRMLScene.EndCloseEvent: self._on_scene_changed,
        }
        self._observations.reconnect(self._scene, scene, events)
        self._scene = scene
        self.enabled = scene is not None
        self._refresh()

    def _on_node_added(self, _scene, node) -> None:
        if self._scene.IsImporting() or not self._has_type(node):
            return
        self._refresh()
        if node in self._nodes:
            self.nodeAdded.emit(node)

    def _on_node_about_to_be_removed(self, _scene, node) -> None:
        if node in self._nodes:
            self.nodeAboutToBeRemoved.emit(node)

    def _on_scene_changed(self, _scene, _data) -> None:
        if not (self._scene.IsImporting() or self._scene.IsClosing()):
            self._refresh()

    def _on_node_modified(self, node, _data) -> None:
        if (node in self._nodes) != self._accepts(node):
            self._refresh()
        if node not in self._nodes:
            return
        row = self._nodes.index(node) + self._first_row()
        if self._combo.itemText(row) != node.GetName():
            self._combo.setItemText(row, node.GetName())
            if node is self._current:
                self.currentNodeRenamed.emit(node.GetName())

    # Which nodes are shown.

    def _has_type(self, node) -> bool:
        options = self._options
        if any(node.IsA(name) for name in options["hideChildNodeTypes"]):
            return False
        if options["showChildNodeTypes"]:
            return any(node.IsA(name) for name in options["nodeTypes"])
        return node.GetClassName() in options["nodeTypes"]

    def _accepts(self, node) -> bool:
        if not self._has_type(node) or (node.GetHideFromEditors() and not self._options["showHidden"]):
            return False
        return all(
            self._attribute_matches(node, name, value)
            for (type_, name), value in self._attributes.items()
            if node.IsA(type_)
        )

    @staticmethod
    def _attribute_matches(node, name: str, value) -> bool:
        actual = node.GetAttribute(name)
        return actual is not None and (value is None or actual == str(value))

    def _refresh(self) -> None:
        for node in self._candidates:
            self._observations.disconnect(node)
        everything = [] if self._scene is None else map(self._scene.GetNthNode, self._indices())
        # A node that is not shown now may be shown once its attributes change.
        self._candidates = [node for node in everything if self._has_type(node)]
        for node in self._candidates:
            self._observations.connect(node, vtk.vtkCommand.ModifiedEvent, self._on_node_modified)
        self._nodes = [node for node in self._candidates if self._accepts(node)]
        self._fill()
        # Slicer never selects a node by itself, whether None is offered or not.
        self._select(self._current if self._current in self._nodes else None)

    def _indices(self) -> range:
        return range(self._scene.GetNumberOfNodes())

    def _first_row(self) -> int:
        return 1 if self.noneEnabled else 0

    def _fill(self) -> None:
        self._combo.clear()
        if self.noneEnabled:
            self._combo.addItem(self.noneDisplay)
        for node in self._nodes:
            self._combo.addItem(node.GetName())
        actions = list(self._actions())
        if actions:
            self._combo.insertSeparator(self._combo.count)
        for text, action in actions:
            self._combo.addItem(text, action)

    def _actions(self):
        if self.addEnabled:
            for type_ in self.nodeTypes:
                yield f"Create new {self.nodeTypeLabel(type_)}", lambda t=type_: self._add_by_user(t)
        if self._current is not None and self.removeEnabled:
            yield "Delete current node", self.removeCurrentNode
        if self._current is not None and self.renameEnabled:
            yield "Rename current node", self.renameCurrentNode
        if self._current is not None and self.editEnabled:
            yield "Edit current node", self.editCurrentNode
        yield from ((action.text, action.trigger) for action in self._user_actions)

    def _select(self, node) -> None:
        changed = node is not self._current
        self._current = node
        if changed:
            self._fill()
        row = self._first_row() + self._nodes.index(node) if node is not None else self._first_row() - 1
        self._combo.currentIndex = row
        if changed:
            self.currentNodeChanged.emit(node)
            self.currentNodeChanged[bool].emit(node is not None)
            self.currentNodeIDChanged.emit(self.currentNodeID)

    def _on_activated(self, row: int) -> None:
        action = self._combo.itemData(row)
        if callable(action):
            self._combo.currentIndex = self._first_row() - 1
            self._select(self._current)
            action()
            return
        index = row - self._first_row()
        node = self._nodes[index] if index >= 0 else None
        self._select(node)
        self.nodeActivated.emit(node)

    # What modules call.

    def currentNode(self):
        return self._current

    def currentNodeId(self) -> str:
        return self.currentNodeID

    @Slot(object)
    def setCurrentNode(self, node) -> None:
        if isinstance(node, str):
            self.setCurrentNodeID(node)
        else:
            self._select(node if node in self._nodes else None)

    @Slot(str)
    def setCurrentNodeID(self, node_id: str | None) -> None:
        self._select(next((node for node in self._nodes if node.GetID() == node_id), None))

    @Slot(int)
    def setCurrentNodeIndex(self, index: int) -> None:
        self._select(self.nodeFromIndex(index))

    def nodeCount(self) -> int:
        return len(self._nodes)

    def nodeFromIndex(self, index: int):
        return self._nodes[index] if 0 <= index < len(self._nodes) else None

    def addAttribute(self, node_type: str, name: str, value=None) -> None:
        self._attributes[node_type, name] = value
        self._refresh()

    def removeAttribute(self, node_type: str, name: str) -> None:
        self._attributes.pop((node_type, name), None)
        self._refresh()

    def setNodeTypeLabel(self, label: str, node_type: str) -> None:
        self._type_labels[node_type] = label
        self._fill()

    def nodeTypeLabel(self, node_type: str) -> str:
        default = self._scene.GetTypeDisplayNameByClassName(node_type) if self._scene else node_type
        return self._type_labels.get(node_type) or default

    def addMenuAction(self, action) -> None:
        self._user_actions.append(action)
        self._fill()

    def addNode(self, node_type: str | None = None):
        type_ = node_type or self.nodeTypes[0]
        node = self._scene.CreateNodeByClass(type_)
        node.UnRegister(None)
        for (attribute_type, name), value in self._attributes.items():
            if node.IsA(attribute_type):
                node.SetAttribute(name, "" if value is None else str(value))
        base = self._base_names.get(type_) or node.GetNodeTagName()
        node.SetName(self._scene.GetUniqueNameByString(base))
        node = self._scene.AddNode(node)
        if self.selectNodeUponCreation:
            self.setCurrentNode(node)
        return node

    def _add_by_user(self, node_type: str) -> None:
        node = self.addNode(node_type)
        self.nodeAddedByUser.emit(node)
        self.nodeAddedByUserAction.emit(node)

    @Slot()
    def removeCurrentNode(self) -> None:
        if self._current is not None:
            self._scene.RemoveNode(self._current)

    @Slot()
    def editCurrentNode(self) -> None:
        self.nodeAboutToBeEdited.emit(self._current)

    @Slot()
    def renameCurrentNode(self) -> None:
        if self._current is None:
            return
        name, accepted = QInputDialog.getText(self, "Rename", "New name:", text=self._current.GetName())
        if accepted:
            self._current.SetName(name)
