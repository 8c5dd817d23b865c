"""The logic behind the Heterogeneity panel: the volume, its histograms, the score of every voxel."""

import slicer
import vtk
from slicer.i18n import tr as _

from her2map.acquired import acquired_of_facts
from her2map.errors import InputError
from her2map.exam import measure_region, region_histograms
from her2map.roi import Volume
from her2map.score.exam_case import case_of_values
from her2map.score.voxels import ScoreMap, score_map

from . import dce_nodes, map_nodes, roi_nodes, scene, score_map_nodes, volume_nodes
from .observers import Observers
from .scoring import ER_OF
from .signal import Signal

ROI, VOLUME = "roi", "volume"


class Heterogeneity:
    """A part of the logic. In a reader's session there is nothing of it.

    of - What is looked at, ROI or VOLUME: the drawn contour, or those that were kept.
    histograms - By map, a `her2map.roi.histogram.MapHistogram`; empty without a region or maps.
    problem - Why there is no region, in a sentence; "" where there is one, or nothing is drawn.
    scored - The `her2map.score.voxels.ScoreMap` that is shown; None where there is none.
    layer - What is shown of it, of `score_map_nodes.LAYERS`.
    dropped - Whether a score map was taken away because what it was made of has changed.
    changed - Signal: of any of these.
    """

    def __init__(self, logic) -> None:
        self.logic = logic
        self.changed = Signal()
        self.of, self.layer = ROI, score_map_nodes.PROBABILITY
        self._forget()
        logic.examChanged.connect(self._onExam)
        logic.valuesChanged.connect(self._onValues)
        logic.scoring.changed.connect(self._dropIfStale)
        for signal in (logic.mapsChanged, logic.edited, logic.readings.changed):
            signal.connect(self.update)
        self._ofScene, events = Observers(), slicer.vtkMRMLScene
        self._ofScene.add(slicer.mrmlScene, events.NodeRemovedEvent, self._onNodeRemoved)
        self._ofScene.add(slicer.mrmlScene, events.StartCloseEvent, self._onStartClose)

    def cleanup(self) -> None:
        self._ofScene.clear()
        self.changed.disconnectAll()

    def _forget(self) -> None:
        self.histograms, self.problem = {}, ""
        self.scored: ScoreMap | None = None
        self.dropped, self._madeOf, self._seen = False, None, None
        self._rois, self._keptOf = [], None

    @property
    def allowed(self) -> bool:
        return self.logic.readings.session is None

    # The volume

    def keep(self) -> None:
        """Make the drawn contour one slice of the volume, and look at the volume.

        Raises:
            InputError: nothing is drawn, what is drawn cannot be added to the volume, or a reader is signed
                in.
        """
        if not self.allowed:
            raise InputError(_("A reader is signed in; sign out before a volume is drawn."))
        roi = self.logic.roi()
        if roi is None:
            raise InputError(_("There is no contour to keep; draw one."))
        Volume((*self._keptRois(), roi))
        name = _("kept, slice {number}").format(number=self.sliceNumber(roi))
        volume_nodes.keep(self.logic.parameters.roi, self.logic.finishedHoles(), name)
        self.of = VOLUME
        self.update()

    def remove(self, number: int) -> None:
        """Take one of :attr:`slices` away."""
        with self.logic.quietly():
            volume_nodes.remove(volume_nodes.keptCurves()[number])
        self.update()

    def choose(self, of: str) -> None:
        """Look at the ROI or at the volume."""
        if of != self.of:
            self.of = of
            self.update()

    @property
    def slices(self) -> list:
        """The ROIs of the slices that were kept, in the order in which they were."""
        try:
            return self._keptRois()
        except InputError:  # told as the region's problem
            return []

    @property
    def volume(self) -> Volume | None:
        """Of the slices that were kept; None without one, or where they make none."""
        try:
            slices = self.slices
            return Volume(tuple(slices)) if slices else None
        except InputError:
            return None

    def sliceNumber(self, roi) -> int:
        """The DCE slice on which a contour lies, counted from 1."""
        dce = dce_nodes.dceVolume(self.logic.parameters.dceBrowser)
        return round(float(scene.geometryOf(dce).to_index(roi.centroid)[2])) + 1

    def region(self):
        """The ROI or volume that is looked at; None where nothing is drawn.

        Raises:
            InputError: what is drawn is none.
        """
        if not self.allowed:
            return None
        if self.of == ROI:
            return self.logic.roi()
        rois = self._keptRois()
        return Volume(tuple(rois)) if rois else None

    def _keptRois(self) -> list:
        curves = volume_nodes.keptCurves()
        thickness = dce_nodes.sliceThickness(self.logic.parameters.dceBrowser) if curves else None
        if curves and thickness is None:
            raise InputError(_("There is no DCE series, so the volume's slices have no thickness."))
        now = thickness, tuple((curve.GetID(), curve.GetMTime()) for curve in curves)
        if now != self._keptOf:  # checking their outlines takes milliseconds each
            self._rois = [volume_nodes.roiOf(curve, thickness) for curve in curves]
            self._keptOf = now
        return list(self._rois)

    # What follows

    def update(self) -> None:
        """Take the histograms anew."""
        if slicer.mrmlScene.IsClosing():
            return
        self.histograms, self.problem = {}, ""
        try:
            region, shown = self.region(), map_nodes.readMaps()
            if region is not None and shown:
                self.histograms = region_histograms(*_measured(shown, region))
        except (InputError, ValueError) as problem:
            self.problem = str(problem)
        self._seen = _mapsNow()
        self._dropStale()
        self.changed.emit()

    def _onExam(self) -> None:
        """An exam was read, or a scene opened: what was kept in it is looked at."""
        self._removeScored()
        self._forget()
        self.of = VOLUME if volume_nodes.keptCurves() else ROI
        self.update()

    def _onValues(self) -> None:
        """The ROI is being moved about: histograms wait for its end. Or a map was moved."""
        if self._seen != _mapsNow():
            self.update()
        else:
            self._dropIfStale()

    def _onStartClose(self, caller=None, event=None) -> None:
        self._forget()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeRemoved(self, caller, event, node) -> None:
        """A kept contour was deleted elsewhere in Slicer, or the score map."""
        if slicer.mrmlScene.IsClosing() or node is None or self.logic.isQuiet:
            return
        if node.GetAttribute(roi_nodes.PART) in roi_nodes.KEPT_PARTS:
            self.update()
        elif node.GetAttribute(score_map_nodes.LAYER) and self.scored is not None:
            self._removeScored()
            self.changed.emit()

    # The score map

    def scoring(self):
        """The score of every voxel of the region: a function of a progress callback.

        Raises:
            InputError: there is no region, no map or no card.
        """
        region, shown = self.region(), map_nodes.readMaps()
        if region is None or not shown:
            raise InputError(_("The score map needs maps and a ROI; fit the maps and draw the ROI."))
        card, er = self.logic.scoring.card, self.logic.scoring.er
        if card is None:
            raise InputError(_("There is no model card; choose one in the Score panel."))
        taken, acquired = _measured(shown, region), acquired_of_facts(self.logic.facts)
        reason = _("choose it in the Score panel") if ER_OF[er] is None else ""

        def work(progress) -> ScoreMap:
            case = case_of_values(measure_region(*taken), ER_OF[er], acquired, er_reason=reason)
            progress(0.3)
            return score_map(card, case, *taken)

        return work

    def takeScored(self, scored: ScoreMap) -> None:
        """Show a score map over the DCE, or why there is none."""
        self._removeScored()
        if not scored.refusals:
            score_map_nodes.show(scored)
        self.scored, self.dropped, self._madeOf = scored, False, self._ingredients()
        self.changed.emit()

    def showLayer(self, layer: str) -> None:
        """Show the probability or its SD."""
        self.layer = layer
        self.changed.emit()

    @property
    def overlay(self):
        """The volume that lies over the DCE; None without a score map."""
        return score_map_nodes.nodeOf(self.layer) if self.scored is not None else None

    def _ingredients(self) -> tuple:
        """What a score map is made of, to be compared."""
        try:
            region = self.region()
        except InputError:
            region = None
        prisms = region.prisms if region is not None else ()
        outlines = tuple(loop.tobytes() for prism in prisms for loop in (prism.outline, *prism.holes))
        card = self.logic.scoring.card
        return outlines, _mapsNow(), self.logic.scoring.er, card.content_hash if card else ""

    def _dropIfStale(self) -> None:
        if self._dropStale():
            self.changed.emit()

    def _dropStale(self) -> bool:
        """Take the score map away if what it was made of has changed."""
        if self.scored is None or self._madeOf == self._ingredients():
            return False
        self._removeScored()
        self.dropped = True
        return True

    def _removeScored(self) -> None:
        self.scored = self._madeOf = None
        with self.logic.quietly():
            score_map_nodes.remove()


def _measured(shown, region) -> tuple:
    """Maps with their grids, the region, and where the maps lie: as the library takes them."""
    maps = {name: (one.map, one.geometry) for name, one in shown.items()}
    return maps, region, {name: one.fromDce for name, one in shown.items()}


def _mapsNow() -> tuple:
    """What tells the scene's maps from others: their volumes, pixels and places."""
    nodes = (map_nodes.mapNode(name) for name in map_nodes.MEASURED)
    return tuple(
        (node.GetID(), node.GetImageData().GetMTime(), _placeOf(node))
        for node in nodes
        if node is not None and node.GetImageData() is not None
    )


def _placeOf(node) -> tuple:
    matrix, transform = vtk.vtkMatrix4x4(), node.GetParentTransformNode()
    if transform is not None and transform.IsTransformToWorldLinear():
        transform.GetMatrixTransformToWorld(matrix)
    return tuple(matrix.GetElement(i, j) for i in range(4) for j in range(4))
