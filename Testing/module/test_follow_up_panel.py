"""The Follow-up panel: earlier values beside this exam's, verdicts, and when the earlier ones go."""

import pytest

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")
pytest_plugins = ["slicer_host.pytest_fixtures"]

CHANGE, LIMIT, VERDICT = 3, 5, 6


@pytest.fixture
def panel(loadedModule):
    from drawing_steps import panelOf

    found = panelOf(loadedModule, "FollowUpPanel")
    yield found
    found.onForget()
    found.ui.retestEdit.text = ""
    found.ui.otherReaderBox.checked = False


@pytest.fixture
def drawn(panel, shownExam, outline):
    """The logic with the phantom's own contour."""
    shownExam.setContour(outline)
    return shownExam


@pytest.fixture
def earlier(drawn, loadedModule, tmp_path):
    """This exam's values as the Values panel saves them, with another T2."""
    from drawing_steps import panelOf

    path = tmp_path / "measurements.csv"
    panelOf(loadedModule, "ValuesPanel").save(str(path))
    value = drawn.values.values["T2"].value
    path.write_text(path.read_text().replace(str(value), str(value + 20)))
    return str(path)


@pytest.fixture
def said(monkeypatch):
    import slicer

    texts = []
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, *args, **more: texts.append(text))
    return texts


def shown(panel):
    """By biomarker, the texts of its row."""
    table = panel.ui.changeTable
    rows = [[table.item(i, j).text() for j in range(table.columnCount)] for i in range(table.rowCount)]
    return {row[0]: row for row in rows}


def test_nothing_is_shown_before_there_are_earlier_values(panel, drawn):
    assert panel.ui.changeTable.isHidden() and panel.ui.headLabel.text == ""
    assert not panel.ui.forgetButton.enabled


def test_changes_with_verdicts_in_words_and_colour(panel, drawn, earlier):
    panel.load(earlier)
    rows = shown(panel)
    assert list(rows) == ["T1_pre", "T1_post", "delta_T1", "delta_T1_ratio", "T2", "T2star"]
    assert rows["T2"][CHANGE] == "-20.0" and rows["T2"][VERDICT] == "real change"
    assert {row[VERDICT] for name, row in rows.items() if name != "T2"} == {"within repeatability"}
    assert "Real change: T2." in panel.ui.headLabel.text
    assert "measurements.csv" in panel.ui.headLabel.text
    colours = {panel.ui.changeTable.item(i, VERDICT).background().color().name() for i in range(6)}
    assert len(colours) == 2
    text = panel.ui.remarksLabel.text
    assert "lower bounds" in text and "simulated readers" in text and "do not tell how" in text


def test_the_numbers_are_the_librarys(panel, drawn, earlier):
    from her2map.acquired import acquired_of_facts
    from her2map.follow_up import Reader, follow_up, repeatability_of
    from her2map.saved_values import read_saved_case
    from her2map.score import demo_card
    from her2map.score.exam_case import case_of_exam

    panel.load(earlier)
    acquired = acquired_of_facts(drawn.facts)
    assert acquired.techniques["T1_pre"] == "vfa"
    before = read_saved_case(earlier, acquired.techniques)
    now = case_of_exam(drawn.values, None, acquired)
    assert panel.found == follow_up(before, now, repeatability_of(demo_card(), Reader.SAME, {}))


def test_it_follows_the_drawing(panel, drawn, earlier, outline):
    panel.load(earlier)
    before = shown(panel)["T1_pre"]
    drawn.setContour(outline + [3.0, 0.0, 0.0])
    assert shown(panel)["T1_pre"] != before
    drawn.setContour(outline[:0])
    assert panel.ui.changeTable.isHidden()
    assert "Draw the ROI" in panel.ui.headLabel.text


def test_own_repeatability_and_another_reader(panel, drawn, earlier):
    panel.load(earlier)
    same = float(shown(panel)["T2star"][LIMIT])
    panel.ui.otherReaderBox.checked = True
    limits = {one.biomarker: one.repeatability_coefficient for one in panel.found.changes}
    assert limits["T2"] > 0 and float(shown(panel)["T2star"][LIMIT]) >= same
    panel.ui.retestEdit.text = "T2=15, T1_pre=40"
    panel.show()
    assert shown(panel)["T2"][VERDICT] == "within repeatability"
    assert "Real change: none." in panel.ui.headLabel.text
    panel.ui.retestEdit.text = "T2 15"
    panel.show()
    assert "write BIOMARKER=SD" in panel.ui.headLabel.text and panel.ui.changeTable.isHidden()


def test_the_same_values_are_pointed_out(panel, drawn, loadedModule, tmp_path):
    from drawing_steps import panelOf

    panelOf(loadedModule, "ValuesPanel").save(str(tmp_path / "same.csv"))
    panel.load(str(tmp_path / "same.csv"))
    assert "The earlier values are those of this exam" in panel.ui.remarksLabel.text


def test_a_file_that_cannot_be_used_changes_nothing(panel, drawn, earlier, said, tmp_path):
    panel.load(earlier)
    before = shown(panel)
    (tmp_path / "other.csv").write_text("case,T2\nA,70\n")
    panel.load(str(tmp_path / "other.csv"))
    assert "column biomarker is missing" in said[0]
    assert shown(panel) == before


def test_another_exam_puts_the_earlier_values_away(panel, drawn, earlier, phantomFolder):
    from her2map.exam import read_exam

    panel.load(earlier)
    drawn.setRole(drawn.exam.assignments[0].key, "none")
    assert panel.earlier is not None  # the same patient
    drawn.takeExam(read_exam(phantomFolder / "dicom"))
    assert panel.earlier is None and panel.ui.changeTable.isHidden()
    assert panel.ui.headLabel.text == "Another exam is shown; the earlier values were put away."


def test_a_closed_scene_puts_the_earlier_values_away(panel, drawn, earlier):
    import slicer

    panel.load(earlier)
    slicer.mrmlScene.Clear(0)
    assert panel.earlier is None and panel.ui.changeTable.isHidden()


def test_hidden_in_a_session(panel, drawn, earlier, study, said):
    import slicer

    widget = slicer.modules.HER2MapModuleWidget
    section = widget.sections[type(panel)]
    panel.load(earlier)
    assert not section.isHidden()
    try:
        widget.logic.readings.signIn(str(study), "r1")
        assert section.isHidden() and panel.earlier is None
        panel.load(earlier)
        assert panel.earlier is None and "signed in" in said[0]
    finally:
        widget.logic.readings.signOut()
    assert not section.isHidden() and panel.earlier is None
