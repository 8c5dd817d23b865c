"""Model cards: what is read, what is refused, and that nothing else than a refusal can come of a bad one."""

import copy
import json
import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, replace
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from her2map.errors import InputError
from her2map.score import ModelCard, card_fields, demo_card, load_card
from her2map.score.card import (
    Distribution,
    Performance,
    Predictor,
    ReadingErrors,
    TrainingCohort,
)
from her2map.score.card_checks import UNITS
from her2map.score.predictors import PREDICTORS

SCHEMA = json.loads(resources.files("her2map").joinpath("score/card.schema.json").read_text("utf-8"))
SHARED_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
TEXT = demo_card().to_json()


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return demo_card()


def altered(card: ModelCard, folder: Path, **changes: object) -> Path:
    """A card with `changes`, whose hash is right all the same."""
    path = folder / "card.json"
    path.write_text(replace(card, **changes).to_json())  # type: ignore[arg-type]
    return path


def outcome(folder: Path, content: bytes) -> ModelCard | str:
    """The card, or the sentence that refuses it; any other exception fails the test."""
    path = folder / "card.json"
    path.write_bytes(content)
    try:
        return load_card(path)
    except InputError as refusal:
        sentence = str(refusal)
        assert "card.json" in sentence
        assert "\n" not in sentence
        assert len(sentence) < 400
        return sentence


def places(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value inside."""
    if path:
        yield path
    items = content.items() if isinstance(content, dict) else enumerate(content)
    for key, value in items:
        if isinstance(value, (dict, list)):
            yield from places(value, (*path, key))
        else:
            yield (*path, key)


PLACES = list(dict.fromkeys(places(json.loads(TEXT))))


def at(content: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        content = content[key]
    return content


def resealed(content: dict[str, Any]) -> bytes:
    """The text with a hash of the content as it is, where there can be one: damage that a program did."""
    plain = {name: value for name, value in content.items() if name != "content_hash"}
    with suppress(InputError):
        content["content_hash"] = card_fields.read(ModelCard, plain, "the card").content_hash
    return json.dumps(content).encode()


def test_a_card_survives_writing_and_reading(card: ModelCard, tmp_path: Path) -> None:
    assert load_card(altered(card, tmp_path)) == card
    assert load_card(altered(card, tmp_path)).content_hash == card.content_hash


def test_whole_numbers_are_numbers(card: ModelCard, tmp_path: Path) -> None:
    whole = replace(card.cohort, field_strengths_t=(3,))
    assert load_card(altered(card, tmp_path, cohort=whole)) == card


def test_altered_content_is_refused(card: ModelCard, tmp_path: Path) -> None:
    content = json.loads(card.to_json())
    content["coefficients"][1] *= -1
    assert "was changed after its export" in outcome(tmp_path, json.dumps(content).encode())


def test_groups_that_changed_places_are_refused(card: ModelCard, tmp_path: Path) -> None:
    """Their order says which of them a probability of 1 stands for."""
    content = json.loads(card.to_json())
    content["cohort"]["groups"] = dict(reversed(content["cohort"]["groups"].items()))
    assert "was changed after its export" in outcome(tmp_path, json.dumps(content).encode())


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
def test_whatever_is_missing_is_refused(path: tuple[Any, ...], tmp_path: Path) -> None:
    content = json.loads(TEXT)
    del at(content, path[:-1])[path[-1]]
    text = outcome(tmp_path, resealed(content) if path != ("content_hash",) else json.dumps(content).encode())
    optional = path[0] in ("software", "assumptions", "history") and len(path) > 1
    optional |= path[-2:-1] in (("techniques",), ("field_strengths_t",))
    assert optional or isinstance(text, str)
    if len(path) == 1:
        assert path[0] in text


@SHARED_FOLDER
@given(
    path=st.sampled_from(PLACES),
    other=st.sampled_from(
        [None, True, "x", "\ud800", 7, -1, 1.5, [], {}, [[]], {"": 1}, 1e101, 10**400, 1e308, 5e-324, -0.0]
    ),
)
def test_another_value_is_refused_or_makes_a_card_that_the_schema_knows(
    path: tuple[Any, ...], other: Any, tmp_path: Path
) -> None:
    content = json.loads(TEXT)
    at(content, path[:-1])[path[-1]] = copy.deepcopy(other)
    found = outcome(tmp_path, resealed(content))
    kind = type(at(json.loads(TEXT), path))
    if kind is not type(other) and {kind, type(other)} != {int, float} and other is not None:
        assert isinstance(found, str)
    if isinstance(found, ModelCard):
        jsonschema.validate(json.loads(found.to_json()), SCHEMA)


@SHARED_FOLDER
@given(place=st.integers(0, len(TEXT.encode()) - 1), byte=st.integers(0, 255))
def test_a_changed_byte_is_refused_or_changes_nothing(place: int, byte: int, tmp_path: Path) -> None:
    content = bytearray(TEXT.encode())
    content[place] = byte
    found = outcome(tmp_path, bytes(content))
    assert isinstance(found, str) or found == demo_card()


@SHARED_FOLDER
@given(length=st.integers(0, len(TEXT.encode()) - 3))
def test_a_card_that_was_cut_is_refused(length: int, tmp_path: Path) -> None:
    assert "no JSON text" in outcome(tmp_path, TEXT.encode()[:length])


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, "[" * 100_000])
@pytest.mark.parametrize("path", [("cut_off",), ("coefficients", 1), ("covariance", 0, 1), ("name",)])
def test_what_is_no_number_is_refused(path: tuple[Any, ...], word: str, tmp_path: Path) -> None:
    content = json.loads(TEXT)
    at(content, path[:-1])[path[-1]] = "HERE"
    assert isinstance(outcome(tmp_path, json.dumps(content).replace('"HERE"', word).encode()), str)


@pytest.mark.parametrize("depth", [10, 500, 900, 5000])
def test_deep_nesting_is_refused(depth: int, tmp_path: Path) -> None:
    for path in (("name",), ("software",), ("schema_version",), ("unheard of",), ("content_hash",)):
        content = json.loads(TEXT)
        content[path[0]] = "HERE"
        nested = "[" * depth + "]" * depth
        found = outcome(tmp_path, json.dumps(content).replace('"HERE"', nested).encode())
        assert isinstance(found, str)


def test_a_name_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    text = TEXT.replace('"name":', '"name": "another",\n  "name":', 1)
    assert "no JSON text" in outcome(tmp_path, text.encode())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema_version": 1}, "schema_version 1"),
        ({"schema_version": 2.0}, "schema_version 2.0"),
        ({"schema_version": "x" * 10_000}, "schema_version x"),
        ({"covariance": ((1.0,) * 4,) * 4}, "not positive definite"),
        (
            {"covariance": tuple(tuple(2.0 * (i == j == 1) for i in range(4)) for j in range(4))},
            "not positive",
        ),
        ({"covariance": ((1.0, 0.0), (0.0, 1.0))}, "4 x 4"),
        ({"covariance": ((1.0, 0.0), (0.0,))}, "4 x 4"),
        ({"coefficients": (1.0, "two", 3.0, 4.0)}, "coefficients must be a number"),
        ({"name": 7}, "name must be a text"),
        ({"cut_off": 1.5}, "cut-off"),
        ({"minimum_coverage": 0.0}, "minimum_coverage"),
        ({"predictors": ()}, "needs 1 coefficients"),
    ],
)
def test_an_unusable_card_is_refused(
    card: ModelCard, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        load_card(altered(card, tmp_path, **changes))


ONES = ((1.0, 0.0), (0.0, 1.0))


@pytest.mark.parametrize(
    ("part", "changes", "message"),
    [
        ("performance", {"corrected_auc": 8.5}, "corrected_auc"),
        ("performance", {"brier": -0.1}, "brier"),
        ("cohort", {"groups": {"HER2-low": 72}}, "two groups"),
        ("cohort", {"groups": {"HER2-low": 72, "HER2-positive": 0}}, "without cases"),
        ("cohort", {"field_strengths_t": (3000.0,)}, "field strength"),
        ("errors", ReadingErrors(("T1_pre", "B1"), ONES, 1, ONES, 1), "T1_pre, T1_post, T2, T2star"),
        ("errors", ReadingErrors(("T1_pre", "T2"), ONES, -1, ONES, 1), "degrees of freedom"),
        ("errors", ReadingErrors(("T1_pre", "T2"), ((1.0, 2.0), (2.0, 1.0)), 1, ONES, 1), "within"),
    ],
)
def test_an_unusable_part_is_refused(
    card: ModelCard, tmp_path: Path, part: str, changes: Any, message: str
) -> None:
    new = changes if part == "errors" else replace(getattr(card, part), **changes)
    with pytest.raises(InputError, match=message):
        load_card(altered(card, tmp_path, **{part: new}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "grade"}, "a predictor is none of"),
        ({"unit": "s"}, "the unit of T2star must be ms"),
        ({"minimum": 90.0}, "the range of T2star is empty"),
        ({"groups": {"a": Distribution(0.0, 1.0, (0.0,) * 11)}}, "not that of its two groups"),
    ],
)
def test_an_unusable_predictor_is_refused(
    card: ModelCard, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    er, t2star, t1_post = card.predictors
    with pytest.raises(InputError, match=message):
        load_card(altered(card, tmp_path, predictors=(er, replace(t2star, **changes), t1_post)))


def test_what_is_no_card_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Cannot read the model card absent"):
        load_card(tmp_path / "absent.json")
    with pytest.raises(InputError, match="check its path"):
        load_card(f"{tmp_path}/null\0.json")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(InputError, match=r"The model card folder.json is no file"):
        load_card(tmp_path / "folder.json")
    assert "no JSON text" in outcome(tmp_path, b"{")
    assert "no JSON object" in outcome(tmp_path, b"[1]")
    assert "no JSON text" in outcome(tmp_path, b"\xff\xfe")
    assert "too large" in outcome(tmp_path, b" " * 2_000_000)


def test_the_schema_is_one_and_the_shipped_card_follows_it(card: ModelCard) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(json.loads(card.to_json()), SCHEMA)
    own = ReadingErrors(("T1_pre", "T2"), ONES, 3, ONES, 1)
    jsonschema.validate(json.loads(replace(card, errors=own).to_json()), SCHEMA)


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        (Distribution, "distribution"),
        (Predictor, "predictor"),
        (TrainingCohort, "cohort"),
        (Performance, "performance"),
        (ReadingErrors, "errors"),
        (ModelCard, ""),
    ],
)
def test_the_schema_has_the_fields_of_the_card(kind: Any, place: str) -> None:
    described = SCHEMA["$defs"][place] if place else SCHEMA
    own = [field.name for field in fields(kind)] + ([] if place else ["content_hash"])
    assert list(described["properties"]) == described["required"] == own


def test_the_schema_refuses_what_is_missing(card: ModelCard) -> None:
    for path in PLACES:
        content = json.loads(TEXT)
        if isinstance(at(content, path[:-1]), dict) and path[0] != "software":
            del at(content, path[:-1])[path[-1]]
            with pytest.raises(jsonschema.ValidationError):
                jsonschema.validate(content, SCHEMA)


def test_every_predictor_has_a_unit_and_a_place_in_the_schema() -> None:
    assert set(UNITS) == set(PREDICTORS) == set(SCHEMA["$defs"]["predictor"]["properties"]["name"]["enum"])


def test_the_card_that_ships_says_what_it_is(card: ModelCard) -> None:
    assert card.cohort.simulated
    assert card.warning.startswith("Demonstration: fitted on a simulated cohort, not on patients.")
    assert card.cohort.field_strengths_t == (3.0,)
    assert card.predictor("T2star").techniques == ("multi_echo_gradient_echo",)
    assert card.predictor("T1_post").techniques == ("vfa",)
    corrected = card.performance.corrected_auc
    assert corrected is not None
    assert corrected < card.performance.apparent_auc
    assert math.isclose(corrected, 0.854, abs_tol=0.03)  # the published AUC of the model
