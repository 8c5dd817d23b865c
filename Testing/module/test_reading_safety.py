"""A reader's session where something is done behind its back: elsewhere in Slicer, by the disk, later."""

import numpy as np
import pytest
from reading_steps import stored

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")
pytest_plugins = ["slicer_host.pytest_fixtures"]


@pytest.fixture
def panel(loadedModule, study, monkeypatch):
    """The reader's panel, signed in, with the first case open."""
    import slicer

    found = next(panel for panel in loadedModule.panels if type(panel).__name__ == "ReadingPanel")
    found.said = []
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, *a, **k: found.said.append(text))
    found.ui.studyEdit.setCurrentPath(str(study))
    found.ui.readerBox.setCurrentText("r1")
    found.ui.signInButton.click()
    found.onNext()
    yield found
    loadedModule.logic.readings.signOut()
    found.ui.studyEdit.setCurrentPath("")


@pytest.fixture
def drawn(panel, contours):
    """As `panel`, with the tumour drawn; all that Finish needs is there."""
    panel.logic.setContour(contours[panel.readings.shown.case])
    panel.setConfidence(4)
    assert panel.ui.finishButton.enabled
    return panel


def movedBy(millimetres):
    """A transform of the user's."""
    import slicer

    matrix = np.eye(4)
    matrix[0, 3] = millimetres
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "mine")
    transform.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(matrix))
    return transform


def userNodes():
    """Nodes of a case, or of whoever made something in another module."""
    import slicer

    kinds = ("Volume", "Markups", "Table", "Sequence", "PlotSeries", "PlotChart", "Transform", "Model")
    nodes = [node for kind in kinds for node in slicer.util.getNodesByClass(f"vtkMRML{kind}Node")]
    return [node.GetName() for node in nodes if not node.GetHideFromEditors()]


# Something is moved


def test_a_contour_that_is_moved_by_a_transform_is_an_edit_and_measured_there(drawn, study):
    logic, curve = drawn.logic, drawn.logic.parameters.roi
    before, value = np.array(drawn.readings.drawing().contour), logic.values.values["T1_pre"].value
    curve.SetAndObserveTransformNodeID(movedBy(3.0).GetID())
    moved = logic.values.values["T1_pre"].value
    assert moved != value
    np.testing.assert_allclose(stored(study)[-1]["contour"], before + [3.0, 0.0, 0.0], atol=1e-9)
    curve.GetParentTransformNode().SetMatrixTransformToParent(movedBy(1.0).GetMatrixTransformToParent())
    assert logic.values.values["T1_pre"].value not in (value, moved)
    np.testing.assert_allclose(stored(study)[-1]["contour"], before + [1.0, 0.0, 0.0], atol=1e-9)
    logic.undo()
    logic.undo()
    np.testing.assert_allclose(drawn.readings.drawing().contour, before, atol=1e-9)
    logic.redo()
    value = logic.values.values["T1_pre"].value
    drawn.ui.finishButton.click()
    [result] = stored(study, "finished")
    assert result["values"]["T1_pre"]["value"] == value
    np.testing.assert_allclose(result["drawing"]["contour"], before + [3.0, 0.0, 0.0], atol=1e-9)


def test_a_map_that_is_moved_is_seen_in_the_values_and_refused(drawn, study):
    from HER2MapModuleLib import map_nodes

    logic, slot = drawn.logic, drawn.readings.shown
    value = logic.values.values["T2"].value
    transform = movedBy(2.0)
    map_nodes.mapNode("T2").SetAndObserveTransformNodeID(transform.GetID())
    first = logic.values.values["T2"].value
    transform.SetMatrixTransformToParent(movedBy(4.0).GetMatrixTransformToParent())
    assert len({value, first, logic.values.values["T2"].value}) == 3
    drawn.onFinish()
    assert stored(study, "finished") == [] and drawn.readings.shown == slot
    assert len(drawn.said) == 1 and "maps on the screen" in drawn.said[0]
    drawn.ui.nextButton.click()  # "Show again"
    assert logic.values.values["T2"].value == value
    drawn.ui.finishButton.click()
    assert stored(study, "finished")[0]["values"]["T2"]["value"] == value


def test_values_are_taken_anew_before_they_are_stored(drawn, study):
    """Voxels that were changed tell nobody; the library then finds another map than the case's."""
    import slicer

    from HER2MapModuleLib import map_nodes

    slicer.util.arrayFromVolume(map_nodes.mapNode("T2star"))[:] += 5.0
    drawn.ui.finishButton.click()
    assert stored(study, "finished") == []
    assert len(drawn.said) == 1 and "maps on the screen" in drawn.said[0]


def test_images_that_are_moved_refuse_the_finish(drawn, study):
    drawn.readingRoom.dceVolume().SetAndObserveTransformNodeID(movedBy(8.0).GetID())
    drawn.ui.finishButton.click()
    assert "press Show again" in drawn.ui.refusalLabel.text and stored(study, "finished") == []
    drawn.ui.nextButton.click()
    drawn.ui.finishButton.click()
    assert len(stored(study, "finished")) == 1


def test_a_contour_deleted_elsewhere_is_an_edit_that_can_be_undone(drawn, study):
    import slicer

    before = drawn.readings.drawing()
    drawn.logic.addHole(np.mean(before.contour, axis=0) + 0.2 * (before.contour - np.mean(before.contour, 0)))
    both = drawn.readings.drawing()
    slicer.mrmlScene.RemoveNode(drawn.logic.parameters.roi)
    assert stored(study)[-1]["contour"] == [] and drawn.logic.values is None
    drawn.logic.undo()
    assert drawn.readings.drawing() == both
    drawn.logic.undo()
    assert drawn.readings.drawing() == before and drawn.ui.finishButton.enabled


# What is left behind


def planted():
    """What a reader may do in other modules: a line over the tumour, a transform, a copy of a map."""
    import slicer

    from HER2MapModuleLib import map_nodes

    line = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", "my line")
    line.AddControlPoint(1.0, 2.0, 3.0)
    line.CreateDefaultDisplayNodes()
    movedBy(1.0)
    slicer.mrmlScene.RemoveNode(map_nodes.mapNode("T2"))  # its quality layers stay


@pytest.mark.parametrize("end", ["finish", "skip", "sign out"])
def test_what_a_reader_put_into_the_scene_goes_when_the_reading_ends(drawn, end):
    if end == "finish":
        drawn.ui.finishButton.click()
        drawn.onNext()
    planted()
    assert "my line" in userNodes()
    if end == "sign out":
        drawn.ui.signOutButton.click()
    else:
        drawn.readings.skip("test")
    assert userNodes() == [] and drawn.readings.shown is None


def test_what_is_put_into_the_scene_between_two_readings_goes_with_the_next(drawn):
    drawn.ui.finishButton.click()
    assert userNodes() == []
    movedBy(1.0)
    drawn.onNext()
    assert "mine" not in userNodes() and "T2" in userNodes()


def test_the_room_the_keys_and_undo_work_on_after_the_scene_was_cleared(drawn, contours):
    from slicer_host import testing

    drawn.ui.finishButton.click()
    testing.process_events()
    assert drawn.readingRoom.shown
    testing.press_key("N")
    logic, room = drawn.logic, drawn.readingRoom
    assert logic.parameters.dceBrowser is not None and room.shown
    testing.process_events()
    for view in room.views():
        composite = next(w for _t, w in room._widgets() if w.sliceView() is view).mrmlSliceCompositeNode()
        assert composite.GetBackgroundVolumeID()
        assert view.mrmlSliceNode().GetLayoutLabel()
    points = contours[drawn.readings.shown.case]
    logic.setContour(points)
    logic.setContour(points + [1.0, 0.0, 0.0])
    logic.undo()
    np.testing.assert_allclose(drawn.readings.drawing().contour, points)
    room.jumpTo(points[0])
    testing.process_events()
    value = logic.values.values["T2"].value
    outwards = points[0] + 0.3 * (points[0] - points.mean(axis=0))
    testing.drag(testing.slice_view("HER2MapDCE"), [points[0], outwards])
    assert logic.values.values["T2"].value != value


@pytest.mark.parametrize("resumed", [False, True])
def test_a_scene_saved_in_a_session_tells_no_contour(drawn, contours, tmp_path, resumed, loadedModule):
    import slicer

    case = drawn.readings.shown.case
    if resumed:
        drawn.ui.signOutButton.click()
        drawn.ui.readerBox.setCurrentText("r1")
        drawn.ui.signInButton.click()
        drawn.onNext()
    assert drawn.readings.shown.case == case
    loadedModule.panels[2].snr.place()
    loadedModule.panels[2].showTimeCourse()
    line = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsLineNode", "my line")
    for point in contours[case][:2]:
        line.AddControlPoint(*point)
    saved = [node.GetName() for node in made() if node.GetSaveWithScene()]
    assert saved == []
    assert slicer.util.saveScene(str(tmp_path / "scene.mrml"))
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    for text in everythingIn(tmp_path):
        for word in ("<Markups", ".mrk.json", "background 1", "<PlotSeries", "enhancement"):
            assert word not in text, word
        for number in contours[case][:3].ravel()[[0, 1, 3, 4]]:
            assert f"{number:.4f}"[:7] not in text


def made():
    """All that a case and a session put into the scene."""
    import slicer

    kinds = ("Displayable", "Display", "Sequence", "SequenceBrowser", "Table", "PlotSeries", "PlotChart")
    return [
        node
        for kind in (*kinds, "Transform", "Storage")
        for node in slicer.util.getNodesByClass(f"vtkMRML{kind}Node")
        if not node.GetSingletonTag() and not node.GetHideFromEditors()
    ]


def everythingIn(folder):
    import zipfile

    for path in folder.rglob("*"):
        if path.suffix == ".mrb":
            with zipfile.ZipFile(path) as bundle:
                for name in bundle.namelist():
                    yield name
                    yield bundle.read(name).decode("latin-1")
        elif path.is_file() and "readings" not in path.parts and "study" not in path.parts:
            yield path.name
            yield path.read_bytes().decode("latin-1")


def test_what_is_made_after_the_session_is_saved_again(drawn, fittedExam):
    drawn.ui.signOutButton.click()
    drawn.logic.takeExam(fittedExam[0], "somewhere")
    drawn.logic.takeMaps(fittedExam[1])
    assert {node.GetSaveWithScene() for node in made() if node.IsA("vtkMRMLVolumeNode")} == {1}


def test_values_leave_the_clipboard_with_the_session(drawn, loadedModule):
    import slicer

    clipboard = slicer.app.clipboard()
    values = loadedModule.panels[3]
    values.ui.copyButton.click()
    assert "T2star" in clipboard.text()
    drawn.ui.signOutButton.click()
    assert clipboard.text() == ""


def test_what_somebody_else_copied_stays_on_the_clipboard(drawn, loadedModule):
    import slicer

    loadedModule.panels[3].ui.copyButton.click()
    slicer.app.clipboard().setText("a telephone number")
    drawn.ui.signOutButton.click()
    assert slicer.app.clipboard().text() == "a telephone number"


def test_a_reader_finds_nothing_of_the_coordinators_results(drawn, loadedModule, study):
    import slicer

    coordinator = loadedModule.panels[7]
    drawn.ui.signOutButton.click()
    coordinator.ui.folderEdit.setCurrentPath(str(study))
    coordinator.ui.statusButton.click()
    coordinator.ui.copyButton.click()
    assert coordinator.ui.headLabel.text and coordinator.ui.resultTable.rowCount
    drawn.ui.readerBox.setCurrentText("r2")
    drawn.ui.signInButton.click()
    assert coordinator.ui.headLabel.text == "" and coordinator.ui.resultTable.rowCount == 0
    assert coordinator.results.tables == () and slicer.app.clipboard().text() == ""
    coordinator.ui.folderEdit.setCurrentPath("")


# The disk


@pytest.fixture
def fullDisk(drawn, monkeypatch):
    """What is drawn cannot be written, until `fullDisk.setattr(session, "edited", session.written)`."""
    from her2map.errors import InputError

    session = drawn.readings.session
    session.written = session.edited

    def full(drawing):
        raise InputError("the disk is full.")

    monkeypatch.setattr(session, "edited", full)
    drawn.logic.setContour(np.array(drawn.readings.drawing().contour) + [0.5, 0.0, 0.0])
    return monkeypatch


def test_a_drawing_that_could_not_be_saved_is_dropped_only_after_a_question(drawn, fullDisk, study):
    import slicer

    asked, answers = [], [False, True]
    fullDisk.setattr(
        slicer.util, "confirmOkCancelDisplay", lambda text, *a, **k: asked.append(text) or answers.pop(0)
    )
    drawing = drawn.readings.drawing()
    drawn.ui.signOutButton.click()
    assert drawn.readings.session is not None and drawn.readings.drawing() == drawing
    assert len(asked) == 1 and "the disk is full" in asked[0]
    drawn.ui.signOutButton.click()
    assert drawn.readings.session is None and len(asked) == 2 and len(stored(study)) == 1


def test_signing_out_saves_what_can_be_saved_by_then(drawn, fullDisk, study):
    drawing = drawn.readings.drawing()
    fullDisk.setattr(drawn.readings.session, "edited", drawn.readings.session.written)
    drawn.ui.signOutButton.click()
    assert drawn.readings.session is None
    assert stored(study)[-1]["contour"] == [list(point) for point in drawing.contour]


def test_save_again_is_offered_until_the_drawing_is_on_the_disk(drawn, fullDisk, study):
    assert "the disk is full" in drawn.ui.noticeLabel.text and "Finish" in drawn.ui.noticeLabel.text
    assert not drawn.ui.saveAgainButton.isHidden()
    drawn.ui.saveAgainButton.click()
    assert drawn.said == ["the disk is full."]
    fullDisk.setattr(drawn.readings.session, "edited", drawn.readings.session.written)
    drawn.ui.saveAgainButton.click()
    assert drawn.ui.saveAgainButton.isHidden() and drawn.ui.noticeLabel.isHidden()
    assert len(stored(study)) == 2


def test_a_scene_closed_with_an_edit_that_was_not_saved_says_so(drawn, fullDisk):
    import slicer

    slicer.mrmlScene.Clear(0)
    assert "could not be saved" in drawn.ui.noticeLabel.text
    assert drawn.ui.saveAgainButton.isHidden()


# Remark and confidence


def test_a_reading_opened_again_tells_its_remark_and_confidence(drawn, monkeypatch, contours):
    from HER2MapModuleLib import reading_panel

    drawn.ui.remarkEdit.text = "two lesions"
    drawn.ui.finishButton.click()
    monkeypatch.setattr(reading_panel, "chooseWithReason", lambda *given: (0, "a word was missing"))
    drawn.ui.reopenButton.click()
    assert (drawn.ui.remarkEdit.text, drawn.confidence) == ("two lesions", 4)
    assert drawn.ui.confidence4.checked and drawn.ui.finishButton.enabled
    drawn.ui.finishButton.click()
    drawn.onNext()
    assert (drawn.ui.remarkEdit.text, drawn.confidence) == ("", None)


@pytest.mark.parametrize("key", ["Return", "Escape"])
def test_keys_work_again_after_the_remark(drawn, key):
    import slicer

    from slicer_host import testing

    remark = drawn.ui.remarkEdit
    slicer.util.mainWindow().activateWindow()
    remark.setFocus()
    testing.process_events()
    testing.press_key("4", widget=remark)
    assert remark.hasFocus() and remark.text == "4"
    testing.press_key(key, widget=remark)
    testing.process_events()
    assert not remark.hasFocus()
    testing.press_key("2")
    assert drawn.confidence == 2 and remark.text == "4" and drawn.readings.shown is not None
