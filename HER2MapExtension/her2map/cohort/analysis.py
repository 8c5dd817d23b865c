"""The analysis of a cohort from end to end: every table's and figure's numbers, in one result."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from ..progress import Progress, no_progress, part_of
from ..statistics import AucComparison
from ..study.agreement import StudyAgreement
from .acquisition import Acquisition, no_acquisition, read_acquisition
from .agreement import values_agreement
from .analysis_options import USUAL, AnalysisOptions
from .checklist_results import result_answers
from .checklists import checklist_table
from .comparisons import Ways, by_alternative, by_reader, by_repeats, other_pairs, small_group_warnings
from .groups import Between, between_groups
from .inputs import Cohort
from .markers import Contrast, MarkerResult, compare_markers, contrast, judge, measured_markers
from .models import Alone, Entry, Model, check_named, enter, fit_alone, fit_models
from .predictions import Predictions, judge_predictions
from .validated import Validated, validate_models


@dataclass(frozen=True, eq=False)
class CohortAnalysis:
    """All that an analysis found.

    Attributes:
        acquisition: Table 1.
        patients, imaging: Tables 2 and 3.
        pair: HER2-positive against HER2-low.
        markers: Table 4: biomarkers and ER, then the models on the cases to which they were fitted.
        compared: Table 5.
        alone, entry, models: each factor alone, what the entry rule chose, and the multivariable models.
        predictions: calibration and decision curves of the models.
        validation: of each model, on cases that it was not fitted to.
        pairs: the biomarkers for the other pairs of groups.
        readers, repeats, alternatives: the biomarkers as found in other ways.
        agreement: of the readings; None for a table of values that names no readers.
        warnings: what to know before anything else, a sentence each.
        checklists: a row an item of STROBE, TRIPOD+AI and CLAIM.
    """

    cohort: Cohort
    options: AnalysisOptions
    acquisition: Acquisition
    patients: tuple[Between, ...]
    imaging: tuple[Between, ...]
    pair: Contrast
    markers: tuple[MarkerResult, ...]
    compared: tuple[AucComparison, ...]
    alone: tuple[Alone, ...]
    entry: Entry
    models: tuple[Model, ...]
    predictions: Predictions
    validation: Mapping[str, Validated]
    pairs: Mapping[str, tuple[MarkerResult, ...]]
    readers: Ways
    repeats: Ways
    alternatives: Ways
    agreement: StudyAgreement | None
    warnings: tuple[str, ...]
    checklists: pd.DataFrame


def analyse(
    cohort: Cohort,
    options: AnalysisOptions = USUAL,
    acquisition: Acquisition | None = None,
    progress: Progress = no_progress,
) -> CohortAnalysis:
    """Every table, model and comparison of the cohort.

    Args:
        acquisition: Table 1, of :func:`read_exams`; without it the table is empty.

    Raises:
        InputError: a predictor that the user named is not known.
        Cancelled: raised by `progress`.
    """
    check_named(cohort, options.predictors)
    pair = contrast(cohort)
    alone = fit_alone(pair, cohort.variables)
    entry = enter(pair, alone)
    models = fit_models(cohort, pair, entry, options.predictors)
    fitted = [model.marker for model in models if model.fit.terms]
    measured = measured_markers(cohort.variables, pair.frame)
    markers = tuple(judge(pair.outcome, one) for one in (*measured, *fitted))
    progress(0.05)
    readers, repeats, others = by_reader(cohort), by_repeats(cohort), by_alternative(cohort)
    progress(0.1)
    agreed = values_agreement(cohort.values)
    progress(0.15)
    ways = {"reader": readers, "repeat": repeats, "how the values were found": others}
    answers = result_answers(cohort, markers, models, ways, agreed)
    validation = validate_models(pair, models, cohort.variables, options, part_of(progress, 0.15, 1.0))
    progress(1.0)
    return CohortAnalysis(
        cohort=cohort,
        options=options,
        acquisition=acquisition or no_acquisition(),
        patients=between_groups(cohort, cohort.clinical),
        imaging=between_groups(cohort, cohort.imaging),
        pair=pair,
        markers=markers,
        compared=compare_markers(pair.outcome, (*measured, *fitted)),
        alone=alone,
        entry=entry,
        models=models,
        predictions=judge_predictions(pair, models, alone),
        validation=validation,
        pairs=other_pairs(cohort),
        readers=readers,
        repeats=repeats,
        alternatives=others,
        agreement=agreed,
        warnings=(*small_group_warnings(cohort), *cohort.remarks),
        checklists=checklist_table(cohort, options, answers),
    )


def read_exams(cohort: Cohort, progress: Progress = no_progress) -> Acquisition:
    """Table 1 of a study, from the headers of its exams: half a second to some seconds a case."""
    protocol = cohort.values.protocol
    if protocol is None:
        return no_acquisition()
    return read_acquisition(protocol, list(cohort.cases.index), progress)
