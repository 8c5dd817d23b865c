"""Studies with readings that nobody made, for tests of what comes after the reading."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from her2map.study.order import Slot, reading_order
from her2map.study.protocol import Case, Protocol
from her2map.study.setup import new_study
from her2map.study.store import Store

MEANS = {"T1_pre": 1500.0, "T1_post": 400.0, "T2": 80.0, "T2star": 30.0, "B1": 1.0}
START = datetime(2026, 3, 1, 8, tzinfo=UTC)


def make_study(
    folder: Path, cases: int = 4, readers: Iterable[str] = ("A", "B"), exams: Path | None = None
) -> Protocol:
    """A new study of so many cases, C001 and on, whose exams need not exist."""
    place = exams or folder.parent / "exams"
    return new_study(
        folder, "A study", [Case(f"C{i:03}", place / f"exam {i}") for i in range(1, cases + 1)], list(readers)
    )


def read_cases(protocol: Protocol, reader: str, slots: Iterable[Slot] | None = None, seed: int = 1) -> None:
    """Finish readings of one reader, all in order or those given, with values that differ a little."""
    order = reading_order(protocol.codes, reader, protocol.repeats, protocol.seed)
    rng = np.random.default_rng([seed, *reader.encode()])
    clock = iter(START + timedelta(hours=i) for i in range(10**6))
    store = Store(protocol.store(reader), reader, lambda: next(clock))
    try:
        for slot in order if slots is None else slots:
            result = sample_result(slot.case, rng)
            store.append("opened", *slot, {})
            store.append("edited", *slot, result["drawing"])
            store.append("finished", *slot, result)
    finally:
        store.close()


def sample_result(
    case: str, rng: np.random.Generator, remark: str = "", vertices: int = 60
) -> dict[str, Any]:
    """The content of a finished reading, as `her2map.study.result` makes it."""
    number = sum(case.encode())
    angle = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    radius = 8 + rng.normal(0, 0.3)
    outline = np.column_stack([radius * np.cos(angle), radius * np.sin(angle), np.zeros(vertices)])
    values = {
        name: sample_value(mean * (1 + 0.02 * (number % 7)) * (1 + rng.normal(0, 0.02)))
        for name, mean in MEANS.items()
    }
    drawing = {"contour": outline[::5].tolist(), "holes": [], "phase": None}
    return {
        "drawing": drawing,
        "roi": {"outline": outline.tolist(), "holes": [], "thickness_mm": 3.0},
        "slice": 12,
        "phase": {"index": 2, "after_injection_s": 91.0, "reason": "the phase nearest to 90 s"},
        "values": values,
        "fit": {
            "preset": "recommended", "options": {}, "methods": {}, "registration": False, "placements": {},
        },
        "pixels_sha256": "0" * 64,
        "software": {"her2map": "0.1.0"},
        "confidence": 4,
        "remark": remark,
    }  # fmt: skip


def sample_value(value: float | None, reason: str = "") -> dict[str, Any]:
    """The value of one map; None and a reason where there is none."""
    known = value is not None
    numbers = dict.fromkeys(("median", "sd", "standard_error"), 0.1 * value if known else None)
    return {
        "value": value, **numbers, "voxels": 40.0, "effective_voxels": 35.0, "coverage": 0.98, "outside": 0.0,
        "volume_mm3": 600.0, "fractions": {"FITTED": 0.98, "EXCLUDED_BY_SNR": 0.02}, "reason": reason,
    }  # fmt: skip


def change_study(study: Path, **changes: Any) -> None:
    """Set values at the top level of study.toml, also those that its template has as a remark."""
    path = study / "study.toml"
    lines = path.read_text(encoding="utf-8").splitlines()
    for name, value in changes.items():
        at = next(i for i, line in enumerate(lines) if line.removeprefix("# ").startswith(f"{name} = "))
        lines[at] = f"{name} = {json.dumps(value)}"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
