"""From the text of a layout to nested Qt containers."""

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSplitter, QTabWidget, QVBoxLayout, QWidget

# Finds the widget and the tab's title of a <view> by its attributes.
FindView = Callable[[dict[str, str]], tuple[QWidget, str]]


def build(description: str, find_view: FindView) -> QWidget:
    """Return the widget that a layout description asks for; stands for ctkLayoutFactory."""
    root = ElementTree.fromstring(description)
    if root.tag == "viewports":
        root = root.find("layout")
    return _layout(root, find_view)


def _layout(element, find_view: FindView) -> QWidget:
    kind = element.get("type", "horizontal")
    items = [(item, *_content(item, find_view)) for item in element.findall("item")]
    if kind == "tab":
        return _tabs(items)
    if kind == "grid":
        return _grid(items)
    if element.get("split") == "true":
        return _splitter(kind, items)
    box = QWidget()
    layout = QHBoxLayout(box) if kind == "horizontal" else QVBoxLayout(box)
    _tighten(layout)
    for _item, widget, _title in items:
        layout.addWidget(widget, 1)
    return box


def _content(item, find_view: FindView) -> tuple[QWidget, str]:
    nested = item.find("layout")
    if nested is not None:
        return _layout(nested, find_view), item.get("name", "")
    widget, title = find_view(dict(item.find("view").attrib))
    return widget, item.get("name", title)


def _tabs(items) -> QWidget:
    tabs = QTabWidget()
    for _item, widget, title in items:
        tabs.addTab(widget, title)
    return tabs


def _grid(items) -> QWidget:
    box = QWidget()
    layout = QGridLayout(box)
    _tighten(layout)
    for item, widget, _title in items:
        spans = int(item.get("rowspan", "1")), int(item.get("colspan", "1"))
        layout.addWidget(widget, int(item.get("row", "0")), int(item.get("column", "0")), *spans)
    return box


def _splitter(kind: str, items) -> QWidget:
    splitter = QSplitter(Qt.Horizontal if kind == "horizontal" else Qt.Vertical)
    for index, (_item, widget, _title) in enumerate(items):
        splitter.addWidget(widget)
        splitter.setStretchFactor(index, 1)
    sizes = [int(item.get("splitSize", "500")) for item, _widget, _title in items]
    splitter.setSizes(sizes)
    return splitter


def _tighten(layout) -> None:
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(1)
