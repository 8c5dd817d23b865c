"""This exam's values beside those of an earlier exam of the patient: which changes are real."""

from pathlib import Path

import qt
from slicer.i18n import tr as _

from .panel import Panel, problemsShown
from .tables import fillTable

COLOURS = {
    "real": ("#f3c6d6", "#5c0a2b"),
    "within": ("#cfe8d5", "#12391f"),
    "unknown": ("#dde1e6", "#343a40"),
}
"""Background and text of a verdict; both, so that it is read in dark style as well."""


class FollowUpPanel(Panel):
    """It shows nothing of a study's case: its section is hidden while a reader is signed in."""

    title = _("Follow-up")
    collapsed = True
    uiFile = "FollowUpPanel.ui"

    def setup(self):
        ui, logic = self.ui, self.logic
        self.earlier, self.found, self._notice = None, None, ""
        self._exam = self._examNow()
        ui.loadButton.connect("clicked(bool)", self.onLoad)
        ui.forgetButton.connect("clicked(bool)", self.onForget)
        ui.otherReaderBox.connect("toggled(bool)", self.show)
        ui.retestEdit.connect("editingFinished()", self.show)
        logic.examChanged.connect(self.onExam)
        logic.scoring.changed.connect(self.show)  # the values, or the card, have changed
        self.show()

    def onLoad(self, checked=False):
        name = qt.QFileDialog.getOpenFileName(self.widget, _("Values of the earlier exam"), "", "CSV (*.csv)")
        name = name[0] if isinstance(name, tuple) else name  # PythonQt gives the name alone
        if name:
            self.load(name)

    def load(self, path):
        """Compare with the values of a file; one that cannot be used changes nothing."""
        from her2map.acquired import acquired_of_facts
        from her2map.errors import InputError
        from her2map.saved_values import read_saved_case

        with problemsShown():
            if self.logic.readings.session is not None:
                raise InputError(_("A reader is signed in; sign out before exams are compared."))
            techniques = acquired_of_facts(self.logic.facts).techniques
            self.earlier = read_saved_case(path, techniques)
            self._notice = _("Compared with {name}.").format(name=Path(path).name)
        self.show()

    def onForget(self, checked=False):
        self.earlier, self._notice = None, ""
        self.show()

    def onExam(self):
        """Earlier values are of one patient: they go when another exam comes, not when a role changes."""
        now = self._examNow()
        if now != self._exam:
            self._exam = now
            if self.earlier is not None:
                self.earlier = None
                self._notice = _("Another exam is shown; the earlier values were put away.")
        self.show()

    def _examNow(self):
        """What stands for the exam that is shown: its series, which stay when their roles change."""
        exam = self.logic.exam
        return [id(one.series) for one in exam.assignments] if exam else self.logic.generation

    # What is shown

    def show(self, *changed):
        """One row a biomarker, its verdict in words and colour."""
        from her2map.errors import InputError

        self.found, problem = None, ""
        try:
            self.found = self._compare()
        except InputError as wrong:
            problem = str(wrong)
        self.ui.forgetButton.enabled = self.earlier is not None
        self.ui.changeTable.visible = self.found is not None
        self._showTable()
        self.ui.headLabel.text = problem or self._headline()
        self.ui.remarksLabel.text = "\n".join(self._remarks())
        self.ui.remarksLabel.visible = self.found is not None

    def _compare(self):
        """None without earlier values, or without values of this exam."""
        from her2map.follow_up import Reader, follow_up, read_retest, repeatability_of

        now, card = self._caseNow(), self.logic.scoring.card
        if self.earlier is None or now is None or card is None:
            return None
        reader = Reader.OTHER if self.ui.otherReaderBox.checked else Reader.SAME
        retest = read_retest(self.ui.retestEdit.text.replace(", ", " ").split())
        return follow_up(self.earlier, now, repeatability_of(card, reader, retest))

    def _caseNow(self):
        from her2map.acquired import acquired_of_facts
        from her2map.score.exam_case import case_of_exam

        values = self.logic.values
        return case_of_exam(values, None, acquired_of_facts(self.logic.facts)) if values else None

    def _headline(self):
        from her2map.follow_up import Verdict

        if self.found is None:
            waiting = _("Draw the ROI of this exam to see the changes.") if self.earlier else ""
            return " ".join(text for text in (self._notice, waiting) if text)
        real = [one.biomarker for one in self.found.changes if one.verdict is Verdict.REAL]
        untold = [one.biomarker for one in self.found.changes if one.verdict is Verdict.UNKNOWN]
        lines = [self._notice, _("Real change: {names}.").format(names=", ".join(real) or _("none"))]
        if untold:
            lines.append(_("Cannot be told: {names}.").format(names=", ".join(untold)))
        return " ".join(lines)

    def _remarks(self):
        from her2map.report.follow_up_words import reasons
        from her2map.saved_values import saved_remarks

        if self.found is None:
            return []
        remarks = (*saved_remarks(self.earlier, self._caseNow()), *self.found.remarks)
        return [*reasons(self.found), *(f"• {remark}" for remark in remarks)]

    def _showTable(self):
        from her2map.report.follow_up_words import cells

        if self.found is None:
            return
        header = (_("Biomarker"), _("Before"), _("Now"), _("Change"), _("%"), _("Limit ±"), _("Verdict"))
        rows, tips = [], {}
        for number, one in enumerate(self.found.changes):
            name, unit, before, now, change, percent, limit, _verdict = cells(one)
            rows.append((name, before, now, change, percent.removesuffix(" %"), limit, _words(one.verdict)))
            tips[number, 0] = _("{name} in {unit}").format(name=name, unit=unit)
        fillTable(self.ui.changeTable, header, rows, tips)
        for number, one in enumerate(self.found.changes):
            below, above = COLOURS[one.verdict.name.lower()]
            item = self.ui.changeTable.item(number, len(header) - 1)
            item.setBackground(qt.QBrush(qt.QColor(below)))
            item.setForeground(qt.QBrush(qt.QColor(above)))


def _words(verdict) -> str:
    from her2map.follow_up import Verdict

    return {
        Verdict.REAL: _("real change"),
        Verdict.WITHIN: _("within repeatability"),
        Verdict.UNKNOWN: _("cannot be told"),
    }[verdict]
