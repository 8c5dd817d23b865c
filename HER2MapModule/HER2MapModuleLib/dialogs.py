"""Small questions to the user."""

import qt
import slicer
from slicer.i18n import tr as _


class Form:
    """A dialog of rows. *OK* can be pressed once `complete` says so, which is asked after every change."""

    def __init__(self, title: str, complete=lambda: True) -> None:
        self.dialog = qt.QDialog(slicer.util.mainWindow())
        self.dialog.windowTitle = title
        self._complete = complete
        self._layout = qt.QFormLayout(self.dialog)
        choices = qt.QDialogButtonBox.Ok | qt.QDialogButtonBox.Cancel
        self._buttons = qt.QDialogButtonBox(choices)
        self._buttons.connect("accepted()", self.dialog.accept)
        self._buttons.connect("rejected()", self.dialog.reject)

    def add(self, label: str, widget):
        self._layout.addRow(label, widget)
        return widget

    def addText(self, label: str):
        """A line to write in."""
        edit = self.add(label, qt.QLineEdit())
        edit.minimumWidth = 360
        edit.connect("textChanged(QString)", self.update)
        return edit

    def update(self, text="") -> None:
        self._buttons.button(qt.QDialogButtonBox.Ok).enabled = bool(self._complete())

    def ask(self) -> bool:
        """Whether the user pressed *OK*; what the widgets hold can be read until :meth:`close`."""
        self._layout.addRow(self._buttons)
        self.update()
        return bool(self.dialog.exec_())

    def close(self) -> None:
        self.dialog.deleteLater()


def chooseFrom(title: str, label: str, items) -> int | None:
    """The index of the item that the user chose; None if the dialog was cancelled."""
    form = Form(title)
    box = form.add(label, qt.QComboBox())
    box.addItems(list(items))
    chosen = box.currentIndex if form.ask() else None
    form.close()
    return chosen


def askForReason(title: str) -> str | None:
    """What the user gives for a reason, at least one word; None if the dialog was cancelled."""
    found = chooseWithReason(title, "", [])
    return found[1] if found else None


def chooseWithReason(title: str, label: str, items) -> tuple[int, str] | None:
    """The index of the item that the user chose (0 without items) and his reason; None if cancelled."""
    form = Form(title, lambda: reason.text.strip())
    box = qt.QComboBox()
    box.addItems(list(items))
    if items:
        form.add(label, box)
    reason = form.addText(_("Reason:"))
    found = (max(box.currentIndex, 0), reason.text.strip()) if form.ask() else None
    form.close()
    return found


def askForCsv(parent, title: str, proposed: str) -> str:
    """The file to save a table in; "" where the user thought better of it."""
    name = qt.QFileDialog.getSaveFileName(parent, title, proposed, "CSV (*.csv)")
    return name[0] if isinstance(name, tuple) else name  # PythonQt gives the name alone
