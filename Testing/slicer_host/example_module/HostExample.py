"""A small scripted module for the tests of the host, written as modules for Slicer are."""

import enum
from typing import Annotated

import slicer
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import Choice, WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class Preset(enum.Enum):
    RECOMMENDED = "recommended"
    PAPER = "paper"

    def label(self):
        return self.value.capitalize()


@parameterNodeWrapper
class HostExampleParameterNode:
    inputVolume: slicer.vtkMRMLScalarVolumeNode
    contour: slicer.vtkMRMLMarkupsClosedCurveNode | None
    threshold: Annotated[float, WithinRange(-100, 200)] = 100
    count: Annotated[int, WithinRange(0, 10)] = 3
    reader: str = "A"
    invert: bool = False
    preset: Preset = Preset.PAPER
    colour: Annotated[str, Choice(["red", "blue"])] = "blue"
    roles: dict[str, str]
    numbers: list[float]


class HostExample(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("Host Example")
        parent.categories = [_("Quantification")]


class HostExampleWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.calls = []
        self.parameters = self.connection = None

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        widget = slicer.util.loadUI(self.resourcePath("UI/HostExample.ui"))
        self.layout.addWidget(widget)
        self.ui = slicer.util.childWidgetVariables(widget)
        widget.setMRMLScene(slicer.mrmlScene)
        self.logic = HostExampleLogic()
        self.ui.applyButton.connect("clicked(bool)", self.onApply)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(scene, scene.EndImportEvent, self.onSceneEndImport)
        self.attach()

    def onSceneStartClose(self, caller=None, event=None):
        self.calls.append("StartClose")
        self.release()

    def onSceneEndClose(self, caller=None, event=None):
        self.calls.append("EndClose")
        self.attach()

    def onSceneEndImport(self, caller=None, event=None):
        self.calls.append("EndImport")
        self.attach()

    def attach(self):
        self.release()
        self.parameters = HostExampleParameterNode(self.logic.getParameterNode())
        self.connection = self.parameters.connectGui(self.ui)

    def release(self):
        if self.parameters is not None:
            self.parameters.disconnectGui(self.connection)
            self.parameters = None

    def onApply(self):
        self.calls.append("apply")

    def enter(self):
        self.calls.append("enter")

    def exit(self):
        self.calls.append("exit")

    def cleanup(self):
        self.calls.append("cleanup")
        self.release()
        self.removeObservers()


class HostExampleLogic(ScriptedLoadableModuleLogic):
    pass


class HostExampleTest(ScriptedLoadableModuleTest):
    def test_Something(self):
        self.delayDisplay("a test of the module")
        slicer.util.getModuleWidget("HostExample").calls.append("test")
