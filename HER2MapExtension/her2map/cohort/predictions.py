"""What the models' probabilities are worth on the cases they were fitted to: calibration, decision curves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from scipy.special import expit

from ..statistics.calibration import Calibration, calibration
from ..statistics.decision import DecisionCurve, decision_curve
from .markers import Contrast
from .models import Alone, Model


@dataclass(frozen=True, eq=False)
class Predictions:
    """The models' probabilities judged.

    Attributes:
        calibration: by model, those alone that could be fitted.
        decision: of the models, and of the best single marker in a model alone, on the cases that have all.
        best: that marker's name; "" where there is none.
    """

    calibration: Mapping[str, Calibration]
    decision: DecisionCurve | None
    best: str


def judge_predictions(pair: Contrast, models: Sequence[Model], alone: Sequence[Alone]) -> Predictions:
    """Calibration of each model, and a decision curve of all together."""
    probabilities = {one.name: expit(one.marker.values) for one in models if one.fit.terms}
    found = {name: calibration(pair.outcome, values) for name, values in probabilities.items()}
    imaging = [one for one in alone if one.variable.imaging and one.fit.terms]
    best = min(imaging, key=lambda one: one.p, default=None)
    if best is not None:
        probabilities[best.variable.name] = pd.Series(
            best.fit.probability, index=pd.Index(best.fit.used)
        ).reindex(pair.outcome.index)
    decision = decision_curve(pair.outcome, probabilities) if probabilities else None
    return Predictions(found, decision, best.variable.name if best else "")


def calibration_table(found: Predictions) -> pd.DataFrame:
    """A row a model and group of predicted probabilities: predicted, observed and its interval."""
    columns = ("model", "predicted", "observed", "observed_low", "observed_high", "cases", "events")
    rows = [
        (
            model, group.predicted, group.observed.value, group.observed.wilson.low,
            group.observed.wilson.high,
            group.observed.n, group.observed.count,
        )
        for model, one in found.calibration.items()
        for group in one.groups
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(columns))


def decision_table(found: Predictions) -> pd.DataFrame:
    """Net benefit: threshold, treat_all, treat_none, and a column a model."""
    curve = found.decision
    if curve is None:
        return pd.DataFrame(columns=["threshold", "treat_all", "treat_none"])
    columns = {"threshold": curve.thresholds, "treat_all": curve.treat_all, "treat_none": curve.treat_none}
    return pd.DataFrame({**columns, **curve.models})
