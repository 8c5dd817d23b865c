"""One small phantom exam, fitted once, for all tests of the command."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from her2map.cli import main


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `her2map demo` leaves behind."""
    folder = tmp_path_factory.mktemp("demo")
    assert main(["demo", "--output", str(folder), "--size", "small", "--seed", "3"]) == 0
    return folder


@pytest.fixture
def exam(demo: Path, tmp_path: Path) -> Path:
    """A copy of the phantom's DICOM files that a test may spoil; hard links, so that it costs nothing."""
    for file in (demo / "exam" / "dicom").rglob("*"):
        if file.is_file():
            target = tmp_path / "exam" / file.relative_to(demo / "exam" / "dicom")
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(file, target)
    return tmp_path / "exam"


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command; gives its exit status and what it printed, on standard output and error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run
