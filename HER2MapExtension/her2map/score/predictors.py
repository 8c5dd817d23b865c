"""The predictors that a model can have, from the measured biomarkers, and how they follow from these."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..biomarkers import MEASURED, from_values
from ..errors import InputError
from .card import ModelCard
from .case import ScoreCase

Array = NDArray[np.float64]

ER = "er_positive"
_T1 = ("T1_pre", "T1_post")
_PARTS = {name: (name,) for name in MEASURED} | {ER: (), "delta_T1": _T1, "delta_T1_ratio": _T1}
PREDICTORS = tuple(_PARTS)


def parts_of(predictor: str) -> tuple[str, ...]:
    """The measured biomarkers that a predictor follows from."""
    return _PARTS[predictor]


def check_predictors(card: ModelCard) -> None:
    """Raises: InputError: the card wants a predictor that nobody measures."""
    for predictor in card.predictors:
        if predictor.name not in _PARTS:
            raise InputError(
                f"The model card {card.name} wants {predictor.name}, which is not among "
                f"{', '.join(PREDICTORS)}."
            )


def values_of(case: ScoreCase) -> dict[str, float]:
    """The measured biomarkers in ms, NaN where there is none."""
    return {name: case.maps[name].value if name in case.maps else math.nan for name in MEASURED}


def predictor_values(case: ScoreCase) -> dict[str, float]:
    """Every predictor; NaN where there is none."""
    er = math.nan if case.er_positive is None else float(case.er_positive)
    T1_pre, T1_post, T2, T2star = values_of(case).values()
    found = from_values(T1_pre, T1_post, T2, T2star)
    return {ER: er, **{name: quantity.value for name, quantity in found}}


def predictors_from(er_positive: float, values: Mapping[str, ArrayLike]) -> dict[str, ArrayLike]:
    """The same of many voxels, from the measured biomarkers (...) in ms."""
    pre, post = (np.asarray(values[name], float) for name in _T1)
    return {ER: er_positive, **values, "delta_T1": pre - post, "delta_T1_ratio": 1 - post / pre}


def derivatives(values: Mapping[str, ArrayLike]) -> dict[str, Array]:
    """(..., 4) of every predictor by T1_pre, T1_post, T2, T2star, at these values (...) in ms.

    Where they are the same everywhere it is (4,).
    """
    found = dict(zip(MEASURED, np.eye(len(MEASURED)), strict=True))
    pre, post = (np.asarray(values[name], float)[..., None] for name in _T1)
    found["delta_T1"] = found["T1_pre"] - found["T1_post"]
    found["delta_T1_ratio"] = found["T1_pre"] * post / pre**2 - found["T1_post"] / pre
    found[ER] = np.zeros(len(MEASURED))
    return found
