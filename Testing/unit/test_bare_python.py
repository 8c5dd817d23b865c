"""The library in a Python as bare as 3D Slicer's, before its user has consented to installing packages."""

import subprocess
import sys
from pathlib import Path

import pytest

from slicer_lacks import MISSING

MODULES = (
    "biomarkers",
    "checked_csv",
    "cli",
    "derivatives",
    "enrolment",
    "enhancement",
    "exam",
    "fitting",
    "follow_up",
    "lesion_snr",
    "markups",
    "pathology",
    "pathology_table",
    "phantom",
    "placement",
    "report.follow_up_words",
    "report.tables",
    "roi",
    "saved_values",
    "score",
    "statistics",
    "study.session",
    "study.setup",
    "study.status",
    "study.training",
    "study.verify",
    "summary",
    "tumour_slice",
)


def bare_python(code: str, *arguments: str) -> str:
    """What `code` prints where the packages `MISSING` cannot be imported."""
    block = f"import sys\nsys.modules.update(dict.fromkeys({MISSING!r}))\n"
    done = subprocess.run(
        [sys.executable, "-c", block + code, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_packages_are_out_of_reach() -> None:
    code = "try:\n    import nibabel\nexcept ImportError:\n    print('missing')"
    assert bare_python(code) == "missing"


@pytest.mark.parametrize("module", MODULES)
def test_module_is_imported_without_them(module: str) -> None:
    bare_python(f"import her2map.{module}")


def test_nifti_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "t1.nii.gz").write_bytes(b"")
    code = """
from her2map.errors import InputError
from her2map.series import read_series
try:
    read_series(sys.argv[1])
except InputError as problem:
    print(problem)
"""
    said = bare_python(code, str(tmp_path))
    assert said == (
        "Nothing can be read from t1.nii.gz: NIfTI needs the Python package nibabel, which is not installed; "
        "install it first."
    )


def test_maps_are_not_half_written(tmp_path: Path) -> None:
    code = """
from pathlib import Path
import numpy as np
from her2map.derivatives import _write_nifti
from her2map.errors import InputError
from her2map.geometry import Geometry
try:
    _write_nifti(Path(sys.argv[1]) / "map.nii.gz", np.zeros((2, 3, 4)), Geometry((2, 3, 4), np.eye(4)))
except InputError as problem:
    print(problem)
"""
    assert "nibabel" in bare_python(code, str(tmp_path))
    assert not list(tmp_path.iterdir())
