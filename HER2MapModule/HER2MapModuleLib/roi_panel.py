"""The ROI: which phase and slice it is drawn on, the drawing tools, and what it says of the lesion."""

from slicer.i18n import tr as _

from . import dce_nodes, drawing, roi_nodes, scene
from .drawing import Drawing
from .panel import Panel, problemsShown
from .parameter_node import AUTOMATIC
from .shortcuts import Shortcuts
from .snr import LesionSnr


class RoiPanel(Panel):
    title = _("ROI")
    uiFile = "RoiPanel.ui"

    def setup(self):
        self.drawing = Drawing(self.logic, self.readingRoom)
        self.snr = LesionSnr(self.logic)
        self._shortcuts, self._lastTool = Shortcuts(), drawing.CLICK
        self._tools = {
            drawing.CLICK: self.ui.clickButton,
            drawing.FREEHAND: self.ui.freehandButton,
            drawing.CIRCLE: self.ui.circleButton,
        }
        self._connectWidgets()
        logic = self.logic
        for signal in (logic.examChanged, logic.phaseChanged, logic.phases.shown):
            signal.connect(self.showPhases)
        logic.valuesChanged.connect(self.showRoi)
        for signal in (logic.examChanged, logic.phaseChanged, logic.roiChanged):
            signal.connect(self.showTimeCourse)
        logic.roiChanged.connect(self.showTools)
        logic.readings.begun.connect(self.onReadingBegun)
        logic.readings.ending.connect(self.drawing.stop)
        self.drawing.changed.connect(self.showTools)
        self.snr.changed.connect(self.showSnr)
        self.show()

    def _connectWidgets(self):
        ui = self.ui
        clicked = {
            ui.drawOnButton: self.onDrawOnThisPhase,
            ui.automaticButton: self.onAutomaticPhase,
            ui.suggestButton: self.onSuggest,
            ui.undoButton: self.onUndo,
            ui.redoButton: self.onRedo,
            ui.deleteButton: self.onDelete,
            ui.backgroundButton: self.onBackground,
            ui.roomButton: self.onRoom,
            ui.backButton: self.onBack,
        }
        for button, method in clicked.items():
            button.connect("clicked(bool)", method)
        for tool, button in self._tools.items():
            button.connect("clicked(bool)", lambda checked, tool=tool: self.onTool(tool, checked))
        ui.phaseSlider.connect("valueChanged(int)", self.logic.phases.show)

    def enter(self):
        """Keys for undo and redo, only while the module is shown."""
        if not self._shortcuts:
            self._shortcuts.add("Ctrl+Z", self.onUndo)
            self._shortcuts.add("Ctrl+Y", self.onRedo)

    def exit(self):
        self.drawing.stop()
        self._shortcuts.clear()

    def cleanup(self):
        self.exit()
        self.drawing.cleanup()
        self.snr.cleanup()

    # The phase and the slice

    def onDrawOnThisPhase(self, checked=False):
        shown = dce_nodes.shownPhase(self.logic.parameters.dceBrowser)
        if shown is not None:
            self.logic.choosePhase(shown)

    def onAutomaticPhase(self, checked=False):
        self.logic.choosePhase(AUTOMATIC)

    def onSuggest(self, checked=False):
        self.ui.sliceLabel.text = ""
        if checked:
            self.drawing.startSeed(self.onSeed)
        else:
            self.drawing.stop()

    def onSeed(self, point):
        """Go to the slice on which the lesion at `point` is largest."""
        with problemsShown():
            work = self.logic.phases.suggesting(point)
            found = self.run(_("Looking for the largest slice..."), work)
            self.readingRoom.jumpTo(found.plane_point)
            text = _("Suggested: slice {number} of {count}, diameter {diameter} mm. {remark}")
            self.ui.sliceLabel.text = text.format(
                number=found.slice_index + 1,
                count=len(found.extents_mm),
                diameter=f"{found.diameter_mm:.1f}",
                remark=found.remark,
            )

    # Drawing

    def onTool(self, tool, checked):
        self.drawing.stop()  # a contour half drawn goes, and with it the choice of a hole
        if checked:
            self._lastTool = tool
            hole = self.ui.holeButton.checked
            self.drawing.start(tool, roi_nodes.HOLE if hole else roi_nodes.CONTOUR)

    def onReadingBegun(self):
        """The tool used last is taken up, or what a crash interrupted is gone on with."""
        self.readingRoom.show()
        if roi_nodes.drawing():
            self.drawing.goOn()
        else:
            self.drawing.start(self._lastTool)

    def onUndo(self, checked=False):
        self.drawing.stop()
        self.logic.undo()

    def onRedo(self, checked=False):
        self.drawing.stop()
        self.logic.redo()

    def onDelete(self, checked=False):
        self.drawing.stop()
        with self.logic.oneEdit():
            roi_nodes.restore(())

    def onBackground(self, checked=False):
        if self.snr.placed:
            self.snr.remove()
            self.snr.update()
        else:
            with problemsShown():
                self.snr.place()

    def onRoom(self, checked=False):
        self.readingRoom.show()
        self.readingRoom.fit()

    def onBack(self, checked=False):
        self.readingRoom.leave()

    # What is shown

    def show(self):
        self.showPhases()
        self.showTools()
        self.showRoi()
        self.showSnr()

    def showPhases(self):
        """The phase in view, and the one to draw on with its reason."""
        browser = self.logic.parameters.dceBrowser
        count, shown = dce_nodes.numberOfPhases(browser), dce_nodes.shownPhase(browser)
        slider = self.ui.phaseSlider
        blocked = slider.blockSignals(True)
        slider.maximum = max(count - 1, 0)
        slider.value = shown or 0
        slider.blockSignals(blocked)
        slider.enabled = count > 1
        self.ui.phaseLabel.text = _phaseText(browser, shown, count)
        chosen = self.logic.phase
        self.ui.drawOnButton.enabled = shown is not None and shown != chosen
        self.ui.automaticButton.enabled = self.logic.parameters.phase != AUTOMATIC
        reason = self.logic.phaseReason
        self.ui.reasonLabel.text = _("Draw on: {reason}.").format(reason=reason) if reason else ""
        self.ui.reasonLabel.visible = bool(reason)
        self.showTools()

    def showTools(self):
        """Which tool is in hand, and what can be done."""
        hasDce = self.logic.parameters.dceBrowser is not None
        for tool, button in self._tools.items():
            button.checked = self.drawing.tool == tool
            button.enabled = hasDce
        self.ui.suggestButton.checked = self.drawing.tool == drawing.SEED
        self.ui.suggestButton.enabled = hasDce
        if self.drawing.tool is not None and self.drawing.part == roi_nodes.CONTOUR:
            self.ui.contourButton.checked = True
        hasContour = any(part == roi_nodes.CONTOUR for part, _name, _points in roi_nodes.drawing())
        self.ui.holeButton.enabled = hasContour
        if not hasContour:
            self.ui.contourButton.checked = True
        self.ui.undoButton.enabled = self.logic.history.canUndo
        self.ui.redoButton.enabled = self.logic.history.canRedo
        self.ui.deleteButton.enabled = bool(roi_nodes.drawing())
        atRest = _("Drag a point to move it; Ctrl+click on the line adds one, the Delete key removes one.")
        self.ui.hintLabel.text = _hints().get(self.drawing.tool, atRest if hasContour else "")

    def showRoi(self):
        """Diameter, area and slice of the ROI, or what is wrong with it."""
        from her2map.errors import InputError

        problem, text = self.logic.problem, ""
        try:
            roi = self.logic.roi()
            text = self._roiText(roi) if roi is not None else ""
        except InputError as error:
            problem = str(error)
        self.ui.roiLabel.text = text or _("No ROI.")
        self.ui.problemLabel.text = problem
        self.ui.problemLabel.visible = bool(problem)

    def _roiText(self, roi):
        text = _("DCE diameter {diameter} mm, area {area} mm²")
        text = text.format(diameter=f"{roi.longest_diameter_mm:.1f}", area=f"{roi.area_mm2:.0f}")
        volume = dce_nodes.dceVolume(self.logic.parameters.dceBrowser)
        if volume is None:
            return text
        geometry = scene.geometryOf(volume)
        number = round(geometry.to_index(roi.centroid)[2]) + 1
        place = _("slice {number} of {count}").format(number=number, count=geometry.shape[0])
        return f"{text}, {place}"

    def showSnr(self):
        result, problem = self.snr.result, self.snr.problem
        placed = self.snr.placed
        self.ui.backgroundButton.text = _("Remove background") if placed else _("Background for SNR")
        text = ""
        if problem:
            text = problem
        elif result is not None:
            text = _("SNR {snr} = ({signal} - {background}) / {sd}").format(
                snr=f"{result.snr:.1f}",
                signal=f"{result.signal:.0f}",
                background=f"{result.background:.0f}",
                sd=f"{result.sd:.1f}",
            )
        self.ui.snrLabel.text = text

    def showTimeCourse(self):
        """After an edit has ended, not at every move of the mouse."""
        from her2map.errors import InputError

        try:
            self.logic.phases.showTimeCourse()
        except InputError:  # told where the ROI and the phases are shown
            dce_nodes.hideTimeCourse()
        self.readingRoom.showCurve()


def _phaseText(browser, shown, count) -> str:
    if shown is None:
        return _("No DCE.")
    text = _("Phase {number} of {count}").format(number=shown + 1, count=count)
    time = dce_nodes.phaseTime(browser, shown)
    return f"{text}, {time}" if time else text


def _hints() -> dict:
    return {
        drawing.CLICK: _("Click the points; a double or right click ends. Points can be dragged afterwards."),
        drawing.FREEHAND: _("Drag along the border with the left button."),
        drawing.CIRCLE: _("Press in the middle and drag to the border."),
        drawing.SEED: _("Click in the part of the lesion that enhances."),
    }
