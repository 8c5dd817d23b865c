"""Starting and ending of the application."""

import atexit
import os
import sys
import types
from pathlib import Path

from . import pythonqt

_application = None
_stopped = False


def start(show: bool = True, testing: bool = True):
    """Build the application, once, and return ``slicer.app``.

    While testing, as in Slicer with ``--testing``, message boxes are logged instead of shown.

    Without a display Qt and VTK draw off screen, unless the environment says otherwise.
    """
    global _application
    if _application is not None:
        return _application
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")
    pythonqt.install()
    import slicer

    slicer.modules = sys.modules["slicer.modules"] = types.ModuleType("slicer.modules")
    slicer.moduleNames = sys.modules["slicer.moduleNames"] = types.ModuleType("slicer.moduleNames")
    from . import error_log, namespace, qt_module
    from .application import qSlicerApplication

    _application = qSlicerApplication(testing)
    slicer.app = _application
    slicer.mrmlScene = _application.mrmlScene()
    error_log.install(_application.errorLogModel())
    qt_module.install()
    namespace.install()
    _assemble(_application, show)
    atexit.register(stop)
    return _application


def _assemble(application, show: bool) -> None:
    import slicer

    from . import modules
    from .dicom_database import ctkDICOMDatabase
    from .io_manager import qSlicerIOManager
    from .main_window import qSlicerMainWindow
    from .qmrml.layout_manager import qMRMLLayoutManager

    scene, logic = slicer.mrmlScene, application.applicationLogic()
    crosshair = slicer.vtkMRMLCrosshairNode()
    crosshair.SetCrosshairName("default")
    scene.AddNode(crosshair)
    logic.SetMRMLScene(scene)
    application._connect_data_io()
    # The scene names files and nodes relative to a folder; Slicer starts with the working one.
    scene.SetRootDirectory(str(Path.cwd()))
    manager = modules.qSlicerModuleManager(application)
    modules.add_loadable_modules(manager, logic, scene)
    window = qSlicerMainWindow()
    application._window = window
    layout_manager = qMRMLLayoutManager(window.centralWidget(), application)
    logic.SetSliceLogics(layout_manager.mrmlSliceLogics())
    logic.SetViewLogics(layout_manager.mrmlViewLogics())
    application._assemble(layout_manager, manager, qSlicerIOManager(application))
    layout_manager.setMRMLScene(scene)
    slicer.dicomDatabase = ctkDICOMDatabase()
    if show:
        window.show()
    application.processEvents()


def load_module(path):
    """Load a scripted module as Slicer's module factory does, and return its ``slicer.modules`` entry."""
    import slicer

    from . import modules

    start()
    return modules.add_scripted_module(slicer.app.moduleManager(), str(path))


def reset() -> None:
    """Empty the scene, the settings and the error log, for the next test; the layout stays."""
    import slicer

    slicer.mrmlScene.Clear(0)
    slicer.app.processEvents()
    slicer.app.settings().clear()
    slicer.app.errorLogModel().clear()
    slicer.dicomDatabase.closeDatabase()


def stop() -> None:
    """End the application: modules are unloaded, the scene closed, the views and their contexts let go."""
    global _stopped
    if _application is None or _stopped:
        return
    _stopped = True
    import slicer
    from PySide6.QtCore import QEvent

    manager = slicer.app.moduleManager()
    slicer.util.mainWindow().moduleSelector().selectModule("")
    for name in [
        n for n in manager.modulesNames() if hasattr(manager.module(n), "createNewWidgetRepresentation")
    ]:
        manager._unload(name)
    slicer.mrmlScene.Clear(0)
    slicer.app.layoutManager().setMRMLScene(None)
    slicer.mrmlScene.Clear(1)
    _application._window.close()
    _application.processEvents()
    _application.sendPostedEvents(None, QEvent.DeferredDelete)
    _application._remove_files()
