"""The module in a window of the host: ``her2map app`` runs this file.

It needs the packages of the extra ``host``, and the project's folder, as the module is not in the package.
"""

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODULE = ROOT / "HER2MapModule" / "HER2MapModule.py"
SIZE = 1680, 1000


def main() -> int:
    parser = argparse.ArgumentParser(prog="her2map app")
    parser.add_argument("folder", nargs="?", type=Path, help="an exam to read and fit")
    parser.add_argument("--roi", type=Path, help="a ROI to draw: .mrk.json or a JSON polygon")
    parser.add_argument("--screenshot", type=Path, help="render the window to this PNG and end")
    options = parser.parse_args()
    if options.screenshot:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    widget = start(testing=options.screenshot is not None)
    import slicer

    if options.folder and not open_exam(widget, options.folder, options.roi) and options.screenshot:
        print("her2map app: the exam could not be opened; her2map series says why.", file=sys.stderr)
        return 2
    if options.screenshot:
        from slicer_host.testing import screenshot

        screenshot(slicer.util.mainWindow(), options.screenshot)
        return 0
    return slicer.app.exec_()


def start(testing: bool):
    """The application with the module entered; returns the module's widget."""
    sys.path.insert(0, str(ROOT / "Testing"))
    import slicer_host

    slicer_host.start(testing=testing)
    slicer_host.load_module(MODULE)
    import slicer

    slicer.util.mainWindow().resize(*SIZE)
    slicer.util.selectModule("HER2MapModule")
    slicer.app.processEvents()
    return slicer.modules.HER2MapModuleWidget


def open_exam(widget, folder: Path, roi_file: Path | None = None) -> bool:
    """Read and fit an exam as the panels do, and draw a ROI; returns whether there are maps."""
    exam_panel, maps_panel = widget.panels[:2]
    exam_panel.read(str(folder))
    if widget.logic.exam is None:
        return False
    maps_panel.fit()
    if roi_file:
        draw_roi(widget, roi_file)
    import slicer

    for _ in range(5):
        slicer.app.processEvents()
    return bool(widget.logic.fitted)


def draw_roi(widget, roi_file: Path) -> None:
    """The contour and holes of a file, with fewer control points, as a reader would place them."""
    from her2map.markups import read_roi
    from HER2MapModuleLib.dce_nodes import sliceThickness

    roi = read_roi(roi_file, sliceThickness(widget.logic.parameters.dceBrowser))
    widget.logic.setContour(roi.outline[:: max(len(roi.outline) // 24, 1)])
    for hole in roi.holes:
        widget.logic.addHole(hole[:: max(len(hole) // 8, 1)])
    widget.readingRoom.jumpTo(roi.centroid)


if __name__ == "__main__":
    sys.exit(main())
