"""The DCE phases in the scene: a sequence, a browser that scrolls it, and the time-intensity curve."""

import json

import numpy as np
import slicer
from slicer.i18n import tr as _

from her2map.series import DceSeries

from . import scene

NAME = "DCE"
THICKNESS = "HER2Map.SliceThickness"
TIMES = "HER2Map.Times"
CURVE = "HER2Map.TimeCourse"


def showDce(dce) -> object:
    """Add the phases of a `her2map.series.DceSeries`; returns the browser node."""
    removeDce()
    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", NAME)
    sequence.SetIndexName("time after injection")
    sequence.SetIndexUnit("s")
    after = dce.after_injection_s
    for number, phase in enumerate(dce.data):
        volume = slicer.vtkMRMLScalarVolumeNode()
        slicer.util.updateVolumeFromArray(volume, phase)
        volume.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(dce.affine))
        index = f"{after[number]:.1f}" if np.isfinite(after[number]) else str(number + 1)
        sequence.SetDataNodeAtValue(volume, index)
    thickness = dce.slice_thickness_mm if dce.slice_thickness_mm > 0 else dce.geometry.spacing[2]
    sequence.SetAttribute(THICKNESS, f"{thickness:.6g}")
    sequence.SetAttribute(TIMES, json.dumps(_timesOf(dce)))
    browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", f"{NAME} browser")
    browser.SetAndObserveMasterSequenceNodeID(sequence.GetID())
    browser.SetPlaybackActive(False)
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    volume = browser.GetProxyNode(sequence)
    volume.SetName(NAME)
    volume.CreateDefaultDisplayNodes()
    return browser


def _timesOf(dce) -> dict:
    """All that a `DceSeries` knows beside its pixels and their place."""
    facts = {name: value for name, value in vars(dce).items() if name not in ("data", "affine")}
    return {**facts, "time_s": list(map(float, dce.time_s))}


def readDce(browser) -> DceSeries | None:
    """The phases as the scene holds them; None without a browser, or without the phases' times."""
    sequence = browser.GetMasterSequenceNode() if browser else None
    facts = sequence.GetAttribute(TIMES) if sequence else None
    if not facts or sequence.GetNumberOfDataNodes() == 0:
        return None
    known = json.loads(facts)
    known["time_s"] = np.array(known["time_s"])
    phases = [phaseVolume(browser, i) for i in range(sequence.GetNumberOfDataNodes())]
    if None in phases:
        return None
    data = np.stack([slicer.util.arrayFromVolume(phase) for phase in phases])
    return DceSeries(data=data, affine=scene.geometryOf(phases[0]).affine, **known)


def numberOfPhases(browser) -> int:
    sequence = browser.GetMasterSequenceNode() if browser else None
    return sequence.GetNumberOfDataNodes() if sequence else 0


def shownPhase(browser) -> int | None:
    """The phase that is shown, counted from 0; None without one."""
    number = browser.GetSelectedItemNumber() if browser else -1
    return number if 0 <= number < numberOfPhases(browser) else None


def phaseTime(browser, phase: int) -> str:
    """Such as "100 s"; "" where the time after the injection is not known."""
    sequence = browser.GetMasterSequenceNode()
    text = sequence.GetNthIndexValue(phase)
    return _("{seconds} s").format(seconds=f"{float(text):.0f}") if "." in text else ""


def shownPhaseLabel(browser) -> str:
    """Such as "DCE 100 s"."""
    phase = shownPhase(browser)
    if phase is None:
        return NAME
    return f"{NAME} {phaseTime(browser, phase) or phase + 1}"


def removeDce() -> None:
    """Remove the phases of an exam that was shown before."""
    for sequence in scene.nodesWith("vtkMRMLSequenceNode", THICKNESS):
        for browser in slicer.util.getNodesByClass("vtkMRMLSequenceBrowserNode"):
            if browser.GetMasterSequenceNode() is sequence:
                volume = browser.GetProxyNode(sequence)
                slicer.mrmlScene.RemoveNode(browser)
                scene.removeNode(volume)
        slicer.mrmlScene.RemoveNode(sequence)


def dceVolume(browser):
    """The volume that shows the browser's phase; None without a browser, or without pixels."""
    sequence = browser.GetMasterSequenceNode() if browser else None
    return _withPixels(browser.GetProxyNode(sequence)) if sequence else None


def phaseVolume(browser, phase: int):
    """The data node of one phase, not shown itself; None without phases, or without pixels."""
    sequence = browser.GetMasterSequenceNode() if browser else None
    return _withPixels(sequence.GetNthDataNode(phase)) if sequence else None


def _withPixels(volume):
    """`volume`, or None where it has none: a scene may be opened without its files."""
    return volume if volume is not None and volume.GetImageData() is not None else None


def sliceThickness(browser) -> float | None:
    """In mm, of the DCE slices: how thick a ROI is; None without phases."""
    sequence = browser.GetMasterSequenceNode() if browser else None
    text = sequence.GetAttribute(THICKNESS) if sequence else None
    return float(text) if text else None


def windowForEnhancement(browser) -> None:
    """One window for all phases, from the bright tissue of the middle phase: phases then compare by eye."""
    volume, sequence = dceVolume(browser), browser.GetMasterSequenceNode()
    bright = slicer.util.arrayFromVolume(sequence.GetNthDataNode(sequence.GetNumberOfDataNodes() // 2))
    display = volume.GetDisplayNode()
    display.SetAutoWindowLevel(False)
    display.SetWindowLevelMinMax(0.0, float(np.percentile(bright, 99.9)))


def showTimeCourse(times, enhancement, chosen: int):
    """The curve of a ROI's mean over the phases with the chosen phase marked; returns the chart node.

    times - (phases,) s after the injection. enhancement - (phases,) percent of the first phase.
    """
    chart = _curveNode("vtkMRMLPlotChartNode", _("Time course"))
    curve = _series(_("ROI"), times, enhancement)
    twice = [chosen, chosen]  # VTK draws no series of a single point
    mark = _series(_("phase of the ROI"), times[twice], enhancement[twice])
    curve.SetColor(0.12, 0.47, 0.71)
    mark.SetColor(0.84, 0.15, 0.16)
    mark.SetLineStyle(slicer.vtkMRMLPlotSeriesNode.LineStyleNone)
    mark.SetMarkerSize(12)
    chart.RemoveAllPlotSeriesNodeIDs()
    for series in (curve, mark):
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
    chart.SetTitle("")
    chart.SetXAxisTitle(_("time after injection (s)"))
    chart.SetYAxisTitle(_("enhancement (%)"))
    chart.SetLegendVisibility(False)
    chart.SetXAxisRangeAuto(False)
    chart.SetXAxisRange(*_withMargin(times))
    chart.SetYAxisRangeAuto(False)
    chart.SetYAxisRange(*_withMargin([0.0, *enhancement]))
    return chart


def _withMargin(values) -> tuple[float, float]:
    """An axis on which no mark is cut off."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    margin = 0.05 * (high - low) or 1.0
    return low - margin, high + margin


def timeCourseChart():
    """The chart of the curve; None before there was one."""
    return next(iter(scene.nodesWith("vtkMRMLPlotChartNode", CURVE)), None)


def removeTimeCourse() -> None:
    """Remove the curve with its numbers: those of another patient have no place in the scene."""
    for nodeClass in ("vtkMRMLPlotChartNode", "vtkMRMLPlotSeriesNode", "vtkMRMLTableNode"):
        for node in scene.nodesWith(nodeClass, CURVE):
            file = node.GetStorageNode() if node.IsA("vtkMRMLStorableNode") else None
            for part in (node, file):
                if part is not None:
                    slicer.mrmlScene.RemoveNode(part)


def hideTimeCourse() -> None:
    """Take the curve out of its chart: the ROI that it belonged to is gone."""
    chart = timeCourseChart()
    if chart is not None:
        chart.RemoveAllPlotSeriesNodeIDs()


def _series(name: str, x, y):
    table = _curveNode("vtkMRMLTableNode", f"{name} table")
    slicer.util.updateTableFromArray(table, np.column_stack([x, y]), ["time", "enhancement"])
    series = _curveNode("vtkMRMLPlotSeriesNode", name)
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName("time")
    series.SetYColumnName("enhancement")
    series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
    series.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleCircle)
    return series


def _curveNode(nodeClass: str, name: str):
    """The node of the curve that has this name, made the first time."""
    for node in scene.nodesWith(nodeClass, CURVE):
        if node.GetAttribute(CURVE) == name:
            return node
    node = slicer.mrmlScene.AddNewNodeByClass(nodeClass, name)
    node.SetAttribute(CURVE, name)
    return node
