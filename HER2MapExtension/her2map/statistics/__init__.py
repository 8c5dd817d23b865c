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
from .logistic import LogisticFit, Term, logistic, nested_test, univariable
from .multiplicity import bonferroni, holm, sidak
from .proportions import Proportion, proportion
from .roc import CutOff, RocCurve, roc
from .tested import Tested

__all__ = [
    "AucComparison",
    "BlandAltman",
    "CutOff",
    "Diagnosis",
    "Direction",
    "Estimate",
    "IccPair",
    "IccResult",
    "LogisticFit",
    "Proportion",
    "Repeatability",
    "RocCurve",
    "Term",
    "Tested",
    "bland_altman",
    "bonferroni",
    "compare_aucs",
    "diagnosis",
    "holm",
    "icc",
    "logistic",
    "nested_test",
    "proportion",
    "repeatability",
    "roc",
    "sidak",
    "univariable",
]
