"""A reader's session in the scene: the case that is read, and every edit on its way to the disk."""

import logging
import warnings
from contextlib import contextmanager, suppress

import numpy as np
import slicer
from slicer.i18n import tr as _

from her2map.errors import Cancelled, InputError

from . import dce_nodes, roi_nodes, scene
from .parameter_node import AUTOMATIC
from .prefetch import Prefetch
from .session_traces import Traces
from .signal import Signal


class Readings:
    """A part of the logic. What it says, keeps and shows of a case is its study code.

    session - A `her2map.study.session.ReaderSession`; None where nobody is signed in.
    shown - The reading (case, repeat) whose case is in the scene; None where none is.
    notice - What the reader must know of the readings, in a sentence; "" where all is as it should be.
    unkept - Why the drawing on the screen is not on the disk, in a sentence; "" where it is.
    deviations - Of the training reading that was finished last: by biomarker, value, truth and percent.
    changed - Signal: somebody signed in or out, a reading began or ended, or its case left the scene.
    begun, ending - Signals: the case is ready to be drawn on; the drawing tools must be put down.
    """

    def __init__(self, logic) -> None:
        self.logic = logic
        self.changed, self.begun, self.ending = Signal(), Signal(), Signal()
        self.session = self.shown = None
        self.notice, self.unkept, self.deviations = "", "", {}
        self.prefetch, self._traces = Prefetch(), Traces(logic.clipboard)
        logic.edited.connect(self._onEdited)
        logic.examChanged.connect(self._onExam)

    def cleanup(self) -> None:
        self.prefetch.stop()
        if self.session is not None:
            self._traces.end()
            self.session.close()
        self.session = self.shown = None
        for signal in (self.changed, self.begun, self.ending):
            signal.disconnectAll()

    # Signing in

    def signIn(self, folder: str, reader: str) -> None:
        """Open a study to a reader; the scene is closed, so that nothing else is seen.

        Raises:
            InputError: see `her2map.study.session.open_session`.
        """
        from her2map.study.session import open_session

        self._take(open_session, folder, reader)

    def signInTraining(self, folder: str, reader: str) -> None:
        """Open a study's training to a reader.

        Raises:
            InputError: see `her2map.study.training.open_training`.
        """
        from her2map.study.training import open_training

        self._take(open_training, folder, reader)

    def _take(self, opened, folder: str, reader: str) -> None:
        if self.session is not None:
            raise InputError(_("{reader} is signed in; sign out first.").format(reader=self.session.reader))
        session = opened(folder, reader)
        self._traces.begin()
        self._forget()
        self.session = session
        self.changed.emit()

    def signOut(self) -> None:
        """An open reading stays open, and is taken up again at the next time; the scene is closed.

        What cannot be written is lost, see :meth:`saveAgain`.
        """
        if self.session is None:
            return
        self.ending.emit()
        self.prefetch.stop()
        with suppress(InputError):
            self._keep()
        self._forget()
        self._traces.end()
        self.session.close()
        self.session = None
        self.changed.emit()

    def _forget(self) -> None:
        """What was said of a reading that is no longer shown."""
        self.shown, self.notice, self.unkept, self.deviations = None, "", "", {}

    @property
    def mustPrepare(self) -> bool:
        """Whether the next case has to be read and fitted first."""
        return self.session is not None and self.session.prefetch_arguments is not None

    def prepareNext(self) -> None:
        """Let another process do that, unless one is at it."""
        self.prefetch.start(lambda: self.session.prefetch_arguments if self.session else None)

    @property
    def training(self) -> bool:
        return hasattr(self.session, "deviations")

    # One reading

    def opening(self):
        """Begin the next reading, or take up the one that is open: a function of a progress callback.

        Raises:
            InputError: none may begin now, one is being read, or its store cannot be written.
        """
        session = self._needSession()
        if self.shown is not None:
            raise InputError(_("A reading is open; finish or skip it first."))
        code = session.begin().case
        self.changed.emit()
        return lambda progress: self._load(session, code, progress)

    def _load(self, session, code: str, progress):
        """In a thread; nothing that goes wrong may name the exam's folder."""
        try:
            with _silent():
                self.prefetch.wait(code, progress)
                return session.load(progress)
        except (Cancelled, InputError):
            raise
        except Exception as error:
            kind = type(error).__name__
        raise InputError(
            _("Case {code} cannot be opened ({kind}); tell the coordinator. It can be skipped.").format(
                code=code, kind=kind
            )
        )

    def take(self, case) -> None:
        """Show the case of the open reading, with the drawing as it was left."""
        session = self._needSession()
        self._forget()
        with slicer.util.RenderBlocker():
            self._traces.clear()
            self.logic.takeCase(case)
            if session.drawing is not None:
                self._restore(session.drawing)
        self.shown = session.current
        self.prepareNext()
        self.changed.emit()
        self.begun.emit()

    def showAgain(self) -> None:
        """Show the case that is read as it was prepared, with its drawing: its maps may have been changed.

        Raises:
            InputError: the drawing cannot be written; it stays as it is.
        """
        case = self.logic.case
        if self.shown is None or case is None:
            return
        self.ending.emit()
        self._keep()
        self.take(case)

    def _restore(self, drawing) -> None:
        kept = [(roi_nodes.CONTOUR, roi_nodes.ROI_NAME, drawing.contour)] if drawing.contour else []
        for number, hole in enumerate(drawing.holes, 1):
            kept.append((roi_nodes.HOLE, roi_nodes.holeNameOf(number), hole))
        with self.logic.oneEdit(record=False):
            roi_nodes.restore(tuple(kept))
        self.logic.choosePhase(AUTOMATIC if drawing.phase is None else drawing.phase)
        self.logic.history.start()

    def refusal(self, confidence: int | None) -> str:
        """Why the reading cannot be finished now, in a sentence; "" where it can."""
        if self.session is None or self.shown is None:
            return _("No reading is shown.")
        if self.logic.phase is None:
            return _("Choose the DCE phase that is drawn on (ROI panel).")
        if self._imagesMoved():
            return _("The DCE images do not lie where they were taken; press Show again.")
        if self.logic.problem:
            return self.logic.problem
        lacking = self.session.refusal(self.logic.values)
        return lacking or ("" if confidence else _("Say how confident you are: keys 1 to 5."))

    def _imagesMoved(self) -> bool:
        """The reader sees the tumour elsewhere than it is."""
        volume = dce_nodes.dceVolume(self.logic.parameters.dceBrowser)
        if volume is None or volume.GetParentTransformNode() is not None:
            return True
        return not np.allclose(scene.geometryOf(volume).affine, self.logic.case.dce.affine, atol=1e-6)

    def finish(self, confidence: int, remark: str = "") -> None:
        """End the reading with the values of what is drawn; its case leaves the scene.

        Raises:
            InputError: see :meth:`refusal`, and `her2map.study.session.ReaderSession.finish`.
        """
        self.ending.emit()
        self.logic.measure()  # also of what was changed in a way that nothing here follows
        refusal = self.refusal(confidence)
        if refusal:
            raise InputError(refusal)
        session, values = self.session, self.logic.values
        self._keep()  # also what was changed other than by mouse
        deviations = session.deviations(values) if self.training else {}
        session.finish(values, confidence, remark)
        self._ended()
        self.deviations = deviations
        self.changed.emit()

    def skip(self, reason: str) -> None:
        """End the open reading without values, also one whose case cannot be opened.

        Raises:
            InputError: no reading is open, there is no reason, or the store cannot be written.
        """
        self._needSession().skip(reason)
        self.shown = None  # what the tools still change is no edit of a reading
        self.ending.emit()
        self._ended()
        self.changed.emit()

    def reopen(self, slot, reason: str) -> None:
        """Open a reading that was ended; :meth:`opening` then takes it up.

        Raises:
            InputError: another is open, it may not be reopened, there is no reason, or the store cannot be
                written.
        """
        self._needSession().reopen(slot, reason)
        self._forget()
        self.changed.emit()

    def _ended(self) -> None:
        """Nothing of the case stays in the scene."""
        self._forget()
        self._traces.clear()
        self.prepareNext()

    def _needSession(self):
        if self.session is None:
            raise InputError(_("Nobody is signed in; sign in first."))
        return self.session

    # Edits

    def _onEdited(self) -> None:
        told, problem = self.unkept, ""
        try:
            self._keep()
        except InputError as error:
            problem = str(error)
        if problem != told:
            text = _("The last edit is not saved: {problem} Every edit, and Finish, tries again.")
            self.unkept, self.notice = problem, text.format(problem=problem) if problem else ""
            self.changed.emit()

    def saveAgain(self) -> str:
        """Try to write the drawing on the screen: :attr:`unkept`."""
        self._onEdited()
        return self.unkept

    def _keep(self) -> None:
        """What is drawn now goes to the store, unless it is there, or no reading is shown.

        Raises:
            InputError: it cannot be written.
        """
        from her2map.study.readings import Drawing

        if self.shown is None or self.logic.case is None or slicer.mrmlScene.IsClosing():
            return
        now = self.drawing()
        if now != (self.session.drawing or Drawing()):
            self.session.edited(now)

    def drawing(self):
        """The control points and the phase as they are now: a `her2map.study.readings.Drawing`."""
        from her2map.study.readings import Drawing

        parts = roi_nodes.drawing()
        contour = next((points for part, _name, points in parts if part == roi_nodes.CONTOUR), ())
        holes = [points for part, _name, points in parts if part == roi_nodes.HOLE]
        phase = self.logic.parameters.phase
        return Drawing(_tuples(contour), tuple(map(_tuples, holes)), None if phase == AUTOMATIC else phase)

    def _onExam(self) -> None:
        """The scene was closed, or another opened, in the middle of a reading."""
        if self.shown is None or self.logic.case is not None:
            return
        text = _("The scene was closed. The reading of case {case} is still open, with its drawing: {next}.")
        if self.unkept:
            text = _("The scene was closed, with an edit of case {case} that could not be saved: {next}.")
        notice = text.format(case=self.shown.case, next=_("press Next to go on"))
        self._forget()
        self.notice = notice
        self.ending.emit()
        self.changed.emit()


def _tuples(points) -> tuple:
    return tuple(map(tuple, np.asarray(points, float).tolist()))


@contextmanager
def _silent():
    """Warnings about an exam's headers quote them, and Slicer's log keeps what is said."""
    loggers = [logging.getLogger(name) for name in ("pydicom", "nibabel")]
    before = [logger.disabled for logger in loggers]
    try:
        for logger in loggers:
            logger.disabled = True
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, disabled in zip(loggers, before, strict=True):
            logger.disabled = disabled
