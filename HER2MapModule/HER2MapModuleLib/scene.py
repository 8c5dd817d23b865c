"""Between Slicer's scene and `her2map`: volumes and arrays, curves and ROIs: where both are known."""

from pathlib import Path

import numpy as np
import slicer
import vtk

from her2map.geometry import Geometry
from her2map.markups import closed_curve
from her2map.roi import Roi

COLOUR_TABLE = "HER2Map.ColourTable"
PLACEMENT = "HER2Map.Placement"
"""Marks the transforms that we made: the user's own are never changed nor removed."""
COLOURS = Path(__file__).parent.parent / "Resources" / "Colors"


def showArray(array, geometry: Geometry, name: str, node=None):
    """A scalar volume with `array` (slices, rows, columns); `node` is reused if it is given.

    It has no display node yet: one that Slicer makes would look through all voxels for a window.
    """
    if node is None:
        node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    slicer.util.updateVolumeFromArray(node, np.asarray(array))
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(geometry.affine))
    return node


def geometryOf(volume) -> Geometry:
    """The volume's grid, before any transform above it."""
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    columns, rows, slices = volume.GetImageData().GetDimensions()
    return Geometry((slices, rows, columns), slicer.util.arrayFromVTKMatrix(matrix))


def worldToVolume(volume) -> np.ndarray:
    """(4, 4), RAS: from where the volume is shown to its own patient coordinates.

    Raises:
        ValueError: the transform above it is not linear.
    """
    transform = volume.GetParentTransformNode()
    if transform is None:
        return np.eye(4)
    if not transform.IsTransformToWorldLinear():
        raise ValueError(f"{volume.GetName()} lies under a transform that bends; harden or remove it.")
    matrix = vtk.vtkMatrix4x4()
    transform.GetMatrixTransformFromWorld(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def placeVolume(volume, worldFromVolume, name: str) -> None:
    """Show `volume` moved by `worldFromVolume` (4, 4), or at its own place where that is None."""
    transform = volume.GetParentTransformNode()
    ours = transform is not None and transform.GetAttribute(PLACEMENT)
    if worldFromVolume is None:
        volume.SetAndObserveTransformNodeID(None)
        if ours:
            slicer.mrmlScene.RemoveNode(transform)
        return
    if not ours:
        transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", name)
        transform.SetAttribute(PLACEMENT, name)
        volume.SetAndObserveTransformNodeID(transform.GetID())
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(np.asarray(worldFromVolume, float)))


def controlPoints(curve) -> np.ndarray:
    """(n, 3) RAS of the points that have been placed."""
    placed = [
        i
        for i in range(curve.GetNumberOfControlPoints())
        if curve.GetNthControlPointPositionStatus(i) == slicer.vtkMRMLMarkupsNode.PositionDefined
    ]
    points = np.empty((len(placed), 3))
    for row, i in zip(points, placed, strict=True):
        curve.GetNthControlPointPositionWorld(i, row)
    return points


def setControlPoints(curve, points) -> None:
    """Replace the control points by `points` (n, 3), RAS, as one change."""
    wasModifying = curve.StartModify()
    curve.RemoveAllControlPoints()
    for point in np.asarray(points, float):
        curve.AddControlPointWorld(vtk.vtkVector3d(*point))
    curve.EndModify(wasModifying)


def loopOf(curve) -> np.ndarray:
    """The polygon that the curve shows: straight edges for a linear curve, else Slicer's spline."""
    points = controlPoints(curve)
    if curve.GetCurveType() == slicer.vtkCurveGenerator.CURVE_TYPE_LINEAR_SPLINE:
        return points
    return closed_curve(points)


def roiOf(curve, holes, thickness: float) -> Roi:
    """The ROI of a contour and its holes.

    Raises:
        InputError: the contour cannot be a ROI, see :class:`her2map.roi.Roi`.
    """
    return Roi(loopOf(curve), thickness, tuple(loopOf(hole) for hole in holes))


def colourTable(name: str):
    """The colour node of a table in Resources/Colors, loaded the first time."""
    for node in nodesWith("vtkMRMLColorTableNode", COLOUR_TABLE):
        if node.GetAttribute(COLOUR_TABLE) == name:
            return node
    node = slicer.modules.colors.logic().LoadColorFile(str(COLOURS / f"{name}.txt"), name)
    node.SetAttribute(COLOUR_TABLE, name)  # Slicer may have given it another name
    return node


def removeNode(node) -> None:
    """Remove a volume or a markup with what shows and stores it, and the transform that it lies under."""
    if node is None:
        return
    if node.IsA("vtkMRMLVolumeNode"):
        placeVolume(node, None, "")
    displays = [node.GetNthDisplayNode(i) for i in range(node.GetNumberOfDisplayNodes())]
    storage = [node.GetNthStorageNode(i) for i in range(node.GetNumberOfStorageNodes())]
    # A legend without the display node that it explains is an error to Slicer: legends go first.
    legends = [shown for shown in displays if shown and shown.IsA("vtkMRMLColorLegendDisplayNode")]
    for part in (*legends, node, *(shown for shown in displays if shown not in legends), *storage):
        if part is not None:
            slicer.mrmlScene.RemoveNode(part)


def nodesWith(nodeClass: str, attribute: str) -> list:
    """The nodes of the scene that carry an attribute, in the order in which they were added."""
    return [node for node in slicer.util.getNodesByClass(nodeClass) if node.GetAttribute(attribute)]
