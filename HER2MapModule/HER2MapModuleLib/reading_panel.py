"""The reader's panel of a study: signing in, the next reading, how sure, finished; what is done so far."""

import qt
import slicer
from slicer.i18n import tr as _

from .dependencies import TO_FIT, ensurePackages
from .dialogs import askForReason, chooseWithReason
from .panel import Panel, problemsShown
from .reading_grid import fillGrid, legend
from .shortcuts import Shortcuts
from .tables import fillTable

NEXT_KEY, FINISH_KEYS = "N", ("Ctrl+Return", "Ctrl+Enter")
"""Slice views take g, t, f, b, v, r and the arrows; the main window Ctrl with digits and other letters."""


class ReadingPanel(Panel):
    title = _("Reading")
    collapsed = True
    uiFile = "ReadingPanel.ui"

    def setup(self):
        self.readings = self.logic.readings
        self.confidence, self._entered, self._asked = None, False, None
        self._shortcuts = Shortcuts()
        ui = self.ui
        self._levels = [getattr(ui, f"confidence{level}") for level in range(1, 6)]
        self._connectWidgets()
        self.readings.changed.connect(self.show)
        self.readings.begun.connect(self.onBegun)
        self.logic.valuesChanged.connect(self.showRefusal)
        self.logic.phaseChanged.connect(self.showRefusal)
        self.showReaders()
        self.show()

    def _connectWidgets(self):
        ui = self.ui
        ui.studyEdit.connect("currentPathChanged(QString)", self.showReaders)
        ui.readerBox.connect("currentIndexChanged(int)", self.showSignIn)
        clicked = {
            ui.signInButton: self.onSignIn,
            ui.trainingButton: self.onTraining,
            ui.signOutButton: self.onSignOut,
            ui.saveAgainButton: self.onSaveAgain,
            ui.nextButton: self.onNextOrAgain,
            ui.finishButton: self.onFinish,
            ui.skipButton: self.onSkip,
            ui.reopenButton: self.onReopen,
        }
        for button, method in clicked.items():
            button.connect("clicked(bool)", method)
        for level, button in enumerate(self._levels, 1):
            button.connect("clicked(bool)", lambda checked=False, level=level: self.setConfidence(level))
        ui.remarkEdit.connect("returnPressed()", self.leaveRemark)
        escape = qt.QShortcut(qt.QKeySequence("Esc"), ui.remarkEdit)
        escape.context = qt.Qt.WidgetShortcut
        escape.connect("activated()", self.leaveRemark)

    def enter(self):
        self._entered = True
        self._updateShortcuts()

    def exit(self):
        self._entered = False
        self._shortcuts.clear()

    def cleanup(self):
        self.exit()

    def _updateShortcuts(self):
        """Keys of the reading, only while somebody is signed in and the module is shown."""
        wanted = self._entered and self.readings.session is not None
        if not wanted:
            self._shortcuts.clear()
        elif not self._shortcuts:
            self._shortcuts.add(NEXT_KEY, self.onNext)
            for keys in FINISH_KEYS:
                self._shortcuts.add(keys, self.onFinish)
            for level in range(1, 6):
                self._shortcuts.add(str(level), lambda level=level: self.setConfidence(level))

    # Signing in

    def onSignIn(self, checked=False):
        self._signIn(self.readings.signIn)

    def onTraining(self, checked=False):
        self._signIn(self.readings.signInTraining)

    def _signIn(self, method):
        folder, reader = self.ui.studyEdit.currentPath, self.ui.readerBox.currentText
        question = _("Signing in closes the scene; what is not saved in it is lost. Go on?")
        if _somethingToLose() and not slicer.util.confirmOkCancelDisplay(question):
            return
        with problemsShown():
            method(folder, reader)
            self.ui.studyEdit.addCurrentPathToHistory()
            self.readingRoom.show()  # its views are made now, not when the first case is waited for
            if self.readings.mustPrepare:
                ensurePackages(*TO_FIT)
            self.readings.prepareNext()

    def onSignOut(self, checked=False):
        problem = self.readings.saveAgain()
        question = _("The last edit cannot be saved: {problem} Sign out and lose it?")
        if problem and not slicer.util.confirmOkCancelDisplay(question.format(problem=problem)):
            return
        with problemsShown():
            self.readings.signOut()
            self.showReaders()  # whoever comes next says who he is

    def showReaders(self, path=""):
        """The readers of the study in the folder; nobody is chosen beforehand, where there is a choice."""
        from her2map.errors import InputError
        from her2map.study.session import study_readers

        folder, title, readers = self.ui.studyEdit.currentPath, "", ()
        if folder:
            try:
                title, readers = study_readers(folder)
            except InputError as problem:
                title = str(problem).splitlines()[0]
        box = self.ui.readerBox
        blocked = box.blockSignals(True)
        box.clear()
        box.addItems(list(readers))
        box.setCurrentIndex(0 if len(readers) == 1 else -1)
        box.blockSignals(blocked)
        self.ui.studyTitleLabel.text = title
        self.showSignIn()

    def showSignIn(self, index=0):
        ready = bool(self.ui.readerBox.currentText)
        self.ui.signInButton.enabled = self.ui.trainingButton.enabled = ready

    # One reading

    def onNext(self, checked=False):
        """Open the next reading, unless one is shown."""
        if self.readings.session is None or self.readings.shown is not None:
            return
        with problemsShown():
            self.readings.take(self.run(_("Opening the next case..."), self.readings.opening()))

    def onNextOrAgain(self, checked=False):
        """The button, which the key N does not press while a case is shown."""
        if self.readings.shown is None:
            self.onNext()
        else:
            with problemsShown():
                self.readings.showAgain()

    def onBegun(self):
        """A reading that was finished before tells again how sure the reader was, and his remark."""
        if self._asked != self.readings.shown:
            self._asked, earlier = self.readings.shown, self.readings.session.earlier
            self.ui.remarkEdit.text = earlier.get("remark", "")
            self.setConfidence(earlier.get("confidence"))

    def onSaveAgain(self, checked=False):
        problem = self.readings.saveAgain()
        if problem:
            slicer.util.errorDisplay(problem, windowTitle="HER2Map")

    def leaveRemark(self):
        """Keys are the reading's again."""
        views = self.readingRoom.views()
        (views[0] if views else self.widget).setFocus()

    def setConfidence(self, level):
        """From 1, guessed, to 5, certain; None before the reader has said."""
        self.confidence = level if self.readings.shown is not None else None
        for number, button in enumerate(self._levels, 1):
            button.checked = number == self.confidence
        words = ("", _("guessed"), _("unsure"), _("fairly sure"), _("sure"), _("certain"))
        self.ui.confidenceText.text = words[self.confidence or 0]
        self.showRefusal()

    def onFinish(self, checked=False):
        """End the reading; what is still missing stands in the panel."""
        if self.readings.shown is None:
            return
        reason = self.readings.refusal(self.confidence)
        if reason:
            self.showRefusal()
            slicer.util.showStatusMessage(reason, 5000)
            return
        with problemsShown():
            self.readings.finish(self.confidence, self.ui.remarkEdit.text.strip())

    def onSkip(self, checked=False):
        slot = self.readings.session.current
        title = _("Skip the reading of case {case}").format(case=slot.case)
        reason = askForReason(title)
        if reason is not None:
            with problemsShown():
                self.readings.skip(reason)

    def onReopen(self, checked=False):
        session = self.readings.session
        slots = session.reopenable
        found = chooseWithReason(
            _("Reopen a reading"), _("Reading:"), [_slotText(session, slot) for slot in slots]
        )
        if found is not None:
            with problemsShown():
                self.readings.reopen(slots[found[0]], found[1])
                self.onNext()

    # What is shown

    def show(self):
        session = self.readings.session
        self.ui.signInBox.visible = session is None
        self.ui.sessionBox.visible = session is not None
        self._updateShortcuts()
        if session is None:
            self.ui.gridTable.setRowCount(0)
            self.ui.remarkEdit.text = ""
            return
        self._showProgress(session)
        self._showCase(session)
        self._showTruth(session)
        fillGrid(self.ui.gridTable, session.grid, session.current)
        self.ui.legendLabel.text = legend()
        if self.readings.shown is None:
            self._asked = None
            self.setConfidence(None)
        else:
            self.showRefusal()

    def _showProgress(self, session):
        text = _("{title}. Reader {reader}").format(title=session.title, reader=session.reader)
        self.ui.whoLabel.text = text
        bar = self.ui.progressBar
        bar.setRange(0, session.total)
        bar.setValue(session.done)
        bar.setFormat(_("{done} of {total} readings").format(done=session.done, total=session.total))

    def _showCase(self, session):
        shown, current = self.readings.shown, session.current
        upcoming = session.upcoming
        if shown is not None:
            text = _slotText(session, shown)
        elif current is not None:
            text = _("To be gone on with: {slot}").format(slot=_slotText(session, current))
        else:
            text = _upcomingText(session, upcoming)
        case = self.logic.case
        facts = case.shown if case is not None else {}
        self.ui.caseLabel.text = text
        self.ui.shownLabel.text = "\n".join(
            f"{name.replace('_', ' ')}: {value}" for name, value in facts.items()
        )
        self.ui.shownLabel.visible = bool(facts)
        self.ui.noticeLabel.text = self.readings.notice
        self.ui.noticeLabel.visible = bool(self.readings.notice)
        self.ui.saveAgainButton.visible = bool(self.readings.unkept)
        mayBegin = current is not None or (upcoming.slot is not None and not upcoming.reason)
        self.ui.nextButton.text = _("Next (N)") if shown is None else _("Show again")
        self.ui.nextButton.enabled = shown is not None or mayBegin
        self.ui.skipButton.enabled = current is not None
        self.ui.reopenButton.enabled = current is None and bool(session.reopenable)
        for widget in (*self._levels, self.ui.remarkEdit):
            widget.enabled = shown is not None

    def showRefusal(self):
        """Why Finish is refused; nothing where it is not."""
        if self.readings.session is None:
            return
        shown = self.readings.shown is not None
        reason = self.readings.refusal(self.confidence) if shown else ""
        self.ui.refusalLabel.text = _("Not yet: {reason}").format(reason=reason) if reason else ""
        self.ui.refusalLabel.visible = bool(reason)
        self.ui.finishButton.enabled = shown and not reason

    def _showTruth(self, session):
        """In the training: how far the last reading was from the truth, and the gate."""
        found = self.readings.deviations
        self.ui.truthTable.visible = bool(found)
        header = (_("Biomarker"), _("Value"), _("Truth"), _("Deviation"))
        fillTable(self.ui.truthTable, header, [_truthRow(name, one) for name, one in found.items()])
        lines = _gateLines(session) if self.readings.training else []
        self.ui.gateLabel.text = "\n".join(lines)
        self.ui.gateLabel.visible = bool(lines)


def _somethingToLose() -> bool:
    """Whether the scene holds what somebody put into it."""
    scene = slicer.mrmlScene
    kinds = ("vtkMRMLVolumeNode", "vtkMRMLMarkupsNode", "vtkMRMLModelNode", "vtkMRMLSegmentationNode")
    nodes = [node for kind in kinds for node in slicer.util.getNodesByClass(kind, scene)]
    return any(not node.GetHideFromEditors() for node in nodes)


def _slotText(session, slot) -> str:
    text = _("Case {case}, reading {repeat} of {repeats}")
    repeats = max(one.repeat for one in session.grid)
    return text.format(case=slot.case, repeat=slot.repeat, repeats=repeats)


def _upcomingText(session, upcoming) -> str:
    if upcoming.slot is None:
        return _("All readings are done. Thank you.")
    text = _("Next: {slot}").format(slot=_slotText(session, upcoming.slot))
    if not upcoming.reason:
        return text
    when = upcoming.ready_at.astimezone().strftime("%Y-%m-%d %H:%M")
    return _("{next}, from {time}: {reason}.").format(next=text, time=when, reason=upcoming.reason)


def _truthRow(name, one) -> tuple:
    from her2map.report.style import STYLES
    from her2map.report.tables import plain

    decimals = STYLES[name].decimals
    return name, plain(one.value, decimals), plain(one.truth, decimals), f"{one.percent:+.1f} %"


def _gateLines(session) -> list[str]:
    gate = session.gate
    if gate.passed is None:
        return []
    head = _("The study is open to you.") if gate.passed else _("Before the study opens:")
    return [head, *gate.lines]
