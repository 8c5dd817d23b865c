"""The gate between training and study: how well a reader must repeat himself."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..statistics.agreement import icc, repeatability
from .phantoms import training_protocol
from .protocol import Gate, Protocol
from .readings import FINISHED, Reading, readings_by
from .result import biomarkers_of


@dataclass(frozen=True)
class GateResult:
    """Whether a reader's training reached the study's gate.

    Attributes:
        passed: None where the study has no gate.
        lines: what was reached, or is lacking, one a parameter.
    """

    passed: bool | None = None
    lines: tuple[str, ...] = ()


def gate_result(protocol: Protocol, reader: str) -> GateResult:
    """How the training of `reader` stands to the study's gate.

    Raises:
        InputError: the store of the training cannot be read, or was changed after it was written.
    """
    if protocol.gate is None:
        return GateResult()
    training = training_protocol(protocol)
    return judged(training, readings_by(training, reader))


def judged(training: Protocol, readings: Iterable[Reading]) -> GateResult:
    """How these readings of the training stand to the gate.

    Args:
        training: of :func:`~her2map.study.phantoms.training_protocol`.
    """
    gate = training.gate
    if gate is None:
        return GateResult()
    asked = training.slots
    finished = [one for one in readings if one.state == FINISHED and one.slot in asked]
    if len(finished) < len(asked):
        return GateResult(False, (f"{len(finished)} of {len(asked)} readings of the training are finished",))
    marks = {name: _reached(gate, _table(training, finished, name)) for name in gate.parameters}
    lines = tuple(f"{name}: {_words(gate, value)}" for name, value in marks.items())
    return GateResult(all(_enough(gate, value) for value in marks.values()), lines)


def _table(training: Protocol, readings: Iterable[Reading], name: str) -> NDArray[np.float64]:
    """(cases, repeats) of one biomarker."""
    table = np.full((len(training.cases), training.repeats), np.nan)
    for one in readings:
        value = dict(biomarkers_of(one.result))[name].value
        table[training.codes.index(one.case), one.repeat - 1] = value
    return table


def _reached(gate: Gate, table: NDArray[np.float64]) -> float:
    """NaN where the readings do not give the figure."""
    try:
        return repeatability(table).within_cv.value if gate.statistic == "wcv" else icc(table).agreement.value
    except InputError:
        return math.nan


def _enough(gate: Gate, value: float) -> bool:
    return value <= gate.limit if gate.statistic == "wcv" else value >= gate.limit


def _words(gate: Gate, value: float) -> str:
    if math.isnan(value):
        return "the readings do not give this figure"
    if gate.statistic == "wcv":
        return f"within-case CV {100 * value:.1f} %, at most {100 * gate.limit:g} % wanted"
    return f"ICC(2,1) {value:.3f}, at least {gate.limit:g} wanted"
