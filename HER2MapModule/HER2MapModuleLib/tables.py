"""Filling Qt tables."""

import qt


def fillTable(table, header, rows, tips=None) -> None:
    """Show `rows` of texts under `header`; numbers flush right. `tips` (row, column) to a tool tip."""
    table.clear()
    table.setColumnCount(len(header))
    table.setRowCount(len(rows))
    table.setHorizontalHeaderLabels(list(header))
    table.verticalHeader().setVisible(False)
    for i, row in enumerate(rows):
        for j, text in enumerate(row):
            item = qt.QTableWidgetItem(text)
            side = qt.Qt.AlignRight if _isNumber(text) else qt.Qt.AlignLeft
            item.setTextAlignment(side | qt.Qt.AlignVCenter)
            item.setToolTip((tips or {}).get((i, j), text))
            table.setItem(i, j, item)
    table.resizeColumnsToContents()


def _isNumber(text: str) -> bool:
    return text.replace("%", "").replace("–", "0").strip().lstrip("+-").replace(".", "", 1).isdigit()
