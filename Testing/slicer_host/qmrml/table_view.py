"""Tables of the scene."""

import slicer
import vtk
from PySide6.QtCore import QAbstractTableModel, QModelIndex, Qt, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QTableView, QVBoxLayout, QWidget

from ..observation import Observations
from .widget import qMRMLWidget


class qMRMLTableModel(QAbstractTableModel):
    """Stands for qMRMLTableModel: rows and columns of a table node, with its locked state."""

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._node = None
        self._observations = Observations()

    def _show(self, node) -> None:
        events = {vtk.vtkCommand.ModifiedEvent: self._on_modified}
        self._observations.reconnect(self._node, node, events)
        self._node = node
        self._on_modified(node, None)

    def _on_modified(self, _node, _data) -> None:
        self.beginResetModel()
        self.endResetModel()

    def rowCount(self, parent=QModelIndex()) -> int:  # noqa: B008
        return 0 if self._node is None or parent.isValid() else self._node.GetNumberOfRows()

    def columnCount(self, parent=QModelIndex()) -> int:  # noqa: B008
        return 0 if self._node is None or parent.isValid() else self._node.GetNumberOfColumns()

    def data(self, index, role=Qt.DisplayRole):
        if role in (Qt.DisplayRole, Qt.EditRole):
            return self._node.GetCellText(index.row(), index.column())
        return None

    def setData(self, index, value, role=Qt.EditRole) -> bool:
        return role == Qt.EditRole and self._node.SetCellText(index.row(), index.column(), str(value))

    def headerData(self, section, orientation, role=Qt.DisplayRole):
        if role != Qt.DisplayRole or self._node is None:
            return None
        if orientation == Qt.Vertical:
            return str(section + 1)
        name = self._node.GetColumnName(section)
        return self._node.GetColumnProperty(name, "title") or name

    def flags(self, index):
        editable = self._node is not None and not self._node.GetLocked()
        return super().flags(index) | (Qt.ItemIsEditable if editable else Qt.NoItemFlags)


class qMRMLTableView(QTableView):
    """Stands for qMRMLTableView."""

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._scene = self._view_node = None
        self._observations = Observations()
        self.setModel(qMRMLTableModel(self))

    def tableModel(self) -> qMRMLTableModel:
        return self.model()

    def mrmlScene(self):
        return self._scene

    def mrmlTableNode(self):
        return self.model()._node

    def mrmlTableViewNode(self):
        return self._view_node

    @Slot(object)
    def setMRMLScene(self, scene) -> None:
        events = {slicer.vtkMRMLScene.EndBatchProcessEvent: self._on_view_node_modified}
        self._observations.reconnect(self._scene, scene, events)
        self._scene = scene
        self._on_view_node_modified(None, None)

    @Slot(object)
    def setMRMLTableNode(self, node) -> None:
        self.model()._show(node)
        self.resizeColumnsToContents()

    @Slot(object)
    def setMRMLTableViewNode(self, node) -> None:
        events = {vtk.vtkCommand.ModifiedEvent: self._on_view_node_modified}
        self._observations.reconnect(self._view_node, node, events)
        self._view_node = node
        self._on_view_node_modified(node, None)

    def _on_view_node_modified(self, _node, _data) -> None:
        if self._view_node is None or self._scene is None or self._scene.IsBatchProcessing():
            return
        table = self._scene.GetNodeByID(self._view_node.GetTableNodeID() or "")
        if table is not self.mrmlTableNode():
            self.setMRMLTableNode(table)

    @Slot()
    def copySelection(self) -> None:
        rows: dict[int, list[str]] = {}
        for index in sorted(self.selectedIndexes(), key=lambda i: (i.row(), i.column())):
            rows.setdefault(index.row(), []).append(str(self.model().data(index)))
        QGuiApplication.clipboard().setText("\n".join("\t".join(cells) for cells in rows.values()))


class qMRMLTableWidget(qMRMLWidget):
    """Stands for qMRMLTableWidget."""

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._view = qMRMLTableView(self)
        self._controller = QWidget(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._controller)
        layout.addWidget(self._view, 1)

    def tableView(self) -> qMRMLTableView:
        return self._view

    def viewWidget(self) -> qMRMLTableView:
        return self._view

    def tableController(self) -> QWidget:
        return self._controller

    def mrmlTableViewNode(self):
        return self._view.mrmlTableViewNode()

    @Slot(object)
    def setMRMLScene(self, scene) -> None:
        super().setMRMLScene(scene)
        self._view.setMRMLScene(scene)

    @Slot(object)
    def setMRMLTableViewNode(self, node) -> None:
        self._view.setMRMLTableViewNode(node)

    def pauseRender(self) -> None:
        """A table is no rendering."""

    def resumeRender(self) -> None:
        """A table is no rendering."""

    def _close(self) -> None:
        self._view._observations.disconnect()
        self._view.setMRMLTableNode(None)
