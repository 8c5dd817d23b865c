"""Charts of the scene, drawn by VTK."""

import slicer
import vtk
from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ..observation import Observations
from .vtk_view import ctkVTKOpenGLNativeWidget
from .widget import qMRMLWidget

_AXES = {"X": vtk.vtkAxis.BOTTOM, "Y": vtk.vtkAxis.LEFT}
_SERIES = slicer.vtkMRMLPlotSeriesNode

_LINE_STYLES = {
    _SERIES.LineStyleNone: vtk.vtkPen.NO_PEN,
    _SERIES.LineStyleSolid: vtk.vtkPen.SOLID_LINE,
    _SERIES.LineStyleDash: vtk.vtkPen.DASH_LINE,
    _SERIES.LineStyleDot: vtk.vtkPen.DOT_LINE,
    _SERIES.LineStyleDashDot: vtk.vtkPen.DASH_DOT_LINE,
    _SERIES.LineStyleDashDotDot: vtk.vtkPen.DASH_DOT_DOT_LINE,
}
_MARKER_STYLES = {
    _SERIES.MarkerStyleNone: vtk.vtkPlotPoints.NONE,
    _SERIES.MarkerStyleCross: vtk.vtkPlotPoints.CROSS,
    _SERIES.MarkerStylePlus: vtk.vtkPlotPoints.PLUS,
    _SERIES.MarkerStyleSquare: vtk.vtkPlotPoints.SQUARE,
    _SERIES.MarkerStyleCircle: vtk.vtkPlotPoints.CIRCLE,
    _SERIES.MarkerStyleDiamond: vtk.vtkPlotPoints.DIAMOND,
}


class qMRMLPlotView(ctkVTKOpenGLNativeWidget):
    """Stands for qMRMLPlotView: a vtkChartXY that follows the chart node of a plot view node."""

    dataSelected = Signal(object, object)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._scene = self._node = self._chart_node = None
        self._observations = Observations()
        self._chart_observations = Observations()
        self._context = vtk.vtkContextView()
        self._context.SetRenderWindow(self._window)
        self._context.SetInteractor(self._interactor)
        self._context.GetRenderer().SetBackground(1, 1, 1)
        self._chart = vtk.vtkChartXY()
        self._chart.GetBackgroundBrush().SetColor(255, 253, 246, 255)
        self._context.GetScene().AddItem(self._chart)

    def chart(self):
        return self._chart

    def scene(self):
        return self._context.GetScene()

    @Slot(object)
    def setMRMLScene(self, scene) -> None:
        events = {slicer.vtkMRMLScene.EndBatchProcessEvent: self._on_changed}
        self._observations.reconnect(self._scene, scene, events)
        self._scene = scene
        self._update()

    @Slot(object)
    def setMRMLPlotViewNode(self, node) -> None:
        events = {vtk.vtkCommand.ModifiedEvent: self._on_changed}
        self._observations.reconnect(self._node, node, events)
        self._node = node
        self._update()

    @Slot()
    def fitToContent(self) -> None:
        self._chart.RecalculateBounds()
        self._schedule()

    def _on_changed(self, _caller, _data) -> None:
        self._update()

    def _update(self) -> None:
        self._chart_observations.disconnect()
        if self._scene is None or self._node is None or self._scene.IsBatchProcessing():
            return
        self._chart_node = self._scene.GetNodeByID(self._node.GetPlotChartNodeID() or "")
        self._chart.ClearPlots()
        if self._chart_node is not None:
            events = (vtk.vtkCommand.ModifiedEvent, slicer.vtkMRMLPlotChartNode.PlotModifiedEvent)
            for event in events:
                self._chart_observations.connect(self._chart_node, event, self._on_changed)
            self._draw_series()
            self._draw_axes()
        self._schedule()

    def _draw_series(self) -> None:
        for index in range(self._chart_node.GetNumberOfPlotSeriesNodes()):
            node = self._chart_node.GetNthPlotSeriesNode(index)
            plot = _make_plot(node) if node else None
            if plot is not None:
                self._chart.AddPlot(plot)

    def _draw_axes(self) -> None:
        chart, node = self._chart, self._chart_node
        chart.SetTitle(node.GetTitle() or "" if node.GetTitleVisibility() else "")
        chart.SetShowLegend(node.GetLegendVisibility())
        for letter, place in _AXES.items():
            axis = chart.GetAxis(place)
            visible = getattr(node, f"Get{letter}AxisTitleVisibility")()
            axis.SetTitle(getattr(node, f"Get{letter}AxisTitle")() or "" if visible else "")
            axis.SetGridVisible(node.GetGridVisibility())
            axis.SetLogScale(bool(getattr(node, f"Get{letter}AxisLogScale")()))
            if getattr(node, f"Get{letter}AxisRangeAuto")():
                axis.SetBehavior(vtk.vtkAxis.AUTO)
            else:
                axis.SetBehavior(vtk.vtkAxis.FIXED)
                axis.SetUnscaledRange(*getattr(node, f"Get{letter}AxisRange")())
        chart.RecalculateBounds()

    def _close(self) -> None:
        self._timer.stop()
        self._observations.disconnect()
        self._chart_observations.disconnect()
        self._context.SetInteractor(None)
        self._window.Finalize()


def _make_plot(series):
    """Return VTK's plot of a series, or None where its table or columns are missing."""
    table_node = series.GetTableNode()
    table = table_node.GetTable() if table_node else None
    y_name, x_name = series.GetYColumnName() or "", series.GetXColumnName() or ""
    if table is None or table.GetColumnByName(y_name) is None:
        return None
    if series.IsXColumnRequired() and table.GetColumnByName(x_name) is None:
        return None
    bars = series.GetPlotType() in (_SERIES.PlotTypeBar, _SERIES.PlotTypeScatterBar)
    plot = vtk.vtkPlotBar() if bars else vtk.vtkPlotLine()
    plot.SetWidth(series.GetLineWidth())
    plot.SetColorF(*series.GetColor())
    plot.SetLabel(series.GetName() or y_name)
    if not bars:
        plot.GetPen().SetLineType(_LINE_STYLES.get(series.GetLineStyle(), vtk.vtkPen.NO_PEN))
        plot.SetMarkerStyle(_MARKER_STYLES.get(series.GetMarkerStyle(), vtk.vtkPlotPoints.NONE))
        plot.SetMarkerSize(series.GetMarkerSize())
    plot.SetUseIndexForXSeries(not series.IsXColumnRequired())
    plot.SetInputData(table, x_name if series.IsXColumnRequired() else y_name, y_name)
    return plot


class qMRMLPlotWidget(qMRMLWidget):
    """Stands for qMRMLPlotWidget."""

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._view = qMRMLPlotView(self)
        self._controller = QWidget(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._controller)
        layout.addWidget(self._view, 1)

    def plotView(self) -> qMRMLPlotView:
        return self._view

    def viewWidget(self) -> qMRMLPlotView:
        return self._view

    def plotController(self) -> QWidget:
        return self._controller

    def mrmlPlotViewNode(self):
        return self._view._node

    @Slot(object)
    def setMRMLScene(self, scene) -> None:
        super().setMRMLScene(scene)
        self._view.setMRMLScene(scene)

    @Slot(object)
    def setMRMLPlotViewNode(self, node) -> None:
        self._view.setMRMLPlotViewNode(node)

    def pauseRender(self) -> None:
        self._view._pause()

    def resumeRender(self) -> None:
        self._view._resume()

    def _close(self) -> None:
        self._view._close()
