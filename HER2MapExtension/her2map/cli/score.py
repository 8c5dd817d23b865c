"""`her2map score`: what a model card says of a case."""

import argparse
import math
from dataclasses import asdict
from typing import Any

from ..biomarkers import MEASURED
from ..report.score_words import QUESTION, answer, second_reading, uncertainty
from ..score import Assessment, MapValue, ModelCard, Readings, ScoreCase, assess
from ..score.acquired import as_told
from .common import declare, json_option, print_json
from .score_options import acquired_options, card_of, card_option, not_negative, positive, readings, share

ER = {"positive": True, "negative": False, "unknown": None}


def declare_score(parser: argparse.ArgumentParser) -> None:
    declare(
        parser,
        _score,
        "Prints the probability that a model card gives a case, its 95 % interval from all sources of error "
        "that are told, whether a second reading would change the call, and what adds most to the "
        "uncertainty. Where the card has no right to a number it says why; that is an answer, and the exit "
        "status is 0. Research use only.",
    )
    card_option(parser)
    parser.add_argument("--er", choices=list(ER), required=True, help="oestrogen receptor status")
    for name in MEASURED:
        option = _option(name)
        parser.add_argument(option, type=positive, metavar="MS", help=f"{name} of the ROI, in ms")
        parser.add_argument(
            f"{option}-se", type=not_negative, default=math.nan, metavar="MS", help="its standard error"
        )
    parser.add_argument(
        "--coverage", type=share, default=math.nan, metavar="PART",
        help="of the ROI with a usable value on every map, 0 to 1",
    )  # fmt: skip
    parser.add_argument(
        "--b1-sd", type=share, default=0.0, metavar="PART",
        help="SD of the B1 that T1 was corrected with, as a part of it, e.g. 0.02 (default: %(default)s)",
    )  # fmt: skip
    acquired_options(parser)
    parser.add_argument(
        "--repeats", type=readings, default=1, metavar="N",
        help="drawings of a reader, whose median the values are (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--readers", type=readings, default=1, metavar="N",
        help="readers, whose mean the values are (default: %(default)s)",
    )  # fmt: skip
    json_option(parser)


def _option(name: str) -> str:
    return f"--{name.lower().replace('_', '-')}"


def _score(options: argparse.Namespace) -> None:
    card = card_of(options)
    found = assess(card, _case(options))
    if options.json:
        print_json(_content(card, found))
        return
    lines = [answer(card, found)]
    if not found.refusals:
        lines += [f"{QUESTION} {second_reading(found)}", uncertainty(found)]
    lines += [f"Note: {text}" for text in found.remarks]
    print("\n".join([*lines, f"{card.name}. {card.warning}"]))


def _case(options: argparse.Namespace) -> ScoreCase:
    acquired = as_told(options.field_strength, options.technique)
    maps = {}
    for name in MEASURED:
        value = getattr(options, name.lower())
        if value is not None:
            maps[name] = MapValue(
                value,
                getattr(options, f"{name.lower()}_se"),
                coverage=options.coverage,
                technique=acquired.techniques.get(name, ""),
            )
    return ScoreCase(
        er_positive=ER[options.er],
        maps=maps,
        field_strength_t=acquired.field_strength_t,
        b1_relative_sd=options.b1_sd,
        readings=Readings(options.readers, options.repeats),
    )


def _content(card: ModelCard, found: Assessment) -> dict[str, Any]:
    return {
        "card": {"name": card.name, "content_hash": card.content_hash, "warning": card.warning},
        **asdict(found),
        "cut_off": card.cut_off,
        "second_reading": second_reading(found),
    }
