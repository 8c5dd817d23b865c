"""Stand-in for ``slicer.parameterNodeWrapper``: typed access to a parameter node, tied to widgets.

Values are written in the same text form as Slicer's own package writes them, so that scenes can be exchanged.
Values are read from the node at each access: Slicer's cache is left out.
"""

from .annotations import (
    Choice,
    Decimals,
    Default,
    Exclude,
    IsInstance,
    Maximum,
    Minimum,
    NotNone,
    RangeBounds,
    SingleStep,
    Validator,
    WithinRange,
    unannotatedType,
)
from .connectors import (
    GuiConnector,
    createGuiConnector,
    parameterNodeGuiConnector,
)
from .packs import (
    FloatRange,
    isParameterPack,
    nestedParameterNames,
    parameterPack,
)
from .wrapper import (
    SlicerParameterNamePropertyName,
    findChildWidgetForParameter,
    isParameterNodeWrapper,
    parameterNodeWrapper,
)

__all__ = [
    "Choice",
    "Decimals",
    "Default",
    "Exclude",
    "FloatRange",
    "GuiConnector",
    "IsInstance",
    "Maximum",
    "Minimum",
    "NotNone",
    "RangeBounds",
    "SingleStep",
    "SlicerParameterNamePropertyName",
    "Validator",
    "WithinRange",
    "createGuiConnector",
    "findChildWidgetForParameter",
    "isParameterNodeWrapper",
    "isParameterPack",
    "nestedParameterNames",
    "parameterNodeGuiConnector",
    "parameterNodeWrapper",
    "parameterPack",
    "unannotatedType",
]
