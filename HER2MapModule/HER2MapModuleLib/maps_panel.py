"""The maps: fitting, how they are fitted, and what a reader must know of them."""

from slicer.i18n import tr as _

from her2map.relaxometry import Status
from her2map.report.tables import percent

from . import map_nodes
from .dependencies import TO_FIT, ensurePackages
from .panel import Panel, problemsShown
from .tables import fillTable


class MapsPanel(Panel):
    title = _("Maps")
    uiFile = "MapsPanel.ui"

    def setup(self):
        for quantity in map_nodes.MEASURED:
            self.ui.oneMapBox.addItem(map_nodes.NAMES[quantity], quantity)
        self.ui.fitButton.connect("clicked(bool)", self.onFit)
        self.ui.fitOneButton.connect("clicked(bool)", self.onFitOne)
        self.ui.recommendedButton.connect(
            "clicked(bool)", lambda checked=False: self.logic.usePreset("recommended")
        )
        self.ui.paperButton.connect("clicked(bool)", lambda checked=False: self.logic.usePreset("paper"))
        self.logic.examChanged.connect(self.show)
        self.logic.mapsChanged.connect(self.show)
        self.logic.valuesChanged.connect(self.showWarnings)
        self.show()

    def onFit(self, checked=False):
        self.fit()

    def onFitOne(self, checked=False):
        self.fit(map_nodes.MEASURED[self.ui.oneMapBox.currentIndex])

    def fit(self, quantity=None):
        """Fit all maps, or one."""
        with problemsShown():
            ensurePackages(*TO_FIT)
            maps = self.run(_("Fitting the maps..."), self.logic.fitting(quantity))
            self.logic.takeMaps(maps)
            self.readingRoom.show()

    def show(self):
        """The maps of the scene."""
        for button in (self.ui.fitButton, self.ui.fitOneButton, self.ui.oneMapBox):
            button.enabled = self.logic.exam is not None
        rows = []
        for quantity, shown in map_nodes.readMaps().items():
            fitted = percent(shown.map.fraction(Status.FITTED), 0)
            rows.append((map_nodes.NAMES[quantity], shown.map.unit, fitted, shown.map.method))
        fillTable(self.ui.mapsTable, (_("Map"), _("Unit"), _("Fitted"), _("Method")), rows)
        self.showWarnings()

    def showWarnings(self):
        lines = [f"⚠ {line}" for line in self.logic.warnings] + [
            _("Note: ") + line for line in self.logic.notes
        ]
        self.ui.warningsLabel.text = "\n".join(lines)
        self.ui.warningsLabel.visible = bool(lines)
