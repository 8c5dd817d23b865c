"""The cohort that the statistics of issue 5 are checked on, and what R makes of it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

FOLDER = Path(__file__).parent / "unit" / "reference" / "cohort"
STORED: dict[str, float] = json.loads((FOLDER / "cohort.json").read_text(encoding="utf-8"))
EVERYONE = pd.read_csv(FOLDER / "data.csv", index_col="case")
RESAMPLES = pd.read_csv(FOLDER / "resamples.csv", index_col="row")
TWO = EVERYONE[EVERYONE["group"] != "zero"]
OUTCOME = (TWO["group"] == "positive").astype(int)
"""HER2-positive (1) against HER2-low (0)."""
PREDICTION = 1 / (1 + np.exp(4 - 0.1 * TWO["T2star"] - 0.003 * TWO["T1_post"] + 0.8 * TWO["er"]))
"""Of a model that was not fitted to this cohort."""


def names_of(kind: str) -> list[str]:
    """What R gives figures of under this heading."""
    return list(dict.fromkeys(path.split("/")[1] for path in STORED if path.startswith(f"{kind}/")))


def assert_as_r(found: dict[str, float], *prefixes: str) -> None:
    """Every figure that R gives under these names is there, no other, and none differs by 1e-6 of it."""
    expected = {path: value for path, value in STORED.items() if path.startswith(prefixes)}
    assert expected
    assert found.keys() == expected.keys()
    for path, value in expected.items():
        # A figure that is 0 but for rounding, such as the intercept of a model on its own cases.
        assert found[path] == pytest.approx(value, rel=1e-6, abs=1e-12), path
