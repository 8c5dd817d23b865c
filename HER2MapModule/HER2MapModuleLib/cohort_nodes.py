"""A cohort's tables and ROC curves in the scene, and a layout that shows the curves."""

import numpy as np
import slicer
import vtk
from slicer.i18n import tr as _
from vtk.util.numpy_support import numpy_to_vtk

from . import scene
from .reading_room import CURVE_VIEW

COHORT = "HER2Map.Cohort"
COLOURS = (
    (0.12, 0.47, 0.71), (0.84, 0.15, 0.16), (0.17, 0.63, 0.17), (1.00, 0.50, 0.05), (0.58, 0.40, 0.74),
    (0.55, 0.34, 0.29), (0.89, 0.47, 0.76), (0.50, 0.50, 0.50), (0.74, 0.74, 0.13), (0.09, 0.75, 0.81),
)  # fmt: skip
KINDS = ("vtkMRMLPlotChartNode", "vtkMRMLPlotSeriesNode", "vtkMRMLTableNode")


def showCohort(tables: dict, titles: dict, curves) -> None:
    """Add the tables and the ROC curves, in place of those that were there."""
    removeCohort()
    for name, title in titles.items():
        node = _newNode("vtkMRMLTableNode", title, name)
        node.SetAndObserveTable(_vtkTable(tables[name]))
    chart = _newNode("vtkMRMLPlotChartNode", _("ROC curves"), "roc")
    for number, curve in enumerate(curves):
        series = _newSeries(curve.title, curve.x, curve.y, f"roc {number + 1}")
        series.SetColor(*COLOURS[number % len(COLOURS)])
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
    chance = _newSeries(_("chance, 0.50"), np.array([0.0, 1.0]), np.array([0.0, 1.0]), "roc chance")
    chance.SetColor(0.6, 0.6, 0.6)
    chance.SetLineStyle(slicer.vtkMRMLPlotSeriesNode.LineStyleDash)
    chart.AddAndObservePlotSeriesNodeID(chance.GetID())
    chart.SetTitle(_("ROC curves and their areas"))
    chart.SetXAxisTitle(_("1 - specificity"))
    chart.SetYAxisTitle(_("sensitivity"))
    chart.SetLegendVisibility(True)
    chart.SetXAxisRangeAuto(False)
    chart.SetXAxisRange(0.0, 1.4)  # the legend stands at the right edge, beside the curves
    chart.SetYAxisRangeAuto(False)
    chart.SetYAxisRange(0.0, 1.02)


def removeCohort() -> None:
    """Remove what :func:`showCohort` added."""
    for kind in KINDS:
        for node in scene.nodesWith(kind, COHORT):
            storage = node.GetStorageNode() if node.IsA("vtkMRMLStorableNode") else None
            for part in (node, storage):
                if part is not None:
                    slicer.mrmlScene.RemoveNode(part)


def cohortNode(kind: str, name: str):
    """The node of that class and name; None where the scene has none."""
    return next((node for node in scene.nodesWith(kind, COHORT) if node.GetAttribute(COHORT) == name), None)


def showCurves() -> None:
    """Slicer's layout of one plot, with the ROC curves in it; the tables are in the Tables module."""
    manager = slicer.app.layoutManager()
    if manager is None:
        return
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpPlotView)
    chart = cohortNode("vtkMRMLPlotChartNode", "roc")
    for view in slicer.util.getNodesByClass("vtkMRMLPlotViewNode"):
        if view.GetSingletonTag() != CURVE_VIEW:
            view.SetPlotChartNodeID(chart.GetID())


def _newNode(kind: str, title: str, name: str):
    node = slicer.mrmlScene.AddNewNodeByClass(kind, title)
    node.SetAttribute(COHORT, name)
    return node


def _newSeries(title: str, x, y, name: str):
    table = _newNode("vtkMRMLTableNode", f"{title} table", f"{name} points")
    table.SetHideFromEditors(True)
    slicer.util.updateTableFromArray(table, np.column_stack([x, y]), ["x", "y"])
    series = _newNode("vtkMRMLPlotSeriesNode", title, name)
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName("x")
    series.SetYColumnName("y")
    series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
    series.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone)
    return series


def _vtkTable(frame):
    """Columns of numbers as numbers, all else as text; what is missing is NaN or empty."""
    table = vtk.vtkTable()
    for name in frame.columns:
        column = frame[name]
        if column.dtype.kind in "iuf":
            array = numpy_to_vtk(column.to_numpy(float), deep=True)
        else:
            array = vtk.vtkStringArray()
            for value in column:
                array.InsertNextValue("" if value is None or value != value else str(value))
        array.SetName(str(name))
        table.AddColumn(array)
    return table
