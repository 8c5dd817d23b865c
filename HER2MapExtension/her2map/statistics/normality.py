"""Whether a sample may come from a normal distribution: three tests, one of them in two versions."""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy import stats
from scipy.special import kolmogorov, ndtr

from .estimate import Array
from .tested import Tested

KOLMOGOROV_SMIRNOV = (
    "one-sample Kolmogorov-Smirnov, mean and SD of the sample taken as known, asymptotic p, as in older "
    "SPSS; it hardly ever rejects"
)
LILLIEFORS = (
    "Kolmogorov-Smirnov with Lilliefors' correction, p by Dallal & Wilkinson 1986, above 0.1 by Stephens 1974"
)
LILLIEFORS_TABLE = (
    "Kolmogorov-Smirnov with Lilliefors' correction, p from the simulated table of statsmodels, 0.001 to 0.99"
)
SHAPIRO_WILK = "Shapiro-Wilk, p by Royston 1995"


class NormalityTest(StrEnum):
    """Which test says whether a group is normal."""

    KOLMOGOROV_SMIRNOV = "Kolmogorov-Smirnov"
    LILLIEFORS = "Lilliefors"
    SHAPIRO_WILK = "Shapiro-Wilk"


@dataclass(frozen=True)
class Normality:
    """The tests of one sample. The two p of Lilliefors' test belong to one statistic."""

    kolmogorov_smirnov: Tested
    lilliefors: Tested
    lilliefors_table: Tested
    shapiro_wilk: Tested

    def by(self, test: NormalityTest) -> Tested:
        """The result of this test."""
        return {
            NormalityTest.KOLMOGOROV_SMIRNOV: self.kolmogorov_smirnov,
            NormalityTest.LILLIEFORS: self.lilliefors,
            NormalityTest.SHAPIRO_WILK: self.shapiro_wilk,
        }[test]


def normality(values: Array) -> Normality:
    """Tests of a sample (n,) without missing values."""
    n = len(values)
    names = ("Kolmogorov-Smirnov", "Lilliefors", "Lilliefors", "Shapiro-Wilk")
    conventions = (KOLMOGOROV_SMIRNOV, LILLIEFORS, LILLIEFORS_TABLE, SHAPIRO_WILK)
    if n < 3 or np.ptp(values) == 0:
        reason = f"A test of normality needs three cases; there {'is 1' if n == 1 else f'are {n}'}."
        if n >= 3:
            reason = "All values are the same."
        return Normality(
            *(
                Tested(name, n=n, convention=c, reason=reason)
                for name, c in zip(names, conventions, strict=True)
            )
        )
    distance = _distance(values)
    too_few = "Lilliefors' test needs five cases." if n < 5 else ""
    corrected, table = (math.nan, math.nan) if too_few else (_dallal_wilkinson(distance, n), _table(values))
    shapiro = stats.shapiro(values) if n <= 5000 else None
    return Normality(
        Tested(
            names[0], distance, float(kolmogorov(math.sqrt(n) * distance)), n=n, convention=conventions[0]
        ),
        Tested(names[1], distance, corrected, n=n, convention=conventions[1], reason=too_few),
        Tested(names[2], distance, table, n=n, convention=conventions[2], reason=too_few),
        Tested(names[3], float(shapiro.statistic), float(shapiro.pvalue), n=n, convention=conventions[3])
        if shapiro
        else Tested(names[3], n=n, convention=conventions[3], reason="It is made for at most 5000 cases."),
    )


def _distance(values: Array) -> float:
    """The greatest between the sample's distribution function and that of its mean and SD."""
    n = len(values)
    normal = ndtr((np.sort(values) - values.mean()) / values.std(ddof=1))
    steps = np.arange(n + 1) / n
    return float(max((steps[1:] - normal).max(), (normal - steps[:-1]).max()))


def _dallal_wilkinson(distance: float, n: int) -> float:
    """P of Lilliefors' test: Dallal & Wilkinson, Am Stat 1986;40:294; above 0.1 by a modified statistic.

    The polynomials are those of R's nortest, fitted to the table of Stephens, J Am Stat Assoc 1974;69:730.
    """
    d, size = (distance, n) if n <= 100 else (distance * (n / 100) ** 0.49, 100)
    p = math.exp(
        -7.01256 * d**2 * (size + 2.78019)
        + 2.99587 * d * math.sqrt(size + 2.78019)
        - 0.122119
        + 0.974598 / math.sqrt(size)
        + 1.67997 / size
    )
    if p <= 0.1:
        return p
    modified = (math.sqrt(n) - 0.01 + 0.85 / math.sqrt(n)) * distance
    for limit, factors in (
        (0.302, (1.0,)),
        (0.5, (2.76773, -19.828315, 80.709644, -138.55152, 81.218052)),
        (0.9, (-4.901232, 40.662806, -97.490286, 94.029866, -32.355711)),
        (1.31, (6.198765, -19.558097, 23.186922, -12.234627, 2.423045)),
    ):
        if modified <= limit:
            return float(np.polynomial.polynomial.polyval(modified, factors))
    return 0.0


def _table(values: Array) -> float:
    from statsmodels.stats.diagnostic import lilliefors  # 3D Slicer lacks it until the analysis asks for it

    return float(lilliefors(values, dist="norm", pvalmethod="table")[1])
