"""The common face of all widgets that show a value, and the list of those known."""

__all__ = ["GuiConnector", "createGuiConnector", "parameterNodeGuiConnector"]

_registered = []


class GuiConnector:
    """Stands for GuiConnector: the common face of all widgets that show a value."""

    @staticmethod
    def canRepresent(widget, datatype) -> bool:
        raise NotImplementedError

    @staticmethod
    def create(widget, datatype):
        raise NotImplementedError

    def __init__(self):
        self._callback = None

    def onChanged(self, callback):
        self._callback = callback
        if callback is None:
            self._disconnect()
        else:
            self._connect()

    def changed(self):
        if self._callback:
            self._callback()

    def _connect(self):
        raise NotImplementedError

    def _disconnect(self):
        raise NotImplementedError

    def widget(self):
        raise NotImplementedError

    def read(self):
        raise NotImplementedError

    def write(self, value):
        raise NotImplementedError


def parameterNodeGuiConnector(classtype=None):
    """Class decorator: the connector is tried for each widget, in the order of registration."""

    def register(cls):
        _registered.append(cls)
        return cls

    return register if classtype is None else register(classtype)


def createGuiConnector(widget, datatype) -> GuiConnector:
    for cls in _registered:
        if cls.canRepresent(widget, datatype):
            return cls.create(widget, datatype)
    raise RuntimeError(f"Unable to create GUI connector from datatype '{datatype}' to '{type(widget)}'.")
