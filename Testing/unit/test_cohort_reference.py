"""R, where it is present, still gives the figures that the statistics are checked against."""

import json
import shutil
import subprocess
import sys

import pytest

from cohort_reference import FOLDER, STORED

PACKAGES = ("pROC", "car", "nortest", "brglm2")


def has_r_packages() -> bool:
    if shutil.which("Rscript") is None:
        return False
    names = ", ".join(f"'{name}'" for name in PACKAGES)
    test = f"quit(status = !all(sapply(c({names}), requireNamespace, quietly = TRUE)))"
    return subprocess.run(["Rscript", "-e", test], capture_output=True, check=False).returncode == 0


def test_r_still_gives_the_stored_figures() -> None:
    if not has_r_packages():
        pytest.skip(f"needs R with the packages {', '.join(PACKAGES)}")
    command = ["Rscript", *(str(FOLDER / name) for name in ("cohort.R", "data.csv", "resamples.csv"))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    again = json.loads(done.stdout)
    assert again.keys() == STORED.keys()
    for path, value in again.items():
        assert value == pytest.approx(STORED[path], rel=1e-7, abs=1e-12), path


def test_the_data_are_those_of_the_script(tmp_path) -> None:
    script = tmp_path / "make_data.py"
    script.write_text((FOLDER / "make_data.py").read_text(encoding="utf-8"), encoding="utf-8")
    subprocess.run([sys.executable, str(script)], check=True)
    for name in ("data.csv", "resamples.csv"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()
