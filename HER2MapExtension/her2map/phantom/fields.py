"""Smooth fields over the body: biological variation, transmit field, off-resonance, receive coils.

Points are (3, points) in the phantom, one row a coordinate: every step of the arithmetic runs along memory.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .settings import ExamSettings

Array = NDArray[np.float64]
BREAST_CENTRE_X_MM = 78.0
"""Distance of a breast's axis from the midline."""


def rotate(matrix: NDArray[Any], points: NDArray[Any]) -> NDArray[Any]:
    """`matrix` (n, 3) times `points` (3, points).

    Not by ``@``: BLAS wakes all its threads for these small products, which takes ten times as long on a busy
    machine, and its last digits depend on their number.
    """
    return np.einsum("nd,dp->np", matrix, points)


class Waves:
    """A smooth random field, a sum of plane waves: mean 0, SD 1 over the body."""

    def __init__(self, rng: np.random.Generator, wavelength_mm: float, count: int = 12) -> None:
        direction = rng.standard_normal((count, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        length = wavelength_mm * rng.uniform(0.7, 1.4, (count, 1))
        self._wave = (2 * np.pi * direction / length).astype(np.float32)
        self._phase = rng.uniform(0, 2 * np.pi, (count, 1)).astype(np.float32)
        self._scale = np.float32(np.sqrt(2.0 / count))

    def at(self, ras: NDArray[np.floating]) -> NDArray[np.float32]:
        """Its value at `ras` (3, points) in mm."""
        angle = rotate(self._wave, ras.astype(np.float32, copy=False))
        angle += self._phase
        np.cos(angle, out=angle)
        return angle.sum(axis=0) * self._scale


@dataclass(frozen=True)
class ScannerFields:
    """What the scanner, not the tissue, does to the signal; it stays in place when the patient moves.

    Attributes:
        b1_variation: see :class:`~her2map.phantom.settings.ExamSettings`.
        b1_phase: where along left to right the transmit field peaks, in radians.
        gradient_hz_per_mm: (3,) off-resonance gradient at `centre`, along R, A, S.
        curvature_hz_per_mm2: of the off-resonance along A and S.
        centre: (3,) RAS in mm, the tumour's centre.
    """

    b1_variation: float
    b1_phase: float
    gradient_hz_per_mm: Array
    curvature_hz_per_mm2: float
    centre: Array

    @classmethod
    def draw(cls, settings: ExamSettings, centre: Array, rng: np.random.Generator) -> "ScannerFields":
        """Fields of one exam; the gradient at the tumour has the strength that the settings ask for."""
        direction = np.array([0.3, 0.4, 1.0]) + 0.2 * rng.standard_normal(3)
        gradient = settings.field_gradient_hz_per_mm * direction / np.linalg.norm(direction)
        return cls(
            b1_variation=settings.b1_variation,
            b1_phase=float(rng.uniform(-0.4, 0.4)),
            gradient_hz_per_mm=gradient,
            curvature_hz_per_mm2=0.006 * settings.field_gradient_hz_per_mm,
            centre=centre,
        )

    def b1(self, ras: Array) -> Array:
        """Transmit field relative to nominal at `ras` (3, points)."""
        x, y, z = np.asarray(ras, float)
        wave = 0.8 * np.sin(x / 75.0 + self.b1_phase) + 0.2 * np.cos(y / 60.0) * np.cos(z / 70.0)
        return 1.0 + self.b1_variation * wave

    def gradient(self, ras: Array, direction: Array) -> Array:
        """Off-resonance gradient in Hz/mm along `direction` at `ras` (3, points)."""
        bend = self.curvature_hz_per_mm2 * (np.asarray(ras, float) - self.centre[:, None])
        bend[0] = 0.0
        return rotate(direction[None], self.gradient_hz_per_mm[:, None] + bend)[0]

    def channels(self, ras: Array) -> Array:
        """Sensitivity of four coil elements at `ras` (3, points): (4, points).

        One element lies lateral and one medial of each breast. Their sum of squares is `profile` squared.
        """
        x, y, _ = np.asarray(ras, float)
        offset = 45.0
        seats = [side * BREAST_CENTRE_X_MM + shift for side in (1, -1) for shift in (offset, -offset)]
        raw = np.array([1.0 / (1.0 + ((x - seat) ** 2 + (y - 40.0) ** 2) / 60.0**2) for seat in seats])
        return raw * (self.profile(ras) / np.sqrt((raw**2).sum(axis=0)))

    def profile(self, ras: Array) -> Array:
        """Combined sensitivity of the breast coil at `ras` (3, points): it falls off into the chest."""
        y = np.asarray(ras, float)[1]
        return 0.15 + 0.85 / (1.0 + np.exp(-(y + 45.0) / 22.0))
