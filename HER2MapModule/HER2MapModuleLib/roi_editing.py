"""The part of the logic that draws: the contour and its holes, followed as they change, undone, redone."""

from contextlib import contextmanager

import slicer

from her2map.errors import InputError

from . import dce_nodes, roi_nodes, scene
from .observers import Observers


class RoiEditing:
    """A base of the logic, which gives `parameters`, `history`, `roiChanged`, `edited` and `measure`."""

    def newContour(self):
        """An empty contour in place of the one before; its holes go."""
        roi_nodes.removeParts(roi_nodes.HOLE)
        curve = self.parameters.roi
        if curve is None:
            curve = roi_nodes.newCurve(roi_nodes.CONTOUR, roi_nodes.ROI_NAME)
            self.parameters.roi = curve
        self.observeCurve(curve)
        self._empty(curve)
        return curve

    def _empty(self, curve) -> None:
        """Make room for another contour. It is no edit yet: the old one comes back if nothing is drawn."""
        with self.quietly():
            curve.RemoveAllControlPoints()
        if not self._editing:
            self.roiChanged.emit()
            self.measure()

    @contextmanager
    def quietly(self):
        """The program changes the scene: nothing follows until it says so."""
        before, self._editing = self._editing, True
        try:
            yield
        finally:
            self._editing = before

    @property
    def isQuiet(self) -> bool:
        """Whether it is the program that changes the scene."""
        return self._editing

    def newHole(self):
        curve = roi_nodes.newCurve(roi_nodes.HOLE, roi_nodes.holeName())
        self.observeCurve(curve)
        return curve

    def setContour(self, points) -> None:
        """Draw the contour through control points (n, 3), RAS, as one edit."""
        with self.oneEdit():
            scene.setControlPoints(self.newContour(), points)

    def addHole(self, points) -> None:
        """Draw a hole through control points (n, 3), RAS, as one edit."""
        with self.oneEdit():
            scene.setControlPoints(self.newHole(), points)

    def undo(self) -> None:
        with self.oneEdit(record=False):
            self.history.undo()

    def redo(self) -> None:
        with self.oneEdit(record=False):
            self.history.redo()

    @contextmanager
    def oneEdit(self, record: bool = True):
        """Curves are changed by the program: values are taken once, at the end."""
        with self.quietly():
            yield
        contours = roi_nodes.curvesOf(roi_nodes.CONTOUR)
        self.parameters.roi = contours[0] if contours else None
        for curve in self._observedCurves():
            self.observeCurve(curve)
        if record:
            self.history.record()
        self.roiChanged.emit()
        self.measure()
        self.edited.emit()

    def observeCurve(self, curve) -> None:
        """Values follow every change of `curve`."""
        if curve not in self._ofCurves:
            observers = self._ofCurves[curve] = Observers()
            for event, callback in self._curveObservers():
                observers.add(curve, event, callback)

    def _unobserve(self, curve) -> None:
        if curve in self._ofCurves:
            self._ofCurves.pop(curve).clear()

    def _unobserveAll(self) -> None:
        for curve in tuple(self._ofCurves):
            self._unobserve(curve)

    def _curveObservers(self) -> tuple:
        events = slicer.vtkMRMLMarkupsNode
        return (
            (events.PointModifiedEvent, self._onCurve),
            (events.PointRemovedEvent, self._onCurve),
            (events.PointPositionDefinedEvent, self._onCurve),
            (events.TransformModifiedEvent, self._onCurve),
            (events.PointEndInteractionEvent, self._onEdited),
            (events.PointPositionDefinedEvent, self._onEdited),
            (events.PointRemovedEvent, self._onEdited),
            (events.TransformModifiedEvent, self._onEdited),
        )

    def _observedCurves(self) -> list:
        return roi_nodes.curvesOf(roi_nodes.CONTOUR) + roi_nodes.curvesOf(roi_nodes.HOLE)

    def _onCurve(self, caller=None, event=None) -> None:
        if not self._editing:
            self.measure()

    def _onEdited(self, caller=None, event=None) -> None:
        if not self._editing:
            self.history.record()
            self.roiChanged.emit()
            self.edited.emit()

    def roi(self):
        """The ROI as drawn; None where nothing is drawn.

        Raises:
            InputError: what is drawn is no ROI yet.
        """
        curve = self.parameters.roi
        if curve is None or len(scene.controlPoints(curve)) == 0:
            return None
        browser = self.parameters.dceBrowser
        thickness = dce_nodes.sliceThickness(browser) if browser is not None else None
        if thickness is None:
            raise InputError("There is no DCE series, so the ROI has no thickness; read an exam with DCE.")
        return scene.roiOf(curve, self.finishedHoles(), thickness)

    def finishedHoles(self) -> list:
        """The curves of the holes that enclose something."""
        return [h for h in roi_nodes.curvesOf(roi_nodes.HOLE) if len(scene.controlPoints(h)) >= 3]
