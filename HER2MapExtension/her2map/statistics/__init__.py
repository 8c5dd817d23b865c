"""Statistics of a study: arrays, numbers and frames in, named results out; the conventions go with them."""

from .agreement import (
    BlandAltman,
    IccPair,
    IccResult,
    Repeatability,
    bland_altman,
    icc,
    repeatability,
)
from .estimate import Estimate

__all__ = [
    "BlandAltman",
    "Estimate",
    "IccPair",
    "IccResult",
    "Repeatability",
    "bland_altman",
    "icc",
    "repeatability",
]
