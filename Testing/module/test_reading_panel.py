"""The reader's panel: signing in, keys, what is refused and said, what is hidden meanwhile."""

import sqlite3

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")
pytest_plugins = ["slicer_host.pytest_fixtures"]

DCE = "HER2MapDCE"


@pytest.fixture
def panel(loadedModule, study):
    found = next(panel for panel in loadedModule.panels if type(panel).__name__ == "ReadingPanel")
    found.ui.studyEdit.setCurrentPath(str(study))
    yield found
    loadedModule.logic.readings.signOut()
    found.ui.studyEdit.setCurrentPath("")


@pytest.fixture
def signedIn(panel):
    from slicer_host import testing

    panel.ui.readerBox.setCurrentText("r1")
    panel.ui.signInButton.click()
    testing.process_events()
    return panel


def visibleSections(module):
    return {type_.__name__ for type_, section in module.sections.items() if not section.isHidden()}


def drawByClicks(points):
    from slicer_host import testing

    where = testing.slice_view(DCE)
    for point in points:
        testing.click(where, point)
    testing.click(where, points[-1], testing.RIGHT)
    testing.process_events(6)


def drawTumour(panel, contours):
    panel.readingRoom.jumpTo(contours[panel.readings.shown.case][0])
    from slicer_host import testing

    testing.process_events(6)
    drawByClicks(contours[panel.readings.shown.case])


def test_readers_of_the_study_are_offered_and_none_is_chosen(panel, tmp_path):
    box = panel.ui.readerBox
    assert [box.itemText(i) for i in range(box.count)] == ["r1", "r2"]
    assert panel.ui.studyTitleLabel.text == "Breast study"
    assert not panel.ui.signInButton.enabled
    box.setCurrentIndex(1)
    assert panel.ui.signInButton.enabled and panel.ui.trainingButton.enabled
    panel.ui.studyEdit.setCurrentPath(str(tmp_path / "nowhere"))
    assert box.count == 0 and not panel.ui.signInButton.enabled
    assert "no study" in panel.ui.studyTitleLabel.text


def test_what_a_reader_must_not_use_is_hidden_while_signed_in(loadedModule, panel):
    before = visibleSections(loadedModule)
    panel.ui.readerBox.setCurrentText("r1")
    panel.ui.signInButton.click()
    assert visibleSections(loadedModule) == {"ReadingPanel", "RoiPanel", "ValuesPanel"}
    assert panel.ui.signInBox.isHidden() and not panel.ui.sessionBox.isHidden()
    panel.ui.signOutButton.click()
    assert panel.ui.readerBox.currentIndex == -1 and not panel.ui.signInButton.enabled
    assert visibleSections(loadedModule) == before
    assert not panel.ui.signInBox.isHidden() and panel.ui.sessionBox.isHidden()


def test_a_scene_with_something_in_it_is_closed_only_after_a_question(shownExam, panel, monkeypatch):
    import slicer

    asked, answers = [], [False, True]
    monkeypatch.setattr(
        slicer.util, "confirmOkCancelDisplay", lambda text, *a, **k: asked.append(text) or answers.pop(0)
    )
    panel.ui.readerBox.setCurrentText("r1")
    panel.ui.signInButton.click()
    assert panel.readings.session is None and shownExam.exam is not None
    panel.ui.signInButton.click()
    assert panel.readings.session is not None and shownExam.exam is None
    assert len(asked) == 2 and "closes the scene" in asked[0]


def test_three_keys_make_a_reading(signedIn, contours):
    from slicer_host import testing

    panel = signedIn
    assert panel.ui.caseLabel.text.startswith("Next: Case ")
    testing.press_key("N")
    slot = panel.readings.shown
    assert panel.ui.caseLabel.text == f"Case {slot.case}, reading 1 of 3"
    assert panel.readingRoom.shown and panel.ui.nextButton.text == "Show again"
    testing.press_key("N")
    assert panel.readings.shown == slot
    drawTumour(panel, contours)
    assert panel.logic.problem == ""
    assert "1 to 5" in panel.ui.refusalLabel.text and not panel.ui.finishButton.enabled
    testing.press_key("4")
    assert panel.ui.confidence4.checked and panel.ui.confidenceText.text == "sure"
    assert panel.ui.finishButton.enabled and panel.ui.refusalLabel.isHidden()
    testing.press_key("Return", testing.CONTROL)
    assert panel.readings.shown is None and panel.readings.session.done == 1
    assert panel.ui.progressBar.value == 1 and panel.ui.progressBar.maximum == 12
    assert "1 of 12" in panel.ui.progressBar.text


def edits(study):
    with sqlite3.connect(study / "readings" / "r1.sqlite") as store:
        return store.execute("SELECT count(*) FROM entry WHERE kind = 'edited'").fetchone()[0]


def test_a_point_that_is_dragged_is_one_edit(signedIn, contours, study):
    from slicer_host import testing

    panel = signedIn
    panel.onNext()
    drawTumour(panel, contours)
    points = np.array(panel.readings.drawing().contour)
    before, value = edits(study), panel.logic.values.values["T1_pre"].value
    assert before >= len(points) - 1
    outwards = points[0] + 0.5 * (points[0] - points.mean(axis=0))
    path = [points[0] + part * (outwards - points[0]) for part in np.linspace(0, 1, 8)]
    testing.drag(testing.slice_view(DCE), path)
    assert panel.logic.values.values["T1_pre"].value != value
    assert edits(study) == before + 1
    np.testing.assert_array_equal(panel.readings.session.drawing.contour, panel.readings.drawing().contour)
    testing.press_key("Z", testing.CONTROL)
    assert edits(study) == before + 2
    np.testing.assert_allclose(panel.readings.session.drawing.contour, points)


def test_opening_that_is_cancelled_can_be_tried_again(signedIn, study):
    import shutil

    import qt
    import slicer

    panel = signedIn
    shutil.rmtree(study / "cache")
    timer = qt.QTimer()

    def cancel():
        dialog = slicer.app.activeModalWidget()
        if dialog is not None:
            timer.stop()
            dialog.cancel()

    timer.connect("timeout()", cancel)
    timer.start(20)
    panel.onNext()
    assert panel.readings.shown is None and panel.readings.session.current is not None
    assert panel.ui.caseLabel.text.startswith("To be gone on with") and panel.ui.nextButton.enabled
    panel.onNext()
    assert panel.readings.shown is not None


def test_finish_is_refused_with_the_reason_in_view(signedIn, contours):
    from slicer_host import testing

    panel = signedIn
    testing.press_key("N")
    panel.logic.readings.ending.emit()
    testing.press_key("3")
    testing.press_key("Return", testing.CONTROL)
    assert panel.readings.shown is not None
    assert "draw the tumour" in panel.ui.refusalLabel.text and not panel.ui.refusalLabel.isHidden()
    panel.logic.setContour(contours[panel.readings.shown.case] + [500.0, 0.0, 0.0])
    assert "no value" in panel.ui.refusalLabel.text.lower()
    assert not panel.ui.finishButton.enabled


def test_a_map_that_was_removed_comes_back(signedIn, contours):
    import slicer

    from HER2MapModuleLib import map_nodes, scene

    panel = signedIn
    panel.onNext()
    slot = panel.readings.shown
    panel.logic.setContour(contours[slot.case])
    panel.setConfidence(4)
    panel.ui.remarkEdit.text = "two lesions"
    before = panel.readings.drawing()
    scene.removeNode(map_nodes.mapNode("T2"))
    assert "no value" in panel.ui.refusalLabel.text.lower()
    panel.ui.nextButton.click()
    assert (panel.readings.shown, panel.readings.drawing()) == (slot, before)
    assert map_nodes.mapNode("T2") is not None and panel.ui.finishButton.enabled
    assert (panel.confidence, panel.ui.remarkEdit.text) == (4, "two lesions")
    panel.ui.finishButton.click()
    assert panel.readings.session.done == 1
    assert slicer.util.getNodesByClass("vtkMRMLVolumeNode") == []


def test_keys_go_into_a_text_field_that_has_the_focus(signedIn):
    import slicer

    from slicer_host import testing

    panel = signedIn
    testing.press_key("N")
    panel.logic.readings.ending.emit()
    slicer.util.mainWindow().activateWindow()
    panel.ui.remarkEdit.setFocus()
    testing.process_events()
    for key in ("N", "3"):
        testing.press_key(key, widget=panel.ui.remarkEdit)
    assert panel.ui.remarkEdit.text.lower() == "n3"
    assert panel.confidence is None


def test_keys_are_there_only_while_signed_in_and_entered(loadedModule, panel):
    import qt
    import slicer

    from slicer_host import testing

    def keys():
        testing.process_events()
        found = slicer.util.mainWindow().findChildren(qt.QShortcut)
        return {shortcut.key.toString() for shortcut in found} - {"Ctrl+Z", "Ctrl+Y", "Esc"}

    assert keys() == set()
    panel.ui.readerBox.setCurrentText("r1")
    panel.ui.signInButton.click()
    assert keys() == {"N", "1", "2", "3", "4", "5", "Ctrl+Return", "Ctrl+Enter"}
    slicer.util.selectModule("")
    assert keys() == set()
    slicer.util.selectModule("HER2MapModule")
    assert len(keys()) == 8
    panel.ui.signOutButton.click()
    assert keys() == set()


def test_the_grid_tells_states_and_no_values(signedIn, contours, monkeypatch):
    from HER2MapModuleLib import reading_panel

    panel = signedIn
    table = panel.ui.gridTable
    assert (table.rowCount, table.columnCount) == (3, 4)
    assert {table.item(r, c).text() for r in range(3) for c in range(4)} == {"·"}
    panel.onNext()
    column = int(panel.readings.shown.case) - 1
    assert table.item(0, column).text() == "▶"
    panel.logic.setContour(contours[panel.readings.shown.case])
    panel.setConfidence(5)
    panel.ui.finishButton.click()
    assert table.item(0, column).text() == "✓"
    panel.onNext()
    skipped = int(panel.readings.shown.case) - 1
    monkeypatch.setattr(reading_panel, "askForReason", lambda title: "clip in the tumour")
    panel.ui.skipButton.click()
    assert table.item(0, skipped).text() == "✕"
    shown = [table.item(0, number).background().color().name() for number in (column, skipped)]
    assert len({*shown, table.item(2, 0).background().color().name()}) == 3
    assert panel.ui.progressBar.value == 2


def test_reopen_brings_the_drawing_back(signedIn, contours, monkeypatch):
    from HER2MapModuleLib import reading_panel

    panel = signedIn
    panel.onNext()
    slot = panel.readings.shown
    assert not panel.ui.reopenButton.enabled
    panel.logic.setContour(contours[slot.case])
    panel.setConfidence(2)
    panel.ui.finishButton.click()
    offered = []
    monkeypatch.setattr(
        reading_panel,
        "chooseWithReason",
        lambda title, label, items: offered.extend(items) or (0, "wrong breast"),
    )
    panel.ui.reopenButton.click()
    assert offered == [f"Case {slot.case}, reading 1 of 3"]
    assert panel.readings.shown == slot
    np.testing.assert_array_equal(panel.readings.drawing().contour, contours[slot.case])
    assert panel.confidence == 2


def test_a_question_that_is_cancelled_skips_nothing(signedIn):
    import qt
    import slicer

    panel = signedIn
    panel.onNext()

    def cancel():
        dialog = slicer.app.activeModalWidget()
        buttons = dialog.findChild(qt.QDialogButtonBox)
        assert not buttons.button(qt.QDialogButtonBox.Ok).enabled
        dialog.findChild(qt.QLineEdit).text = "a reason"
        assert buttons.button(qt.QDialogButtonBox.Ok).enabled
        dialog.reject()

    qt.QTimer.singleShot(50, cancel)
    panel.ui.skipButton.click()
    assert panel.readings.shown is not None and panel.readings.session.done == 0


def test_a_scene_closed_in_the_middle_is_said_and_can_be_gone_on_with(signedIn, contours):
    import slicer

    panel = signedIn
    panel.onNext()
    slot = panel.readings.shown
    panel.logic.setContour(contours[slot.case])
    slicer.mrmlScene.Clear(0)
    assert "still open" in panel.ui.noticeLabel.text and not panel.ui.noticeLabel.isHidden()
    assert panel.ui.caseLabel.text == f"To be gone on with: Case {slot.case}, reading 1 of 3"
    assert panel.ui.nextButton.enabled and not panel.ui.finishButton.enabled
    panel.onNext()
    assert panel.readings.shown == slot and panel.ui.noticeLabel.isHidden()
    assert len(panel.readings.drawing().contour) == len(contours[slot.case])


def test_when_nothing_may_begin_it_is_said_until_when(panel, study):
    from study_samples import change_study

    change_study(study, minimum_interval_hours=24, repeats=2)
    panel.ui.readerBox.setCurrentText("r1")
    panel.ui.signInButton.click()
    for _ in range(4):
        panel.onNext()
        panel.readings.skip("test")
    assert "24 hours apart" in panel.ui.caseLabel.text
    assert ", from 20" in panel.ui.caseLabel.text
    assert not panel.ui.nextButton.enabled


def test_training_shows_the_truth_and_the_gate(panel, study):
    from her2map.markups import read_roi

    text = (study / "study.toml").read_text(encoding="utf-8").replace("# [gate]", "[gate]")
    text = text.replace("# statistic", "statistic").replace("# limit", "limit")
    text = text.replace("# parameters", "parameters")
    (study / "study.toml").write_text(text, encoding="utf-8")
    panel.ui.readerBox.setCurrentText("r1")
    panel.ui.trainingButton.click()
    assert "training" in panel.ui.whoLabel.text
    panel.onNext()
    folder = study / "training" / "exams" / "small-1" / panel.readings.shown.case
    panel.logic.setContour(read_roi(folder / "roi.mrk.json", 3.0).outline[::20])
    panel.setConfidence(4)
    panel.ui.finishButton.click()
    table = panel.ui.truthTable
    assert not table.isHidden() and table.rowCount == 6
    assert table.item(0, 3).text().endswith("%")
    assert "Before the study opens" in panel.ui.gateLabel.text
    assert "1 of 8" in panel.ui.gateLabel.text


def test_the_study_stays_closed_before_the_training(panel, study, monkeypatch):
    import slicer

    said = []
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, *a, **k: said.append(text))
    toml = study / "study.toml"
    gate = '[gate]\nstatistic = "wcv"\nlimit = 0.05\nparameters = ["T2"]\n\n[[cases]]'
    toml.write_text(toml.read_text(encoding="utf-8").replace("[[cases]]", gate, 1), encoding="utf-8")
    panel.ui.readerBox.setCurrentText("r2")
    panel.ui.signInButton.click()
    assert panel.readings.session is None
    assert len(said) == 1 and "training" in said[0]
