"""What the commands share: a progress bar, JSON on the terminal, and how a command is declared."""

import argparse
import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from ..errors import InputError
from ..progress import Progress

Run = Callable[[argparse.Namespace], None]


def command(commands: Any, name: str, run: Run, summary: str, description: str) -> argparse.ArgumentParser:
    """Declare a command; `run` gets its options."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=summary, description=description)
    parser.set_defaults(run=run)
    return parser


def json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


@contextmanager
def progress_bar(what: str) -> Iterator[Progress]:
    """A bar on the terminal; nothing where standard error is a file."""
    with tqdm(
        total=100, desc=what, bar_format="{desc:24}{bar:30} {percentage:3.0f} % {elapsed}", disable=None
    ) as bar:

        def show(fraction: float) -> None:
            bar.update(100 * fraction - bar.n)

        yield show
        show(1.0)


def print_json(content: Any) -> None:
    """JSON has no NaN: what is not a number becomes null."""
    print(json.dumps(_without_nan(content), indent=2, ensure_ascii=False, allow_nan=False))


def _without_nan(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _without_nan(value) for key, value in content.items()}
    if isinstance(content, (list, tuple)):
        return [_without_nan(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def refuse_special_file(path: Path) -> None:
    """Raises: InputError: `path` is a folder, device or pipe, which a new file cannot replace."""
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is no file that could be replaced; name another with --output.")
