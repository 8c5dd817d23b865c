"""The class decorator ``parameterNodeWrapper``."""

import typing

import qt
import slicer
import vtk

from . import widget_connectors  # noqa: F401 - registers them
from .annotations import Default, first, split, split_name, unannotatedType
from .codecs import codec_for
from .connectors import GuiConnector, createGuiConnector

__all__ = [
    "SlicerParameterNamePropertyName",
    "findChildWidgetForParameter",
    "isParameterNodeWrapper",
    "parameterNodeWrapper",
]

SlicerParameterNamePropertyName = "SlicerParameterName"


class _Parameter(property):
    """One field of the wrapper: read from the node, written to it."""

    def __init__(self, name, hint, default):
        self.name, self.hint, self.default = name, hint, default
        self.codec = codec_for(hint)
        super().__init__(self.read, self.write)

    def write(self, wrapper, value):
        self.codec.write(wrapper.parameterNode, wrapper._prefix + self.name, value)

    def read(self, wrapper):
        self.ensure(wrapper)
        return self.codec.read(wrapper.parameterNode, wrapper._prefix + self.name)

    def ensure(self, wrapper):
        """Write the default where there is no value: new nodes, and those of a scene just being opened."""
        if not self.codec.is_in(wrapper.parameterNode, wrapper._prefix + self.name):
            self.write(wrapper, self.default.value)


class _Wrapper:
    """The methods that a wrapped class gains."""

    def __init__(self, parameterNode, prefix=None):
        self.parameterNode = parameterNode
        self._prefix = prefix or ""
        self._connections = {}
        self._next_tag = 0
        self._updating_gui = False
        for parameter in self.allParameters.values():
            parameter.ensure(self)

    def default(self, paramName):
        return self.allParameters[paramName].default

    @classmethod
    def dataType(cls, membername):
        top, rest = split_name(membername)
        if top not in cls.allParameters:
            raise ValueError(f"Cannot find a param with the given name: {top}")
        hint = cls.allParameters[top].hint
        return hint if rest is None else unannotatedType(hint).dataType(rest)

    def getValue(self, name):
        self.dataType(name)
        top, rest = split_name(name)
        value = getattr(self, top)
        return value if rest is None else value.getValue(rest)

    def setValue(self, name, value):
        self.dataType(name)
        top, rest = split_name(name)
        if rest is None:
            setattr(self, top, value)
        else:
            getattr(self, top).setValue(rest, value)

    # Widgets.

    def connectGui(self, gui):
        """Tie each widget with the property SlicerParameterName to its field; return a tag."""
        is_widget = isinstance(gui, qt.QWidget)
        widgets = gui.findChildren(qt.QWidget) if is_widget else vars(gui).values()
        named = ((widget.property(SlicerParameterNamePropertyName), widget) for widget in widgets)
        return self.connectParametersToGui({name: widget for name, widget in named if name})

    def connectParametersToGui(self, mapping):
        for name in mapping:
            self.dataType(name)
        connectors = {
            name: w if isinstance(w, GuiConnector) else createGuiConnector(w, self.dataType(name))
            for name, w in mapping.items()
        }
        for name, connector in connectors.items():
            connector.write(self.getValue(name))
            connector.onChanged(self._writer(name, connector))
        tag = self._next_tag
        self._next_tag += 1
        observer = self.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda _node, _event: self._update_gui())
        self._connections[tag] = connectors, observer
        return tag

    def disconnectGui(self, guiTag):
        connectors, observer = self._connections.pop(guiTag, ({}, None))
        for connector in connectors.values():
            connector.onChanged(None)
        if observer is not None:
            self.RemoveObserver(observer)

    def _writer(self, name, connector):
        def write():
            if not self._updating_gui:
                with slicer.util.NodeModify(self):
                    self.setValue(name, connector.read())

        return write

    def _update_gui(self):
        if self._updating_gui:
            return
        self._updating_gui = True
        try:
            with slicer.util.NodeModify(self):
                for connectors, _observer in list(self._connections.values()):
                    for name, connector in connectors.items():
                        connector.write(self.getValue(name))
        finally:
            self._updating_gui = False

    # The node.

    def StartModify(self):
        return self.parameterNode.StartModify()

    def EndModify(self, wasModified):
        return self.parameterNode.EndModify(wasModified)

    def AddObserver(self, event, callback, priority=0.0):
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag):
        return self.parameterNode.RemoveObserver(tag)

    def Modified(self):
        return self.parameterNode.Modified()


def parameterNodeWrapper(classtype=None):
    """Class decorator: the annotated members become parameters of the node given to the constructor."""
    return _process if classtype is None else _process(classtype)


def _process(cls):
    parameters = {}
    for name, hint in typing.get_type_hints(cls, include_extras=True).items():
        own = vars(cls).get(name, _Wrapper)
        annotated = first(split(hint)[1], Default)
        if own is not _Wrapper:
            default = Default(own)
        else:
            default = annotated or Default(generator=codec_for(hint).default)
        parameters[name] = _Parameter(name, hint, default)
    for name, member in vars(_Wrapper).items():
        if name.startswith("__") and name != "__init__":
            continue
        if name in parameters:
            raise ValueError(f"Cannot use reserved name '{name}' in a parameterNodeWrapper")
        setattr(cls, name, member)
    for name, parameter in parameters.items():
        setattr(cls, name, parameter)
    cls.allParameters = parameters
    cls._is_parameter_node_wrapper = True
    return cls


def isParameterNodeWrapper(classOrObj) -> bool:
    return getattr(classOrObj, "_is_parameter_node_wrapper", False)


def findChildWidgetForParameter(widget, parameter):
    named = ((w.property(SlicerParameterNamePropertyName), w) for w in widget.findChildren(qt.QWidget))
    return next((w for name, w in named if name == parameter), None)
