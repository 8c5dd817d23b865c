"""The module's files, as far as they can be checked without Slicer: CMake's lists, .ui files, imports."""

import ast
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULE = ROOT / "HER2MapModule"
UI_FILES = sorted((MODULE / "Resources" / "UI").glob("*.ui"))
SLICER_BRINGS = {"ctk", "numpy", "pydicom", "qt", "scipy", "SimpleITK", "slicer", "vtk", "SampleData"}
"""Of all the packages that a module file may import when Slicer starts."""


def listed_in_cmake() -> set[str]:
    text = (MODULE / "CMakeLists.txt").read_text(encoding="utf-8")
    lists = re.findall(r"set\(MODULE_PYTHON_(?:SCRIPTS|RESOURCES)\n(.*?)\n\)", text, re.DOTALL)
    assert len(lists) == 2
    return {
        line.strip().replace("${MODULE_NAME}", MODULE.name) for part in lists for line in part.splitlines()
    }


def test_cmake_lists_every_file_and_every_listed_file_exists():
    on_disk = {
        path.relative_to(MODULE).as_posix()
        for path in MODULE.rglob("*")
        if path.is_file() and path.name != "CMakeLists.txt" and "__pycache__" not in path.parts
    }
    assert listed_in_cmake() == on_disk


def test_the_extension_builds_both_folders_and_registers_the_self_test():
    text = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    assert "add_subdirectory(HER2MapExtension)" in text and "add_subdirectory(HER2MapModule)" in text
    module = (MODULE / "CMakeLists.txt").read_text(encoding="utf-8")
    assert "WITH_GENERIC_TESTS" in module
    assert "slicer_add_python_unittest(SCRIPT ${MODULE_NAME}.py)" in module


@pytest.mark.parametrize("path", sorted(MODULE.rglob("*.py")), ids=lambda path: path.name)
def test_nothing_that_needs_pip_is_imported_at_start(path: Path):
    """her2map's own imports are tested where it is imported with such packages blocked."""
    allowed = SLICER_BRINGS | {"her2map", "HER2MapModuleLib"}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [node.module or ""]
        for name in names:
            top = name.split(".")[0]
            assert top in allowed or top in __import__("sys").stdlib_module_names, f"{path.name}: {name}"


def parameter_fields() -> set[str]:
    tree = ast.parse((MODULE / "HER2MapModuleLib" / "parameter_node.py").read_text(encoding="utf-8"))
    [node] = [n for n in tree.body if isinstance(n, ast.ClassDef)]
    return {n.target.id for n in node.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)}


@pytest.mark.parametrize("path", UI_FILES, ids=lambda path: path.name)
def test_parameter_names_in_ui_files_are_fields(path: Path):
    tree = ElementTree.parse(path)
    names = [p.findtext("string") for p in tree.iter("property") if p.get("name") == "SlicerParameterName"]
    assert set(names) <= parameter_fields()
    assert len(names) == len(set(names))


@pytest.mark.parametrize("path", UI_FILES, ids=lambda path: path.name)
def test_every_mrml_widget_gets_the_scene(path: Path):
    tree = ElementTree.parse(path)
    root = tree.find("widget")
    assert root is not None and root.get("class") == "qMRMLWidget"
    children = {
        w.get("name") for w in root.iter("widget") if w is not root and w.get("class", "").startswith("qMRML")
    }
    connected = {
        c.findtext("receiver")
        for c in tree.iter("connection")
        if c.findtext("signal") == "mrmlSceneChanged(vtkMRMLScene*)"
        and c.findtext("slot") == "setMRMLScene(vtkMRMLScene*)"
        and c.findtext("sender") == root.get("name")
    }
    assert children == connected


@pytest.mark.parametrize("path", UI_FILES, ids=lambda path: path.name)
def test_custom_widgets_are_declared_once_and_used(path: Path):
    tree = ElementTree.parse(path)
    declared = [c.findtext("class") for c in tree.iter("customwidget")]
    used = {w.get("class") for w in tree.iter("widget")}
    assert sorted(declared) == sorted({name for name in used if not name.startswith("Q")})
    names = [w.get("name") for w in tree.iter("widget")]
    assert len(names) == len(set(names))


def test_there_are_panels():
    assert len(UI_FILES) >= 3
