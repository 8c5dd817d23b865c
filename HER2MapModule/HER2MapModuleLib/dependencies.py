"""Python packages that Slicer does not bring: asked for inside an action, never when the module starts."""

import importlib.util
from pathlib import Path

import slicer
from slicer.i18n import tr as _

REQUIREMENTS = Path(__file__).parent.parent / "Resources" / "requirements.txt"
TO_FIT = ("threadpoolctl",)
TO_READ_NIFTI = "nibabel"
TO_ANALYSE = ("pandas", "shapely", "threadpoolctl")
TO_EXPORT = ("pyarrow",)
TO_REPORT = ("matplotlib", "jinja2", "cmcrameri")


def ensurePackages(*names: str) -> None:
    """Install what an action needs, if the user agrees.

    Raises:
        RuntimeError: the user declined, or a package cannot be installed.
    """
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if not missing:
        return
    lines = REQUIREMENTS.read_text(encoding="utf-8").split()
    wanted = [line for line in lines if line.split(">=")[0].lower() in {name.lower() for name in missing}]
    question = _("This needs the Python package(s) {names}, which Slicer does not bring. Install now?")
    if not slicer.util.confirmOkCancelDisplay(question.format(names=", ".join(missing))):
        raise RuntimeError(
            _("Not done: the package(s) {names} are missing.").format(names=", ".join(missing))
        )
    slicer.util.pip_install(wanted)  # slicer.packaging came with 5.12, we run on 5.10 too
    importlib.invalidate_caches()
