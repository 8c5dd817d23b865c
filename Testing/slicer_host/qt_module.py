"""The modules ``qt`` and ``ctk`` of Slicer."""

import sys
import types

from PySide6 import QtCore

from . import ctk_widgets, pythonqt, ui_loader

# PySide6's own tools, which PythonQt does not have in its flat namespace.
_NOT_IN_PYTHONQT = {"Signal", "Slot", "Property", "ClassInfo", "QEnum", "QFlag"}


def install() -> None:
    """Make ``import qt`` and ``import ctk`` work."""
    if "qt" in sys.modules:
        return
    pythonqt.install()
    sys.modules["qt"] = _qt()
    sys.modules["ctk"] = _ctk()
    ui_loader.register(*ctk_widgets.CLASSES)


def _qt() -> types.ModuleType:
    module = types.ModuleType("qt", "Stands for the module qt of Slicer: every class of Qt in one namespace.")
    for part in pythonqt.MODULES:
        for name in dir(part):
            if not name.startswith("_") and name not in _NOT_IN_PYTHONQT:
                setattr(module, name, getattr(part, name))
    module.QUiLoader = ui_loader.QUiLoader
    module.QTimer.singleShot = staticmethod(_single_shot)
    return module


def _single_shot(msec, receiver, member=None) -> None:
    """Stands for Slicer's own replacement of ``qt.QTimer.singleShot``: the timer lives until it has fired."""
    timer = QtCore.QTimer(QtCore.QCoreApplication.instance())
    timer.setSingleShot(True)
    if member is None:
        timer.timeout.connect(receiver)
    else:
        timer.timeout.connect(getattr(receiver, member.split("(")[0]))
    timer.timeout.connect(timer.deleteLater)
    timer.start(msec)


def _ctk() -> types.ModuleType:
    module = types.ModuleType("ctk", "Stands for the module ctk of Slicer.")
    for cls in ctk_widgets.CLASSES:
        setattr(module, cls.__name__, cls)
    return module
