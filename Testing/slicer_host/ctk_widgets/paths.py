"""Widgets of CTK with which a file or a folder is chosen."""

import enum
from pathlib import Path

from PySide6.QtCore import Property, QSettings, Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QPushButton, QToolButton, QWidget

from ..pythonqt import kept, with_slots


class _Filter(enum.IntFlag):
    Dirs = 0x001
    Files = 0x002
    Drives = 0x004
    NoSymLinks = 0x008
    AllEntries = Dirs | Files | Drives
    Readable = 0x010
    Writable = 0x020
    Executable = 0x040
    Modified = 0x080
    Hidden = 0x100
    System = 0x200
    AllDirs = 0x400
    CaseSensitive = 0x800
    NoDotAndDotDot = 0x1000
    NoDot = 0x2000
    NoDotDot = 0x4000


class _Option(enum.IntFlag):
    ShowDirsOnly = 0x01
    DontResolveSymlinks = 0x02
    DontConfirmOverwrite = 0x04
    DontUseSheet = 0x08
    DontUseNativeDialog = 0x10
    ReadOnly = 0x20
    HideNameFilterDetails = 0x40


@with_slots("setCurrentPath")
class ctkPathLineEdit(QWidget):
    """Stands for ctkPathLineEdit: a path typed, chosen in a dialog, or taken from those used before."""

    Filter, Option = _Filter, _Option
    Dirs, Files, Drives, AllEntries = _Filter.Dirs, _Filter.Files, _Filter.Drives, _Filter.AllEntries
    Readable, Writable, Executable = _Filter.Readable, _Filter.Writable, _Filter.Executable
    Hidden, NoDot, NoDotDot = _Filter.Hidden, _Filter.NoDot, _Filter.NoDotDot
    NoDotAndDotDot, NoSymLinks = _Filter.NoDotAndDotDot, _Filter.NoSymLinks
    ShowDirsOnly = _Option.ShowDirsOnly

    validInputChanged = Signal(bool)
    currentPathChanged = Signal(str)

    label = kept(str, "label", "")
    filters = kept(int, "filters", _Filter.AllEntries)
    options = kept(int, "options", 0)
    nameFilters = kept("QStringList", "nameFilters", [])
    minimumContentsLength = kept(int, "minimumContentsLength", 0)

    def __init__(self, parent=None):
        super().__init__(parent)
        self._settingKey = ""
        self._valid = False
        self._combo = QComboBox(self)
        self._combo.editable = True
        self._combo.insertPolicy = QComboBox.NoInsert
        self._browse = QToolButton(self)
        self._browse.text = "…"
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._combo, 1)
        layout.addWidget(self._browse)
        self._combo.editTextChanged.connect(self._on_edited)
        self._browse.clicked.connect(lambda: self.browse())

    def _on_edited(self, text: str) -> None:
        self._check()
        self.currentPathChanged.emit(text)

    def _check(self) -> None:
        valid = bool(self.currentPath) and Path(self.currentPath).exists()
        if valid != self._valid:
            self._valid = valid
            self.validInputChanged.emit(valid)

    def _set_setting_key(self, key: str) -> None:
        self._settingKey = key
        self.retrieveHistory()

    currentPath = Property(
        str, lambda self: self._combo.currentText, lambda self, v: self._combo.setEditText(v)
    )
    settingKey = Property(str, lambda self: self._settingKey, _set_setting_key)
    showBrowseButton = Property(
        bool, lambda self: not self._browse.isHidden(), lambda self, v: self._browse.setVisible(v)
    )
    showHistoryButton = kept(bool, "showHistoryButton", True)

    def comboBox(self) -> QComboBox:
        return self._combo

    @Slot()
    def browse(self) -> None:
        start = self.currentPath
        if self.filters & _Filter.Files:
            chosen, _ = QFileDialog.getOpenFileName(self, self.label, start, ";;".join(self.nameFilters))
        else:
            chosen = QFileDialog.getExistingDirectory(self, self.label, start)
        if chosen:
            self.currentPath = chosen

    @Slot()
    def addCurrentPathToHistory(self) -> None:
        if not self._settingKey or not self.currentPath:
            return
        others = [path for path in self._history() if path != self.currentPath]
        QSettings().setValue(self._settingKey, [self.currentPath, *others[:19]])
        current = self.currentPath
        self.retrieveHistory()
        self.currentPath = current

    @Slot()
    def retrieveHistory(self) -> None:
        """As in CTK, an empty line gets the path used last."""
        current = self.currentPath
        self._combo.blockSignals(True)
        self._combo.clear()
        self._combo.addItems(self._history())
        self._combo.setEditText(current)
        self._combo.blockSignals(False)
        if not current and self._combo.count > 0:
            self._combo.setEditText(self._combo.itemText(0))

    def _history(self) -> list[str]:
        stored = QSettings().value(self._settingKey) if self._settingKey else None
        return [stored] if isinstance(stored, str) else list(stored or [])


class ctkDirectoryButton(QWidget):
    """Stands for ctkDirectoryButton: a button that shows a folder and lets another be chosen."""

    Option = _Option
    ShowDirsOnly = _Option.ShowDirsOnly

    directoryChanged = Signal(str)
    directorySelected = Signal(str)

    caption = kept(str, "caption", "")
    options = kept(int, "options", _Option.ShowDirsOnly)
    elideMode = kept(Qt.TextElideMode, "elideMode", Qt.ElideNone)

    def __init__(self, *args):
        super().__init__(next((arg for arg in args if isinstance(arg, QWidget)), None))
        self._directory = next((arg for arg in args if isinstance(arg, str)), ".")
        self._text = ""
        self._button = QPushButton(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._button)
        self._button.clicked.connect(lambda: self.browse())
        self._show()

    def _show(self) -> None:
        self._button.text = self._text or str(Path(self._directory).absolute())

    def _set_directory(self, directory: str) -> None:
        absolute = str(Path(directory).absolute())
        changed = absolute != str(Path(self._directory).absolute())
        if changed:
            self._directory = absolute
            self._show()
        self.directorySelected.emit(absolute)
        if changed:
            self.directoryChanged.emit(absolute)

    def _set_text(self, text: str) -> None:
        self._text = text
        self._show()

    directory = Property(str, lambda self: self._directory, _set_directory, notify=directoryChanged)
    text = Property(str, lambda self: self._text, _set_text)

    @Slot()
    def browse(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.caption, self._directory)
        if chosen:
            self.directory = chosen
