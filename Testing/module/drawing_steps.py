"""What tests of drawing do with the mouse."""

import numpy as np

DCE, T2 = "HER2MapDCE", "HER2MapT2"


def panelOf(module, name):
    return next(panel for panel in module.panels if type(panel).__name__ == name)


def settle():
    from slicer_host import testing

    testing.process_events(6)


def loop(centre, radius, count, start=0.0):
    """(count, 3) about a point, in the plane of an axial slice."""
    angle = start + 2 * np.pi * np.arange(count) / count
    return centre + radius * np.column_stack([np.cos(angle), np.sin(angle), np.zeros(count)])


def drawPoints(panel, points, view=DCE):
    from slicer_host import testing

    panel.ui.clickButton.click()
    where = testing.slice_view(view)
    for point in points:
        testing.click(where, point)
    testing.click(where, points[-1], testing.RIGHT)
    settle()


def dragCircle(panel, centre, radius):
    from slicer_host import testing

    panel.ui.circleButton.click()
    testing.drag(testing.slice_view(DCE), [centre + [r, 0, 0] for r in np.linspace(0, radius, 6)])
    settle()


def leftovers():
    """Nodes that only help to draw."""
    import slicer

    return [
        node.GetName()
        for node in slicer.util.getNodesByClass("vtkMRMLMarkupsNode")
        if node.GetAttribute("HER2Map.Part") in ("seed", "stroke")
    ]
