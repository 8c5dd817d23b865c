"""Studies for tests: many cases of one phantom exam, prepared once."""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from her2map.exam import ExamValues, measure_maps
from her2map.markups import read_roi
from her2map.roi import Roi
from her2map.study.prepared import PreparedCase, prepare_case
from her2map.study.protocol import Case, Protocol, read_protocol
from her2map.study.readings import Drawing
from her2map.study.session import ReaderSession
from her2map.study.setup import new_study
from study_samples import change_study

READERS = ("r1", "r2")


def write_study(
    root: Path, exam: Path, count: int, readers: Sequence[str] = READERS, **settings: object
) -> Protocol:
    """A study of `count` cases, each with the files of `exam` (hard links), without a waiting time.

    Args:
        settings: what `study.toml` says at its top level in place of the usual.
    """
    cases = []
    for number in range(1, count + 1):
        folder = root / "exams" / f"exam{number}"
        shutil.copytree(exam / "dicom", folder, copy_function=os.link)
        cases.append(Case(f"{number:03}", folder))
    new_study(root / "study", "A study", cases, readers)
    change_study(root / "study", **{"minimum_interval_hours": 0, "seed": 7, **settings})
    return read_protocol(root / "study")


def prepare_all(protocol: Protocol) -> PreparedCase:
    """Put every case into the cache: the first is prepared, the others get links to what came of it."""
    first = protocol.cases[0].code
    case = prepare_case(protocol, first)
    known = json.loads((protocol.cache / f"{first}.json").read_text(encoding="utf-8"))
    for code in protocol.codes[1:]:
        file = known["file"].replace(f"{first}.", f"{code}.", 1)
        if not (protocol.cache / file).exists():
            os.link(protocol.cache / known["file"], protocol.cache / file)
        content = json.dumps({**known, "file": file})
        (protocol.cache / f"{code}.json").write_text(content, encoding="utf-8")
    return case


def drawing_of(roi: Roi, points: int = 40) -> Drawing:
    """Control points along the outline."""
    at = np.linspace(0, len(roi.outline), points, endpoint=False).astype(int)
    return Drawing(tuple(map(tuple, roi.outline[at].tolist())))


def drawn(drawing: Drawing, thickness_mm: float) -> Roi:
    """The polygon through the control points."""
    return Roi(np.array(drawing.contour), thickness_mm)


def truth_roi(exam: Path) -> Roi:
    """The phantom's own contour."""
    return read_roi(exam / "roi.mrk.json", 3.0)


def values_of(case: PreparedCase, roi: Roi) -> ExamValues:
    """What the ROI says on the maps of a case."""
    return measure_maps(case.maps, roi, case.placements or None)


def read_one(session: ReaderSession, roi: Roi, confidence: int = 4) -> None:
    """Begin the next reading, draw `roi`, and finish."""
    session.begin()
    case = session.load()
    session.edited(drawing_of(roi))
    session.finish(values_of(case, roi), confidence)
