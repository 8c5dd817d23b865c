"""Signal models and voxel-wise fits: arrays in, :class:`ParameterMap` out; no files, no geometry."""

from .inversion_recovery import expected_precision, fit_inversion_recovery
from .parameter_map import ParameterMap, Status

__all__ = ["ParameterMap", "Status", "expected_precision", "fit_inversion_recovery"]
