"""Where a model has no right to a number, and what could not be checked."""

import math

from .card import ModelCard, Predictor
from .case import MapValue, ScoreCase
from .predictors import ER, parts_of, predictor_values
from .sources import VFA

FIELD_TOLERANCE_T = 0.2
"""1.494 T and 1.5 T are the same field strength."""


def refusals_of(card: ModelCard, case: ScoreCase) -> tuple[str, ...]:
    """Why there is no number, a sentence each: a predictor is missing or outside the training range, another
    field strength or sequence, or too little of the ROI covered."""
    values = predictor_values(case)
    found = [_field_strength(card, case)]
    for predictor in card.predictors:
        found.append(_value(predictor, values[predictor.name], case))
        found += [
            reason
            for name in parts_of(predictor.name)
            for reason in _of_map(card, predictor, name, case.maps.get(name, MapValue()))
        ]
    return tuple(dict.fromkeys(reason for reason in found if reason))


def refusals_of_acquisition(card: ModelCard, case: ScoreCase) -> tuple[str, ...]:
    """Those of them that concern no value of a map: where they hold, they hold for every voxel."""
    found = [_field_strength(card, case)]
    for predictor in card.predictors:
        if predictor.name == ER:
            found.append(_value(predictor, predictor_values(case)[ER], case))
        found += [
            _sequence(predictor, name, case.maps.get(name, MapValue())) for name in parts_of(predictor.name)
        ]
    return tuple(dict.fromkeys(reason for reason in found if reason))


def remarks_of(card: ModelCard, case: ScoreCase) -> tuple[str, ...]:
    """What could not be checked or was assumed."""
    found = []
    if math.isnan(case.field_strength_t):
        found.append("The field strength is not known, so it was not compared with the training cohort's.")
    elif not card.cohort.field_strengths_t:
        found.append("The card does not tell at which field strength its cohort was examined.")
    for predictor in card.predictors:
        for name in parts_of(predictor.name):
            one = case.maps.get(name, MapValue())
            if math.isnan(one.value):
                continue
            if not one.technique or not predictor.techniques:
                found.append(f"The sequence of {name} could not be compared with the training cohort's.")
            if math.isnan(one.coverage):
                found.append(f"It is not known how much of the ROI the value of {name} covers.")
            if not math.isfinite(one.standard_error):
                found.append(f"The standard error of {name} is not known and not in the interval.")
            if not math.isfinite(one.placement_sd):
                found.append(
                    f"How much {name} depends on where its map lies under the ROI is not known and not in "
                    "the interval."
                )
            if one.technique == VFA and not math.isfinite(case.b1_relative_sd):
                found.append("How well B1 is known is not known; its error is not in the interval.")
    return tuple(dict.fromkeys([*found, *_unknown_readings(card, case), *case.assumed]))


def _unknown_readings(card: ModelCard, case: ScoreCase) -> list[str]:
    """What of the readings' differences is not in the interval."""
    told = [one for one in (card.errors, case.readings.own) if one is not None]
    if not told:
        return [
            "How much readings differ is not known: it is not in the interval, and there is no grey zone."
        ]
    known = {name for one in told for name in one.names}
    used = dict.fromkeys(name for predictor in card.predictors for name in parts_of(predictor.name))
    found = [
        f"How much readings of {name} differ is not known and not in the interval."
        for name in used
        if name not in known
    ]
    if not any(one.between_df for one in told):
        found.append("How much readers differ is not known and not in the interval: there was one reader.")
    return found


def _field_strength(card: ModelCard, case: ScoreCase) -> str:
    known = card.cohort.field_strengths_t
    here = case.field_strength_t
    if math.isnan(here) or not known or any(abs(here - one) <= FIELD_TOLERANCE_T for one in known):
        return ""
    told = " and ".join(f"{one:g} T" for one in known)
    return f"The exam was made at {here:g} T, the model's cohort at {told}."


def _value(predictor: Predictor, value: float, case: ScoreCase) -> str:
    if math.isnan(value):
        if predictor.name == ER:
            reason = case.er_reason.rstrip(".")
            return f"The ER status is missing{f': {reason}' if reason else ''}."
        reasons = [
            f"{name}: {case.maps.get(name, MapValue()).reason.rstrip('.')}"
            for name in parts_of(predictor.name)
            if math.isnan(case.maps.get(name, MapValue()).value)
        ]
        return f"{predictor.name} is missing ({'; '.join(reasons)})."
    if predictor.minimum <= value <= predictor.maximum:
        return ""
    unit = "" if predictor.unit == "1" else f" {predictor.unit}"
    return (
        f"{predictor.name} is {value:.4g}{unit}, outside the training range of {predictor.minimum:.4g} to "
        f"{predictor.maximum:.4g}{unit}."
    )


def _of_map(card: ModelCard, predictor: Predictor, name: str, one: MapValue) -> list[str]:
    if math.isnan(one.value):
        return []
    found = [_sequence(predictor, name, one)]
    if one.coverage < card.minimum_coverage:
        found.append(
            f"Only {100 * one.coverage:.0f} % of the ROI has a usable {name}; the model wants "
            f"{100 * card.minimum_coverage:.0f} %."
        )
    return found


def _sequence(predictor: Predictor, name: str, one: MapValue) -> str:
    if not one.technique or not predictor.techniques or one.technique in predictor.techniques:
        return ""
    told = " or ".join(_words(technique) for technique in predictor.techniques)
    return f"{name} was acquired by {_words(one.technique)}, in the model's cohort by {told}."


def _words(technique: str) -> str:
    return technique.replace("_", " ")
