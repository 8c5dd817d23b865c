"""An exam from volumes and sequences that are in the scene already."""

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")
pytest_plugins = ["slicer_host.pytest_fixtures"]


def sequenceOf(series, name):
    """As Slicer's MultiVolume import leaves a series of echoes: a sequence with attributes."""
    import slicer

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", name)
    for te, image in zip(series.te_ms, series.data, strict=True):
        volume = slicer.vtkMRMLScalarVolumeNode()
        slicer.util.updateVolumeFromArray(volume, image)
        volume.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(series.affine))
        node.SetDataNodeAtValue(volume, f"{te:g}")
    node.SetAttribute("MultiVolume.FrameLabels", ",".join(f"{te:g}" for te in series.te_ms))
    node.SetAttribute("MultiVolume.FrameIdentifyingDICOMTagName", "EchoTime")
    node.SetAttribute("MultiVolume.DICOM.RepetitionTime", f"{series.tr_ms[0]:g}")
    return node


def test_a_sequence_of_echoes_gives_the_same_t2_map(loadedModule, fittedExam):
    from her2map.exam import MAP_ROLES
    from her2map.series import Role, Technique
    from HER2MapModuleLib import map_nodes
    from HER2MapModuleLib.scene_series import Choice, examOf, sceneItems

    exam, maps = fittedExam
    [series] = exam.group(MAP_ROLES["T2"])
    sequenceOf(series, "echoes")
    [item] = sceneItems()
    assert item.measurements == len(series.te_ms)
    taken = examOf([Choice(item, Role.T2, Technique.MULTI_ECHO_SPIN_ECHO)])
    logic = loadedModule.logic
    logic.takeExam(taken)
    logic.takeMaps(logic.fitting()(lambda fraction: None))
    shown = map_nodes.readMaps()["T2"]
    # The registration's threads add their sums in varying order.
    np.testing.assert_allclose(shown.map.value, maps["T2"].map.value, rtol=1e-3)
    assert [one["description"] for one in logic.facts["series"]] == ["echoes"]


def test_a_scanners_map_asks_for_its_unit(loadedModule):
    import slicer

    from her2map.errors import InputError
    from her2map.series import Role, Technique
    from HER2MapModuleLib import map_nodes
    from HER2MapModuleLib.scene_series import Choice, examOf, sceneItems

    slicer.util.addVolumeFromArray(np.full((4, 8, 8), 1.2, np.float32), name="T1 of the scanner")
    [item] = sceneItems()
    logic = loadedModule.logic
    logic.takeExam(examOf([Choice(item, Role.T1_PRE, Technique.SCANNER_MAP)]))
    with pytest.raises(InputError, match="unit"):
        logic.fitting()(lambda fraction: None)
    logic.parameters.mapUnit = "s"
    logic.takeMaps(logic.fitting()(lambda fraction: None))
    np.testing.assert_allclose(map_nodes.readMaps()["T1_pre"].map.value, 1200.0, rtol=1e-6)


def test_bad_parameters_are_named(loadedModule):
    import slicer

    from her2map.errors import InputError
    from her2map.series import Role, Technique
    from HER2MapModuleLib.scene_series import Choice, examOf, sceneItems

    slicer.util.addVolumeFromArray(np.ones((4, 8, 8), np.float32), name="one")
    [item] = sceneItems()
    for text, words in (("12, x", "write numbers"), ("1, 2", "it needs one")):
        choice = Choice(item, Role.T2, Technique.MULTI_ECHO_SPIN_ECHO, {"te_ms": text})
        with pytest.raises(InputError, match=f"EchoTime of one .*{words}"):
            examOf([choice])
    with pytest.raises(InputError, match="No volume"):
        examOf([])


def test_the_dialog_lists_what_is_in_the_scene(shownExam):
    """Our own maps and DCE phases are no input."""
    import slicer

    from her2map.series import Role
    from HER2MapModuleLib.scene_import import USES, SceneImportDialog

    slicer.util.addVolumeFromArray(np.ones((4, 8, 8), np.float32), name="one")
    dialog = SceneImportDialog()
    assert [item.node.GetName() for item in dialog.items] == ["one"]
    assert dialog.choices() == []
    index = next(i for i, (role, _) in enumerate(USES) if role is Role.T2)
    dialog.table.cellWidget(0, 2).setCurrentIndex(index)
    dialog.table.item(0, 3).setText("10")
    [choice] = dialog.choices()
    assert choice.role is Role.T2 and choice.texts["te_ms"] == "10"
