"""What the commands of the score share."""

import argparse
import math
from pathlib import Path

from ..cohort.inputs import Cohort
from ..score.acquired import Acquired, as_told, read_acquired
from ..score.card import ModelCard, demo_card, load_card
from .common import progress_bar


def card_option(parser: argparse.ArgumentParser) -> None:
    """--card."""
    parser.add_argument(
        "--card", type=Path, metavar="FILE",
        help="a model card (default: the one that ships, a demonstration on simulated cases)",
    )  # fmt: skip


def card_of(options: argparse.Namespace) -> ModelCard:
    """The card that was named, or the one that ships."""
    return load_card(options.card) if options.card else demo_card()


def acquired_options(parser: argparse.ArgumentParser) -> None:
    """--field-strength and --technique."""
    parser.add_argument("--field-strength", type=positive, metavar="T", help="of the scanner, in tesla")
    parser.add_argument(
        "--technique", action="append", default=[], metavar="BIOMARKER=TECHNIQUE",
        help="how a map was acquired, e.g. T2star=multi_echo_gradient_echo; may be repeated",
    )  # fmt: skip


def acquired_of(cohort: Cohort, options: argparse.Namespace) -> Acquired:
    """How a cohort was examined: from the exams of a study, else from the options."""
    told = as_told(options.field_strength, options.technique)
    protocol = cohort.values.protocol
    if protocol is None:
        return Acquired(others=told)
    with progress_bar("Reading the exams") as progress:
        return read_acquired(protocol, _codes(cohort), told, progress)


def _codes(cohort: Cohort) -> list[str]:
    return list(cohort.cases.index[cohort.cases["her2"].isin(["low", "positive"])])


def bootstrap_options(parser: argparse.ArgumentParser) -> None:
    """--bootstraps and --seed."""
    parser.add_argument(
        "--bootstraps", type=resamples, default=2000, metavar="N",
        help="samples for the correction of optimism (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--seed", type=count, default=1, metavar="N", help="of the bootstrap (default: %(default)s)"
    )


def positive(text: str) -> float:
    """A number above 0."""
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is no positive number")
    return value


def not_negative(text: str) -> float:
    """A number, 0 or more."""
    value = float(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError(f"{text} is negative, or no number")
    return value


def share(text: str) -> float:
    """A number from 0 to 1."""
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} does not lie in 0 to 1")
    return value


def count(text: str) -> int:
    """A whole number, 0 or more."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"{text} is negative")
    return value


def readings(text: str) -> int:
    """A whole number from 1 to 99."""
    value = int(text)
    if not 1 <= value <= 99:
        raise argparse.ArgumentTypeError(f"{text} does not lie in 1 to 99")
    return value


def resamples(text: str) -> int:
    """0 for none, or at least 2."""
    value = int(text)
    if value < 0 or value == 1:
        raise argparse.ArgumentTypeError("must be 0, for none, or at least 2")
    return value
