"""The digital breast: which tissue fills any point of the patient.

All coordinates are RAS in mm; x = 0 is the midline, y = 0 the front of the chest wall, and the breasts hang
to the front (+y) as in a prone patient.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .fields import BREAST_CENTRE_X_MM, ScannerFields, Waves
from .settings import ExamSettings
from .tissues import Tissue, Values, tissue_values
from .tumour import Tumour

Array = NDArray[np.float64]
Columns = NDArray[np.floating[Any]]
SKIN_MM = 2.0
_VALUE_FIELDS = 4
_BREAST_RADII_MM = (66.0, 92.0, 78.0)
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
        self._vessel_phase = rng.uniform(0, 2 * np.pi, (3, 2)).astype(np.float32)

    def tissue_at(self, ras: NDArray[np.floating]) -> NDArray[np.uint8]:
        """:class:`Tissue` at `ras` (3, points)."""
        points = np.asarray(ras, np.float32)
        chest = _ellipse_distance(points[0], points[1] - _CHEST_CENTRE_Y_MM, _CHEST_RADII_MM)
        body = _smooth_minimum(chest, _breast_distance(points), 14.0)
        tissue = np.zeros(body.size, np.uint8)
        tissue[body < 0] = Tissue.SKIN
        wall = chest + 10.0  # the front of the pectoral muscle lies 10 mm under the chest's own surface
        breast = np.flatnonzero((body < -SKIN_MM) & (wall >= 0))
        tissue[breast] = self._breast_tissue(points[:, breast], body[breast], wall[breast])
        behind = np.flatnonzero((body < -SKIN_MM) & (wall < 0))
        tissue[behind] = _chest_tissue(points[:, behind], wall[behind])
        near = np.flatnonzero((body < -SKIN_MM) & self.tumour.near(points))
        own = self.tumour.tissue_at(points[:, near])
        tissue[near] = np.where(own > 0, own, tissue[near])
        return tissue

    def values_at(self, tissue: Tissue, ras: NDArray[np.floating]) -> Values:
        """Values of `tissue` at `ras` (3, points), as if all these points lay in it."""
        return tissue_values(tissue, self.settings, np.array([wave.at(ras) for wave in self._variation]))

    def _breast_tissue(self, points: Columns, body: Columns, wall: Columns) -> NDArray[np.uint8]:
        tissue = np.full(body.size, Tissue.FAT, np.uint8)
        lateral, forward, up = _breast_local(points)
        axis = lateral * lateral + up * up
        shape = 0.75 - ((lateral - 4) / 44) ** 2 - ((forward - 42) / 46) ** 2 - (up / 48) ** 2
        shape += 0.8 * np.exp(axis / -(9.0**2)) * (forward > 42)  # the ducts draw together to the nipple
        # The texture decides only where the shape alone does not; its waves are most of the work.
        open_question = np.flatnonzero((shape > -1.6) & (body < -6.0) & (wall > 4.0))
        here = points[:, open_question]
        texture = 0.30 * self._coarse.at(here) + 0.26 * self._medium.at(here) + 0.16 * self._fine.at(here)
        tissue[open_question[shape[open_question] + texture > 0]] = Tissue.GLAND
        tissue[(np.abs(self._ligaments.at(points)) < 0.035) & (forward > 5)] = Tissue.GLAND
        tissue[(forward > 66) & (axis < 7.0**2)] = Tissue.GLAND
        tissue[self._in_vessel(lateral, forward, up, points[0] > 0)] = Tissue.BLOOD
        return tissue

    def _in_vessel(
        self, lateral: Columns, forward: Columns, up: Columns, right: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Three veins a breast, 2.4 mm wide, winding from the chest wall forwards."""
        found = np.zeros(lateral.size, bool)
        taper = 1.0 - forward / 110.0  # towards the nipple the veins draw together
        for phase, (x, z) in zip(self._vessel_phase, [(38, 10), (-34, -14), (16, 40)], strict=True):
            dx, dz = lateral - x * taper, up - z * taper
            near = np.flatnonzero((np.abs(dx) < 6.3) & (np.abs(dz) < 6.3) & (forward < 70))
            turn = np.where(right[near], phase[0], phase[1]) + forward[near] / 17.0
            aside = (dx[near] - 5.0 * np.sin(turn)) ** 2 + (dz[near] - 5.0 * np.cos(1.3 * turn)) ** 2
            found[near[aside < 1.2**2]] = True
        return found


def _breast_local(points: Columns) -> tuple[Columns, Columns, Columns]:
    """Coordinates from the centre of the base of the nearer breast: lateral, forward, up."""
    return np.abs(points[0]) - np.float32(BREAST_CENTRE_X_MM), points[1], points[2]


def _breast_distance(points: Columns) -> Columns:
    """Roughly the distance to the surface of the nearer breast in mm, negative inside."""
    lateral, forward, up = _breast_local(points)
    across, length, height = _BREAST_RADII_MM
    nipple = np.sqrt(lateral**2 + (forward - length) ** 2 + up**2) - 5.0
    # Behind the chest wall the breast ends; without the factor it would bulge into the back.
    depth = np.where(forward < 0, 2 * forward, forward) / length
    radius = np.sqrt((lateral / across) ** 2 + depth**2 + (up / height) ** 2)
    return _smooth_minimum((radius - 1.0) * min(_BREAST_RADII_MM), nipple, 4.0)


def _chest_tissue(points: Columns, wall: Columns) -> NDArray[np.uint8]:
    """Behind the front of the pectoral muscle; `wall` is the distance to it, negative behind it."""
    x, y, z = points
    tissue = np.full(wall.size, Tissue.MUSCLE, np.uint8)
    tissue[np.abs(wall + 13.0 + 1.5 * np.sin(x / 17.0)) < 1.0] = Tissue.FAT
    rib = (np.abs(wall + 19.0) < 4.5) & (np.cos((z + 0.2 * x) * (2 * np.pi / 26.0)) > 0.3)
    tissue[rib] = Tissue.FAT  # marrow
    tissue[wall < -25.0] = Tissue.LUNG
    tissue[(np.abs(x) < 16.0) & (wall < -8.0) & (wall > -24.0)] = Tissue.FAT  # sternum: marrow
    tissue[(wall < -24.0) & (((x + 4) / 34) ** 2 + ((y + 78) / 60) ** 2 < 1.0)] = Tissue.FAT  # mediastinum
    heart = ((x + 32) / 58) ** 2 + ((y + 86) / 44) ** 2 + (z / 62) ** 2
    tissue[(heart < 1.0) & (wall < -26.0)] = Tissue.MUSCLE
    tissue[(heart < 0.62) & (wall < -26.0)] = Tissue.BLOOD
    for seat in (20.0, -20.0):  # internal mammary vessels
        tissue[(x - seat) ** 2 + (wall + 22.0) ** 2 < 2.0**2] = Tissue.BLOOD
    return tissue


def _ellipse_distance(x: Columns, y: Columns, radii: tuple[float, float]) -> Columns:
    """Signed distance to an ellipse in mm, exact to first order at its border; negative inside."""
    a, b = radii
    value = np.sqrt((x / a) ** 2 + (y / b) ** 2)
    slope = np.sqrt((x / a**2) ** 2 + (y / b**2) ** 2) + 1e-9
    return value * (value - 1) / slope


def _smooth_minimum(first: Columns, second: Columns, width_mm: float) -> Columns:
    """The smaller of two distances, rounded where they are equal (polynomial smooth minimum)."""
    mix = np.maximum(width_mm - np.abs(first - second), 0.0) / width_mm
    return np.minimum(first, second) - mix * mix * (width_mm * 0.25)
