"""Keys that work in the main window while a panel wants them."""

import qt
import slicer


class Shortcuts:
    """Added one by one, removed together."""

    def __init__(self) -> None:
        self._shortcuts = []

    def add(self, keys: str, method) -> None:
        """`method` is called without arguments; nothing happens where there is no main window.

        Text fields take plain letters and digits for themselves: Qt asks the widget with the focus first.
        """
        window = slicer.util.mainWindow()
        if window is None:
            return
        shortcut = qt.QShortcut(qt.QKeySequence(keys), window)
        shortcut.connect("activated()", method)
        self._shortcuts.append(shortcut)

    def clear(self) -> None:
        for shortcut in self._shortcuts:
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._shortcuts = []

    def __len__(self) -> int:
        return len(self._shortcuts)
