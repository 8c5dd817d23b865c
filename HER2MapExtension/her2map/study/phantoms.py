"""The cases of the training: digital breasts whose values are known, each with another tumour."""

from dataclasses import replace

import numpy as np

from ..phantom import DICOM_FOLDER, ExamSettings, write_exam
from ..phantom.settings import TumourSettings
from ..progress import Progress, no_progress, part_of
from .prepared import PreparedCase, prepare_case
from .protocol import SIZES, Case, Protocol

FOLDER = "training"
_SIZES = dict(zip(SIZES, (ExamSettings.small, ExamSettings.standard, ExamSettings.clinical), strict=True))


def training_protocol(protocol: Protocol) -> Protocol:
    """The study of the training: phantoms for cases, in a folder of its own, without a waiting time."""
    training, folder = protocol.training, protocol.folder / FOLDER
    codes = [f"T{number}" for number in range(1, training.cases + 1)]
    exams = folder / "exams" / f"{training.size}-{training.seed}"  # others than those of another size or seed
    return replace(
        protocol,
        folder=folder,
        title=f"{protocol.title} (training)",
        cases=tuple(Case(code, exams / code / DICOM_FOLDER) for code in codes),
        seed=training.seed,
        repeats=training.repeats,
        minimum_interval_hours=0.0,
        pathology=None,
    )


def prepare_phantom(training: Protocol, code: str, progress: Progress = no_progress) -> PreparedCase:
    """A training case, written and prepared as far as it is not yet.

    Args:
        training: of :func:`training_protocol`.

    Raises:
        InputError: the folder cannot be written to.
        Cancelled: raised by `progress`.
    """
    write_phantom(training, code, part_of(progress, 0.0, 0.3))
    return prepare_case(training, code, part_of(progress, 0.3, 1.0))


def write_phantom(training: Protocol, code: str, progress: Progress = no_progress) -> None:
    """Write the exam of a training case, unless it is there.

    Raises:
        InputError: the folder cannot be written to.
        Cancelled: raised by `progress`.
    """
    exam = training.case(code).folder.parent
    if exam.exists():  # it is written whole or not at all
        return
    number = training.codes.index(code)
    rng = np.random.default_rng([training.training.seed, number])
    write_exam(exam, _settings(training.training.size, rng), int(rng.integers(2**31)), progress)


def _settings(size: str, rng: np.random.Generator) -> ExamSettings:
    """A tumour in the range of the paper's cases."""
    tumour = TumourSettings(
        diameter_mm=rng.uniform(18.0, 32.0),
        t1_pre_ms=rng.uniform(1400.0, 2100.0),
        t1_post_ms=rng.uniform(400.0, 700.0),
        t2_ms=rng.uniform(60.0, 95.0),
        t2star_ms=rng.uniform(18.0, 38.0),
    )
    return replace(_SIZES[size](), tumour=tumour)
