"""Reading an exam: a folder of DICOM or NIfTI files to series."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..progress import Progress, no_progress
from .assemble import assemble
from .dicom import Image, NotAnImage, read_images
from .model import Series
from .nifti import is_nifti, is_side_car, read_nifti

_HEADERS_SHARE = 0.6
"""Of the time of a reading, the part that the headers take."""


class SeriesList(list[Series]):
    """The series of an exam in the order of their acquisition.

    Attributes:
        skipped: every file that gave no image, as "its name below the folder read: the reason". Exports are
            often named after patients, so this is for the screen alone.
        skipped_counts: how many files were skipped for each reason; it names no file.
        notes: what concerns the exam as a whole.
    """

    def __init__(
        self, series: Sequence[Series], skipped: Sequence[tuple[str, str]] = (), notes: Sequence[str] = ()
    ) -> None:
        super().__init__(series)
        self.skipped = tuple(f"{name}: {reason}" for name, reason in skipped)
        self.skipped_counts = dict(Counter(reason for _, reason in skipped))
        self.notes = tuple(notes)

    @property
    def problems(self) -> tuple[str, ...]:
        """What was left out, missing or taken for granted: of the exam, then of each series."""
        return (*self.notes, *(problem for series in self for problem in series.problems))


def read_series(path: str | os.PathLike[str], progress: Progress = no_progress) -> SeriesList:
    """Reads the exam of one patient.

    Args:
        path: a folder (any depth, any file names), or one file. DICOM (classic and enhanced) and NIfTI with
            BIDS side-cars are read; every other file is listed in `skipped`.
        progress: called with the finished fraction; may raise to cancel.

    Returns:
        The series, oldest first; their times count from the midnight before the exam's first acquisition.

    Raises:
        InputError: there is nothing at `path`, no image in it, or more than one patient.
    """
    root = Path(path)
    files = _files_of(root)
    images, skipped, nifti = [], [], []
    for number, file in enumerate(files):
        progress(_HEADERS_SHARE * number / len(files))
        name = str(file.relative_to(root)) if file != root else file.name
        if is_nifti(file):
            nifti.append((file, name))
        elif not is_side_car(file):
            try:
                images += read_images(file, name)
            except NotAnImage as verdict:
                skipped.append((name, str(verdict)))
    images, copies = _without_copies(images)
    notes = _check_patients(images, root)
    series = assemble(images, _Filler(len(images), progress)) if images else []
    from_nifti, unreadable = read_nifti(nifti)
    skipped += [*copies, *unreadable]
    if not series and not from_nifti:
        raise InputError(_nothing_found(root, files, skipped))
    progress(1.0)
    return SeriesList([*series, *from_nifti], skipped, notes)


class _Filler:
    """Writes images' true values to their place and reports the progress."""

    def __init__(self, images: int, progress: Progress) -> None:
        self._images, self._done, self._progress = images, 0, progress

    def __call__(self, image: Image, out: NDArray[np.float32]) -> None:
        self._progress(_HEADERS_SHARE + (1 - _HEADERS_SHARE) * self._done / self._images)
        image.pixels.into(out, image.scale.slope, image.scale.intercept)
        self._done += 1


def _files_of(root: Path) -> list[Path]:
    if not root.exists():
        raise InputError(f"There is nothing at {root}; give the folder of an exam.")
    files = [root] if root.is_file() else sorted(file for file in root.rglob("*") if file.is_file())
    if not files:
        raise InputError(f"The folder {root} is empty; give the folder of an exam.")
    return files


def _nothing_found(root: Path, files: Sequence[Path], skipped: Sequence[tuple[str, str]]) -> str:
    if len(files) == 1 and skipped:
        return f"Nothing can be read from {': '.join(skipped[0])}."
    example = f" (for example {': '.join(skipped[0])})" if skipped else ""
    return f"None of the {len(files)} files in {root} is a DICOM or NIfTI image of MR{example}."


def _without_copies(images: Sequence[Image]) -> tuple[list[Image], list[tuple[str, str]]]:
    """Every image once, and the files left out: exports often hold the same instance twice."""
    first: dict[tuple[object, ...], Image] = {}
    kept, copies = [], []
    for image in images:
        uid = image.header.get("SOPInstanceUID")
        original = first.setdefault((uid, image.frame), image)
        if uid is None or original is image:
            kept.append(image)
        else:
            copies.append(image.name)
    return kept, [(name, "a copy of another file") for name in dict.fromkeys(copies)]


def _check_patients(images: Sequence[Image], root: Path) -> list[str]:
    """What to note about the studies read; more than one patient is refused, without naming them."""
    identifiers = {_normalised(image.header.get("PatientID")) for image in images} - {""}
    names = {_normalised(image.header.get("PatientName")) for image in images} - {""}
    studies = {image.header.get("StudyInstanceUID") for image in images}
    patients = max(len(identifiers), len(names))
    if patients > 1:
        raise InputError(f"{root} holds the images of {patients} patients; give the folder of one patient.")
    if len(studies) < 2:
        return []
    if not patients:
        raise InputError(
            f"{root} holds {len(studies)} studies without patient identifiers, perhaps of several patients; "
            "give the folder of one study."
        )
    return [
        f"{len(studies)} studies of one patient were read; all times count from the first one's midnight."
    ]


def _normalised(name: object) -> str:
    """A patient's name or identifier without the spelling differences between machines."""
    return "".join(character for character in str(name or "").casefold() if character.isalnum())
