"""The coordinator's cohort: its tables and ROC curves in the scene, its report on the disk."""

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")
pytest_plugins = ["slicer_host.pytest_fixtures"]


@pytest.fixture(scope="module")
def cohortFolder(tmp_path_factory):
    """study/ that two readers have finished, and pathology.csv."""
    from cohort_data import simulated_cohort, write_cohort, write_study

    folder = tmp_path_factory.mktemp("cohort")
    frame = simulated_cohort(5, 20, 20)
    write_cohort(folder, frame)
    write_study(folder / "study", frame)
    return folder


@pytest.fixture
def panel(loadedModule, cohortFolder, monkeypatch):
    import slicer

    from HER2MapModuleLib import cohort_work

    found = next(panel for panel in loadedModule.panels if type(panel).__name__ == "StudyPanel")
    found.said = []
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, *a, **k: found.said.append(text))
    monkeypatch.setattr(cohort_work, "BOOTSTRAPS", 0)
    found.ui.folderEdit.setCurrentPath(str(cohortFolder / "study"))
    yield found
    found.ui.folderEdit.setCurrentPath("")


def analyse(panel, pathology, target):
    """Press the button and answer its questions; what the form proposed for the pathology."""
    import ctk
    import qt
    import slicer

    proposed = []

    def answer():
        dialog = slicer.app.activeModalWidget()
        table, folder = dialog.findChildren(ctk.ctkPathLineEdit)
        proposed.append(table.currentPath)
        ok = dialog.findChild(qt.QDialogButtonBox).button(qt.QDialogButtonBox.Ok)
        table.setCurrentPath(str(pathology))
        assert not ok.enabled
        folder.setCurrentPath(str(target))
        ok.click()

    qt.QTimer.singleShot(50, answer)
    panel.ui.analyseButton.click()
    return proposed[0]


def found(folder):
    from her2map.cohort.analysis import analyse
    from her2map.cohort.analysis_options import AnalysisOptions
    from her2map.cohort.inputs import read_cohort

    cohort = read_cohort(folder / "study", folder / "pathology.csv")
    return analyse(cohort, AnalysisOptions(bootstraps=0))


def test_tables_curves_and_report_are_the_librarys(panel, cohortFolder, tmp_path, monkeypatch):
    import qt
    import slicer

    from her2map.cohort.results import result_tables
    from HER2MapModuleLib import cohort_nodes, cohort_work

    assert panel.ui.openReportButton.isHidden()
    assert analyse(panel, cohortFolder / "pathology.csv", tmp_path / "out") == ""
    assert panel.said == []
    direct = found(cohortFolder)
    for name in cohort_work.SHOWN:
        table, frame = cohort_nodes.cohortNode("vtkMRMLTableNode", name), result_tables(direct)[name]
        assert (table.GetNumberOfRows(), table.GetNumberOfColumns()) == frame.shape
        for column in frame.columns:
            if frame[column].dtype.kind in "iuf":
                values = [table.GetTable().GetColumnByName(column).GetValue(i) for i in range(len(frame))]
                np.testing.assert_allclose(values, frame[column])
    chart = cohort_nodes.cohortNode("vtkMRMLPlotChartNode", "roc")
    known = [one for one in direct.markers if one.curve.auc.known]
    assert chart.GetNumberOfPlotSeriesNodes() == len(known) + 1
    series = chart.GetNthPlotSeriesNode(0)
    points = slicer.util.arrayFromTableColumn(series.GetTableNode(), "y")
    np.testing.assert_allclose(points, known[0].curve.sensitivity)
    assert f"{known[0].curve.auc.value:.2f}" in series.GetName()
    views = slicer.util.getNodesByClass("vtkMRMLPlotViewNode")
    assert chart.GetID() in [view.GetPlotChartNodeID() for view in views]
    assert "45 cases" in panel.ui.headLabel.text and "5 HER2-zero" in panel.ui.headLabel.text
    titles = [panel.ui.whichBox.itemText(i) for i in range(panel.ui.whichBox.count)]
    assert titles[:2] == ["Imaging by HER2 group", "Performance"]
    opened = []
    monkeypatch.setattr(qt.QDesktopServices, "openUrl", opened.append, raising=False)
    assert not panel.ui.openReportButton.isHidden()
    panel.ui.openReportButton.click()
    assert opened[0].toLocalFile() == str(tmp_path / "out" / "report.html")
    assert (tmp_path / "out" / "report.html").is_file()


def test_analysed_again_the_scene_has_one_set(panel, cohortFolder, tmp_path):
    import slicer

    from HER2MapModuleLib import cohort_nodes, scene

    for _ in range(2):
        analyse(panel, cohortFolder / "pathology.csv", tmp_path / "out")
    assert len(scene.nodesWith("vtkMRMLPlotChartNode", cohort_nodes.COHORT)) == 1
    cohort_nodes.removeCohort()
    assert slicer.util.getNodesByClass("vtkMRMLTableNode") == []
    assert slicer.util.getNodesByClass("vtkMRMLPlotSeriesNode") == []


def test_the_studys_own_pathology_is_proposed(panel, cohortFolder, tmp_path, study):
    toml = study / "study.toml"
    pathology = tmp_path / "own.csv"
    pathology.write_bytes((cohortFolder / "pathology.csv").read_bytes())
    toml.write_text(f'pathology = "{pathology.as_posix()}"\n' + toml.read_text(encoding="utf-8"), "utf-8")
    panel.ui.folderEdit.setCurrentPath(str(study))
    assert analyse(panel, pathology, tmp_path / "out") == str(pathology)
    assert len(panel.said) == 1  # nobody has read this study
    assert panel.ui.openReportButton.isHidden() and not (tmp_path / "out" / "report.html").exists()


def test_it_can_be_cancelled(panel, cohortFolder, tmp_path, monkeypatch):
    import qt
    import slicer

    from HER2MapModuleLib import cohort_work

    monkeypatch.setattr(cohort_work, "BOOTSTRAPS", 100_000)
    timer = qt.QTimer()

    def cancel():
        dialog = slicer.app.activeModalWidget()
        if hasattr(dialog, "cancel"):
            timer.stop()
            dialog.cancel()

    timer.connect("timeout()", cancel)
    timer.start(100)
    analyse(panel, cohortFolder / "pathology.csv", tmp_path / "out")
    assert panel.said == [] and panel.ui.headLabel.text == ""
    assert not (tmp_path / "out" / "report.html").exists()
    assert slicer.util.getNodesByClass("vtkMRMLTableNode") == []
