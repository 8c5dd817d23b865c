"""The module in the host, and a small phantom exam for it."""

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
