"""Virtual readers: what one draws of a tumour whose true contour is known, each time a little differently."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..roi import Roi

Array = NDArray[np.float64]


@dataclass(frozen=True)
class VirtualReader:
    """How a reader's contours differ from the true one. All are assumed; lengths in mm.

    Attributes:
        name: the reader's code.
        size: mean ratio of the drawn radius to the true one: a habit, the same in every drawing.
        size_sd: SD of that ratio between drawings.
        shift_mm: SD of the contour's place along each axis of the plane.
        wobble: SD of the contour's shape: of the radius, as a part of it, in each of four harmonics.
        slice_slip: how often another slice is taken than that of the largest diameter.
    """

    name: str
    size: float
    size_sd: float = 0.05
    shift_mm: float = 0.5
    wobble: float = 0.03
    slice_slip: float = 0.15

    def draw(self, truth: Roi, slice_spacing_mm: float, rng: np.random.Generator) -> Roi:
        """One drawing of the tumour with the contour `truth`; holes are drawn as they are, in their place."""
        across, along = _axes(truth.normal)
        centre = truth.centroid
        clicked = truth.outline[::_EVERY] - centre
        flat = np.stack([clicked @ across, clicked @ along], axis=1)
        angle = np.arctan2(flat[:, 1], flat[:, 0])
        scale = self.size * (1 + self.size_sd * rng.standard_normal())
        for harmonic in range(2, 6):
            cosine, sine = self.wobble / np.sqrt(2) * rng.standard_normal(2)
            scale = scale + cosine * np.cos(harmonic * angle) + sine * np.sin(harmonic * angle)
        shift = self.shift_mm * rng.standard_normal(2) @ np.stack([across, along])
        slip = rng.random() < self.slice_slip
        slip_mm = slice_spacing_mm * rng.choice([-1.0, 1.0]) * slip
        moved = centre + shift + slip_mm * truth.normal
        outline = moved + (flat * np.broadcast_to(scale, angle.shape)[:, None]) @ np.stack([across, along])
        holes = tuple(hole[::_EVERY] + slip_mm * truth.normal for hole in truth.holes)
        return Roi(outline, truth.thickness_mm, holes)


_EVERY = 10
"""Of the points of the true contour, a finely drawn curve: one is clicked."""

READERS = (VirtualReader("reader1", size=0.97), VirtualReader("reader2", size=1.03))
"""One draws a little inside the border, the other a little outside."""


def _axes(normal: Array) -> tuple[Array, Array]:
    across = np.cross(np.eye(3)[np.argmin(np.abs(normal))], normal)
    across /= np.linalg.norm(across)
    return across, np.cross(normal, across)
