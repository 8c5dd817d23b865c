"""The patients of a simulated cohort: tumours with the published distributions, and their pathology.

HER2-low and HER2-positive tumours are those of :mod:`~her2map.phantom.cohort`, whose shape (log-normal, T1
before contrast and the part of it that remains correlated) meets the published means and SDs of delta_T1 and
its ratio together with the AUC of T1_post; normal distributions with the same means and SDs do not.
"""

from dataclasses import dataclass

import numpy as np

from ..errors import InputError
from ..phantom.cohort import Cohort, simulate_group

GROUPS = {"HER2-zero": 20, "HER2-low": 72, "HER2-positive": 86}
"""The published numbers of cases."""
T2_MEDIAN_MS, T2_LOG_SD = 80.0, 0.15

ASSUMPTIONS = (
    "HER2-zero tumours have the T1, T2* and ER of HER2-low ones.",
    f"T2 has a median of {T2_MEDIAN_MS:g} ms and a relative SD of {100 * T2_LOG_SD:g} % in all groups; "
    "a tumour whose T2 is not at least 1.3 times its T2* is drawn anew.",
    "PR is positive in 85 % of ER positive and 10 % of ER negative tumours.",
    "Ki-67, age, menopause, histology and grade do not depend on HER2.",
    "HER2-low is IHC 1+ or 2+ without amplification in equal parts, HER2-positive is IHC 3+ in 80 % and 2+ "
    "with amplification in 20 %.",
    "Tumours measure 18 to 32 mm.",
)


@dataclass(frozen=True)
class Tumour:
    """The true values of a tumour.

    Attributes:
        T1_pre, T1_post, T2, T2star: in ms.
        diameter_mm: the largest.
    """

    T1_pre: float
    T1_post: float
    T2: float
    T2star: float
    diameter_mm: float


@dataclass(frozen=True)
class Patient:
    """One case of the cohort.

    Attributes:
        case: its code.
        group: of `GROUPS`.
        tumour: as drawn from the population.
        pathology: a row of a pathology table, by column.
    """

    case: str
    group: str
    tumour: Tumour
    pathology: dict[str, str]


def draw_patients(count: int, seed: int) -> tuple[Patient, ...]:
    """`count` patients in the published proportions, shuffled; each depends on the seed and its number alone.

    Raises:
        InputError: fewer than 12 patients, with which a group would be empty.
    """
    if count < 12:
        raise InputError(f"A cohort of {count} cases is too small for three groups; simulate at least 12.")
    groups = np.random.default_rng([seed, 0]).permutation(_groups(count))
    digits = max(3, len(str(count)))
    return tuple(
        _patient(f"C{number:0{digits}}", str(group), np.random.default_rng([seed, number]))
        for number, group in enumerate(groups, 1)
    )


def _groups(count: int) -> list[str]:
    """The group of every case: published proportions, the remainder to the largest fractions."""
    total = sum(GROUPS.values())
    shares = {name: count * n / total for name, n in GROUPS.items()}
    sizes = {name: int(share) for name, share in shares.items()}
    by_rest = sorted(shares, key=lambda name: sizes[name] - shares[name])
    for name in by_rest[: count - sum(sizes.values())]:
        sizes[name] += 1
    return [name for name, size in sizes.items() for _ in range(size)]


def _patient(case: str, group: str, rng: np.random.Generator) -> Patient:
    drawn, t2 = _drawn(group, rng)
    while t2 < 1.3 * drawn.T2star[0] or drawn.T1_post[0] > 0.9 * drawn.T1_pre[0]:
        drawn, t2 = _drawn(group, rng)
    tumour = Tumour(
        T1_pre=float(drawn.T1_pre[0]),
        T1_post=float(drawn.T1_post[0]),
        T2=t2,
        T2star=float(drawn.T2star[0]),
        diameter_mm=float(rng.uniform(18.0, 32.0)),
    )
    return Patient(case, group, tumour, _pathology(case, group, bool(drawn.er_positive[0]), rng))


def _drawn(group: str, rng: np.random.Generator) -> tuple[Cohort, float]:
    """One case and its T2 in ms."""
    like = "HER2-positive" if group == "HER2-positive" else "HER2-low"
    t2 = T2_MEDIAN_MS * np.exp(T2_LOG_SD * rng.standard_normal())
    return simulate_group(like, 1, rng), float(t2)


def _pathology(case: str, group: str, er: bool, rng: np.random.Generator) -> dict[str, str]:
    age = float(np.clip(rng.normal(52.0, 10.0), 25.0, 85.0))
    pr = rng.random() < (0.85 if er else 0.10)
    return {
        "case": case,
        **_her2(group, rng),
        "er_percent": f"{rng.uniform(10, 100) if er else 0:.0f}",
        "pr_percent": f"{rng.uniform(5, 100) if pr else 0:.0f}",
        "ki67_percent": f"{np.clip(np.exp(rng.normal(3.2, 0.6)), 1, 95):.0f}",
        "age": f"{age:.0f}",
        "menopause": "post" if age > 51 else "pre",
        "histology": str(rng.choice(["ductal", "lobular", "other"], p=[0.85, 0.10, 0.05])),
        "grade": str(rng.choice(["1", "2", "3"], p=[0.10, 0.50, 0.40])),
    }


def _her2(group: str, rng: np.random.Generator) -> dict[str, str]:
    """IHC, and in 2+ an in situ hybridisation that settles it."""
    common = rng.random()
    if group == "HER2-zero":
        return {"her2_ihc": "0", "her2_ish_ratio": "", "her2_copies": ""}
    if group == "HER2-low" and common < 0.5:
        return {"her2_ihc": "1+", "her2_ish_ratio": "", "her2_copies": ""}
    if group == "HER2-positive" and common < 0.8:
        return {"her2_ihc": "3+", "her2_ish_ratio": "", "her2_copies": ""}
    low, high, copies = (1.0, 1.8, (1.5, 3.8)) if group == "HER2-low" else (2.2, 6.0, (4.5, 15.0))
    return {
        "her2_ihc": "2+",
        "her2_ish_ratio": f"{rng.uniform(low, high):.1f}",
        "her2_copies": f"{rng.uniform(*copies):.1f}",
    }
