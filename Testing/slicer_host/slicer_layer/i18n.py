"""Stand-in for ``slicer.i18n``: texts go through Qt's translators, with the source file as their context."""

import inspect
import re
from pathlib import Path

_PLACEHOLDER = re.compile(r"(?<!\{)\{([^{}]+)\}(?!\})")


def translate(context: str, text: str) -> str:
    """Return the text in the application's language."""
    from slicer import app

    return app.translate(context, text)


def getContext(sourceFile: str) -> str:
    """Return the translation context of a file: its name, after its package's where it is in one."""
    path = Path(sourceFile)
    in_package = (path.parent / "__init__.py").is_file()
    return f"{path.parent.name}.{path.stem}" if in_package else path.stem


def tr(text: str) -> str:
    """Translate with the calling file as context; a translation that lost a placeholder is not used."""
    caller = inspect.currentframe().f_back
    translated = translate(getContext(caller.f_code.co_filename), text)
    same = set(_PLACEHOLDER.findall(text)) == set(_PLACEHOLDER.findall(translated))
    return translated if same else text
