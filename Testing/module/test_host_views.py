"""Layouts, slice views with a reader's mouse, charts and tables."""

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("slicer_core")
pytest.importorskip("PySide6")
sys.path.insert(0, str(Path(__file__).parents[1]))
pytest_plugins = ["slicer_host.pytest_fixtures"]


LAYOUT_ID = 5010
SLICE = """<view class="vtkMRMLSliceNode" singletontag="{0}">
  <property name="orientation" action="default">Axial</property>
  <property name="viewlabel" action="default">{0}</property>
  <property name="viewcolor" action="default">{1}</property>
  <property name="viewgroup" action="default">1</property></view>"""
LAYOUT = f"""<layout type="vertical" split="true">
  <item><layout type="horizontal">
    <item>{SLICE.format("DCE", "#F34A33")}</item><item>{SLICE.format("T1", "#4A50C8")}</item>
  </layout></item>
  <item><layout type="horizontal">
    <item><view class="vtkMRMLPlotViewNode" singletontag="Curve"/></item>
    <item><view class="vtkMRMLTableViewNode" singletontag="Values"/></item>
  </layout></item></layout>"""


@pytest.fixture
def reading_room(host):
    """The layout manager, with two linked views of a volume with a bright block."""
    import slicer

    from slicer_host import testing

    manager = slicer.app.layoutManager()
    node = manager.layoutLogic().GetLayoutNode()
    if not node.IsLayoutDescription(LAYOUT_ID):
        node.AddLayoutDescription(LAYOUT_ID, LAYOUT)
    manager.setLayout(LAYOUT_ID)
    voxels = np.zeros((21, 64, 64))
    voxels[5:16, 20:41, 20:41] = 100
    volume = slicer.util.addVolumeFromArray(voxels, name="DCE")
    for name in ("DCE", "T1"):
        composite = manager.sliceWidget(name).mrmlSliceCompositeNode()
        composite.SetLinkedControl(True)
        composite.SetHotLinkedControl(True)
    slicer.util.setSliceViewerLayers(background=volume, fit=True)
    testing.process_events()
    yield manager
    manager.setLayout(3)


def pixel_mm(view):
    return view.mrmlSliceNode().GetFieldOfView()[0] / view.width


def place_curve(view, points):
    import slicer

    from slicer_host import testing

    curve = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsClosedCurveNode", "ROI")
    slicer.modules.markups.logic().SetActiveList(curve)
    interaction = slicer.app.applicationLogic().GetInteractionNode()
    interaction.SetPlaceModePersistence(True)
    interaction.SetCurrentInteractionMode(interaction.Place)
    for point in points:
        testing.click(view, point)
    interaction.SetPlaceModePersistence(False)
    interaction.SetCurrentInteractionMode(interaction.ViewTransform)
    testing.process_events()
    return curve


def image_of(view):
    view._render()
    image = view.grab().toImage()
    return [
        image.pixelColor(x, y).getRgb()[:3]
        for x in range(0, image.width(), 2)
        for y in range(0, image.height(), 2)
    ]


def shown(widget, count):
    """The one widget of a kind that the layout shows; other layouts may have left theirs hidden."""
    [found] = [widget(number) for number in range(count) if widget(number).visible]
    return found


def test_layout_has_its_views(reading_room):
    import slicer

    assert reading_room.layout == LAYOUT_ID
    assert {"DCE", "T1"} <= set(reading_room.sliceViewNames())
    assert shown(reading_room.plotWidget, reading_room.plotViewCount)
    assert shown(reading_room.tableWidget, reading_room.tableViewCount)
    node = reading_room.sliceWidget("DCE").mrmlSliceNode()
    assert (node.GetOrientation(), node.GetLayoutLabel(), node.GetViewGroup()) == ("Axial", "DCE", 1)
    assert reading_room.sliceWidget("DCE").visible
    assert not reading_room.sliceWidget("Red").visible
    assert (
        slicer.app.applicationLogic().GetSliceLogicByLayoutName("T1")
        is reading_room.sliceWidget("T1").sliceLogic()
    )


def test_slice_view_shows_the_volume(reading_room):
    view = reading_room.sliceWidget("DCE").sliceView()
    colors = image_of(view)
    assert max(colors) == (255, 255, 255)
    assert min(colors) == (0, 0, 0)


def test_positions_there_and_back(reading_room):
    from slicer_host import testing

    view = testing.slice_view("DCE")
    where = testing.position_of(view, (30.0, 40.0, 10.0))
    np.testing.assert_allclose(testing.ras_of(view, where.x(), where.y()), (30, 40, 10), atol=pixel_mm(view))


def test_closed_curve_drawn_by_mouse_shows_in_both_views(reading_room):
    import slicer

    from slicer_host import testing

    first, second = testing.slice_view("DCE"), testing.slice_view("T1")
    before = [image_of(first), image_of(second)]
    points = [(20, 20, 10), (40, 20, 10), (40, 40, 10), (20, 40, 10)]
    curve = place_curve(first, points)
    drawn = slicer.util.arrayFromMarkupsControlPoints(curve)
    np.testing.assert_allclose(drawn, points, atol=pixel_mm(first))
    assert before[0] != image_of(first)
    assert before[1] != image_of(second)


def test_control_point_is_dragged_in_the_other_view(reading_room):
    import slicer

    from slicer_host import testing

    curve = place_curve(testing.slice_view("DCE"), [(20, 20, 10), (40, 20, 10), (40, 40, 10)])
    other = testing.slice_view("T1")
    testing.drag(other, [(20, 20, 10), (17, 18, 10), (15, 15, 10)])
    moved = slicer.util.arrayFromMarkupsControlPoints(curve)[0]
    np.testing.assert_allclose(moved, (15, 15, 10), atol=2 * pixel_mm(other))


def test_double_click_maximizes_the_view_and_restores_it(reading_room):
    from slicer_host import testing

    view = testing.slice_view("DCE")
    before = view.width
    testing.double_click(view, (30, 30, 10))
    assert view.width > 1.5 * before
    assert not testing.slice_view("T1").visible
    testing.double_click(view, (30, 30, 10))
    assert view.width == before
    assert testing.slice_view("T1").visible


def test_right_click_and_keys_leave_the_view_usable(reading_room):
    import qt

    from slicer_host import testing

    view = testing.slice_view("DCE")
    curve = place_curve(view, [(20, 20, 10), (40, 20, 10), (40, 40, 10)])
    testing.click(view, (30, 30, 10), testing.RIGHT)
    testing.key(view, qt.Qt.Key_Escape)
    testing.wheel(view, (30, 30, 10), 1)
    assert curve.GetNumberOfControlPoints() == 3
    assert reading_room.sliceWidget("DCE").sliceLogic().GetSliceOffset() == 11


def test_linked_views_scroll_together(reading_room):
    from slicer_host import testing

    testing.wheel(testing.slice_view("DCE"), (30, 30, 10), 3)
    offsets = [reading_room.sliceWidget(name).sliceLogic().GetSliceOffset() for name in ("DCE", "T1")]
    assert offsets == [13, 13]
    sliders = [reading_room.sliceWidget(name).sliceController().sliceOffsetSlider() for name in ("DCE", "T1")]
    assert [slider.value for slider in sliders] == [13, 13]


def test_window_and_level_by_mouse(reading_room):
    import slicer

    from slicer_host import testing

    slicer.app.applicationLogic().GetInteractionNode().SetCurrentInteractionMode(5)
    display = slicer.util.getNode("DCE").GetDisplayNode()
    before = display.GetWindow(), display.GetLevel()
    testing.drag(testing.slice_view("DCE"), [(30, 30, 10), (35, 35, 10), (40, 40, 10)])
    assert (display.GetWindow(), display.GetLevel()) != before


def test_shift_moves_the_crosshair(reading_room):
    import slicer

    from slicer_host import testing

    crosshair = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    view = testing.slice_view("DCE")
    testing.move(view, (25, 35, 10), modifiers=testing.SHIFT)
    np.testing.assert_allclose(crosshair.GetCrosshairRAS(), (25, 35, 10), atol=pixel_mm(view))


def test_color_legend_and_ruler_are_drawn(reading_room):
    import slicer

    from slicer_host import testing

    view = testing.slice_view("DCE")
    plain = image_of(view)
    display = slicer.util.getNode("DCE").GetDisplayNode()
    slicer.modules.colors.logic().AddDefaultColorLegendDisplayNode(display)
    testing.process_events()
    with_legend = image_of(view)
    assert with_legend != plain
    view.mrmlSliceNode().SetRulerType(view.mrmlSliceNode().RulerTypeThin)
    testing.process_events()
    assert image_of(view) != with_legend
    view.mrmlSliceNode().SetRulerType(view.mrmlSliceNode().RulerTypeNone)


def test_chart_and_table(reading_room):
    import slicer

    time = np.linspace(0, 300, 30)
    nodes = {}
    slicer.util.plot(np.c_[time, 1 - np.exp(-time / 60)], 0, ["time", "signal"], show=False, nodes=nodes)
    plot_widget = shown(reading_room.plotWidget, reading_room.plotViewCount)
    plot_view = plot_widget.plotView()
    plot_widget.mrmlPlotViewNode().SetPlotChartNodeID(nodes["chart"].GetID())
    assert plot_view.chart().GetNumberOfPlots() == 1
    assert len(set(image_of(plot_view))) > 3
    table_widget = shown(reading_room.tableWidget, reading_room.tableViewCount)
    table_view = table_widget.tableView()
    table_widget.mrmlTableViewNode().SetTableNodeID(nodes["table"].GetID())
    model = table_view.model()
    assert (model.rowCount(), model.columnCount()) == (30, 2)
    assert model.headerData(1, 1) == "signal"
    slicer.mrmlScene.RemoveNode(nodes["chart"])
    assert plot_view.chart().GetNumberOfPlots() == 0


def test_views_survive_closed_scenes(reading_room):
    import slicer

    from slicer_host import testing

    widget = reading_room.sliceWidget("DCE")
    for _ in range(5):
        slicer.mrmlScene.Clear(0)
        testing.process_events()
    assert reading_room.layout == LAYOUT_ID
    assert reading_room.sliceWidget("DCE") is widget
    volume = slicer.util.addVolumeFromArray(np.ones((5, 6, 7)))
    slicer.util.setSliceViewerLayers(background=volume, fit=True)
    testing.process_events()
    width, height, _depth = widget.mrmlSliceNode().GetDimensions()
    assert (width, height) == (widget.sliceView().width, widget.sliceView().height)


def test_screenshot(reading_room, tmp_path):
    import slicer

    from slicer_host import testing

    path = testing.screenshot(slicer.util.mainWindow(), tmp_path / "window.png")
    assert path.stat().st_size > 1000


def test_errors_are_collected(host):
    import logging

    import qt
    import slicer
    import vtk

    from slicer_host import testing

    button = qt.QPushButton()
    button.clicked.connect(lambda: 1 / 0)
    button.click()
    vtk.vtkImageReader2().Update()
    logging.error("an error by Python's log")
    origins = {entry.origin for entry in testing.errors()}
    assert {"Python", "VTK"} <= origins
    assert any("ZeroDivisionError" in entry.text for entry in testing.errors())
    slicer.app.errorLogModel().clear()
