"""Which widget shows which type, and how its value is read and written."""

import enum
import pathlib
import typing

import ctk
import qt
import slicer

from .annotations import (
    Choice,
    Decimals,
    Maximum,
    Minimum,
    RangeBounds,
    SingleStep,
    WithinRange,
    first,
    split,
    unannotatedType,
)
from .connectors import GuiConnector, parameterNodeGuiConnector


class _PropertyConnector(GuiConnector):
    """A widget whose value is one Qt property, with one signal when it changes."""

    widgets, types, signal, value = (), (), "", ""

    @classmethod
    def canRepresent(cls, widget, datatype):
        return type(widget) in cls.widgets and unannotatedType(datatype) in cls.types

    @classmethod
    def create(cls, widget, datatype):
        return cls(widget, datatype)

    def __init__(self, widget, datatype):
        super().__init__()
        self._widget = widget
        self._type, self._annotations = split(datatype)
        self._prepare()

    def _prepare(self):
        """Set the widget up for the type's annotations."""

    def _connect(self):
        getattr(self._widget, self.signal).connect(self.changed)

    def _disconnect(self):
        getattr(self._widget, self.signal).disconnect(self.changed)

    def widget(self):
        return self._widget

    def read(self):
        return self._type(getattr(self._widget, self.value))

    def write(self, value):
        setattr(self._widget, self.value, value)


@parameterNodeGuiConnector
class _CheckBox(_PropertyConnector):
    widgets, types, signal, value = (qt.QCheckBox, ctk.ctkCheckBox), (bool,), "stateChanged", "checked"


@parameterNodeGuiConnector
class _Button(_PropertyConnector):
    widgets, types = (qt.QPushButton, ctk.ctkCheckablePushButton), (bool,)
    signal, value = "toggled", "checked"

    def _prepare(self):
        self._widget.checkable = True


@parameterNodeGuiConnector
class _Number(_PropertyConnector):
    """Sliders and spin boxes; a slider needs bounds."""

    whole = (qt.QSlider, qt.QSpinBox)
    bounded = (qt.QSlider, ctk.ctkSliderWidget, slicer.qMRMLSliderWidget)
    widgets = (
        *whole,
        qt.QDoubleSpinBox,
        ctk.ctkSliderWidget,
        ctk.ctkDoubleSlider,
        ctk.ctkDoubleSpinBox,
        slicer.qMRMLSliderWidget,
        slicer.qMRMLSpinBox,
    )
    signal, value = "valueChanged", "value"

    @classmethod
    def canRepresent(cls, widget, datatype):
        types = (int,) if type(widget) in cls.whole else (int, float)
        return type(widget) in cls.widgets and unannotatedType(datatype) in types

    def _prepare(self):
        low, high = self._bounds()
        if type(self._widget) in self.bounded and (low is None or high is None):
            raise RuntimeError(
                f"Cannot have a connection to {type(self._widget)} where the type is unbounded."
            )
        decimals = Decimals(0) if self._type is int else first(self._annotations, Decimals)
        if decimals and type(self._widget) not in (*self.whole, ctk.ctkDoubleSlider):
            self._widget.decimals = decimals.value
        step = first(self._annotations, SingleStep)
        if step:
            self._widget.singleStep = step.value
        whole = type(self._widget) in self.whole
        widest = (-(2**31), 2**31 - 1) if whole else (float("-inf"), float("inf"))
        self._widget.minimum = widest[0] if low is None else low
        self._widget.maximum = widest[1] if high is None else high

    def _bounds(self):
        within = first(self._annotations, WithinRange)
        if within:
            return within.minimum, within.maximum
        low, high = first(self._annotations, Minimum), first(self._annotations, Maximum)
        return low.minimum if low else None, high.maximum if high else None


class _Items(_PropertyConnector):
    """A combo box filled with the allowed values."""

    widgets, signal = (qt.QComboBox, ctk.ctkComboBox), "currentIndexChanged"

    def _fill(self, labels, values):
        self._values = list(values)
        self._widget.clear()
        for label in labels:
            self._widget.addItem(label)

    def read(self):
        return self._values[self._widget.currentIndex]

    def write(self, value):
        self._widget.currentIndex = self._values.index(value)


@parameterNodeGuiConnector
class _ChoiceItems(_Items):
    types = (int, float, str, bool)

    def _prepare(self):
        choice = first(self._annotations, Choice)
        if choice is None:
            raise RuntimeError("A combo box requires the Choice annotation.")
        self._fill(map(str, choice.choices), choice.choices)


@parameterNodeGuiConnector
class _EnumItems(_Items):
    @classmethod
    def canRepresent(cls, widget, datatype):
        plain = unannotatedType(datatype)
        return type(widget) in cls.widgets and isinstance(plain, type) and issubclass(plain, enum.Enum)

    def _prepare(self):
        label = getattr(self._type, "label", lambda member: member.name)
        self._fill(map(label, self._type), self._type)


@parameterNodeGuiConnector
class _LineEdit(_PropertyConnector):
    widgets, types, signal, value = (qt.QLineEdit,), (str,), "textChanged", "text"

    def write(self, value):
        # Writing the same text would move the cursor while someone types.
        if value != self._widget.text:
            self._widget.text = value


@parameterNodeGuiConnector
class _Label(_PropertyConnector):
    widgets, types, value = (qt.QLabel,), (str,), "text"

    def _connect(self):
        """A label is only shown."""

    _disconnect = _connect


@parameterNodeGuiConnector
class _TextEdit(_PropertyConnector):
    widgets, types, signal, value = (qt.QTextEdit,), (str,), "textChanged", "plainText"

    def write(self, value):
        if value != self._widget.plainText:
            self._widget.plainText = value


_PATHS = (pathlib.Path, pathlib.PosixPath, pathlib.PurePath, pathlib.PurePosixPath)


@parameterNodeGuiConnector
class _PathLineEdit(_PropertyConnector):
    widgets, types = (ctk.ctkPathLineEdit,), _PATHS
    signal, value = "currentPathChanged", "currentPath"

    def write(self, value):
        self._widget.currentPath = str(value)


@parameterNodeGuiConnector
class _DirectoryButton(_PropertyConnector):
    widgets, types = (ctk.ctkDirectoryButton,), _PATHS
    signal, value = "directoryChanged", "directory"

    def write(self, value):
        self._widget.directory = str(value)


@parameterNodeGuiConnector
class _NodeSelector(_PropertyConnector):
    """One class of nodes, or a union of them with None."""

    widgets, signal = (slicer.qMRMLNodeComboBox,), "currentNodeChanged"

    @classmethod
    def canRepresent(cls, widget, datatype):
        return type(widget) in cls.widgets and bool(_node_classes(datatype))

    def _prepare(self):
        self._widget.nodeTypes = [cls().GetClassName() for cls in _node_classes(self._type)]

    def read(self):
        return self._widget.currentNode()

    def write(self, value):
        self._widget.setCurrentNode(value)


def _node_classes(datatype) -> list[type]:
    plain = unannotatedType(datatype)
    parts = [unannotatedType(part) for part in typing.get_args(plain)] or [plain]
    parts = [part for part in parts if part is not type(None)]
    nodes = [part for part in parts if isinstance(part, type) and issubclass(part, slicer.vtkMRMLNode)]
    return nodes if len(nodes) == len(parts) else []


@parameterNodeGuiConnector
class _Range(_PropertyConnector):
    """Two values within bounds."""

    widgets = (ctk.ctkRangeWidget, ctk.ctkDoubleRangeSlider, slicer.qMRMLRangeWidget)
    signal = "valuesChanged"

    @classmethod
    def canRepresent(cls, widget, datatype):
        return type(widget) in cls.widgets and unannotatedType(datatype).__name__ == "FloatRange"

    def _prepare(self):
        bounds = first(self._annotations, RangeBounds)
        if bounds is None:
            raise RuntimeError("Cannot have a connection to a range widget without RangeBounds.")
        self._widget.setRange(bounds.minimum, bounds.maximum)

    def read(self):
        return self._type(self._widget.minimumValue, self._widget.maximumValue)

    def write(self, value):
        self._widget.setValues(value.minimum, value.maximum)
