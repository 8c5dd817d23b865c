"""The DCE phases as pixels, also of an opened scene; which one is shown, and a ROI's course through them."""

import slicer
import vtk
from slicer.i18n import tr as _

from . import dce_nodes
from .observers import Observers
from .signal import Signal


class Phases:
    """A part of the logic.

    shown - Signal: another phase is shown, by the panel or by Slicer's own sequence browser.
    """

    def __init__(self, logic) -> None:
        self.logic = logic
        self.shown = Signal()
        self._series = self._shownBefore = None
        logic.examChanged.connect(self._onExam)
        self._ofScene, self._ofBrowser = Observers(), Observers()
        self._ofScene.add(slicer.mrmlScene, slicer.vtkMRMLScene.StartCloseEvent, self._onStartClose)

    def cleanup(self) -> None:
        self._ofScene.clear()
        self._ofBrowser.clear()
        self.shown.disconnectAll()

    def series(self):
        """The phases with their times as a `DceSeries`; None without a DCE.

        Raises:
            InputError: the exam's DCE series do not go together.
        """
        if self._series is None:
            held = self.logic.exam or self.logic.case
            browser = self.logic.parameters.dceBrowser
            self._series = held.dce if held is not None else dce_nodes.readDce(browser)
        return self._series

    def show(self, phase: int) -> None:
        """Scroll to a phase, to look at it."""
        browser = self.logic.parameters.dceBrowser
        if browser is not None and 0 <= phase < dce_nodes.numberOfPhases(browser):
            browser.SetSelectedItemNumber(phase)

    def suggesting(self, seed):
        """The slice of the lesion at `seed` (3,) RAS that is largest: a function of a progress callback.

        Raises:
            InputError: there is no DCE, or no phase that enhances.
        """
        from her2map.enhancement import subtraction
        from her2map.errors import InputError
        from her2map.tumour_slice import suggest_slice

        dce, phase = self.series(), self.logic.phase
        if dce is None or phase is None:
            raise InputError(_("There is no DCE phase to look for the lesion in; choose one."))
        return lambda progress: suggest_slice(subtraction(dce, phase), dce.geometry, seed, progress)

    def showTimeCourse(self) -> None:
        """The curve of the present ROI; an empty chart where there is none.

        Raises:
            InputError: the ROI is none yet, or the phases have no times.
        """
        from her2map.enhancement import time_course

        dce_nodes.hideTimeCourse()
        roi, dce, phase = self.logic.roi(), self.series(), self.logic.phase
        if roi is None or dce is None:
            return
        course = time_course(dce, roi)
        if not course.reason:
            chosen = 0 if phase is None else phase
            dce_nodes.showTimeCourse(course.after_injection_s, course.enhancement_percent, chosen)

    def _onExam(self) -> None:
        self._series = None
        self._ofBrowser.clear()
        browser = self.logic.parameters.dceBrowser
        if browser is not None:
            self._ofBrowser.add(browser, vtk.vtkCommand.ModifiedEvent, self._onBrowser)
        self._shownBefore = dce_nodes.shownPhase(browser)
        self.shown.emit()

    def _onBrowser(self, caller=None, event=None) -> None:
        phase = dce_nodes.shownPhase(caller)
        if phase != self._shownBefore:
            self._shownBefore = phase
            self.shown.emit()

    def _onStartClose(self, caller=None, event=None) -> None:
        self._series = None
        self._ofBrowser.clear()
