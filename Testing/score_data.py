"""Cohorts for the tests of the score: simulated cases as the analysis of a cohort has them."""

import numpy as np
import pandas as pd

from her2map.cohort.inputs import Cohort
from her2map.cohort.values import Values, with_differences
from her2map.cohort.variables import CLINICAL, IMAGING
from her2map.phantom.cohort import Cohort as Tumours
from her2map.phantom.cohort import simulate_group

NO_READERS = pd.DataFrame(columns=["case", "reader"])
NO_READINGS = pd.DataFrame(columns=["case", "reader", "repeat"])


def cohort_of(cases: pd.DataFrame, name: str = "simulated") -> Cohort:
    """A cohort of her2, er, T1_pre, T1_post, T2, T2star a case."""
    whole = with_differences(cases).assign(her2=cases["her2"], er=cases["er"])
    whole.index = pd.Index([f"C{i:06}" for i in range(len(whole))], name="case")
    values = Values(name, whole, NO_READERS, NO_READINGS)
    variables = (*IMAGING, *(one for one in CLINICAL if one.name == "er"))
    left = pd.DataFrame(columns=["case", "why"])
    return Cohort(name, "paper", whole, variables, NO_READERS, NO_READINGS, left, (), values)


def population(
    low: int, positive: int, seed: int, t2star: float = 1.0, t1_post: float = 1.0, blur: float = 0.0
) -> pd.DataFrame:
    """Cases as in the paper, but for T2* and T1_post, which are longer by a factor, and stray.

    Args:
        blur: relative SD of T2* and T1_post from case to case, besides what tells the groups apart.
    """
    rng = np.random.default_rng(seed)
    groups = {"low": ("HER2-low", low), "positive": ("HER2-positive", positive)}
    frames = []
    for her2, (name, count) in groups.items():
        drawn: Tumours = simulate_group(name, count, rng)
        stray = np.exp(blur * rng.standard_normal((2, count)))
        frames.append(
            pd.DataFrame(
                {
                    "her2": her2,
                    "er": np.where(drawn.er_positive == 1, "positive", "negative"),
                    "T1_pre": drawn.T1_pre,
                    "T1_post": drawn.T1_post * t1_post * stray[0],
                    "T2": 80.0,
                    "T2star": drawn.T2star * t2star * stray[1],
                }
            )
        )
    return pd.concat(frames, ignore_index=True)
