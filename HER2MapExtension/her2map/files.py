"""Writing files so that what was there before stays whole until the new file is complete."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .errors import InputError


def output_folder(path: str | os.PathLike[str]) -> Path:
    """The folder `path`, made if need be.

    Raises:
        InputError: it is a file, or cannot be made or written to.
    """
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".her2map-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"Cannot write to the output folder {folder} ({error.strerror}); choose another with --output."
        ) from None
    return folder


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place when the block ends without an error.

    Where `path` is a symbolic link, the file that it names is replaced, not the link.

    Raises:
        InputError: the disk is full or the folder cannot be written to.
    """
    path = path.resolve()
    # The suffix stays last: writers choose the format by it.
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield temporary
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"Cannot write {path} ({reason}); free space or choose another folder.") from None
    finally:
        with suppress(OSError):  # never written, or its folder is gone
            temporary.unlink()


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, content: Any) -> None:
    """Write `content` as JSON, whole or not at all; numbers that are not finite are refused by `json`."""
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
