"""A study from beginning to end, by mouse and keys: two readers, four cases, three repeats, one crash."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")
pytest_plugins = ["slicer_host.pytest_fixtures"]

TESTING = Path(__file__).parents[1]
POINTS = 9
PLAYER = f"""
import json, sys, time
sys.path[:0] = [{str(TESTING)!r}, {str(Path(__file__).parent)!r}]
import app
widget = app.start(testing=True)
from test_study_play import Player
given = json.loads(sys.argv[1])
player = Player(widget, given["contours"])
player.signIn(given["study"], "r1")
player.read()
player.begin()
player.draw(points=5)
print(json.dumps(player.readings.drawing().contour), flush=True)
time.sleep(60)
"""


class Player:
    """A reader who works with the mouse and the keyboard."""

    def __init__(self, module, contours) -> None:
        self.module, self.contours = module, contours
        self.readings = module.logic.readings
        self.panel = next(panel for panel in module.panels if type(panel).__name__ == "ReadingPanel")

    def signIn(self, study, reader) -> None:
        self.panel.ui.studyEdit.setCurrentPath(str(study))
        self.panel.ui.readerBox.setCurrentText(reader)
        self.panel.ui.signInButton.click()
        assert self.readings.session.reader == reader

    def signOut(self) -> None:
        self.panel.ui.signOutButton.click()
        assert self.readings.session is None

    def begin(self) -> None:
        """One key."""
        from slicer_host import testing

        testing.press_key("N")
        assert self.readings.shown is not None

    def draw(self, points=POINTS) -> None:
        """Scroll to the tumour and click the first `points` of its border; the last click ends."""
        from slicer_host import testing

        border = np.array(self.contours[self.readings.shown.case])
        border = border[np.linspace(0, len(border), POINTS, endpoint=False).astype(int)]
        self.module.readingRoom.jumpTo(border[0])
        testing.process_events()
        view = testing.slice_view("HER2MapDCE")
        for point in border[:points]:
            testing.click(view, point)
        if points == POINTS:
            testing.click(view, border[-1], testing.RIGHT)
            testing.process_events()

    def end(self) -> None:
        """Two keys: how sure, and finished."""
        from slicer_host import testing

        done = self.readings.session.done
        testing.press_key("4")
        testing.press_key("Return", testing.CONTROL)
        assert self.readings.session.done == done + 1, self.panel.ui.refusalLabel.text

    def read(self) -> None:
        self.begin()
        self.draw()
        self.end()


def killedInTheMiddleOfADrawing(study, contours) -> list:
    """A host in which r1 reads one case and half of another; returns what was drawn when it was killed."""
    given = {"study": str(study), "contours": {code: points.tolist() for code, points in contours.items()}}
    process = subprocess.Popen(
        [sys.executable, "-c", PLAYER, json.dumps(given)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    line = process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    _, told = process.communicate()
    assert line, told
    assert process.returncode == -signal.SIGKILL
    return json.loads(line)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_the_whole_study(loadedModule, study, contours, preparedStudy):
    import slicer

    left = killedInTheMiddleOfADrawing(study, contours)
    assert len(left) == 5
    player = Player(loadedModule, contours)
    try:
        player.signIn(study, "r1")
        resumeAndFinish(player, left)
        while player.readings.session.done < 12:
            player.read()
        assert player.panel.ui.caseLabel.text == "All readings are done. Thank you."
        player.signOut()
        player.signIn(study, "r2")
        for _ in range(12):
            player.read()
    finally:
        player.readings.signOut()
        player.panel.ui.studyEdit.setCurrentPath("")
    assert slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") == []
    assertTheStudyIsWhole(study, preparedStudy)


def resumeAndFinish(player, left):
    """The reading that the crash interrupted is gone on with, its drawing in place."""
    slot = player.readings.session.current
    assert player.readings.session.done == 1
    assert player.panel.ui.caseLabel.text.startswith("To be gone on with")
    player.begin()
    assert player.readings.shown == slot
    np.testing.assert_array_equal(player.readings.drawing().contour, left)
    player.module.panels[2].ui.clickButton.click()  # drawn again from the start
    player.draw()
    assert len(player.readings.drawing().contour) == POINTS
    player.end()


def assertTheStudyIsWhole(study, preparedStudy):
    from her2map.study.aggregate import aggregate
    from her2map.study.protocol import read_protocol
    from her2map.study.readings import read_readings
    from her2map.study.verify import verify_study

    protocol = read_protocol(study)
    assert [one.problems for one in verify_study(protocol)] == [(), ()]
    readings = read_readings(protocol)
    assert {reader: [one.state for one in ones] for reader, ones in readings.items()} == {
        reader: ["finished"] * 12 for reader in ("r1", "r2")
    }
    values = aggregate(protocol, readings)
    assert list(values.by_case["case"]) == list(preparedStudy.codes)
    assert not values.by_case.isna().any().any()
    assert not values.incomplete
    for one in (*readings["r1"], *readings["r2"]):
        assert one.result["confidence"] == 4
        assert one.edits >= POINTS - 1
        assert one.result["values"]["T2star"]["coverage"] > 0.9
    for path in (study / "readings").glob("*.sqlite"):
        content = path.read_bytes()
        assert b"Doe" not in content and b"dicom" not in content
