"""Training on phantoms, and the gate between it and the study."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from her2map.errors import InputError
from her2map.markups import read_roi
from her2map.study.gate import gate_result
from her2map.study.phantoms import training_protocol, write_phantom
from her2map.study.protocol import Protocol, read_protocol
from her2map.study.session import open_session
from her2map.study.training import TrainingSession, open_training
from study_data import drawing_of, values_of, write_study

GATE = '[gate]\nstatistic = "{}"\nlimit = {}\nparameters = ["T1_post", "T2star"]\n\n'
USUAL = 'cases = 4\nrepeats = 2\nsize = "standard"'
SMALL = 'cases = 2\nrepeats = 2\nsize = "small"'


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, phantom_exam: Path) -> Protocol:
    """A study with two small training phantoms."""
    protocol = write_study(tmp_path_factory.mktemp("training"), phantom_exam, 1)
    path = protocol.folder / "study.toml"
    path.write_text(path.read_text().replace(USUAL, SMALL))
    return read_protocol(protocol.folder)


@pytest.fixture
def plain(trained: Protocol) -> Iterator[str]:
    """The text of its study.toml, without a gate, put back at the end."""
    path = trained.folder / "study.toml"
    text = path.read_text()
    yield text
    path.write_text(text)


def with_gate(protocol: Protocol, plain: str, statistic: str, limit: float) -> Protocol:
    head, mark, cases = plain.partition("[[cases]]\ncode")
    (protocol.folder / "study.toml").write_text(head + GATE.format(statistic, limit) + mark + cases)
    return read_protocol(protocol.folder)


def train(session: TrainingSession, shift: float = 0.0) -> None:
    """All that is left, drawn where the tumour is, the second time moved by `shift` mm."""
    while session.upcoming.slot:
        slot = session.begin()
        case = session.load()
        exam = session._protocol.case(slot.case).folder.parent
        move = np.eye(4)
        move[0, 3] = shift * (slot.repeat - 1)
        roi = read_roi(exam / "roi.mrk.json", 3.0).transformed(move)
        session.edited(drawing_of(roi))
        session.finish(values_of(case, roi), 3)


def test_training_tells_how_far_from_the_truth_and_opens_the_study(trained: Protocol, plain: str) -> None:
    protocol = with_gate(trained, plain, "wcv", 0.02)
    with pytest.raises(InputError, match="The study opens after the training: 0 of 4 readings"):
        open_session(protocol.folder, "r1")
    with open_training(protocol.folder, "r1") as session:
        assert session.title == "A study (training)" and session.gate.passed is False
        slot = session.begin()
        case = session.load()
        exam = protocol.folder / "training" / "exams" / "small-1" / slot.case
        roi = read_roi(exam / "roi.mrk.json", 3.0)
        session.edited(drawing_of(roi))
        values = values_of(case, roi)
        session.finish(values, 3)
        truth = json.loads((exam / "truth.json").read_text())["values"]
        found = session.deviations(values)
        assert found["T1_pre"].truth == truth["T1_pre"] and abs(found["T1_pre"].percent) < 3
        assert found.keys() == dict(values.biomarkers).keys()
        train(session)
        assert session.gate.passed is True
        assert all("within-case CV 0.0 %, at most 2 % wanted" in line for line in session.gate.lines)
    assert gate_result(protocol, "r1").passed is True
    open_session(protocol.folder, "r1").close()
    with pytest.raises(InputError, match="0 of 4 readings of the training are finished"):
        open_session(protocol.folder, "r2")
    assert not protocol.store("r2").exists()


def test_a_reader_who_does_not_repeat_himself_stays_outside(trained: Protocol, plain: str) -> None:
    protocol = with_gate(trained, plain, "wcv", 0.02)
    with open_training(protocol.folder, "r2") as session:
        train(session, shift=9.0)
        assert session.gate.passed is False
    with pytest.raises(InputError, match=r"T1_post: within-case CV \d+\.\d %, at most 2 % wanted"):
        open_session(protocol.folder, "r2")
    open_session(with_gate(trained, plain, "wcv", 0.9).folder, "r2").close()
    with pytest.raises(InputError, match=r"T1_post: ICC\(2,1\) -?\d\.\d{3}, at least 0.99 wanted"):
        open_session(with_gate(trained, plain, "icc", 0.99).folder, "r2")


def test_phantoms_are_the_same_everywhere_and_differ_from_each_other(trained: Protocol) -> None:
    training = training_protocol(trained)
    assert training.codes == ("T1", "T2") and training.minimum_interval_hours == 0
    truths = []
    for code in training.codes:
        write_phantom(training, code)
        truths.append(json.loads((training.case(code).folder.parent / "truth.json").read_text())["values"])
    assert abs(truths[0]["T2star"] - truths[1]["T2star"]) > 1


def test_a_study_without_a_gate_opens_to_all(trained: Protocol) -> None:
    assert trained.gate is None and gate_result(trained, "r1").passed is None
    open_session(trained.folder, "r1").close()


def test_a_training_that_was_shortened_counts_what_it_asks_for(trained: Protocol, plain: str) -> None:
    """Readings of phantoms that it no longer has are of no use, and no obstacle."""
    protocol = with_gate(trained, plain, "wcv", 0.02)
    path = protocol.folder / "study.toml"
    with open_training(protocol.folder, "r1") as session:
        train(session)
    path.write_text(path.read_text().replace("cases = 2\nrepeats = 2", "cases = 2\nrepeats = 3"))
    with open_training(protocol.folder, "r1") as session:
        assert session.gate.lines == ("4 of 6 readings of the training are finished",)
        train(session)
        assert session.gate.passed is True
    path.write_text(path.read_text().replace("cases = 2\nrepeats = 3", "cases = 2\nrepeats = 2"))
    assert gate_result(read_protocol(protocol.folder), "r1").passed is True


def test_a_training_that_was_tampered_with_opens_no_study(trained: Protocol, plain: str) -> None:
    protocol = with_gate(trained, plain, "wcv", 0.9)
    with open_training(protocol.folder, "r2") as session:
        train(session)
    open_session(protocol.folder, "r2").close()
    store = training_protocol(protocol).store("r2")
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE entry SET content = replace(content, '1', '2') WHERE kind = 'finished'")
    with pytest.raises(InputError, match="The readings of r2 do not verify"):
        open_session(protocol.folder, "r2")
    store.unlink()
