"""The tumour: a lobulated body with spicules, a necrotic core and a calcification."""

import numpy as np
from numpy.typing import NDArray

from .fields import Waves
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
        self._lengths = rng.uniform(0.25, 0.8, settings.spicules) * self.radius_mm + 3.0
        self.reach_mm = float(1.3 * self.radius_mm + (self._lengths.max() if settings.spicules else 0.0) + 4.0)
        angle = rng.uniform(0, 2 * np.pi)
        across = np.array([np.cos(angle), np.sin(angle), 0.1])
        self.core_centre = self.centre + (0.26 * self.radius_mm * across).astype(np.float32)
        self.core_radii = (self.radius_mm * np.array([0.21, 0.19, 0.22])).astype(np.float32)
        self.calcification_centre = self.centre - (0.36 * self.radius_mm * across).astype(np.float32)
        self.calcification_radius = min(CALCIFICATION_RADIUS_MM, 0.12 * self.radius_mm)

    def tissue_at(self, ras: NDArray[np.floating]) -> NDArray[np.uint8]:
        """:class:`Tissue` at `ras` (points, 3); 0 outside the tumour."""
        points = np.asarray(ras, np.float32)
        offset = points - self.centre
        offset = offset + np.stack([wave.at(points) for wave in self._wobble], 1) * np.float32(0.6)
        tissue = np.where(self._in_spicule(offset), np.uint8(Tissue.TUMOUR), np.uint8(0))
        tissue[self.in_body(points)] = Tissue.TUMOUR
        tissue[self.in_core(points)] = Tissue.NECROSIS
        tissue[self.in_calcification(points)] = Tissue.CALCIFICATION
        return tissue

    def in_body(self, ras: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Whether `ras` (points, 3) lie in the tumour without its spicules, core and calcification included."""
        offset = np.asarray(ras, np.float32) - self.centre
        lobes = 1.0 + 0.06 * np.clip(self._lobes.at(offset), -1.5, 1.5)
        return ((offset / self._radii) ** 2).sum(axis=1) < lobes**2

    def in_core(self, ras: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Whether `ras` (points, 3) lie in the necrotic core."""
        return (((np.asarray(ras, np.float32) - self.core_centre) / self.core_radii) ** 2).sum(axis=1) < 1.0

    def in_calcification(self, ras: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Whether `ras` (points, 3) lie in the calcification."""
        offset = np.asarray(ras, np.float32) - self.calcification_centre
        return (offset**2).sum(axis=1) < self.calcification_radius**2

    def _in_spicule(self, offset: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Tapering needles that begin inside the body; some 2 mm thick at its border."""
        found = np.zeros(len(offset), bool)
        distance = (offset**2).sum(axis=1)
        for direction, length in zip(self._spicules, self._lengths, strict=True):
            along = offset @ direction
            beyond = (along - 0.8 * self.radius_mm) / (length + 0.2 * self.radius_mm)
            thickness = 1.1 * (1.0 - beyond) + 0.25
            found |= (beyond > 0) & (beyond < 1) & (distance - along**2 < thickness**2)
        return found
