"""Range widgets of CTK: two values within bounds."""

from PySide6.QtCore import Property, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QWidget

from ..pythonqt import kept, with_slots
from .sliders import ctkDoubleSlider, ctkDoubleSpinBox


class _Range(QWidget):
    """What the two range widgets share: an ordered pair within bounds."""

    minimumValueChanged = Signal(float)
    maximumValueChanged = Signal(float)
    valuesChanged = Signal(float, float)
    rangeChanged = Signal(float, float)

    def __init__(self, *args):
        super().__init__(next((arg for arg in args if isinstance(arg, QWidget)), None))
        self._bounds = (0.0, 99.0)
        self._values = (0.0, 99.0)

    def setRange(self, minimum: float, maximum: float) -> None:
        self._bounds = (float(minimum), max(float(minimum), float(maximum)))
        self.rangeChanged.emit(*self._bounds)
        self.setValues(*self._values)

    def setValues(self, low: float, high: float) -> None:
        floor, ceiling = self._bounds
        low, high = sorted(min(max(v, floor), ceiling) for v in (float(low), float(high)))
        before, self._values = self._values, (low, high)
        self._show()
        if low != before[0]:
            self.minimumValueChanged.emit(low)
        if high != before[1]:
            self.maximumValueChanged.emit(high)
        if before != self._values:
            self.valuesChanged.emit(low, high)

    def _show(self) -> None:
        """Bring the inner widgets up to date."""


@with_slots("setMaximumValue", "setMinimumValue")
class ctkDoubleRangeSlider(_Range):
    """Stands for ctkDoubleRangeSlider; the two handles are two sliders."""

    singleStep = kept(float, "singleStep", 1.0)
    tracking = kept(bool, "tracking", True)
    symmetricMoves = kept(bool, "symmetricMoves", False)
    orientation = kept(Qt.Orientation, "orientation", Qt.Horizontal)

    def __init__(self, *args):
        super().__init__(*args)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._sliders = [ctkDoubleSlider(Qt.Horizontal, self) for _ in range(2)]
        for slider in self._sliders:
            layout.addWidget(slider)
            slider.valueChanged.connect(self._on_moved)

    def _on_moved(self, _value: float) -> None:
        self.setValues(*(slider.value for slider in self._sliders))

    def _show(self) -> None:
        for slider, value in zip(self._sliders, self._values, strict=True):
            slider.blockSignals(True)
            slider._set_range(*self._bounds)
            slider.value = value
            slider.blockSignals(False)

    minimum = Property(float, lambda self: self._bounds[0], lambda self, v: self.setRange(v, self._bounds[1]))
    maximum = Property(float, lambda self: self._bounds[1], lambda self, v: self.setRange(self._bounds[0], v))
    minimumValue = Property(
        float, lambda self: self._values[0], lambda self, v: self.setValues(v, max(v, self._values[1]))
    )
    maximumValue = Property(
        float, lambda self: self._values[1], lambda self, v: self.setValues(min(v, self._values[0]), v)
    )


@with_slots("setDecimals", "setMaximumValue", "setMinimumValue")
class ctkRangeWidget(_Range):
    """Stands for ctkRangeWidget: a range slider between two spin boxes."""

    minimumValueIsChanging = Signal(float)
    maximumValueIsChanging = Signal(float)

    tracking = kept(bool, "tracking", True)
    symmetricMoves = kept(bool, "symmetricMoves", False)

    def __init__(self, *args):
        super().__init__(*args)
        self._spins = [ctkDoubleSpinBox(self) for _ in range(2)]
        self._slider = ctkDoubleRangeSlider(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self._spins[0], self._slider, self._spins[1]):
            layout.addWidget(widget)
        self._slider.valuesChanged.connect(self.setValues)
        for spin in self._spins:
            spin.valueChanged.connect(self._on_typed)

    def _on_typed(self, _value: float) -> None:
        self.setValues(*(spin.value for spin in self._spins))

    def _show(self) -> None:
        for widget in (*self._spins, self._slider):
            widget.blockSignals(True)
        for spin, value in zip(self._spins, self._values, strict=True):
            spin._set_range(*self._bounds)
            spin.value = value
        self._slider.setRange(*self._bounds)
        self._slider.setValues(*self._values)
        for widget in (*self._spins, self._slider):
            widget.blockSignals(False)

    def _set_on_spins(self, name: str, value) -> None:
        for spin in self._spins:
            setattr(spin, name, value)

    minimum = Property(float, lambda self: self._bounds[0], lambda self, v: self.setRange(v, self._bounds[1]))
    maximum = Property(float, lambda self: self._bounds[1], lambda self, v: self.setRange(self._bounds[0], v))
    minimumValue = Property(
        float, lambda self: self._values[0], lambda self, v: self.setValues(v, max(v, self._values[1]))
    )
    maximumValue = Property(
        float, lambda self: self._values[1], lambda self, v: self.setValues(min(v, self._values[0]), v)
    )
    decimals = Property(
        int, lambda self: self._spins[0].decimals, lambda self, v: self._set_on_spins("decimals", v)
    )
    singleStep = Property(
        float, lambda self: self._spins[0].singleStep, lambda self, v: self._set_on_spins("singleStep", v)
    )
    prefix = Property(
        str, lambda self: self._spins[0].prefix, lambda self, v: self._set_on_spins("prefix", v)
    )
    suffix = Property(
        str, lambda self: self._spins[0].suffix, lambda self, v: self._set_on_spins("suffix", v)
    )

    @Slot()
    def reset(self) -> None:
        self.setValues(*self._bounds)
