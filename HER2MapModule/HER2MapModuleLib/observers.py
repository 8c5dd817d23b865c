"""Observers of nodes that come and go."""


class Observers:
    """Added one by one, removed together.

    Slicer's own VTKObservationMixin keeps every object that it ever observed alive until all observers go;
    this does not.
    """

    def __init__(self) -> None:
        self._tags = []

    def add(self, subject, event, callback, priority: float = 0.0) -> None:
        self._tags.append((subject, subject.AddObserver(event, callback, priority)))

    def clear(self) -> None:
        for subject, tag in self._tags:
            subject.RemoveObserver(tag)
        self._tags.clear()

    def __len__(self) -> int:
        return len(self._tags)
