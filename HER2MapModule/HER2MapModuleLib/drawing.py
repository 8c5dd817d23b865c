"""What the mouse draws: a contour or a hole by clicks, by dragging or as a circle; one click for a seed."""

import numpy as np
import qt
import slicer
import vtk

from . import roi_nodes, scene
from .observers import Observers
from .signal import Signal

CLICK, FREEHAND, CIRCLE, SEED = "click", "freehand", "circle", "seed"
SMALLEST_RADIUS_MM = 0.5
"""A circle below it was a click by mistake."""
FEWEST_POINTS = 5
"""A freehand path with fewer was a click by mistake."""
_BEFORE_SLICER = 10.0
"""Priority of our observers: what we draw with must not also pan the view or move a markup."""


class Drawing:
    """One tool at a time is in the reader's hand.

    changed - Signal: a tool was taken up or put away.
    tool - CLICK, FREEHAND, CIRCLE, SEED or None. part - What it draws, a contour or a hole.
    """

    def __init__(self, logic, readingRoom) -> None:
        self.logic, self.readingRoom = logic, readingRoom
        self.changed = Signal()
        self.tool = self.part = None
        self._drag = self._onSeed = self._before = None
        self._ofScene, self._ofPlacing = Observers(), Observers()
        self._ofScene.add(slicer.mrmlScene, slicer.vtkMRMLScene.StartCloseEvent, self._onStartClose)

    def cleanup(self) -> None:
        self.stop()
        self._ofScene.clear()
        self.changed.disconnectAll()

    def start(self, tool: str, part: str = roi_nodes.CONTOUR) -> None:
        """Take up a tool; another one is put away."""
        self.stop()
        self.readingRoom.show()
        self.tool, self.part = tool, part
        if tool == CLICK:
            isHole = part == roi_nodes.HOLE
            self._before = roi_nodes.drawing()
            self._place(self.logic.newHole() if isHole else self.logic.newContour())
        else:
            self._drag = _Drag(
                self.readingRoom.views(), _Freehand if tool == FREEHAND else _Circle, self._onDrawn
            )
        self.changed.emit()

    def goOn(self) -> None:
        """Take up the points tool for a curve that was only begun; nothing happens without one."""
        self.stop()
        begun = roi_nodes.begun()
        if not begun:
            return
        self.readingRoom.show()
        self.tool, self.part = CLICK, begun[0].GetAttribute(roi_nodes.PART)
        self._before = roi_nodes.finished()
        self._place(begun[0])
        self.changed.emit()

    def startSeed(self, onSeed) -> None:
        """The next click calls `onSeed` with its place (3,), RAS."""
        self.stop()
        self.readingRoom.show()
        self.tool, self._onSeed = SEED, onSeed
        seed = roi_nodes.newSeed()
        self._ofPlacing.add(seed, seed.PointPositionDefinedEvent, self._onSeedPlaced)
        self._place(seed)
        self.changed.emit()

    def stop(self) -> None:
        """Put the tool away; what is half drawn goes."""
        if self.tool is None:
            return
        tool, self.tool, self.part, self._onSeed = self.tool, None, None, None
        if self._drag is not None:
            self._drag.end()
            self._drag = None
        self._ofPlacing.clear()
        if tool in (CLICK, SEED):
            roi_nodes.stopPlacing()
        self._tidy()
        self.changed.emit()

    # Clicks: Slicer places the points

    def _place(self, markup) -> None:
        roi_nodes.startPlacing(markup)
        interaction = slicer.app.applicationLogic().GetInteractionNode()
        self._ofPlacing.add(interaction, interaction.EndPlacementEvent, self._onPlacingEnded)

    def _onPlacingEnded(self, caller=None, event=None) -> None:
        # Slicer's widget still works on the markup: what goes with it must wait until it is done.
        if self.tool is not None:
            _later(self._stopAfterPlacing)

    def _stopAfterPlacing(self) -> None:
        if self.tool in (CLICK, SEED) and not _placing():
            self.stop()

    def _onSeedPlaced(self, caller=None, event=None) -> None:
        point = np.zeros(3)
        caller.GetNthControlPointPositionWorld(0, point)
        onSeed = self._onSeed
        _later(lambda: self._seedTaken(onSeed, point))

    def _seedTaken(self, onSeed, point) -> None:
        if self.tool == SEED and self._onSeed is onSeed:
            self.stop()
            onSeed(point)

    # Drags: our own observers

    def _onDrawn(self, points) -> None:
        """A drag has ended; without points it was a click by mistake, and the tool stays."""
        if points is None:
            return
        part = self.part
        self.stop()
        if part == roi_nodes.HOLE:
            self.logic.addHole(points)
        else:
            self.logic.setContour(points)

    # Ends

    def _tidy(self) -> None:
        """Remove what only helped to draw; a curve not finished goes, and what it replaced comes back."""
        for nodeClass in (roi_nodes.SEED_CLASS, "vtkMRMLMarkupsCurveNode"):
            for node in scene.nodesWith(nodeClass, roi_nodes.PART):
                if node.GetAttribute(roi_nodes.PART) in (roi_nodes.SEED, roi_nodes.STROKE):
                    scene.removeNode(node)
        before, self._before = self._before, None
        curves = roi_nodes.curvesOf(roi_nodes.CONTOUR) + roi_nodes.curvesOf(roi_nodes.HOLE)
        fewest = roi_nodes.FEWEST_POINTS
        unfinished = any(curve.GetNumberOfDefinedControlPoints() < fewest for curve in curves)
        if before is not None and unfinished and not slicer.mrmlScene.IsClosing():
            with self.logic.oneEdit():
                roi_nodes.restore(before)

    def _onStartClose(self, caller=None, event=None) -> None:
        """Let go of views and nodes; the scene removes the nodes itself."""
        self.stop()


class _Drag:
    """Follows the left button in slice views from press to release, and hides it from Slicer meanwhile."""

    def __init__(self, views, shape, onDrawn) -> None:
        self._shape, self._onDrawn = shape, onDrawn
        self._tags, self._drawn, self._view = [], None, None
        events = {
            "LeftButtonPressEvent": self._onPress,
            "MouseMoveEvent": self._onMove,
            "LeftButtonReleaseEvent": self._onRelease,
            "LeftButtonDoubleClickEvent": self._onDoubleClick,
        }
        for view in views:
            interactor, node = view.interactorObserver().GetInteractor(), view.mrmlSliceNode()
            for event, method in events.items():
                self._observe(interactor, event, method, node)

    def _observe(self, interactor, event, method, sliceNode) -> None:
        def callback(caller, _event):
            if method(caller, sliceNode):
                caller.GetCommand(tag).SetAbortFlag(1)

        tag = interactor.AddObserver(event, callback, _BEFORE_SLICER)
        self._tags.append((interactor, tag))

    def end(self) -> None:
        for interactor, tag in self._tags:
            interactor.RemoveObserver(tag)
        self._tags, self._drawn = [], None

    def _onPress(self, interactor, sliceNode) -> bool:
        if interactor.GetShiftKey() or interactor.GetControlKey():
            return False  # Slicer pans and zooms with these
        self._view = sliceNode
        self._drawn = self._shape(_rasOf(interactor, sliceNode), _normalOf(sliceNode))
        return True

    def _onMove(self, interactor, sliceNode) -> bool:
        if self._drawn is None or sliceNode is not self._view:
            return self._drawn is not None
        self._drawn.add(_rasOf(interactor, sliceNode))
        return True

    def _onRelease(self, interactor, sliceNode) -> bool:
        if self._drawn is None:
            return False
        drawn, self._drawn = self._drawn, None
        drawn.remove()
        # The observers go with the tool: not from inside of one of them.
        _later(lambda: self._onDrawn(drawn.points()) if self._tags else None)
        return True

    def _onDoubleClick(self, interactor, sliceNode) -> bool:
        return True  # else the view would be maximized


class _Freehand:
    """The path of the mouse."""

    def __init__(self, start, normal) -> None:
        self._path = [start]
        self._stroke = roi_nodes.newStroke()
        self._stroke.AddControlPointWorld(vtk.vtkVector3d(*start))

    def add(self, point) -> None:
        if np.linalg.norm(point - self._path[-1]) > 0:
            self._path.append(point)
            self._stroke.AddControlPointWorld(vtk.vtkVector3d(*point))

    def remove(self) -> None:
        scene.removeNode(self._stroke)

    def points(self):
        return roi_nodes.thinned(self._path) if len(self._path) >= FEWEST_POINTS else None


class _Circle:
    """A circle about the point where the button was pressed."""

    def __init__(self, centre, normal) -> None:
        self._centre, self._normal, self._radius = centre, normal, 0.0
        self._stroke = roi_nodes.newStroke()

    def add(self, point) -> None:
        self._radius = float(np.linalg.norm(point - self._centre))
        if self._radius > 0:
            loop = roi_nodes.circlePoints(self._centre, self._normal, self._radius, 48)
            scene.setControlPoints(self._stroke, np.vstack([loop, loop[:1]]))

    def remove(self) -> None:
        scene.removeNode(self._stroke)

    def points(self):
        if self._radius < SMALLEST_RADIUS_MM:
            return None
        return roi_nodes.circlePoints(self._centre, self._normal, self._radius)


def _rasOf(interactor, sliceNode) -> np.ndarray:
    """(3,) under the mouse, in the plane of the slice."""
    x, y = interactor.GetEventPosition()
    return np.array(sliceNode.GetXYToRAS().MultiplyPoint((x, y, 0.0, 1.0))[:3])


def _normalOf(sliceNode) -> np.ndarray:
    matrix = sliceNode.GetSliceToRAS()
    return np.array([matrix.GetElement(row, 2) for row in range(3)])


def _placing() -> bool:
    interaction = slicer.app.applicationLogic().GetInteractionNode()
    return interaction.GetCurrentInteractionMode() == interaction.Place


def _later(function) -> None:
    qt.QTimer.singleShot(0, function)
