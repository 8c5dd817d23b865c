"""Sliders and spin boxes of CTK, whose values are real numbers."""

import enum
import math

from PySide6.QtCore import Property, QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QDoubleSpinBox, QHBoxLayout, QSlider, QVBoxLayout, QWidget

from ..pythonqt import forwarded, kept, with_slots


@with_slots("setDecimals", "setReadOnly", "setValue")
class ctkDoubleSpinBox(QWidget):
    """Stands for ctkDoubleSpinBox."""

    valueChanged = Signal((float,), (str,))
    editingFinished = Signal()
    decimalsChanged = Signal(int)

    def __init__(self, *args):
        super().__init__(next((arg for arg in args if isinstance(arg, QWidget)), None))
        self._spin = QDoubleSpinBox(self)
        self._spin.keyboardTracking = False
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._spin)
        self._spin.valueChanged.connect(self._on_value_changed)
        self._spin.editingFinished.connect(self.editingFinished)

    def _on_value_changed(self, value: float) -> None:
        self.valueChanged.emit(value)
        self.valueChanged[str].emit(self._spin.text)

    def _set_decimals(self, decimals: int) -> None:
        self._spin.decimals = decimals
        self.decimalsChanged.emit(decimals)

    value = forwarded(float, "_spin", "value", notify=valueChanged)
    minimum = forwarded(float, "_spin", "minimum")
    maximum = forwarded(float, "_spin", "maximum")
    singleStep = forwarded(float, "_spin", "singleStep")
    decimals = Property(int, lambda self: self._spin.decimals, _set_decimals)
    prefix = forwarded(str, "_spin", "prefix")
    suffix = forwarded(str, "_spin", "suffix")
    readOnly = forwarded(bool, "_spin", "readOnly")
    cleanText = Property(str, lambda self: self._spin.cleanText)

    def _set_range(self, minimum: float, maximum: float) -> None:
        self._spin.setRange(minimum, maximum)

    @Slot()
    def stepUp(self) -> None:
        self._spin.stepUp()

    @Slot()
    def stepDown(self) -> None:
        self._spin.stepDown()


@with_slots("setOrientation", "setValue")
class ctkDoubleSlider(QWidget):
    """Stands for ctkDoubleSlider: a slider whose steps are real numbers."""

    valueChanged = Signal(float)
    sliderMoved = Signal(float)
    sliderPressed = Signal()
    sliderReleased = Signal()
    rangeChanged = Signal(float, float)

    tickInterval = kept(float, "tickInterval", 0.0)
    tickPosition = kept(QSlider.TickPosition, "tickPosition", QSlider.NoTicks)
    handleToolTip = kept(str, "handleToolTip", "")

    def __init__(self, *args):
        super().__init__(next((arg for arg in args if isinstance(arg, QWidget)), None))
        self._minimum, self._maximum, self._step, self._value = 0.0, 99.0, 1.0, 0.0
        orientation = next((arg for arg in args if isinstance(arg, Qt.Orientation)), Qt.Vertical)
        self._slider = QSlider(orientation, self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider)
        self._slider.valueChanged.connect(self._on_slider_changed)
        self._slider.sliderPressed.connect(self.sliderPressed)
        self._slider.sliderReleased.connect(self.sliderReleased)

    def _on_slider_changed(self, index: int) -> None:
        value = min(self._minimum + index * self._step, self._maximum)
        if abs(value - self._value) > self._step / 2:
            self._change(value)
            self.sliderMoved.emit(value)

    def _change(self, value: float) -> None:
        if value != self._value:
            self._value = value
            self.valueChanged.emit(value)

    def _set_value(self, value: float) -> None:
        value = min(max(float(value), self._minimum), self._maximum)
        self._slider.blockSignals(True)
        # An unbounded slider has no place for its handle; it keeps the value all the same.
        steps = (value - self._minimum) / self._step
        self._slider.value = round(steps) if math.isfinite(steps) else 0
        self._slider.blockSignals(False)
        self._change(value)

    def _set_step(self, step: float) -> None:
        self._step = step
        self._set_range(self._minimum, self._maximum)

    def _set_range(self, minimum: float, maximum: float) -> None:
        self._minimum, self._maximum = float(minimum), max(float(minimum), float(maximum))
        steps = min((self._maximum - self._minimum) / self._step, 2**30)
        self._slider.blockSignals(True)
        self._slider.setRange(0, round(steps))
        self._slider.blockSignals(False)
        self.rangeChanged.emit(self._minimum, self._maximum)
        self._set_value(self._value)

    value = Property(float, lambda self: self._value, _set_value, notify=valueChanged)
    sliderPosition = Property(float, lambda self: self._value, _set_value)
    singleStep = Property(float, lambda self: self._step, _set_step)
    pageStep = kept(float, "pageStep", 10.0)
    minimum = Property(
        float, lambda self: self._minimum, lambda self, v: self._set_range(v, max(v, self._maximum))
    )
    maximum = Property(
        float, lambda self: self._maximum, lambda self, v: self._set_range(min(v, self._minimum), v)
    )
    tracking = forwarded(bool, "_slider", "tracking")
    orientation = forwarded(Qt.Orientation, "_slider", "orientation")


@with_slots("setDecimals", "setSpinBoxVisible", "setValue")
class ctkSliderWidget(QWidget):
    """Stands for ctkSliderWidget: a slider and a spin box that show one real number."""

    class SynchronizeSibling(enum.IntFlag):
        NoSynchronize = 0
        SynchronizeWidth = 1
        SynchronizeDecimals = 2

    NoSynchronize, SynchronizeWidth, SynchronizeDecimals = 0, 1, 2

    valueChanged = Signal(float)
    valueIsChanging = Signal(float)
    decimalsChanged = Signal(int)

    tickInterval = kept(float, "tickInterval", 0.0)
    tickPosition = kept(QSlider.TickPosition, "tickPosition", QSlider.NoTicks)
    spinBoxAlignment = kept(Qt.Alignment, "spinBoxAlignment", Qt.AlignRight)
    synchronizeSiblings = kept(int, "synchronizeSiblings", 0)
    popupSlider = kept(bool, "popupSlider", False)
    invertedAppearance = kept(bool, "invertedAppearance", False)
    invertedControls = kept(bool, "invertedControls", False)
    tracking = kept(bool, "tracking", True)

    def __init__(self, *args):
        super().__init__(next((arg for arg in args if isinstance(arg, QWidget)), None))
        self._slider = ctkDoubleSlider(Qt.Horizontal, self)
        self._spin = ctkDoubleSpinBox(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider, 1)
        layout.addWidget(self._spin)
        self._pressed = False
        self._value_before = 0.0
        self._slider.valueChanged.connect(self._on_slider)
        self._spin.valueChanged.connect(self._on_spin)
        self._slider.sliderPressed.connect(self._on_pressed)
        self._slider.sliderReleased.connect(self._on_released)

    def _on_pressed(self) -> None:
        self._pressed, self._value_before = True, self._slider.value

    def _on_released(self) -> None:
        self._pressed = False
        if not self.tracking and self._slider.value != self._value_before:
            self.valueChanged.emit(self._slider.value)

    def _on_slider(self, value: float) -> None:
        self._spin.blockSignals(True)
        self._spin.value = value
        self._spin.blockSignals(False)
        if self._pressed:
            self.valueIsChanging.emit(value)
        if not self._pressed or self.tracking:
            self.valueChanged.emit(value)

    def _on_spin(self, value: float) -> None:
        self._slider.value = value

    def _set_value(self, value: float) -> None:
        self._slider.value = value

    def _set_decimals(self, decimals: int) -> None:
        self._spin.decimals = decimals
        self.decimalsChanged.emit(decimals)

    def _set_step(self, step: float) -> None:
        self._slider.singleStep = step
        self._spin.singleStep = step

    def _set_range(self, minimum: float, maximum: float) -> None:
        self._spin.blockSignals(True)
        self._spin._set_range(minimum, maximum)
        self._spin.blockSignals(False)
        self._slider._set_range(minimum, maximum)

    value = Property(float, lambda self: self._slider.value, _set_value, notify=valueChanged)
    minimum = Property(
        float, lambda self: self._slider.minimum, lambda self, v: self._set_range(v, max(v, self.maximum))
    )
    maximum = Property(
        float, lambda self: self._slider.maximum, lambda self, v: self._set_range(min(v, self.minimum), v)
    )
    singleStep = Property(float, lambda self: self._slider.singleStep, _set_step)
    pageStep = forwarded(float, "_slider", "pageStep")
    decimals = Property(int, lambda self: self._spin.decimals, _set_decimals)
    prefix = forwarded(str, "_spin", "prefix")
    suffix = forwarded(str, "_spin", "suffix")
    spinBoxVisible = Property(
        bool, lambda self: not self._spin.isHidden(), lambda self, v: self._spin.setVisible(v)
    )

    @Slot()
    def reset(self) -> None:
        self._set_value(0.0)

    def minimumSizeHint(self) -> QSize:
        return QSize(80, self._spin.sizeHint.height())
