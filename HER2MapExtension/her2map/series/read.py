"""Reading an exam: DICOM or NIfTI files, in one folder or in many, to series."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..progress import Progress, no_progress
from .assemble import assemble
from .dicom import Image, NotAnImage, read_images
from .model import Series
from .nifti import is_nifti, is_side_car, read_nifti

Source = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
"""A folder, a file, or a list of files."""

_HEADERS_SHARE = 0.6
"""Of the time of a reading, the part that the headers take."""


class SeriesList(list[Series]):
    """The series of an exam in the order of their acquisition.

    Attributes:
        skipped: every file that gave no image, as "its name below the folder read: the reason" (of a list of
            files: below the folder that they share). Exports are often named after patients, so this is for
            the screen alone.
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


class _Files(NamedTuple):
    """What to read: every file with the name that messages use, and where they are, in words."""

    files: list[tuple[Path, str]]
    place: str


def read_series(path: Source, progress: Progress = no_progress) -> SeriesList:
    """Reads the exam of one patient.

    Args:
        path: a folder (any depth, any file names), one file, or a list of files in any folders, such as a
            DICOM database gives. DICOM (classic and enhanced) and NIfTI with BIDS side-cars are read; every
            other file, and one in the list that is not there, is listed in `skipped`.
        progress: called with the finished fraction; may raise to cancel.

    Returns:
        The series, oldest first; their times count from the midnight before the exam's first acquisition.

    Raises:
        InputError: there is nothing at `path`, no image in it, or more than one patient.
    """
    files, place = _listed(path) if isinstance(path, (str, os.PathLike)) else _given(path)
    images, skipped, nifti = [], [], []
    for number, (file, name) in enumerate(files):
        progress(_HEADERS_SHARE * number / len(files))
        if is_nifti(file):
            nifti.append((file, name))
        elif not is_side_car(file):
            try:
                images += read_images(file, name)
            except NotAnImage as verdict:
                skipped.append((name, str(verdict)))
    images, copies = _without_copies(images)
    notes = _check_patients(images, place)
    series = assemble(images, _Filler(len(images), progress)) if images else []
    from_nifti, unreadable = read_nifti(nifti)
    skipped += [*copies, *unreadable]
    if not series and not from_nifti:
        raise InputError(_nothing_found(place, len(files), skipped))
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


def _listed(path: str | os.PathLike[str]) -> _Files:
    """The file at `path`, or all files of the folder."""
    root = Path(path)
    if not root.exists():
        raise InputError(f"There is nothing at {root}; give the folder of an exam.")
    if root.is_file():
        return _Files([(root, root.name)], str(root))
    files = sorted(file for file in root.rglob("*") if file.is_file())
    if not files:
        raise InputError(f"The folder {root} is empty; give the folder of an exam.")
    return _Files([(file, str(file.relative_to(root))) for file in files], str(root))


def _given(paths: Sequence[str | os.PathLike[str]]) -> _Files:
    """The files of a list, named below the folder that they share."""
    files = sorted({Path(path).absolute() for path in paths})
    if not files:
        raise InputError("The list of files is empty; give the files of an exam.")
    try:
        shared = Path(os.path.commonpath([file.parent for file in files]))
    except ValueError:  # on two drives
        return _Files([(file, str(file)) for file in files], "the list of files")
    return _Files([(file, str(file.relative_to(shared))) for file in files], "the list of files")


def _nothing_found(place: str, count: int, skipped: Sequence[tuple[str, str]]) -> str:
    if count == 1 and skipped:
        return f"Nothing can be read from {': '.join(skipped[0])}."
    example = f" (for example {': '.join(skipped[0])})" if skipped else ""
    return f"None of the {count} files in {place} is a DICOM or NIfTI image of MR{example}."


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


def _check_patients(images: Sequence[Image], place: str) -> list[str]:
    """What to note about the studies read; more than one patient is refused, without naming them."""
    identifiers = {_normalised(image.header.get("PatientID")) for image in images} - {""}
    names = {_normalised(image.header.get("PatientName")) for image in images} - {""}
    studies = {image.header.get("StudyInstanceUID") for image in images}
    patients = max(len(identifiers), len(names))
    if patients > 1:
        raise InputError(f"There are images of {patients} patients in {place}; give those of one patient.")
    if len(studies) < 2:
        return []
    if not patients:
        raise InputError(
            f"There are {len(studies)} studies without patient identifiers in {place}, perhaps of several "
            "patients; give those of one study."
        )
    return [
        f"{len(studies)} studies of one patient were read; all times count from the first one's midnight."
    ]


def _normalised(name: object) -> str:
    """A patient's name or identifier without the spelling differences between machines."""
    return "".join(character for character in str(name or "").casefold() if character.isalnum())
