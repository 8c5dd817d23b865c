"""The grid of what is done: a column a case, a row a repeat, states by symbol and colour."""

import qt
from slicer.i18n import tr as _

SYMBOLS = {"waiting": "·", "open": "▶", "finished": "✓", "skipped": "✕"}
COLOURS = {
    "waiting": ("#eceff1", "#546e7a"),
    "open": ("#ffe082", "#4e342e"),
    "finished": ("#c8e6c9", "#1b5e20"),
    "skipped": ("#ffccbc", "#bf360c"),
}
"""Of the cell and of the symbol on it: dark on light, so that they are told apart in any style."""


def fillGrid(table, grid, current) -> None:
    """Show the states of all readings; `current` (case, repeat), if there is one, is scrolled into view."""
    cases = sorted({one.case for one in grid})
    repeats = max((one.repeat for one in grid), default=0)
    column = {case: number for number, case in enumerate(cases)}
    if (table.rowCount, table.columnCount) != (repeats, len(cases)):
        table.setRowCount(repeats)
        table.setColumnCount(len(cases))
        table.setVerticalHeaderLabels([str(number) for number in range(1, repeats + 1)])
    table.setHorizontalHeaderLabels(cases)
    for one in grid:
        _fill(table, one.repeat - 1, column[one.case], one.state)
    table.resizeColumnsToContents()
    table.resizeRowsToContents()
    if current is not None:
        table.scrollToItem(table.item(current.repeat - 1, column[current.case]))


def legend() -> str:
    words = {
        "waiting": _("to be read"),
        "open": _("open now"),
        "finished": _("finished"),
        "skipped": _("skipped"),
    }
    return "   ".join(f"{SYMBOLS[state]} {word}" for state, word in words.items())


def _fill(table, row: int, column: int, state: str) -> None:
    item = table.item(row, column)
    if item is None:
        item = qt.QTableWidgetItem()
        item.setTextAlignment(qt.Qt.AlignCenter)
        table.setItem(row, column, item)
    if item.text() == SYMBOLS[state]:
        return
    below, above = COLOURS[state]
    item.setText(SYMBOLS[state])
    item.setBackground(qt.QBrush(qt.QColor(below)))
    item.setForeground(qt.QBrush(qt.QColor(above)))
