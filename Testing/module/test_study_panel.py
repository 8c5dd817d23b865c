"""The coordinator's panel: making, checking and preparing a study, and what is told of its readings."""

import re

import pytest

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")
pytest_plugins = ["slicer_host.pytest_fixtures"]


@pytest.fixture
def panel(loadedModule, study):
    found = next(panel for panel in loadedModule.panels if type(panel).__name__ == "StudyPanel")
    found.ui.folderEdit.setCurrentPath(str(study))
    yield found
    found.ui.folderEdit.setCurrentPath("")


@pytest.fixture
def said(monkeypatch):
    import slicer

    texts = []
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, *args, **more: texts.append(text))
    return texts


@pytest.fixture
def readStudy(study, contours):
    """Both readers have read every case three times; r2 draws case 001 otherwise the third time."""
    from her2map.roi import Roi
    from her2map.study.session import open_session
    from study_data import read_one

    for reader in ("r1", "r2"):
        with open_session(study, reader) as session:
            while session.upcoming.slot is not None:
                case, repeat = session.upcoming.slot
                outline = contours[case]
                if (reader, case, repeat) == ("r2", "001", 3):
                    outline = outline.mean(axis=0) + 1.9 * (outline - outline.mean(axis=0))
                read_one(session, Roi(outline, 3.0))
    return study


def rows(panel, title):
    """The texts of one of the tables that are shown."""
    box = panel.ui.whichBox
    titles = [box.itemText(i) for i in range(box.count)]
    box.setCurrentIndex(titles.index(title))
    table = panel.ui.resultTable
    return [
        [table.item(row, column).text() for column in range(table.columnCount)]
        for row in range(table.rowCount)
    ]


def test_check_says_that_all_is_there(panel):
    panel.ui.checkButton.click()
    assert "4 cases, readers r1, r2, 3 repeats" in panel.ui.headLabel.text
    assert "All is there" in panel.ui.headLabel.text and panel.ui.alarmLabel.isHidden()


def test_check_tells_every_mistake_with_its_line(panel, study):
    toml = study / "study.toml"
    text = re.sub(r"(?m)^repeats = .*$", "repeats = 0", toml.read_text(encoding="utf-8"), count=1)
    toml.write_text(re.sub(r"(?m)^seed = 7$", 'seed = "x"', text, count=1), encoding="utf-8")
    panel.ui.checkButton.click()
    mistakes = panel.ui.alarmLabel.text.splitlines()
    assert len(mistakes) == 2
    assert all(re.search(r"study\.toml line \d+: ", line) for line in mistakes)
    assert not panel.ui.alarmLabel.isHidden() and "cannot be read" in panel.ui.headLabel.text


def test_check_tells_an_exam_that_is_gone(panel, study):
    toml = study / "study.toml"
    text = toml.read_text(encoding="utf-8").replace("Doe_Jane_3", "Doe_Jane_33")
    toml.write_text(text, encoding="utf-8")
    panel.ui.checkButton.click()
    [line] = panel.ui.alarmLabel.text.splitlines()
    assert "003" in line and "no exam" in line


def test_prepare_all_fills_the_cache_and_tells_what_cannot_be_prepared(panel, study):
    toml = study / "study.toml"
    text = toml.read_text(encoding="utf-8").replace("Doe_Jane_3", "Doe_Jane_33")
    toml.write_text(text, encoding="utf-8")
    for path in (study / "cache").glob("002.*"):
        path.unlink()
    panel.ui.prepareButton.click()
    assert panel.ui.headLabel.text == "3 of 4 cases are prepared."
    assert "Case 003" in panel.ui.alarmLabel.text
    assert len(list((study / "cache").glob("002.*.npz"))) == 1


def test_preparing_can_be_cancelled(panel, study, said):
    import qt
    import slicer

    for path in (study / "cache").iterdir():
        path.unlink()
    timer = qt.QTimer()

    def cancel():
        dialog = slicer.app.activeModalWidget()
        if dialog is not None:
            dialog.cancel()
            timer.stop()

    timer.connect("timeout()", cancel)
    timer.start(30)
    panel.ui.prepareButton.click()
    assert said == []
    assert len(list((study / "cache").glob("*.npz"))) < 4
    assert panel.ui.headLabel.text == ""


def test_status_tells_how_far_readers_are_and_whose_repeats_differ(panel, readStudy):
    panel.ui.statusButton.click()
    assert "4 of 4 cases complete" in panel.ui.headLabel.text
    assert "differ by more than 15 %: cases 001." in panel.ui.alarmLabel.text
    readers = rows(panel, "Readers")
    assert [line[:3] for line in readers] == [["r1", "12", "0"], ["r2", "12", "0"]]
    differing = rows(panel, "Repeats that differ")
    assert {(line[0], line[1]) for line in differing} == {("001", "r2")}


def test_status_of_a_study_that_nobody_has_read(panel):
    panel.ui.statusButton.click()
    assert "0 of 4 cases complete" in panel.ui.headLabel.text
    assert [line[1] for line in rows(panel, "Readers")] == ["0", "0"]
    assert len(rows(panel, "Not complete")) == 4


def test_verify_finds_what_was_changed(panel, readStudy):
    import sqlite3

    panel.ui.verifyButton.click()
    assert panel.ui.headLabel.text == "All is as it was written."
    [first, second] = rows(panel, "Stores")
    assert first[0] == "r1" and int(first[1]) == 36 and len(second[3]) == 64
    with sqlite3.connect(readStudy / "readings" / "r2.sqlite") as store:
        store.execute("UPDATE entry SET time = replace(time, '20', '19') WHERE number = 5")
    panel.ui.verifyButton.click()
    assert panel.ui.headLabel.text == "Something was changed."
    assert "r2: entry 5" in panel.ui.alarmLabel.text


def test_agreement_is_the_librarys(panel, readStudy):
    from her2map.study.agreement import agreement
    from her2map.study.protocol import read_protocol
    from her2map.study.readings import read_readings

    panel.ui.agreementButton.click()
    protocol = read_protocol(readStudy)
    found = agreement(protocol, read_readings(protocol))
    assert len(rows(panel, "Repeatability")) == len(found.repeatability)
    assert len(rows(panel, "Intraclass correlation")) == len(found.icc)
    assert len(rows(panel, "Bland-Altman")) == len(found.bland_altman)
    contours = rows(panel, "Contours")
    assert [line[0] for line in contours] == list(found.overlap["compared"])
    assert len(rows(panel, "Definitions")) == len(found.conventions)


def test_the_table_is_copied(panel, readStudy):
    import slicer

    panel.ui.statusButton.click()
    rows(panel, "Readers")
    panel.ui.copyButton.click()
    lines = slicer.app.clipboard().text().splitlines()
    assert len(lines) == 3 and lines[1].split("\t")[:2] == ["r1", "12"]


@pytest.mark.parametrize("fileFormat", ["CSV", "CSV, Feather"])
def test_export_writes_the_tables(panel, readStudy, tmp_path, fileFormat):
    import ctk
    import qt
    import slicer

    target = tmp_path / "tables"

    def answer():
        dialog = slicer.app.activeModalWidget()
        buttons = dialog.findChild(qt.QDialogButtonBox)
        assert not buttons.button(qt.QDialogButtonBox.Ok).enabled
        dialog.findChild(ctk.ctkPathLineEdit).setCurrentPath(str(target))
        box = next(box for box in dialog.findChildren(qt.QComboBox) if box.findText("CSV") >= 0)
        box.setCurrentText(fileFormat)
        buttons.button(qt.QDialogButtonBox.Ok).click()

    qt.QTimer.singleShot(50, answer)
    panel.ui.exportButton.click()
    assert "24 readings were written" in panel.ui.headLabel.text
    files = {"long.csv", "wide.csv", "readings.csv"}
    files |= {"long.feather", "wide.feather", "readings.feather"} if "Feather" in fileFormat else set()
    assert {path.name for path in target.iterdir()} == files


def test_a_new_study_is_made_of_a_folder_of_exams(panel, preparedStudy, tmp_path, monkeypatch):
    import ctk
    import qt
    import slicer

    from her2map.study.protocol import read_protocol

    folder = tmp_path / "made"

    def answer():
        dialog = slicer.app.activeModalWidget()
        title, readers = [edit for edit in dialog.findChildren(qt.QLineEdit) if edit.minimumWidth == 360]
        title.text = "A new study"
        study, exams = dialog.findChildren(ctk.ctkPathLineEdit)
        study.setCurrentPath(str(folder))
        exams.setCurrentPath(str(preparedStudy.cases[0].folder.parents[1]))
        ok = dialog.findChild(qt.QDialogButtonBox).button(qt.QDialogButtonBox.Ok)
        assert not ok.enabled
        readers.text = "R1, R2 R3"
        ok.click()

    qt.QTimer.singleShot(50, answer)
    panel.ui.newButton.click()
    protocol = read_protocol(folder)
    assert (protocol.title, protocol.readers) == ("A new study", ("R1", "R2", "R3"))
    assert {case.folder.name for case in protocol.cases} == {f"Doe_Jane_{seed}" for seed in range(1, 5)}
    assert panel.ui.folderEdit.currentPath == str(folder)
    assert "4 cases" in panel.ui.headLabel.text


def test_another_folder_clears_what_was_found(panel, tmp_path, said):
    panel.ui.statusButton.click()
    assert panel.ui.headLabel.text
    panel.ui.folderEdit.setCurrentPath(str(tmp_path))
    assert panel.ui.headLabel.text == "" and panel.ui.tableBox.isHidden()
    panel.ui.statusButton.click()
    assert len(said) == 1 and "no study" in said[0]
    panel.ui.folderEdit.setCurrentPath("")
    assert not panel.ui.statusButton.enabled
