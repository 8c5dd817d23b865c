"""A simulated cohort of the paper's size for tests: values as a table or as a study, and its pathology."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from her2map.biomarkers import MEASURED
from her2map.phantom.cohort import simulate
from her2map.study.order import reading_order
from her2map.study.protocol import Protocol
from her2map.study.store import Store
from study_samples import make_study, sample_result, sample_value

READERS = ("anna", "ben")
_READING_CV, _READER_CV = 0.03, 0.02


def simulated_cohort(zero: int = 20, low: int = 72, positive: int = 86, seed: int = 5) -> pd.DataFrame:
    """Values and pathology, a row a case: T1 and T2* as `her2map.phantom.cohort` draws them, zero as low;
    T2 and the clinical columns without a meaning."""
    rng = np.random.default_rng(seed)
    cohorts = -(-max(zero + low, positive) // 72)
    pool = simulate(cohorts, seed)
    is_positive = pool.her2_positive == 1
    negatives, positives = np.flatnonzero(~is_positive)[: zero + low], np.flatnonzero(is_positive)[:positive]
    chosen = np.concatenate([negatives, positives])
    n = len(chosen)
    frame = pd.DataFrame(
        {
            "case": [f"C{i:03}" for i in range(1, n + 1)],
            "T1_pre": pool.T1_pre[chosen],
            "T1_post": pool.T1_post[chosen],
            "T2": rng.normal(80, 11, n),
            "T2star": pool.T2star[chosen],
            "her2_status": ["zero"] * zero + ["low"] * low + ["positive"] * positive,
            "er_status": np.where(pool.er_positive[chosen] == 1, "positive", "negative"),
            "pr_status": rng.choice(["positive", "negative"], n, p=[0.6, 0.4]),
            "ki67_percent": np.clip(rng.lognormal(3.2, 0.6, n), 1, 95).round(),
            "age": rng.normal(53, 10, n).round(),
            "menopause": rng.choice(["pre", "post"], n),
            "histology": rng.choice(["invasive ductal", "invasive lobular", "other"], n, p=[0.85, 0.1, 0.05]),
            "grade": rng.choice(["I", "II", "III"], n, p=[0.1, 0.5, 0.4]),
        }
    )
    return frame.sample(frac=1, random_state=seed).reset_index(drop=True)


def write_cohort(
    folder: Path, frame: pd.DataFrame, readers: Sequence[str] = (), repeats: int = 3
) -> tuple[Path, Path]:
    """`values.csv` and `pathology.csv`; with readers as `her2map study export` writes its wide.csv.

    A reader's repeats scatter about the case's value; his own and the case's are their median and mean."""
    folder.mkdir(parents=True, exist_ok=True)
    values = frame[["case", *MEASURED]].copy()
    if readers:
        rng = np.random.default_rng(1)
        single = {
            (reader, name): frame[[name]].to_numpy()
            * np.exp(
                rng.normal(0, _READER_CV, (len(frame), 1)) + rng.normal(0, _READING_CV, (len(frame), repeats))
            )
            for reader in readers
            for name in MEASURED
        }
        medians = {key: np.median(table, axis=1) for key, table in single.items()}
        for name in MEASURED:
            values[name] = np.mean([medians[reader, name] for reader in readers], axis=0)
        columns = {f"{name}.{reader}": medians[reader, name] for reader in readers for name in MEASURED}
        columns |= {
            f"{name}.{reader}.{repeat + 1}": single[reader, name][:, repeat]
            for reader in readers
            for repeat in range(repeats)
            for name in MEASURED
        }
        values = pd.concat([values, pd.DataFrame(columns)], axis=1)
    values.to_csv(folder / "values.csv", index=False)
    clinical = [column for column in frame.columns if column not in MEASURED]
    frame[clinical].to_csv(folder / "pathology.csv", index=False)
    return folder / "values.csv", folder / "pathology.csv"


def write_study(folder: Path, frame: pd.DataFrame, readers: Sequence[str] = READERS) -> Protocol:
    """A study in which every reader has finished every case, with the values of `frame` but for scatter."""
    protocol = make_study(folder, len(frame), readers)
    truth = frame.set_index("case")
    for reader in readers:
        rng = np.random.default_rng(list(reader.encode()))
        clock = iter(datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=i) for i in range(10**6))
        store = Store(protocol.store(reader), reader, lambda clock=clock: next(clock))
        try:
            for slot in reading_order(protocol.codes, reader, protocol.repeats, protocol.seed):
                result = sample_result(slot.case, rng)
                case = truth.loc[slot.case]
                for name in MEASURED:
                    value = case[name] * (1 + rng.normal(0, _READING_CV))
                    result["values"][name] = sample_value(value)
                store.append("opened", *slot, {})
                store.append("edited", *slot, result["drawing"])
                store.append("finished", *slot, result)
        finally:
            store.close()
    return protocol
