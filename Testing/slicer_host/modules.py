"""Modules and their manager: ``slicer.modules``."""

import importlib.util
import sys
import types
from pathlib import Path

import slicer
from PySide6 import QtGui, QtWidgets
from PySide6.QtCore import Property, QObject, Signal

from .pythonqt import kept

# The logic of each loadable module of the wheel, in the order in which Slicer would set them up.
_LOGICS = {
    "Units": "vtkSlicerUnitsLogic",
    "Colors": "vtkSlicerColorLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Annotations": "vtkSlicerAnnotationModuleLogic",
    "Volumes": "vtkSlicerVolumesLogic",
    "Transforms": "vtkSlicerTransformLogic",
    "Models": "vtkSlicerModelsLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "Sequences": "vtkSlicerSequencesLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Plots": "vtkSlicerPlotsLogic",
    "Texts": "vtkSlicerTextsLogic",
    "CropVolume": "vtkSlicerCropVolumeLogic",
}

_DISPLAYABLE_MANAGERS = (
    "vtkMRMLColorLegendDisplayableManager",
    "vtkMRMLTransformsDisplayableManager2D",
    "vtkMRMLMarkupsDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
)


class qSlicerLoadableModule(QObject):
    """Stands for a loadable module of Slicer (qSlicerMarkupsModule and others): its name and its logic."""

    name = Property(str, lambda self: self.objectName)
    title = Property(str, lambda self: self.objectName)

    def __init__(self, name: str, logic) -> None:
        super().__init__()
        self.setObjectName(name)
        self._logic = logic

    def logic(self):
        return self._logic

    def mrmlScene(self):
        return self._logic.GetMRMLScene()

    def widgetRepresentation(self):
        return None


class qSlicerScriptedLoadableModule(QObject):
    """Stands for qSlicerScriptedLoadableModule, the ``parent`` of a ScriptedLoadableModule."""

    title = kept(str, "title", "")
    categories = kept("QStringList", "categories", [])
    contributors = kept("QStringList", "contributors", [])
    dependencies = kept("QStringList", "dependencies", [])
    associatedNodeTypes = kept("QStringList", "associatedNodeTypes", [])
    helpText = kept(str, "helpText", "")
    acknowledgementText = kept(str, "acknowledgementText", "")
    icon = kept(QtGui.QIcon, "icon", QtGui.QIcon())
    hidden = kept(bool, "hidden", False)
    index = kept(int, "index", -1)
    widgetRepresentationCreationEnabled = kept(bool, "widgetRepresentationCreationEnabled", True)
    name = Property(str, lambda self: self.objectName)
    path = Property(str, lambda self: self._path)

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._widget = None
        self._logic = slicer.vtkSlicerScriptedLoadableModuleLogic()
        self.setObjectName(Path(path).stem)

    def logic(self):
        return self._logic

    def mrmlScene(self):
        return slicer.mrmlScene

    def widgetRepresentation(self):
        """Return the widget, made and set up the first time."""
        if self._widget is None and self.widgetRepresentationCreationEnabled:
            self._widget = self.createNewWidgetRepresentation()
        return self._widget

    def createNewWidgetRepresentation(self):
        widget = slicer.qSlicerScriptedLoadableModuleWidget()
        widget.setMRMLScene(slicer.mrmlScene)
        widget._set_python_source(self._path)
        widget._setup()
        return widget


class qSlicerScriptedLoadableModuleWidget(QtWidgets.QWidget):
    """Stands for qSlicerScriptedLoadableModuleWidget, the ``parent`` of a ScriptedLoadableModuleWidget."""

    mrmlSceneChanged = Signal(object)
    isEntered = Property(bool, lambda self: self._entered)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._scene = self._self = None
        self._path = ""
        self._entered = False
        QtWidgets.QVBoxLayout(self)

    def setMRMLScene(self, scene) -> None:
        self._scene = scene
        self.mrmlSceneChanged.emit(scene)

    def self(self):
        return self._self

    def _set_python_source(self, path: str, class_name: str = "") -> bool:
        self._path = path
        name = class_name or Path(path).stem + "Widget"
        self._self = getattr(load_source(path), name)(self)
        setattr(slicer.modules, name, self._self)
        return True

    def reload(self) -> None:
        self._set_python_source(self._path)
        self._setup()

    def _setup(self) -> None:
        self._self.setup()

    def enter(self) -> None:
        self._entered = True
        if hasattr(self._self, "enter"):
            self._self.enter()

    def exit(self) -> None:
        self._entered = False
        if hasattr(self._self, "exit"):
            self._self.exit()


class qSlicerModuleFactoryManager(QObject):
    """Stands for qSlicerModuleFactoryManager."""

    modulesRegistered = Signal("QStringList")

    def __init__(self, manager) -> None:
        super().__init__(manager)
        self._manager = manager

    def loadedModuleNames(self) -> tuple[str, ...]:
        return self._manager.modulesNames()

    def loadModules(self, names: list[str]) -> bool:
        return all(name in self._manager.modulesNames() for name in names)


class qSlicerModuleManager(QObject):
    """Stands for qSlicerModuleManager."""

    moduleLoaded = Signal(str)
    moduleAboutToBeUnloaded = Signal(str)

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self._modules: dict[str, QObject] = {}
        self._factory_manager = qSlicerModuleFactoryManager(self)

    def factoryManager(self) -> qSlicerModuleFactoryManager:
        return self._factory_manager

    def modulesNames(self) -> tuple[str, ...]:
        return tuple(self._modules)

    def module(self, name: str):
        return self._modules.get(name)

    def _register(self, module: QObject) -> None:
        self._modules[module.name] = module
        setattr(slicer.modules, module.name.lower(), module)
        setattr(slicer.moduleNames, module.name, module.name)
        self.moduleLoaded.emit(module.name)

    def _unload(self, name: str) -> None:
        self.moduleAboutToBeUnloaded.emit(name)
        del self._modules[name]
        for attribute in (name + "Instance", name + "Widget", name.lower()):
            if hasattr(slicer.modules, attribute):
                delattr(slicer.modules, attribute)
        getattr(slicer, "selfTests", {}).pop(name, None)


def load_source(path: str) -> types.ModuleType:
    """Import a module file by its path, once."""
    name = Path(path).stem
    folder = str(Path(path).parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def add_loadable_modules(manager: qSlicerModuleManager, application_logic, scene) -> None:
    """Set up the logics of Slicer's own modules, and what they register with the slice views."""
    for name, class_name in _LOGICS.items():
        logic = getattr(slicer, class_name)()
        logic.SetMRMLApplicationLogic(application_logic)
        application_logic.SetModuleLogic(name, logic)
        manager._register(qSlicerLoadableModule(name, logic))
    application_logic.SetColorLogic(manager.module("Colors").logic())
    factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
    factory.SetMRMLApplicationLogic(application_logic)
    for name in _DISPLAYABLE_MANAGERS:
        if not factory.IsDisplayableManagerRegistered(name):
            factory.RegisterDisplayableManager(name)
    for name in _LOGICS:
        manager.module(name).logic().SetMRMLScene(scene)


def add_scripted_module(manager: qSlicerModuleManager, path: str) -> qSlicerScriptedLoadableModule:
    """Do what Slicer's module factory does with a ``.py`` file."""
    module = qSlicerScriptedLoadableModule(str(Path(path).absolute()))
    source = load_source(module.path)
    instance = getattr(source, module.name)(module)
    setattr(slicer.modules, module.name + "Instance", instance)
    module.widgetRepresentationCreationEnabled = hasattr(source, module.name + "Widget")
    module.logic().SetMRMLScene(slicer.mrmlScene)
    manager._register(module)
    if hasattr(instance, "setup"):
        instance.setup()
    return module
