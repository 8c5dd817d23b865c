"""A study of 200 cases x 2 readers x 3 repeats in the module: its panels, the next case, status, export.

Run from the project's root with the extra ``host``:
``python Testing/benchmarks/study.py [--sizes small standard clinical] [--cases 200]``.

All cases are one phantom exam, prepared once; both readers' stores are filled by real sessions, with a
contour of its own for every reading, up to the last readings of the first reader. A case is opened as by the
key N: the session's entry, the case from the cache, scene and views, until everything is drawn. The first of
a session comes with what a program does once, so it is given beside the median of the others.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

import app
import study_data
from her2map.markups import closed_curve
from her2map.phantom import ExamSettings, write_exam
from her2map.roi import Roi
from her2map.study.readings import Drawing
from her2map.study.session import open_session

CLICKS = 24
"""Of a drawing."""
OPENED = 8
"""Cases a size."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", nargs="+", default=["small", "standard", "clinical"])
    parser.add_argument("--cases", type=int, default=200)
    options = parser.parse_args()
    widget = app.start(testing=True)
    with tempfile.TemporaryDirectory() as folder:
        for size in options.sizes:
            exam = Path(folder) / size / "phantom"
            write_exam(exam, getattr(ExamSettings, size)(), seed=1)
            count = options.cases if size == options.sizes[0] else OPENED + 1
            protocol = study_data.write_study(Path(folder) / size, exam, count)
            case = study_data.prepare_all(protocol)
            if size == options.sizes[0]:
                fill(protocol, case, study_data.truth_roi(exam))
                panels(widget, protocol)
            next_reading(widget, protocol, size, case)


def fill(protocol, case, truth) -> None:
    """All readings but the last ones of the first reader."""
    rng, start, count = np.random.default_rng(1), time.perf_counter(), 0
    for reader in protocol.readers:
        left = OPENED + 1 if reader == protocol.readers[0] else 0
        with open_session(protocol.folder, reader) as session:
            session.load = lambda: case  # what the cache would give every time
            while session.total - session.done > left:
                session.begin()
                drawing, roi = drawn_anew(truth, rng)
                session.edited(drawing)
                session.finish(study_data.values_of(case, roi), int(rng.integers(1, 6)))
                count += 1
    print(f"{count} readings written in {time.perf_counter() - start:.0f} s")


def drawn_anew(truth, rng) -> tuple[Drawing, Roi]:
    """The tumour's border clicked with some scatter: control points, and the curve that Slicer shows."""
    centre = truth.outline.mean(axis=0)
    scale, shift = rng.normal(1.0, 0.05), rng.normal(0.0, 0.5, 3) * [1.0, 1.0, 0.0]
    points = centre + shift + scale * (truth.outline[:: len(truth.outline) // CLICKS] - centre)
    return Drawing(tuple(map(tuple, points.tolist()))), Roi(closed_curve(points), truth.thickness_mm)


def panels(widget, protocol) -> None:
    """The coordinator's and the reader's panel on the whole study."""
    import slicer

    from slicer_host import testing

    study, reading = widget.panels[7], widget.panels[6]
    folder = str(protocol.folder)
    print(f"{len(protocol.cases)} cases x {len(protocol.readers)} readers x {protocol.repeats} repeats")

    def choose() -> None:
        reading.ui.studyEdit.setCurrentPath(folder)
        study.ui.folderEdit.setCurrentPath(folder)

    def enter() -> None:
        slicer.util.selectModule("")
        slicer.util.selectModule("HER2MapModule")
        testing.process_events()

    tell("choose the folder in both panels", choose)
    tell("open the module with the study chosen", enter)
    tell("sign in, grid and reading room shown", lambda: sign_in(reading, protocol))
    tell("open the module while signed in", enter)
    widget.logic.readings.signOut()
    for name in ("check", "status", "verify", "agreement"):
        tell(name, getattr(study.ui, f"{name}Button").click)
        if not study.results.head:
            raise SystemExit(f"{name} found nothing")
    with tempfile.TemporaryDirectory() as target:
        from HER2MapModuleLib import study_results

        work = study_results.exporting(folder, target, "csv")
        tell("export", lambda: study._find("Export", lambda study: work, ()))
        if not (Path(target) / "wide.csv").is_file():
            raise SystemExit("nothing was exported")


def sign_in(panel, protocol) -> None:
    """As the first reader."""
    from slicer_host import testing

    panel.ui.studyEdit.setCurrentPath(str(protocol.folder))
    panel.ui.readerBox.setCurrentText(protocol.readers[0])
    panel.ui.signInButton.click()
    testing.process_events()


def tell(what: str, action) -> None:
    start = time.perf_counter()
    action()
    print(f"  {what}: {time.perf_counter() - start:.2f} s")


def next_reading(widget, protocol, size: str, case) -> None:
    """The key N on cases that are prepared, until the views are drawn."""
    from slicer_host import testing

    readings, times = widget.logic.readings, []
    panel = widget.panels[6]
    sign_in(panel, protocol)
    for _ in range(OPENED):
        start = time.perf_counter()
        panel.onNext()
        testing.process_events()
        times.append(time.perf_counter() - start)
        if readings.shown is None:
            raise SystemExit("no case was opened")
        readings.skip("benchmark")
        testing.process_events()
    readings.signOut()
    maps = ", ".join("x".join(map(str, fitted.value.shape)) for fitted, _ in case.maps.values())
    grid = "x".join(map(str, case.dce.data.shape[1:]))
    print(
        f"next reading, {size} ({len(case.dce.data)} phases of {grid}; maps {maps}): first {times[0]:.2f} s, "
        f"then median {statistics.median(times[1:]):.2f} s, worst {max(times[1:]):.2f} s"
    )


if __name__ == "__main__":
    main()
