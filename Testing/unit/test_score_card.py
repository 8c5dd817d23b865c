"""Model cards: what is read, what is refused, and that nothing else than a refusal can come of a bad one."""

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest

from her2map.errors import InputError
from her2map.score import ModelCard, demo_card, load_card


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return demo_card()


def altered(card: ModelCard, folder: Path, **changes: object) -> Path:
    """A card with `changes`, whose hash is right all the same."""
    path = folder / "card.json"
    path.write_text(replace(card, **changes).to_json())  # type: ignore[arg-type]
    return path


def test_a_card_survives_writing_and_reading(card: ModelCard, tmp_path: Path) -> None:
    assert load_card(altered(card, tmp_path)) == card
    assert load_card(altered(card, tmp_path)).content_hash == card.content_hash


def test_altered_content_is_refused(card: ModelCard, tmp_path: Path) -> None:
    content = json.loads(card.to_json())
    content["coefficients"][1] *= -1
    (tmp_path / "card.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"card\.json was changed after its export"):
        load_card(tmp_path / "card.json")


@pytest.mark.parametrize("name", [field.name for field in fields(ModelCard)])
def test_a_missing_field_is_named(card: ModelCard, tmp_path: Path, name: str) -> None:
    content = json.loads(card.to_json())
    del content[name]
    (tmp_path / "card.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=name):
        load_card(tmp_path / "card.json")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema_version": 1}, "schema_version 1"),
        ({"covariance": ((1.0,) * 4,) * 4}, "not positive definite"),
        ({"covariance": ((1.0, 0.0), (0.0, 1.0))}, "4 x 4"),
        ({"covariance": ((1.0, 0.0), (0.0,))}, "4 x 4"),
        ({"coefficients": (1.0, "two", 3.0, 4.0)}, "coefficients must be a number"),
        ({"name": 7}, "name must be a text"),
        ({"cut_off": 1.5}, "cut-off"),
    ],
)
def test_an_unusable_card_is_refused(
    card: ModelCard, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        load_card(altered(card, tmp_path, **changes))


def test_what_is_no_card_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Cannot read the model card absent"):
        load_card(tmp_path / "absent.json")
    for text, message in [
        ("{", "no JSON text"),
        ("[1]", "no JSON object"),
        ('{"cut_off": NaN}', "no JSON text"),
    ]:
        (tmp_path / "card.json").write_text(text)
        with pytest.raises(InputError, match=message):
            load_card(tmp_path / "card.json")
