"""The result of a test, with its name."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Tested:
    """A test and its p.

    Attributes:
        name: of the test.
        statistic: NaN where there is none.
        p: two-sided where a test has sides; NaN where there is none.
        df: degrees of freedom, as many as the statistic has; none for an exact test.
        n: the cases that entered.
        convention: what differs between programs, in words.
        reason: why there is no p, in a sentence; "" where there is one.
    """

    name: str
    statistic: float = math.nan
    p: float = math.nan
    df: tuple[float, ...] = ()
    n: int = 0
    convention: str = ""
    reason: str = ""

    @property
    def known(self) -> bool:
        """Whether there is a p."""
        return not math.isnan(self.p)
