"""What went wrong: VTK's messages, Qt's warnings, exceptions in slots and observers, and Python's log."""

import logging
import sys
import traceback
from dataclasses import dataclass

import vtk
from PySide6 import QtCore

_LEVELS = {
    QtCore.QtMsgType.QtWarningMsg: "Warning",
    QtCore.QtMsgType.QtCriticalMsg: "Error",
    QtCore.QtMsgType.QtFatalMsg: "Error",
}


@dataclass(frozen=True)
class Entry:
    """One line of the log: its level (Warning, Error) and where it comes from (VTK, Qt, Python)."""

    level: str
    origin: str
    text: str


class ctkErrorLogModel(QtCore.QObject):
    """Stands for ctkErrorLogModel as far as Slicer's Python files use it: entries are counted and cleared."""

    entryAdded = QtCore.Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._entries: list[Entry] = []

    def logEntryCount(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        self._entries.clear()

    def _add(self, level: str, origin: str, text: str) -> None:
        self._entries.append(Entry(level, origin, text.strip()))
        self.entryAdded.emit(len(self._entries))


def install(model: ctkErrorLogModel) -> None:
    """Lead all messages into the model; they still appear on the console."""
    _watch_vtk(model)
    _watch_qt(model)
    _watch_python(model)


def _watch_vtk(model: ctkErrorLogModel) -> None:
    window = vtk.vtkOutputWindow()
    vtk.vtkOutputWindow.SetInstance(window)

    @vtk.calldata_type(vtk.VTK_STRING)
    def on_message(_caller, event, text):
        level = "Error" if event == "ErrorEvent" else "Warning"
        model._add(level, "VTK", text)

    window.AddObserver("ErrorEvent", on_message)
    window.AddObserver("WarningEvent", on_message)


def _watch_qt(model: ctkErrorLogModel) -> None:
    def handler(kind, _context, text):
        print(text, file=sys.stderr)
        # The plugin for use without a display says this at every window; it is no fault of the module.
        if kind in _LEVELS and "propagateSizeHints" not in text:
            model._add(_LEVELS[kind], "Qt", text)

    QtCore.qInstallMessageHandler(handler)


def _watch_python(model: ctkErrorLogModel) -> None:
    before = sys.excepthook

    def hook(kind, value, trace):
        model._add("Error", "Python", "".join(traceback.format_exception(kind, value, trace)))
        before(kind, value, trace)

    sys.excepthook = hook
    logging.getLogger().addHandler(_Handler(model))


class _Handler(logging.Handler):
    """Stands for Slicer's own SlicerApplicationLogHandler, from warnings upwards."""

    def __init__(self, model: ctkErrorLogModel) -> None:
        super().__init__(logging.WARNING)
        self._model = model

    def emit(self, record: logging.LogRecord) -> None:
        level = "Error" if record.levelno >= logging.ERROR else "Warning"
        self._model._add(level, "Python", self.format(record))
