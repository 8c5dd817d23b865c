"""Every widget and property named in a .ui file exists."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

pytest.importorskip("slicer_core", reason="needs the extra 'host'")
pytest.importorskip("PySide6", reason="needs the extra 'host'")
pytest_plugins = ["slicer_host.pytest_fixtures"]

UI_FILES = sorted((Path(__file__).parents[2] / "HER2MapModule" / "Resources" / "UI").glob("*.ui"))


@pytest.mark.parametrize("path", UI_FILES, ids=lambda path: path.name)
def test_widgets_and_properties_exist(host, path):
    import ctk
    import qt
    import slicer

    for widget in ElementTree.parse(path).iter("widget"):
        name = widget.get("class")
        source = ctk if name.startswith("ctk") else slicer if name.startswith("qMRML") else qt
        cls = getattr(source, name)
        instance = cls()  # keeps its metaobject alive
        metaObject = instance.metaObject()
        known = {metaObject.property(i).name() for i in range(metaObject.propertyCount())}
        for item in widget.findall("property"):
            if item.get("stdset") != "0":
                assert item.get("name") in known, f"{name} has no property {item.get('name')}"
