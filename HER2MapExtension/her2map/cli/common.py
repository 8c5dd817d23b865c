"""What the commands share: a progress bar, JSON on the terminal, and how a command is declared."""

import argparse
import json
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import InputError
from ..progress import Progress, no_progress

Run = Callable[[argparse.Namespace], int | None]
"""What a command does with its options; what it returns is the exit status, None is 0."""


@dataclass(frozen=True)
class CommandPlace:
    """A command, and the module whose function `declare_<name>` gives its parser the options.

    Attributes:
        summary: beside the name in the list of commands.
    """

    name: str
    module: str
    summary: str


class CommandParser(argparse.ArgumentParser):
    """A parser that gets its options when it is used: what the other commands import takes a second."""

    def __init__(self, *args: Any, place: CommandPlace | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._place = place

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        place, self._place = self._place, None
        if place is not None:
            getattr(import_module(place.module), f"declare_{place.name.replace('-', '_')}")(self)
        return super().parse_known_args(args, namespace)


def add_commands(parser: argparse.ArgumentParser, places: Iterable[CommandPlace]) -> None:
    """Let `parser` have commands."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=CommandParser)
    for place in places:
        commands.add_parser(place.name, help=place.summary, place=place)


def declare(parser: argparse.ArgumentParser, run: Run, description: str) -> None:
    """Say what a command is for and what it runs."""
    parser.description = description
    parser.set_defaults(run=run)


def json_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def output_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="where the files go")


@contextmanager
def progress_bar(what: str) -> Iterator[Progress]:
    """A bar on the terminal; nothing where standard error is a file, or in a Python without tqdm."""
    if find_spec("tqdm") is None:  # Slicer's own, which prepares cases for the reading
        yield no_progress
        return
    from tqdm import tqdm

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
