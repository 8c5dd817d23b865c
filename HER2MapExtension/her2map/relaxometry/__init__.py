"""Signal models and voxel-wise fits: arrays in, :class:`ParameterMap` out; no files, no geometry."""

from .inversion_recovery import expected_precision, fit_inversion_recovery
from .monoexponential import fit_monoexponential
from .parameter_map import ParameterMap, Status
from .vfa import fit_vfa

__all__ = [
    "ParameterMap",
    "Status",
    "expected_precision",
    "fit_inversion_recovery",
    "fit_monoexponential",
    "fit_vfa",
]
