"""The simulated tumours meet what is published of them."""

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.metrics import roc_auc_score

from her2map.phantom import cohort


@pytest.fixture(scope="module")
def population() -> cohort.Cohort:
    return cohort.simulate(1000, seed=7)


def test_simulated_cohort_meets_the_published_figures(population: cohort.Cohort) -> None:
    for positive, (name, n, delta, ratio) in enumerate(
        [("HER2-low", 72, (1441, 400), (0.747, 0.085)), ("HER2-positive", 86, (1208, 295), (0.669, 0.093))]
    ):
        group = population.her2_positive == positive
        difference = population.T1_pre[group] - population.T1_post[group]
        share = difference / population.T1_pre[group]
        assert n * 1000 == cohort.PUBLISHED[name].n * 1000 == np.count_nonzero(group)
        assert (difference.mean(), difference.std()) == pytest.approx(delta, rel=0.01)
        assert (share.mean(), share.std()) == pytest.approx(ratio, rel=0.01)


def test_simulated_cohort_meets_the_published_aucs(population: cohort.Cohort) -> None:
    fit = sm.Logit(population.her2_positive, population.design).fit(disp=0)
    # One standard error of an AUC from 158,000 cases is 0.001.
    for published, marker in [
        (0.800, population.T2star),
        (0.762, population.T1_post),
        (0.854, fit.predict()),
    ]:
        assert roc_auc_score(population.her2_positive, marker) == pytest.approx(published, abs=0.003)
