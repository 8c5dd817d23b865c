"""The Score panel: what a model card says of the drawn ROI, how sure that is, and where it says nothing."""

from html import escape

import qt
from slicer.i18n import tr as _

from .panel import Panel, problemsShown
from .score_pictures import PICTURES, ProbabilityScale, Told
from .score_texts import factRows
from .scoring import ER_OF

NO_PATHOLOGY = _("For research only; it does not replace pathology.")


class ScorePanel(Panel):
    title = _("Score")
    collapsed = True
    uiFile = "ScorePanel.ui"

    def setup(self):
        ui, self.scoring = self.ui, self.logic.scoring
        self._factsOf = None
        for status, text in zip(ER_OF, (_("not known"), _("positive"), _("negative")), strict=True):
            ui.erBox.addItem(text, status)
        self.scale = ProbabilityScale()
        ui.scaleFrame.layout().addWidget(self.scale)
        self.pictures = [kind() for kind in PICTURES.values()]
        for picture in self.pictures:
            ui.pictureFrame.layout().addWidget(picture)
        ui.pictureBox.addItems(list(PICTURES))
        ui.erBox.connect("currentIndexChanged(int)", self.onEr)
        ui.pictureBox.connect("currentIndexChanged(int)", self.showPicture)
        ui.cardButton.connect("clicked(bool)", self.onCard)
        ui.demoButton.connect("clicked(bool)", self.onDemo)
        self.scoring.changed.connect(self.show)
        self.show()

    def onEr(self, index):
        self.scoring.er = tuple(ER_OF)[index]

    def onCard(self, checked=False):
        name = qt.QFileDialog.getOpenFileName(self.widget, _("Model card"), "", _("Model cards (*.json)"))
        name = name[0] if isinstance(name, tuple) else name  # PythonQt gives the name alone
        if name:
            self.choose(name)

    def onDemo(self, checked=False):
        self.choose("")

    def choose(self, path):
        """Take a card; one that cannot be used is told, and the former stays."""
        with problemsShown():
            self.scoring.chooseCard(path)

    # What is shown

    def show(self):
        scoring, ui = self.scoring, self.ui
        blocked = ui.erBox.blockSignals(True)
        ui.erBox.setCurrentIndex(tuple(ER_OF).index(scoring.er))
        ui.erBox.blockSignals(blocked)
        ui.cardButton.enabled = ui.demoButton.enabled = self.logic.readings.session is None
        _say(ui.problemLabel, scoring.problem)
        self._showCard(scoring.card)
        self._showWords(scoring.card, scoring.assessment)
        told = Told(scoring.card, scoring.assessment, scoring.standings) if scoring.card else None
        self.scale.take(told)
        self.told = told
        self.showPicture()

    def showPicture(self, index=0):
        """The one that is chosen, as far as the case has it."""
        from her2map.report.score_words import worth_reducing

        chosen = self.ui.pictureBox.currentIndex
        for number, picture in enumerate(self.pictures):
            picture.visible = number == chosen and self.told is not None
            picture.take(self.told if number == chosen else None)
        found = self.scoring.assessment
        shares = list(PICTURES.values())[chosen].__name__ == "SharesPicture"
        _say(self.ui.reduceLabel, worth_reducing(found) if found and shares else "")

    def _showCard(self, card):
        """Its warning, always, and its facts."""
        if card is self._factsOf:
            return
        self._factsOf = card
        warning = card.warning if card else ""
        lines = [warning] if NO_PATHOLOGY in warning else [NO_PATHOLOGY, warning]
        self.ui.warningLabel.text = "⚠ " + " ".join(line for line in lines if line)
        rows = factRows(card) if card else []
        self.ui.factsText.html = "".join(
            f"<p><b>{escape(label)}</b><br>{escape(text).replace(chr(10), '<br>')}</p>"
            for label, text in rows
        )

    def _showWords(self, card, found):
        from her2map.report.score_words import QUESTION, answer, second_reading

        if found is None:
            _say(self.ui.headlineLabel, f"<b>{_('No score yet')}</b>")
            _say(self.ui.answerLabel, _("Fit the maps and draw the ROI."))
            _say(self.ui.secondLabel, "")
            _say(self.ui.remarksLabel, "")
            return
        _say(self.ui.headlineLabel, _headline(found))
        lines = [f"• {line}" for line in found.refusals] or [answer(card, found)]
        _say(self.ui.answerLabel, "\n".join(lines))
        second = second_reading(found)
        _say(self.ui.secondLabel, f"<b>{escape(QUESTION)}</b> {escape(second)}" if second else "")
        _say(self.ui.remarksLabel, "\n".join(_("Note: ") + line for line in found.remarks))


def _headline(found) -> str:
    from her2map.report.tables import percent

    if found.refusals:
        text = _("No score")
    else:
        zone = found.grey_zone
        text = f"{percent(found.probability, 0)}: {found.call}"
        text += _(", in the grey zone") if zone is not None and zone.holds else ""
    return f"<span style='font-size: large'><b>{escape(text)}</b></span>"


def _say(label, text) -> None:
    label.text = text
    label.visible = bool(text)
