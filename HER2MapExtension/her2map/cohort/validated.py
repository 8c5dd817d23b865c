"""What is left of each model on new cases: bootstrap and cross-validation that repeat the whole selection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from ..progress import Progress, no_progress, part_of
from ..statistics.cross_validation import CrossValidation, cross_validate
from ..statistics.validation import BootstrapValidation, bootstrap
from .analysis_options import AnalysisOptions
from .markers import Contrast
from .models import ENTRY_P, Model, entry_candidates
from .variables import Variable, design


@dataclass(frozen=True, eq=False)
class Validated:
    """A model's figures on cases that it was not fitted to.

    Attributes:
        bootstrap: None where none was asked for.
    """

    bootstrap: BootstrapValidation | None
    crossed: CrossValidation


def validate_models(
    pair: Contrast,
    models: Sequence[Model],
    variables: Sequence[Variable],
    options: AnalysisOptions,
    progress: Progress = no_progress,
) -> dict[str, Validated]:
    """Each model that there is, by its name; that of the entry rule is chosen anew every time.

    Args:
        variables: all candidates.

    Raises:
        Cancelled: raised by `progress`.
    """
    known = [one for one in models if one.fit.terms]
    found = {}
    for i, model in enumerate(known):
        step = part_of(progress, i / len(known), (i + 1) / len(known))
        own = entry_candidates(variables) if model.name == "entry" else model.variables
        entry = ENTRY_P if model.name == "entry" else None
        found[model.name] = _validated(pair, design(pair.frame, own), entry, options, step)
    return found


def _validated(
    pair: Contrast, columns: pd.DataFrame, entry: float | None, options: AnalysisOptions, progress: Progress
) -> Validated:
    crossed = cross_validate(
        pair.outcome, columns, entry, seed=options.seed, progress=part_of(progress, 0.0, 0.15)
    )
    if not options.bootstraps:
        return Validated(None, crossed)
    resampled = bootstrap(
        pair.outcome,
        columns,
        entry,
        resamples=options.bootstraps,
        seed=options.seed,
        progress=part_of(progress, 0.15, 1.0),
    )
    return Validated(resampled, crossed)


_CORRECTED = ("apparent", "optimism", "outside", "overfitting", "weight", "corrected_632")


def validation_table(found: Mapping[str, Validated]) -> pd.DataFrame:
    """A row a model and figure (auc, brier, slope, intercept); `cross_validated` has no intercept."""
    rows = []
    for model, one in found.items():
        for name in ("auc", "brier", "slope", "intercept"):
            row: dict[str, object] = {"model": model, "figure": name}
            if one.bootstrap is not None:
                figure = getattr(one.bootstrap, name)
                row |= {key: getattr(figure, key) for key in _CORRECTED}
                row |= {"corrected": figure.corrected.value, "corrected_low": figure.corrected.low}
                row |= {"corrected_high": figure.corrected.high, "resamples": one.bootstrap.used}
            row["cross_validated"] = getattr(one.crossed, name, float("nan"))
            row["cross_validated_sd"] = one.crossed.auc_sd if name == "auc" else float("nan")
            rows.append(row)
    return pd.DataFrame(rows)


def chosen_table(found: Mapping[str, Validated]) -> pd.DataFrame:
    """How often each candidate of the entry rule was chosen, as a share of the models."""
    one = found.get("entry")
    if one is None:
        return pd.DataFrame(columns=["candidate", "bootstrap", "cross_validation"])
    resampled = one.bootstrap.chosen if one.bootstrap else {}
    names = dict.fromkeys([*resampled, *one.crossed.chosen])
    nan = float("nan")
    rows = [(name, resampled.get(name, nan), one.crossed.chosen.get(name, nan)) for name in names]
    return pd.DataFrame(rows, columns=["candidate", "bootstrap", "cross_validation"])
