"""The exam's protocol: which scans, where their slices lie, when they run."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from ..geometry import Geometry
from .anatomy import Anatomy
from .scans import B1Map, GradientEchoTrain, LookLocker, Measurement, Scan, SpinEchoTrain, SpoiledGradientEcho
from .settings import ExamSettings

VFA_ANGLES_DEG = (2.0, 5.0, 9.0, 14.0, 20.0)
# 5(3)3: five images after the first inversion, three after the second, a heart beat of 900 ms apart.
MOLLI_TI_MS = (100.0, 1000.0, 1900.0, 2800.0, 3700.0, 180.0, 1080.0, 1980.0)
T2_SPACING_MS, T2STAR_SPACING_MS, ECHOES = 13.8, 3.54, 8
DCE_START_S = 600.0

_GRADIENT_3D = {"ScanningSequence": "GR", "MRAcquisitionType": "3D", "SequenceName": "*fl3d1"}
_GRADIENT_2D = {"ScanningSequence": "GR", "MRAcquisitionType": "2D"}


@dataclass(frozen=True)
class Protocol:
    """An exam's scans in the order in which they run.

    Attributes:
        injection_s: of the contrast agent, after the start of the exam.
    """

    b1: Scan
    vfa_pre: Scan
    molli: Scan
    t2: Scan
    t2star: Scan
    dce: Scan
    vfa_post: Scan
    injection_s: float

    @property
    def scans(self) -> tuple[Scan, ...]:
        """All of them, in order."""
        return (self.b1, self.vfa_pre, self.molli, self.t2, self.t2star, self.dce, self.vfa_post)


def plan_protocol(settings: ExamSettings, anatomy: Anatomy, rng: np.random.Generator) -> Protocol:
    """The protocol that `settings` ask for, its slices laid through the tumour as a technician would."""
    volume, volume_mm = _grid(settings, anatomy, rng, 1.0, settings.slices, 1.0, tilt=(0.0, 0.0))
    injection = DCE_START_S + settings.dce_phase_s + 5.0
    vfa_pre = _vfa(settings, volume, volume_mm, "pre", 30.0, -1.0, None)
    post_s = injection + settings.t1_post_delay_s
    return Protocol(
        b1=_b1_scan(settings, anatomy, rng),
        vfa_pre=vfa_pre,
        molli=_molli_scan(settings, anatomy, rng),
        t2=_t2_scan(settings, anatomy, rng),
        t2star=_t2star_scan(settings, anatomy, rng),
        dce=_dce_scan(settings, volume, volume_mm, injection),
        vfa_post=_vfa(settings, volume, volume_mm, "post", post_s, settings.t1_post_delay_s, vfa_pre),
        injection_s=injection,
    )


def _grid(
    settings: ExamSettings,
    anatomy: Anatomy,
    rng: np.random.Generator,
    matrix_ratio: float,
    slices: int,
    thickness_ratio: float,
    *,
    tilt: tuple[float, float],
    gap: float = 0.0,
) -> tuple[Geometry, float]:
    """A near-axial stack about the tumour and its slice thickness; rows run to the left, columns to the back.

    `tilt` is about the R and A axes in parts of `settings.oblique_deg`, `gap` between slices in thicknesses.
    """
    matrix = max(2 * round(settings.matrix * matrix_ratio / 2), 16)
    spacing = settings.fov_mm / matrix
    thickness = settings.slice_thickness_mm * thickness_ratio
    angles = settings.oblique_deg * np.array(tilt)
    turn = Rotation.from_euler("xy", angles, degrees=True).as_matrix()
    axes = turn @ np.diag([-spacing, -spacing, thickness * (1.0 + gap)])
    target = anatomy.tumour.centre.astype(float)
    if settings.one_breast:
        middle = np.array([0.85 * target[0] + 0.15 * 78.0 * anatomy.side, 30.0, target[2]])
    else:
        middle = np.array([0.0, min(120.0 - 0.5 * settings.fov_mm, 0.0), target[2]])
    # The technician's click: some mm beside, and no slice centre on the tumour's centre on purpose.
    middle = middle + rng.uniform(-0.5, 0.5, 3) * [4.0, 4.0, thickness]
    affine = np.eye(4)
    affine[:3, :3] = axes
    affine[:3, 3] = middle - axes @ ((np.array([matrix, matrix, slices]) - 1) / 2)
    return Geometry((slices, matrix, matrix), affine), thickness


def _stack(settings: ExamSettings, thickness_ratio: float, gap: float) -> int:
    """Slices that cover about 0.8 of the DCE volume, an odd or even number as it comes, at least 3."""
    return max(round(0.8 * settings.slices / (thickness_ratio * (1.0 + gap))), 3)


def _b1_scan(settings: ExamSettings, anatomy: Anatomy, rng: np.random.Generator) -> Scan:
    thick = max(5.0 / settings.slice_thickness_mm, 1.0)
    matrix_ratio = min(settings.fov_mm / 5.0 / settings.matrix, 1.0)
    slices = max(int(np.ceil(settings.slices / thick)) + 1, 3)
    geometry, thickness = _grid(settings, anatomy, rng, matrix_ratio, slices, thick, tilt=(0.3, 0.0))
    header = {
        **_GRADIENT_2D,
        "SequenceName": "*tfl2d1_16",
        "SequenceVariant": ["SK", "SP", "MP"],
        "ImageType": ["ORIGINAL", "PRIMARY", "FLIP ANGLE MAP", "ND"],
    }
    return B1Map(
        "B1",
        "B1map_tfl_tra",
        geometry,
        thickness,
        tuple(Measurement(2.0, 6000.0, 80.0, time) for time in (0.0, 6.0)),
        12.0,
        header=header,
    )


def _vfa(
    settings: ExamSettings,
    geometry: Geometry,
    thickness: float,
    when: str,
    start_s: float,
    after_injection_s: float,
    gain_of: Scan | None,
) -> Scan:
    """One flip angle after the other, 15 s each.

    All of a set see the contrast of its start: the washout meanwhile would make T1_post no single number.
    """
    measurements = tuple(
        Measurement(2.46, 5.0, angle, start_s + 15.0 * i, after_injection_s=after_injection_s)
        for i, angle in enumerate(VFA_ANGLES_DEG)
    )
    return SpoiledGradientEcho(
        f"VFA_{when}",
        f"T1map_vfa_{when}",
        geometry,
        thickness,
        measurements,
        15.0,
        header={**_GRADIENT_3D, "SequenceVariant": "SP"},
        series_per_measurement=True,
        gain_of=gain_of,
    )


def _molli_scan(settings: ExamSettings, anatomy: Anatomy, rng: np.random.Generator) -> Scan:
    ratio = max(min(6.0 / settings.slice_thickness_mm, 2.5), 1.0)
    geometry, thickness = _grid(settings, anatomy, rng, 0.75, 3, ratio, tilt=(0.0, 0.5), gap=0.2)
    measurements = tuple(
        Measurement(1.12, 2.8, 35.0, 120.0 + (0.0 if i < 5 else 7.0) + ti / 1000.0, ti_ms=ti)
        for i, ti in enumerate(MOLLI_TI_MS)
    )
    header = {**_GRADIENT_2D, "SequenceName": "*tfi2d1_65", "SequenceVariant": ["SK", "SP", "MP"]}
    return LookLocker(
        "MOLLI_pre", "T1map_MOLLI_native", geometry, thickness, measurements, 11.0, 20.0, header
    )


def _t2_scan(settings: ExamSettings, anatomy: Anatomy, rng: np.random.Generator) -> Scan:
    slices = _stack(settings, 1.25, 0.1)
    geometry, thickness = _grid(settings, anatomy, rng, 0.9, slices, 1.25, tilt=(-0.7, 0.3), gap=0.1)
    header = {
        "ScanningSequence": "SE",
        "SequenceVariant": ["SK", "SP", "OSP"],
        "MRAcquisitionType": "2D",
        "SequenceName": f"*se2d{ECHOES}",
    }
    measurements = tuple(Measurement(T2_SPACING_MS * (i + 1), 2500.0, 180.0, 200.0) for i in range(ECHOES))
    return SpinEchoTrain(
        "T2", "T2map_se_mc", geometry, thickness, measurements, 240.0, 0.1, header, moves=True
    )


def _t2star_scan(settings: ExamSettings, anatomy: Anatomy, rng: np.random.Generator) -> Scan:
    slices = _stack(settings, 1.25, 0.1)
    geometry, thickness = _grid(settings, anatomy, rng, 0.85, slices, 1.25, tilt=(1.0, -0.4), gap=0.1)
    header = {**_GRADIENT_2D, "SequenceName": f"*fl2d{ECHOES}", "SequenceVariant": "SP"}
    measurements = tuple(Measurement(T2STAR_SPACING_MS * (i + 1), 600.0, 40.0, 460.0) for i in range(ECHOES))
    return GradientEchoTrain(
        "T2star",
        "T2starmap_gre_mc",
        geometry,
        thickness,
        measurements,
        100.0,
        0.05,
        header,
        moves=True,
        channels=4,
    )


def _dce_scan(settings: ExamSettings, geometry: Geometry, thickness: float, injection_s: float) -> Scan:
    phase = settings.dce_phase_s
    starts = [DCE_START_S] + [
        injection_s + settings.dce_delay_s + phase * i for i in range(settings.dce_post_phases)
    ]
    # The contrast of a phase is that of its k-space centre, half-way through.
    measurements = tuple(
        Measurement(1.7, 4.6, 10.0, start, after_injection_s=start + phase / 2 - injection_s)
        for start in starts
    )
    header: dict[str, Any] = {**_GRADIENT_3D, "SequenceVariant": ["SK", "SP"], "ScanOptions": "FS"}
    return SpoiledGradientEcho(
        "DCE", "t1_fl3d_tra_dyn_fs", geometry, thickness, measurements, phase, header=header
    )


def slice_normal(geometry: Geometry) -> NDArray[np.float64]:
    """Unit vector in RAS along which the slices are stacked."""
    return geometry.affine[:3, 2] / geometry.spacing[2]
