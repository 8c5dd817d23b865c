"""Loading of ``.ui`` files that name CTK and MRML widgets."""

import xml.etree.ElementTree as ElementTree

from PySide6 import QtCore, QtUiTools

from . import pythonqt

_registry: dict[str, type] = {}


def register(*classes: type) -> None:
    """Make widget classes known by name to the loader, as Qt Designer plugins do in Slicer."""
    _registry.update({cls.__name__: cls for cls in classes})


class QUiLoader(QtUiTools.QUiLoader):
    """Stands for QUiLoader with the designer plugins of CTK and Slicer.

    Qt's loader knows neither signals that carry VTK objects nor enumerations of classes written in Python;
    both are taken out of the text it gets and applied afterwards.
    """

    def createWidget(self, class_name, parent=None, name=""):
        cls = _registry.get(class_name)
        if cls is None:
            return super().createWidget(class_name, parent, name)
        widget = cls(parent)
        widget.setObjectName(name)
        return widget

    def load(self, device, parent=None):
        if not device.isOpen():
            device.open(QtCore.QIODevice.ReadOnly)
        root = ElementTree.fromstring(bytes(device.readAll()))
        connections = _take_connections(root)
        enumerations = _take_enumerations(root)
        buffer = QtCore.QBuffer()
        buffer.setData(ElementTree.tostring(root))
        widget = super().load(buffer, parent)
        if widget is not None:
            _apply(widget, enumerations, connections)
        return widget


def _take_connections(root) -> list[tuple[str, str, str, str]]:
    section = root.find("connections")
    if section is None:
        return []
    root.remove(section)
    parts = ("sender", "signal", "receiver", "slot")
    return [tuple(element.findtext(part) for part in parts) for element in section]


def _take_enumerations(root) -> list[tuple[str, str, list[str]]]:
    taken = []
    for element in root.iter("widget"):
        if element.get("class") not in _registry:
            continue
        for prop in element.findall("property"):
            value = prop.find("enum") if prop.find("enum") is not None else prop.find("set")
            if value is not None and value.text.split("::")[0] in _registry:
                element.remove(prop)
                names = [part.split("::")[-1] for part in value.text.split("|")]
                taken.append((element.get("name"), prop.get("name"), names))
    return taken


def _apply(root, enumerations, connections) -> None:
    for widget_name, prop, names in enumerations:
        widget = _named(root, widget_name)
        value = getattr(widget, names[0])
        for name in names[1:]:
            value |= getattr(widget, name)
        setattr(widget, prop, value)
    for sender, signal, receiver, slot in connections:
        pythonqt.connect(_named(root, sender), signal, _named(root, receiver), slot)


def _named(root, name: str):
    found = root if root.objectName == name else root.findChild(QtCore.QObject, name)
    if found is None:
        raise ValueError(f"the .ui file connects {name}, which it does not contain")
    return found
