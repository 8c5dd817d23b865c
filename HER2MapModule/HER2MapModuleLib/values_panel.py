"""The ROI's values on every map: shown, copied, saved."""

from pathlib import Path

from slicer.i18n import tr as _

from .dialogs import askForCsv
from .panel import Panel, problemsShown
from .tables import fillTable


class ValuesPanel(Panel):
    title = _("Values")
    uiFile = "ValuesPanel.ui"

    def setup(self):
        self.ui.copyButton.connect("clicked(bool)", self.onCopy)
        self.ui.saveButton.connect("clicked(bool)", self.onSave)
        self.logic.valuesChanged.connect(self.show)
        self.show()

    def show(self):
        """One row a biomarker."""
        header, rows = self._table()
        fillTable(self.ui.valuesTable, header[:-1], [row[:-1] for row in rows])
        lines = [self.logic.problem] if self.logic.problem else [f"⚠ {line}" for line in self.logic.warnings]
        lines += [f"{row[0]}: {row[-1]}" for row in rows if row[-1]]
        self.ui.problemLabel.text = "\n".join(lines)
        self.ui.problemLabel.visible = bool(lines)
        self.ui.copyButton.enabled = self.ui.saveButton.enabled = bool(rows)

    def onCopy(self, checked=False):
        header, rows = self._table()
        self.logic.clipboard.copy((header, *rows))

    def onSave(self, checked=False):
        name = askForCsv(self.widget, _("Save the values"), "measurements.csv")
        if name:
            self.save(name)

    def save(self, path):
        """Write the table at full precision."""
        with problemsShown():
            from her2map.files import write_text
            from her2map.report.tables import value_rows, values_csv

            write_text(Path(path), values_csv(value_rows(self.logic.values)))

    def _table(self):
        from her2map.report.style import STYLES
        from her2map.report.tables import percent, plain, value_rows

        header = (
            _("Biomarker"), _("Unit"), _("Mean"), _("Median"), _("SD"), _("SE"), _("Voxels"),
            _("Cover"), _("Excl."), _("Remark"),
        )  # fmt: skip
        rows = []
        for row in value_rows(self.logic.values) if self.logic.values else []:
            decimals = STYLES[row.biomarker].decimals
            numbers = [plain(n, decimals) for n in (row.value, row.median, row.sd, row.standard_error)]
            rows.append(
                (
                    row.biomarker,
                    row.unit,
                    *numbers,
                    plain(row.effective_voxels, 0),
                    percent(row.coverage, 0),
                    percent(row.excluded_by_snr, 0),
                    row.reason,
                )
            )
        return header, rows
