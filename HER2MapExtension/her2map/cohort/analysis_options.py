"""How a cohort is analysed."""

from dataclasses import dataclass


@dataclass(frozen=True)
class AnalysisOptions:
    """The choices of an analysis.

    Attributes:
        bootstraps: samples for the correction of optimism.
        seed: of bootstrap and cross-validation.
        predictors: of the model that the user names; empty for none.
    """

    bootstraps: int = 2000
    seed: int = 1
    predictors: tuple[str, ...] = ()


USUAL = AnalysisOptions()
