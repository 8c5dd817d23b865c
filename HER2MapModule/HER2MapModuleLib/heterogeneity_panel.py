"""How the tumour varies inside: contours of several slices, histogram figures, the score of every voxel."""

from pathlib import Path

from slicer.i18n import tr as _

from . import map_nodes, score_map_nodes
from .dialogs import askForCsv
from .heterogeneity import ROI, VOLUME
from .panel import Panel, problemsShown
from .tables import fillTable

REGIONS = {ROI: _("the ROI"), VOLUME: _("the volume")}
LAYERS = {score_map_nodes.PROBABILITY: _("probability"), score_map_nodes.SD: _("SD of the probability")}


class HeterogeneityPanel(Panel):
    """It shows nothing of a study's case: its section is hidden while a reader is signed in."""

    title = _("Heterogeneity")
    collapsed = True
    uiFile = "HeterogeneityPanel.ui"

    def setup(self):
        ui, self.part, self._overlay = self.ui, self.logic.heterogeneity, ""
        ui.regionBox.addItems(list(REGIONS.values()))
        ui.layerBox.addItems(list(LAYERS.values()))
        clicked = {
            ui.keepButton: self.onKeep,
            ui.removeButton: self.onRemove,
            ui.copyButton: self.onCopy,
            ui.saveButton: self.onSave,
            ui.scoreButton: self.onScore,
        }
        for button, method in clicked.items():
            button.connect("clicked(bool)", method)
        ui.regionBox.connect("currentIndexChanged(int)", self.onRegion)
        ui.layerBox.connect("currentIndexChanged(int)", self.onLayer)
        ui.keptTable.connect("itemSelectionChanged()", self.showRemove)
        self.part.changed.connect(self.show)
        self.logic.roiChanged.connect(self.showKeep)
        self.show()

    # The volume

    def onKeep(self, checked=False):
        with problemsShown():
            self.part.keep()

    def onRemove(self, checked=False):
        row = self.ui.keptTable.currentRow()
        if row >= 0:
            self.part.remove(row)

    def onRegion(self, index):
        self.part.choose(tuple(REGIONS)[index])

    # The histograms

    def onCopy(self, checked=False):
        header, rows = self._figures()
        self.logic.clipboard.copy((header, *rows))

    def onSave(self, checked=False):
        name = askForCsv(self.widget, _("Save the histogram figures"), "histogram.csv")
        if name:
            self.save(name)

    def save(self, path):
        """Write the figures at full precision."""
        with problemsShown():
            from her2map.files import write_text
            from her2map.report.histogram_tables import histograms_csv

            write_text(Path(path), histograms_csv(self.part.histograms))

    # The score map

    def onScore(self, checked=False):
        with problemsShown():
            scored = self.run(_("Scoring every voxel..."), self.part.scoring())
            self.part.takeScored(scored)
            if not scored.refusals:
                self.readingRoom.show()

    def onLayer(self, index):
        self.part.showLayer(tuple(LAYERS)[index])

    # What is shown

    def show(self):
        blocked = self.ui.regionBox.blockSignals(True)
        self.ui.regionBox.setCurrentIndex(tuple(REGIONS).index(self.part.of))
        self.ui.regionBox.blockSignals(blocked)
        self._showVolume()
        self._showFigures()
        self._showScore()
        overlay = self.part.overlay
        shown = overlay.GetID() if overlay is not None else ""
        if shown != self._overlay:  # filling all views anew takes longer than all else here
            self._overlay = shown
            self.readingRoom.update()

    def _showVolume(self):
        slices, volume = self.part.slices, self.part.volume
        rows = [
            (str(self.part.sliceNumber(roi)), f"{roi.area_mm2:.0f}", f"{roi.volume_mm3 / 1000:.2f}")
            for roi in slices
        ]
        fillTable(self.ui.keptTable, (_("Slice"), _("Area in mm²"), _("Volume in cm³")), rows)
        lines = []
        if volume is not None:
            text = _("Volume {volume} cm³, {count} slices.")
            lines = [text.format(volume=f"{volume.volume_mm3 / 1000:.2f}", count=len(slices)), volume.remark]
        _say(self.ui.volumeLabel, " ".join(line for line in lines if line))
        self.showKeep()
        self.showRemove()

    def showKeep(self):
        curve = self.logic.parameters.roi
        self.ui.keepButton.enabled = curve is not None and curve.GetNumberOfControlPoints() > 0

    def showRemove(self):
        self.ui.removeButton.enabled = self.ui.keptTable.currentRow() >= 0

    def _showFigures(self):
        from her2map.report.histogram_tables import bins_text

        found = self.part.histograms
        header, rows = self._figures()
        fillTable(self.ui.figuresTable, header, rows)
        self.ui.copyButton.enabled = self.ui.saveButton.enabled = bool(rows)
        lines = [
            self.part.problem,
            *(f"{map_nodes.NAMES[n]}: {one.reason}" for n, one in found.items() if one.reason),
        ]
        lines.append(bins_text(found))
        _say(self.ui.figuresLabel, "\n".join(line for line in lines if line))

    def _figures(self):
        """Header and rows: one row a figure, one column a map."""
        from her2map.report.histogram_tables import figure_rows

        found = self.part.histograms
        titles = [
            map_nodes.NAMES[name] if one.unit == "1" else f"{map_nodes.NAMES[name]} ({one.unit})"
            for name, one in found.items()
        ]
        rows = [(row.name, row.code, *row.texts.values()) for row in figure_rows(found)]
        return (_("Figure"), _("IBSI"), *titles), rows

    def _showScore(self):
        scored = self.part.scored
        self.ui.scoreButton.enabled = bool(self.part.histograms)
        self.ui.layerBox.enabled = scored is not None and not scored.refusals
        if self.part.dropped:
            lines = [_("The ROI, the maps, the ER status or the card have changed: make the score map anew.")]
        else:
            lines = _told(scored, self.logic.scoring.card) if scored is not None else []
        _say(self.ui.scoreLabel, "\n".join(lines))


def _told(scored, card) -> list:
    """What a score map says in words."""
    from her2map.report.tables import percent

    if scored.refusals:
        return [_("No score map:"), *(f"• {line}" for line in scored.refusals)]
    text = _(
        "{scored} of {touched} voxels have a score, {coverage} of the volume; of that, {part} from the "
        "cut-off of {cut} on: {call}."
    )
    first = text.format(
        scored=scored.scored,
        touched=scored.touched,
        coverage=percent(scored.coverage, 0),
        part=percent(scored.part_from(card.cut_off), 0),
        cut=percent(card.cut_off, 0),
        call=card.positive_call,
    )
    left = [_("{count} voxels: {reason}.").format(count=n, reason=why) for why, n in scored.unusable.items()]
    return [first, *left, *(f"⚠ {line}" for line in scored.remarks)]


def _say(label, text: str) -> None:
    label.text = text
    label.visible = bool(text)
