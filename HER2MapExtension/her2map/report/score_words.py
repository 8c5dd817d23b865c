"""What a card says of a case, in words: for terminal, page and panel alike."""

import math

from ..score import Assessment, ModelCard
from .tables import percent

SOURCE_WORDS = {
    "noise": "image noise in the maps",
    "B1": "B1 that T1 was corrected with",
    "placement": "where the ROI lies on the maps",
    "repeats": "repeated drawings of one reader",
    "readers": "differences between readers",
    "model": "the model's coefficients",
}
QUESTION = "Would a second reading change the call?"


def answer(card: ModelCard, found: Assessment) -> str:
    """The probability with its interval and call, or why there is none; a sentence or more."""
    if found.refusals:
        return f"No score. {' '.join(found.refusals)}"
    negative, positive = card.groups
    return (
        f"{percent(found.probability, 0)} probability of {positive} rather than {negative} (95 % interval "
        f"{percent(found.low, 0)} to {percent(found.high, 0)}), cut-off {percent(card.cut_off, 0)}: "
        f"{found.call}."
    )


def second_reading(found: Assessment) -> str:
    """The answer to :data:`QUESTION`; "" where there is no score."""
    zone = found.grey_zone
    if zone is None:
        return ""
    if math.isnan(zone.change):
        return "Not known: nobody has measured by how much readings differ."
    told = f"another reading would change the call with a probability of {_chance(zone.change)}"
    where = f"the grey zone from {percent(zone.low, 0)} to {percent(zone.high, 0)}"
    if zone.holds:
        return f"It may well: the case lies in {where}, and {told}."
    return f"Hardly: the case lies outside {where}, and {told}."


def _chance(value: float) -> str:
    return "under 0.1 %" if value < 0.001 else percent(value, 1 if value < 0.1 else 0)


def largest_first(found: Assessment) -> list[tuple[str, str]]:
    """What adds to the uncertainty, in words, and its part of the variance of the log odds."""
    ordered = sorted(found.shares.items(), key=lambda item: -item[1].part)
    return [
        (SOURCE_WORDS.get(name, name), percent(share.part, 0)) for name, share in ordered if share.variance
    ]


REMEDIES = {
    "noise": "images with more signal, or a larger ROI",
    "B1": "a B1 map of the exam, or a better one",
    "placement": "registering the maps to the DCE",
    "repeats": "further drawings, of which the median counts",
    "readers": "a second reader, whose values are averaged",
    "model": "a model trained on more cases",
}


def worth_reducing(found: Assessment) -> str:
    """Which source makes the most of the uncertainty, and what would make it less; "" where there is none."""
    known = {name: share.part for name, share in found.shares.items() if share.variance}
    if not known:
        return ""
    name = max(known, key=lambda one: known[one])
    return (
        f"Most of the uncertainty ({percent(known[name], 0)}) comes from {SOURCE_WORDS[name]}; what would "
        f"reduce it: {REMEDIES[name]}."
    )


def uncertainty(found: Assessment) -> str:
    """The shares in one sentence; "" where there are none."""
    rows = largest_first(found)
    if not rows:
        return ""
    return f"The uncertainty comes from {', '.join(f'{name} ({part})' for name, part in rows)}."
