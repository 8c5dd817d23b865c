"""What an exam is made of: its size, its tumour, its imperfections."""

import math
from dataclasses import dataclass, field, fields

from ..errors import InputError


@dataclass(frozen=True)
class TumourSettings:
    """The tumour's true values at 3 T; inside it they vary smoothly by about `variation`.

    Attributes:
        diameter_mm: of the body, without its spicules.
        t1_pre_ms, t1_post_ms: before the contrast agent, and `t1_post_delay_s` after its injection.
        t2_ms, t2star_ms: T2 and T2* (without the dephasing by the field gradient across a slice).
        variation: relative SD of the smooth variation of each value inside the tumour.
        kep_per_min: rate constant from the tissue back to the plasma (Tofts); high means washout.
        spicules: how many.
    """

    diameter_mm: float = 26.0
    t1_pre_ms: float = 1750.0
    t1_post_ms: float = 550.0
    t2_ms: float = 75.0
    t2star_ms: float = 27.0
    variation: float = 0.04
    kep_per_min: float = 0.7
    spicules: int = 60


@dataclass(frozen=True)
class ExamSettings:
    """Size and imperfections of an exam. The constructors `small`, `standard` and `clinical` give sizes.

    Attributes:
        matrix: rows and columns of the DCE and VFA images; the other series follow from it.
        slices: of the DCE and VFA images.
        fov_mm: field of view of the DCE and VFA images; up to 220 mm it lies over the breast with the tumour.
        slice_thickness_mm: of the DCE and VFA images.
        snr: tumour signal over noise SD in the measurement of a series in which the tumour is brightest,
            channels combined; `math.inf` for no noise.
        motion_mm, motion_deg: the largest shift and rotation of an echo of T2 and T2* against the first.
        b1_variation: the transmit field runs from 1 - b1_variation to 1 + b1_variation over the body.
        field_gradient_hz_per_mm: off-resonance gradient at the tumour.
        oblique_deg: largest tilt of a series against the axial plane; every series has its own.
        oversampling: sample points in a voxel along column, row and slice where tissues meet.
        dce_phase_s, dce_post_phases: duration and number of the phases after the injection.
        dce_delay_s: from the injection to the start of the first phase after it.
        t1_post_delay_s: from the injection to the second VFA set (9 min 40 s in Zhang et al. 2026).
        r1_relaxivity: of the contrast agent in 1/(s mM); 4.5 is typical at 3 T.
    """

    matrix: int = 160
    slices: int = 20
    fov_mm: float = 192.0
    slice_thickness_mm: float = 2.4
    snr: float = 60.0
    motion_mm: float = 0.5
    motion_deg: float = 0.3
    b1_variation: float = 0.2
    field_gradient_hz_per_mm: float = 0.5
    oblique_deg: float = 3.0
    oversampling: tuple[int, int, int] = (3, 3, 3)
    dce_phase_s: float = 60.0
    dce_post_phases: int = 7
    dce_delay_s: float = 10.0
    t1_post_delay_s: float = 580.0
    r1_relaxivity: float = 4.5
    tumour: TumourSettings = field(default_factory=TumourSettings)

    @classmethod
    def small(cls) -> "ExamSettings":
        """64 x 64 x 8, one breast: for tests, in a second or two."""
        return cls(matrix=64, slices=8, fov_mm=160.0, slice_thickness_mm=3.0, oversampling=(2, 2, 3))

    @classmethod
    def standard(cls) -> "ExamSettings":
        """160 x 160 x 20, one breast: for demonstrations."""
        return cls()

    @classmethod
    def clinical(cls) -> "ExamSettings":
        """320 x 320 x 40, both breasts: a clinic's exam."""
        return cls(matrix=320, slices=40, fov_mm=340.0, slice_thickness_mm=2.0, oversampling=(2, 2, 3))

    def __post_init__(self) -> None:
        """Raises InputError, naming the field, for a value that makes no exam."""
        whole = {"matrix": 16, "slices": 3, "dce_post_phases": 2}
        for name, least in whole.items():
            if getattr(self, name) < least:
                raise InputError(f"The phantom's {name} must be at least {least}.")
        zero_allowed = {"motion_mm", "motion_deg", "b1_variation", "oblique_deg"}
        zero_allowed |= {"field_gradient_hz_per_mm", "dce_delay_s", "variation", "spicules"}
        for owner in (self, self.tumour):
            for item in fields(owner):
                value = getattr(owner, item.name)
                if not isinstance(value, (int, float)):
                    continue
                if math.isnan(value) or value < 0 or (value == 0 and item.name not in zero_allowed):
                    raise InputError(f"The phantom's {item.name} is {value}; it must be a positive number.")
        if len(self.oversampling) != 3 or min(self.oversampling) < 1:
            raise InputError("The phantom's oversampling must be three whole numbers of at least 1.")
        if not 12.0 <= self.tumour.diameter_mm <= 50.0:
            raise InputError(
                "The phantom's tumour diameter_mm must lie between 12 and 50 mm to fit a breast."
            )
        if self.tumour.diameter_mm < 5.0 * self.slice_thickness_mm:
            raise InputError("The phantom's tumour diameter_mm must be at least five slice_thickness_mm.")
        if not self.tumour.t1_post_ms < self.tumour.t1_pre_ms:
            raise InputError("The phantom's t1_post_ms must be shorter than its t1_pre_ms.")
        if not self.tumour.t2star_ms < self.tumour.t2_ms:
            raise InputError("The phantom's t2star_ms must be shorter than its t2_ms.")
        if self.dce_delay_s + self.dce_phase_s * self.dce_post_phases > self.t1_post_delay_s:
            raise InputError(
                "The phantom's DCE phases must end before t1_post_delay_s; ask for fewer or shorter."
            )
        if self.b1_variation >= 0.7:
            raise InputError("The phantom's b1_variation must be less than 0.7.")

    @property
    def one_breast(self) -> bool:
        """Whether the field of view lies over the breast with the tumour alone."""
        return self.fov_mm <= 220.0
