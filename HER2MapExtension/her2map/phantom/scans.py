"""The exam's sequences: what each measures, and the signal of a tissue at a point."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..geometry import Geometry
from .anatomy import Anatomy
from .signals import (
    chemical_shift_phase,
    look_locker,
    spin_echo_train,
    spoiled_gradient_echo,
    through_slice_dephasing,
)
from .tissues import Tissue, Values, contrast_concentration, t1_with_contrast

Array = NDArray[np.float64]
FAT_SHIFT_HZ = -434.0
"""Of fat against water at 3 T (3.4 ppm)."""
FAT_LEFT_BY_SUPPRESSION = 0.08


@dataclass(frozen=True)
class Measurement:
    """One image set of a series.

    Attributes:
        time_s: start of its acquisition after the start of the exam.
        after_injection_s: when its contrast is decided; negative before the injection.
    """

    te_ms: float
    tr_ms: float
    flip_angle_deg: float
    time_s: float
    ti_ms: float | None = None
    after_injection_s: float = -1.0


@dataclass(frozen=True, eq=False)
class Scan(ABC):
    """One acquisition on one grid.

    Attributes:
        name: short, for folder and truth.
        description: SeriesDescription and ProtocolName.
        geometry, thickness_mm: where its slices lie.
        measurements: in the order of acquisition.
        duration_s: of one measurement.
        slice_interval_s: from a slice's acquisition to the next one's, where slices have their own times.
        header: DICOM keyword to value, the same for all images.
        series_per_measurement: whether the scanner gives every measurement its own series.
        moves: whether the patient moves between the measurements.
        channels: 1, or 4 where the coil elements are stored one by one.
        gain_of: the scan whose receiver gain, and so noise, this one shares.
    """

    name: str
    description: str
    geometry: Geometry
    thickness_mm: float
    measurements: tuple[Measurement, ...]
    duration_s: float
    slice_interval_s: float = 0.0
    header: Mapping[str, Any] = field(default_factory=dict)
    series_per_measurement: bool = False
    moves: bool = False
    channels: int = 1
    gain_of: "Scan | None" = None

    @abstractmethod
    def signal(self, tissue: Tissue, values: Values, ras: Array, anatomy: Anatomy) -> NDArray[Any]:
        """(measurements, points) of `tissue` with `values` at `ras` (3, points), at receive sensitivity 1."""

    def reconstruct(self, received: NDArray[np.complex64]) -> NDArray[np.float32]:
        """The images of one channel from its complex measurements (measurements, voxels)."""
        return np.abs(received)

    def counts_per_unit(self, peak: float) -> float:
        """Stored value per signal; `peak` is the brightest tissue, to which B1 may add up to a third."""
        return 3000.0 / peak


class SpoiledGradientEcho(Scan):
    """3D spoiled gradient echo at several flip angles (VFA) or times (DCE)."""

    def signal(self, tissue: Tissue, values: Values, ras: Array, anatomy: Anatomy) -> NDArray[Any]:
        settings = anatomy.settings
        b1 = anatomy.fields.b1(ras)
        out = np.empty((len(self.measurements), ras.shape[1]))
        for row, m in zip(out, self.measurements, strict=True):
            concentration = contrast_concentration(tissue, settings, m.after_injection_s)
            t1 = t1_with_contrast(values, concentration, settings.r1_relaxivity)
            row[:] = spoiled_gradient_echo(t1, m.tr_ms, np.deg2rad(m.flip_angle_deg) * b1)
            row *= values.density * np.exp(-m.te_ms / values.t2star_ms)
        if self.header.get("ScanOptions") == "FS" and tissue is Tissue.FAT:
            out *= FAT_LEFT_BY_SUPPRESSION
        return out


class LookLocker(Scan):
    """MOLLI: Look-Locker images after two inversions."""

    PULSE_INTERVAL_MS = 20.0
    """The readout's pulses spread over the whole recovery; with 6 degrees T1* is about 0.67 T1 at 1750 ms."""
    READOUT_ANGLE_DEG = 6.0

    def signal(self, tissue: Tissue, values: Values, ras: Array, anatomy: Anatomy) -> NDArray[Any]:
        angle = np.deg2rad(self.READOUT_ANGLE_DEG) * anatomy.fields.b1(ras)
        ti = np.array([m.ti_ms for m in self.measurements], float)[:, None]
        return values.density * look_locker(values.t1_ms, ti, angle, self.PULSE_INTERVAL_MS)


class SpinEchoTrain(Scan):
    """2D multi-echo spin echo."""

    def signal(self, tissue: Tissue, values: Values, ras: Array, anatomy: Anatomy) -> NDArray[Any]:
        first = self.measurements[0]
        train = spin_echo_train(
            values.t1_ms,
            values.t2_ms,
            anatomy.fields.b1(ras),
            first.te_ms,
            len(self.measurements),
            first.tr_ms,
        )
        return values.density * train


class GradientEchoTrain(Scan):
    """2D multi-echo gradient echo: complex, for fat and water to interfere."""

    def signal(self, tissue: Tissue, values: Values, ras: Array, anatomy: Anatomy) -> NDArray[Any]:
        first = self.measurements[0]
        angle = np.deg2rad(first.flip_angle_deg) * anatomy.fields.b1(ras)
        start = values.density * spoiled_gradient_echo(values.t1_ms, first.tr_ms, angle)
        normal = self.geometry.affine[:3, 2] / self.geometry.spacing[2]
        gradient = anatomy.fields.gradient(ras, normal)
        shift = FAT_SHIFT_HZ if tissue is Tissue.FAT else 0.0
        return np.array(
            [
                start
                * np.exp(-m.te_ms / values.t2star_ms)
                * through_slice_dephasing(gradient, self.thickness_mm, m.te_ms)
                * chemical_shift_phase(m.te_ms, shift)
                for m in self.measurements
            ]
        )


class B1Map(Scan):
    """Siemens' turbo-FLASH B1 map: a reference image and one after a pulse of the nominal angle.

    Its two measurements give one image, the angle found x 10 (Chung et al. 2010, Magn Reson Med 64:439).
    Where the reference image is dark there is no angle; the scanner stores 0.
    """

    DARK = 0.05
    """Part of the bright tissue's signal under which a voxel counts as dark."""

    def signal(self, tissue: Tissue, values: Values, ras: Array, anatomy: Anatomy) -> NDArray[Any]:
        angle = np.deg2rad(self.measurements[0].flip_angle_deg) * anatomy.fields.b1(ras)
        return np.stack([values.density, values.density * np.cos(angle)])

    def reconstruct(self, received: NDArray[np.complex64]) -> NDArray[np.float32]:
        reference, prepared = received
        magnitude = np.abs(reference)
        with np.errstate(invalid="ignore", divide="ignore"):
            cosine = (prepared * np.conj(reference)).real / magnitude**2
            angle = np.rad2deg(np.arccos(np.clip(cosine, -1.0, 1.0))) * 10.0
        floor = max(self.DARK * float(np.percentile(magnitude, 99)), 1e-6)
        return np.where(magnitude > floor, angle, 0.0).astype(np.float32)[None]

    def counts_per_unit(self, peak: float) -> float:
        """1: the stored value is the angle x 10 itself."""
        return 1.0
