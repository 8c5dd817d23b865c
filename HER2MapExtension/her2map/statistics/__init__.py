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
from .calibration import Calibration, CalibrationCurve, CalibrationGroup, calibration
from .decision import DecisionCurve, decision_curve
from .diagnosis import Diagnosis, Direction, diagnosis
from .estimate import Estimate
from .factors import FactorComparison, compare_factor
from .groups import GroupComparison, GroupSummary, compare_groups
from .logistic import LogisticFit, Term, logistic, nested_test, univariable
from .multiplicity import bonferroni, holm, sidak
from .normality import Normality, NormalityTest, normality
from .pairs import Pair
from .proportions import Proportion, proportion
from .roc import CutOff, RocCurve, roc
from .tested import Tested

__all__ = [
    "AucComparison",
    "BlandAltman",
    "Calibration",
    "CalibrationCurve",
    "CalibrationGroup",
    "CutOff",
    "DecisionCurve",
    "Diagnosis",
    "Direction",
    "Estimate",
    "FactorComparison",
    "GroupComparison",
    "GroupSummary",
    "IccPair",
    "IccResult",
    "LogisticFit",
    "Normality",
    "NormalityTest",
    "Pair",
    "Proportion",
    "Repeatability",
    "RocCurve",
    "Term",
    "Tested",
    "bland_altman",
    "bonferroni",
    "calibration",
    "compare_aucs",
    "compare_factor",
    "compare_groups",
    "decision_curve",
    "diagnosis",
    "holm",
    "icc",
    "logistic",
    "nested_test",
    "normality",
    "proportion",
    "repeatability",
    "roc",
    "sidak",
    "univariable",
]
