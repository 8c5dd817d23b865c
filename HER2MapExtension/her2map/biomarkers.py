"""The biomarkers of one reading: four measured relaxation times and the two differences that follow."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .relaxometry import ParameterMap

MEASURED = ("T1_pre", "T1_post", "T2", "T2star")
"""What maps are made of; the differences of T1 follow."""


@dataclass(frozen=True)
class Quantity:
    """A number with its standard error, or the reason why there is none.

    Attributes:
        value: in `unit`; NaN where there is none.
        standard_error: in `unit`; NaN where it is not known.
        unit: "ms", or "1" for a ratio.
        reason: why there is no value; "" where there is one.
    """

    value: float = math.nan
    standard_error: float = math.nan
    unit: str = "ms"
    reason: str = "not measured"

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return not math.isnan(self.value)


@dataclass(frozen=True)
class Biomarkers:
    """The biomarkers of one reading; the differences are derived, never stored.

    Attributes:
        T1_pre, T1_post: T1 before and after the contrast medium, in ms.
        T2, T2star: in ms.
    """

    T1_pre: Quantity = Quantity()
    T1_post: Quantity = Quantity()
    T2: Quantity = Quantity()
    T2star: Quantity = Quantity()

    @property
    def delta_T1(self) -> Quantity:  # noqa: N802 - the biomarker's name
        """T1_pre - T1_post in ms.

        Its standard error takes the errors of the two as independent. A drawing that leaves the tumour
        shifts both, so errors between readings are correlated and have to come from repeated readings.
        """
        reason = self._missing_t1()
        if reason:
            return Quantity(reason=reason)
        error = math.hypot(self.T1_pre.standard_error, self.T1_post.standard_error)
        return Quantity(self.T1_pre.value - self.T1_post.value, error, reason="")

    @property
    def delta_T1_ratio(self) -> Quantity:  # noqa: N802 - the biomarker's name
        """(T1_pre - T1_post) / T1_pre; errors taken as independent, to first order."""
        reason = self._missing_t1()
        if reason:
            return Quantity(unit="1", reason=reason)
        remaining = self.T1_post.value / self.T1_pre.value
        error = remaining * math.hypot(
            self.T1_pre.standard_error / self.T1_pre.value, self.T1_post.standard_error / self.T1_post.value
        )
        return Quantity(1 - remaining, error, "1", reason="")

    def _missing_t1(self) -> str:
        parts = {"T1_pre": self.T1_pre, "T1_post": self.T1_post}
        return "; ".join(f"{name}: {part.reason}" for name, part in parts.items() if not part.known)

    def __iter__(self) -> Iterator[tuple[str, Quantity]]:
        """Name and quantity of all six, in the order of the report."""
        for name in ("T1_pre", "T1_post", "delta_T1", "delta_T1_ratio", "T2", "T2star"):
            yield name, getattr(self, name)


def measured(name: str, value: float, standard_error: float = math.nan, reason: str = "") -> Quantity:
    """A relaxation time in ms as measured.

    Args:
        name: of the biomarker, for the message.
        value: NaN where there is none; `reason` then says why.

    Raises:
        InputError: the value is zero, negative or infinite, or the error is negative.
    """
    if math.isnan(value):
        return Quantity(reason=reason or "not measured")
    if not 0 < value < math.inf:
        raise InputError(f"{name} is {value:g} ms; a relaxation time is a positive number of milliseconds.")
    if standard_error < 0:
        raise InputError(f"The standard error of {name} is {standard_error:g} ms; it cannot be negative.")
    return Quantity(float(value), float(standard_error), reason="")


def from_values(
    T1_pre: float = math.nan,
    T1_post: float = math.nan,
    T2: float = math.nan,
    T2star: float = math.nan,
    standard_errors: dict[str, float] | None = None,
    reasons: dict[str, str] | None = None,
) -> Biomarkers:
    """The biomarkers of one reading from plain numbers in ms, NaN where there is none.

    Args:
        standard_errors: in ms, by biomarker name.
        reasons: why a value is missing, by biomarker name.

    Raises:
        InputError: see :func:`measured`; or a name that is no measured biomarker.
    """
    values = {"T1_pre": T1_pre, "T1_post": T1_post, "T2": T2, "T2star": T2star}
    errors, why = standard_errors or {}, reasons or {}
    unknown = sorted((errors.keys() | why.keys()) - values.keys())
    if unknown:
        raise InputError(f"{unknown[0]} is no measured biomarker; use one of {', '.join(values)}.")
    return Biomarkers(
        **{
            name: measured(name, value, errors.get(name, math.nan), why.get(name, ""))
            for name, value in values.items()
        }
    )


def delta_maps(
    T1_pre: ParameterMap, T1_post: ParameterMap
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """delta_T1 in ms and delta_T1_ratio of every voxel, for viewing; NaN where either T1 may not be used.

    A ROI's delta is taken from its two means, not from these maps: a mean of ratios is no ratio of means.

    Args:
        T1_pre, T1_post: on the same grid.
    """
    before, after = (np.where(t1.fitted, t1.value, np.nan).astype(np.float32) for t1 in (T1_pre, T1_post))
    delta = before - after
    return delta, delta / before
