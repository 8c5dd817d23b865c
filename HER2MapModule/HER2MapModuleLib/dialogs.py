"""Small questions to the user."""

import qt
import slicer
from slicer.i18n import tr as _


def chooseFrom(title: str, label: str, items) -> int | None:
    """The index of the item that the user chose; None if the dialog was cancelled."""
    dialog = qt.QDialog()
    dialog.windowTitle = title
    layout = qt.QFormLayout(dialog)
    box = qt.QComboBox()
    box.addItems(list(items))
    layout.addRow(label, box)
    buttons = qt.QDialogButtonBox(qt.QDialogButtonBox.Ok | qt.QDialogButtonBox.Cancel)
    buttons.connect("accepted()", dialog.accept)
    buttons.connect("rejected()", dialog.reject)
    layout.addRow(buttons)
    accepted = dialog.exec_()
    chosen = box.currentIndex
    dialog.deleteLater()
    return chosen if accepted else None


def askForReason(title: str) -> str | None:
    """What the user gives for a reason, at least one word; None if the dialog was cancelled."""
    found = chooseWithReason(title, "", [])
    return found[1] if found else None


def chooseWithReason(title: str, label: str, items) -> tuple[int, str] | None:
    """The index of the item that the user chose (0 without items) and his reason; None if cancelled."""
    dialog = qt.QDialog(slicer.util.mainWindow())
    dialog.windowTitle = title
    layout = qt.QFormLayout(dialog)
    box = qt.QComboBox()
    box.addItems(list(items))
    if items:
        layout.addRow(label, box)
    reason = qt.QLineEdit()
    reason.minimumWidth = 360
    layout.addRow(_("Reason:"), reason)
    buttons = qt.QDialogButtonBox(qt.QDialogButtonBox.Ok | qt.QDialogButtonBox.Cancel)
    ok = buttons.button(qt.QDialogButtonBox.Ok)
    ok.enabled = False
    reason.connect("textChanged(QString)", lambda text: setattr(ok, "enabled", bool(text.strip())))
    buttons.connect("accepted()", dialog.accept)
    buttons.connect("rejected()", dialog.reject)
    layout.addRow(buttons)
    reason.setFocus()
    accepted = dialog.exec_()
    found = max(box.currentIndex, 0), reason.text.strip()
    dialog.deleteLater()
    return found if accepted else None
