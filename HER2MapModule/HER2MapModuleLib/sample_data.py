"""The phantom exam, made on the spot: by a button, and through Slicer's *Sample Data*."""

import hashlib
from pathlib import Path

import slicer

SEED, NAME = 1, "HER2MapPhantom"
ICON = Path(__file__).parent.parent / "Resources" / "Icons" / "HER2MapModule.png"


def phantomFolder() -> Path:
    """Where the phantom lies, in Slicer's cache of the remote files."""
    return Path(slicer.app.temporaryPath) / f"HER2MapPhantom-{_version()}-{SEED}"


def writing(settings=None):
    """Write the phantom exam, unless it is there; returns a function of a progress callback."""
    folder = phantomFolder()

    def write(progress) -> Path:
        from her2map.phantom import DICOM_FOLDER, TRUTH_FILE, ExamSettings, write_exam

        if not (folder / TRUTH_FILE).is_file():
            write_exam(folder, settings or ExamSettings.standard(), SEED, progress)
        return folder / DICOM_FOLDER

    return write


def registerSampleData() -> None:
    """Offer the phantom in the *Sample Data* module."""
    import SampleData

    known = getattr(slicer.modules, "sampleDataSources", {}).get("HER2Map", [])
    if any(source.sampleName == NAME for source in known):
        return  # the module was reloaded
    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="HER2Map",
        sampleName=NAME,
        uris="",
        thumbnailFileName=str(ICON),
        customDownloader=loadPhantom,
    )


def loadPhantom(source=None) -> None:
    """Make the phantom exam and show it in the module."""
    slicer.util.selectModule("HER2MapModule")
    slicer.modules.HER2MapModuleWidget.panels[0].onSample()


def _version() -> str:
    from her2map import __version__

    return hashlib.sha256(__version__.encode()).hexdigest()[:8]
