"""ICC, repeatability and Bland-Altman against R's psych and irr, published tables, simulation and hand."""

import json
import math
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path
from statistics import NormalDist

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from her2map.errors import InputError
from her2map.statistics import Estimate, bland_altman, icc, repeatability

pytestmark = pytest.mark.filterwarnings("error")

REFERENCE = Path(__file__).parent / "reference" / "agreement"
STORED = json.loads((REFERENCE / "agreement.json").read_text(encoding="utf-8"))
DATA = pd.read_csv(REFERENCE / "data.csv")
SETS = tuple(DATA["set"].unique())
READERS = ("R1", "R2")

# Six subjects and four judges of Shrout & Fleiss, Psychol Bull 1979;86:420, table 2.
SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
)
# Peak flow (l/min) by a Wright and a mini meter, first readings: Bland & Altman, Lancet 1986;327:307.
WRIGHT = np.array([494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427])
MINI = np.array([512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451])


def table(name: str, reader: str) -> pd.DataFrame:
    """Cases by repeats."""
    part = DATA[(DATA["set"] == name) & (DATA["reader"] == reader)]
    return part.pivot(index="case", columns="repeat", values="value")


def medians(name: str) -> pd.DataFrame:
    """Cases by readers; without a value where one of the repeats is missing."""
    return pd.DataFrame({reader: table(name, reader).median(axis=1, skipna=False) for reader in READERS})


def figures(name: str) -> dict[str, float]:
    """Of one set of the data, under the names of the reference."""
    found: dict[str, float] = {}
    ratings = {reader: table(name, reader) for reader in READERS} | {"between": medians(name)}
    for of, readings in ratings.items():
        for kind, result in zip(("ICC2", "ICC3"), icc(readings), strict=True):
            for figure in ("value", "low", "high", "F", "df1", "df2", "p", "n", "k"):
                found[f"{name}/icc/{of}/{kind}/{figure}"] = getattr(result, figure)
            for figure in ("value", "low", "high"):
                found[f"{name}/icc/{of}/irr_{kind}/{figure}"] = getattr(result, figure)
    stacked = {reader: ratings[reader] for reader in READERS}
    for of, readings in (stacked | {"pooled": pd.concat(stacked)}).items():
        found |= flat(f"{name}/repeatability/{of}", repeatability(readings), ("n", "df"))
    both = medians(name)
    compared = bland_altman(both["R1"], both["R2"])
    return found | flat(f"{name}/bland_altman/between", compared, ("n", "sd", "slope_p"))


def flat(path: str, result: object, plain: tuple[str, ...]) -> dict[str, float]:
    found = {f"{path}/{name}": getattr(result, name) for name in plain}
    for field in fields(result):  # type: ignore[arg-type]
        value = getattr(result, field.name)
        if isinstance(value, Estimate):
            found |= {
                f"{path}/{field.name}/{part}": getattr(value, part) for part in ("value", "low", "high")
            }
    return found


@pytest.mark.parametrize("name", SETS)
def test_every_figure_is_that_of_r(name: str) -> None:
    expected = {path: value for path, value in STORED.items() if path.startswith(f"{name}/")}
    found = figures(name)
    assert found.keys() == expected.keys()
    no_interval = {path.rpartition("/")[0] for path, value in expected.items() if value is None}
    for path, value in expected.items():
        if path.rpartition("/")[0] in no_interval and not path.endswith("value"):
            continue  # R prints one bound of an interval that does not exist, psych the test beside it
        assert found[path] == pytest.approx(value, rel=1e-8, abs=1e-8), path
        if path.endswith("/p"):
            assert found[path] == pytest.approx(value, rel=1e-8, abs=0.0), path


def test_r_still_gives_the_stored_figures() -> None:
    if not has_r_package("psych"):
        pytest.skip("needs R with the package psych; irr is used where it is present")
    command = ["Rscript", str(REFERENCE / "agreement.R"), str(REFERENCE / "data.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    again = json.loads(done.stdout)
    of_irr = set() if has_r_package("irr") else {path for path in STORED if "/irr_" in path}
    assert again.keys() == STORED.keys() - of_irr
    for path, value in again.items():
        stored = STORED[path]
        assert value == (stored if stored is None else pytest.approx(stored, rel=1e-8, abs=1e-10)), path


def has_r_package(name: str) -> bool:
    if shutil.which("Rscript") is None:
        return False
    test = f"quit(status = !requireNamespace('{name}', quietly = TRUE))"
    return subprocess.run(["Rscript", "-e", test], capture_output=True, check=False).returncode == 0


def test_the_published_tables() -> None:
    agreement, consistency = icc(SHROUT_FLEISS)
    assert round(agreement.value, 2) == 0.29
    assert round(consistency.value, 2) == 0.71
    assert (consistency.F, consistency.df1, consistency.df2) == (pytest.approx(11.03, abs=0.005), 5, 15)
    assert agreement.convention.startswith("ICC(2,1): two-way random effects, absolute agreement")
    assert consistency.convention.startswith("ICC(3,1): two-way mixed effects, consistency")

    flow = bland_altman(WRIGHT, MINI)
    assert flow.bias.value == pytest.approx(-2.1, abs=0.05)
    assert flow.sd == pytest.approx(38.8, abs=0.05)
    half = NormalDist().inv_cdf(0.975) * 38.77
    assert flow.upper.value == pytest.approx(-2.12 + half, abs=0.05)


def test_a_constant_between_readers_lowers_agreement_alone() -> None:
    rng = np.random.default_rng(5)
    ratings = rng.normal(35, 6, (25, 1)) + rng.normal(0, 1, (25, 2))
    before, after = icc(ratings), icc(ratings + np.array([0.0, 8.0]))
    assert after.consistency.value == pytest.approx(before.consistency.value, rel=1e-12)
    assert after.agreement.value < before.agreement.value - 0.2
    assert after.agreement.low < after.agreement.value < after.agreement.high


def test_readings_that_are_equal_agree_perfectly() -> None:
    column = np.array([31.3, 28.1, 44.7, 36.9])
    for result in icc(np.column_stack([column, column, column])):
        assert (result.value, result.low, result.high, result.p) == (1.0, 1.0, 1.0, 0.0)
        assert math.isinf(result.F)
    agreement, consistency = icc(np.column_stack([column, column + 3]))
    assert (consistency.value, consistency.low, consistency.high) == (1.0, 1.0, 1.0)
    assert 0.5 < agreement.value < 1
    assert agreement.low < agreement.value < agreement.high < 1


@pytest.mark.parametrize(
    ("ratings", "reason"),
    [
        (np.empty((0, 3)), "there are 0 cases with 3 readings"),
        ([[35.0, 36.0, 37.0]], "there is 1 case with 3 readings"),
        ([[35.0], [36.0]], "there are 2 cases with 1 reading."),
        (np.full((5, 3), 35.1), "The cases do not differ"),
        (np.tile([35.1, 36.7, 31.3], (7, 1)), "The cases do not differ"),
        ([[np.nan, 35.0], [36.0, 35.0]], "there is 1 case with 2 readings"),
    ],
)
def test_where_there_is_no_icc_the_reason_is_given(ratings: np.ndarray, reason: str) -> None:
    for result in icc(ratings):
        assert math.isnan(result.value)
        assert math.isnan(result.low)
        assert math.isnan(result.p)
        assert reason in result.reason
        assert result.convention.startswith("ICC(")


def test_two_cases_read_in_opposite_order() -> None:
    agreement, consistency = icc([[1.0, 2.0], [2.0, 1.0]])
    assert "opposite order" in agreement.reason
    assert consistency.value == consistency.low == -1.0


def test_the_lowest_icc_there_can_be() -> None:
    """Every case has the same three readings, each repeat the same mean."""
    agreement, consistency = icc([[30, 31, 32], [31, 32, 30], [32, 30, 31]])
    assert agreement.value == pytest.approx(-1.0)
    assert "does not exist" in agreement.reason
    assert consistency.value == consistency.low == pytest.approx(-0.5)


def test_a_negative_icc_stays_and_its_interval_may_not_exist() -> None:
    agreement, consistency = icc(table("negative", "R2"))
    assert agreement.value == pytest.approx(-0.52328, abs=1e-5)
    assert math.isnan(agreement.low)
    assert math.isnan(agreement.high)
    assert "interval of McGraw & Wong does not exist" in agreement.reason
    assert consistency.reason == ""
    assert consistency.low < consistency.value < consistency.high < 0


def test_cases_that_lack_a_reading_are_listed_and_left_out() -> None:
    readings = table("gaps", "R1")
    whole = readings.drop(index=["C03", "C16"])
    for complete, found in zip(icc(whole), icc(readings), strict=True):
        assert found.left_out == ("C03", "C16")
        assert found.n == 22
        assert found.value == complete.value
    assert repeatability(readings).left_out == ("C03", "C16")
    assert repeatability(readings.to_numpy()).left_out == (2, 15)
    both = medians("gaps")
    compared = bland_altman(both["R1"], both["R2"])
    assert compared.left_out == ("C03", "C08", "C16")
    assert compared.n == len(compared.cases) == len(compared.mean) == 21
    assert not set(compared.cases) & set(compared.left_out)


@pytest.mark.parametrize("statistic", [icc, repeatability])
@pytest.mark.parametrize("bad", [[1.0, 2.0], [["a", "b"]], [[1.0, 2.0], [3.0]], np.ones((2, 2, 2))])
def test_what_is_no_table_is_refused(statistic, bad) -> None:
    with pytest.raises(InputError, match="must be a table of numbers"):
        statistic(bad)


def test_infinite_readings_are_refused_with_the_case() -> None:
    frame = pd.DataFrame([[1.0, 2.0], [np.inf, 1.0]], index=["P01", "P02"])
    with pytest.raises(InputError, match=r"readings of case P02 are not finite"):
        icc(frame)
    with pytest.raises(InputError, match=r"readings of case P02 are not finite"):
        bland_altman(frame[0], frame[1])


def test_repeatability_of_two_cases_by_hand() -> None:
    found = repeatability([[30.0, 32.0, 34.0], [40.0, 40.0, 43.0]])
    assert found.within_sd.value == pytest.approx(math.sqrt((4 + 3) / 2))
    assert found.within_cv.value == pytest.approx(math.sqrt(((2 / 32) ** 2 + 3 / 41**2) / 2))
    assert found.repeatability_coefficient.value == pytest.approx(2.7718 * found.within_sd.value, rel=1e-5)
    assert (found.n, found.k, found.df) == (2, 3, 4)
    # chi-square with four degrees of freedom: 0.484 and 11.143
    assert found.within_sd.low == pytest.approx(math.sqrt(14 / 11.143), rel=1e-4)
    assert found.within_sd.high == pytest.approx(math.sqrt(14 / 0.4844), rel=1e-4)
    assert "QIBA" in found.convention


def test_the_coefficient_holds_95_percent_of_differences() -> None:
    rng = np.random.default_rng(2)
    readings = rng.normal(35, 5, (40_000, 1)) + rng.normal(0, 1.5, (40_000, 2))
    found = repeatability(readings)
    assert found.within_sd.value == pytest.approx(1.5, rel=0.02)
    within = np.abs(readings[:, 0] - readings[:, 1]) <= found.repeatability_coefficient.value
    assert within.mean() == pytest.approx(0.95, abs=0.004)


def test_equal_repeats_have_no_spread() -> None:
    found = repeatability(np.full((4, 3), 35.1))
    assert (found.within_sd.value, found.within_sd.low, found.within_sd.high) == (0.0, 0.0, 0.0)
    assert found.within_cv.value == 0.0


def test_no_cv_without_positive_means() -> None:
    frame = pd.DataFrame([[10.0, 12.0], [-1.0, 1.0]], index=["P01", "P02"])
    found = repeatability(frame)
    assert math.isnan(found.within_cv.value)
    assert found.within_cv.reason == "The mean of case P02 is 0; a CV needs means that are positive."
    assert found.within_sd.value == pytest.approx(math.sqrt(2))


@pytest.mark.parametrize("readings", [np.empty((0, 3)), [[35.0], [36.0]], [[np.nan, 1.0]], np.empty((3, 0))])
def test_no_repeats_no_repeatability(readings) -> None:
    found = repeatability(readings)
    for estimate in (found.within_sd, found.within_cv, found.repeatability_coefficient):
        assert not estimate.known
        assert estimate.reason == "Repeatability needs at least one case with two readings."


@pytest.mark.parametrize("n", [2, 5, 30])
def test_limits_intervals_cover_the_limits_in_95_percent(n: int) -> None:
    """Mean and SD of normal differences, drawn; the factors are those of one call."""
    rng = np.random.default_rng(n)
    pattern = rng.normal(0, 1, n)
    found = bland_altman(35 + pattern, np.full(n, 35.0))
    near, far = ((bound - found.bias.value) / found.sd for bound in (found.upper.low, found.upper.high))
    assert (found.lower.low - found.bias.value) / found.sd == pytest.approx(-far)
    assert (found.lower.high - found.bias.value) / found.sd == pytest.approx(-near)
    draws = 200_000
    bias = rng.normal(0, 1 / math.sqrt(n), draws)
    sd = np.sqrt(rng.chisquare(n - 1, draws) / (n - 1))
    limit = NormalDist().inv_cdf(0.975)
    assert (bias + near * sd > limit).mean() == pytest.approx(0.025, abs=0.0015)
    assert (bias + far * sd < limit).mean() == pytest.approx(0.025, abs=0.0015)


def test_differences_that_do_not_vary() -> None:
    first = np.array([31.3, 28.1, 44.7, 36.9])
    found = bland_altman(first, first - 1.7)
    for estimate in (found.bias, found.lower, found.upper):
        assert estimate.value == estimate.low == estimate.high == pytest.approx(1.7)
    assert found.sd == 0.0
    assert (found.slope.value, found.slope.low, found.slope.high) == (0.0, 0.0, 0.0)
    assert math.isnan(found.slope_p)


def test_differences_that_grow_with_the_mean() -> None:
    second = np.array([31.3, 28.1, 44.7, 36.9])
    found = bland_altman(1.1 * second, second)
    assert found.slope.value == pytest.approx(0.1 / 1.05)
    assert found.slope_p == 0.0
    rng = np.random.default_rng(8)
    noisy = bland_altman(1.3 * second + rng.normal(0, 0.5, 4), second)
    assert noisy.slope.low > 0


def test_the_slopes_test_is_pitmans() -> None:
    both = medians("T2star")
    found = bland_altman(both["R1"], both["R2"])
    correlated = stats.pearsonr(both["R1"] - both["R2"], both["R1"] + both["R2"])
    assert found.slope_p == pytest.approx(correlated.pvalue, rel=1e-9)


def test_too_few_pairs() -> None:
    none = bland_altman([], [])
    assert none.n == 0
    assert not none.bias.known
    assert none.bias.reason == "Limits of agreement need two complete cases; there are none."
    one = bland_altman([35.0, np.nan], [34.0, 30.0])
    assert one.bias.value == 1.0
    assert math.isnan(one.bias.low)
    assert not one.lower.known
    assert one.upper.reason.endswith("there is 1.")
    assert "three complete cases" in one.slope.reason
    two = bland_altman([35.0, 36.0], [34.0, 30.0])
    assert two.lower.known
    assert not two.slope.known
    same = bland_altman([1.0, 2.0, 3.0], [3.0, 2.0, 1.0])
    assert "means of the cases do not differ" in same.slope.reason


def test_readings_of_different_cases_are_not_compared() -> None:
    with pytest.raises(InputError, match=r"not \(3,\) and \(2,\)"):
        bland_altman([1, 2, 3], [1, 2])
    first = pd.Series([1.0, 2.0], index=["P01", "P02"])
    with pytest.raises(InputError, match="not of the same cases in the same order"):
        bland_altman(first, first[::-1])


numbers = st.floats(-1e4, 1e4).map(lambda x: round(x, 3))


shapes = st.tuples(st.integers(2, 8), st.integers(2, 4))
few_values = st.sampled_from([30.0, 31.0, 32.0])


@given(arrays(float, shapes, elements=numbers) | arrays(float, shapes, elements=few_values))
@settings(max_examples=400, deadline=None)
def test_whatever_the_readings_there_is_an_ordered_interval_or_a_reason(ratings: np.ndarray) -> None:
    for result in icc(ratings):
        if result.reason:
            assert math.isnan(result.low)
            assert math.isnan(result.high)
        else:
            assert result.low <= result.value <= result.high <= 1
    found = repeatability(ratings)
    for estimate in (found.within_sd, found.within_cv, found.repeatability_coefficient):
        assert estimate.reason or 0 <= estimate.low <= estimate.value <= estimate.high
    compared = bland_altman(ratings[:, 0], ratings[:, 1])
    for estimate in (compared.bias, compared.lower, compared.upper, compared.slope):
        assert estimate.reason or estimate.low <= estimate.value <= estimate.high


@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 100), shift=st.floats(-50, 50))
@settings(max_examples=50, deadline=None)
def test_unit_and_order_do_not_matter(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    ratings = rng.normal(35, 5, (9, 1)) + rng.normal(0, 2, (9, 3))
    assume(not any(result.reason for result in icc(ratings)))
    order, columns = rng.permutation(9), rng.permutation(3)
    other = scale * ratings[order][:, columns] + shift
    for before, after in zip(icc(ratings), icc(other), strict=True):
        for name in ("value", "low", "high", "F", "p"):
            assert getattr(after, name) == pytest.approx(getattr(before, name), rel=1e-6, abs=1e-9), name
    within = repeatability(other).within_sd
    assert within.value == pytest.approx(scale * repeatability(ratings).within_sd.value, rel=1e-6)
    first, second = ratings[:, 0], ratings[:, 1]
    there, back = bland_altman(first, second), bland_altman(second, first)
    assert back.bias.value == pytest.approx(-there.bias.value)
    assert back.lower.low == pytest.approx(-there.upper.high)
    assert back.slope_p == pytest.approx(there.slope_p)
