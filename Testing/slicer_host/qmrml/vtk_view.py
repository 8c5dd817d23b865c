"""A render window that draws off screen and shows its picture in a Qt widget."""

import vtk
from PySide6.QtCore import QEvent, Qt, QTimer, Slot
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QWidget
from vtk.util.numpy_support import vtk_to_numpy

_PRESS = {Qt.LeftButton: "Left", Qt.RightButton: "Right", Qt.MiddleButton: "Middle"}

# VTK's interactors know keys by the names of the X Window System.
_KEY_SYMBOLS = {
    Qt.Key_Escape: "Escape",
    Qt.Key_Return: "Return",
    Qt.Key_Enter: "KP_Enter",
    Qt.Key_Delete: "Delete",
    Qt.Key_Backspace: "BackSpace",
    Qt.Key_Tab: "Tab",
    Qt.Key_Space: "space",
    Qt.Key_Left: "Left",
    Qt.Key_Right: "Right",
    Qt.Key_Up: "Up",
    Qt.Key_Down: "Down",
    Qt.Key_Shift: "Shift_L",
    Qt.Key_Control: "Control_L",
    Qt.Key_Alt: "Alt_L",
}


class ctkVTKOpenGLNativeWidget(QWidget):
    """Stands for ctkVTKOpenGLNativeWidget: a widget with a render window and its interactor.

    The window is never on screen: after each rendering its pixels are painted into the widget. The mouse and
    the keys go to the interactor as QVTKInteractorAdapter would send them.
    """

    def __init__(self, parent=None) -> None:
        super().__init__(parent)
        self.setObjectName(type(self).__name__)
        self.focusPolicy = Qt.StrongFocus
        self.mouseTracking = True
        self.setMinimumSize(20, 20)
        self._picture = QImage()
        self._pauses = 0
        self._window = vtk.vtkRenderWindow()
        self._window.SetOffScreenRendering(True)
        self._window.SetMultiSamples(0)
        self._window.SetSize(100, 100)
        self._interactor = vtk.vtkGenericRenderWindowInteractor()
        self._interactor.SetRenderWindow(self._window)
        self._interactor.EnableRenderOff()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._render)

    def renderWindow(self):
        return self._window

    # Rendering.

    def _schedule(self) -> None:
        if not self._timer.active:
            self._timer.start(0)

    def _render(self) -> None:
        self._timer.stop()
        if self.visible and self._pauses == 0 and self._ready():
            self._window.Render()
            self._picture = _picture_of(self._window)
            self.update()

    def _pause(self) -> None:
        self._pauses += 1

    def _resume(self) -> None:
        self._pauses = max(0, self._pauses - 1)
        if self._pauses == 0:
            self._schedule()

    def _ready(self) -> bool:
        return True

    # Events of Qt.

    def paintEvent(self, _event) -> None:
        painter = QPainter(self)
        painter.drawImage(self.rect, self._picture)

    def resizeEvent(self, _event) -> None:
        ratio = self.devicePixelRatioF()
        width, height = (max(1, round(n * ratio)) for n in (self.width, self.height))
        self._window.SetSize(width, height)
        self._interactor.SetSize(width, height)
        self._interactor.ConfigureEvent()
        self._schedule()

    def showEvent(self, _event) -> None:
        self._schedule()

    def mousePressEvent(self, event) -> None:
        self._send(event, _PRESS.get(event.button(), "") + "ButtonPressEvent")

    def mouseReleaseEvent(self, event) -> None:
        self._send(event, _PRESS.get(event.button(), "") + "ButtonReleaseEvent")

    def mouseDoubleClickEvent(self, event) -> None:
        self._send(event, _PRESS.get(event.button(), "") + "ButtonDoubleClickEvent", repeat=1)

    def mouseMoveEvent(self, event) -> None:
        self._send(event, "MouseMoveEvent")

    def wheelEvent(self, event) -> None:
        forward = event.angleDelta().y() > 0
        self._send(event, "MouseWheelForwardEvent" if forward else "MouseWheelBackwardEvent")

    def enterEvent(self, event) -> None:
        self._send(event, "EnterEvent")

    def leaveEvent(self, _event: QEvent) -> None:
        self._interactor.InvokeEvent("LeaveEvent")

    def keyPressEvent(self, event) -> None:
        self._set_key(event)
        self._interactor.InvokeEvent("KeyPressEvent")
        if event.text():
            self._interactor.InvokeEvent("CharEvent")

    def keyReleaseEvent(self, event) -> None:
        self._set_key(event)
        self._interactor.InvokeEvent("KeyReleaseEvent")

    def _send(self, event, name: str, repeat: int = 0) -> None:
        if not hasattr(vtk.vtkCommand, name):
            return
        ratio = self.devicePixelRatioF()
        x, y = event.position().x() * ratio, event.position().y() * ratio
        modifiers = event.modifiers() if hasattr(event, "modifiers") else Qt.NoModifier
        control, shift = bool(modifiers & Qt.ControlModifier), bool(modifiers & Qt.ShiftModifier)
        self._interactor.SetEventInformationFlipY(round(x), round(y), control, shift, "\0", repeat, None)
        self._interactor.SetAltKey(bool(modifiers & Qt.AltModifier))
        self._interactor.InvokeEvent(name)

    def _set_key(self, event) -> None:
        modifiers = event.modifiers()
        text = event.text() or "\0"
        symbol = _KEY_SYMBOLS.get(event.key(), text)
        position = self._interactor.GetEventPosition()
        control, shift = bool(modifiers & Qt.ControlModifier), bool(modifiers & Qt.ShiftModifier)
        self._interactor.SetEventInformation(*position, control, shift, text[0], 0, symbol)
        self._interactor.SetAltKey(bool(modifiers & Qt.AltModifier))


class ctkVTKAbstractView(ctkVTKOpenGLNativeWidget):
    """Stands for ctkVTKAbstractView: renders when asked to, or soon."""

    def interactor(self):
        return self._interactor

    def interactorStyle(self):
        return self._interactor.GetInteractorStyle()

    @Slot()
    def scheduleRender(self) -> None:
        self._schedule()

    @Slot()
    def forceRender(self) -> None:
        self._render()

    @Slot()
    def pauseRender(self) -> None:
        self._pause()

    @Slot()
    def resumeRender(self) -> None:
        self._resume()


def _picture_of(window) -> QImage:
    width, height = window.GetSize()
    pixels = vtk.vtkUnsignedCharArray()
    window.GetPixelData(0, 0, width - 1, height - 1, 1, pixels, 0)
    rows = vtk_to_numpy(pixels).reshape(height, width, 3)[::-1].copy()
    return QImage(rows.data, width, height, 3 * width, QImage.Format_RGB888).copy()
