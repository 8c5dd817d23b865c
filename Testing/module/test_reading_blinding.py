"""What readers must not see is nowhere in what the module shows, says or saves."""

import zipfile

import pytest
from reading_steps import openNext

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")
pytest_plugins = ["slicer_host.pytest_fixtures"]


def test_a_case_that_cannot_be_prepared_is_told_by_its_code_alone(logic, study, preparedStudy, monkeypatch):
    import shutil

    from her2map.errors import InputError
    from her2map.study import session

    shutil.rmtree(study / "cache")
    readings = logic.readings

    def broken(*args):
        raise KeyError(str(preparedStudy.cases[0].folder))

    monkeypatch.setattr(session, "prepare_case", broken)
    monkeypatch.setattr(readings.prefetch, "start", lambda next_: None)
    readings.signIn(str(study), "r1")
    with pytest.raises(InputError, match="cannot be opened") as caught:
        openNext(logic)
    assert "Doe" not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__context__ is None
    readings.skip("does not open")
    assert readings.session.done == 1


def test_nothing_of_the_exam_is_in_the_saved_scene_or_anywhere_else(
    reading, logic, study, contours, tmp_path
):
    import slicer

    from slicer_host import testing

    points = contours[reading.shown.case]
    logic.setContour(points)
    logic.addHole(points.mean(axis=0) + 0.2 * (points - points.mean(axis=0)))
    logic.phases.showTimeCourse()
    file = str(tmp_path / "scene.mrb")
    assert slicer.util.saveScene(file)
    with zipfile.ZipFile(file) as bundle:
        names = "\n".join(bundle.namelist())
        content = b"\n".join(bundle.read(name) for name in bundle.namelist())
    planted = ["Doe", *_personal(logic, study)]
    assert len(planted) >= 4
    for word in planted:
        assert word not in names
        assert word.encode() not in content, word
    settings = slicer.app.userSettings()
    told = [str(settings.value(key)) for key in settings.allKeys()]
    told += [entry.text for entry in slicer.app.errorLogModel()._entries]
    told += [widget.windowTitle for widget in slicer.app.topLevelWidgets()]
    told += [node.GetName() or "" for node in slicer.util.getNodesByClass("vtkMRMLNode")]
    assert not [text for text in told for word in planted if word in text]
    assert logic.examFolder == "" and logic.parameters.examKey == ""
    assert b"<MarkupsClosedCurve" not in content and ".mrk.json" not in names  # nor what was drawn
    assert not testing.errors()


def _personal(logic, study):
    """What the headers of the shown case say of the patient."""
    import pydicom

    from her2map.study.protocol import read_protocol

    folder = read_protocol(study).case(logic.readings.shown.case).folder
    header = pydicom.dcmread(next(f for f in folder.rglob("*") if f.is_file()), stop_before_pixels=True)
    keywords = ("PatientName", "PatientID", "PatientBirthDate", "StudyDate", "InstitutionName")
    found = [str(header.get(keyword, "")) for keyword in keywords]
    return [text for text in found if len(text) > 3]
