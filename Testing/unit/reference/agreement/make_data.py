"""The readings of data.csv, simulated: two readers, three repeats. Run it to write the file anew.

Sets: "T2star", T2* in ms as two careful readers measure it; "bias", one reader is 6 ms higher and spreads
more; "negative", cases that do not differ, the repeats of one spread apart; "ties", whole ms; "few", five
cases; "gaps", with readings missing.
"""

from pathlib import Path

import numpy as np
import pandas as pd

READERS, REPEATS = ("R1", "R2"), (1, 2, 3)


def readings(rng: np.random.Generator, cases: int, spread: float, offset: float = 0.0) -> np.ndarray:
    """(cases, readers, repeats) of T2* in ms, log-normal among the cases, with an error of 4 % a reading."""
    truth = 33.0 * np.exp(spread * rng.standard_normal(cases))[:, None, None]
    drawn = 1 + 0.02 * rng.standard_normal((cases, 2, 1)) + 0.04 * rng.standard_normal((cases, 2, 3))
    return truth * drawn + offset * np.array([0.0, 1.0])[:, None]


def opposed(rng: np.random.Generator, cases: int) -> np.ndarray:
    """Cases with nearly one mean each, whose repeats lie on either side of it."""
    step = rng.normal(2.0, 0.5, (cases, 2, 1)) * np.array([-1.0, 0.0, 1.0])
    step *= rng.choice([-1.0, 1.0], (cases, 1, 1)) * np.array([1.0, -1.0])[:, None]
    return 33.0 + step + rng.normal(0, 0.05, (cases, 2, 3)) + np.array([-0.4, 0.4])[:, None] * step


def all_sets() -> dict[str, np.ndarray]:
    """By name, (cases, readers, repeats)."""
    rng = np.random.default_rng(20260)
    biased = readings(rng, 30, 0.2, 6.0)
    biased[:, 1] *= 1.1
    gaps = readings(rng, 24, 0.2)
    for case, reader, repeat in ((2, 0, 1), (7, 1, 0), (7, 1, 2), (15, 0, 0), (15, 1, 1)):
        gaps[case, reader, repeat] = np.nan
    return {
        "T2star": readings(rng, 30, 0.2, 0.5),
        "bias": biased,
        "negative": opposed(rng, 30),
        "ties": np.round(readings(rng, 30, 0.08)),
        "few": readings(rng, 5, 0.2),
        "gaps": gaps,
    }


def main() -> None:
    lines = [
        (name, f"C{case + 1:02d}", reader, repeat, values[case, i, j])
        for name, values in all_sets().items()
        for case in range(len(values))
        for i, reader in enumerate(READERS)
        for j, repeat in enumerate(REPEATS)
    ]
    frame = pd.DataFrame(lines, columns=["set", "case", "reader", "repeat", "value"])
    frame.to_csv(Path(__file__).with_name("data.csv"), index=False, float_format="%.6f", na_rep="NA")


if __name__ == "__main__":
    main()
