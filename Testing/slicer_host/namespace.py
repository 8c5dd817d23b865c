"""The names that ``slicer`` has in the application and not in the wheel."""

import importlib
import os
import sys
from pathlib import Path

import slicer

from . import modules, ui_loader
from .application import qSlicerApplication
from .io_manager import qSlicerIOManager
from .main_window import qSlicerMainWindow, qSlicerModulePanel, qSlicerModuleSelectorToolBar
from .qmrml.layout_manager import qMRMLLayoutManager
from .qmrml.node_combo_box import qMRMLNodeComboBox
from .qmrml.plot_view import qMRMLPlotView, qMRMLPlotWidget
from .qmrml.slice_view import qMRMLSliceView
from .qmrml.slice_widget import qMRMLSliceControllerWidget, qMRMLSliceWidget
from .qmrml.slider import qMRMLRangeWidget, qMRMLSliderWidget, qMRMLSpinBox
from .qmrml.table_view import qMRMLTableModel, qMRMLTableView, qMRMLTableWidget
from .qmrml.widget import qMRMLWidget, qSlicerWidget

_WIDGETS = (
    qMRMLNodeComboBox,
    qMRMLPlotView,
    qMRMLPlotWidget,
    qMRMLRangeWidget,
    qMRMLSliceControllerWidget,
    qMRMLSliceView,
    qMRMLSliceWidget,
    qMRMLSliderWidget,
    qMRMLSpinBox,
    qMRMLTableView,
    qMRMLTableWidget,
    qMRMLWidget,
    qSlicerWidget,
)
_OTHERS = (
    modules.qSlicerLoadableModule,
    modules.qSlicerModuleManager,
    modules.qSlicerScriptedLoadableModule,
    modules.qSlicerScriptedLoadableModuleWidget,
    qMRMLLayoutManager,
    qMRMLTableModel,
    qSlicerApplication,
    qSlicerIOManager,
    qSlicerMainWindow,
    qSlicerModulePanel,
    qSlicerModuleSelectorToolBar,
)

# What the application imports of its Python layer, so that ``slicer.packaging`` and others are there unasked.
_PYTHON_LAYER = ("i18n", "ScriptedLoadableModule", "parameterNodeWrapper", "packaging")


def install() -> None:
    """Put the widgets into ``slicer`` and the Python layer, ours or Slicer's own, on its path."""
    for cls in (*_WIDGETS, *_OTHERS):
        setattr(slicer, cls.__name__, cls)
    ui_loader.register(*_WIDGETS)
    own = os.environ.get("SLICER_PYTHON_DIR")
    layer = Path(own) / "slicer" if own else Path(__file__).parent / "slicer_layer"
    if not (layer / "ScriptedLoadableModule.py").is_file():
        raise FileNotFoundError(f"SLICER_PYTHON_DIR: {layer} has no ScriptedLoadableModule.py")
    slicer.__path__.append(str(layer))
    sys.path.append(str(Path(__file__).parent / "slicer_modules"))
    for name in _PYTHON_LAYER:
        setattr(slicer, name, importlib.import_module(f"slicer.{name}"))
