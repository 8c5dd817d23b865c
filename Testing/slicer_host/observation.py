"""Observing VTK objects from Qt objects, without keeping either alive."""

import weakref

import shiboken6
import vtk
from PySide6 import QtCore


class Observations:
    """The observers of one owner; stands for ctkVTKObservation (``qvtkConnect`` and its kin).

    The callback is a bound method of the owner, called with the caller and the event's call data if it is
    a VTK object. Observers of a dead owner are never called, and all go when this object does.
    """

    def __init__(self) -> None:
        self._tags: list[tuple[vtk.vtkObject, int]] = []

    def connect(self, subject: vtk.vtkObject | None, event: int | str, method) -> None:
        if subject is None:
            return
        method_of_owner = weakref.WeakMethod(method)

        @vtk.calldata_type(vtk.VTK_OBJECT)
        def callback(caller, _event, data=None):
            alive = method_of_owner()
            if alive is not None and _exists(alive.__self__):
                alive(caller, data)

        self._tags.append((subject, subject.AddObserver(event, callback)))

    def disconnect(self, subject: vtk.vtkObject | None = None) -> None:
        """Remove the observers of one object, or all of them."""
        for observed, tag in self._tags:
            if subject is None or observed is subject:
                observed.RemoveObserver(tag)
        self._tags = [pair for pair in self._tags if subject is not None and pair[0] is not subject]

    def reconnect(self, old, new, events: dict) -> None:
        """Stop observing the one object and observe the other: ``events`` maps events to methods."""
        if old is not None:
            self.disconnect(old)
        for event, method in events.items():
            self.connect(new, event, method)

    def __del__(self) -> None:
        self.disconnect()


def _exists(owner: object) -> bool:
    return not isinstance(owner, QtCore.QObject) or shiboken6.isValid(owner)
