"""The contours of a volume of interest in the scene: each one kept of a slice, with its holes."""

from . import roi_nodes, scene

HOLE_REFERENCE = "HER2Map.Hole"


def keep(contour, holes, name: str) -> None:
    """Add copies of `contour` and its `holes`, which the mouse does not touch."""
    kept = _copy(contour, roi_nodes.KEPT, name)
    for hole in holes:
        copy = _copy(hole, roi_nodes.KEPT_HOLE, f"{name}, {hole.GetName()}")
        kept.AddNodeReferenceID(HOLE_REFERENCE, copy.GetID())


def keptCurves() -> list:
    """The contours, in the order in which they were kept."""
    return roi_nodes.curvesOf(roi_nodes.KEPT)


def remove(contour) -> None:
    """Take a kept contour away with its holes."""
    for part in (*_holesOf(contour), contour):
        scene.removeNode(part)


def roiOf(contour, thickness: float):
    """The ROI of a kept contour.

    Raises:
        InputError: somebody has changed it into none.
    """
    return scene.roiOf(contour, _holesOf(contour), thickness)


def _holesOf(contour) -> list:
    count = contour.GetNumberOfNodeReferences(HOLE_REFERENCE)
    found = (contour.GetNthNodeReference(HOLE_REFERENCE, i) for i in range(count))
    return [hole for hole in found if hole is not None]


def _copy(curve, part: str, name: str):
    copy = roi_nodes.newCurve(part, name)
    copy.SetCurveType(curve.GetCurveType())
    scene.setControlPoints(copy, scene.controlPoints(curve))
    copy.SetLocked(True)
    roi_nodes.hidePoints(copy.GetDisplayNode())
    return copy
