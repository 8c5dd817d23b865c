"""Are the areas of `her2map reproduce` the published ones, from raw signals, on average over seeds?

    python Testing/benchmarks/reproduce_seeds.py --seeds 20 --workers 2

Of every seed the 158 HER2-low and HER2-positive exams are simulated, written as DICOM, read back, fitted
(B1, T1 after contrast, T2*) and read by both virtual readers three times, as `her2map reproduce` does; what
the areas do not need (T1 before, T2, the exam without noise) is left out. It takes about 5 min a seed on two
cores. A line a seed, then the means with their standard errors beside the published areas.
"""

import argparse
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from her2map.biomarkers import Biomarkers
from her2map.reproduce.cohort import SIZE
from her2map.reproduce.exams import simulate_readings
from her2map.reproduce.patients import Patient, draw_patients
from her2map.reproduce.published import MARKERS, marker_areas, of_readings
from her2map.reproduce.readers import READERS
from her2map.series import Role
from her2map.study.protocol import Case, Protocol

CASES = 178
ROLES = (Role.B1, Role.T1_POST, Role.T2STAR)


def values_of(patient: Patient, seed: int) -> Biomarkers:
    """What both readers make of a patient's simulated exam."""
    readers = tuple(reader.name for reader in READERS)
    protocol = Protocol(Path(), "seeds", (Case(patient.case, Path()),), readers, seed=1)
    readings = simulate_readings(patient, protocol, READERS, SIZE, seed, ROLES)
    return of_readings(readings, "both readers")


def areas_of(seed: int, workers: int) -> list[float]:
    """The areas of the cohort of one seed, in the order of `MARKERS`."""
    patients = [one for one in draw_patients(CASES, seed) if one.group != "HER2-zero"]
    values = Parallel(n_jobs=workers)(delayed(values_of)(one, seed) for one in patients)
    return list(marker_areas(patients, values).values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20, help="from 1 on (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: %(default)s)")
    options = parser.parse_args()
    print("seed", *MARKERS, sep=", ")
    found = []
    for seed in range(1, options.seeds + 1):
        found.append(areas_of(seed, options.workers))
        print(seed, *(f"{area:.4f}" for area in found[-1]), sep=", ", flush=True)
    mean, error = np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / np.sqrt(len(found))
    for name, published, area, se in zip(MARKERS, MARKERS.values(), mean, error, strict=True):
        print(f"{name}: {area:.3f} (SE {se:.3f}), published {published:.3f}, {area - published:+.3f}")


if __name__ == "__main__":
    main()
