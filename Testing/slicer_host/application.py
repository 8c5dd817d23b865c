"""The application object, ``slicer.app``."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import slicer
from PySide6 import QtCore, QtWidgets
from PySide6.QtCore import Property

from .error_log import ctkErrorLogModel
from .pythonqt import kept


class qSlicerCommandOptions(QtCore.QObject):
    """Stands for qSlicerCommandOptions: the application is as if started with ``--testing``, or not."""

    testingEnabled = Property(bool, lambda self: self._testing)
    runPythonAndExit = kept(bool, "runPythonAndExit", False)
    noMainWindow = kept(bool, "noMainWindow", False)

    def __init__(self, testing: bool) -> None:
        super().__init__()
        self._testing = testing


class qSlicerApplication(QtWidgets.QApplication):
    """Stands for qSlicerApplication and its base qSlicerCoreApplication."""

    mrmlSceneChanged = QtCore.Signal(object)
    startupCompleted = QtCore.Signal()
    renderPaused = QtCore.Signal(bool)

    majorVersion = Property(int, lambda self: 5)
    minorVersion = Property(int, lambda self: 12)
    mainApplicationName = Property(str, lambda self: "Slicer")
    mainApplicationDisplayName = Property(str, lambda self: "3D Slicer")
    applicationLocaleName = Property(str, lambda self: "en_US")
    documentationBaseUrl = Property(str, lambda self: "https://slicer.readthedocs.io/en/latest/")
    platform = Property(str, lambda self: "linux-amd64")
    os = Property(str, lambda self: "linux")
    arch = Property(str, lambda self: "amd64")
    revision = Property(str, lambda self: "0")
    isInstalled = Property(bool, lambda self: True)

    def __init__(self, testing: bool) -> None:
        QtCore.QLocale.setDefault(QtCore.QLocale.c())
        super().__init__(sys.argv[:1])
        self.setOrganizationName("NA-MIC")
        self.setApplicationName("Slicer")
        self._folder = Path(tempfile.mkdtemp(prefix="slicer_host"))
        self._options = qSlicerCommandOptions(testing)
        self._error_log = ctkErrorLogModel()
        self._settings = self._make_settings()
        self._logic = slicer.vtkSlicerApplicationLogic()
        self._scene = slicer.vtkMRMLScene()
        self._make_folders()
        self._make_python_slicer()
        self._layout_manager = None
        self._module_manager = None
        self._io_manager = None

    def _make_settings(self) -> QtCore.QSettings:
        # An empty folder of settings for each run: what a user chose elsewhere must not change a test.
        ini = QtCore.QSettings.IniFormat
        QtCore.QSettings.setDefaultFormat(ini)
        QtCore.QSettings.setPath(ini, QtCore.QSettings.UserScope, str(self._folder))
        return QtCore.QSettings()

    def _make_folders(self) -> None:
        # The wheel has none of the files that Slicer shares; an empty folder keeps its logics quiet.
        for name in ("temporary", "cache", "share/ColorFiles"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        self._logic.SetTemporaryPath(self.temporaryPath)
        self._logic.SetHomeDirectory(str(self._folder))
        self._logic.SetShareDirectory("share")

    def _make_python_slicer(self) -> None:
        # slicer.util starts pip with the program PythonSlicer, which it looks for on the path.
        program = self._folder / "bin" / "PythonSlicer"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
        program.chmod(0o755)
        os.environ["PATH"] = f"{program.parent}{os.pathsep}{os.environ.get('PATH', '')}"

    def _connect_data_io(self) -> None:
        # A scene bundle (.mrb) is unpacked in the cache of these two.
        self._data_io = slicer.vtkMRMLRemoteIOLogic(), slicer.vtkDataIOManagerLogic()
        remote, manager = self._data_io
        remote.SetMRMLApplicationLogic(self._logic)
        manager.SetMRMLApplicationLogic(self._logic)
        self._logic.SetMRMLSceneDataIO(self._scene, remote, manager)
        remote.GetCacheManager().SetRemoteCacheDirectory(self.cachePath)

    def _assemble(self, layout_manager, module_manager, io_manager) -> None:
        self._layout_manager = layout_manager
        self._module_manager, self._io_manager = module_manager, io_manager

    def _remove_files(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    temporaryPath = Property(str, lambda self: str(self._folder / "temporary"))
    cachePath = Property(str, lambda self: str(self._folder / "cache"))
    slicerHome = Property(str, lambda self: str(Path(slicer.__file__).parent))
    slicerSharePath = Property(str, lambda self: "share/Slicer-5.12")
    startupWorkingPath = Property(str, lambda self: os.getcwd())  # noqa: PTH109
    defaultScenePath = kept(str, "defaultScenePath", "")

    def applicationLogic(self):
        return self._logic

    def mrmlScene(self):
        return self._scene

    def layoutManager(self):
        return self._layout_manager

    def moduleManager(self):
        return self._module_manager

    def moduleLogic(self, name: str):
        module = self._module_manager.module(name)
        return module.logic() if module else None

    def ioManager(self):
        return self._io_manager

    def coreIOManager(self):
        return self._io_manager

    def commandOptions(self) -> qSlicerCommandOptions:
        return self._options

    def errorLogModel(self) -> ctkErrorLogModel:
        return self._error_log

    def settings(self) -> QtCore.QSettings:
        return self._settings

    def userSettings(self) -> QtCore.QSettings:
        return self._settings

    def revisionUserSettings(self) -> QtCore.QSettings:
        return self._settings

    def testingEnabled(self) -> bool:
        return self._options.testingEnabled

    def setRenderPaused(self, paused: bool) -> None:
        self._layout_manager.setRenderPaused(paused)
        self.renderPaused.emit(paused)

    def pauseRender(self) -> None:
        self.setRenderPaused(True)

    def resumeRender(self) -> None:
        self.setRenderPaused(False)

    def moduleDocumentationUrl(self, module: str) -> str:
        return f"{self.documentationBaseUrl}user_guide/modules/{module.lower()}.html"

    def startupEnvironment(self) -> QtCore.QProcessEnvironment:
        return QtCore.QProcessEnvironment.systemEnvironment()
