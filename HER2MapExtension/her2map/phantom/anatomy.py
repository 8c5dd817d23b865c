"""The digital breast: which tissue fills any point of the patient.

All coordinates are RAS in mm; x = 0 is the midline, y = 0 the front of the chest wall, and the breasts hang
to the front (+y) as in a prone patient.
"""

import numpy as np
from numpy.typing import NDArray

from .fields import BREAST_CENTRE_X_MM, ScannerFields, Waves
from .settings import ExamSettings
from .tissues import Tissue, Values, tissue_values
from .tumour import Tumour

Array = NDArray[np.float64]
SKIN_MM = 2.0
_VALUE_FIELDS = 4
_BREAST_RADII_MM = np.array([66.0, 92.0, 78.0])
_CHEST_CENTRE_Y_MM, _CHEST_RADII_MM = -112.0, (172.0, 112.0)


class Anatomy:
    """A patient, drawn from a seed.

    Attributes:
        side: +1 for a tumour in the right breast, -1 for the left.
        tumour: its place and shape.
        fields: the scanner's fields around this patient.
    """

    def __init__(self, settings: ExamSettings, rng: np.random.Generator) -> None:
        self.settings = settings
        self.side = int(rng.choice([-1, 1]))
        centre = np.array(
            [
                self.side * (BREAST_CENTRE_X_MM + rng.uniform(-10, 10)),
                rng.uniform(36, 44),
                rng.uniform(-8, 8),
            ]
        )
        self.tumour = Tumour(settings.tumour, centre, rng)
        self.fields = ScannerFields.draw(settings, centre, rng)
        self._coarse, self._medium, self._fine = (Waves(rng, length, 12) for length in (55.0, 22.0, 10.0))
        self._ligaments = Waves(rng, 32.0, 8)
        self._variation = [Waves(rng, 16.0, 10) for _ in range(_VALUE_FIELDS)]
        self._vessel_phase = rng.uniform(0, 2 * np.pi, (3, 2))

    def tissue_at(self, ras: NDArray[np.floating]) -> NDArray[np.uint8]:
        """:class:`Tissue` at `ras` (points, 3)."""
        points = np.asarray(ras, np.float32)
        chest = _ellipse_distance(points[:, 0], points[:, 1] - _CHEST_CENTRE_Y_MM, _CHEST_RADII_MM)
        body = _smooth_minimum(chest, self._breast_distance(points), 14.0)
        tissue = np.zeros(len(points), np.uint8)
        tissue[body < 0] = Tissue.SKIN
        inside = np.flatnonzero(body < -SKIN_MM)
        tissue[inside] = self._under_the_skin(points[inside], chest[inside], body[inside])
        return tissue

    def values_at(self, tissue: Tissue, ras: Array) -> Values:
        """Values of `tissue` at `ras` (points, 3), as if all these points lay in it."""
        return tissue_values(tissue, self.settings, np.array([wave.at(ras) for wave in self._variation]))

    def _breast_distance(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        local = self._breast_local(points)
        nipple = np.linalg.norm(local - np.float32([0, _BREAST_RADII_MM[1], 0]), axis=1) - 5.0
        # Behind the chest wall the breast ends; without this it would bulge into the back.
        local = local / _BREAST_RADII_MM.astype(np.float32)
        local[:, 1] = np.where(local[:, 1] < 0, 2 * local[:, 1], local[:, 1])
        radius = np.sqrt((local**2).sum(axis=1))
        return _smooth_minimum((radius - 1.0) * np.float32(_BREAST_RADII_MM.min()), nipple, 4.0)

    def _breast_local(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Coordinates from the centre of the base of the nearer breast, x positive to lateral."""
        return np.stack([np.abs(points[:, 0]) - np.float32(BREAST_CENTRE_X_MM), points[:, 1], points[:, 2]], 1)

    def _under_the_skin(
        self, points: NDArray[np.float32], chest: NDArray[np.float32], body: NDArray[np.float32]
    ) -> NDArray[np.uint8]:
        tissue = np.full(len(points), Tissue.FAT, np.uint8)
        wall = chest + 10.0  # the front of the pectoral muscle lies 10 mm under the chest's own surface
        behind = wall < 0
        tissue[~behind] = self._breast_tissue(points[~behind], body[~behind], wall[~behind])
        tissue[behind] = self._chest_tissue(points[behind], wall[behind])
        near = np.flatnonzero(np.linalg.norm(points - self.tumour.centre, axis=1) < self.tumour.reach_mm)
        own = self.tumour.tissue_at(points[near])
        tissue[near] = np.where(own > 0, own, tissue[near])
        return tissue

    def _breast_tissue(
        self, points: NDArray[np.float32], body: NDArray[np.float32], wall: NDArray[np.float32]
    ) -> NDArray[np.uint8]:
        tissue = np.full(len(points), Tissue.FAT, np.uint8)
        local = self._breast_local(points)
        texture = 0.30 * self._coarse.at(points) + 0.26 * self._medium.at(points) + 0.16 * self._fine.at(points)
        cone = ((local - np.float32([4, 42, 0])) / np.float32([44, 46, 48])) ** 2
        duct = np.exp(-((local[:, 0] ** 2 + local[:, 2] ** 2) / 9.0**2)) * (local[:, 1] > 42)
        gland = (1.0 - cone.sum(axis=1) + texture + 0.8 * duct > 0.25) & (body < -6.0) & (wall > 4.0)
        ligament = (np.abs(self._ligaments.at(points)) < 0.035) & (local[:, 1] > 5) & (body < -SKIN_MM)
        tissue[gland | ligament] = Tissue.GLAND
        subareolar = (local[:, 1] > 66) & (local[:, 0] ** 2 + local[:, 2] ** 2 < 7.0**2)
        tissue[subareolar] = Tissue.GLAND
        tissue[self._in_vessel(local, points[:, 0] > 0)] = Tissue.BLOOD
        return tissue

    def _in_vessel(self, local: NDArray[np.float32], right: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Three veins a breast, 2.4 mm wide, winding from the chest wall forwards."""
        found = np.zeros(len(local), bool)
        phases = np.where(right[:, None], self._vessel_phase[:, 0], self._vessel_phase[:, 1])
        for number, (x, z) in enumerate([(38.0, 10.0), (-34.0, -14.0), (16.0, 40.0)]):
            phase = phases[:, number] + local[:, 1] / 17.0
            taper = 1.0 - local[:, 1] / 110.0  # towards the nipple the veins draw together
            dx = local[:, 0] - x * taper - 5.0 * np.sin(phase)
            dz = local[:, 2] - z * taper - 5.0 * np.cos(1.3 * phase)
            found |= (dx**2 + dz**2 < 1.2**2) & (local[:, 1] < 70)
        return found

    def _chest_tissue(self, points: NDArray[np.float32], wall: NDArray[np.float32]) -> NDArray[np.uint8]:
        tissue = np.full(len(points), Tissue.MUSCLE, np.uint8)
        between = np.abs(wall + 13.0 + 1.5 * np.sin(points[:, 0] / 17.0)) < 1.0
        tissue[between] = Tissue.FAT
        rib = (np.abs(wall + 19.0) < 4.5) & (np.cos(2 * np.pi * (points[:, 2] + 0.2 * points[:, 0]) / 26.0) > 0.3)
        tissue[rib] = Tissue.FAT  # marrow
        tissue[wall < -25.0] = Tissue.LUNG
        mediastinum = (np.abs(points[:, 0]) < 16.0) & (wall < -8.0)
        tissue[mediastinum] = Tissue.FAT
        heart = ((points - np.float32([-32, -86, 0])) / np.float32([58, 44, 62])) ** 2
        tissue[(heart.sum(axis=1) < 1.0) & (wall < -26.0)] = Tissue.MUSCLE
        tissue[(heart.sum(axis=1) < 0.62) & (wall < -26.0)] = Tissue.BLOOD
        for x in (20.0, -20.0):  # internal mammary vessels
            seat = (points[:, 0] - x) ** 2 + (wall + 22.0) ** 2
            tissue[seat < 2.0**2] = Tissue.BLOOD
        return tissue


def _ellipse_distance(
    x: NDArray[np.float32], y: NDArray[np.float32], radii: tuple[float, float]
) -> NDArray[np.float32]:
    """Signed distance to an ellipse in mm, exact to first order at its border; negative inside."""
    a, b = (np.float32(r) for r in radii)
    value = np.sqrt((x / a) ** 2 + (y / b) ** 2)
    slope = np.sqrt((x / a**2) ** 2 + (y / b**2) ** 2) + np.float32(1e-9)
    return value * (value - 1) / slope


def _smooth_minimum(
    first: NDArray[np.float32], second: NDArray[np.float32], width_mm: float
) -> NDArray[np.float32]:
    """The smaller of two distances, rounded where they are equal (polynomial smooth minimum)."""
    mix = np.maximum(width_mm - np.abs(first - second), 0.0) / width_mm
    return np.minimum(first, second) - (mix * mix * width_mm * 0.25).astype(np.float32)
