"""`her2map train` and `her2map validate`: a model card from a cohort, and a card on another cohort."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..cohort.inputs import Cohort, read_cohort
from ..cohort.models import PAPER
from ..files import output_folder, write_text
from ..report.score_summary import card_text, validation_text
from ..report.score_validation import CARD, write_validation
from ..score.acquired import Acquired
from ..score.card import ModelCard
from ..score.recalibrate import Method
from ..score.train import DEMONSTRATION_ONLY, NOT_TOLD, RESEARCH_ONLY, Background, train
from ..score.update import updated_card
from ..score.validate import Validation, validate
from .common import declare, output_option, progress_bar, refuse_special_file
from .pathology import pathology_of, preset_option
from .score_options import acquired_of, acquired_options, bootstrap_options, card_of, card_option, share


def declare_train(parser: argparse.ArgumentParser) -> None:
    declare(
        parser,
        _train,
        "Fits a logistic model of HER2-positive against HER2-low to a cohort, and writes it as a model card: "
        "coefficients with their covariance, Youden's cut-off, the training cohort, and what the model is "
        "worth after correction for optimism. Values and pathology are those of `her2map analyze`; a study's "
        "exams tell field strength and sequences.",
    )
    _cohort_options(parser)
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="the card, a JSON file")
    parser.add_argument(
        "--predictors", default=",".join(PAPER), metavar="er,T2star,...", help="default: %(default)s"
    )
    _background_options(parser)
    bootstrap_options(parser)


def declare_validate(parser: argparse.ArgumentParser) -> None:
    declare(
        parser,
        _validate,
        "Judges a model card on a cohort that it was not fitted to: discrimination, calibration, decision "
        "curve, how the cases differ from the training cohort, whom the card refuses, and what recalibration "
        "would give. Writes validation.html, validation.json, tables and figures; with --recalibrate also a "
        "new card, card.json.",
    )
    _cohort_options(parser)
    card_option(parser)
    output_option(parser)
    parser.add_argument(
        "--recalibrate", choices=[one.value for one in Method],
        help="write a new card with the intercept, intercept and slope, or all coefficients of this cohort",
    )  # fmt: skip
    _background_options(parser)
    bootstrap_options(parser)


def _cohort_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "values", type=Path, metavar="STUDY_OR_CSV", help="a study's folder or a CSV of values"
    )
    parser.add_argument(
        "--pathology", type=Path, metavar="FILE",
        help="the pathology table; of a study, that of its study.toml",
    )  # fmt: skip
    preset_option(parser)
    acquired_options(parser)


def _background_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what the card says of itself")
    for name, what in (
        ("name", "of the model"),
        ("origin", "where the cases come from"),
        ("centre", "where they were examined"),
        ("period", "when they were examined, e.g. 2021-03 to 2024-06"),
    ):
        group.add_argument(f"--{name}", default="", metavar="TEXT", help=what)
    group.add_argument(
        "--licence", default=NOT_TOLD, metavar="SPDX", help="of the card (default: %(default)s)"
    )
    group.add_argument(
        "--minimum-coverage", type=share, default=Background.minimum_coverage, metavar="PART",
        help="of a ROI with usable values; with less the card refuses (default: %(default)s)",
    )  # fmt: skip
    group.add_argument(
        "--demonstration", action="store_true", help="the cases are simulated; the card says so everywhere"
    )


def _train(options: argparse.Namespace) -> None:
    refuse_special_file(options.output)
    cohort = read_cohort(options.values, pathology_of(options), options.preset)
    names = tuple(name.strip() for name in options.predictors.split(",") if name.strip())
    acquired = acquired_of(cohort, options)
    for note in acquired.notes:
        print(f"her2map: note: {note}", file=sys.stderr)
    background = _background(options, cohort, acquired, names)
    with progress_bar("Training") as progress:
        card = train(
            cohort, background, names, bootstraps=options.bootstraps, seed=options.seed, progress=progress
        )
    _write(options.output, card)
    print(f"{card_text(card)}\n\nCard: {options.output}")


def _validate(options: argparse.Namespace) -> None:
    card = card_of(options)
    cohort = read_cohort(options.values, pathology_of(options), options.preset)
    folder = output_folder(options.output)
    acquired = acquired_of(cohort, options)
    with progress_bar("Validating") as progress:
        found = validate(
            card, cohort, acquired, bootstraps=options.bootstraps, seed=options.seed, progress=progress
        )
    written = write_validation(folder, found)
    print(f"{validation_text(found)}\n\nReport: {written}")
    if options.recalibrate:
        new = _updated(options, found, cohort, acquired)
        _write(folder / CARD, new)
        print(f"\n{card_text(new)}\n\nCard: {folder / CARD}")


def _updated(options: argparse.Namespace, found: Validation, cohort: Cohort, acquired: Acquired) -> ModelCard:
    names = [one.name for one in found.card.predictors]
    options.name = options.name or f"{found.card.name}, recalibrated to {cohort.name}"
    background = _background(options, cohort, acquired, names)
    with progress_bar("Recalibrating") as progress:
        return updated_card(
            found, cohort, Method(options.recalibrate), background,
            bootstraps=options.bootstraps, seed=options.seed, progress=progress,
        )  # fmt: skip


def _background(
    options: argparse.Namespace, cohort: Cohort, acquired: Acquired, names: Sequence[str]
) -> Background:
    codes = cohort.cases.index[cohort.cases["her2"].isin(["low", "positive"])]
    return Background(
        name=options.name or f"HER2-positive against HER2-low by {', '.join(names)}",
        origin=options.origin or f"{cohort.name}, as given to her2map",
        centre=options.centre,
        period=options.period,
        field_strengths_t=acquired.field_strengths_t(codes),
        techniques=acquired.techniques(codes),
        simulated=options.demonstration,
        warning=f"{DEMONSTRATION_ONLY} {RESEARCH_ONLY}" if options.demonstration else RESEARCH_ONLY,
        licence=options.licence,
        minimum_coverage=options.minimum_coverage,
    )


def _write(path: Path, card: ModelCard) -> None:
    write_text(output_folder(path.parent) / path.name, card.to_json())
