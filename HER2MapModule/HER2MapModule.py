"""HER2Map in 3D Slicer: the entry points that Slicer looks for. What they do is in HER2MapModuleLib."""

import ctk
import qt
import slicer
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

from HER2MapModuleLib.exam_panel import ExamPanel
from HER2MapModuleLib.follow_up_panel import FollowUpPanel
from HER2MapModuleLib.heterogeneity_panel import HeterogeneityPanel
from HER2MapModuleLib.logic import HER2MapModuleLogic
from HER2MapModuleLib.maps_panel import MapsPanel
from HER2MapModuleLib.propagation_panel import PropagationPanel
from HER2MapModuleLib.reading_panel import ReadingPanel
from HER2MapModuleLib.reading_room import ReadingRoom, registerLayout
from HER2MapModuleLib.roi_panel import RoiPanel
from HER2MapModuleLib.sample_data import registerSampleData
from HER2MapModuleLib.score_panel import ScorePanel
from HER2MapModuleLib.self_test import HER2MapSelfTest
from HER2MapModuleLib.study_panel import StudyPanel
from HER2MapModuleLib.values_panel import ValuesPanel

PANELS = (
    ExamPanel, MapsPanel, RoiPanel, ValuesPanel, ScorePanel, PropagationPanel, ReadingPanel, StudyPanel,
    FollowUpPanel, HeterogeneityPanel,
)  # fmt: skip
ORDER = (ReadingPanel, *(panel for panel in PANELS if panel is not ReadingPanel))
"""From top to bottom: what is to be read stands above what it is read with."""
IN_A_SESSION = (ReadingPanel, RoiPanel, ValuesPanel)
"""What a reader of a study sees: no other exam, no fit and no motion can be chosen meanwhile."""


class HER2MapModule(ScriptedLoadableModule):
    """The module's name, place and help."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("HER2Map")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Quantification")]
        parent.contributors = ["HER2Map developers"]
        parent.helpText = _(
            "Quantitative breast MRI: T1, T2 and T2* maps, a ROI drawn by hand on the 90 s DCE image and "
            "carried over to every map, and its values. Research use only; it does not replace pathology."
        )
        parent.acknowledgementText = _(
            "It follows the reader study of Zhang et al. 2026 (Quant Imaging Med Surg 16(4):288)."
        )
        slicer.app.connect("startupCompleted()", registerSampleData)
        slicer.app.connect("startupCompleted()", registerLayout)


class HER2MapModuleWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panels, one below the other."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.panels = []
        self.sections = {}

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        self.logic = HER2MapModuleLogic()
        self.readingRoom = ReadingRoom(self.logic)
        for panelClass in ORDER:
            self._addSection(panelClass)
        for panelClass in PANELS:
            panel = panelClass(self.logic, self.readingRoom, self.resourcePath)
            qt.QVBoxLayout(self.sections[panelClass]).addWidget(panel.widget)
            self.panels.append(panel)
        self.layout.addStretch(1)
        self.logic.mapsChanged.connect(self.makeRoomForDrawing)
        self.logic.readings.changed.connect(self.makeRoomForReading)
        self.addObserver(slicer.mrmlScene, slicer.vtkMRMLScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.vtkMRMLScene.EndCloseEvent, self.onSceneReplaced)
        self.addObserver(slicer.mrmlScene, slicer.vtkMRMLScene.EndImportEvent, self.onSceneReplaced)
        self._connectPanels()
        self.logic.showScene()  # a scene may have been opened before the module
        if self.parent.isEntered:  # reloaded while it is shown
            self.enter()

    def _addSection(self, panelClass):
        section = ctk.ctkCollapsibleButton()
        section.text = panelClass.title
        section.collapsed = panelClass.collapsed
        self.layout.addWidget(section)
        self.sections[panelClass] = section

    def makeRoomForDrawing(self):
        """Once there are maps, the exam is folded away, so that tools and values are seen together."""
        if self.logic.fitted:
            self.sections[ExamPanel].collapsed = True
            self.sections[MapsPanel].collapsed = True

    def makeRoomForReading(self):
        """While a reader is signed in, only what he needs is there."""
        inSession = self.logic.readings.session is not None
        shown = (*IN_A_SESSION, ScorePanel) if self.logic.scoring.allowed else IN_A_SESSION
        for kind, section in self.sections.items():
            section.visible = not inSession or kind in shown
        if inSession:
            self.sections[ReadingPanel].collapsed = False

    def enter(self):
        self._connectPanels()
        for panel in self.panels:
            panel.enter()
        self.readingRoom.enter()

    def exit(self):
        self.readingRoom.exit()
        for panel in self.panels:
            panel.exit()
        self._disconnectPanels()

    def cleanup(self):
        self.logic.readings.signOut()  # nothing of a study's case stays without its session
        self.removeObservers()
        self._disconnectPanels()
        for panel in self.panels:
            panel.cleanup()
        self.readingRoom.cleanup()
        self.logic.cleanup()
        for section in self.sections.values():
            section.deleteLater()  # with its connections, which keep the panels

    def onSceneStartClose(self, caller=None, event=None):
        self._disconnectPanels()

    def onSceneReplaced(self, caller=None, event=None):
        if self.parent.isEntered:
            self._connectPanels()

    def _connectPanels(self):
        """Panels show the scene's parameter node, and follow it."""
        for panel in self.panels:
            panel.connectParameters(self.logic.parameters)

    def _disconnectPanels(self):
        for panel in self.panels:
            panel.disconnectParameters()


class HER2MapModuleTest(ScriptedLoadableModuleTest, HER2MapSelfTest):
    """Slicer's *Reload and Test*, and ``slicer_add_python_unittest``."""

    def setUp(self):
        slicer.mrmlScene.Clear(0)

    def runTest(self, **kwargs):
        self.setUp()
        self.test_wholeExam()
