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
from .diagnosis import Diagnosis, Direction, diagnose
from .estimate import Estimate
from .multiplicity import bonferroni, holm, sidak
from .proportions import Proportion, proportion
from .roc import CutOff, RocCurve, roc_curve

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
    "diagnose",
    "holm",
    "icc",
    "proportion",
    "repeatability",
    "roc_curve",
    "sidak",
]
