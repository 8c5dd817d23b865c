"""What the panels and the tests use: the exam, its maps, the ROI and the values, and what changed."""

import hashlib
import json

import slicer
import vtk
from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic
from slicer.util import VTKObservationMixin

from her2map.biomarkers import Biomarkers, delta_maps
from her2map.cautions import cautions
from her2map.errors import InputError
from her2map.exam import Exam, ExamValues, fit_exam, measure_maps, read_exam
from her2map.fitting import PRESETS, FitOptions
from her2map.series import choose_phase
from her2map.summary import exam_facts

from . import dce_nodes, map_nodes, roi_nodes
from .clipboard import Clipboard
from .exam_roles import only, staleMaps, withRole, withRoles
from .heterogeneity import Heterogeneity
from .map_watch import MapWatch
from .parameter_node import AUTOMATIC, HER2MapParameterNode
from .phases import Phases
from .propagation import Propagation
from .reading import Readings
from .roi_editing import RoiEditing
from .scoring import Scoring
from .signal import Signal

FOLDERS = "HER2Map/Folders/"
"""In this computer's settings: the folders of exams."""


class HER2MapModuleLogic(ScriptedLoadableModuleLogic, VTKObservationMixin, RoiEditing):
    """One patient at a time.

    Long work comes in two steps: a method ending in -ing returns a function of a progress callback, which
    touches no scene and may run in any thread; a method take... shows its result.

    exam - What was read, with its pixels; None after a scene was opened, and in a reader's session.
    case - What a reader's session shows in place of an exam: a `her2map.study.prepared.PreparedCase`.
    values - What the ROI says on every map; None without a ROI or a map.
    problem - Why there are no values, in a sentence for the reader; "" where there are.
    generation - Counts the exams and scenes that were shown: the result of long work is of one of them.
    clipboard, phases, propagation, readings, scoring, heterogeneity - Parts with files of their own.
    examChanged, mapsChanged, roiChanged, valuesChanged, phaseChanged - Signals.
    edited - Signal: an edit of the drawing or the choice of its phase has ended.
    """

    def __init__(self) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        VTKObservationMixin.__init__(self)
        self.examChanged, self.mapsChanged, self.roiChanged = Signal(), Signal(), Signal()
        self.valuesChanged, self.phaseChanged, self.edited = Signal(), Signal(), Signal()
        self.history = roi_nodes.History()
        self._editing, self._ofCurves = False, {}
        self.generation = 0
        self._forget()
        self.clipboard, self._mapWatch = Clipboard(), MapWatch(self.mapsChanged, self._onCurve)
        self.phases, self.propagation, self.readings = Phases(self), Propagation(self), Readings(self)
        self.scoring = Scoring(self)
        self.heterogeneity = Heterogeneity(self)
        events = slicer.vtkMRMLScene
        self.addObserver(slicer.mrmlScene, events.StartCloseEvent, self._onStartClose)
        self.addObserver(slicer.mrmlScene, events.EndCloseEvent, self._onSceneReplaced)
        self.addObserver(slicer.mrmlScene, events.EndImportEvent, self._onEndImport)
        self.addObserver(slicer.mrmlScene, events.NodeRemovedEvent, self._onNodeRemoved)

    # The scene

    def cleanup(self) -> None:
        """Let go of everything that is observed."""
        self.removeObservers()
        self._unobserveAll()
        self._mapWatch.cleanup()
        self.readings.cleanup()
        self.phases.cleanup()
        self.scoring.cleanup()
        self.heterogeneity.cleanup()
        for signal in (self.examChanged, self.mapsChanged, self.roiChanged, self.valuesChanged):
            signal.disconnectAll()
        for signal in (self.phaseChanged, self.edited):
            signal.disconnectAll()
        self._forget()

    @property
    def parameters(self) -> HER2MapParameterNode:
        """The parameter node of the scene; made where it is missing."""
        return self.getParameterNode()

    def getParameterNode(self) -> HER2MapParameterNode:
        if self._parameters is None:
            self._parameters = HER2MapParameterNode(super().getParameterNode())
        return self._parameters

    def _forget(self) -> None:
        self.exam: Exam | None = None
        self.case = None
        self.values: ExamValues | None = None
        self.problem = ""
        self.fitted = {}
        self._parameters = None
        self.generation += 1
        self.history.clear()

    def _onStartClose(self, caller=None, event=None) -> None:
        self._unobserveAll()
        self._forget()

    def _onSceneReplaced(self, caller=None, event=None) -> None:
        """After a scene was closed or opened: everything is shown from what the scene holds."""
        if slicer.mrmlScene.IsClosing():
            return
        self._forget()
        self.showScene()

    def _onEndImport(self, caller=None, event=None) -> None:
        """What was added to the scene may be another exam, or have nothing to do with us."""
        self._parameters = None
        facts = exam_facts(self.exam) if self.exam else self.case.facts if self.case else None
        if facts is not None and self.parameters.examFacts == json.dumps(facts):
            self.measure()
        else:
            self._onSceneReplaced()

    def showScene(self) -> None:
        """Everything is shown, and followed, from what the scene holds."""
        for part in (roi_nodes.CONTOUR, roi_nodes.HOLE):
            for curve in roi_nodes.curvesOf(part):
                self.observeCurve(curve)
        if roi_nodes.curvesOf(roi_nodes.CONTOUR):
            self.history.start()
        self.examChanged.emit()
        self.mapsChanged.emit()
        self.phaseChanged.emit()
        self.roiChanged.emit()
        self.measure()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _onNodeRemoved(self, caller, event, node) -> None:
        if slicer.mrmlScene.IsClosing() or node is None:
            return
        if node.GetAttribute(roi_nodes.PART) in (roi_nodes.CONTOUR, roi_nodes.HOLE):
            self._unobserve(node)
        if self._editing:
            return
        if node.GetAttribute(roi_nodes.PART) in (roi_nodes.CONTOUR, roi_nodes.HOLE):
            self.measure()
            self._onEdited()
        elif node.GetAttribute(map_nodes.QUANTITY):
            self.mapsChanged.emit()
            self.measure()

    # The exam

    def reading(self, source):
        """Read a folder, or a list of files."""
        chosen = dict(self.parameters.chosenRoles) if source == self.examFolder else {}
        return lambda progress: withRoles(read_exam(source, progress), chosen)

    def takeExam(self, exam: Exam, folder: str = "") -> None:
        """Show an exam in place of the one before: its series and its DCE phases.

        Raises:
            InputError: a reader is signed in, who must see no other exam.
        """
        if self.readings.session is not None:
            raise InputError(_("A reader is signed in; sign out before another exam is opened."))
        self._removeExam()
        self.exam = exam
        self.generation += 1
        self.examFolder = folder
        self.parameters.chosenRoles = {
            a.key: f"{a.role.value}:{a.technique.value}" for a in exam.assignments if a.by_user
        }
        self._showExam()

    def takeCase(self, case) -> None:
        """Show a study's case in place of the exam or the case before; None shows nothing."""
        self._removeExam()
        self.exam, self.case = None, case
        self.generation += 1
        self.examFolder = ""
        self.parameters.chosenRoles = {}
        self.parameters.examFacts = json.dumps(case.facts) if case else ""
        self._showDce(case.dce if case else None)
        for quantity, (fitted, geometry) in case.maps.items() if case else ():
            map_nodes.showMap(quantity, fitted, geometry)
            if quantity in case.placements:
                map_nodes.placeMap(quantity, case.placements[quantity])
        self.examChanged.emit()
        self.mapsChanged.emit()
        self.measure()

    def setRole(self, key: str, role: str, technique: str = "") -> None:
        """What the user says a series is.

        Raises:
            InputError: the role does not suit the series.
        """
        before = self._needExam()
        self.exam = withRole(before, key, role, technique)
        self.generation += 1
        for quantity in staleMaps(before, self.exam):
            self.fitted.pop(quantity, None)
            map_nodes.removeMap(quantity)
        chosen = dict(self.parameters.chosenRoles)
        chosen[key] = f"{role}:{technique}"
        self.parameters.chosenRoles = chosen
        self._showExam()

    @property
    def examFolder(self) -> str:
        """The folder of the exam, as far as this computer knows it; never kept in the scene."""
        key = self.parameters.examKey
        return str(slicer.app.userSettings().value(FOLDERS + key) or "") if key else ""

    @examFolder.setter
    def examFolder(self, folder: str) -> None:
        key = hashlib.sha256(folder.encode()).hexdigest()[:16] if folder else ""
        if key:
            slicer.app.userSettings().setValue(FOLDERS + key, folder)
        self.parameters.examKey = key

    @property
    def facts(self) -> dict:
        """What is known of the exam, see :func:`her2map.summary.exam_facts`; empty without one."""
        return json.loads(self.parameters.examFacts or "{}")

    def _needExam(self) -> Exam:
        if self.exam is None:
            raise InputError("The exam's pixels are not loaded; read the exam again (Exam panel).")
        return self.exam

    def _removeExam(self) -> None:
        """Take away what belongs to another patient: maps, DCE, ROI."""
        self.fitted = {}
        with self.quietly():
            roi_nodes.removeParts(*roi_nodes.PARTS, *roi_nodes.KEPT_PARTS)
            roi_nodes.removeParts(roi_nodes.BACKGROUND, roi_nodes.CIRCLE)
            map_nodes.removeMaps()
            dce_nodes.removeDce()
            dce_nodes.removeTimeCourse()
        parameters = self.parameters
        parameters.phase, parameters.useRegistration = AUTOMATIC, False
        parameters.erStatus = "unknown"
        self.history.clear()
        self.roiChanged.emit()

    def _showExam(self) -> None:
        self.parameters.examFacts = json.dumps(exam_facts(self.exam))
        try:
            dce = self.exam.dce
        except InputError:  # told in the exam's remarks
            dce = None
        self._showDce(dce)
        self.examChanged.emit()
        self.showDerived()
        self.mapsChanged.emit()
        self.measure()

    def _showDce(self, dce) -> None:
        if dce is None:
            dce_nodes.removeDce()
            return
        self.parameters.dceBrowser = dce_nodes.showDce(dce)
        dce_nodes.windowForEnhancement(self.parameters.dceBrowser)
        self.choosePhase(self.parameters.phase)

    # The DCE phase

    def choosePhase(self, phase: int) -> None:
        """Draw on this phase (counted from 0), or on the one nearest to 90 s: `AUTOMATIC`."""
        parameters = self.parameters
        parameters.phase = phase
        browser = parameters.dceBrowser
        if browser is not None:
            browser.SetSelectedItemNumber(self.phase if self.phase is not None else 0)
        self.phaseChanged.emit()
        self.edited.emit()

    @property
    def phase(self) -> int | None:
        """The phase to draw on; None where it must be chosen by hand."""
        chosen = self.parameters.phase
        return chosen if chosen != AUTOMATIC else (self.facts.get("dce") or {}).get("roi_phase")

    @property
    def phaseReason(self) -> str:
        """Which phase is taken and why, in words."""
        try:
            dce, chosen = self.phases.series(), self.parameters.phase
            if dce is None:
                return ""
            return choose_phase(dce, override=None if chosen == AUTOMATIC else chosen).reason
        except InputError as problem:
            return str(problem)

    # The maps

    @property
    def fitOptions(self) -> FitOptions:
        p = self.parameters
        return FitOptions(p.vfaMethod, p.t2Method, p.t2FirstEcho, p.t2starMethod, p.minimumSnr, p.mapUnit)

    def usePreset(self, name: str) -> None:
        """Set all options as one of :data:`her2map.fitting.PRESETS`."""
        preset, p = PRESETS[name], self.parameters
        p.vfaMethod, p.t2Method, p.t2FirstEcho = preset.vfa_method, preset.t2_method, preset.t2_first_echo
        p.t2starMethod, p.minimumSnr = preset.t2star_method, preset.minimum_snr

    def fitting(self, quantity: str | None = None):
        """Fit every map of the exam, or one."""
        exam, options = self._needExam(), self.fitOptions
        if quantity is not None:
            exam = only(exam, quantity)
        return lambda progress: fit_exam(exam, options, progress)

    def takeMaps(self, maps) -> None:
        """Show fitted maps, in place of those of the same name."""
        self.fitted.update(maps)
        with self.quietly():
            for quantity, fitted in maps.items():
                map_nodes.showMap(quantity, fitted.map, fitted.geometry)
        self.showDerived()
        self.mapsChanged.emit()
        self.measure()

    def showDerived(self) -> None:
        """Maps of delta T1 and its ratio, where T1 before and after lie on one grid."""
        for quantity in ("delta_T1", "delta_T1_ratio"):
            map_nodes.removeMap(quantity)
        maps = map_nodes.readMaps()
        before, after = maps.get("T1_pre"), maps.get("T1_post")
        if before is None or after is None or not before.geometry.matches(after.geometry):
            return
        delta, ratio = delta_maps(before.map, after.map)
        map_nodes.showDerived("delta_T1", delta, before.geometry)
        map_nodes.showDerived("delta_T1_ratio", ratio, before.geometry)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the reader must be warned of before he trusts the values."""
        return cautions(self.values) if self.values else ()

    @property
    def notes(self) -> list[str]:
        """What is to be known of each map, e.g. that it has no B1 correction."""
        return [
            f"{map_nodes.NAMES[quantity]}: {note}"
            for quantity, shown in map_nodes.readMaps().items()
            for note in shown.map.notes
        ]

    # The values

    def measure(self) -> None:
        """Take the ROI's values on every map anew."""
        self.values, self.problem = None, ""
        try:
            roi = self.roi()
            maps = map_nodes.readMaps()
            if roi is not None and maps:
                self.values = measure_maps(
                    {name: (shown.map, shown.geometry) for name, shown in maps.items()},
                    roi,
                    {name: shown.fromDce for name, shown in maps.items()},
                )
        except (InputError, ValueError) as problem:
            self.problem = str(problem)
        self.valuesChanged.emit()

    @property
    def biomarkers(self) -> Biomarkers | None:
        return self.values.biomarkers if self.values else None
