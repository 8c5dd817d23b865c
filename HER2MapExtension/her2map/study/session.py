"""All that a reader's program uses of a study.

A session knows neither the pathology nor another reader's readings, and gives out no folder of an exam and no
earlier drawing: what it does not give cannot be shown, logged or saved by mistake.
"""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any

from ..errors import Cancelled, InputError
from ..exam import ExamValues
from ..progress import Progress, no_progress
from ..score import ModelCard, demo_card, load_card
from .gate import gate_result
from .order import Slot, reading_order
from .prepared import PreparedCase, is_prepared, prepare_case
from .protocol import Protocol, read_protocol
from .readings import FINISHED, OPEN, SKIPPED, Drawing, after_event, readings_of
from .result import basis_of, basis_of_case, check_own, result_of
from .store import Event, Store, utc_now

WAITING = "waiting"
CONFIDENCES = (1, 2, 3, 4, 5)
"""From "guessed" to "certain"."""
_CLOCK_TOLERANCE = timedelta(minutes=1)
"""By which clocks are corrected in passing."""

_LATER = timedelta(seconds=1)
"""Puts a reading behind all those whose time is known."""

Clock = Callable[[], datetime]


@dataclass(frozen=True)
class SlotState:
    """A reading and its state: `WAITING`, or one of a :class:`~her2map.study.readings.Reading`."""

    case: str
    repeat: int
    state: str


@dataclass(frozen=True)
class Upcoming:
    """The reading that comes next.

    Attributes:
        slot: None where all are done.
        ready_at: when it may begin, UTC; None where it may now, or there is none.
        reason: why it may not begin now; "" where it may.
    """

    slot: Slot | None = None
    ready_at: datetime | None = None
    reason: str = ""


class ReaderSession:
    """The readings of one reader, open until :meth:`close`; a context manager.

    Attributes:
        reader: the code.
        title: of the study.
    """

    def __init__(self, protocol: Protocol, reader: str, now: Clock = utc_now) -> None:
        """See :func:`open_session`."""
        if reader not in protocol.readers:
            raise InputError(f"The study has no reader '{reader}'; it has {', '.join(protocol.readers)}.")
        self.reader, self.title = reader, protocol.title
        self._protocol, self._now = protocol, now
        self._order = reading_order(protocol.codes, reader, protocol.repeats, protocol.seed)
        self._store = Store(protocol.store(reader), reader, now)
        try:
            events = self._store.events()
            self._readings = {one.slot: one for one in readings_of(reader, events)}
        except BaseException:
            self._store.close()
            raise
        self._last_time: datetime | None = None
        self._ended: dict[Slot, datetime] = {}
        for event in events:
            self._note_time(event)
        self._last_ended = next(
            (Slot(e.case, e.repeat) for e in reversed(events) if e.kind == FINISHED), None
        )
        self._case: PreparedCase | None = None

    def __enter__(self) -> "ReaderSession":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the session; an open reading stays open, and can be taken up again."""
        self._store.close()
        self._case = None

    # What is done and what comes

    @property
    def done(self) -> int:
        """How many readings are finished or skipped."""
        return sum(one.state != WAITING and one.state != OPEN for one in self.grid)

    @property
    def total(self) -> int:
        """How many readings there are to be."""
        return len(self._order)

    @property
    def grid(self) -> tuple[SlotState, ...]:
        """Every reading with its state, in the order of reading."""
        return tuple(SlotState(*slot, self._state(slot)) for slot in self._order)

    @property
    def current(self) -> Slot | None:
        """The reading that is open, also one that a crash left open; None where none is."""
        return next((slot for slot, one in self._readings.items() if one.state == OPEN), None)

    @property
    def upcoming(self) -> Upcoming:
        """The reading after the current one: the first in the order whose time has come."""
        waiting = [slot for slot in self._order if self._state(slot) == WAITING]
        if not waiting:
            return Upcoming()
        now = self._now()
        for slot in waiting:
            if self._ready_at(slot, now) <= now:
                return Upcoming(slot)
        ready_at = {slot: self._ready_at(slot, now) for slot in waiting}
        first = min(waiting, key=ready_at.__getitem__)  # of equal ones the first in the order
        hours = self._protocol.minimum_interval_hours
        return Upcoming(first, ready_at[first], f"two readings of a case lie at least {hours:g} hours apart")

    @property
    def prefetch_arguments(self) -> list[str] | None:
        """Arguments to a Python that prepares the next case in a process of its own; None: nothing to do."""
        slot = self.upcoming.slot
        if slot is None or is_prepared(self._protocol, slot.case):
            return None
        return ["-m", "her2map", "study", "prepare", str(self._protocol.folder), "--case", slot.case]

    @property
    def shows_score(self) -> bool:
        """Whether the reader may see the score of what he draws."""
        return self._protocol.show_to_readers

    def score_card(self) -> ModelCard:
        """The study's model card, or the one that ships.

        Raises:
            InputError: it cannot be used.
        """
        path = self._protocol.score_card
        return load_card(path) if path else demo_card()

    # One reading

    def begin(self) -> Slot:
        """Open the next reading, or take up the one that is open.

        Raises:
            InputError: none may begin now, the clock was set back, or the store cannot be written.
        """
        slot = self.current
        if slot is None:
            upcoming = self.upcoming
            if upcoming.slot is None:
                raise InputError("All readings are done; there is none left to begin.")
            if upcoming.reason:
                raise InputError(
                    f"No reading can begin before {_local(upcoming.ready_at)}: {upcoming.reason}."
                )
            slot = upcoming.slot
        self._check_clock()
        resumed = slot in self._readings
        self._append("opened", slot, {"resumed": resumed, "protocol_sha256": self._protocol.sha256})
        self._case = None
        return slot

    def load(self, progress: Progress = no_progress) -> PreparedCase:
        """The case of the current reading: from the cache, else prepared now.

        Raises:
            InputError: it cannot be prepared, or is not what it was in earlier readings. What is said names
                no folder or file of the exam.
            Cancelled: raised by `progress`.
        """
        slot = self._need_current()
        if self._case is None or self._case.code != slot.case:
            case = _prepared(self._protocol, slot.case, progress)
            self._check_basis(case)
            self._case = case
        return self._case

    @property
    def drawing(self) -> Drawing | None:
        """The last edit of the current reading; None where there was none, or no reading is open."""
        slot = self.current
        return self._readings[slot].drawing if slot else None

    def edited(self, drawing: Drawing) -> None:
        """Keep an edit; it is on the disk when this returns.

        Raises:
            InputError: no reading is open, or the store cannot be written.
        """
        self._append("edited", self._need_current(), drawing.as_content())

    def refusal(self, values: ExamValues | None) -> str:
        """Why the current reading cannot be finished with these values; "" where it can."""
        if values is None:
            return "Nothing is drawn, or there are no maps; draw the tumour first."
        biomarkers = dict(values.biomarkers)
        lacking: dict[str, list[str]] = {}
        for name in self._protocol.required:
            if not biomarkers[name].known:
                lacking.setdefault(biomarkers[name].reason.rstrip("."), []).append(name)
        told = [f"{', '.join(names)}: {reason}" for reason, names in lacking.items()]
        return f"No value of {'; '.join(told)}. Draw again, or skip the case with a reason." if told else ""

    def finish(self, values: ExamValues, confidence: int, remark: str = "") -> None:
        """End the current reading with the values of what is drawn.

        Args:
            values: of the last edit's ROI.
            confidence: one of `CONFIDENCES`.
            remark: of the reader.

        Raises:
            InputError: a value is missing, the confidence is none, nothing was edited, no reading is open,
                the values are not those of the last edit on the case's own maps, or the store cannot be
                written.
        """
        slot = self._need_current()
        refusal = self.refusal(values)
        if refusal:
            raise InputError(refusal)
        if confidence not in CONFIDENCES:
            raise InputError("Say how confident you are, from 1 (guessed) to 5 (certain).")
        drawing = self._readings[slot].drawing
        if drawing is None or not drawing.contour:
            raise InputError("Nothing was drawn in this reading; draw the tumour first.")
        case = self.load()
        check_own(case, values, drawing)
        result = result_of(self._protocol, case, values, drawing, confidence, remark)
        self._append("finished", slot, result)
        self._last_ended = slot

    def skip(self, reason: str) -> None:
        """End the current reading without values.

        Raises:
            InputError: without a reason, no reading is open, or the store cannot be written.
        """
        self._append("skipped", self._need_current(), {"reason": _reason(reason)})

    @property
    def reopenable(self) -> tuple[Slot, ...]:
        """What can be opened again: the finished reading that was the last to end, and skipped ones.

        None of a case that was begun again since: its drawing would be shown to a reader who has seen the
        case once more, and it would come too soon after that.
        """
        last = [slot for slot in (self._last_ended,) if slot and self._state(slot) == FINISHED]
        skipped = [slot for slot in self._order if self._state(slot) == SKIPPED]
        begun = self._readings.keys()
        return tuple(slot for slot in (*last, *skipped) if Slot(slot.case, slot.repeat + 1) not in begun)

    def reopen(self, slot: Slot, reason: str) -> None:
        """Open a reading that was ended; :meth:`begin` then takes it up, with its drawing.

        Raises:
            InputError: another is open, it is not `reopenable`, without a reason, or the store cannot be
                written.
        """
        if self.current is not None:
            raise InputError("A reading is open; finish or skip it first.")
        if slot not in self.reopenable:
            raise InputError("Only the reading that ended last, or a skipped one, can be opened again.")
        self._append("reopened", slot, {"reason": _reason(reason)})

    @property
    def earlier(self) -> Mapping[str, Any]:
        """What the current reading told when it was finished before it was opened again; else empty."""
        slot = self.current
        told = json.loads(self._readings[slot].earlier or "{}") if slot else {}
        return {key: told[key] for key in ("confidence", "remark") if key in told}

    # Within

    def _state(self, slot: Slot) -> str:
        reading = self._readings.get(slot)
        return reading.state if reading else WAITING

    def _ready_at(self, slot: Slot, now: datetime) -> datetime:
        """When a waiting reading may begin; one that waits for another counts as if that ended now."""
        if slot.repeat == 1:
            return now
        before = self._readings.get(Slot(slot.case, slot.repeat - 1))
        over = before is not None and before.ended is not None
        ended = self._ended[before.slot] if over and before else now + _LATER * (slot.repeat - 1)
        return ended + timedelta(hours=self._protocol.minimum_interval_hours)

    def _append(self, kind: str, slot: Slot, content: dict) -> None:
        event = self._store.append(kind, slot.case, slot.repeat, content)
        self._readings[slot] = after_event(self._readings.get(slot), self.reader, event)
        self._note_time(event)

    def _note_time(self, event: Event) -> None:
        """The latest time ever told counts, so that a clock set back for a while shortens no waiting time."""
        self._last_time = max(self._last_time or event.time, event.time)
        if event.kind in ("finished", "skipped"):
            self._ended[Slot(event.case, event.repeat)] = self._last_time

    def _need_current(self) -> Slot:
        slot = self.current
        if slot is None:
            raise InputError("No reading is open; begin the next one first.")
        return slot

    def _check_basis(self, case: PreparedCase) -> None:
        """Repeats are of the same images, fitted in the same way, or they are no repeats."""
        before = [one for one in self._readings.values() if one.case == case.code and one.state == FINISHED]
        if any(basis_of(one.result) != basis_of_case(self._protocol, case) for one in before):
            raise InputError(
                f"Case {case.code} is not what it was in your earlier readings: its images or the fit "
                "settings were changed. Tell the coordinator; the case can be skipped meanwhile."
            )

    def _check_clock(self) -> None:
        now = self._now()
        if self._last_time is not None and now < self._last_time - _CLOCK_TOLERANCE:
            raise InputError(
                f"This computer's clock shows {_local(now)}, but the last entry was made at "
                f"{_local(self._last_time)}; set the clock right and try again. Nothing is lost."
            )


def open_session(study_folder: str | os.PathLike[str], reader: str) -> ReaderSession:
    """Open a study to one of its readers.

    Raises:
        InputError: the study or the store cannot be used, the reader is unknown or signed in elsewhere, or
            the reader's training has not reached the study's gate.
    """
    protocol = read_protocol(study_folder)
    result = gate_result(protocol, reader)
    if result.passed is False:
        raise InputError(f"The study opens after the training: {'; '.join(result.lines)}.")
    return ReaderSession(protocol, reader)


def study_readers(study_folder: str | os.PathLike[str]) -> tuple[str, tuple[str, ...]]:
    """The title and the readers of a study, for signing in.

    Raises:
        InputError: the study cannot be used.
    """
    protocol = read_protocol(study_folder)
    return protocol.title, protocol.readers


def _prepared(protocol: Protocol, code: str, progress: Progress) -> PreparedCase:
    if code not in protocol.codes:
        raise InputError(f"The study no longer has the case {code}; skip it, with this as the reason.")
    try:
        return prepare_case(protocol, code, progress)
    except Cancelled:
        raise
    except Exception as error:  # of any library: its text may name the patient's folder
        kind = "" if isinstance(error, InputError) else f" ({type(error).__name__})"
    # Raised out here, so that it carries nothing of the error that may name a patient's folder.
    raise InputError(
        f"Case {code} cannot be opened{kind}; ask the coordinator to run `her2map study prepare`, which says "
        "why. It can be skipped meanwhile."
    )


def _reason(text: str) -> str:
    if not text.strip():
        raise InputError("Give the reason in a few words.")
    return text.strip()


def _local(time: datetime | None) -> str:
    return time.astimezone().strftime("%Y-%m-%d %H:%M") if time else "then"
