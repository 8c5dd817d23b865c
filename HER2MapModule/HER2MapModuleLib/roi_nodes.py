"""The contour, its holes and the background rectangles as markups; drawing, undo and redo."""

import numpy as np
import slicer
from slicer.i18n import tr as _

from . import scene

PART = "HER2Map.Part"
CONTOUR, HOLE, BACKGROUND, CIRCLE = "contour", "hole", "background", "circle"
KEPT, KEPT_HOLE = "kept", "kept hole"
KEPT_PARTS = (KEPT, KEPT_HOLE)
"""Contours of a volume's slices, and their holes."""
SEED, STROKE = "seed", "stroke"
PARTS = (CONTOUR, HOLE)
ROI_NAME = "ROI"
CURVE_CLASS, SEED_CLASS = "vtkMRMLMarkupsClosedCurveNode", "vtkMRMLMarkupsFiducialNode"
FREEHAND_SPACING_MM = 2.0
"""Between the control points that a freehand drawing leaves."""
LINE_MM = 0.5
FEWEST_POINTS = 3
"""A curve with fewer control points encloses nothing."""
_COLOURS = {
    CONTOUR: (1.0, 0.85, 0.1),
    HOLE: (0.3, 0.9, 1.0),
    BACKGROUND: (0.6, 0.6, 0.6),
    CIRCLE: (0.4, 1.0, 0.4),
    KEPT: (1.0, 0.45, 0.8),
    KEPT_HOLE: (0.75, 0.6, 1.0),
}


def newCurve(part: str, name: str):
    """An empty closed curve for one part of the ROI."""
    curve = slicer.mrmlScene.AddNewNodeByClass(CURVE_CLASS, name)
    curve.SetAttribute(PART, part)
    curve.CreateDefaultDisplayNodes()
    display = curve.GetDisplayNode()
    display.SetSelectedColor(*_COLOURS[part])
    display.SetColor(*_COLOURS[part])
    display.SetPointLabelsVisibility(False)
    display.SetPropertiesLabelVisibility(False)
    display.SetGlyphTypeFromString("Circle2D")
    display.SetUseGlyphScale(False)
    display.SetGlyphSize(1.5)
    display.SetLineThickness(0.3)
    display.SetFillVisibility(False)
    display.SetSnapMode(slicer.vtkMRMLMarkupsDisplayNode.SnapModeUnconstrained)
    return curve


def curvesOf(part: str) -> list:
    return [node for node in scene.nodesWith(CURVE_CLASS, PART) if node.GetAttribute(PART) == part]


def removeParts(*parts: str) -> None:
    for part in parts:
        for curve in curvesOf(part):
            scene.removeNode(curve)


def newStroke():
    """A line that shows what is being drawn; never saved, never touched by the mouse."""
    curve = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsCurveNode", "stroke")
    curve.SetAttribute(PART, STROKE)
    curve.SetSaveWithScene(False)
    curve.SetCurveTypeToLinear()
    curve.SetLocked(True)
    curve.CreateDefaultDisplayNodes()
    display = curve.GetDisplayNode()
    display.SetSaveWithScene(False)
    display.SetSelectedColor(1.0, 0.5, 0.0)
    display.SetPointLabelsVisibility(False)
    display.SetPropertiesLabelVisibility(False)
    hidePoints(display)
    return curve


def hidePoints(display) -> None:
    """Show the line alone."""
    display.SetUseGlyphScale(False)
    display.SetGlyphSize(0.2)
    display.SetCurveLineSizeMode(display.UseLineDiameter)  # else it is as thin as the points are small
    display.SetLineDiameter(LINE_MM)


def newSeed():
    """A point for one click in the lesion."""
    seed = slicer.mrmlScene.AddNewNodeByClass(SEED_CLASS, "seed")
    seed.SetAttribute(PART, SEED)
    seed.SetSaveWithScene(False)
    seed.CreateDefaultDisplayNodes()
    seed.GetDisplayNode().SetSaveWithScene(False)
    return seed


def startPlacing(markup) -> None:
    """The mouse places points of `markup`: one seed, or a curve's until a double or right click ends it."""
    selection = slicer.app.applicationLogic().GetSelectionNode()
    selection.SetReferenceActivePlaceNodeClassName(markup.GetClassName())
    selection.SetActivePlaceNodeID(markup.GetID())
    interaction = slicer.app.applicationLogic().GetInteractionNode()
    interaction.SetPlaceModePersistence(0 if markup.GetClassName() == SEED_CLASS else 1)
    interaction.SetCurrentInteractionMode(interaction.Place)


def stopPlacing() -> None:
    interaction = slicer.app.applicationLogic().GetInteractionNode()
    interaction.SetPlaceModePersistence(0)
    interaction.SetCurrentInteractionMode(interaction.ViewTransform)


def showLoop(curve, points) -> None:
    """Make `curve` the polygon `points` (n, 3) with straight edges."""
    curve.SetCurveTypeToLinear()
    scene.setControlPoints(curve, points)


def circlePoints(centre, normal, radius: float, count: int = 12) -> np.ndarray:
    """(count, 3) control points whose spline is a circle to a thousandth of its radius."""
    normal = np.asarray(normal, float) / np.linalg.norm(normal)
    across = np.cross(np.eye(3)[np.argmin(np.abs(normal))], normal)
    across /= np.linalg.norm(across)
    along = np.cross(normal, across)
    angle = 2 * np.pi * np.arange(count)[:, None] / count
    return np.asarray(centre, float) + radius * (np.cos(angle) * across + np.sin(angle) * along)


def thinned(path) -> np.ndarray:
    """Control points along a freehand path (n, 3), evenly spaced."""
    path = np.asarray(path, float)
    closed = np.vstack([path, path[:1]])
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1))])
    count = max(int(length[-1] / FREEHAND_SPACING_MM), 4)
    at = np.linspace(0.0, length[-1], count, endpoint=False)
    return np.column_stack([np.interp(at, length, closed[:, axis]) for axis in range(3)])


class History:
    """Undo and redo of what was drawn: the control points of the contour and its holes after every edit."""

    LENGTH = 100

    def __init__(self) -> None:
        self._done: list[tuple] = []
        self._undone: list[tuple] = []

    def clear(self) -> None:
        self._done.clear()
        self._undone.clear()

    @property
    def canUndo(self) -> bool:
        return len(self._done) > 1

    @property
    def canRedo(self) -> bool:
        return bool(self._undone)

    def start(self) -> None:
        """Forget what was; the present drawing, but for a curve only begun, cannot be undone."""
        self.clear()
        self._done.append(finished())

    def record(self) -> None:
        """Keep the present drawing, unless it is the one kept last or a curve of it is only begun."""
        now = drawing()
        if len(finished()) < len(now):
            return
        if not self._done:
            self._done.append(())  # before the first drawing there was none
        if self._done and _same(self._done[-1], now):
            return
        self._done = [*self._done, now][-self.LENGTH :]
        self._undone.clear()

    def undo(self) -> None:
        if self.canUndo:
            self._undone.append(self._done.pop())
            restore(self._done[-1])

    def redo(self) -> None:
        if self.canRedo:
            self._done.append(self._undone.pop())
            restore(self._done[-1])


def drawing() -> tuple:
    """(part, name, control points) of every curve that has points."""
    found = (
        (part, curve.GetName(), scene.controlPoints(curve)) for part in PARTS for curve in curvesOf(part)
    )
    return tuple(kept for kept in found if len(kept[2]))


def finished() -> tuple:
    """As :func:`drawing`, without curves that were only begun."""
    return tuple(kept for kept in drawing() if len(kept[2]) >= FEWEST_POINTS)


def begun() -> list:
    """The curves that were only begun."""
    return [
        curve
        for part in PARTS
        for curve in curvesOf(part)
        if 0 < len(scene.controlPoints(curve)) < FEWEST_POINTS
    ]


def _same(one: tuple, other: tuple) -> bool:
    return len(one) == len(other) and all(
        a[0] == b[0] and np.array_equal(a[2], b[2]) for a, b in zip(one, other, strict=True)
    )


def restore(kept: tuple) -> None:
    """Curves keep their nodes, whatever they are called: the first of a part takes its first drawing.

    A contour that is not wanted is emptied, as the parameter node refers to it; a hole is removed.
    """
    for part in PARTS:
        wanted = [(name, points) for kind, name, points in kept if kind == part]
        curves = curvesOf(part)
        for curve in curves[len(wanted) :]:
            if part == HOLE:
                scene.removeNode(curve)
            else:
                curve.RemoveAllControlPoints()
        for number, (name, points) in enumerate(wanted):
            curve = curves[number] if number < len(curves) else newCurve(part, name)
            scene.setControlPoints(curve, points)


def holeName() -> str:
    used = {curve.GetName() for curve in curvesOf(HOLE)}
    return next(name for i in range(1, 1000) if (name := holeNameOf(i)) not in used)


def holeNameOf(number: int) -> str:
    return _("hole {number}").format(number=number)
