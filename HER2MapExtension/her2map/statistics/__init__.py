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
from .auc_comparison import AucComparison, compare_aucs
from .diagnosis import Diagnosis, Direction, diagnosis
from .estimate import Estimate
from .multiplicity import bonferroni, holm, sidak
from .proportions import Proportion, proportion
from .roc import CutOff, RocCurve, roc

__all__ = [
    "AucComparison",
    "BlandAltman",
    "CutOff",
    "Diagnosis",
    "Direction",
    "Estimate",
    "IccPair",
    "IccResult",
    "Proportion",
    "Repeatability",
    "RocCurve",
    "bland_altman",
    "bonferroni",
    "compare_aucs",
    "diagnosis",
    "holm",
    "icc",
    "proportion",
    "repeatability",
    "roc",
    "sidak",
]
