"""What readers must not see is nowhere in what a reader's program can reach."""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from her2map.errors import InputError
from her2map.study.protocol import Case, Protocol, read_protocol
from her2map.study.session import ReaderSession, open_session
from her2map.study.setup import new_study
from study_data import drawing_of, truth_roi, values_of
from study_samples import change_study

PLANTED = {
    "PatientName": "Zwetschge^Hildegard",
    "PatientID": "PID-77131",
    "PatientBirthDate": "19530417",
    "StudyDate": "20251103",
    "SeriesDate": "20251104",
    "AcquisitionDate": "20251105",
    "InstitutionName": "Klinikum Hinterwald",
    "StudyDescription": "Mamma Zwetschge Verlauf",
    "ReferringPhysicianName": "Doktor^Eisenbart",
    "PatientAge": "072Y",
}
TYPED = "Hildegardchen"
"""Somebody typed it into the series' descriptions and the names of files and folders."""
PATHOLOGY = "her2-status-is-positive"
SECRETS = [
    "Zwetschge", "Hildegard", "PID-77131", "19530417", "20251103", "20251104", "20251105", "2025-11-03",
    "Hinterwald", "Verlauf", "Eisenbart", "072Y", TYPED, PATHOLOGY, "secret_table",
]  # fmt: skip


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory, phantom_exam: Path) -> Protocol:
    """A study of an exam full of personal data, and of one that cannot be read."""
    root = tmp_path_factory.mktemp("blind")
    exam = root / f"Zwetschge {TYPED}" / "PID-77131"
    for i, file in enumerate(sorted((phantom_exam / "dicom").rglob("*"))):
        if file.is_file():
            dataset = pydicom.dcmread(file)
            for keyword, value in PLANTED.items():
                setattr(dataset, keyword, value)
            dataset.SeriesDescription = f"{dataset.get('SeriesDescription', '')} {TYPED}"
            exam.mkdir(parents=True, exist_ok=True)
            dataset.save_as(exam / f"{TYPED}-{i}.dcm")
    (exam / f"notes of {TYPED}.txt").write_text(f"{TYPED}: no image")
    broken = root / f"broken {TYPED}"
    broken.mkdir()
    (broken / f"{TYPED}.dcm").write_text("no image")
    table = root / "secret_table.csv"
    table.write_text(f"case,her2_status\n001,{PATHOLOGY}\n")
    new_study(root / "study", "A study", [Case("001", exam), Case("002", broken)], ["r1", "r2"])
    path = root / "study" / "study.toml"
    path.write_text(path.read_text().replace('# pathology = "../pathology.csv"', f'pathology = "{table}"'))
    change_study(root / "study", minimum_interval_hours=0)
    return read_protocol(root / "study")


def reachable(thing: Any, seen: set[int], depth: int = 0) -> Iterator[str]:
    """Every text that public names lead to, from one object."""
    if id(thing) in seen or depth > 12:
        return
    seen.add(id(thing))
    if isinstance(thing, (str, bytes, int, float, complex, type(None), Path)):
        yield str(thing)
    elif isinstance(thing, np.ndarray):
        yield str(thing.dtype)
        if thing.dtype.kind in "SUO":
            yield str(thing.tolist())
    elif isinstance(thing, dict):
        for key, value in thing.items():
            yield from reachable(key, seen, depth + 1)
            yield from reachable(value, seen, depth + 1)
    elif isinstance(thing, (list, tuple, set, frozenset)):
        for value in thing:
            yield from reachable(value, seen, depth + 1)
    else:
        yield repr(thing) if type(thing).__repr__ is not object.__repr__ else ""
        for name in dir(thing):
            if name.startswith("_"):
                continue
            try:
                value = getattr(thing, name)
            except Exception as error:
                yield str(error)
                continue
            if not callable(value):
                yield from reachable(value, seen, depth + 1)


def leaks(*texts: str) -> set[str]:
    return {secret for secret in SECRETS for text in texts if secret.casefold() in text.casefold()}


def everything(thing: Any) -> list[str]:
    return list(reachable(thing, set()))


def chain_of(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield f"{error!r} {error.args}"
        error = error.__cause__ or error.__context__


def read_both(session: ReaderSession, exam: Path) -> list[str]:
    """Go through both cases; returns all texts on the way."""
    texts, roi = everything(session), truth_roi(exam)
    for _ in range(2):
        slot = session.begin()
        texts += everything(session)
        try:
            case = session.load()
        except InputError as error:
            assert str(error).startswith(f"Case {slot.case} cannot be opened; ask the coordinator")
            texts += chain_of(error)
            session.skip("it cannot be opened")
            continue
        texts += everything(case)
        session.edited(drawing_of(roi))
        texts += everything(session)
        session.finish(values_of(case, roi), 3)
    return texts


def test_nothing_hidden_is_within_reach(
    planted: Protocol, phantom_exam: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with open_session(planted.folder, "r1") as session:
        texts = read_both(session, phantom_exam)
        assert len(" ".join(texts)) > 5000  # there was something to look at
        assert any("T2star series" in text for text in texts)
        assert leaks(*texts) == set()
    assert leaks(caplog.text, *capfd.readouterr()) == set()
    stored = {path: path.read_bytes() for path in planted.folder.rglob("*") if path.is_file()}
    assert any(path.suffix == ".sqlite" for path in stored) and any(path.suffix == ".npz" for path in stored)
    for path, content in stored.items():
        if path.name != "study.toml":  # the coordinator's
            assert leaks(str(path.relative_to(planted.folder)), content.decode("latin-1")) == set(), path


def test_the_search_finds_what_is_there(planted: Protocol) -> None:
    """The test above can fail: the coordinator's objects do hold what is searched for."""
    from her2map.exam import read_exam

    assert {TYPED, "secret_table"} <= leaks(*everything(planted))
    assert TYPED in leaks(*everything(read_exam(planted.case("001").folder)))


def test_another_readers_store_and_earlier_drawings_are_out_of_reach(
    planted: Protocol, phantom_exam: Path
) -> None:
    move = np.eye(4)
    move[0, 3] = 0.123456789
    roi = truth_roi(phantom_exam).transformed(move)
    mark = drawing_of(roi).contour[5][0]  # a number of this very drawing
    with open_session(planted.folder, "r2") as session:
        while (session.begin()).case != "001":
            session.skip("not this one")
        session.edited(drawing_of(roi))
        case = session.load()
        assert str(mark) in " ".join(everything(session))  # the present drawing is
        session.finish(values_of(case, roi), 5, "remark-of-the-first-reading")
        texts = everything(session)
        session.begin()
        texts += everything(session) + everything(case)
    with open_session(planted.folder, "r1") as other:
        texts += everything(other)
    for secret in (str(mark), "remark-of-the-first-reading"):
        assert secret not in " ".join(texts)


def test_what_a_study_does_not_hide_is_shown(planted: Protocol, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    shutil.copy(planted.folder / "study.toml", folder)
    change_study(
        folder, hidden=["patient_name", "patient_id", "birth_date", "study_date", "study_description"]
    )
    with open_session(folder, "r1") as session:
        while session.begin().case != "001":
            session.skip("not this one")
        case = session.load()
        assert case.shown == {"institution": "Klinikum Hinterwald", "patient_age": "072Y"}
        assert leaks(*everything(case)) == {"Hinterwald", "072Y"}
