"""PySide6 made to answer as PythonQt does, the Qt binding of Slicer.

In PythonQt a Qt property is an attribute (``button.enabled = False``, ``combo.currentText``), signals are
connected by their C++ signature (``button.connect("clicked(bool)", f)``), and ``className()``, ``name`` and
``findChildren("QToolBar")`` exist. The PySide6 classes themselves are changed, once, so that Slicer's own
Python files, the module and its tests all see one Qt. Setters (``setEnabled``) stay, as they do in PythonQt.
"""

import ctypes
import inspect
import re
import sys
import types

from PySide6 import QtCore, QtGui, QtNetwork, QtPrintSupport, QtSvg, QtTest, QtUiTools, QtWidgets

MODULES = (QtCore, QtGui, QtWidgets, QtNetwork, QtSvg, QtTest, QtUiTools, QtPrintSupport)

# Slicer replaces this property by the static method, which its Python code needs more often.
_KEPT_AS_METHOD = {("QTimer", "singleShot")}

_connect = QtCore.QObject.connect
_disconnect = QtCore.QObject.disconnect
_find_child = QtCore.QObject.findChild
_find_children = QtCore.QObject.findChildren


def install() -> None:
    """Change the PySide6 classes; a second call changes nothing."""
    if "name" in vars(QtCore.QObject):
        return
    _keep_singletons()
    classes = _object_classes()
    for cls in classes:
        _use_properties(cls)
    _add_object_methods()
    QtCore.QObject.__getattribute__ = _get_attribute
    for cls in classes:
        cls.__setattr__ = _set_attribute
    # PySide6 warns that exec_ will go; PythonQt keeps it.
    for cls in (QtWidgets.QDialog, QtWidgets.QMenu, QtCore.QEventLoop):
        cls.exec_ = cls.exec
    for cls in (QtCore.QCoreApplication, QtGui.QGuiApplication, QtWidgets.QApplication):
        cls.exec_ = staticmethod(cls.exec)


def _keep_singletons() -> None:
    """Keep ``None`` and ``True`` alive: PySide6 6.12 returns them without counting the reference.

    It relies on Python 3.12, where these objects cannot die. Before, some ten thousand calls of methods that
    return nothing would end the process.
    """
    if sys.version_info < (3, 12):
        for value in (None, True, False, NotImplemented):
            ctypes.c_ssize_t.from_address(id(value)).value += 2**40


def _object_classes() -> list[type]:
    found = [getattr(module, name) for module in MODULES for name in dir(module)]
    return [cls for cls in found if isinstance(cls, type) and issubclass(cls, QtCore.QObject)]


def _use_properties(cls: type) -> None:
    meta = cls.staticMetaObject
    for index in range(meta.propertyCount()):
        prop = meta.property(index)
        name = prop.name()
        declared_here = index >= meta.propertyOffset() or name in vars(cls)
        if declared_here and (cls.__name__, name) not in _KEPT_AS_METHOD:
            setattr(cls, name, _as_attribute(cls, prop))


def _as_attribute(cls: type, prop: QtCore.QMetaProperty) -> property:
    name = prop.name()
    getter = vars(cls).get(name) or getattr(cls, "is" + name[0].upper() + name[1:], None)
    if getter is None or isinstance(getter, property | staticmethod) or inspect.isbuiltin(getter):
        getter = _read_property(name)
    setter = getattr(cls, "set" + name[0].upper() + name[1:], None)
    if setter is None or inspect.isbuiltin(setter):
        setter = _write_property(name)
    return property(getter, setter if prop.isWritable() else None)


def _read_property(name: str):
    return lambda self: self.property(name)


def _write_property(name: str):
    return lambda self, value: self.setProperty(name, value)


def _add_object_methods() -> None:
    cls = QtCore.QObject
    cls.name = property(lambda self: self.objectName, lambda self, value: self.setObjectName(value))
    cls.className = lambda self: self.metaObject().className()
    cls.findChild = lambda self, type_, name="": next(iter(find_children(self, type_, name)), None)
    cls.findChildren = find_children


_plain_getattribute = QtCore.QObject.__getattribute__


def _get_attribute(self, name):
    """Let ``connect`` and ``disconnect`` be PythonQt's: PySide6 knows these two before the class does."""
    if name == "connect":
        return types.MethodType(connect, self)
    if name == "disconnect":
        return types.MethodType(disconnect, self)
    return _plain_getattribute(self, name)


def _set_attribute(self, name, value):
    """Set a property; as in PythonQt, an object of a C++ class takes no attribute that the class lacks."""
    declared = getattr(type(self), name, None)
    if isinstance(declared, QtCore.Property) and declared.fset is not None:
        declared.fset(self, value)
    elif isinstance(declared, QtCore.Property):
        raise AttributeError(f"{type(self).__name__}.{name} is read-only")
    elif hasattr(declared, "__set__"):
        declared.__set__(self, value)
    elif _is_child_named(value, name):
        pass  # PySide6's loader of .ui files hangs the children on their root, PythonQt does not.
    elif name[0] != "_" and _stands_for_cpp(type(self)) and not isinstance(value, QtCore.SignalInstance):
        raise AttributeError(f"{type(self).__name__} has no attribute named '{name}'")
    else:
        self.__dict__[name] = value


def _is_child_named(value, name: str) -> bool:
    return isinstance(value, QtCore.QObject) and value.objectName == name and value.parent() is not None


def _stands_for_cpp(cls: type) -> bool:
    return cls.__module__.partition(".")[0] in ("PySide6", "slicer_host")


def connect(sender, signal: str, receiver, slot: str | None = None) -> bool:
    """PythonQt's ``QObject.connect(signal, callable)`` and ``connect(signal, receiver, slot)``."""
    target = receiver if slot is None else getattr(receiver, slot.split("(")[0])
    if not _connect(sender, qt_signal(sender, signal), target):
        raise ValueError(f"{sender.className()} cannot connect {signal}")
    return True


def disconnect(sender, signal: str, receiver, slot: str | None = None) -> bool:
    """PythonQt's ``QObject.disconnect(signal, callable)``."""
    target = receiver if slot is None else getattr(receiver, slot.split("(")[0])
    return bool(_disconnect(sender, qt_signal(sender, signal), target))


def qt_signal(sender, signal: str) -> str:
    """Return the signal as PySide6 wants it; an unknown one is an error rather than PythonQt's warning.

    VTK objects travel through Python signals, where Qt knows them as Python objects.
    """
    if not isinstance(signal, str):
        raise TypeError(f"the signature of a signal is expected, not {signal!r}")
    plain = re.sub(r"\b(vtk|ctk)\w+\s*\*", "PyObject", signal)
    normalized = bytes(QtCore.QMetaObject.normalizedSignature(plain)).decode()
    if sender.metaObject().indexOfSignal(normalized) < 0:
        raise ValueError(f"{sender.className()} has no signal {signal}")
    return QtCore.SIGNAL(normalized)


def find_children(parent, type_=QtCore.QObject, name: str = "") -> list:
    """PythonQt's ``findChildren``: the type may be a class or its name."""
    if isinstance(type_, str):
        named = _find_children(parent, QtCore.QObject, name or None)
        return [child for child in named if child.inherits(type_)]
    return _find_children(parent, type_, name or None)


def with_slots(*setters: str):
    """Give a class those setters of its Qt properties that are slots in C++.

    Of CTK's and Slicer's own widgets PythonQt knows properties, slots and invokable methods only: a plain C++
    setter such as ``ctkSliderWidget::setMinimum`` does not exist in Slicer's Python.
    """

    def add(cls: type) -> type:
        for setter in setters:
            setattr(cls, setter, getattr(cls, setter[3].lower() + setter[4:]).fset)
        return cls

    return add


def kept(type_, name: str, default) -> QtCore.Property:
    """Return a Qt property that keeps its value and has no further effect in the host."""
    attribute = "_" + name
    # PythonQt shows a list of texts as a tuple.
    convert = tuple if type_ == "QStringList" else lambda value: value
    return QtCore.Property(
        type_,
        lambda self: convert(getattr(self, attribute, default)),
        lambda self, value: setattr(self, attribute, convert(value)),
    )


def forwarded(type_, inner: str, name: str, **options) -> QtCore.Property:
    """Return a Qt property that is the one of an inner widget, which the attribute ``inner`` holds."""
    return QtCore.Property(
        type_,
        lambda self: getattr(getattr(self, inner), name),
        lambda self, value: setattr(getattr(self, inner), name, value),
        **options,
    )
