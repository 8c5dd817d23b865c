"""The score of every voxel: the case's own where maps are constant, two parts where a tumour has two."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import RegularGridInterpolator
from scipy.spatial.transform import Rotation
from scipy.special import expit

from her2map.errors import InputError
from her2map.geometry import Geometry
from her2map.registration.resampling import array_coordinates, interpolate_linearly
from her2map.relaxometry.parameter_map import ParameterMap, Status
from her2map.roi import Roi, Volume, roi_weights
from her2map.score import MapValue, ModelCard, ScoreCase, assess, demo_card
from her2map.score.voxels import EXPLORATORY, ScoreMap, score_map

GRID = Geometry((7, 24, 24), np.diag([1.2, 1.2, 3.0, 1.0]))
OTHER = Geometry((7, 30, 30), np.array([[1, 0, 0, -1.3], [0, 1, 0, -0.7], [0, 0, 3.2, -0.4], [0, 0, 0, 1.0]]))
CENTRE = [13.8, 13.8, 9.0]
ROI = Roi.circle(CENTRE, [0, 0, 1], 6.0, 3.0)
T2STAR, T1_POST = 27.0, 480.0
ERRORS = {"T2star": 0.8, "T1_post": 12.0}


def a_map(quantity: str, geometry: Geometry, value, error=None, status=None) -> tuple[ParameterMap, Geometry]:
    value = np.broadcast_to(np.asarray(value, float), geometry.shape)
    error = np.broadcast_to(ERRORS[quantity] if error is None else error, geometry.shape)
    status = np.full(geometry.shape, Status.FITTED, np.uint8) if status is None else status
    return ParameterMap(value, error, value, status, value, quantity, "ms", "made for this test"), geometry


def constant(geometry: Geometry = GRID) -> dict[str, tuple[ParameterMap, Geometry]]:
    return {"T1_post": a_map("T1_post", geometry, T1_POST), "T2star": a_map("T2star", GRID, T2STAR)}


def case_of(card: ModelCard, er: bool | None = True, b1: float = 0.03) -> ScoreCase:
    """As the readings of the constant maps would be, without errors of place and readers."""
    values = {"T2star": T2STAR, "T1_post": T1_POST}
    maps = {
        name: MapValue(value, ERRORS[name], 0.0, 1.0, card.predictor(name).techniques[0], "")
        for name, value in values.items()
    }
    return ScoreCase(er, maps, card.cohort.field_strengths_t[0], b1)


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return replace(demo_card(), errors=None)


def known(found: ScoreMap) -> np.ndarray:
    return np.isfinite(found.probability)


@pytest.mark.parametrize("er", [True, False])
def test_constant_maps_give_the_cases_own_score(card: ModelCard, er: bool) -> None:
    case = case_of(card, er)
    expected, found = assess(card, case), score_map(card, case, constant(), ROI)
    assert found.refusals == ()
    assert found.scored == found.touched == np.count_nonzero(found.weight)
    for name in ("log_odds", "log_odds_sd", "probability", "low", "high"):
        np.testing.assert_allclose(getattr(found, name)[known(found)], getattr(expected, name), rtol=1e-12)
    assert found.unusable == {}
    assert found.coverage == pytest.approx(1.0)
    assert found.remarks == (EXPLORATORY,)
    assert found.part_from(expected.probability - 0.01) == pytest.approx(1.0)
    assert found.part_from(expected.probability + 0.01) == 0.0


def test_nothing_outside_the_roi(card: ModelCard) -> None:
    volume = Volume((ROI, Roi.circle([13.8, 13.8, 12.0], [0, 0, 1], 4.0, 3.0)))
    for region in (ROI, volume):
        found = score_map(card, case_of(card), constant(), region)
        weights = roi_weights(found.geometry, region)
        inside = np.zeros(found.geometry.shape)
        inside[weights.box] = weights.fraction
        np.testing.assert_array_equal(known(found), inside > 0)
        np.testing.assert_array_equal(found.weight, inside)
    assert np.flatnonzero(known(found).any(axis=(1, 2))).tolist() == [3, 4]


def test_a_tumour_of_two_parts_shows_two_parts(card: ModelCard) -> None:
    """The halves differ in T2star by a step between two columns."""
    left, right = 24.0, 30.0
    value = np.where(np.arange(24) < 12, left, right) * np.ones(GRID.shape)
    maps = {**constant(), "T2star": a_map("T2star", GRID, value)}
    found = score_map(card, case_of(card), maps, ROI)

    def alone(t2star: float) -> float:
        case = case_of(card)
        changed = replace(case.maps["T2star"], value=t2star)
        return assess(card, replace(case, maps={**case.maps, "T2star": changed})).probability

    halves = found.probability[..., :12], found.probability[..., 12:]
    for half, t2star in zip(halves, (left, right), strict=True):
        np.testing.assert_allclose(half[np.isfinite(half)], alone(t2star), rtol=1e-9)
    between = (alone(left) + alone(right)) / 2
    assert abs(alone(left) - alone(right)) > 0.1
    assert found.part_from(between) == pytest.approx(0.5)


def test_the_intervals_are_the_spread_of_repeated_maps(card: ModelCard) -> None:
    """Noisy maps and a model drawn anew: the log odds' SD, the probability's and its interval."""
    rng = np.random.default_rng(5)
    case = case_of(card, b1=0.0)
    maps = constant(OTHER)
    expected = score_map(card, case, maps, ROI)
    at = tuple(np.argwhere(known(expected))[7])
    samples = []
    coefficients = rng.multivariate_normal(card.coefficients, card.covariance, 3000)
    for drawn in coefficients:
        noisy = {
            name: (
                replace(fitted, value=fitted.value + fitted.standard_error * rng.normal(size=geometry.shape)),
                geometry,
            )
            for name, (fitted, geometry) in maps.items()
        }
        model = replace(card, coefficients=tuple(drawn), covariance=tuple((0.0,) * 4 for _ in range(4)))
        samples.append(score_map(model, case, noisy, ROI).log_odds[at])
    log_odds = np.array(samples)
    assert np.isfinite(log_odds).all()
    assert log_odds.mean() == pytest.approx(expected.log_odds[at], abs=4 * log_odds.std() / 3000**0.5)
    assert log_odds.std() == pytest.approx(expected.log_odds_sd[at], rel=0.06)
    assert expit(log_odds).std() == pytest.approx(expected.probability_sd[at], rel=0.06)
    within = (expit(log_odds) > expected.low[at]) & (expit(log_odds) < expected.high[at])
    assert within.mean() == pytest.approx(0.95, abs=0.016)  # 4 SD of a share of 3000


def test_b1_and_the_model_remain_where_there_is_no_noise(card: ModelCard) -> None:
    silent = {name: (replace(m, standard_error=0 * m.value), g) for name, (m, g) in constant().items()}
    found = score_map(card, case_of(card, b1=0.0), silent, ROI)
    case = case_of(card, b1=0.0)
    still = {name: replace(one, standard_error=0.0) for name, one in case.maps.items()}
    only_model = assess(card, replace(case, maps=still)).shares["model"].variance
    np.testing.assert_allclose(found.log_odds_sd[known(found)] ** 2, only_model, rtol=1e-12)


def test_voxels_without_a_value_or_outside_the_training_range_are_counted(card: ModelCard) -> None:
    inside = np.argwhere(roi_in(GRID) > 0)
    status = np.full(GRID.shape, Status.FITTED, np.uint8)
    value = np.full(GRID.shape, T2STAR)
    status[tuple(inside[0])] = Status.LOW_SIGNAL
    value[tuple(inside[1])] = np.nan
    value[tuple(inside[2])] = card.predictor("T2star").maximum + 0.1
    value[tuple(inside[3])] = card.predictor("T2star").minimum - 0.1
    post = np.full(GRID.shape, T1_POST)
    post[tuple(inside[2])] = post[tuple(inside[4])] = card.predictor("T1_post").maximum * 2
    maps = {"T2star": a_map("T2star", GRID, value, status=status), "T1_post": a_map("T1_post", GRID, post)}
    found = score_map(card, case_of(card), maps, ROI)
    assert sum(found.unusable.values()) == 5 == found.touched - found.scored
    assert found.unusable["T2star has no usable value there"] == 2
    assert (
        sum(count for reason, count in found.unusable.items() if "outside the training range" in reason) == 3
    )
    for one in inside[:5]:
        assert np.isnan(found.probability[tuple(one)])
        assert np.isnan(found.probability_sd[tuple(one)])
    assert found.coverage < 1


def roi_in(geometry: Geometry) -> np.ndarray:
    weights = roi_weights(geometry, ROI)
    whole = np.zeros(geometry.shape)
    whole[weights.box] = weights.fraction
    return whole


def test_maps_moved_in_the_patient_are_looked_up_where_they_lie(card: ModelCard) -> None:
    """Both maps linear in space, where linear interpolation is exact; each moved by its own motion."""
    rng = np.random.default_rng(2)
    moves = {}
    for name in ("T2star", "T1_post"):
        moves[name] = np.eye(4)
        moves[name][:3, :3] = Rotation.from_rotvec(rng.uniform(-0.2, 0.2, 3)).as_matrix()
        moves[name][:3, 3] = rng.uniform(-4, 4, 3)

    def ramp(name: str, geometry: Geometry, base: float, slope: np.ndarray):
        """On a grid that moved along with the patient."""
        k, r, c = np.indices(geometry.shape)
        value = base + (geometry.to_ras(np.stack([c, r, k], -1)) - CENTRE) @ slope
        return a_map(name, Geometry(geometry.shape, moves[name] @ geometry.affine), value)

    slopes = {"T2star": np.array([0.2, 0.1, 0.3]), "T1_post": np.array([4.0, -3.0, 2.0])}
    maps = {
        "T2star": ramp("T2star", GRID, T2STAR, slopes["T2star"]),
        "T1_post": ramp("T1_post", OTHER, T1_POST, slopes["T1_post"]),
    }
    found = score_map(card, case_of(card), maps, ROI, moves)
    at = np.argwhere(known(found))
    back = np.linalg.inv(moves[found.grid_of])
    points = found.geometry.to_ras(at[:, ::-1]) @ back[:3, :3].T + back[:3, 3]
    values = {
        "er_positive": np.ones(len(at)),
        **{name: base + (points - CENTRE) @ slopes[name] for name, base in
           (("T2star", T2STAR), ("T1_post", T1_POST))},
    }  # fmt: skip
    expected = card.coefficients[0] + sum(
        b * values[one.name] for b, one in zip(card.coefficients[1:], card.predictors, strict=True)
    )
    np.testing.assert_allclose(found.log_odds[tuple(at.T)], expected, rtol=1e-9)
    assert found.scored == found.touched
    with pytest.raises(InputError, match="rigid transform"):
        score_map(card, case_of(card), maps, ROI, {**moves, "T1_post": np.diag([2.0, 1, 1, 1])})


def test_without_a_standard_error_there_is_a_probability_and_no_interval(card: ModelCard) -> None:
    maps = {**constant(), "T2star": a_map("T2star", GRID, T2STAR, math.nan)}
    found = score_map(card, case_of(card), maps, ROI)
    assert found.scored == found.touched
    assert np.isnan(found.probability_sd).all()
    assert np.isnan(found.low).all()
    assert found.remarks[1].startswith(f"The standard error of T2star is not known in {found.scored} voxels")


def test_what_holds_for_all_voxels_refuses_the_map(card: ModelCard) -> None:
    case, maps = case_of(card), constant()
    other = replace(case.maps["T2star"], technique="scanner_map")
    for refused, says in (
        (score_map(card, replace(case, er_positive=None), maps, ROI), "ER status is missing"),
        (score_map(card, replace(case, field_strength_t=1.5), maps, ROI), "made at 1.5 T"),
        (
            score_map(card, replace(case, maps={**case.maps, "T2star": other}), maps, ROI),
            "T2star was acquired",
        ),
        (score_map(card, case, {"T1_post": maps["T1_post"]}, ROI), "T2star is missing: there is no such map"),
    ):
        assert says in " ".join(refused.refusals)
        assert refused.scored == refused.touched == 0
        assert math.isnan(refused.coverage)
    # A value of the whole ROI that is missing or out of range refuses nothing: voxels speak for themselves.
    far = replace(case, maps={name: replace(one, value=1e6, coverage=0.1) for name, one in case.maps.items()})
    assert score_map(card, far, maps, ROI).scored
    wrong = (constant()["T2star"][0], replace(GRID, shape=(6, 24, 24)))
    with pytest.raises(InputError, match="does not fit its grid"):
        score_map(card, case, {**maps, "T2star": wrong}, ROI)


def test_a_card_without_a_map_has_no_score_of_voxels(card: ModelCard) -> None:
    alone = replace(card, predictors=(card.predictor("er_positive"),))
    with pytest.raises(InputError, match="uses no map"):
        score_map(alone, case_of(card), constant(), ROI)


def test_a_roi_beside_the_maps_scores_nothing(card: ModelCard) -> None:
    away = ROI.transformed([[1, 0, 0, 900], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    found = score_map(card, case_of(card), constant(), away)
    assert found.touched == found.scored == 0
    assert math.isnan(found.part_from(0.5))


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25)
def test_linear_interpolation_is_scipys_and_its_variance_that_of_a_weighted_sum(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(1, 6, 3))
    values, usable = rng.normal(size=shape), np.ones(shape, bool)
    at = rng.uniform(-0.5, np.array(shape)[:, None] - 0.5, (3, 40))
    value, variance = interpolate_linearly(values, np.ones(shape), usable, at)
    padded = np.pad(values, 1, mode="edge")  # SciPy wants two voxels an axis, and nothing beyond
    axes = [np.arange(-1, n + 1) for n in shape]
    np.testing.assert_allclose(value, RegularGridInterpolator(axes, padded)(at.T), atol=1e-12)

    impulses = np.eye(values.size).reshape(-1, *shape)
    parts = np.array([interpolate_linearly(one, one, usable, at)[0] for one in impulses])
    np.testing.assert_allclose(parts.sum(axis=0), 1, atol=1e-12)
    np.testing.assert_allclose(variance, (parts**2).sum(axis=0), atol=1e-12)


def test_a_neighbour_that_is_not_usable_leaves_nothing_between() -> None:
    usable = np.array([[[True, True, False]]])
    at = np.array([[0.0] * 4, [0.0] * 4, [0.5, 1.0, 1.2, 2.6]])
    value, variance = interpolate_linearly([[[1.0, 2.0, 9.0]]], np.ones((1, 1, 3)), usable, at)
    np.testing.assert_allclose(value, [1.5, 2.0, np.nan, np.nan])
    np.testing.assert_allclose(variance, [0.5, 1.0, np.nan, np.nan])
    assert array_coordinates(GRID, np.eye(4), GRID, np.array([[1], [2], [3]])).ravel() == pytest.approx(
        [1, 2, 3]
    )
