"""The pictures of the README: ``python Testing/screenshots.py`` (with the extra ``host``) makes them anew.

They show a phantom exam and a study of phantoms in the module, rendered off screen.
"""

import os
import sys
import tempfile
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import app
from her2map.phantom import DICOM_FOLDER, ROI_FILE, ExamSettings, write_exam

PICTURES = app.ROOT / "HER2MapExtension" / "Screenshots"


def main() -> None:
    widget = app.start(testing=True)
    with tempfile.TemporaryDirectory() as folder:
        exam = Path(folder) / "phantom"
        write_exam(exam, ExamSettings.standard(), seed=1)
        app.open_exam(widget, exam / DICOM_FOLDER, exam / ROI_FILE)
        widget.panels[0].ui.folderEdit.setCurrentPath("exams/phantom")
        window(widget)
        panels(widget)
        study(widget, exam, Path(folder))


def window(widget) -> None:
    """The reading room beside the tools and the values."""
    import slicer

    from slicer_host.testing import process_events, screenshot

    process_events()
    screenshot(slicer.util.mainWindow(), PICTURES / "module.png")


def panels(widget) -> None:
    """Each panel by itself, with its section open and its tables filled."""
    from slicer_host.testing import process_events, screenshot

    roi_panel, propagation_panel = widget.panels[2], widget.panels[5]
    roi_panel.onBackground()
    propagation_panel.onRegister()
    propagation_panel.onCheck()
    for panel in widget.panels:
        for kind, section in widget.sections.items():
            section.collapsed = kind is not type(panel)
        process_events()
        if type(panel).__name__ not in ("ReadingPanel", "StudyPanel"):
            screenshot(widget.sections[type(panel)], PICTURES / f"{type(panel).__name__}.png")


def study(widget, exam: Path, folder: Path) -> None:
    """The coordinator's panel of a study half read, and a reader in the middle of it."""
    from slicer_host.testing import process_events, screenshot

    made = half_read(exam, folder)
    reading_panel, study_panel = widget.panels[6], widget.panels[7]
    study_panel.ui.folderEdit.setCurrentPath(str(made.folder))
    study_panel.onStatus()
    study_panel.ui.folderEdit.blockSignals(True)
    study_panel.ui.folderEdit.setCurrentPath("studies/breast")
    for kind, section in widget.sections.items():
        section.collapsed = kind is not type(study_panel)
    process_events()
    screenshot(widget.sections[type(study_panel)], PICTURES / "StudyPanel.png")
    widget.logic.readings.signIn(str(made.folder), made.readers[0])
    for section in widget.sections.values():
        section.collapsed = False
    reading_panel.onNext()
    reading_panel.logic.readings.ending.emit()
    app.draw_roi(widget, exam / ROI_FILE)
    reading_panel.setConfidence(4)
    process_events()
    screenshot(widget.sections[type(reading_panel)], PICTURES / "ReadingPanel.png")
    screenshot(slicer_window(), PICTURES / "session.png")
    widget.logic.readings.signOut()


def slicer_window():
    import slicer

    return slicer.util.mainWindow()


def half_read(exam: Path, folder: Path):
    """A study of twelve cases, all of one phantom; one reader drew a case twice as large the second time."""
    import study_data
    from her2map.roi import Roi
    from her2map.study.session import open_session

    made = study_data.write_study(folder, exam, 12, ("R1", "R2"), title="Breast relaxometry", repeats=3)
    study_data.prepare_all(made)
    true = study_data.truth_roi(exam)
    centre = true.outline.mean(axis=0)
    for reader, count in (("R1", 17), ("R2", 14)):
        with open_session(made.folder, reader) as session:
            for number in range(count):
                scale = 1.9 if (reader, number) == ("R2", 12) else 1.0 - 0.01 * (number % 4)
                outline = centre + scale * (true.outline[::40] - centre)
                if number == 5:
                    session.begin()
                    session.skip("biopsy clip in the tumour")
                else:
                    study_data.read_one(session, Roi(outline, true.thickness_mm))
    return made


if __name__ == "__main__":
    main()
    sys.exit(0)
