"""The reading room: its layout, what its views show, and that it leaves other views alone."""

import numpy as np
import pytest

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")
pytest_plugins = ["slicer_host.pytest_fixtures"]

VIEWS = {"HER2MapT1pre": "T1_pre", "HER2MapT1post": "T1_post", "HER2MapT2": "T2", "HER2MapT2star": "T2star"}
DCE = "HER2MapDCE"


def _settle():
    from slicer_host import testing

    testing.process_events(6)


@pytest.fixture
def room(loadedModule, shownExam):
    loadedModule.readingRoom.show()
    _settle()
    return loadedModule.readingRoom


def _widget(tag):
    import slicer

    return slicer.app.layoutManager().sliceWidget(tag)


def test_views_show_the_maps_with_the_dce_above(room, shownExam):
    from HER2MapModuleLib import map_nodes

    dce = room.dceVolume()
    assert _widget(DCE).mrmlSliceCompositeNode().GetBackgroundVolumeID() == dce.GetID()
    for tag, quantity in VIEWS.items():
        composite = _widget(tag).mrmlSliceCompositeNode()
        assert composite.GetBackgroundVolumeID() == map_nodes.mapNode(quantity).GetID()
        assert composite.GetForegroundVolumeID() == dce.GetID()
        assert composite.GetForegroundOpacity() == 0
        assert composite.GetLinkedControl()
        assert composite.GetHotLinkedControl()
    shownExam.parameters.dceOpacity = 0.4
    for tag in VIEWS:
        assert _widget(tag).mrmlSliceCompositeNode().GetForegroundOpacity() == pytest.approx(0.4)


def test_every_view_lies_in_a_dce_slice(room):
    import slicer

    from HER2MapModuleLib import scene

    geometry = scene.geometryOf(room.dceVolume())
    for tag in (DCE, *VIEWS):
        node = _widget(tag).mrmlSliceNode()
        toRas = slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS())
        index = geometry.to_index(toRas[:3, 3])
        assert index[2] == pytest.approx(round(index[2]), abs=1e-6)
        assert abs(toRas[:3, 2] @ (geometry.affine[:3, 2] / geometry.spacing[2])) == pytest.approx(1)
        assert node.GetFieldOfView()[0] == pytest.approx(
            _widget(DCE).mrmlSliceNode().GetFieldOfView()[0], rel=0.02
        )
        assert min(node.GetFieldOfView()[:2]) >= 155  # the whole slice of 160 mm is in it


def test_scrolling_in_any_view_steps_from_dce_slice_to_dce_slice(room):
    from slicer_host import testing

    before = _widget(DCE).mrmlSliceNode().GetSliceOffset()
    view = testing.slice_view("HER2MapT2")
    testing.wheel(view, testing.ras_of(view, 100, 100), 1)
    offsets = {tag: _widget(tag).mrmlSliceNode().GetSliceOffset() for tag in (DCE, *VIEWS)}
    np.testing.assert_allclose(list(offsets.values()), before + 3.0, atol=1e-6)


def test_colour_legends_are_in_the_maps_views(room):
    from HER2MapModuleLib import map_nodes
    from slicer_host import testing

    for tag, quantity in VIEWS.items():
        legend = map_nodes.mapNode(quantity).GetNthDisplayNode(1)
        manager = testing.slice_view(tag).displayableManagerByClassName(
            "vtkMRMLColorLegendDisplayableManager"
        )
        assert manager.GetColorLegendActor(legend).GetVisibility()


def test_other_views_and_the_layout_before_are_left_alone(loadedModule, shownExam):
    import slicer

    manager = slicer.app.layoutManager()
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    red = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode()
    before = red.GetBackgroundVolumeID(), red.GetLinkedControl()
    room = loadedModule.readingRoom
    room.show()
    _settle()
    assert room.shown
    assert (red.GetBackgroundVolumeID(), red.GetLinkedControl()) == before
    room.leave()
    assert manager.layout == slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView
    room.enter()
    assert not room.shown  # whoever left it is not brought back
    room.show()
    assert room.shown


def test_no_layout_is_forced_without_an_exam(loadedModule):
    import slicer

    slicer.app.layoutManager().setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    loadedModule.readingRoom.enter()
    assert slicer.app.layoutManager().layout == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView


def test_scenes_are_closed_and_exams_shown_again(loadedModule, fittedExam):
    import slicer

    exam, maps = fittedExam
    for _round in range(3):
        loadedModule.logic.takeExam(exam, "")
        loadedModule.logic.takeMaps(maps)
        loadedModule.readingRoom.show()
        _settle()
        assert _widget(DCE).mrmlSliceCompositeNode().GetBackgroundVolumeID()
        slicer.mrmlScene.Clear(0)
        _settle()
        for tag in (DCE, *VIEWS):
            assert not _widget(tag).mrmlSliceCompositeNode().GetBackgroundVolumeID()
    assert loadedModule.readingRoom.shown


def test_a_saved_scene_shows_the_rois_slice(room, shownExam, fittedExam, tmp_path):
    import slicer

    affine = fittedExam[0].dce.affine
    middle = (affine @ [30, 30, 6, 1])[:3]
    angle = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    shownExam.setContour(middle + 8 * np.column_stack([np.cos(angle), np.sin(angle), 0 * angle]))
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(0)
    _settle()
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    _settle()
    assert _widget(DCE).mrmlSliceNode().GetSliceOffset() == pytest.approx(middle[2], abs=1e-3)
    assert _widget(DCE).mrmlSliceCompositeNode().GetBackgroundVolumeID()
    assert shownExam.phases.series().after_injection_s[2] == pytest.approx(100)


def test_quality_layers_are_shown_where_their_map_lies(shownExam):
    """Chosen in the Maps panel; a map that registration moved takes its layers along."""
    import slicer

    from HER2MapModuleLib import map_nodes, scene
    from slicer_host import testing

    widget = slicer.modules.HER2MapModuleWidget
    widget.readingRoom.show()
    volume = map_nodes.mapNode("T2")
    scene.placeVolume(volume, np.diag([1.0, 1.0, 1.0, 1.0]), "T2 to DCE")
    shownExam.parameters.shownLayer = "standard_error"
    testing.process_events()
    composite = slicer.app.layoutManager().sliceWidget("HER2MapT2").mrmlSliceCompositeNode()
    shown = slicer.mrmlScene.GetNodeByID(composite.GetBackgroundVolumeID())
    assert shown is volume.GetNodeReference("standard_error")
    assert shown.GetParentTransformNode() is volume.GetParentTransformNode() is not None
    shownExam.parameters.shownLayer = "value"
    testing.process_events()
    assert composite.GetBackgroundVolumeID() == volume.GetID()
