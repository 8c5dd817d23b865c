"""`her2map analyze`: the tables and figures of a cohort."""

import argparse
from pathlib import Path

from ..cohort.acquisition import no_acquisition
from ..cohort.analysis import analyse, read_exams
from ..cohort.analysis_options import AnalysisOptions
from ..cohort.inputs import Cohort, read_cohort
from ..errors import InputError
from ..files import output_folder
from ..report.cohort import write_cohort_report
from ..report.cohort_summary import summary_text
from .common import declare, output_option, progress_bar
from .pathology import pathology_of, preset_option


def declare_analyze(parser: argparse.ArgumentParser) -> None:
    declare(
        parser,
        _analyze,
        "Makes every table, model and figure of a cohort from its values and its pathology: report.html, "
        "results.json, tables/*.csv, figures/*.svg and *.png. The values are a study's folder, whose "
        "readings are aggregated, or a CSV with a row a case: case, T1_pre, T1_post, T2, T2star in ms (the "
        "wide.csv of `her2map study export` will do, and brings the readers). The pathology is a CSV as "
        "`her2map pathology` reads it.",
    )
    parser.add_argument(
        "values", type=Path, metavar="STUDY_OR_CSV", help="a study's folder or a CSV of values"
    )
    parser.add_argument(
        "--pathology",
        type=Path,
        metavar="FILE",
        help="the pathology table; of a study, that of its study.toml",
    )
    output_option(parser)
    preset_option(parser)
    parser.add_argument(
        "--bootstraps", type=_count, default=2000, metavar="N",
        help="samples for the correction of optimism (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        metavar="N",
        help="of bootstrap and cross-validation (default: %(default)s)",
    )
    parser.add_argument(
        "--predictors", default="", metavar="er,T2star,...",
        help="a further model with these factors; the names are those of the table cases.csv",
    )  # fmt: skip
    parser.add_argument(
        "--screening", type=Path, metavar="FILE", help="a screening table, as of `her2map study enrol`"
    )
    parser.add_argument(
        "--against", action="append", default=[], metavar="NAME=STUDY_OR_CSV",
        help="other values of the same cases, of another fit say, to be compared; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--without-acquisition", action="store_true",
        help="do not read the headers of a study's exams for Table 1, which takes about a second a case",
    )  # fmt: skip


def _count(text: str) -> int:
    value = int(text)
    if value < 0 or value == 1:
        raise argparse.ArgumentTypeError("must be 0, for none, or at least 2")
    return value


def _analyze(options: argparse.Namespace) -> None:
    others = dict(_named(text) for text in options.against)
    cohort = read_cohort(options.values, pathology_of(options), options.preset, options.screening, others)
    chosen = AnalysisOptions(
        bootstraps=options.bootstraps,
        seed=options.seed,
        predictors=tuple(name.strip() for name in options.predictors.split(",") if name.strip()),
    )
    output_folder(options.output)
    acquisition = no_acquisition("The exams' headers were not read, as wished.")
    if not options.without_acquisition:
        acquisition = _acquisition(cohort)
    with progress_bar("Analysing") as progress:
        found = analyse(cohort, chosen, acquisition, progress)
    with progress_bar("Writing the report") as progress:
        written = write_cohort_report(options.output, found, progress)
    print(summary_text(found))
    print(f"\nReport: {written.report}\nNumbers: {written.results}")
    print(f"{len(written.tables)} tables and {len(written.figures)} figures in {options.output}")


def _acquisition(cohort: Cohort):  # type: ignore[no-untyped-def]
    if cohort.values.protocol is None:
        return no_acquisition()
    with progress_bar("Reading the exams") as progress:
        return read_exams(cohort, progress)


def _named(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if not (name.strip() and equals and path):
        raise InputError(f"--against '{text}': write NAME=STUDY_OR_CSV, e.g. paper=wide.csv.")
    return name.strip(), Path(path)
