"""How the logic tells panels what changed."""


class Signal:
    """Calls every connected function, in the order in which they were connected."""

    def __init__(self) -> None:
        self._receivers = []

    def connect(self, receiver) -> None:
        self._receivers.append(receiver)

    def disconnectAll(self) -> None:
        self._receivers.clear()

    def emit(self) -> None:
        for receiver in tuple(self._receivers):
            receiver()
