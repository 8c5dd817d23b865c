"""What a model card says of the ROI: the part of the logic behind the Score panel."""

import hashlib

import numpy as np
import slicer
from slicer.i18n import tr as _

from her2map.acquired import UNKNOWN, acquired_of_facts
from her2map.errors import InputError
from her2map.score import ModelCard, assess, demo_card, load_card
from her2map.score.exam_case import case_of_exam, placement_sds
from her2map.score.predictors import parts_of
from her2map.score.standing import standings

from . import map_nodes
from .signal import Signal

CARDS = "HER2Map/Cards/"
"""In this computer's settings: the files of model cards."""
ER_OF = {"unknown": None, "positive": True, "negative": False}


class Scoring:
    """A part of the logic.

    In a reader's session it does nothing unless the study shows the score to readers; then it takes the
    study's card.

    card - The model card; None in a session whose card cannot be used.
    case - The `her2map.score.ScoreCase` of the ROI; None without values.
    assessment - What the card says of it; None without values.
    standings - Where the case stands in the training cohort; empty without values.
    problem - Why a card cannot be used, in a sentence; "" where it can.
    changed - Signal.
    """

    def __init__(self, logic) -> None:
        self.logic = logic
        self.changed = Signal()
        self.card = demo_card()
        self.case, self.assessment, self.standings = None, None, ()
        self.problem = ""
        self._cardKey = ""
        self._acquired, self._placement = UNKNOWN, None
        logic.examChanged.connect(self._onExam)
        logic.mapsChanged.connect(self._onMaps)
        logic.valuesChanged.connect(self.update)
        logic.edited.connect(self._onEdited)
        logic.readings.changed.connect(self._onReadings)

    def cleanup(self) -> None:
        self.changed.disconnectAll()

    @property
    def allowed(self) -> bool:
        """Whether the score may be seen."""
        session = self.logic.readings.session
        return session is None or session.shows_score

    # The ER status

    @property
    def er(self) -> str:
        """A key of `ER_OF`."""
        return self.logic.parameters.erStatus

    @er.setter
    def er(self, status: str) -> None:
        if status != self.er:
            self.logic.parameters.erStatus = status
            self.update()

    # The card

    def chooseCard(self, path: str) -> None:
        """Take the card of a file; "" stands for the one that ships. One that cannot be used changes nothing.

        Raises:
            InputError: the card cannot be used, or a reader is signed in.
        """
        if self.logic.readings.session is not None:
            raise InputError(_("A reader is signed in; the study's own card is used."))
        card = _load(path)
        key = hashlib.sha256(path.encode()).hexdigest()[:16] if path else ""
        if key:
            slicer.app.userSettings().setValue(CARDS + key, path)
        self.logic.parameters.scoreCardKey = self._cardKey = key
        self.card, self.problem = card, ""
        self.update()

    def _cardOfScene(self) -> None:
        """A scene that was opened says by a key which card it was seen with; its path may hold a name."""
        key = self.logic.parameters.scoreCardKey
        if key == self._cardKey and self.card is not None:
            return
        self._cardKey, self.problem = key, ""
        path = str(slicer.app.userSettings().value(CARDS + key) or "") if key else ""
        try:
            if key and not path:
                raise InputError(_("The scene's model card is not known on this computer; choose it again."))
            self.card = _load(path)
        except InputError as problem:
            self.card = demo_card()
            text = _("{problem} The card that ships is used instead.")
            self.problem = text.format(problem=problem)

    def _cardOfStudy(self, session) -> None:
        self._cardKey, self.problem, self.card = None, "", None
        if not session.shows_score:
            return
        try:
            self.card = session.score_card()
        except InputError as problem:
            self.card, self.problem = None, str(problem)

    # What follows what

    def _onExam(self) -> None:
        self._placement = None
        self._acquired = acquired_of_facts(self.logic.facts)
        if self.logic.readings.session is None:
            self._cardOfScene()

    def _onReadings(self) -> None:
        """Somebody signed in or out, or a reading began or ended."""
        session = self.logic.readings.session
        if session is None:
            self._cardOfScene()
        elif self._cardKey is not None:
            self._cardOfStudy(session)
        self.update()

    def _onMaps(self) -> None:
        self._placement = None

    def _onEdited(self) -> None:
        """The ROI is moved about to see what its place matters: after the edit, as that takes longer."""
        self._placement = None
        self.update()

    def update(self) -> None:
        """Ask the card anew."""
        self.case, self.assessment, self.standings = None, None, ()
        values = self.logic.values
        if self.allowed and self.card is not None and values is not None:
            if self._placement is None:
                self._placement = self._placementNow(values.roi)
            reason = _("choose it above") if self.er == "unknown" else ""
            self.case = case_of_exam(values, ER_OF[self.er], self._acquired, self._placement, reason)
            self.assessment = assess(self.card, self.case)
            self.standings = standings(self.card, self.case, self.assessment)
        self.changed.emit()

    def _placementNow(self, roi) -> dict:
        """By biomarker that the card wants, the SD in ms from not knowing where its map lies."""
        shown = map_nodes.readMaps()
        names = {part for one in self.card.predictors for part in parts_of(one.name)}
        moved = {name: shown[name].fromDce for name in names & shown.keys() if _isMoved(shown[name].fromDce)}
        return placement_sds(
            {name: (one.map, one.geometry) for name, one in shown.items()}, roi, names, moved
        )


def _load(path: str) -> ModelCard:
    """Of a file; "" stands for the card that ships.

    Raises:
        InputError: it cannot be used.
    """
    return load_card(path) if path else demo_card()


def _isMoved(fromDce) -> bool:
    """Whether registration, or somebody by hand, has said where the map lies."""
    return not np.allclose(fromDce, np.eye(4), atol=1e-9)
