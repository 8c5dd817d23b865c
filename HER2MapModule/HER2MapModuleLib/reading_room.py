"""The reading room: DCE and maps side by side, in one plane, linked; the time course beside them."""

import qt
import slicer
import vtk

from . import dce_nodes, map_nodes
from .observers import Observers

LAYOUT_ID = 7288
"""Slicer's own layouts have numbers below 1000."""
DCE_VIEW, CURVE_VIEW = "HER2MapDCE", "HER2MapTimeCourse"
MAP_VIEWS = {
    "HER2MapT1pre": "T1_pre",
    "HER2MapT1post": "T1_post",
    "HER2MapT2": "T2",
    "HER2MapT2star": "T2star",
}
SLICE_VIEWS = (DCE_VIEW, *MAP_VIEWS)
SCORE_OPACITY = 0.8
"""Of the score map over the DCE."""
_COLOURS = {
    DCE_VIEW: "#4D4D4D",
    "HER2MapT1pre": "#8C3B2A",
    "HER2MapT1post": "#B5651D",
    "HER2MapT2": "#1F5A7A",
    "HER2MapT2star": "#2E7D6B",
}
_PLANES = ("Sagittal", "Coronal", "Axial")
"""Slicer's presets by the patient axis that stands on them: R, A, S."""


def _sliceXml(tag: str) -> str:
    label = map_nodes.NAMES[MAP_VIEWS[tag]] if tag in MAP_VIEWS else dce_nodes.NAME
    return (
        f'<item><view class="vtkMRMLSliceNode" singletontag="{tag}">'
        '<property name="orientation" action="default">Axial</property>'
        f'<property name="viewlabel" action="default">{label}</property>'
        f'<property name="viewcolor" action="default">{_COLOURS[tag]}</property>'
        f'<property name="viewgroup" action="default">{LAYOUT_ID}</property></view></item>'
    )


def _layoutXml() -> str:
    curve = (
        f'<item><view class="vtkMRMLPlotViewNode" singletontag="{CURVE_VIEW}">'
        '<property name="viewlabel" action="default">TC</property></view></item>'
    )
    rows = (
        _sliceXml(DCE_VIEW) + _sliceXml("HER2MapT1pre") + _sliceXml("HER2MapT1post"),
        curve + _sliceXml("HER2MapT2") + _sliceXml("HER2MapT2star"),
    )
    inner = "".join(f'<item><layout type="horizontal" split="true">{row}</layout></item>' for row in rows)
    return f'<layout type="vertical" split="true">{inner}</layout>'


def registerLayout() -> None:
    """Make the layout known to Slicer: also to open a scene that was saved with it, before the module is."""
    manager = slicer.app.layoutManager()
    node = manager.layoutLogic().GetLayoutNode() if manager else None
    if node is not None and not node.IsLayoutDescription(LAYOUT_ID):
        node.AddLayoutDescription(LAYOUT_ID, _layoutXml())


class ReadingRoom:
    """A layout of its own; it touches no view but its own.

    No node is held: each is looked up when it is needed, as a scene may be closed at any time.
    """

    def __init__(self, logic) -> None:
        self.logic = logic
        self._layoutBefore, self._layer = None, "value"
        self._wanted, self._toFit, self._closed = True, True, False
        logic.examChanged.connect(self._onExam)
        logic.mapsChanged.connect(self.update)
        logic.phases.shown.connect(self._labelDce)
        self._ofScene, self._ofParameters = Observers(), Observers()
        self._ofScene.add(slicer.mrmlScene, slicer.vtkMRMLScene.StartCloseEvent, self._onStartClose)

    # What the module calls

    def enter(self) -> None:
        """Bring the layout back, for whoever has an exam and has not left it for another."""
        if self.logic.parameters.dceBrowser is not None and self._wanted:
            self.show()

    def exit(self) -> None:
        """The layout stays: another module may look at the same views."""

    def cleanup(self) -> None:
        self._closed = True
        self._ofScene.clear()
        self._ofParameters.clear()

    def show(self) -> None:
        """Switch to the layout and fill its views."""
        self._wanted = True
        manager = slicer.app.layoutManager()
        if manager is None:
            return
        if manager.layout != LAYOUT_ID:
            self._layoutBefore = manager.layout
            registerLayout()
            manager.setLayout(LAYOUT_ID)
        self.update()

    def leave(self) -> None:
        """Go back to the layout that was there before."""
        self._wanted = False
        if self.shown:
            other = self._layoutBefore or slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
            slicer.app.layoutManager().setLayout(other)

    @property
    def shown(self) -> bool:
        manager = slicer.app.layoutManager()
        return manager is not None and manager.layout == LAYOUT_ID

    # What is shown

    def update(self) -> None:
        """Fill the views from the scene, and fit them the first time an exam is seen."""
        if self._closed or not self.shown or slicer.mrmlScene.IsClosing():
            return
        if slicer.mrmlScene.IsBatchProcessing():  # a scene is being opened: its views are not ready
            qt.QTimer.singleShot(0, self.update)
            return
        self._observeParameters()
        dce = self.dceVolume()
        for tag, widget in self._widgets():
            self._fill(tag, widget, dce)
        self._labelDce()
        self.showCurve()
        if self._toFit and dce is not None:
            self._fit()
            # Views get their final size only once Qt has laid them out.
            qt.QTimer.singleShot(0, self._fit)
            self._toFit = False

    def dceVolume(self):
        """The volume of the phase that is shown; None without an exam."""
        return dce_nodes.dceVolume(self.logic.parameters.dceBrowser)

    def showCurve(self) -> None:
        """The plot view shows the ROI's time course, or nothing."""
        view = slicer.mrmlScene.GetSingletonNode(CURVE_VIEW, "vtkMRMLPlotViewNode")
        if view is not None:
            chart = dce_nodes.timeCourseChart()
            view.SetPlotChartNodeID(chart.GetID() if chart else None)

    def jumpTo(self, ras) -> None:
        """Show the slice through a point in all views."""
        for _tag, widget in self._widgets():
            widget.mrmlSliceNode().JumpSliceByOffsetting(*(float(c) for c in ras))

    def views(self) -> list:
        """The qMRMLSliceView of every slice view of the room, as far as they exist."""
        return [widget.sliceView() for _tag, widget in self._widgets()]

    def fit(self) -> None:
        """Show the whole of the DCE slice in every view again."""
        self._fit()

    def _widgets(self) -> list:
        manager, scene = slicer.app.layoutManager(), slicer.mrmlScene
        known = [tag for tag in SLICE_VIEWS if scene.GetSingletonNode(tag, "vtkMRMLSliceNode")]
        pairs = [(tag, manager.sliceWidget(tag)) for tag in known] if manager else []
        return [(tag, widget) for tag, widget in pairs if widget and widget.mrmlSliceCompositeNode()]

    def _fill(self, tag: str, widget, dce) -> None:
        composite, node = widget.mrmlSliceCompositeNode(), widget.mrmlSliceNode()
        layer = self.logic.parameters.shownLayer
        shownMap = map_nodes.layerToShow(MAP_VIEWS[tag], layer) if tag in MAP_VIEWS else None
        below = dce if tag == DCE_VIEW else shownMap
        above = dce if shownMap is not None else None
        opacity = self.logic.parameters.dceOpacity if above else 0.0
        scoreMap = self.logic.heterogeneity.overlay if tag == DCE_VIEW else None
        if scoreMap is not None:
            above, opacity = scoreMap, SCORE_OPACITY
        composite.SetLinkedControl(True)
        composite.SetHotLinkedControl(True)
        # A view that is younger than a colour legend learns of it only from a change with these flags.
        composite.SetInteractionFlags(composite.BackgroundVolumeFlag | composite.ForegroundVolumeFlag)
        composite.SetBackgroundVolumeID(below.GetID() if below else None)
        composite.SetForegroundVolumeID(above.GetID() if above else None)
        composite.SetForegroundOpacity(opacity)
        composite.Modified()
        composite.SetInteractionFlags(0)
        node.SetViewGroup(LAYOUT_ID)
        for volume in (below, above):
            if volume is not None and volume is not scoreMap and volume.GetDisplayNode() is not None:
                volume.GetDisplayNode().SetInterpolate(True)

    def _labelDce(self) -> None:
        node = slicer.mrmlScene.GetSingletonNode(DCE_VIEW, "vtkMRMLSliceNode")
        if node is not None:
            node.SetLayoutLabel(dce_nodes.shownPhaseLabel(self.logic.parameters.dceBrowser))

    def _fit(self) -> None:
        """Every view in the plane of the DCE slices, all of the slice in it, at the ROI if there is one."""
        if self._closed or not self.shown or slicer.mrmlScene.IsClosing():
            return
        dce = self.dceVolume()
        if dce is None or dce.GetImageData() is None:
            return
        spacing, middle = dce.GetSpacing(), self._sliceToShow(dce)
        for _tag, widget in self._widgets():
            node = widget.mrmlSliceNode()
            node.SetOrientation(_planeOf(dce))
            node.RotateToVolumePlane(dce)
            # Also the maps' views step from DCE slice to DCE slice, on which the ROI is drawn.
            node.SetSliceSpacingModeToPrescribed()
            node.SetPrescribedSliceSpacing(*spacing)
            width, height = node.GetDimensions()[:2]
            widget.sliceLogic().FitSliceToVolume(dce, width, height)
            node.JumpSliceByOffsetting(*middle)

    def _sliceToShow(self, dce) -> list:
        """A point on the ROI's slice, or on the middle slice of the DCE."""
        curve = self.logic.parameters.roi
        if curve is not None and curve.GetNumberOfDefinedControlPoints() > 0:
            point = [0.0, 0.0, 0.0]
            curve.GetNthControlPointPositionWorld(0, point)
            return point
        matrix = vtk.vtkMatrix4x4()
        dce.GetIJKToRASMatrix(matrix)
        columns, rows, slices = dce.GetImageData().GetDimensions()
        return list(matrix.MultiplyPoint((columns // 2, rows // 2, slices // 2, 1.0))[:3])

    # What changes

    def _onExam(self) -> None:
        self._toFit = True
        self.update()

    def _observeParameters(self) -> None:
        node = self.logic.parameters.parameterNode
        self._ofParameters.clear()
        self._ofParameters.add(node, vtk.vtkCommand.ModifiedEvent, self._onParameters)

    def _onParameters(self, caller=None, event=None) -> None:
        """The blend slider was moved, or another layer chosen."""
        if slicer.mrmlScene.IsClosing() or slicer.mrmlScene.IsBatchProcessing():
            return
        if self.logic.parameters.shownLayer != self._layer:
            self._layer = self.logic.parameters.shownLayer
            self.update()
        opacity = self.logic.parameters.dceOpacity
        for tag, widget in self._widgets():
            composite = widget.mrmlSliceCompositeNode()
            if tag in MAP_VIEWS and composite.GetForegroundVolumeID():
                composite.SetForegroundOpacity(opacity)

    def _onStartClose(self, caller=None, event=None) -> None:
        self._toFit = True
        self._ofParameters.clear()


def _planeOf(volume) -> str:
    """Slicer's preset nearest to the slices of `volume`."""
    matrix = vtk.vtkMatrix4x4()
    volume.GetIJKToRASMatrix(matrix)
    along = [abs(matrix.GetElement(axis, 2)) for axis in range(3)]
    return _PLANES[along.index(max(along))]
