"""The exam panel: where an exam comes from, what its table says, and bad input in words."""

import pytest

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")
pytest_plugins = ["slicer_host.pytest_fixtures"]


@pytest.fixture
def panel(loadedModule):
    return loadedModule.panels[0]


@pytest.fixture
def said(monkeypatch):
    """What error boxes tell the user."""
    import slicer

    texts = []
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, *args, **more: texts.append(text))
    return texts


def column(table, number):
    return [table.item(row, number).text() for row in range(table.rowCount)]


def test_a_folder_is_read_and_its_series_are_listed(panel, phantomFolder):
    panel.ui.folderEdit.setCurrentPath(str(phantomFolder / "dicom"))
    panel.ui.readButton.click()
    table = panel.ui.seriesTable
    assert "T2map_se_mc" in column(table, 1)
    assert "T2 (multi echo spin echo)" in column(table, 2)
    assert all(column(table, 3))
    assert panel.logic.examFolder == str(phantomFolder / "dicom")


def test_a_role_is_changed_from_the_list(panel, phantomFolder):
    from slicer_host import testing

    panel.read(str(phantomFolder / "dicom"))
    row = column(panel.ui.seriesTable, 1).index("T1map_MOLLI_native")
    box = panel.ui.seriesTable.cellWidget(row, 2)
    texts = [box.itemText(i) for i in range(box.count)]
    index = texts.index("T1_post (look locker)")
    box.setCurrentIndex(index)
    box.activated.emit(index)
    testing.process_events()
    assert column(panel.ui.seriesTable, 2)[row] == "T1_post (look locker)"
    assert "chosen by the user" in column(panel.ui.seriesTable, 3)[row]
    # What the user said holds when the same folder is read again.
    panel.read(str(phantomFolder / "dicom"))
    assert column(panel.ui.seriesTable, 2)[row] == "T1_post (look locker)"


def test_a_study_of_the_dicom_database(panel, phantomFolder, monkeypatch):
    import slicer

    from HER2MapModuleLib import exam_panel

    slicer.dicomDatabase._index(phantomFolder / "dicom")
    offered = []
    monkeypatch.setattr(exam_panel, "chooseFrom", lambda title, label, items: offered.extend(items) or 0)
    panel.ui.patientButton.click()
    assert len(offered) == 1
    assert "T2map_se_mc" in column(panel.ui.seriesTable, 1)
    assert panel.logic.examFolder == ""


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("nowhere", "There is nothing at"),
        ("", "Choose the folder"),
        ("empty", "is empty"),
        ("text", "not a DICOM file"),
    ],
)
def test_bad_folders_are_told_in_one_sentence(panel, said, tmp_path, path, words):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "notes.txt").write_text("no image")
    panel.ui.folderEdit.setCurrentPath(str(tmp_path / path) if path else "")
    panel.ui.readButton.click()
    [text] = said
    assert words in text and "\n" not in text
    assert panel.logic.exam is None


def test_a_bad_folder_leaves_the_exam_that_is_shown(panel, said, phantomFolder, tmp_path):
    panel.read(str(phantomFolder / "dicom"))
    before = panel.logic.facts
    panel.read(str(tmp_path / "nowhere"))
    assert said and panel.logic.facts == before and panel.logic.exam is not None


def test_without_a_database_it_is_said(panel, said):
    panel.ui.patientButton.click()
    assert "DICOM database is not open" in said[0]


def test_no_patient_is_named_in_the_scene(panel, phantomFolder, tmp_path):
    """The phantom's name and birth date stand in its headers; not in what is saved."""
    import pydicom
    import slicer

    file = next(f for f in (phantomFolder / "dicom").rglob("*") if f.is_file())
    header = pydicom.dcmread(file, stop_before_pixels=True)
    hidden = [str(header.get(tag, "")) for tag in ("PatientName", "PatientID", "PatientBirthDate")]
    panel.read(str(phantomFolder / "dicom"))
    scene = tmp_path / "scene.mrml"
    slicer.util.saveScene(str(scene))
    text = scene.read_text()
    assert any(hidden)
    for value in filter(None, hidden):
        assert value not in text
