"""The module in the host: how long an edit takes, what it adds to reading and fitting, what 200 rounds leave.

Run from the project's root with the extra ``host``: ``python Testing/benchmarks/module.py [--rounds 200]``.

An edit moves one control point of the contour on maps of 320 x 320 x 40; beside it stands what the same edit
costs when every map's whole mask is computed anew, and what the Score panel adds to an edit, with its
pictures painted, and to its end. Reading and fitting run once by the library alone and once through the
module, in turns. The rounds read, fit, draw and close the scene.
"""

import argparse
import gc
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

import app
from her2map.exam import fit_exam, measure_maps, read_exam
from her2map.geometry import Geometry
from her2map.phantom import DICOM_FOLDER, ROI_FILE, ExamSettings, write_exam
from her2map.relaxometry import ParameterMap

SHAPE, SPACING = (40, 320, 320), (1.0625, 1.0625, 2.0)
EDITS = 40
TYPICAL = {"T1_pre": 1500.0, "T1_post": 550.0, "T2": 80.0, "T2star": 28.0, "B1": 1.0}
"""In ms (B1: 1): a score refuses what lies outside of its training range."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    widget = app.start(testing=True)
    with tempfile.TemporaryDirectory() as folder:
        standard, small = Path(folder) / "standard", Path(folder) / "small"
        write_exam(standard, ExamSettings.standard(), seed=1)
        write_exam(small, ExamSettings.small(), seed=1)
        reading_and_fitting(widget, standard)
        edits(widget, standard)
        score(widget)
        rounds(widget, small, options.rounds)


def reading_and_fitting(widget, exam: Path) -> None:
    """Folder to maps: the library's time, the module's, in turns; the best of two each."""
    logic, folder = widget.logic, str(exam / DICOM_FOLDER)
    library, module = [], []
    for _ in range(2):
        start = time.perf_counter()
        fit_exam(read_exam(folder))
        library.append(time.perf_counter() - start)
        start = time.perf_counter()
        widget.panels[0].read(folder)
        widget.panels[1].fit()
        module.append(time.perf_counter() - start)
        if not logic.fitted:
            raise SystemExit("the module did not fit the exam")
    best = min(library), min(module)
    print(f"folder to maps: library {best[0]:.1f} s, module {best[1]:.1f} s, ratio {best[1] / best[0]:.2f}")


def edits(widget, exam: Path) -> None:
    """One control point moved, all values and panels updated, on large maps."""
    from HER2MapModuleLib import map_nodes

    logic = widget.logic
    affine = np.diag([-SPACING[0], -SPACING[1], SPACING[2], 1.0])
    app.draw_roi(widget, exam / ROI_FILE)
    centre = logic.roi().centroid
    affine[:3, 3] = centre - affine[:3, :3] @ ((np.array(SHAPE[::-1]) - 1) / 2)
    geometry = Geometry(SHAPE, affine)
    spread = np.random.default_rng(1).normal(1.0, 0.05, SHAPE).astype(np.float32)
    status = np.ones(SHAPE, np.uint8)
    for quantity, typical in TYPICAL.items():
        unit, values = "1" if quantity == "B1" else "ms", spread * np.float32(typical)
        layer = ParameterMap(
            values, values / 100, values * 0 + 1, status, values, quantity, unit, "benchmark"
        )
        map_nodes.showMap(quantity, layer, geometry)
    curve = logic.parameters.roi
    times = []
    for number in range(EDITS):
        point = np.empty(3)
        curve.GetNthControlPointPositionWorld(3, point)
        start = time.perf_counter()
        point[0] += 0.2 * (-1) ** number
        curve.SetNthControlPointPositionWorld(3, point)
        times.append(1000 * (time.perf_counter() - start))
    if logic.problem:
        raise SystemExit(logic.problem)
    maps = {name: (shown.map, shown.geometry) for name, shown in map_nodes.readMaps().items()}
    start = time.perf_counter()
    whole_masks(maps, logic.roi())
    mask = 1000 * (time.perf_counter() - start)
    start = time.perf_counter()
    measure_maps(maps, logic.roi())
    library = 1000 * (time.perf_counter() - start)
    median, worst = statistics.median(times), max(times)
    print(
        f"edit of a point, {len(maps)} maps of 320 x 320 x 40: {median:.0f} ms (worst {worst:.0f}), of which "
        f"the library {library:.0f}; whole masks {mask:.0f} ms, ratio {mask / median:.0f}"
    )


def score(widget) -> None:
    """The score's part of an edit: asked anew, told in words, both visible pictures painted."""
    from slicer_host import testing

    panel = next(one for one in widget.panels if type(one).__name__ == "ScorePanel")
    for kind, section in widget.sections.items():
        section.collapsed = kind is not type(panel)
    panel.ui.erBox.setCurrentIndex(2)
    testing.process_events()
    scoring = widget.logic.scoring
    if scoring.assessment.refusals:
        raise SystemExit(scoring.assessment.refusals[0])
    for number in range(panel.ui.pictureBox.count):
        panel.ui.pictureBox.setCurrentIndex(number)
        testing.process_events()
        picture, times = panel.pictures[number], []
        for _ in range(EDITS):
            start = time.perf_counter()
            scoring.update()
            panel.scale.repaint()
            picture.repaint()
            times.append(1000 * (time.perf_counter() - start))
        median, worst = statistics.median(times), max(times)
        name = panel.ui.pictureBox.currentText
        print(f"score while the ROI is edited, picture '{name}': {median:.1f} ms (worst {worst:.1f})")
    start = time.perf_counter()
    widget.logic.edited.emit()
    print(f"score at the end of an edit, with the placement: {1000 * (time.perf_counter() - start):.0f} ms")


def whole_masks(maps, roi) -> None:
    """Every voxel of every map asked whether its centre lies in the ROI, as a label map would be made."""
    from matplotlib.path import Path as Polygon

    flat = Polygon(roi.outline[:, :2])
    for parameter_map, geometry in maps.values():
        index = np.stack(np.indices(geometry.shape)[::-1], axis=-1).reshape(-1, 3)
        points = geometry.to_ras(index)
        near = np.abs(points[:, 2] - roi.centroid[2]) <= roi.thickness_mm / 2
        near[near] = flat.contains_points(points[near, :2])
        parameter_map.value.ravel()[near].mean()


def rounds(widget, exam: Path, number: int) -> None:
    """Read, fit, draw, close, again and again: memory and error log."""
    import slicer

    from slicer_host import testing

    after = []
    for k in range(number):
        app.open_exam(widget, exam / DICOM_FOLDER, exam / ROI_FILE)
        if not widget.logic.values:
            raise SystemExit("a round ended without values")
        slicer.mrmlScene.Clear(0)
        testing.process_events()
        gc.collect()
        after.append(_memory_mib())
        if k in (9, 49, 99, 149) or k == number - 1:
            print(f"round {k + 1}: {after[-1]:.0f} MiB, {len(testing.errors())} errors in the log")
    if number >= 40:
        tail = np.array(after[number // 4 :])
        growth = np.polyfit(np.arange(len(tail)), tail, 1)[0]
        print(f"growth over the last {len(tail)} rounds: {1024 * growth:.0f} KiB a round")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def _memory_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


if __name__ == "__main__":
    main()
