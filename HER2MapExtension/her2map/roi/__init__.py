"""A hand-drawn region's value on any map: the same number whatever the map's grid, view or array order."""

from .measure import RoiValue, measure, measure_values
from .shape import Roi
from .weights import RoiWeights, roi_weights

__all__ = [
    "Roi",
    "RoiValue",
    "RoiWeights",
    "measure",
    "measure_values",
    "roi_weights",
]
