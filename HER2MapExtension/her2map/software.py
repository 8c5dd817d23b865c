"""Versions of what the numbers depend on."""

import platform
from importlib import import_module

from . import __version__


def versions(*packages: str) -> dict[str, str]:
    """Of HER2Map, Python and `packages`, by name."""
    own = {"her2map": __version__, "python": platform.python_version()}
    return own | {name: str(import_module(name).__version__) for name in packages}
