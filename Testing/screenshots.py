"""The pictures of the README: ``python Testing/screenshots.py`` (with the extra ``host``) makes them anew.

They show a phantom exam and a study of phantoms in the module, rendered off screen.
"""

import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import app
from her2map.phantom import DICOM_FOLDER, ROI_FILE, ExamSettings, write_exam

PICTURES = app.ROOT / "HER2MapExtension" / "Screenshots"
STYLES = {
    "light": {
        "Window": "white", "WindowText": "black", "Base": "white", "Text": "black", "Button": "#fcfcfc",
        "ButtonText": "black", "Light": "#c8c8c8", "Midlight": "#e6e6e6", "Dark": "#aaaaaa", "Mid": "#c8c8c8",
    },
    "dark": {
        "Window": "#323232", "WindowText": "white", "Base": "#1e1e1e", "Text": "white", "Button": "#323232",
        "ButtonText": "white", "Light": "#828284", "Midlight": "#5a5a5b", "Dark": "#232323", "Mid": "#2b2b2b",
    },
}  # fmt: skip
"""The colours of Slicer's light and dark style (qSlicerStyle.cxx), as far as a panel has them."""
STATES = {"clear": ("negative", 0), "grey": ("positive", 2), "none": ("unknown", 0)}
"""Of the Score panel: the ER status and the picture below the scale."""


def main() -> None:
    widget = app.start(testing=True)
    with tempfile.TemporaryDirectory() as folder:
        exam = Path(folder) / "phantom"
        write_exam(exam, ExamSettings.standard(), seed=1)
        app.open_exam(widget, exam / DICOM_FOLDER, exam / ROI_FILE)
        widget.panels[0].ui.folderEdit.setCurrentPath("exams/phantom")
        window(widget)
        panels(widget)
        scores(widget, Path(folder))
        heterogeneity(widget)
        follow_up(widget, Path(folder))
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
    widget.logic.scoring.er = "negative"
    for panel in widget.panels:
        for kind, section in widget.sections.items():
            section.collapsed = kind is not type(panel)
        process_events()
        if type(panel).__name__ not in ("ReadingPanel", "StudyPanel", "FollowUpPanel", "HeterogeneityPanel"):
            screenshot(widget.sections[type(panel)], PICTURES / f"{type(panel).__name__}.png")


def scores(widget, folder: Path) -> None:
    """The Score panel in its three states, in Slicer's light and dark style.

    For the grey zone the card's cut-off is moved to the case.
    """
    import slicer

    from slicer_host.testing import process_events, screenshot

    panel = next(one for one in widget.panels if type(one).__name__ == "ScorePanel")
    scoring = widget.logic.scoring
    for kind, section in widget.sections.items():
        section.collapsed = kind is not type(panel)
    usual = slicer.app.palette()
    for style, colours in STYLES.items():
        slicer.app.setPalette(palette_of(colours))
        for state, (status, picture) in STATES.items():
            panel.choose("")
            scoring.er = status
            if state == "grey":
                card = replace(scoring.card, cut_off=scoring.assessment.probability - 0.01)
                (folder / "card.json").write_text(card.to_json(), encoding="utf-8")
                panel.choose(str(folder / "card.json"))
            panel.ui.pictureBox.setCurrentIndex(picture)
            process_events()
            screenshot(widget.sections[type(panel)], PICTURES / f"score_{state}_{style}.png")
    slicer.app.setPalette(usual)
    panel.choose("")


def palette_of(colours):
    import qt

    palette = qt.QPalette()
    for role, colour in colours.items():
        palette.setColor(getattr(qt.QPalette, role), qt.QColor(colour))
    return palette


def heterogeneity(widget) -> None:
    """A volume of three slices, its histogram figures, and the score of its voxels over the DCE."""
    import numpy as np
    import slicer

    from HER2MapModuleLib import dce_nodes, scene
    from slicer_host.testing import process_events, screenshot

    logic = widget.logic
    panel = next(one for one in widget.panels if type(one).__name__ == "HeterogeneityPanel")
    for kind, section in widget.sections.items():
        section.collapsed = kind is not type(panel)
    drawn = scene.controlPoints(logic.parameters.roi)
    step = dce_nodes.sliceThickness(logic.parameters.dceBrowser)
    for slices in (-1, 1, 0):
        logic.setContour(drawn + np.array([0, 0, slices * step]))
        panel.onKeep()
    logic.scoring.er = "negative"
    panel.onScore()
    process_events()
    screenshot(widget.sections[type(panel)], PICTURES / "HeterogeneityPanel.png")
    screenshot(slicer.util.mainWindow(), PICTURES / "heterogeneity.png")
    for _slice in panel.part.slices:
        panel.part.remove(0)
    panel.part.choose("roi")
    logic.scoring.er = "unknown"


def follow_up(widget, folder: Path) -> None:
    """This exam beside an earlier one, in which T1 was 2 % and T2 15 % longer."""
    from her2map.files import write_text
    from her2map.report.tables import value_rows, values_csv
    from slicer_host.testing import process_events, screenshot

    panel = next(one for one in widget.panels if type(one).__name__ == "FollowUpPanel")
    longer = {"T1_pre": 1.02, "T1_post": 1.02, "T2": 1.15}
    rows = [
        replace(row, value=row.value * longer.get(row.biomarker, 1.0))
        for row in value_rows(widget.logic.values)
    ]
    write_text(folder / "march.csv", values_csv(rows))
    panel.load(str(folder / "march.csv"))
    for kind, section in widget.sections.items():
        section.collapsed = kind is not type(panel)
    process_events()
    screenshot(widget.sections[type(panel)], PICTURES / "FollowUpPanel.png")


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
