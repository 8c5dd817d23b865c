"""The tissues of the digital breast and their values at 3 T."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import trapezoid

from .settings import ExamSettings

Array = NDArray[np.float64]


class Tissue(IntEnum):
    """What fills a point."""

    AIR = 0
    SKIN = 1
    FAT = 2
    GLAND = 3
    MUSCLE = 4
    LUNG = 5
    BLOOD = 6
    TUMOUR = 7
    NECROSIS = 8
    CALCIFICATION = 9


@dataclass(frozen=True)
class Values:
    """Values of one tissue; arrays where they vary from point to point.

    Attributes:
        density: proton density relative to water.
        t1_ms, t2_ms, t2star_ms: relaxation times before the contrast agent.
        contrast: factor on the tissue's contrast agent concentration, 1 on average.
    """

    density: Array
    t1_ms: Array
    t2_ms: Array
    t2star_ms: Array
    contrast: Array


# Density, T1, T2, T2* in ms, relative SD of their smooth variation. Fat, gland: T1 and T2 of Rakow-Penner
# et al. 2006 (JMRI 23:87); muscle, blood: after Stanisz et al. 2005 (MRM 54:507); the rest is plausible.
# Necrosis is like a fluid, a calcification has few protons and dephases at once.
_REFERENCE = {
    Tissue.AIR: (0.0, 1000.0, 50.0, 25.0, 0.0),
    Tissue.SKIN: (0.65, 1000.0, 35.0, 15.0, 0.05),
    Tissue.FAT: (1.0, 367.0, 53.0, 24.0, 0.02),
    Tissue.GLAND: (0.8, 1445.0, 54.0, 26.0, 0.05),
    Tissue.MUSCLE: (0.8, 1412.0, 44.0, 22.0, 0.04),
    Tissue.LUNG: (0.12, 1200.0, 30.0, 1.5, 0.05),
    Tissue.BLOOD: (0.9, 1930.0, 150.0, 45.0, 0.0),
    Tissue.NECROSIS: (1.0, 2800.0, 180.0, 90.0, 0.02),
    Tissue.CALCIFICATION: (0.15, 1200.0, 15.0, 2.0, 0.0),
}

# Tofts: Ktrans and kep in 1/min. Blood follows the arterial input itself, the tumour its own settings.
_EXCHANGE = {
    Tissue.SKIN: (0.03, 0.2),
    Tissue.FAT: (0.003, 0.1),
    Tissue.GLAND: (0.02, 0.1),
    Tissue.MUSCLE: (0.03, 0.3),
    Tissue.LUNG: (0.05, 0.4),
    Tissue.NECROSIS: (0.0, 1.0),
    Tissue.CALCIFICATION: (0.0, 1.0),
}

HAEMATOCRIT = 0.42
INJECTION_TO_BREAST_S = 12.0
"""From the arm to the breast; Parker's curve has its own 10 s or so before the first pass."""


def tissue_values(tissue: Tissue, settings: ExamSettings, variation: ArrayLike) -> Values:
    """Values of `tissue` at points.

    Args:
        variation: (4, points), smooth fields of SD 1 for T1, T2, T2* and the contrast agent; (4, 1) zeros
            give the tissue's reference values.
    """
    tumour = settings.tumour
    if tissue is Tissue.TUMOUR:
        row = (0.9, tumour.t1_pre_ms, tumour.t2_ms, tumour.t2star_ms, tumour.variation)
    else:
        row = _REFERENCE[tissue]
    density, t1, t2, t2star, spread = row
    # Bounded, so that no value leaves a plausible range by chance.
    change = 1.0 + spread * np.clip(np.asarray(variation, float), -2.5, 2.5)
    t2_here = t2 * change[1]
    return Values(
        density=np.full_like(t2_here, density),
        t1_ms=t1 * change[0],
        t2_ms=t2_here,
        t2star_ms=np.minimum(t2star * change[2], t2_here),
        contrast=change[3],
    )


def plasma_concentration(time_s: ArrayLike) -> Array:
    """Contrast agent in arterial plasma in mM, `time_s` after the injection.

    Population average of Parker et al. 2006 (Magn Reson Med 56:993), 0.1 mmol per kg body weight.
    """
    t = (np.asarray(time_s, float) - INJECTION_TO_BREAST_S) / 60.0
    area, centre, width = (0.809, 0.330), (0.17046, 0.365), (0.0563, 0.132)
    blood = np.zeros_like(t)
    for a, m, s in zip(area, centre, width, strict=True):
        blood += a / (s * np.sqrt(2 * np.pi)) * np.exp(-((t - m) ** 2) / (2 * s**2))
    tail = 1.050 * np.exp(-0.1685 * np.maximum(t, 0)) / (1 + np.exp(-38.078 * (t - 0.483)))
    return np.where(t > 0, (blood + tail) / (1 - HAEMATOCRIT), 0.0)


def tofts_concentration(time_s: float, ktrans_per_min: float, kep_per_min: float) -> float:
    """Contrast agent in tissue in mM, `time_s` after injection (Tofts et al. 1999, JMRI 10:223)."""
    if time_s <= 0:
        return 0.0
    grid = np.linspace(0.0, time_s, max(int(time_s / 0.25), 2))
    response = np.exp(-kep_per_min * (time_s - grid) / 60.0)
    return ktrans_per_min / 60.0 * float(trapezoid(plasma_concentration(grid) * response, grid))


def contrast_concentration(tissue: Tissue, settings: ExamSettings, time_s: float) -> float:
    """Mean concentration of the contrast agent in `tissue` in mM, `time_s` after the injection.

    The tumour's Ktrans is the one that gives its `t1_post_ms` at `t1_post_delay_s`.
    """
    if time_s <= 0 or tissue is Tissue.AIR:
        return 0.0
    if tissue is Tissue.BLOOD:
        return float(plasma_concentration(time_s)) * (1 - HAEMATOCRIT)
    if tissue is not Tissue.TUMOUR:
        return tofts_concentration(time_s, *_EXCHANGE[tissue])
    tumour = settings.tumour
    wanted = (1000.0 / tumour.t1_post_ms - 1000.0 / tumour.t1_pre_ms) / settings.r1_relaxivity
    at_t1_post = tofts_concentration(settings.t1_post_delay_s, 1.0, tumour.kep_per_min)
    return wanted / at_t1_post * tofts_concentration(time_s, 1.0, tumour.kep_per_min)


def t1_with_contrast(values: Values, concentration_mm: float, r1_relaxivity: float) -> Array:
    """T1 in ms with the contrast agent, fast exchange: 1/T1 = 1/T1_pre + r1 C."""
    rate = 1.0 / values.t1_ms + r1_relaxivity * concentration_mm * values.contrast / 1000.0
    return 1.0 / rate
