"""Small questions to the user."""

import qt


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
