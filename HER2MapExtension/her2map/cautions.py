"""What a reader must be warned of when he takes a ROI's values."""

import math

from .exam import ExamValues
from .roi import RoiValue

MOST_EXCLUDED = 0.02
"""Of the ROI by the SNR rule; the paper saw less."""
LARGEST_VOXEL_ERROR = 0.15
"""Of the value: beyond it the measurements hardly determine the parameter."""


def cautions(values: ExamValues) -> tuple[str, ...]:
    """Sentences, none where all is well; the map's name comes first."""
    found = []
    for name, value in values.values.items():
        if value.excluded_by_snr > MOST_EXCLUDED:
            found.append(
                f"{name}: {100 * value.excluded_by_snr:.0f} % of the ROI is excluded by SNR (the paper saw "
                "under 2 %); the voxels that remain are biased upwards, a Rician fit keeps them all."
            )
        error = relative_voxel_error(value)
        if error > LARGEST_VOXEL_ERROR:
            found.append(
                f"{name}: a voxel's standard error is {100 * error:.0f} % of its value; these measurements "
                "hardly determine so long a time - more or later ones would."
            )
    return tuple(found)


def relative_voxel_error(value: RoiValue) -> float:
    """The standard error of a typical voxel over the ROI's value; NaN where it is not known.

    The ROI's standard error is that of a mean over `effective_voxels` equal and independent voxels.
    """
    if not value.value > 0:
        return math.nan
    return value.standard_error * math.sqrt(value.effective_voxels) / value.value
