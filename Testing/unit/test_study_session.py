"""A reader's way through a study: order, waiting time, crash, refusals."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from her2map.errors import InputError
from her2map.exam import measure_maps, read_exam
from her2map.study.order import Slot, reading_order
from her2map.study.prepared import pixels_sha256
from her2map.study.protocol import Protocol, read_protocol
from her2map.study.readings import Drawing, read_readings
from her2map.study.result import biomarkers_of, roi_of
from her2map.study.session import ReaderSession, open_session, study_readers
from study_data import drawing_of, read_one, truth_roi, values_of
from study_samples import change_study


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


def with_hours(protocol: Protocol, hours: float) -> Protocol:
    change_study(protocol.folder, minimum_interval_hours=hours)
    return read_protocol(protocol.folder)


def test_a_whole_study_is_read_in_its_order(study: Protocol, phantom_exam: Path) -> None:
    roi = truth_roi(phantom_exam)
    order = reading_order(study.codes, "r1", 3, study.seed)
    with open_session(study.folder, "r1") as session:
        assert (session.title, session.done, session.total) == ("A study", 0, 12)
        for number, slot in enumerate(order):
            assert session.upcoming.slot == slot and session.done == number
            read_one(session, roi, confidence=1 + number % 5)
        assert session.done == 12 and session.upcoming.slot is None
        with pytest.raises(InputError, match="All readings are done"):
            session.begin()
    readings = read_readings(study)
    assert [one.slot for one in readings["r1"]] == list(order) and readings["r2"] == ()
    assert [one.result["confidence"] for one in readings["r1"][:6]] == [1, 2, 3, 4, 5, 1]


def test_a_finished_reading_holds_all_that_its_numbers_follow_from(
    study: Protocol, phantom_exam: Path
) -> None:
    roi = truth_roi(phantom_exam)
    with open_session(study.folder, "r1") as session:
        slot = session.begin()
        case = session.load()
        values = values_of(case, roi)
        session.edited(Drawing(((1.0, 2.0, 3.0),)))
        session.edited(drawing_of(roi))
        session.finish(values, 3, "seen well")
    (reading,) = read_readings(study)["r1"]
    result = reading.result
    assert (reading.case, reading.repeat, reading.edits) == (*slot, 2)
    assert reading.started <= reading.ended
    assert reading.drawing == drawing_of(roi)
    np.testing.assert_allclose(roi_of(result).outline, roi.outline, rtol=0, atol=1e-9)
    for name, value in values.values.items():
        stored = result["values"][name]
        assert stored["value"] == value.value
        assert name == "B1" or stored["standard_error"] == value.standard_error  # a vendor's map has none
        assert stored["coverage"] == value.coverage and stored["fractions"]["FITTED"] > 0
    assert dict(biomarkers_of(result)) == dict(values.biomarkers)
    assert result["phase"]["index"] == 2 and "100 s after the injection" in result["phase"]["reason"]
    assert 0 < result["slice"] < case.dce.data.shape[1] - 1
    assert result["fit"]["preset"] == "recommended" and result["fit"]["options"]["t2_first_echo"] == 1
    assert result["fit"]["methods"].keys() == case.maps.keys()
    assert result["remark"] == "seen well"
    assert {"her2map", "numpy", "scipy", "SimpleITK", "python"} <= result["software"].keys()
    assert result["pixels_sha256"] == pixels_sha256(read_exam(study.case(slot.case).folder))


def test_an_overridden_phase_is_told(study: Protocol, phantom_exam: Path) -> None:
    roi = truth_roi(phantom_exam)
    with open_session(study.folder, "r1") as session:
        session.begin()
        values = values_of(session.load(), roi)
        session.edited(Drawing(drawing_of(roi).contour, (), phase=4))
        session.finish(values, 3)
    phase = read_readings(study)["r1"][0].result["phase"]
    assert phase["index"] == 4 and "chosen by the user" in phase["reason"]


def test_after_a_crash_the_last_edit_is_there(study: Protocol, phantom_exam: Path) -> None:
    drawing = Drawing(((1.25, 2.0, 3.0), (4.0, 5.5, 6.0)), (((0.1, 0.2, 0.3),),), 1)
    session = open_session(study.folder, "r1")
    slot = session.begin()
    session.edited(Drawing(((0.0, 0.0, 0.0),)))
    session.edited(drawing)
    session._store._connection.close()  # as if the process had gone: nothing says good-bye
    session._store._lock.close()
    with open_session(study.folder, "r1") as again:
        assert again.current == slot and again.drawing == drawing and again.done == 0
        assert again.begin() == slot
        assert again.drawing == drawing


def test_between_readings_of_a_case_the_time_must_pass(study: Protocol, phantom_exam: Path) -> None:
    protocol, clock, roi = with_hours(study, 48), Clock(), truth_roi(phantom_exam)
    with ReaderSession(protocol, "r1", clock) as session:
        for _ in range(4):
            read_one(session, roi)
            clock.time += timedelta(hours=1)
        upcoming = session.upcoming
        first = session.grid[0].case
        assert upcoming.slot == Slot(session.grid[4].case, 2)
        ended = {one.case: one.ended for one in read_readings(protocol)["r1"]}
        assert upcoming.ready_at == min(ended.values()) + timedelta(hours=48)
        with pytest.raises(InputError, match=r"No reading can begin before 2026-03-03 .*48 hours apart"):
            session.begin()
        clock.time = ended[first] + timedelta(hours=48)
        assert session.upcoming.reason == "" and session.begin().case == first


def test_a_reading_that_waits_does_not_hold_up_the_others(study: Protocol, phantom_exam: Path) -> None:
    """The first case was skipped late: others of the second round come before it."""
    protocol, clock, roi = with_hours(study, 10), Clock(), truth_roi(phantom_exam)
    with ReaderSession(protocol, "r1", clock) as session:
        late = session.begin()
        session.skip("the maps are odd")
        for _ in range(3):
            read_one(session, roi)
        clock.time += timedelta(hours=9)
        session.reopen(late, "the exam was sent anew")
        read_one(session, roi)
        clock.time += timedelta(hours=2)
        places = [slot.case for slot in session.grid if slot.repeat == 2]
        expected = next(case for case in places if case != late.case)
        assert session.upcoming == type(session.upcoming)(Slot(expected, 2))


def test_finish_is_refused_while_a_value_is_missing(study: Protocol, phantom_exam: Path) -> None:
    roi = truth_roi(phantom_exam)
    with open_session(study.folder, "r1") as session:
        session.begin()
        case = session.load()
        assert session.refusal(None).startswith("Nothing is drawn")
        outside = roi.transformed(np.array([[1, 0, 0, 500.0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]))
        refusal = session.refusal(values_of(case, outside))
        assert refusal.startswith("No value of T1_pre, T1_post") and "T2star" in refusal
        assert ".;" not in refusal and refusal.endswith("Draw again, or skip the case with a reason.")
        with pytest.raises(InputError, match="No value of T1_pre"):
            session.finish(values_of(case, outside), 3)
        with pytest.raises(InputError, match="Nothing was drawn"):
            session.finish(values_of(case, roi), 3)
        session.edited(drawing_of(roi))
        with pytest.raises(InputError, match="Say how confident you are"):
            session.finish(values_of(case, roi), 0)
        assert session.current is not None and session.done == 0
        session.finish(values_of(case, roi), 3)


def test_a_value_that_the_study_does_not_require_may_be_missing(study: Protocol, phantom_exam: Path) -> None:
    change_study(study.folder, required=["T2"])
    with open_session(study.folder, "r1") as session:
        session.begin()
        case = session.load()
        roi = truth_roi(phantom_exam)
        assert session.refusal(measure_maps({"T2": case.maps["T2"]}, roi)) == ""
        assert "No value of T2: not measured" in session.refusal(
            measure_maps({"T2star": case.maps["T2star"]}, roi)
        )


def test_skipping_and_opening_again_need_a_reason(study: Protocol, phantom_exam: Path) -> None:
    roi = truth_roi(phantom_exam)
    with open_session(study.folder, "r1") as session:
        skipped = session.begin()
        with pytest.raises(InputError, match="Give the reason"):
            session.skip("  ")
        session.skip("no tumour to be seen")
        read_one(session, roi)
        first = session.grid[1]
        read_one(session, roi)
        last = session.grid[2]
        assert session.reopenable == (Slot(last.case, 1), skipped)
        with pytest.raises(InputError, match="Only the reading that ended last"):
            session.reopen(Slot(first.case, 1), "a slip")
        with pytest.raises(InputError, match="Give the reason"):
            session.reopen(skipped, "")
        session.reopen(Slot(last.case, 1), "a slip")
        assert session.current == Slot(last.case, 1) and session.done == 2
        with pytest.raises(InputError, match="A reading is open"):
            session.reopen(skipped, "now this one")
        assert session.begin() == Slot(last.case, 1)
        assert session.drawing == drawing_of(roi)  # of this very reading
        session.finish(values_of(session.load(), roi), 5)
    reading = {one.slot: one for one in read_readings(study)["r1"]}[Slot(last.case, 1)]
    assert reading.reopened == ("a slip",) and reading.result["confidence"] == 5


def test_a_clock_that_was_set_back_is_told_and_loses_nothing(study: Protocol, phantom_exam: Path) -> None:
    clock, roi = Clock(), truth_roi(phantom_exam)
    with ReaderSession(study, "r1", clock) as session:
        read_one(session, roi)
        session.begin()
        clock.time -= timedelta(days=1)
        session.edited(drawing_of(roi))  # what is drawn is kept whatever the clock says
        session.finish(values_of(session.load(), roi), 3)
        clock.time -= timedelta(days=1)
        with pytest.raises(InputError, match=r"clock shows 2026-02-27 .* set the clock right"):
            session.begin()
        assert session.done == 2
        clock.time += timedelta(days=3)
        session.begin()


@pytest.mark.parametrize("action", ["load", "edited", "finish", "skip"])
def test_without_an_open_reading(study: Protocol, phantom_exam: Path, action: str) -> None:
    with open_session(study.folder, "r1") as session:
        session.begin()
        values = values_of(session.load(), truth_roi(phantom_exam))
        session.skip("x")
        arguments: dict[str, tuple[object, ...]] = {
            "load": (), "edited": (Drawing(),), "finish": (values, 3), "skip": ("y",)
        }  # fmt: skip
        call: Callable[..., object] = getattr(session, action)
        with pytest.raises(InputError, match="No reading is open; begin the next one first"):
            call(*arguments[action])


def test_an_unknown_reader_is_refused(study: Protocol) -> None:
    with pytest.raises(InputError, match="The study has no reader 'r9'; it has r1, r2"):
        open_session(study.folder, "r9")
    assert study_readers(study.folder) == ("A study", ("r1", "r2"))
    assert not study.store("r9").exists()


def test_two_readers_at_once_and_one_reader_twice(study: Protocol) -> None:
    with open_session(study.folder, "r1") as one, open_session(study.folder, "r2") as two:
        one.begin()
        two.begin()
        with pytest.raises(InputError, match="The readings of r1 are open in another window"):
            open_session(study.folder, "r1")


def test_only_values_of_the_case_and_the_drawing_are_taken(study: Protocol, phantom_exam: Path) -> None:
    roi = truth_roi(phantom_exam)
    move = np.eye(4)
    move[0, 3] = 3.0
    with open_session(study.folder, "r1") as session:
        session.begin()
        case = session.load()
        session.edited(drawing_of(roi))
        with pytest.raises(InputError, match="The contour on the screen is not the one that was measured"):
            session.finish(values_of(case, roi.transformed(move)), 3)
        t2, grid = case.maps["T2"]
        altered = {**case.maps, "T2": (replace(t2, value=t2.value * 1.01), grid)}
        with pytest.raises(InputError, match="The maps on the screen are not those of the case"):
            session.finish(measure_maps(altered, roi), 3)
        moved = {"T2star": move}
        with pytest.raises(InputError, match="The maps on the screen are not those of the case"):
            session.finish(measure_maps(case.maps, roi, moved), 3)
        session.finish(values_of(case, roi), 3)


def test_a_skipped_reading_stays_so_once_its_case_came_back(study: Protocol, phantom_exam: Path) -> None:
    clock, roi = Clock(), truth_roi(phantom_exam)
    with ReaderSession(with_hours(study, 24), "r1", clock) as session:
        skipped = session.begin()
        session.skip("blurred")
        for _ in range(3):
            read_one(session, roi)
        clock.time += timedelta(hours=25)
        assert skipped in session.reopenable
        while session.begin().case != skipped.case:
            session.skip("not now")
        session.skip("still blurred")
        assert skipped not in session.reopenable


def test_a_clock_set_back_for_a_while_shortens_no_waiting_time(study: Protocol, phantom_exam: Path) -> None:
    clock, roi = Clock(), truth_roi(phantom_exam)
    start = clock.time
    with ReaderSession(with_hours(study, 24), "r1", clock) as session:
        slot = session.begin()
        clock.time -= timedelta(days=10)
        session.edited(drawing_of(roi))
        session.finish(values_of(session.load(), roi), 3)
        clock.time = start + timedelta(hours=1)
        assert session._ready_at(Slot(slot.case, 2), clock.time) == start + timedelta(hours=24)
    with ReaderSession(with_hours(study, 24), "r1", clock) as again:
        assert again._ready_at(Slot(slot.case, 2), clock.time) == start + timedelta(hours=24)


def test_what_was_said_before_a_reading_was_opened_again(study: Protocol, phantom_exam: Path) -> None:
    roi = truth_roi(phantom_exam)
    with open_session(study.folder, "r1") as session:
        slot = session.begin()
        session.edited(drawing_of(roi))
        session.finish(values_of(session.load(), roi), 2, "a remark")
        assert session.earlier == {}
        session.reopen(slot, "a slip")
        assert session.earlier == {"confidence": 2, "remark": "a remark"}


def test_a_case_that_left_the_study_can_be_skipped(study: Protocol) -> None:
    session = open_session(study.folder, "r1")
    slot = session.begin()
    session.close()
    path = study.folder / "study.toml"
    path.write_text(path.read_text().replace(f'code = "{slot.case}"', 'code = "900"'))
    with open_session(study.folder, "r1") as again:
        assert again.current == slot
        with pytest.raises(InputError, match=f"The study no longer has the case {slot.case}; skip it"):
            again.load()
        again.skip("it left the study")


def test_the_last_finished_reading_stays_so_once_its_case_came_back(
    study: Protocol, phantom_exam: Path
) -> None:
    """Only skips came after it: opening it again would show its drawing after another look at the case."""
    roi = truth_roi(phantom_exam)
    with open_session(study.folder, "r1") as session:
        read_one(session, roi)
        first = session.grid[0]
        assert session.reopenable == (Slot(first.case, 1),)
        while session.upcoming.slot.repeat == 1:
            session.begin()
            session.skip("not now")
        assert session.begin() == Slot(first.case, 2)
        session.skip("nor now")
        assert Slot(first.case, 1) not in session.reopenable
