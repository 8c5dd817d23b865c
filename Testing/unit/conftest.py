"""A small phantom exam and studies of it."""

from pathlib import Path

import pytest

from her2map.phantom import ExamSettings, write_exam
from her2map.study.protocol import Protocol
from study_data import prepare_all, write_study


@pytest.fixture(scope="session")
def phantom_exam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with dicom/, truth.json and roi.mrk.json."""
    folder = tmp_path_factory.mktemp("phantom") / "exam"
    write_exam(folder, ExamSettings.small(), seed=1)
    return folder


@pytest.fixture(scope="session")
def prepared_study(tmp_path_factory: pytest.TempPathFactory, phantom_exam: Path) -> Protocol:
    """A study of four cases, all in its cache; not to be read in, see `study`."""
    protocol = write_study(tmp_path_factory.mktemp("study"), phantom_exam, 4)
    prepare_all(protocol)
    return protocol


@pytest.fixture
def study(prepared_study: Protocol, tmp_path: Path) -> Protocol:
    """The same study with stores of its own."""
    from dataclasses import replace

    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "cache").symlink_to(prepared_study.cache)
    text = (prepared_study.folder / "study.toml").read_text(encoding="utf-8")
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return replace(prepared_study, folder=folder)
