"""The module in the host, and a small phantom exam for it."""

import os
import shutil
from pathlib import Path

import pytest

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")

MODULE = Path(__file__).parents[2] / "HER2MapModule" / "HER2MapModule.py"


@pytest.fixture(scope="session")
def phantomFolder(tmp_path_factory):
    """A folder with dicom/, truth.json and roi.mrk.json."""
    from her2map.phantom import ExamSettings, write_exam

    folder = tmp_path_factory.mktemp("phantom") / "exam"
    write_exam(folder, ExamSettings.small(), seed=1)
    return folder


@pytest.fixture
def loadedModule(host):
    """The module's widget, entered, with an empty scene."""
    import slicer

    import slicer_host

    if not hasattr(slicer.modules, "her2mapmodule"):
        slicer_host.load_module(MODULE)
    slicer.util.selectModule("HER2MapModule")
    slicer.app.processEvents()
    return slicer.modules.HER2MapModuleWidget


@pytest.fixture(scope="session")
def fittedExam(phantomFolder):
    """The exam and its maps by the library, fitted once."""
    from her2map.exam import fit_exam, read_exam

    exam = read_exam(phantomFolder / "dicom")
    return exam, fit_exam(exam)


@pytest.fixture
def shownExam(loadedModule, fittedExam, phantomFolder):
    """The module's logic with that exam and its maps in the scene."""
    import slicer

    exam, maps = fittedExam
    loadedModule.logic.takeExam(exam, str(phantomFolder / "dicom"))
    loadedModule.logic.takeMaps(maps)
    slicer.app.processEvents()
    return loadedModule.logic


@pytest.fixture
def outline(phantomFolder):
    """Control points (n, 3) of the phantom's own contour."""
    from her2map.markups import read_roi

    return read_roi(phantomFolder / "roi.mrk.json", 3.0).outline[::4]


READERS = ("r1", "r2")


@pytest.fixture(scope="session")
def preparedStudy(tmp_path_factory):
    """A study of four small phantoms, each another tumour, with every case in the cache."""
    from her2map.phantom import ExamSettings, write_exam
    from her2map.study.prepared import prepare_case
    from her2map.study.protocol import Case, read_protocol
    from her2map.study.setup import new_study
    from study_samples import change_study

    root = tmp_path_factory.mktemp("study")
    for seed in range(1, 5):
        write_exam(root / "exams" / f"Doe_Jane_{seed}", ExamSettings.small(), seed=seed)
    cases = [Case(f"{seed:03}", root / "exams" / f"Doe_Jane_{seed}" / "dicom") for seed in range(1, 5)]
    new_study(root / "study", "Breast study", cases, READERS)
    change_study(root / "study", minimum_interval_hours=0, seed=7)
    training = (root / "study" / "study.toml").read_text(encoding="utf-8").replace('"standard"', '"small"')
    (root / "study" / "study.toml").write_text(training, encoding="utf-8")
    protocol = read_protocol(root / "study")
    for code in protocol.codes:
        prepare_case(protocol, code)
    return protocol


@pytest.fixture
def study(preparedStudy, tmp_path):
    """The folder of that study, nothing read yet."""
    folder = tmp_path / "study"
    shutil.copytree(preparedStudy.folder, folder, copy_function=os.link)
    (folder / "study.toml").unlink()
    shutil.copy(preparedStudy.folder / "study.toml", folder / "study.toml")
    return folder


@pytest.fixture
def contours(preparedStudy):
    """By case: control points (n, 3) of the phantom's own contour."""
    from her2map.markups import read_roi

    folders = {case.code: case.folder.parent for case in preparedStudy.cases}
    return {code: read_roi(folder / "roi.mrk.json", 3.0).outline[::20] for code, folder in folders.items()}


@pytest.fixture
def logic(loadedModule):
    yield loadedModule.logic
    loadedModule.logic.readings.signOut()


@pytest.fixture
def reading(logic, study):
    """A reader signed in, with the first case open."""
    from reading_steps import openNext

    logic.readings.signIn(str(study), "r1")
    openNext(logic)
    return logic.readings


@pytest.fixture
def roiPanel(loadedModule, shownExam):
    """The ROI panel, with the reading room shown."""
    from drawing_steps import panelOf, settle

    loadedModule.readingRoom.show()
    settle()
    yield panelOf(loadedModule, "RoiPanel")
    settle()


@pytest.fixture
def centre(phantomFolder, roiPanel):
    """(3,) RAS of the phantom's tumour on its largest slice, which the views show."""
    import json

    import numpy as np
    import slicer
    from drawing_steps import DCE, settle

    truth = json.loads((phantomFolder / "truth.json").read_text(encoding="utf-8"))
    point = np.array(truth["tumour_centre_lps_mm"]) * [-1, -1, 1]
    roiPanel.readingRoom.jumpTo(point)
    settle()
    assert slicer.app.layoutManager().sliceWidget(DCE).mrmlSliceNode().GetSliceOffset() != 0
    return point
