"""`her2map app`: the module in a window, rendered off screen."""

from pathlib import Path

import pytest

from her2map.cli import main


def test_the_window_shows_an_exam(demo: Path, tmp_path: Path) -> None:
    pytest.importorskip("slicer_core", reason="needs the extra 'host'")
    image = pytest.importorskip("matplotlib.image")
    picture = tmp_path / "window.png"
    exam = demo / "exam"
    roi = str(exam / "roi.mrk.json")
    assert main(["app", str(exam / "dicom"), "--roi", roi, "--screenshot", str(picture)]) == 0
    pixels = image.imread(picture)[..., :3]
    views = pixels[:, pixels.shape[1] // 2 :]
    assert pixels.shape[1] > 1200
    assert views.std() > 0.1  # images are shown, not an empty frame


def test_without_the_projects_folder_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("her2map.cli.app.__file__", str(tmp_path / "her2map" / "cli" / "app.py"))
    assert main(["app"]) == 2
    assert "project's folder" in capsys.readouterr().err


def test_an_exam_that_cannot_be_read_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("slicer_core", reason="needs the extra 'host'")
    assert main(["app", str(tmp_path / "nowhere"), "--screenshot", str(tmp_path / "x.png")]) == 2
    assert "nothing at" in capsys.readouterr().err
    assert not (tmp_path / "x.png").exists()
