"""The page of a simulated cohort: the published figures beside the simulated ones."""

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..files import write_text
from ..phantom.cohort import ASSUMPTIONS as TUMOUR_ASSUMPTIONS
from ..reproduce.patients import ASSUMPTIONS as PATIENT_ASSUMPTIONS
from ..reproduce.published import MARKERS, Compared, StepAuc
from ..reproduce.readers import READERS, VirtualReader
from .page import render_page
from .print_table import aligned

FILES = ("published.csv", "steps.csv")


def write_reproduction(
    folder: Path, compared: Sequence[Compared], steps: Sequence[StepAuc], cases: int, seed: int
) -> None:
    """Write reproduce.html, published.csv and steps.csv.

    Raises:
        InputError: the folder cannot be written to.
    """
    rows = [(one.name, one.group, one.unit, _blank(one.published), one.simulated) for one in compared]
    header = ("figure", "group", "unit", "published", "simulated")
    write_text(folder / FILES[0], _csv([header, *rows]))
    write_text(
        folder / FILES[1], _csv([("step", *MARKERS), *((one.step, *one.auc.values()) for one in steps)])
    )
    page = render_page(
        "reproduce.html.j2",
        {
            "cases": cases,
            "seed": seed,
            "groups": _groups_of(compared),
            "figures": _by_group(compared),
            "markers": list(MARKERS),
            "published": [f"{area:.3f}" for area in MARKERS.values()],
            "steps": _shown_steps(steps),
            "assumptions": [*TUMOUR_ASSUMPTIONS, *PATIENT_ASSUMPTIONS, *map(_habits, READERS)],
        },
    )
    write_text(folder / "reproduce.html", page)


def published_text(compared: Sequence[Compared], steps: Sequence[StepAuc]) -> str:
    """The tables for a terminal."""
    groups = _groups_of(compared)
    header = ["figure", *(f"{what} {group}" for group in groups for what in ("published", "simulated"))]
    rows = [[name, *(cell for pair in cells for cell in pair)] for name, cells in _by_group(compared)]
    areas = [["AUC after", *MARKERS], ["(published)", *(f"{area:.3f}" for area in MARKERS.values())]]
    areas += [[one.step, *(f"{area:.3f}" for area in one.auc.values())] for one in steps]
    return f"{aligned([header, *rows])}\n\n{aligned(areas)}"


def _groups_of(compared: Sequence[Compared]) -> list[str]:
    return list(dict.fromkeys(one.group for one in compared if one.unit == "cases"))


def _by_group(compared: Sequence[Compared]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Each figure of the groups with its published and simulated value in every group."""
    groups, found = _groups_of(compared), {(one.name, one.group): one for one in compared}
    names = dict.fromkeys(one.name for one in compared if one.group in groups)
    return [
        (_title(found[name, groups[0]]), [_pair(found[name, group]) for group in groups]) for name in names
    ]


def _title(one: Compared) -> str:
    return f"{one.name} / ms" if one.unit == "ms" else one.name


def _pair(one: Compared) -> tuple[str, str]:
    digits = {"ms": 1, "1": 3, "cases": 0}[one.unit]
    published = "–" if math.isnan(one.published) else f"{one.published:.{digits}f}"
    return published, f"{one.simulated:.{digits}f}"


def _shown_steps(steps: Sequence[StepAuc]) -> list[dict[str, Any]]:
    """Each step's areas, and what it added to or took from the step before."""
    shown = []
    for before, one in zip([None, *steps], steps, strict=False):
        cells = [
            {"area": f"{area:.3f}", "change": f"{area - before.auc[name]:+.3f}" if before else ""}
            for name, area in one.auc.items()
        ]
        shown.append({"step": one.step, "explanation": one.explanation, "cells": cells})
    return shown


def _habits(reader: VirtualReader) -> str:
    return (
        f"{reader.name} draws {100 * reader.size:g} % of the true radius, give or take "
        f"{100 * reader.size_sd:g} % from drawing to drawing, "
        f"{reader.shift_mm:g} mm off along each axis, with a shape that varies by "
        f"{100 * reader.wobble:g} % in each of four harmonics, and in {100 * reader.slice_slip:g} % of the "
        "drawings on a neighbouring slice."
    )


def _blank(value: float) -> float | str:
    return "" if math.isnan(value) else value


def _csv(rows: Sequence[Sequence[object]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
