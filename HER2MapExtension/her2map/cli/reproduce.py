"""`her2map reproduce`: the paper's cohort, simulated from raw signals to its tables."""

import argparse
import os
from pathlib import Path

from ..cohort.acquisition import no_acquisition
from ..cohort.analysis import analyse
from ..cohort.analysis_options import AnalysisOptions
from ..cohort.inputs import Cohort, read_cohort
from ..errors import InputError
from ..files import output_folder, write_text
from ..report.cohort import write_cohort_report
from ..report.reproduce import published_text, write_reproduction
from ..reproduce.card import CARD, demonstration_card
from ..reproduce.cohort import PATHOLOGY, STUDY, simulate_cohort, write_study
from ..reproduce.published import compared, step_areas
from .common import declare, output_option, progress_bar


def declare_reproduce(parser: argparse.ArgumentParser) -> None:
    declare(
        parser,
        _reproduce,
        "Draws a cohort with the published distributions, simulates the raw signals of each exam with noise, "
        "B1 and motion, fits them, has two virtual readers draw three contours each, and analyses the "
        "readings. Writes reproduce.html (published beside simulated, and what each step took), report.html "
        "(as of `her2map analyze`), card.json (a score fitted to the cohort; of 178 cases and seed 1 it "
        "is the one that ships), and the study with its readings. The exams are not kept. 178 cases take "
        "about a quarter of an hour on two cores.",
    )
    output_option(parser)
    parser.add_argument(
        "--cases",
        type=int,
        default=178,
        metavar="N",
        help="in all (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="default: %(default)s")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, metavar="N",
        help="processes; the numbers do not depend on it (default: as many as there are cores)",
    )  # fmt: skip
    parser.add_argument(
        "--bootstraps", type=int, default=2000, metavar="N", help="of the analysis (default: %(default)s)"
    )


def _reproduce(options: argparse.Namespace) -> None:
    _check(options)
    folder = output_folder(options.output)
    with progress_bar("simulating and reading") as progress:
        cases = simulate_cohort(options.cases, options.seed, options.workers, progress)
    write_study(folder, cases, options.seed)
    figures, steps = compared(cases), step_areas(cases)
    write_reproduction(folder, figures, steps, options.cases, options.seed)
    cohort = read_cohort(folder / STUDY, folder / PATHOLOGY)
    chosen = AnalysisOptions(bootstraps=options.bootstraps, seed=options.seed)
    with progress_bar("analysing") as progress:
        found = analyse(cohort, chosen, no_acquisition("The simulated exams were not kept."), progress)
    with progress_bar("writing the report") as progress:
        write_cohort_report(folder, found, progress)
    card = _write_card(folder, cohort, options.bootstraps)
    print(
        f"{published_text(figures, steps)}\n\nReports: {folder / 'reproduce.html'} and report.html beside "
        f"it\n{card}"
    )


def _write_card(folder: Path, cohort: Cohort, bootstraps: int) -> str:
    """Write the card of the score, or tell why there is none: a dozen cases may give no model."""
    try:
        with progress_bar("training the score") as progress:
            card = demonstration_card(cohort, bootstraps, progress)
    except InputError as problem:
        return f"No card of the score: {problem}"
    write_text(folder / CARD, card.to_json())
    return f"Card of the score: {folder / CARD}"


def _check(options: argparse.Namespace) -> None:
    if (options.output / STUDY).exists():
        raise InputError(f"{options.output} holds a study already; name another folder with --output.")
    for name, least in (("cases", 12), ("seed", 0), ("workers", 1), ("bootstraps", 0)):
        if getattr(options, name) < least:
            raise InputError(f"--{name} must be a whole number of at least {least}.")
