"""The next case is prepared by a process of its own while this one is read."""

import time

import pytest
from reading_steps import openNext

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")
pytest_plugins = ["slicer_host.pytest_fixtures"]


def test_the_next_case_is_prepared_by_a_quiet_process(logic, study, preparedStudy, tmp_path):
    import shutil

    import slicer

    shutil.rmtree(study / "cache")
    readings = logic.readings
    readings.signIn(str(study), "r1")
    assert readings.mustPrepare
    readings.prepareNext()
    assert readings.prefetch.running
    process = readings.prefetch._process
    assert "Doe" not in " ".join(map(str, process.args))
    end = time.monotonic() + 60
    while readings.session.prefetch_arguments is not None and time.monotonic() < end:
        slicer.app.processEvents()
        time.sleep(0.1)
    assert readings.session.prefetch_arguments is None, process.poll()
    assert len(list((study / "cache").glob("*.npz"))) == 1
    openNext(logic)  # and now the one after it
    assert readings.prefetch.running
    process = readings.prefetch._process
    readings.signOut()
    assert process.poll() is not None and not readings.prefetch.running


def test_a_case_that_is_there_waits_for_no_other(logic, study):
    readings = logic.readings
    readings.signIn(str(study), "r1")
    code = readings.session.upcoming.slot.case
    assert not readings.mustPrepare
    readings.prefetch.start(lambda: ["-c", "import time; time.sleep(30)"])
    start = time.monotonic()
    readings.take(readings.opening()(lambda fraction: None))
    assert readings.shown.case == code and time.monotonic() - start < 10
    assert readings.prefetch.running


def test_next_waits_for_the_process_that_prepares_the_case(logic, study):
    import shutil

    shutil.rmtree(study / "cache")
    readings = logic.readings
    readings.signIn(str(study), "r1")
    readings.prepareNext()
    process, fractions = readings.prefetch._process, []
    case = readings.opening()(fractions.append)
    assert process.poll() == 0
    assert fractions  # it can be cancelled meanwhile
    readings.take(case)
    assert readings.shown.case == case.code
