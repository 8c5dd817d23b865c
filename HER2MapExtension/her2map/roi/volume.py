"""A volume of interest: contours drawn on several slices of one image, each a prism as thick as its slice."""

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from .shape import PLANARITY_TOLERANCE_MM, TILT_TOLERANCE_DEG, Roi

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Volume:
    """The union of prisms on parallel planes, none of which overlaps another.

    What lies between two slices that are not neighbours is not filled in: nobody has looked at it.

    Attributes:
        prisms: one a slice; kept in their order along the first contour's normal.

    Raises:
        InputError: no contour, planes that are tilted to each other, or two prisms that overlap along the
            normal, as two contours on one slice do.
    """

    prisms: tuple[Roi, ...]

    def __post_init__(self) -> None:
        prisms = _checked(self.prisms)
        normal = prisms[0].normal
        prisms.sort(key=lambda prism: float(prism.centroid @ normal))
        for first, second in itertools.pairwise(prisms):
            _check_apart(first, second, _gap(first, second, normal))
        object.__setattr__(self, "prisms", tuple(prisms))

    @property
    def volume_mm3(self) -> float:
        """Of all prisms together."""
        return sum(prism.volume_mm3 for prism in self.prisms)

    @cached_property
    def gaps_mm(self) -> tuple[float, ...]:
        """Between each prism and the next; 0 where they touch."""
        normal = self.prisms[0].normal
        found = (_gap(*pair, normal) for pair in itertools.pairwise(self.prisms))
        return tuple(gap if gap > PLANARITY_TOLERANCE_MM else 0.0 for gap in found)

    @property
    def uncovered(self) -> float:
        """The part of the way from the first slice to the last on which nothing was drawn, 0 to 1."""
        missing = sum(self.gaps_mm)
        return missing / (missing + sum(prism.thickness_mm for prism in self.prisms))

    @property
    def remark(self) -> str:
        """What was left out between the slices, in a sentence; "" where nothing was."""
        if not any(self.gaps_mm):
            return ""
        missing = sum(self.gaps_mm)
        return (
            f"Between the contours {missing:.1f} mm, {100 * self.uncovered:.0f} % of the way from the first "
            "slice to the last, have no contour and are left out."
        )

    def transformed(self, matrix: ArrayLike) -> "Volume":
        """The volume moved by a rigid transform: `matrix` (4, 4), RAS to RAS."""
        return Volume(tuple(prism.transformed(matrix) for prism in self.prisms))


Region = Roi | Volume
"""What can be measured: both have `prisms`, `volume_mm3` and `transformed`."""


def on_one_slice(first: Roi, second: Roi) -> bool:
    """Whether two contours on parallel planes were drawn on the same slice."""
    thinner = min(first.thickness_mm, second.thickness_mm)
    return _gap(first, second, first.normal) < -thinner / 2


def _checked(prisms: Iterable[Roi]) -> list[Roi]:
    found = list(prisms)
    if not found:
        raise InputError("The volume has no contour; draw one and keep it.")
    normals = np.array([prism.normal for prism in found])
    tilt = math.degrees(math.acos(min(1.0, float(np.abs(normals @ normals[0]).min()))))
    if tilt > TILT_TOLERANCE_DEG:
        raise InputError(
            f"The volume's contours lie on planes tilted to each other by {tilt:.1f}°; draw them on slices "
            "of one image."
        )
    return found


def _gap(first: Roi, second: Roi, normal: Array) -> float:
    """From one prism's end to the other's start along the normal, in mm; negative where they overlap."""
    apart = abs(float((second.centroid - first.centroid) @ normal))
    return apart - (first.thickness_mm + second.thickness_mm) / 2


def _check_apart(first: Roi, second: Roi, gap: float) -> None:
    if gap >= -PLANARITY_TOLERANCE_MM:
        return
    if on_one_slice(first, second):
        raise InputError("The volume has two contours on one slice; keep one of them.")
    raise InputError(
        f"Two slices of the volume overlap by {-gap:.2f} mm; draw its contours on slices of one image."
    )
