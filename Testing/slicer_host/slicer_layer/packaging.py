"""Stand-in for ``slicer.packaging``, which Slicer has since 5.12: packages are installed with consent."""

import importlib.metadata
import logging
from pathlib import Path

import slicer.util
from packaging.requirements import InvalidRequirement, Requirement
from slicer.i18n import tr as _

__all__ = ["load_requirements", "pip_check", "pip_ensure", "pip_install", "pip_uninstall"]


def load_requirements(path) -> list[Requirement]:
    """Read a requirements file; comments, empty lines and options of pip are passed over."""
    lines = (line.split(" #")[0].strip() for line in Path(path).read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line and line[0] not in "#-"]


def _to_requirements(requirements) -> list[Requirement]:
    if isinstance(requirements, str):
        try:
            return [Requirement(requirements)]
        except InvalidRequirement:
            return [Requirement(part) for part in requirements.split()]
    if isinstance(requirements, Requirement):
        return [requirements]
    return [Requirement(str(requirement)) for requirement in requirements]


def pip_check(req) -> bool:
    """Return whether the requirement, or all of several, are installed; extras are not looked into."""
    return all(_is_met(requirement) for requirement in _to_requirements(req))


def _is_met(requirement: Requirement) -> bool:
    if requirement.marker is not None and not requirement.marker.evaluate():
        return True
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return requirement.specifier.contains(version, prereleases=True)


def pip_ensure(
    requirements,
    constraints=None,
    skip_packages=None,
    prompt_install=True,
    prompt_restart=True,
    requester=None,
    skip_in_testing=True,
    show_progress=True,
):
    """Install what is missing once the user agrees; a refusal is a RuntimeError."""
    missing = [req for req in _to_requirements(requirements) if not pip_check(req)]
    if not missing:
        return
    if skip_in_testing and slicer.app.testingEnabled():
        logging.info("Testing mode is enabled: skipping pip_ensure for %s", missing)
        return
    if prompt_install:
        _ask(missing, requester)
    pip_install([str(req) for req in missing], constraints=constraints)


def _ask(missing: list[Requirement], requester: str | None) -> None:
    title = _("Install Python Packages")
    title = f"{requester} - {title}" if requester else title
    message = _("{count} Python packages need to be installed.").format(count=len(missing))
    details = "\n".join(f"- {req}" for req in missing)
    if not slicer.util.confirmOkCancelDisplay(message, title, detailedText=details):
        raise RuntimeError("User declined package installation")


def pip_install(requirements, constraints=None, **kwargs):
    """Run ``pip install``; keywords that only change how progress is shown have no effect here."""
    extra = ["-c", str(constraints)] if constraints else []
    arguments = requirements.split() if isinstance(requirements, str) else list(requirements)
    slicer.util.executePythonModule("pip", ["install", *arguments, *extra])


def pip_uninstall(requirements, **kwargs):
    """Run ``pip uninstall``."""
    names = requirements.split() if isinstance(requirements, str) else list(requirements)
    slicer.util.executePythonModule("pip", ["uninstall", *names, "--yes"])
