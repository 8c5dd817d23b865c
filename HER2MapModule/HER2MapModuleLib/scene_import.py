"""The question what each volume of the scene is used for."""

import qt
from slicer.i18n import tr as _

from her2map.series import Role, Technique

from .scene_series import PARAMETERS, Choice, examOf, sceneItems

HEADER = (
    _("Volume"),
    _("Measurements"),
    _("Used for"),
    _("TE (ms)"),
    _("TR (ms)"),
    _("TI (ms)"),
    _("Flip angle (deg)"),
    _("Time (s)"),
    _("Unit of a map"),
)
FIRST_PARAMETER, UNIT_COLUMN = 3, 8
USES = (
    (Role.NONE, Technique.NONE),
    (Role.T1_PRE, Technique.VFA),
    (Role.T1_PRE, Technique.LOOK_LOCKER),
    (Role.T1_PRE, Technique.SPIN_ECHO_IR),
    (Role.T1_PRE, Technique.SCANNER_MAP),
    (Role.T1_POST, Technique.VFA),
    (Role.T1_POST, Technique.LOOK_LOCKER),
    (Role.T1_POST, Technique.SPIN_ECHO_IR),
    (Role.T1_POST, Technique.SCANNER_MAP),
    (Role.T2, Technique.MULTI_ECHO_SPIN_ECHO),
    (Role.T2, Technique.SCANNER_MAP),
    (Role.T2STAR, Technique.MULTI_ECHO_GRADIENT_ECHO),
    (Role.T2STAR, Technique.SCANNER_MAP),
    (Role.DCE, Technique.DCE),
    (Role.B1, Technique.B1_MAP),
)


class SceneImportDialog:
    """A table of the scene's volumes; the user says what each is, and gives what its attributes lack."""

    def __init__(self) -> None:
        self.items = sceneItems()
        self.dialog = qt.QDialog()
        self.dialog.windowTitle = _("HER2Map: volumes of the scene")
        self.dialog.resize(1000, 400)
        layout = qt.QVBoxLayout(self.dialog)
        explanation = qt.QLabel(
            _("Say what each volume is used for. Numbers of several measurements are separated by commas.")
        )
        layout.addWidget(explanation)
        self.table = qt.QTableWidget()
        layout.addWidget(self.table)
        buttons = qt.QDialogButtonBox(qt.QDialogButtonBox.Ok | qt.QDialogButtonBox.Cancel)
        buttons.connect("accepted()", self.dialog.accept)
        buttons.connect("rejected()", self.dialog.reject)
        layout.addWidget(buttons)
        self._fill()

    def ask(self):
        """The exam; None where the dialog was cancelled.

        Raises:
            RuntimeError: the scene has no volumes. InputError: the answers make no exam.
        """
        if not self.items:
            raise RuntimeError(_("The scene has no volumes; load them first, or read the exam's folder."))
        accepted = self.dialog.exec_()
        choices = self.choices() if accepted else None
        self.dialog.deleteLater()
        return examOf(choices) if accepted else None

    def choices(self) -> list[Choice]:
        """What the table says, of the volumes that are used."""
        found = []
        for row, item in enumerate(self.items):
            role, technique = USES[self.table.cellWidget(row, 2).currentIndex]
            if role is Role.NONE:
                continue
            texts = {
                name: self.table.item(row, FIRST_PARAMETER + i).text() for i, name in enumerate(PARAMETERS)
            }
            unit = self.table.cellWidget(row, UNIT_COLUMN).currentText
            found.append(Choice(item, role, technique, texts, unit))
        return found

    def _fill(self) -> None:
        self.table.setColumnCount(len(HEADER))
        self.table.setHorizontalHeaderLabels(list(HEADER))
        self.table.setRowCount(len(self.items))
        for row, item in enumerate(self.items):
            self.table.setItem(row, 0, _fixed(item.node.GetName()))
            self.table.setItem(row, 1, _fixed(str(item.measurements)))
            uses = qt.QComboBox()
            uses.addItems([_use(role, technique) for role, technique in USES])
            self.table.setCellWidget(row, 2, uses)
            for i, name in enumerate(PARAMETERS):
                self.table.setItem(row, FIRST_PARAMETER + i, qt.QTableWidgetItem(item.texts[name]))
            units = qt.QComboBox()
            units.addItems(["", "ms", "s"])
            self.table.setCellWidget(row, UNIT_COLUMN, units)
        self.table.resizeColumnsToContents()
        self.table.setColumnWidth(2, 240)


def _fixed(text: str):
    item = qt.QTableWidgetItem(text)
    item.setFlags(qt.Qt.ItemIsEnabled | qt.Qt.ItemIsSelectable)
    return item


def _use(role: Role, technique: Technique) -> str:
    return _("not used") if role is Role.NONE else f"{role.value} ({technique.value.replace('_', ' ')})"
