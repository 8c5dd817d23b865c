"""The score of every voxel of a tumour, for guiding a biopsy. Exploratory: no model was fitted to voxels.

A card is trained on values averaged over a whole tumour. Voxels differ by more than tumours do, by noise
alone, and what a model makes of them has not been validated.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from scipy.stats import norm

from ..biomarkers import MEASURED
from ..errors import InputError
from ..exam import placed_regions
from ..geometry import Geometry
from ..registration.resampling import array_coordinates, interpolate_linearly
from ..relaxometry.parameter_map import ParameterMap
from ..roi import Region, roi_weights
from .assess import CONFIDENCE
from .card import ModelCard
from .case import ScoreCase
from .points import Points
from .predictors import ER, check_predictors, derivatives, parts_of, predictors_from
from .refusal import refusals_of_acquisition
from .sources import b1_covariance, independent

Array = NDArray[np.float64]
Maps = Mapping[str, tuple[ParameterMap, Geometry]]

EXPLORATORY = (
    "Exploratory: the model was fitted to whole tumours, never to voxels, and says nothing certain of one."
)
_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(40)


def _nothing() -> Array:
    return np.zeros((0, 0, 0))


@dataclass(frozen=True, eq=False)
class ScoreMap:
    """The score of every voxel that a ROI or volume touches; with `refusals` there is none.

    All arrays are (slices, rows, columns) of `geometry`, NaN where there is no score.

    Attributes:
        grid_of: the map whose grid this is; it lies where that map lies in the patient.
        geometry: the grid.
        log_odds, log_odds_sd: on the scale on which the model is linear. The SD is that of the voxel's noise,
            of B1 and of the model's coefficients; the latter two are common to all voxels.
        probability: of the card's outcome.
        probability_sd: of the probability, whose log odds are taken as normal.
        low, high: 95 % interval of the probability.
        weight: the part of each voxel's volume inside the ROI, 0 to 1.
        unusable: how many of the voxels that the ROI touches have no score, by reason; each counts once.
        refusals: why there is no map at all, a sentence each.
        remarks: what the interval leaves out, a sentence each.
    """

    grid_of: str = ""
    geometry: Geometry = field(default_factory=lambda: Geometry((0, 0, 0), np.eye(4)))
    log_odds: Array = field(default_factory=_nothing)
    log_odds_sd: Array = field(default_factory=_nothing)
    probability: Array = field(default_factory=_nothing)
    probability_sd: Array = field(default_factory=_nothing)
    low: Array = field(default_factory=_nothing)
    high: Array = field(default_factory=_nothing)
    weight: Array = field(default_factory=_nothing)
    unusable: Mapping[str, int] = field(default_factory=dict)
    refusals: tuple[str, ...] = ()
    remarks: tuple[str, ...] = (EXPLORATORY,)

    @property
    def touched(self) -> int:
        """How many voxels the ROI touches."""
        return int(np.count_nonzero(self.weight))

    @property
    def scored(self) -> int:
        """How many of them have a score."""
        return int(np.count_nonzero(np.isfinite(self.probability)))

    @property
    def coverage(self) -> float:
        """The part of the ROI's volume inside the grid that has a score, 0 to 1; NaN where nothing is."""
        total = float(self.weight.sum())
        return float(self.weight[np.isfinite(self.probability)].sum()) / total if total else math.nan

    def part_from(self, cut_off: float) -> float:
        """The part of the scored volume with a probability from `cut_off` on; NaN where nothing is scored."""
        known = np.isfinite(self.probability)
        total = float(self.weight[known].sum())
        return float(self.weight[known & (self.probability >= cut_off)].sum()) / total if total else math.nan


def score_map(
    card: ModelCard,
    case: ScoreCase,
    maps: Maps,
    roi: Region,
    placements: Mapping[str, ArrayLike] | None = None,
) -> ScoreMap:
    """The score of every voxel that `roi` touches, on the grid of the first predictor's map.

    The other maps are interpolated linearly at the voxels' centres, where they lie in the patient. A voxel
    has no score where a map has no usable value there or a predictor is outside the training range. Placement
    of the maps and differences of readings are not in the uncertainty: they belong to a contour.

    Args:
        case: of the ROI; what holds for all voxels alike is taken from it: ER status, field strength,
            techniques and the uncertainty of B1. Its values are not used.
        maps: by biomarker, map and grid.
        roi: a ROI or a volume, in the space of the DCE image.
        placements: by map, the rigid motion (4, 4) from the DCE space to the map's.

    Raises:
        InputError: the card wants a predictor that nobody measures, or none that is mapped; or an array does
            not fit its grid.
    """
    check_predictors(card)
    wanted = tuple(dict.fromkeys(part for one in card.predictors for part in parts_of(one.name)))
    if not wanted:
        raise InputError(f"The model card {card.name} uses no map, so it has no score of a voxel.")
    missing = tuple(f"{name} is missing: there is no such map." for name in wanted if name not in maps)
    refusals = refusals_of_acquisition(card, case) + missing
    if refusals:
        return ScoreMap(refusals=refusals)
    sampled = _sampled({name: maps[name] for name in wanted}, roi, placements or {})
    values = {name: sampled.value.get(name, np.full(sampled.count, np.nan)) for name in MEASURED}
    reasons = _reasons(card, wanted, values)
    known = reasons == ""
    at = {name: one[known] for name, one in values.items()}
    variances = {name: one[known] for name, one in sampled.variance.items()}
    points = Points.of(card, predictors_from(float(bool(case.er_positive)), at), derivatives(at))
    log_odds, spread = points.log_odds, np.sqrt(_variance(case, points, at, variances))
    reach = float(norm.ppf(0.5 + CONFIDENCE / 2)) * spread

    def on_grid(numbers: Array) -> Array:
        whole = np.full(sampled.weight.shape, np.nan)
        whole[tuple(sampled.voxels[:, known])] = numbers
        return whole

    told, counts = np.unique(reasons[~known].astype(str), return_counts=True)
    return ScoreMap(
        grid_of=wanted[0],
        geometry=sampled.geometry,
        log_odds=on_grid(log_odds),
        log_odds_sd=on_grid(spread),
        probability=on_grid(expit(log_odds)),
        probability_sd=on_grid(_probability_sd(log_odds, spread)),
        low=on_grid(expit(log_odds - reach)),
        high=on_grid(expit(log_odds + reach)),
        weight=sampled.weight,
        unusable=dict(zip(told.tolist(), counts.tolist(), strict=True)),
        remarks=_remarks(variances),
    )


@dataclass(frozen=True, eq=False)
class _Sampled:
    """The maps at the voxels of a ROI: `voxels` (3, n) of `geometry`, `weight` on all of it.

    value, variance: by map, (n,) in ms and ms².
    """

    geometry: Geometry
    weight: Array
    voxels: NDArray[np.int_]
    value: Mapping[str, Array]
    variance: Mapping[str, Array]

    @property
    def count(self) -> int:
        return self.voxels.shape[1]


def _sampled(maps: Maps, roi: Region, placements: Mapping[str, ArrayLike]) -> _Sampled:
    """On the grid of the first map."""
    matrices = {name: np.asarray(placements.get(name, np.eye(4)), float) for name in maps}
    moved = placed_regions(maps, roi, matrices)
    first = next(iter(maps))
    geometry, back = maps[first][1], np.linalg.inv(matrices[first])
    weight = np.zeros(geometry.shape)
    weights = roi_weights(geometry, moved[first])
    weight[weights.box] = weights.fraction
    voxels = np.array(np.nonzero(weight))
    found = {
        name: _of_map(name, *maps[name], array_coordinates(maps[name][1], matrix @ back, geometry, voxels))
        for name, matrix in matrices.items()
    }
    return _Sampled(
        geometry,
        weight,
        voxels,
        {name: value for name, (value, _) in found.items()},
        {name: variance for name, (_, variance) in found.items()},
    )


def _of_map(name: str, fitted: ParameterMap, geometry: Geometry, at: Array) -> tuple[Array, Array]:
    if fitted.value.shape != tuple(geometry.shape):
        raise InputError(
            f"The array of {name} {fitted.value.shape} does not fit its grid {tuple(geometry.shape)}."
        )
    value, error = fitted.value.astype(float), fitted.standard_error.astype(float)
    return interpolate_linearly(value, error**2, fitted.fitted & np.isfinite(value), at)


def _reasons(card: ModelCard, wanted: tuple[str, ...], values: Mapping[str, Array]) -> NDArray[np.object_]:
    """(n,) the first reason why a voxel has no score; "" where it has one."""
    found = np.full(len(values[wanted[0]]), "", object)
    for name in wanted:
        found[(found == "") & np.isnan(values[name])] = f"{name} has no usable value there"
    for predictor in card.predictors:
        if predictor.name == ER:
            continue
        x = np.asarray(predictors_from(math.nan, values)[predictor.name])
        outside = (x < predictor.minimum) | (x > predictor.maximum)
        found[(found == "") & outside] = f"{predictor.name} is outside the training range there"
    return found


def _variance(
    case: ScoreCase, points: Points, values: Mapping[str, Array], variances: Mapping[str, Array]
) -> Array:
    """(n,) of the log odds: of noise, B1 and the model."""
    nothing = np.zeros(points.log_odds.shape)
    own = np.stack([np.sqrt(variances.get(name, nothing)) for name in MEASURED], axis=-1)
    level = np.stack([values[name] if name in variances else nothing for name in MEASURED], axis=-1)
    of_maps = independent(own) + b1_covariance(case, level)
    return points.model_variance + points.variance(of_maps)


def _probability_sd(log_odds: Array, spread: Array) -> Array:
    """(n,) of the probability with normal log odds, by Gauss and Hermite's quadrature."""
    probability = expit(log_odds[:, None] + spread[:, None] * _NODES)
    part = _WEIGHTS / _WEIGHTS.sum()
    mean = probability @ part
    return np.asarray(np.sqrt((probability - mean[:, None]) ** 2 @ part))


def _remarks(variances: Mapping[str, Array]) -> tuple[str, ...]:
    unknown = {name: int(np.count_nonzero(np.isnan(one))) for name, one in variances.items()}
    return (
        EXPLORATORY,
        *(
            f"The standard error of {name} is not known in {count} voxels, which have no interval."
            for name, count in unknown.items()
            if count
        ),
    )
