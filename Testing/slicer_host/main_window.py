"""The main window: the module at the left, the views at the right."""

import slicer
from PySide6.QtCore import Property, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDockWidget,
    QFrame,
    QLabel,
    QMainWindow,
    QScrollArea,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from .pythonqt import kept


class qSlicerModulePanel(QScrollArea):
    """Stands for qSlicerModulePanel: shows one module's widget, which it enters and leaves."""

    helpAndAcknowledgmentVisible = kept(bool, "helpAndAcknowledgmentVisible", True)

    moduleAdded = Signal(str)
    moduleAboutToBeRemoved = Signal(str)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self.setObjectName("ModulePanel")
        self.widgetResizable = True
        self.frameShape = QFrame.NoFrame
        self.horizontalScrollBarPolicy = Qt.ScrollBarAlwaysOff
        self._module = ""
        self._content = QWidget(self)
        self._content.setObjectName("ModulePanelContents")
        layout = QVBoxLayout(self._content)
        layout.setContentsMargins(2, 2, 2, 2)
        self.setWidget(self._content)

    @Slot(str)
    def setModule(self, name: str) -> None:
        if name == self._module:
            return
        self._remove_current()
        self._module = name
        module = slicer.app.moduleManager().module(name)
        widget = module.widgetRepresentation() if module else None
        if widget is not None:
            self._content.layout().addWidget(widget)
            widget.show()
            widget.enter()
            self.minimumWidth = max(360, widget.minimumSizeHint.width() + 30)
            self.moduleAdded.emit(name)

    def _remove_current(self) -> None:
        module = slicer.app.moduleManager().module(self._module)
        widget = module.widgetRepresentation() if module else None
        if widget is not None:
            self.moduleAboutToBeRemoved.emit(self._module)
            widget.exit()
            self._content.layout().removeWidget(widget)
            widget.hide()
            widget.setParent(None)


class qSlicerModuleSelectorToolBar(QToolBar):
    """Stands for qSlicerModuleSelectorToolBar."""

    moduleSelected = Signal(str)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self.setObjectName("ModuleSelectorToolBar")
        self._selected = ""
        self._combo = QComboBox(self)
        self._combo.sizeAdjustPolicy = QComboBox.AdjustToContents
        self.addWidget(QLabel("Modules: ", self))
        self.addWidget(self._combo)
        self._combo.currentIndexChanged.connect(lambda row: self.selectModule(self._combo.itemData(row)))

    selectedModule = Property(
        str, lambda self: self._selected, lambda self, name: self.selectModule(name), notify=moduleSelected
    )

    @Slot(str)
    def selectModule(self, name: str) -> None:
        module = slicer.app.moduleManager().module(name)
        if name == self._selected or (name and module is None):
            return
        self._selected = name
        blocked = self._combo.blockSignals(True)
        if module is not None and self._combo.findData(name) < 0:
            self._combo.addItem(module.title, name)
        self._combo.currentIndex = self._combo.findData(name)
        self._combo.blockSignals(blocked)
        self.moduleSelected.emit(name)


class qSlicerMainWindow(QMainWindow):
    """Stands for qSlicerMainWindow, which ``slicer.util.mainWindow()`` finds by its object name."""

    initialWindowShown = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("qSlicerMainWindow")
        self.windowTitle = "3D Slicer 5.12 (host for tests, without Slicer)"
        self._selector = qSlicerModuleSelectorToolBar(self)
        self.addToolBar(self._selector)
        self._panel = qSlicerModulePanel()
        dock = QDockWidget("", self)
        dock.setObjectName("PanelDockWidget")
        dock.setWidget(self._panel)
        self.addDockWidget(Qt.LeftDockWidgetArea, dock)
        central = QFrame(self)
        central.setObjectName("CentralWidgetLayoutFrame")
        self.setCentralWidget(central)
        self._selector.moduleSelected.connect(self._panel.setModule)
        self.statusBar()
        self.resize(1400, 900)

    def moduleSelector(self) -> qSlicerModuleSelectorToolBar:
        return self._selector
