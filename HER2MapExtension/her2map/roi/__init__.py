"""A hand-drawn region's value on any map: the same number whatever the map's grid, view or array order."""

from .measure import RoiValue, UsableVoxels, measure, measure_values, usable_voxels
from .shape import Roi
from .volume import Region, Volume, on_one_slice
from .weights import RoiWeights, roi_weights

__all__ = [
    "Region",
    "Roi",
    "RoiValue",
    "RoiWeights",
    "UsableVoxels",
    "Volume",
    "measure",
    "measure_values",
    "on_one_slice",
    "roi_weights",
    "usable_voxels",
]
