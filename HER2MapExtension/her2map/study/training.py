"""A session on phantoms: the reader learns how far a reading was from the truth."""

import json
import os
from dataclasses import dataclass

from ..errors import InputError
from ..exam import ExamValues
from ..phantom import TRUTH_FILE
from ..progress import Progress, no_progress, part_of
from .gate import GateResult, judged
from .phantoms import training_protocol, write_phantom
from .prepared import PreparedCase
from .protocol import read_protocol
from .session import ReaderSession


@dataclass(frozen=True)
class Deviation:
    """A value of a training reading beside the truth, in ms (delta_T1_ratio: 1)."""

    value: float
    truth: float

    @property
    def percent(self) -> float:
        """Of the truth."""
        return 100 * (self.value - self.truth) / self.truth


class TrainingSession(ReaderSession):
    """As :class:`~her2map.study.session.ReaderSession`, with what training may tell."""

    def load(self, progress: Progress = no_progress) -> PreparedCase:
        """The phantom of the current reading; written first where it is not there."""
        write_phantom(self._protocol, self._need_current().case, part_of(progress, 0.0, 0.3))
        return super().load(part_of(progress, 0.3, 1.0))

    @property
    def prefetch_arguments(self) -> list[str] | None:
        """As of a session of the study; the phantom is written as well."""
        arguments = super().prefetch_arguments
        if arguments is None:
            return None
        study, code = self._protocol.folder.parent, arguments[-1]
        return ["-m", "her2map", "study", "prepare", str(study), "--training", "--case", code]

    def deviations(self, values: ExamValues) -> dict[str, Deviation]:
        """Of the current reading, or of the one that ended last: each biomarker that has a value.

        Raises:
            InputError: there was no reading, or the phantom's truth is gone.
        """
        slot = self.current or self._last_ended
        if slot is None:
            raise InputError("There is no reading yet; begin the first one.")
        path = self._protocol.case(slot.case).folder.parent / TRUTH_FILE
        try:
            truth = json.loads(path.read_text(encoding="utf-8"))["values"]
        except (OSError, ValueError, KeyError):
            raise InputError(f"{path} is missing or damaged; remove the folder {path.parent}.") from None
        return {
            name: Deviation(quantity.value, truth[name])
            for name, quantity in values.biomarkers
            if quantity.known
        }

    @property
    def gate(self) -> GateResult:
        """How the training stands to the study's gate."""
        return judged(self._protocol, self._readings.values())


def open_training(study_folder: str | os.PathLike[str], reader: str) -> TrainingSession:
    """Open a study's training to one of its readers.

    Raises:
        InputError: the study or the reader's store cannot be used, or the reader is unknown.
    """
    return TrainingSession(training_protocol(read_protocol(study_folder)), reader)
