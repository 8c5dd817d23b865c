"""The maps panel and the values panel."""

import csv

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")
pytest_plugins = ["slicer_host.pytest_fixtures"]


def panelOf(name):
    import slicer

    return next(p for p in slicer.modules.HER2MapModuleWidget.panels if type(p).__name__ == name)


@pytest.fixture
def drawn(shownExam, phantomFolder):
    """The phantom's own contour, drawn."""
    from her2map.markups import read_roi

    shownExam.setContour(read_roi(phantomFolder / "roi.mrk.json", 3.0).outline[::4])
    return shownExam


def test_presets_set_every_option(loadedModule):
    from her2map.fitting import PAPER, RECOMMENDED

    panel, logic = panelOf("MapsPanel"), loadedModule.logic
    panel.ui.optionsBox.collapsed = False
    panel.ui.paperButton.click()
    assert logic.fitOptions == PAPER
    assert panel.ui.snrBox.value == 5.0
    panel.ui.recommendedButton.click()
    assert logic.fitOptions == RECOMMENDED
    panel.ui.snrBox.value = 3.0
    assert logic.fitOptions.minimum_snr == 3.0


def test_one_map_is_fitted_with_its_options(loadedModule, fittedExam):
    from her2map.fitting import FitOptions, fit_group
    from her2map.series import Role
    from HER2MapModuleLib import map_nodes

    exam, maps = fittedExam
    panel, logic = panelOf("MapsPanel"), loadedModule.logic
    logic.takeExam(exam)
    logic.parameters.vfaMethod = "linear"
    panel.ui.oneMapBox.setCurrentIndex(map_nodes.MEASURED.index("T1_pre"))
    panel.ui.fitOneButton.click()
    shown = map_nodes.readMaps()
    assert set(shown) == {"T1_pre", "B1"}
    expected = fit_group(exam.group(Role.T1_PRE), FitOptions(vfa_method="linear"), {"B1": maps["B1"]})
    np.testing.assert_array_equal(shown["T1_pre"].map.value, expected.map.value.astype("f4"))


def test_a_cancelled_fit_changes_nothing(loadedModule, fittedExam, monkeypatch):
    """The dialog's own Cancel button."""
    import qt
    import slicer

    exam, _ = fittedExam
    panel, logic = panelOf("MapsPanel"), loadedModule.logic
    logic.takeExam(exam)
    before = slicer.mrmlScene.GetNumberOfNodes()

    def cancel():
        for dialog in slicer.util.mainWindow().findChildren(qt.QProgressDialog):
            dialog.cancel()

    timer = qt.QTimer()
    timer.connect("timeout()", cancel)
    timer.start(50)
    panel.ui.fitButton.click()
    timer.stop()
    assert logic.fitted == {}
    assert slicer.mrmlScene.GetNumberOfNodes() == before


def test_notes_and_warnings_are_shown(drawn):
    panel = panelOf("MapsPanel")
    assert "Note: T2: echoes used" in panel.ui.warningsLabel.text
    assert "⚠" not in panel.ui.warningsLabel.text


def test_values_are_shown_copied_and_saved(drawn, tmp_path):
    import slicer

    from her2map.report.tables import value_rows

    panel = panelOf("ValuesPanel")
    rows = value_rows(drawn.values)
    table = panel.ui.valuesTable
    assert [table.item(i, 0).text() for i in range(table.rowCount)] == [row.biomarker for row in rows]
    panel.ui.copyButton.click()
    copied = slicer.app.clipboard().text().splitlines()
    assert len(copied) == len(rows) + 1
    assert copied[1].split("\t")[0] == "T1_pre"
    panel.save(str(tmp_path / "values.csv"))
    with (tmp_path / "values.csv").open() as file:
        saved = {line["biomarker"]: float(line["value"]) for line in csv.DictReader(file)}
    assert saved == {row.biomarker: row.value for row in rows}


def test_a_value_that_is_missing_is_explained_below_the_table(drawn):
    drawn.setContour(drawn.roi().outline[::8] + [500.0, 0.0, 0.0])
    panel = panelOf("ValuesPanel")
    header, rows = panel._table()
    table = panel.ui.valuesTable
    shown = [table.horizontalHeaderItem(i).text() for i in range(table.columnCount)]
    assert shown == list(header[:-1]) and "Remark" not in shown
    for row in rows:
        assert row[-1] and f"{row[0]}: {row[-1]}" in panel.ui.problemLabel.text


def test_a_folder_that_cannot_be_written_is_told(drawn, tmp_path, monkeypatch):
    import slicer

    said = []
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, *args, **more: said.append(text))
    (tmp_path / "file").write_text("")
    panelOf("ValuesPanel").save(str(tmp_path / "file" / "values.csv"))
    assert len(said) == 1 and "\n" not in said[0]


def test_reload_and_leave_keep_no_error(drawn, loadedModule):
    """Slicer's Reload; the scene stays, and the new widget shows it."""
    import slicer

    from slicer_host import testing

    value = drawn.values.values["T2"].value
    slicer.util.reloadScriptedModule("HER2MapModule")
    slicer.util.selectModule("HER2MapModule")
    testing.process_events()
    logic = slicer.modules.HER2MapModuleWidget.logic
    assert logic is not drawn
    logic.measure()
    assert logic.values.values["T2"].value == value
    assert testing.errors() == []


def test_reloading_leaves_no_old_logic_behind(loadedModule):
    """Old panels would keep an exam's pixels."""
    import gc

    import slicer

    from slicer_host import testing

    for _ in range(3):
        slicer.util.reloadScriptedModule("HER2MapModule")
        slicer.util.selectModule("HER2MapModule")
        testing.process_events()
    del loadedModule
    gc.collect()
    living = [o for o in gc.get_objects() if type(o).__name__ == "HER2MapModuleLogic"]
    assert len(living) <= 2  # the fixture of this test keeps the first
