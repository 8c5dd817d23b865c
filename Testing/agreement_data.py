"""Readings of a study as its stores would hold them, drawn at random: for tests of agreement."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from her2map.biomarkers import MEASURED
from her2map.markups import closed_curve
from her2map.study.protocol import Case, Protocol
from her2map.study.readings import FINISHED, Reading

TRUTH = {"T1_pre": 1500.0, "T1_post": 500.0, "T2": 75.0, "T2star": 33.0}
START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def a_protocol(cases: int, readers: tuple[str, ...] = ("R1", "R2"), repeats: int = 3) -> Protocol:
    """A study of some cases, none of which has files."""
    codes = [f"{number:03}" for number in range(1, cases + 1)]
    there = tuple(Case(code, Path("exams", code)) for code in codes)
    return Protocol(Path("study"), "A study", there, readers, seed=1, repeats=repeats)


def some_readings(protocol: Protocol, seed: int = 1, bias: float = 1.0) -> dict[str, tuple[Reading, ...]]:
    """All finished: cases differ by 20 %, readings of one case by 4 %, readers by the factor `bias`."""
    rng = np.random.default_rng(seed)
    cases = {code: (_values(rng), rng.uniform(5, 14)) for code in protocol.codes}
    return {
        reader: tuple(
            a_reading(reader, code, repeat, _drawn(rng, radius), _read(rng, truth, bias**i))
            for code, (truth, radius) in cases.items()
            for repeat in range(1, protocol.repeats + 1)
        )
        for i, reader in enumerate(protocol.readers)
    }


def a_reading(reader: str, code: str, repeat: int, outline: np.ndarray, values: dict[str, float]) -> Reading:
    """A finished reading; a biomarker that is not in `values` has none."""
    of_none = {"value": None, "standard_error": None, "reason": "The ROI leaves the map."}
    told = {name: {"value": value, "standard_error": 0.5, "reason": ""} for name, value in values.items()}
    result = {
        "roi": {"outline": outline.tolist(), "holes": [], "thickness_mm": 2.0},
        "values": {name: told.get(name, of_none) for name in MEASURED},
        "pixels_sha256": code,
        "fit": {"options": {}, "registration": False},
    }
    return Reading(reader, code, repeat, FINISHED, START, START, finish=json.dumps(result), edits=30)


def without(reading: Reading, biomarker: str) -> Reading:
    """The reading without a value of a biomarker."""
    result = json.loads(reading.finish)
    result["values"][biomarker] |= {"value": None, "reason": "The ROI leaves the map."}
    return replace(reading, finish=json.dumps(result))


def _values(rng: np.random.Generator) -> dict[str, float]:
    return {name: value * float(np.exp(0.2 * rng.standard_normal())) for name, value in TRUTH.items()}


def _read(rng: np.random.Generator, truth: dict[str, float], bias: float) -> dict[str, float]:
    return {name: value * bias * (1 + 0.04 * float(rng.standard_normal())) for name, value in truth.items()}


def _drawn(rng: np.random.Generator, radius: float) -> np.ndarray:
    """(300, 3), thirty control points and the curve through them."""
    angle = 2 * np.pi * np.arange(30) / 30
    reach = radius * (1 + 0.2 * np.cos(2 * angle) + 0.04 * rng.standard_normal(30))
    return closed_curve(reach[:, None] * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1))
