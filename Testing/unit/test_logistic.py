"""Logistic models against R's glm, car and brglm2, and statsmodels; separation, collinearity."""

import math
import warnings

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from cohort_reference import OUTCOME, TWO, assert_as_r, names_of
from her2map.errors import InputError
from her2map.statistics.collinearity import dependences, inflation
from her2map.statistics.likelihood import Penalty, Problem, linear, maximise, standard_errors
from her2map.statistics.logistic import LogisticFit, Term, logistic, nested_test, univariable
from her2map.statistics.separation import separating

pytestmark = pytest.mark.filterwarnings("error")

CANDIDATES = ("T1_pre", "T1_post", "T2", "T2star", "er", "pr", "ki67_high", "age")
MODEL = ("er", "T2star", "T1_post")
MODELS = {name: (name,) for name in (*CANDIDATES, "nearly")} | {"model": MODEL, "all": CANDIDATES}
FIRTH = {name: (name,) for name in ("separated", "quasi")} | {"quasi_model": ("quasi", "T2star", "er")}


def of_intercept(fit: LogisticFit) -> dict[str, float]:
    return {"coefficient": fit.coefficients[0], "se": math.sqrt(fit.covariance[0, 0])}


def of_term(term: Term) -> dict[str, float]:
    return {
        "coefficient": term.coefficient,
        "se": term.standard_error,
        "z": term.z,
        "p": term.p_wald,
        "odds_ratio": term.odds_ratio.value,
        "low": term.odds_ratio.low,
        "high": term.odds_ratio.high,
        "profile_low": term.odds_ratio_profile.low,
        "profile_high": term.odds_ratio_profile.high,
        "per_sd": term.per_sd.value,
        "per_sd_low": term.per_sd.low,
        "per_sd_high": term.per_sd.high,
        "per_sd_profile_low": term.per_sd_profile.low,
        "per_sd_profile_high": term.per_sd_profile.high,
        "lr_chi2": term.chi2,
        "lr_p": term.p_likelihood_ratio,
    }


@pytest.mark.parametrize("name", names_of("logistic"))
def test_every_figure_of_a_model_is_that_of_r(name: str) -> None:
    fit = logistic(OUTCOME, TWO[list(MODELS[name])])
    assert fit.reason == ""
    assert not fit.separated
    found = {
        "log_likelihood": fit.log_likelihood,
        "aic": fit.aic,
        "chi2": fit.overall.statistic,
        "p": fit.overall.p,
        "n": fit.n,
        "events": fit.events,
    }
    intercept = of_intercept(fit)
    z = intercept["coefficient"] / intercept["se"]
    intercept |= {"z": z, "p": math.erfc(abs(z) / math.sqrt(2))}
    found |= {f"intercept/{figure}": value for figure, value in intercept.items()}
    for j, term in enumerate(fit.terms):
        figures = of_term(term) | ({"vif": term.vif} if len(fit.terms) > 1 else {})
        found |= {f"{term.name}/{figure}": value for figure, value in figures.items()}
        assert term.p == term.p_wald
        assert term.coefficient == pytest.approx(fit.coefficients[j + 1])
        assert term.standard_error == pytest.approx(math.sqrt(fit.covariance[j + 1, j + 1]))
    assert_as_r({f"logistic/{name}/{figure}": value for figure, value in found.items()}, f"logistic/{name}/")
    assert fit.left_out == tuple(TWO.index[TWO[list(MODELS[name])].isna().any(axis=1)])
    assert fit.convention.startswith("maximum likelihood; z, p and interval: Wald")


@pytest.mark.parametrize("name", names_of("firth"))
def test_firths_figures_are_those_of_r(name: str) -> None:
    fit = logistic(OUTCOME, TWO[list(FIRTH[name])])
    assert fit.separated == (FIRTH[name][0],)
    assert fit.remarks[0] == (
        f"{FIRTH[name][0]} separates the groups: maximum likelihood has no estimate, and Firth's penalty was "
        "used."
    )
    assert fit.convention.startswith("Firth's penalised likelihood")
    assert math.isnan(fit.aic)
    found = {"log_likelihood": fit.log_likelihood}
    found |= {f"intercept/{figure}": value for figure, value in of_intercept(fit).items()}
    for term in fit.terms:
        profile = term.odds_ratio_profile
        figures = of_term(term)
        found |= {
            f"{term.name}/{figure}": figures[figure] for figure in ("coefficient", "se", "lr_chi2", "lr_p")
        }
        found |= {
            f"{term.name}/profile_low": math.log(profile.low),
            f"{term.name}/profile_high": math.log(profile.high),
        }
        assert term.p == term.p_likelihood_ratio
    assert_as_r({f"firth/{name}/{figure}": value for figure, value in found.items()}, f"firth/{name}/")


def test_firths_estimate_of_a_two_by_two_table_has_half_a_case_in_each_cell() -> None:
    """Analytic: for a saturated model Jeffreys' prior adds one half to every cell."""
    outcome = [1] * 9 + [0] * 11 + [1] * 5
    marker = [0] * 20 + [1] * 5
    fit = logistic(outcome, {"marker": marker})
    assert fit.separated == ("marker",)
    assert fit.terms[0].coefficient == pytest.approx(math.log(5.5 / 0.5) - math.log(9.5 / 11.5), rel=1e-9)
    assert fit.terms[0].odds_ratio_profile.low > 1
    assert math.isfinite(fit.terms[0].odds_ratio_profile.high)


def test_nested_models_are_compared_by_their_likelihoods() -> None:
    fit = logistic(OUTCOME, TWO[["T2star", "T1_post", "er", "age"]])
    tested = nested_test(fit, ("T1_post", "age"))
    found = {"chi2": tested.statistic, "df": tested.df[0], "p": tested.p}
    assert_as_r({f"nested/model/{figure}": value for figure, value in found.items()}, "nested/")
    assert tested.name == "likelihood-ratio test of T1_post, age"
    everything = nested_test(fit, fit.names)
    assert everything.statistic == pytest.approx(fit.overall.statistic)
    assert nested_test(fit, ("er",)).p == pytest.approx(fit.term("er").p_likelihood_ratio)
    assert nested_test(fit, ()).reason == "The two models are the same."
    with pytest.raises(InputError, match="T2 is no predictor of the model; it has T2star, T1_post, er, age"):
        nested_test(fit, ("T2",))
    none = logistic(OUTCOME, {"constant": TWO["constant"]})
    assert nested_test(none, ("constant",)).reason == none.reason


def test_delta_t1_and_both_its_parts_cannot_enter_together() -> None:
    """The trap of the issue; a solver would give estimates all the same."""
    fit = logistic(OUTCOME, TWO[["T1_pre", "T1_post", "delta_T1", "er"]])
    assert fit.reason == (
        "delta_T1 is T1_pre - T1_post, but for a constant and rounding: they cannot enter a model together; "
        "leave one out."
    )
    assert fit.terms == ()
    assert logistic(OUTCOME, TWO[["T1_post", "delta_T1", "T1_pre"]]).reason.startswith("T1_pre is ")
    rounded = TWO.assign(delta_T1=TWO["delta_T1"].round())
    assert (
        "delta_T1 is T1_pre - T1_post" in logistic(OUTCOME, rounded[["T1_pre", "T1_post", "delta_T1"]]).reason
    )
    two = logistic(OUTCOME, TWO[["T1_pre", "delta_T1"]])
    assert two.reason == ""
    assert [remark for remark in two.remarks if "VIF" in remark] == [
        f"T1_pre is largely told by the other predictors (VIF {two.terms[0].vif:.1f}).",
        f"delta_T1 is largely told by the other predictors (VIF {two.terms[1].vif:.1f}).",
    ]


def test_other_dependences_in_words() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(2, 30))
    columns = np.column_stack([a, np.ones(30), b, 2 * a - 3 * b, -a])
    first, second, third = dependences(columns, "abcde")
    assert first.sentence == "b is the same in all complete cases; leave it out."
    assert second.sentence.startswith("d is determined by a and c:")
    assert third.sentence.startswith("e is - a, but for a constant")
    assert second.others == (0, 2)
    assert dependences(columns[:, [0, 2]], "ac") == ()


@pytest.mark.parametrize(
    ("outcome", "predictors", "reason"),
    [
        ([], {"a": []}, "There is no complete case."),
        (
            [0, 1, 1],
            {"a": [np.nan, 1, 2]},
            "All complete cases (2) are positive; cases of both groups are ",
        ),
        ([0, 1, 1, 0], {"a": [2, 2, 2, 2]}, "a is the same in all complete cases; leave it out."),
        ([0, 1, 1], {"a": [1, 3, 2], "b": [2, 1, 4]}, "b is determined by a: they cannot"),
        ([0, 1], {"a": [1, 2]}, "There are 2 complete cases for 2 coefficients."),
        ([0, 1, 1], {}, "No predictor was named."),
    ],
)
def test_where_there_is_no_model_the_reason_is_given(outcome, predictors, reason: str) -> None:
    fit = logistic(outcome, predictors)
    if "determined" in reason:
        assert fit.reason  # three cases are too few, however that is found
    else:
        assert fit.reason.startswith(reason)
    assert fit.terms == ()
    assert math.isnan(fit.log_likelihood)
    assert len(fit.coefficients) == len(fit.linear_predictor) == 0


def test_each_univariable_model_has_its_own_cases() -> None:
    fits = univariable(OUTCOME, TWO[["T2star", "constant", "age"]])
    assert [fit.names for fit in fits] == [("T2star",), ("constant",), ("age",)]
    assert [fit.n for fit in fits] == [154, 158, 156]
    assert fits[1].reason.startswith("constant is the same")


def test_few_events_get_a_remark() -> None:
    rng = np.random.default_rng(3)
    outcome = np.repeat([0, 1], [40, 12])
    fit = logistic(outcome, {name: rng.normal(size=52) for name in "ab"})
    assert fit.remarks == (
        "The smaller group has 12 of the cases, 6.0 a predictor; under 10 the estimates are unstable and "
        "look better than they are.",
    )
    assert logistic(OUTCOME, TWO[["T2star"]]).remarks == ()


def test_probabilities_are_those_of_the_model() -> None:
    fit = logistic(OUTCOME, TWO[list(MODEL)])
    eta = fit.coefficients[0] + TWO.dropna(subset=["T2star"])[list(MODEL)].to_numpy() @ fit.coefficients[1:]
    assert fit.linear_predictor == pytest.approx(eta, rel=1e-9)
    assert fit.probability == pytest.approx(1 / (1 + np.exp(-eta)), rel=1e-9)
    assert fit.probability.sum() == pytest.approx(fit.events)
    assert fit.used[0] == TWO.index[0]


def test_odds_ratios_beyond_any_number() -> None:
    rng = np.random.default_rng(3)
    outcome = np.repeat([0, 1], 30)
    term = logistic(outcome, {"tiny": 1e-4 * (rng.normal(size=60) + outcome)}).terms[0]
    assert math.isnan(term.odds_ratio.value)
    assert term.odds_ratio.reason.startswith("It is beyond what a number can hold")
    assert term.per_sd.low < term.per_sd.value < term.per_sd.high


def test_a_group_of_one() -> None:
    rng = np.random.default_rng(3)
    outcome = np.zeros(20)
    outcome[4] = 1
    marker = rng.normal(size=20)
    fit = logistic(outcome, {"marker": marker})
    assert fit.reason == ""
    assert fit.remarks[-1].startswith("The smaller group has 1 of the cases")


def simulated(seed: int, n: int, k: int, strength: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    predictors = rng.normal(size=(n, k)) * 10.0 ** rng.integers(-3, 4, k) + rng.normal(0, 5, k)
    predictors[:, 0] = predictors[:, 0] > np.median(predictors[:, 0])
    scaled = (predictors - predictors.mean(axis=0)) / predictors.std(axis=0)
    outcome = rng.random(n) < 1 / (1 + np.exp(-strength * scaled.sum(axis=1)))
    outcome[:2] = [False, True]
    return outcome.astype(float), predictors


@given(seed=st.integers(0, 10_000), n=st.integers(25, 120), k=st.integers(1, 4), strength=st.floats(0, 1.5))
def test_any_model_is_that_of_statsmodels(seed: int, n: int, k: int, strength: float) -> None:
    outcome, predictors = simulated(seed, n, k, strength)
    fit = logistic(outcome, {str(j): column for j, column in enumerate(predictors.T)})
    design = sm.add_constant(predictors)
    if fit.separated:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            other = sm.GLM(outcome, design, family=sm.families.Binomial()).fit(maxiter=200, tol=1e-12)
        assert np.abs(other.params * np.r_[1, predictors.std(axis=0)]).max() > 10
        return
    other = sm.GLM(outcome, design, family=sm.families.Binomial()).fit(maxiter=200, tol=1e-14)
    assert fit.coefficients == pytest.approx(other.params, rel=1e-6, abs=1e-9)
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx(other.bse, rel=1e-6)
    assert fit.log_likelihood == pytest.approx(other.llf, rel=1e-9)
    for term in fit.terms:
        for estimate in (term.odds_ratio, term.odds_ratio_profile, term.per_sd, term.per_sd_profile):
            assert estimate.reason or estimate.low < estimate.value < estimate.high
        inside = term.per_sd_profile.low < 1 < term.per_sd_profile.high
        assert inside == (term.p_likelihood_ratio > 0.05)


@given(seed=st.integers(0, 10_000), n=st.integers(6, 14))
def test_separation_is_found_in_small_samples(seed: int, n: int) -> None:
    """Of one predictor it can be seen: the groups overlap, or they do not."""
    rng = np.random.default_rng(seed)
    outcome = (rng.random(n) < 0.5).astype(float)
    outcome[:2] = 0, 1
    marker = rng.integers(0, 5, n) + 3.0 * outcome * rng.integers(0, 2)
    if np.ptp(marker) == 0:
        return
    ones, zeros = marker[outcome == 1], marker[outcome == 0]
    apart = ones.min() >= zeros.max() or zeros.min() >= ones.max()
    fit = logistic(outcome, {"marker": marker})
    assert bool(fit.separated) == apart
    term = fit.terms[0]
    assert math.isfinite(term.coefficient)
    assert term.odds_ratio_profile.low < term.odds_ratio.value < term.odds_ratio_profile.high


def test_separation_by_two_predictors_together() -> None:
    rng = np.random.default_rng(4)
    a, b = rng.normal(size=(2, 60))
    outcome = (a + b > 0.3).astype(float)
    fit = logistic(outcome, {"a": a, "b": b, "c": rng.normal(size=60)})
    assert {"a", "b"} <= set(fit.separated)
    assert logistic(outcome, {"a": a}).separated == ()
    design = np.column_stack([np.ones(60), a])
    assert separating(design, outcome, ["a"]) == ()


def test_weights_are_repeated_cases() -> None:
    """What the resamples rest on, with and without the penalty, and with columns left out of the model."""
    rng = np.random.default_rng(5)
    outcome, predictors = simulated(6, 60, 3, 0.5)
    design = np.column_stack([np.ones(60), (predictors - predictors.mean(axis=0)) / predictors.std(axis=0)])
    weights = np.array([np.bincount(rng.integers(0, 60, 60), minlength=60) for _ in range(7)], float)
    entered = np.ones((7, 4), bool)
    entered[2, 1] = entered[3, 2] = entered[3, 3] = entered[4, 1:] = False
    for penalty in Penalty:
        many = maximise(Problem(design, outcome, weights, entered, penalty))
        assert many.converged.all()
        for row in range(7):
            drawn = np.repeat(np.arange(60), weights[row].astype(int))
            columns = np.flatnonzero(entered[row])
            one = maximise(
                Problem(
                    design[np.ix_(drawn, columns)],
                    outcome[drawn],
                    np.ones((1, 60)),
                    np.ones((1, len(columns)), bool),
                    penalty,
                )
            )
            assert many.coefficients[row, columns] == pytest.approx(one.coefficients[0], abs=1e-8)
            assert many.log_likelihood[row] == pytest.approx(one.log_likelihood[0])
            assert standard_errors(many)[row, columns] == pytest.approx(standard_errors(one)[0], rel=1e-7)
            assert not many.coefficients[row, ~entered[row]].any()


def test_equal_cases_have_equal_linear_predictors() -> None:
    rng = np.random.default_rng(7)
    design = rng.normal(size=(5, 4))[rng.integers(0, 5, 200)]
    found = linear(rng.normal(size=(3, 4)), design)
    assert [len(np.unique(row)) for row in found] == [5, 5, 5]


def test_variance_inflation() -> None:
    rng = np.random.default_rng(8)
    a, b = rng.normal(size=(2, 400))
    values = np.column_stack([a, a + 0.5 * b, rng.normal(size=400)])
    r = np.corrcoef(values[:, 0], values[:, [1]].T)[0, 1]
    assert inflation(values[:, :2]) == pytest.approx([1 / (1 - r**2)] * 2)
    assert inflation(values[:, :1]) == pytest.approx([1.0])


def test_the_profile_interval_of_a_proportion_is_analytic() -> None:
    """One binary predictor: its profile is that of the odds ratio of a 2 x 2 table, solved here by brentq."""
    table = np.array([[18, 7], [9, 21]])  # rows: marker 0, 1; columns: outcome 0, 1
    outcome = np.repeat([0, 1, 0, 1], table.ravel())
    marker = np.repeat([0, 0, 1, 1], table.ravel())

    def likelihood(intercept: float, slope: float) -> float:
        total = 0.0
        for row, eta in enumerate((intercept, intercept + slope)):
            total += table[row, 1] * eta - table[row].sum() * math.log1p(math.exp(eta))
        return total

    def profile(slope: float) -> float:
        def score(intercept: float) -> float:
            fitted = sum(table[row].sum() / (1 + math.exp(-intercept - row * slope)) for row in range(2))
            return table[:, 1].sum() - fitted

        return likelihood(brentq(score, -20, 20, xtol=1e-14), slope)

    best = math.log(18 * 21 / 7 / 9)
    level = profile(best) - 3.841458820694124 / 2
    low, high = (brentq(lambda s: profile(s) - level, *ends, xtol=1e-13) for ends in ((-3, best), (best, 6)))
    term = logistic(outcome, {"marker": marker}).terms[0]
    assert term.coefficient == pytest.approx(best, rel=1e-10)
    assert math.log(term.odds_ratio_profile.low) == pytest.approx(low, rel=1e-8)
    assert math.log(term.odds_ratio_profile.high) == pytest.approx(high, rel=1e-8)
