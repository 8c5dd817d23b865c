"""A study survives kills at any moment, and two readers at once."""

import multiprocessing
import os
import random
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from her2map.phantom import ExamSettings, write_exam
from her2map.study.protocol import Protocol
from her2map.study.readings import FINISHED, Drawing, read_readings
from her2map.study.session import open_session
from her2map.study.store import problems_of, read_events
from her2map.study.verify import verify_study
from study_data import drawing_of, drawn, prepare_all, truth_roi, values_of, write_study

KILLS = 300
WHOLE = 1_000_000
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes")


@pytest.fixture(scope="module")
def exam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("phantom") / "exam"
    write_exam(folder, ExamSettings.small(), seed=1)
    return folder


def forked(work: Callable[[int], None]) -> tuple[int, int]:
    """Run `work` in a child, with a pipe on which it tells what is done; returns its id and the pipe."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            work(writing)
        finally:
            os._exit(0)
    os.close(writing)
    return child, reading


def told(pipe: int) -> list[str]:
    with os.fdopen(pipe) as lines:
        return [line for line in lines.read().split("\n")[:-1] if line]


def numbered(edit: int) -> Drawing:
    return Drawing(((float(edit), 0.0, 0.0),))


def edit_of(drawing: Drawing | None) -> int:
    """Of a numbered one; the whole contour comes after all of them."""
    if drawing is None:
        return 0
    return int(drawing.contour[0][0]) if len(drawing.contour) == 1 else WHOLE


def test_nothing_acknowledged_is_lost_by_kills(tmp_path: Path, exam: Path) -> None:
    """Each child takes the study up where the one before was killed, and tells of every edit and finish."""
    protocol = write_study(tmp_path, exam, 100, repeats=20)
    roi, case = drawn(drawing_of(truth_roi(exam)), 3.0), prepare_all(protocol)
    values, drawing = values_of(case, roi), drawing_of(roi)
    dice = random.Random(20261125)

    def read(pipe: int) -> None:
        with open_session(protocol.folder, "r1") as session:
            os.write(pipe, b"open\n")
            while True:
                slot = session.begin()
                before = edit_of(session.drawing)
                for count in range(before + 1, min(before + 4, WHOLE)):
                    session.edited(numbered(count))
                    os.write(pipe, f"edited {slot.case} {slot.repeat} {count}\n".encode())
                session.load()
                session.edited(drawing)
                session.finish(values, 3)
                os.write(pipe, f"finished {slot.case} {slot.repeat}\n".encode())

    finished: set[tuple[str, str]] = set()
    opened = resumed = 0
    for number in range(KILLS):
        child, pipe = forked(read)
        if number % 3:  # else the kill may come before the store is open
            select.select([pipe], [], [], 60)
        time.sleep(dice.uniform(0.0, 0.05))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        lines = told(pipe)
        opened += "open" in lines
        assert problems_of(protocol.store("r1"), "r1") == [] or not protocol.store("r1").exists()
        readings = {(one.case, str(one.repeat)): one for one in read_readings(protocol)["r1"]}
        for line in lines:
            kind, *rest = line.split()
            if kind == "finished":
                finished.add((rest[0], rest[1]))
            elif kind == "edited":
                one = readings[rest[0], rest[1]]
                assert edit_of(one.drawing) >= int(rest[2])
        open_ones = [one for one in readings.values() if one.state != FINISHED]
        assert len(open_ones) <= 1
        resumed += bool(open_ones and open_ones[0].edits)
        assert all(readings[slot].state == FINISHED for slot in finished)
    assert (
        opened > KILLS / 2 and resumed > 10 and len(finished) > 20
    )  # kills fell into the work, and it went on
    with open_session(protocol.folder, "r1") as session:
        assert session.done >= len(finished)
        session.begin()


def read_all(protocol: Protocol, reader: str, exam: Path, errors: "multiprocessing.Queue[str]") -> None:
    try:
        roi = drawn(drawing_of(truth_roi(exam)), 3.0)
        with open_session(protocol.folder, reader) as session:
            values = None
            while session.upcoming.slot:
                session.begin()
                case = session.load()
                values = values or values_of(case, roi)
                session.edited(drawing_of(roi, points=12))
                session.finish(values, 1 if reader == "r1" else 5, reader)
    except BaseException as error:
        errors.put(f"{reader}: {error!r}")
        raise


def test_two_readers_read_two_thousand_each_at_once(tmp_path: Path, exam: Path) -> None:
    protocol = write_study(tmp_path, exam, 100, repeats=20)
    prepare_all(protocol)
    fork = multiprocessing.get_context("fork")
    errors: multiprocessing.Queue[str] = fork.Queue()
    readers = [fork.Process(target=read_all, args=(protocol, r, exam, errors)) for r in protocol.readers]
    for reader in readers:
        reader.start()
    looked = 0
    while any(reader.is_alive() for reader in readers):  # the coordinator looks on
        read_readings(protocol)
        looked += 1
        time.sleep(0.5)
    assert [reader.exitcode for reader in readers] == [0, 0], errors.get(timeout=5)
    readings = read_readings(protocol)
    for reader, confidence in (("r1", 1), ("r2", 5)):
        assert len(readings[reader]) == 2000
        assert all(one.state == FINISHED and one.edits == 1 for one in readings[reader])
        assert {one.result["remark"] for one in readings[reader]} == {reader}
        assert {one.result["confidence"] for one in readings[reader]} == {confidence}
        assert len(read_events(protocol.store(reader))) == 6000
    assert all(check.problems == () and check.remarks == () for check in verify_study(protocol))
    assert looked > 1
