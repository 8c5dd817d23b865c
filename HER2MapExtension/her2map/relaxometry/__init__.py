"""Signal models and voxel-wise fits: arrays in, :class:`ParameterMap` out; no files, no geometry."""

from .b1 import b1_from_bloch_siegert, b1_map, recognise_b1_unit, relative_b1, usable_b1
from .epg import epg_echo_amplitudes, fit_t2_epg
from .inversion_recovery import expected_precision, fit_inversion_recovery, recovery_curve
from .monoexponential import fit_monoexponential
from .noise import (
    background_mask,
    combine_channels,
    estimate_noise,
    exclude_low_snr,
    lesion_snr,
    mark_low_signal,
    noise_sd,
    voxel_snr,
)
from .parameter_map import ParameterMap, Status
from .vfa import fit_vfa

__all__ = [
    "ParameterMap",
    "Status",
    "b1_from_bloch_siegert",
    "b1_map",
    "background_mask",
    "combine_channels",
    "epg_echo_amplitudes",
    "estimate_noise",
    "exclude_low_snr",
    "expected_precision",
    "fit_inversion_recovery",
    "fit_monoexponential",
    "fit_t2_epg",
    "fit_vfa",
    "lesion_snr",
    "mark_low_signal",
    "noise_sd",
    "recognise_b1_unit",
    "recovery_curve",
    "relative_b1",
    "usable_b1",
    "voxel_snr",
]
