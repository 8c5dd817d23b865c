"""Files are whole or as they were before."""

import json
from pathlib import Path

import pytest

from her2map.errors import InputError
from her2map.files import output_folder, replacing, write_json


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "map.json"
    write_json(target, {"a": 1})
    with pytest.raises(ValueError, match="not finished"), replacing(target) as temporary:
        temporary.write_text("half")
        raise ValueError("not finished")
    assert json.loads(target.read_text()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [target]


def test_the_temporary_name_keeps_the_format(tmp_path: Path) -> None:
    with replacing(tmp_path / "map.nii.gz") as temporary:
        assert temporary.name.endswith(".nii.gz")
        assert temporary.parent == tmp_path
        temporary.touch()
    assert (tmp_path / "map.nii.gz").exists()


def test_json_has_no_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "values.json", {"a": float("nan")})
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="Cannot write"):
        write_json(tmp_path / "file" / "values.json", {})


def test_output_folder_is_made_or_refused(tmp_path: Path) -> None:
    assert output_folder(tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="--output"):
        output_folder(tmp_path / "file")
