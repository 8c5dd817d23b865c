"""The lesion's SNR: four rectangles in the air and a circle in the ROI, shown in the scene."""

import numpy as np
import slicer
from slicer.i18n import tr as _

from her2map.errors import InputError
from her2map.roi import Roi

from . import dce_nodes, roi_nodes, scene
from .observers import Observers
from .signal import Signal


class LesionSnr:
    """Follows the ROI and the rectangles.

    result - As :func:`her2map.lesion_snr.lesion_snr` gives it; None without a ROI or rectangles.
    problem - Why there is none, in a sentence; "" where nothing is wrong.
    changed - Signal.
    """

    def __init__(self, logic) -> None:
        self.logic = logic
        self.changed = Signal()
        self.result, self.problem = None, ""
        logic.valuesChanged.connect(self.update)
        logic.phaseChanged.connect(self.update)
        logic.examChanged.connect(self._onExam)
        self._ofScene, self._ofRectangles = Observers(), Observers()
        self._ofScene.add(slicer.mrmlScene, slicer.vtkMRMLScene.StartCloseEvent, self._onStartClose)

    def cleanup(self) -> None:
        self._ofScene.clear()
        self._ofRectangles.clear()
        self.changed.disconnectAll()

    def place(self) -> None:
        """Propose the rectangles on the ROI's slice.

        Raises:
            InputError: there is no ROI or no phase, or too little air.
        """
        from her2map.lesion_snr import background_rectangles

        roi, image = self.logic.roi(), self._image()
        if roi is None or image is None:
            raise InputError(_("The SNR needs a ROI on a DCE phase; draw it first."))
        rectangles = background_rectangles(slicer.util.arrayFromVolume(image), scene.geometryOf(image), roi)
        self.remove()
        for number, rectangle in enumerate(rectangles, 1):
            curve = roi_nodes.newCurve(roi_nodes.BACKGROUND, _("background {number}").format(number=number))
            roi_nodes.showLoop(curve, rectangle.outline)
        self._observe()
        self.update()

    def remove(self) -> None:
        self._ofRectangles.clear()
        roi_nodes.removeParts(roi_nodes.BACKGROUND, roi_nodes.CIRCLE)

    @property
    def placed(self) -> bool:
        return bool(roi_nodes.curvesOf(roi_nodes.BACKGROUND))

    def update(self) -> None:
        """Take the SNR anew, and move the circle to the ROI's middle."""
        self.result, self.problem = None, ""
        if self.placed and not slicer.mrmlScene.IsClosing():
            try:
                self._measure()
            except InputError as problem:
                self.problem = str(problem)
        self.changed.emit()

    def _measure(self) -> None:
        from her2map.lesion_snr import central_circle, lesion_snr

        image = self._image()
        roi = self.logic.roi() if image is not None else None
        if roi is None:
            roi_nodes.removeParts(roi_nodes.CIRCLE)
            return
        geometry, circle = scene.geometryOf(image), central_circle(roi)
        thickness = float(geometry.spacing[2])  # of a rectangle, as it is proposed
        rectangles = [Roi(scene.loopOf(c), thickness) for c in roi_nodes.curvesOf(roi_nodes.BACKGROUND)]
        self._showCircle(circle)
        self.result = lesion_snr(slicer.util.arrayFromVolume(image), geometry, circle, rectangles)
        self.problem = self.result.reason

    def _showCircle(self, circle) -> None:
        """A few points are enough to show it; the SNR is taken from the circle itself."""
        curve = next(iter(roi_nodes.curvesOf(roi_nodes.CIRCLE)), None)
        if curve is None:
            curve = roi_nodes.newCurve(roi_nodes.CIRCLE, _("circle"))
            curve.SetLocked(True)
            roi_nodes.hidePoints(curve.GetDisplayNode())
        radius = float(np.linalg.norm(circle.outline[0] - circle.centroid))
        scene.setControlPoints(curve, roi_nodes.circlePoints(circle.centroid, circle.normal, radius))

    def _image(self):
        """The volume of the phase to draw on; None without one."""
        browser, phase = self.logic.parameters.dceBrowser, self.logic.phase
        known = phase is not None and 0 <= phase < dce_nodes.numberOfPhases(browser)
        return dce_nodes.phaseVolume(browser, phase) if known else None

    def _observe(self) -> None:
        self._ofRectangles.clear()
        for curve in roi_nodes.curvesOf(roi_nodes.BACKGROUND):
            self._ofRectangles.add(curve, curve.PointModifiedEvent, self._onRectangle)
            self._ofRectangles.add(curve, curve.PointRemovedEvent, self._onRectangle)

    def _onRectangle(self, caller=None, event=None) -> None:
        self.update()

    def _onExam(self) -> None:
        """Of another exam, or of a scene that was opened with its rectangles."""
        self._observe()
        self.update()

    def _onStartClose(self, caller=None, event=None) -> None:
        self._ofRectangles.clear()
