"""The score: a model card, and what it says of a case: a probability and how sure it is, or why none."""

from .assess import Assessment, Share, assess
from .card import Distribution, ModelCard, Predictor, ReadingErrors, demo_card, load_card
from .case import DRAWN_ONCE, MapValue, Readings, ScoreCase

__all__ = [
    "DRAWN_ONCE",
    "Assessment",
    "Distribution",
    "MapValue",
    "ModelCard",
    "Predictor",
    "ReadingErrors",
    "Readings",
    "ScoreCase",
    "Share",
    "assess",
    "demo_card",
    "load_card",
]
