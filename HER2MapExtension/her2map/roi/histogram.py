"""How a map's values spread inside a ROI: figures with the names and codes of the IBSI.

The Image Biomarker Standardisation Initiative (Zwanenburg et al., Radiology 2020;295:328; reference manual
arXiv:1612.07003) defines them for voxels that are wholly inside or outside. Here a voxel counts with the part
w of its volume inside the ROI: sums over voxels become sums of w, which equals the IBSI's figure wherever all
w are 0 or 1.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from ..geometry import Geometry
from ..relaxometry.parameter_map import ParameterMap
from .measure import MINIMUM_COVERAGE, usable_voxels, weighted_quantile
from .volume import Region

Array = NDArray[np.float64]

DIMENSIONLESS, OF_MAP, SQUARED, BITS = "1", "unit", "unit²", "bit"


@dataclass(frozen=True)
class Discretisation:
    """Bins of one width in the map's unit, the IBSI's *fixed bin size* (Q3RU): fit for values with a unit.

    Attributes:
        bin_width: in the map's unit.
        lowest: where the first bin starts, in the map's unit; the same for every case, so that entropies of
            two cases can be compared.

    Raises:
        InputError: the width is not positive, or a number is not finite.
    """

    bin_width: float
    lowest: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lowest) and math.isfinite(self.bin_width) and self.bin_width > 0):
            raise InputError(
                f"The histogram's bins must have a positive width, not {self.bin_width} from {self.lowest}."
            )

    def levels(self, values: ArrayLike) -> NDArray[np.int64]:
        """(n,) the bin of each value, 1 for the first; those below it are 0 and less."""
        return np.floor((np.asarray(values, float) - self.lowest) / self.bin_width).astype(np.int64) + 1


DISCRETISATIONS: Mapping[str, Discretisation] = {
    "T1_pre": Discretisation(50.0),
    "T1_post": Discretisation(25.0),
    "T2": Discretisation(2.5),
    "T2star": Discretisation(1.0),
    "B1": Discretisation(0.02),
}
"""By map: some 60 bins over the window it is shown in, narrow against what tumours differ by."""


def _figure(name: str, code: str, unit: str = OF_MAP) -> float:
    found: float = field(metadata={"name": name, "code": code, "unit": unit})
    return found


@dataclass(frozen=True)
class Figure:
    """One figure, ready for a table.

    Attributes:
        name, code: the IBSI's.
        value: in `unit`; NaN where there is none.
        unit: "" for none.
    """

    name: str
    code: str
    value: float
    unit: str


@dataclass(frozen=True)
class Histogram:
    """The IBSI's intensity-based statistics (UHIW), and two of its intensity histogram (ZVCW).

    Skewness and kurtosis of a constant region are 0, as the IBSI says; what is divided by 0 is NaN.
    Percentiles are those of :func:`~her2map.roi.measure.weighted_quantile`.
    """

    mean: float = _figure("Mean intensity", "Q4LE")
    variance: float = _figure("Intensity variance", "ECT3", SQUARED)
    skewness: float = _figure("Intensity skewness", "KE2A", DIMENSIONLESS)
    kurtosis: float = _figure("(Excess) intensity kurtosis", "IPH6", DIMENSIONLESS)
    median: float = _figure("Median intensity", "Y12H")
    minimum: float = _figure("Minimum intensity", "1GSF")
    percentile_10: float = _figure("10th intensity percentile", "QG58")
    percentile_90: float = _figure("90th intensity percentile", "8DWT")
    maximum: float = _figure("Maximum intensity", "84IY")
    interquartile_range: float = _figure("Intensity interquartile range", "SALO")
    range: float = _figure("Intensity range", "2OJQ")
    mean_absolute_deviation: float = _figure("Intensity-based mean absolute deviation", "4FUA")
    robust_mean_absolute_deviation: float = _figure("Intensity-based robust mean absolute deviation", "1128")
    median_absolute_deviation: float = _figure("Intensity-based median absolute deviation", "N72L")
    coefficient_of_variation: float = _figure(
        "Intensity-based coefficient of variation", "7TET", DIMENSIONLESS
    )
    quartile_coefficient_of_dispersion: float = _figure(
        "Intensity-based quartile coefficient of dispersion", "9S40", DIMENSIONLESS
    )
    energy: float = _figure("Intensity-based energy", "N8CA", SQUARED)
    root_mean_square: float = _figure("Root mean square intensity", "5ZWQ")
    entropy: float = _figure("Discretised intensity entropy", "TLU2", BITS)
    uniformity: float = _figure("Discretised intensity uniformity", "BJ5W", DIMENSIONLESS)

    def figures(self, unit: str) -> tuple[Figure, ...]:
        """All of them for a table; `unit` is the map's, "1" for a ratio."""
        own = "" if unit == "1" else unit
        units = {DIMENSIONLESS: "", OF_MAP: own, SQUARED: f"{own}²" if own else "", BITS: BITS}
        return tuple(
            Figure(one.metadata["name"], one.metadata["code"], getattr(self, one.name), units[told])
            for one in fields(self)
            for told in [one.metadata["unit"]]
        )


@dataclass(frozen=True)
class MapHistogram:
    """What the histogram of a ROI on a map says.

    Attributes:
        histogram: None where there is none.
        unit: the map's, "ms" or "1".
        discretisation: the bins of entropy and uniformity.
        voxels: sum(w) of the usable voxels.
        coverage: the part of the ROI's volume on usable voxels, 0 to 1.
        reason: why there is no histogram, in a sentence; "" where there is one.
    """

    histogram: Histogram | None
    unit: str
    discretisation: Discretisation
    voxels: float
    coverage: float
    reason: str = ""


def histogram_of(
    parameter_map: ParameterMap,
    geometry: Geometry,
    roi: Region,
    discretisation: Discretisation,
    minimum_coverage: float = MINIMUM_COVERAGE,
) -> MapHistogram:
    """The histogram figures of `roi` on a map, by the rule of :func:`~her2map.roi.measure`.

    Voxels are usable as there, and there are no figures where there is no value.

    Raises:
        InputError: the arrays and the grid have different shapes.
    """
    voxels = usable_voxels(parameter_map, geometry, roi, minimum_coverage)
    found = None if voxels.reason else histogram(voxels.value, voxels.weight, discretisation)
    return MapHistogram(
        histogram=found,
        unit=parameter_map.unit,
        discretisation=discretisation,
        voxels=float(voxels.weight.sum()),
        coverage=voxels.coverage,
        reason=voxels.reason,
    )


def histogram(values: ArrayLike, weights: ArrayLike, discretisation: Discretisation) -> Histogram:
    """The figures of some voxels.

    Args:
        values: (n,), finite.
        weights: (n,) the parts of the voxels' volumes inside the ROI; those of 0 do not count.

    Raises:
        InputError: no voxel has any weight.
    """
    w = np.asarray(weights, float)
    x, w = np.asarray(values, float)[w > 0], w[w > 0]
    if not len(x):
        raise InputError("The region has no voxel with a usable value, so it has no histogram.")
    total = float(w.sum())

    def mean(of: Array) -> float:
        return float(w @ of) / total

    centre, median = mean(x), weighted_quantile(x, w, 0.5)
    variance = mean((x - centre) ** 2)
    low, first, third, high = (weighted_quantile(x, w, part) for part in (0.1, 0.25, 0.75, 0.9))
    constant = np.ptp(x) == 0
    share = _shares(discretisation.levels(x), w)
    return Histogram(
        mean=centre,
        variance=variance,
        skewness=0.0 if constant else mean((x - centre) ** 3) / variance**1.5,
        kurtosis=0.0 if constant else mean((x - centre) ** 4) / variance**2 - 3,
        median=median,
        minimum=float(x.min()),
        percentile_10=low,
        percentile_90=high,
        maximum=float(x.max()),
        interquartile_range=third - first,
        range=float(np.ptp(x)),
        mean_absolute_deviation=mean(np.abs(x - centre)),
        robust_mean_absolute_deviation=_deviation_within(x, w, low, high),
        median_absolute_deviation=mean(np.abs(x - median)),
        coefficient_of_variation=_ratio(math.sqrt(variance), centre),
        quartile_coefficient_of_dispersion=_ratio(third - first, third + first),
        energy=float(w @ x**2),
        root_mean_square=math.sqrt(mean(x**2)),
        entropy=float(-(share @ np.log2(share))) + 0.0,  # no -0
        uniformity=float(share @ share),
    )


def _deviation_within(x: Array, w: Array, low: float, high: float) -> float:
    within = (x >= low) & (x <= high)
    if not within.any():  # both percentiles between the same two values
        return math.nan
    centre = np.average(x[within], weights=w[within])
    return float(np.average(np.abs(x[within] - centre), weights=w[within]))


def _shares(levels: NDArray[np.int64], w: Array) -> Array:
    """Of the weight, by level; empty bins are left out."""
    _, level = np.unique(levels, return_inverse=True)
    return np.asarray(np.bincount(level, w) / w.sum())


def _ratio(over: float, under: float) -> float:
    return over / under if under else math.nan
