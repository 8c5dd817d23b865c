"""The module in a Slicer without the packages that it does not bring."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from slicer_lacks import MISSING

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")

TESTING = Path(__file__).parents[1]
START = f"""
import importlib.abc, importlib.util, sys

class Blocked(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {MISSING!r}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Blocked())
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name in {MISSING!r} else found(name, package)
sys.path.insert(0, {str(TESTING)!r})
import app
widget = app.start(testing=True)
import slicer
from slicer_host import testing
"""


def output(code: str) -> str:
    """What Python prints that runs `code` after the module has started."""
    done = subprocess.run(
        [sys.executable, "-c", START + code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_module_starts_and_reads_dicom(phantomFolder):
    code = f"""
widget.panels[0].read({str(phantomFolder / "dicom")!r})
print(len(widget.logic.facts["series"]), len(testing.errors()))
"""
    assert output(code) == "16 0" or output(code).endswith(" 0")


def test_fitting_asks_for_what_is_missing_and_takes_no_for_an_answer(phantomFolder):
    """In testing mode Slicer answers its own questions with no."""
    code = f"""
asked = []
slicer.util.confirmOkCancelDisplay = lambda text, *a, **k: asked.append(text) or False
said = []
slicer.util.errorDisplay = lambda text, *a, **k: said.append(text)
widget.panels[0].read({str(phantomFolder / "dicom")!r})
widget.panels[1].fit()
print(asked[0])
print(said[0])
"""
    asked, said = output(code).splitlines()
    assert "threadpoolctl" in asked and "Install now?" in asked
    assert said == "Not done: the package(s) threadpoolctl are missing."


def test_a_reader_reads_prepared_cases_without_any_package(study, contours):
    code = f"""
asked = []
slicer.util.confirmOkCancelDisplay = lambda text, *a, **k: asked.append(text) or False
said = []
slicer.util.errorDisplay = lambda text, *a, **k: said.append(text)
panel = widget.panels[6]
panel.ui.studyEdit.setCurrentPath({str(study)!r})
panel.ui.readerBox.setCurrentText("r1")
panel.ui.signInButton.click()
panel.onNext()
widget.logic.setContour(CONTOURS[widget.logic.readings.shown.case])
panel.setConfidence(3)
panel.onFinish()
print(widget.logic.readings.session.done, asked, said)
"""
    shapes = {case: points.round(3).tolist() for case, points in contours.items()}
    assert output(f"CONTOURS = {shapes!r}\n{code}") == "1 [] []"
