"""`her2map app`: the Slicer module in a window, without Slicer."""

import argparse
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from ..errors import InputError
from ..exam import read_exam
from .common import declare


def declare_app(parser: argparse.ArgumentParser) -> None:
    declare(
        parser,
        _app,
        "Opens the HER2Map module on Slicer's real scene and slice views and a thin Qt host. For trying it "
        "out; to read patients use 3D Slicer.",
    )
    parser.add_argument("exam", type=Path, nargs="?", metavar="EXAM", help="the folder of an exam to open")
    parser.add_argument("--roi", type=Path, metavar="FILE", help="a ROI to draw on it")
    parser.add_argument(
        "--screenshot", type=Path, metavar="FILE", help="render the window to a PNG, show nothing"
    )


def _app(options: argparse.Namespace) -> None:
    places = [Path.cwd(), *Path(__file__).parents]
    script = next((file for place in places if (file := place / "Testing" / "app.py").is_file()), None)
    if script is None:
        raise InputError(
            "her2map app needs the project's folder with HER2MapModule and Testing; run it there."
        )
    lacking = [name for name in ("slicer_core", "PySide6") if find_spec(name) is None]
    if lacking:
        raise InputError(
            f"her2map app needs {' and '.join(lacking)}: pip install '.[host]' in {script.parents[1]}."
        )
    arguments = [str(options.exam)] if options.exam else []
    arguments += [f"--{name}={value}" for name in ("roi", "screenshot") if (value := getattr(options, name))]
    if options.exam:
        read_exam(options.exam)  # what cannot be read is told here, before there is a window
    status = subprocess.run([sys.executable, str(script), *arguments], check=False).returncode
    if status:
        raise InputError(f"The window ended with status {status}; what it printed above says why.")
