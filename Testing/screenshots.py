"""The pictures of the README: ``python Testing/screenshots.py`` (with the extra ``host``) makes them anew.

They show a phantom exam in the module, rendered off screen.
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


def window(widget) -> None:
    """The reading room beside the tools and the values."""
    import slicer

    from slicer_host.testing import process_events, screenshot

    process_events()
    screenshot(slicer.util.mainWindow(), PICTURES / "module.png")


def panels(widget) -> None:
    """Each panel by itself, with its section open and its tables filled."""
    from slicer_host.testing import process_events, screenshot

    roi_panel, propagation_panel = widget.panels[2], widget.panels[4]
    roi_panel.onBackground()
    propagation_panel.onRegister()
    propagation_panel.onCheck()
    for panel in widget.panels:
        for kind, section in widget.sections.items():
            section.collapsed = kind is not type(panel)
        process_events()
        screenshot(widget.sections[type(panel)], PICTURES / f"{type(panel).__name__}.png")


if __name__ == "__main__":
    main()
    sys.exit(0)
