"""The simulated cohort as a study: cases simulated side by side, readings in each reader's store."""

import csv
import io
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from joblib import Parallel, delayed

from ..files import output_folder, write_text
from ..progress import Progress, no_progress
from ..study.order import Slot, reading_order
from ..study.protocol import Case, Protocol
from ..study.setup import new_study
from ..study.store import Store
from .exams import SimulatedCase, SimulatedReading, simulate_case
from .patients import Patient, draw_patients
from .readers import READERS

STUDY, PATHOLOGY = "study", "pathology.csv"
SIZE = "small"
"""64 x 64 x 8: the tumour and the breast around it are as in a clinic's exam, at coarser resolution."""


def simulate_cohort(
    count: int, seed: int, workers: int = 2, progress: Progress = no_progress
) -> tuple[SimulatedCase, ...]:
    """Simulate and read `count` cases. The same seed gives the same numbers on any number of workers.

    Args:
        workers: processes.

    Raises:
        InputError: `count` is too small for three groups.
        Cancelled: raised by `progress`; no process is left running.
    """
    patients = draw_patients(count, seed)
    protocol = _protocol(Path(STUDY), patients)
    calls = (delayed(simulate_case)(patient, protocol, READERS, SIZE, seed) for patient in patients)
    cases = []
    with Parallel(n_jobs=workers, return_as="generator") as parallel:
        for number, case in enumerate(parallel(calls), 1):
            cases.append(case)
            progress(number / count)
    return tuple(cases)


def write_study(folder: Path, cases: Sequence[SimulatedCase], seed: int) -> Protocol:
    """Write a study folder with every reading in its reader's store, and the pathology table beside it.

    The exams themselves are not kept.

    Raises:
        InputError: there is a study already, or the folder cannot be written to.
    """
    output_folder(folder)
    patients = [case.patient for case in cases]
    draft = _protocol(folder / STUDY, patients)
    protocol = new_study(folder / STUDY, draft.title, draft.cases, draft.readers, seed)
    _write_pathology(folder / PATHOLOGY, patients)
    found = {
        (reading.reader, Slot(case.patient.case, reading.repeat)): reading
        for case in cases
        for reading in case.readings
    }
    for reader in protocol.readers:
        with closing(Store(protocol.store(reader), reader)) as store:
            for slot in reading_order(protocol.codes, reader, protocol.repeats, protocol.seed):
                _append(store, slot, found[reader, slot])
    return protocol


def _protocol(folder: Path, patients: Sequence[Patient]) -> Protocol:
    cases = tuple(Case(patient.case, folder / "exams" / patient.case) for patient in patients)
    return Protocol(folder, "Simulated cohort", cases, tuple(reader.name for reader in READERS), seed=1)


def _append(store: Store, slot: Slot, reading: SimulatedReading) -> None:
    store.append("opened", *slot, {"resumed": False})
    store.append("edited", *slot, reading.result["drawing"])
    store.append("finished", *slot, dict(reading.result))


def _write_pathology(path: Path, patients: Sequence[Patient]) -> None:
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, list(patients[0].pathology), lineterminator="\n")
    table.writeheader()
    table.writerows(patient.pathology for patient in patients)
    write_text(path, text.getvalue())
