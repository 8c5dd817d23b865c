"""The tumour: a lobulated body with spicules, a necrotic core and a calcification."""

import numpy as np
from numpy.typing import NDArray

from .fields import Waves, rotate
from .settings import TumourSettings
from .tissues import Tissue

Array = NDArray[np.float64]
CALCIFICATION_RADIUS_MM = 1.5


class Tumour:
    """Its shape; all points are RAS in mm.

    Attributes:
        centre: (3,).
        radius_mm: nominal, of the body.
        reach_mm: no part of it lies further from the centre.
    """

    def __init__(self, settings: TumourSettings, centre: Array, rng: np.random.Generator) -> None:
        self.centre = centre.astype(np.float32)
        self.radius_mm = settings.diameter_mm / 2
        self._lobes = Waves(rng, 0.9 * settings.diameter_mm, 8)
        self._wobble = [Waves(rng, 9.0, 6) for _ in range(3)]
        self._radii = (self.radius_mm * rng.uniform([0.95, 0.88, 0.90], [1.03, 0.98, 1.0])).astype(np.float32)
        directions = rng.standard_normal((settings.spicules, 3)) * [1.0, 1.0, 0.6]
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        self._spicules = directions.astype(np.float32)
        tips = (1.0 + rng.uniform(0.25, 0.8, settings.spicules)) * self.radius_mm + 3.0
        self._tips = tips.astype(np.float32)
        self.reach_mm = float(max(1.15 * self.radius_mm, tips.max(initial=0.0) + 2.0))
        angle = rng.uniform(0, 2 * np.pi)
        across = np.array([np.cos(angle), np.sin(angle), 0.1])
        self.core_centre = self.centre + (0.26 * self.radius_mm * across).astype(np.float32)
        self.core_radii = (self.radius_mm * np.array([0.21, 0.19, 0.22])).astype(np.float32)
        self.calcification_centre = self.centre - (0.36 * self.radius_mm * across).astype(np.float32)
        self.calcification_radius = min(CALCIFICATION_RADIUS_MM, 0.12 * self.radius_mm)

    def tissue_at(self, ras: NDArray[np.floating]) -> NDArray[np.uint8]:
        """:class:`Tissue` at `ras` (3, points); 0 outside the tumour."""
        points = np.asarray(ras, np.float32)
        body = self.in_body(points)
        tissue = np.zeros(body.size, np.uint8)
        tissue[body] = Tissue.TUMOUR
        around = np.flatnonzero(~body)
        wobble = np.stack([wave.at(points[:, around]) for wave in self._wobble])
        spicule = self._in_spicule(points[:, around] - self.centre[:, None] + np.float32(0.6) * wobble)
        tissue[around[spicule]] = Tissue.TUMOUR
        tissue[self.in_core(points)] = Tissue.NECROSIS
        tissue[self.in_calcification(points)] = Tissue.CALCIFICATION
        return tissue

    def near(self, ras: NDArray[np.floating], margin_mm: float = 0.0) -> NDArray[np.bool_]:
        """Whether `ras` (3, points) lie within `margin_mm` of where any part of it may be."""
        reach = np.float32(self.reach_mm + margin_mm)
        return _square_distance(ras, self.centre) < reach * reach

    def in_body(self, ras: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Whether `ras` (3, points) lie in the body; its core and calcification count, spicules do not."""
        lobes = 1.0 + 0.06 * np.clip(self._lobes.at(ras), -1.5, 1.5)
        return _square_distance(ras, self.centre, self._radii) < lobes * lobes

    def in_core(self, ras: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Whether `ras` (3, points) lie in the necrotic core."""
        return _square_distance(ras, self.core_centre, self.core_radii) < 1.0

    def in_calcification(self, ras: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Whether `ras` (3, points) lie in the calcification."""
        return _square_distance(ras, self.calcification_centre) < self.calcification_radius**2

    def _in_spicule(self, offset: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Tapering needles that begin inside the body; some 2 mm thick at its border.

        Where two needles overlap, the one with the nearer direction decides.
        """
        if not len(self._spicules):
            return np.zeros(offset.shape[1], bool)
        along = rotate(self._spicules, offset)
        nearest = along.argmax(axis=0)
        along = np.take_along_axis(along, nearest[None], axis=0)[0]
        begin = np.float32(0.8 * self.radius_mm)
        beyond = (along - begin) / (self._tips[nearest] - begin)
        thickness = np.float32(1.35) - np.float32(1.1) * beyond
        aside = (offset * offset).sum(axis=0) - along * along
        return (beyond > 0) & (beyond < 1) & (aside < thickness * thickness)


def _square_distance(
    ras: NDArray[np.floating],
    centre: NDArray[np.float32],
    radii: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Squared distance of `ras` (3, points) to `centre`, in units of `radii` where these are given."""
    offset = np.asarray(ras, np.float32) - centre[:, None]
    if radii is not None:
        offset /= radii[:, None]
    return (offset * offset).sum(axis=0)
