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
from .cross_validation import CrossValidation, cross_validate
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
from .selection import Selected, select
from .tested import Tested
from .validation import BootstrapValidation, Corrected, bootstrap

__all__ = [
    "AucComparison",
    "BlandAltman",
    "BootstrapValidation",
    "Calibration",
    "CalibrationCurve",
    "CalibrationGroup",
    "Corrected",
    "CrossValidation",
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
    "Selected",
    "Term",
    "Tested",
    "bland_altman",
    "bonferroni",
    "bootstrap",
    "calibration",
    "compare_aucs",
    "compare_factor",
    "compare_groups",
    "cross_validate",
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
    "select",
    "sidak",
    "univariable",
]
