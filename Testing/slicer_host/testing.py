"""Helpers for tests: the mouse and the keys of a reader, pictures, and the error log.

Nothing here exists in Slicer; a module must not import it.
"""

import contextlib
from pathlib import Path

import slicer
from PySide6 import QtCore, QtGui, QtTest, QtWidgets

from .error_log import Entry
from .qmrml.vtk_view import ctkVTKOpenGLNativeWidget

LEFT, RIGHT, MIDDLE = QtCore.Qt.LeftButton, QtCore.Qt.RightButton, QtCore.Qt.MiddleButton
SHIFT, CONTROL = QtCore.Qt.ShiftModifier, QtCore.Qt.ControlModifier


def process_events(times: int = 3) -> None:
    """Let what was scheduled happen: renderings, timers at zero, deletions."""
    for _ in range(times):
        slicer.app.processEvents()
        slicer.app.sendPostedEvents(None, QtCore.QEvent.DeferredDelete)


def errors() -> list[Entry]:
    """Return the errors in the log since the last ``slicer_host.reset()``."""
    return [entry for entry in slicer.app.errorLogModel()._entries if entry.level == "Error"]


def warnings() -> list[Entry]:
    """Return the warnings in the log since the last ``slicer_host.reset()``."""
    return [entry for entry in slicer.app.errorLogModel()._entries if entry.level == "Warning"]


def slice_view(name: str):
    """Return the qMRMLSliceView of a layout name such as ``Red``."""
    return slicer.app.layoutManager().sliceWidget(name).sliceView()


def position_of(view, ras) -> QtCore.QPointF:
    """Return where a point in RAS (mm) lies in a slice view, in the widget's coordinates."""
    x, y, _z = view.convertRASToXYZ([float(c) for c in ras])
    ratio = view.devicePixelRatioF()
    return QtCore.QPointF(x / ratio, view.height - 1 - y / ratio)


def ras_of(view, x: float, y: float) -> tuple[float, float, float]:
    """Return the RAS position (mm) under a pixel of the view; y counts downwards."""
    xyz = view.convertDeviceToXYZ([round(x), round(view.height - 1 - y)])
    return tuple(view.convertXYZToRAS(xyz))


def move(view, ras, buttons=QtCore.Qt.NoButton, modifiers=QtCore.Qt.NoModifier) -> None:
    """Move the mouse to a point."""
    _mouse(view, QtCore.QEvent.MouseMove, ras, QtCore.Qt.NoButton, buttons, modifiers)


def press(view, ras, button=LEFT, modifiers=QtCore.Qt.NoModifier) -> None:
    _mouse(view, QtCore.QEvent.MouseButtonPress, ras, button, button, modifiers)


def release(view, ras, button=LEFT, modifiers=QtCore.Qt.NoModifier) -> None:
    _mouse(view, QtCore.QEvent.MouseButtonRelease, ras, button, QtCore.Qt.NoButton, modifiers)


def click(view, ras, button=LEFT, modifiers=QtCore.Qt.NoModifier) -> None:
    """Move to a point and click there."""
    move(view, ras, modifiers=modifiers)
    press(view, ras, button, modifiers)
    release(view, ras, button, modifiers)
    process_events()


def double_click(view, ras, button=LEFT) -> None:
    """Double-click, as Qt sends it: press, release, double click, release."""
    move(view, ras)
    press(view, ras, button)
    release(view, ras, button)
    _mouse(view, QtCore.QEvent.MouseButtonDblClick, ras, button, button, QtCore.Qt.NoModifier)
    release(view, ras, button)
    process_events()


def drag(view, path, button=LEFT, modifiers=QtCore.Qt.NoModifier) -> None:
    """Press at the first point, move along the others, release at the last."""
    move(view, path[0], modifiers=modifiers)
    press(view, path[0], button, modifiers)
    for ras in path[1:]:
        move(view, ras, buttons=button, modifiers=modifiers)
    release(view, path[-1], button, modifiers)
    process_events()


def wheel(view, ras, steps: int = 1, modifiers=QtCore.Qt.NoModifier) -> None:
    """Turn the mouse wheel, forwards by positive steps."""
    position = position_of(view, ras)
    event = QtGui.QWheelEvent(
        position,
        QtCore.QPointF(view.mapToGlobal(position)),
        QtCore.QPoint(),
        QtCore.QPoint(0, 120 * (1 if steps > 0 else -1)),
        QtCore.Qt.NoButton,
        modifiers,
        QtCore.Qt.NoScrollPhase,
        False,
    )
    for _ in range(abs(steps)):
        slicer.app.sendEvent(view, event)
    process_events()


def key(widget, which: QtCore.Qt.Key, text: str = "", modifiers=QtCore.Qt.NoModifier) -> None:
    """Press and release a key in a widget."""
    for kind in (QtCore.QEvent.KeyPress, QtCore.QEvent.KeyRelease):
        slicer.app.sendEvent(widget, QtGui.QKeyEvent(kind, which, modifiers, text))
    process_events()


def press_key(key: str, modifiers=QtCore.Qt.NoModifier, widget=None) -> None:
    """Press a key such as ``N`` or ``Return`` as the user does: shortcuts get it before the widget.

    Without a widget it goes to the one with the focus, or to the main window.
    """
    window = slicer.util.mainWindow()
    window.activateWindow()
    process_events()
    target = widget or slicer.app.focusWidget() or window
    QtTest.QTest.keyClick(target, getattr(QtCore.Qt, f"Key_{key}"), modifiers)
    process_events()


def _mouse(view, kind, ras, button, buttons, modifiers) -> None:
    if not view.visible:
        raise AssertionError("a mouse event was sent to a view that is not shown")
    position = position_of(view, ras)
    if not view.rect.contains(position.toPoint()):
        raise AssertionError(f"{tuple(ras)} lies outside of what the view shows")
    global_position = QtCore.QPointF(view.mapToGlobal(position))
    slicer.app.sendEvent(view, QtGui.QMouseEvent(kind, position, global_position, button, buttons, modifiers))


@contextlib.contextmanager
def answering(button: QtWidgets.QMessageBox.StandardButton):
    """Show message boxes as outside of tests and press a button in each; yields the list of their texts."""
    texts: list[str] = []

    def answer() -> None:
        box = slicer.app.activeModalWidget()
        if isinstance(box, QtWidgets.QMessageBox):
            texts.append(box.text)
            box.button(button).click()

    timer = QtCore.QTimer()
    timer.timeout.connect(answer)
    timer.start(5)
    slicer.app.commandOptions()._testing = False
    try:
        yield texts
    finally:
        slicer.app.commandOptions()._testing = True
        timer.stop()


def screenshot(widget: QtWidgets.QWidget, path) -> Path:
    """Save the picture of a view, a panel or a window as PNG."""
    process_events()
    for view in [widget, *widget.findChildren(QtWidgets.QWidget)]:
        if isinstance(view, ctkVTKOpenGLNativeWidget):
            view._render()
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    if not widget.grab().save(str(path)):
        raise OSError(f"the picture {path} could not be saved")
    return Path(path)
