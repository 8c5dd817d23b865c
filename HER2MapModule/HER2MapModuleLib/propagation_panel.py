"""From the DCE to the maps: registration, blending, and how much the ROI's exact place matters."""

import numpy as np
from slicer.i18n import tr as _

from . import map_nodes
from .dependencies import TO_FIT, ensurePackages
from .panel import Panel, problemsShown
from .tables import fillTable


class PropagationPanel(Panel):
    title = _("Propagation")
    collapsed = True
    uiFile = "PropagationPanel.ui"

    def setup(self):
        ui, logic = self.ui, self.logic
        self.check = None
        ui.registerButton.connect("clicked(bool)", self.onRegister)
        ui.useBox.connect("toggled(bool)", self.onUse)
        ui.checkButton.connect("clicked(bool)", self.onCheck)
        for signal in (logic.examChanged, logic.mapsChanged, logic.phaseChanged):
            signal.connect(self.showMotions)
        logic.valuesChanged.connect(self.forgetCheck)
        self.showMotions()
        self.showCheck()

    def onRegister(self, checked=False):
        with problemsShown():
            ensurePackages(*TO_FIT)
            work = self.logic.propagation.registering()
            motions = self.run(_("Registering the maps to the DCE..."), work)
            self.logic.propagation.takeMotions(motions)
            self.showMotions()

    def onUse(self, checked):
        # Also called when the box follows another scene's parameters: then nothing changes.
        if checked != self.logic.parameters.useRegistration:
            self.logic.parameters.useRegistration = checked
        with problemsShown():
            self.logic.propagation.apply()

    def onCheck(self, checked=False):
        with problemsShown():
            work = self.logic.propagation.checking()
            self.check = self.run(_("Moving the ROI..."), work)
        self.showCheck()

    # What is shown

    def showMotions(self):
        """What registration found, map by map."""
        motions = self.logic.propagation.motions()
        self.ui.registerButton.enabled = bool(self.logic.fitted)
        self.ui.useBox.enabled = bool(motions)
        self.ui.motionTable.visible = bool(motions)
        header = (_("Map"), _("Shift"), _("Rotation"), _("Used"))
        fillTable(self.ui.motionTable, header, [_motionRow(q, facts) for q, facts in motions.items()])

    def forgetCheck(self):
        """The ROI or a map has changed: the check is no longer about it."""
        self.ui.checkButton.enabled = self.logic.values is not None
        if self.check is not None:
            self.check = None
            self.showCheck()

    def showCheck(self):
        """The largest change of each biomarker."""
        self.ui.checkButton.enabled = self.logic.values is not None
        self.ui.checkTable.visible = self.check is not None
        if self.check is None:
            return
        shifts = list(dict.fromkeys(change.shift_mm for change in self.check.largest))
        header = (_("Biomarker"), _("Unit"), _("Value"))
        header += tuple(_("by {shift} mm").format(shift=f"{shift:g}") for shift in shifts)
        rows, tips = [], {}
        for number, (name, quantity) in enumerate(self.check.at_rest):
            changes = [change for change in self.check.largest if change.biomarker == name]
            texts = tuple(_changeText(name, change) for change in changes)
            rows.append((name, quantity.unit, _number(name, quantity.value), *texts))
            for column, change in enumerate(changes, 3):
                tips[number, column] = self._tip(name, change.shift_mm)
        fillTable(self.ui.checkTable, header, rows, tips)

    def _tip(self, name, shift) -> str:
        """Every direction of one shift."""
        found = [s for s in self.check.shifted if s.biomarker == name and abs(s.shift_mm) == shift]
        line = _("{axis}, {shift} mm: {value} ({change})")
        return "\n".join(
            line.format(
                axis=moved.axis,
                shift=f"{moved.shift_mm:+g}",
                value=_number(name, moved.value),
                change=moved.reason or f"{100 * moved.relative_change:+.1f} %",
            )
            for moved in found
        )


def _motionRow(quantity, facts) -> tuple:
    used = _("yes") if facts["used"] else _("no")
    return (
        map_nodes.NAMES[quantity],
        f"{np.linalg.norm(facts['shift_mm']):.1f} mm",
        f"{np.linalg.norm(facts['rotation_deg']):.1f}°",
        f"{used}: {facts['reason']}",
    )


def _changeText(name, change) -> str:
    if np.isnan(change.change):
        return "–"
    text = f"± {_number(name, change.change)} ({100 * change.relative_change:.1f} %)"
    return text + (_(", {count} without value").format(count=change.missing) if change.missing else "")


def _number(name, value) -> str:
    from her2map.report.style import STYLES
    from her2map.report.tables import plain

    return plain(value, STYLES[name].decimals)
