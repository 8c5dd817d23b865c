"""The cohort of data.csv and the resamples of resamples.csv, simulated. Run it to write both anew.

data.csv, a row a case: T1_pre, T1_post, delta_T1 (their difference), T2, T2star in ms, to a tenth, so that
some tie; er, pr, ki67_high 0 or 1; age in years; grade 1 to 3; histology. Some T2star, age and grade are
missing (NA). For the HER2-low and HER2-positive cases, "separated" tells them apart at 50, and "nearly" all
but one of them; "quasi" is 1 in positive cases only; "constant" is 1 throughout; "reversed" is T2star with
its sign turned.

resamples.csv, a row a resample: how often each of the low and positive cases was drawn, in their
order; then, 0 to 4, in which fold they are in one round of cross-validation.
"""

from pathlib import Path

import numpy as np
import pandas as pd

SIZES = {"zero": 20, "low": 72, "positive": 86}
T1_POST, T2STAR = {"zero": 420, "low": 460, "positive": 560}, {"zero": 25, "low": 24, "positive": 30}
ER, PR, KI67 = (
    {"zero": a, "low": b, "positive": c}
    for a, b, c in ((0.5, 0.82, 0.58), (0.4, 0.7, 0.45), (0.6, 0.55, 0.7))
)
RESAMPLES, FOLDS = 24, 5


def cohort(rng: np.random.Generator) -> pd.DataFrame:
    """A row a case."""
    groups = np.repeat(list(SIZES), list(SIZES.values()))
    n = len(groups)

    def of(figures: dict[str, float]) -> np.ndarray:
        return np.array([figures[group] for group in groups])

    shared = rng.standard_normal(n)
    t1_post = of(T1_POST) * np.exp(0.2 * (0.3 * shared + rng.standard_normal(n)))
    t1_pre = rng.normal(1850, 300, n) * np.where(groups == "zero", 0.9, 1.0)
    low = np.flatnonzero(groups != "zero")
    positive = groups == "positive"
    frame = pd.DataFrame(
        {
            "case": [f"C{i + 1:03d}" for i in range(n)],
            "group": groups,
            "T1_pre": t1_pre.round(1),
            "T1_post": t1_post.round(1),
            "T2": rng.normal(72, np.where(positive, 14, 8)).round(1),
            "T2star": (of(T2STAR) * np.exp(0.22 * (0.3 * shared + rng.standard_normal(n)))).round(1),
            "er": (rng.random(n) < of(ER)).astype(int),
            "pr": (rng.random(n) < of(PR)).astype(int),
            "ki67_high": (rng.random(n) < of(KI67)).astype(int),
            "age": np.clip(rng.normal(52, 11, n), 25, 84).round(),
            "grade": rng.choice([1, 2, 3], n, p=[0.15, 0.5, 0.35]) + 0.0,
            "histology": rng.choice(["ductal", "lobular", "other"], n, p=[0.8, 0.12, 0.08]),
        }
    )
    frame.insert(4, "delta_T1", (frame["T1_pre"] - frame["T1_post"]).round(1))
    frame["separated"] = np.where(positive, rng.uniform(55, 90, n), rng.uniform(10, 45, n)).round(1)
    frame["nearly"] = frame["separated"]
    frame.loc[low[0], "nearly"] = 70.0
    frame["quasi"] = (positive & (rng.random(n) < 0.3)).astype(int)
    frame["constant"] = 1
    for column, missing in (("T2star", 4), ("age", 2), ("grade", 5)):
        frame.loc[rng.choice(low, missing, replace=False), column] = np.nan
    frame["reversed"] = -frame["T2star"]
    return frame


def resamples(rng: np.random.Generator, data: pd.DataFrame) -> pd.DataFrame:
    """Rows b01..: counts; row "fold": folds, stratified by group."""
    two = data[data["group"] != "zero"]
    n = len(two)
    rows = {f"b{i + 1:02d}": np.bincount(rng.integers(0, n, n), minlength=n) for i in range(RESAMPLES)}
    folds = np.empty(n, int)
    for group in ("low", "positive"):
        of_group = rng.permutation(np.flatnonzero(two["group"] == group))
        folds[of_group] = np.arange(len(of_group)) % FOLDS
    return pd.DataFrame(rows | {"fold": folds}, index=two["case"]).T


def main() -> None:
    rng = np.random.default_rng(20261)
    data = cohort(rng)
    folder = Path(__file__).parent
    data.to_csv(folder / "data.csv", index=False, na_rep="NA")
    resamples(rng, data).to_csv(folder / "resamples.csv", index_label="row")


if __name__ == "__main__":
    main()
