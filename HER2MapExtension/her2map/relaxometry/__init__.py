"""Signal models and voxel-wise fits: arrays in, :class:`ParameterMap` out; no files, no geometry."""

from .parameter_map import ParameterMap, Status

__all__ = ["ParameterMap", "Status"]
