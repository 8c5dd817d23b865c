"""The report of a card's validation: tables as CSV, figures, validation.json, and one HTML page of all."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..cohort.plain import plain
from ..files import output_folder, write_json, write_text
from ..score.validate import SCORED, Validation
from ..software import versions
from ..spreadsheet import write_csv
from ..statistics.calibration import Calibration
from .cohort import page_of
from .cohort_page import Part, PrintFigure
from .cohort_predictions import calibration_figure, decision_figure
from .cohort_roc import roc_figure
from .cohort_style import number, svg_uri, write_figure
from .score_figures import case_mix_figure
from .score_tables import (
    METHOD_TITLES,
    advice_text,
    case_mix_print,
    judged_print,
    recalibration_print,
    refusal_print,
    validation_tables,
)

PAGE, NUMBERS, CARD = "validation.html", "validation.json", "card.json"
HERE = "these cases, to which the model was not fitted"


def write_validation(folder: Path, found: Validation) -> Path:
    """Write `validation.html`, `validation.json`, `tables/*.csv` and `figures/*.svg`, `*.png`.

    Returns:
        The page.

    Raises:
        InputError: the folder cannot be written to.
    """
    folder = output_folder(folder)
    write_json(folder / NUMBERS, validation_content(found))
    for name, frame in validation_tables(found).items():
        write_csv(output_folder(folder / "tables") / f"{name}.csv", frame)
    parts = _parts(found)
    images = {}
    for item in (item for part in parts for item in part.items):
        if isinstance(item, PrintFigure):
            svg, _ = write_figure(output_folder(folder / "figures"), item.name, item.figure)
            images[item.name] = svg_uri(svg)
    write_text(folder / PAGE, _page(found, parts, images))
    return folder / PAGE


def validation_content(found: Validation) -> dict[str, Any]:
    """All numbers, none of them NaN."""
    content = {
        "software": versions("numpy", "scipy"),
        "card": {"name": found.card.name, "content_hash": found.card.content_hash},
        "cohort": {"name": found.name, "counts": found.counts, "refused": found.refused},
        "judged": found.judged,
        "decision_curve": found.decision,
        "case_mix": found.case_mix,
        "recalibrated": {
            str(method): {name: getattr(one, name) for name in
                          ("intercept", "slope", "calibration", "corrected", "reason")}
            for method, one in found.recalibrated.items()
        },
        "advice": found.advice,
        "notes": found.notes,
    }  # fmt: skip
    return dict(plain(content))


def _parts(found: Validation) -> tuple[Part, ...]:
    judged = found.judged[SCORED]
    curves = {METHOD_TITLES[name]: one.calibration for name, one in found.recalibrated.items()}
    calibrated: dict[str, Calibration] = {"as it is": judged.calibration}
    calibrated |= {name: one for name, one in curves.items() if one is not None}
    before = {"as it is": calibrated.pop("as it is")}
    return (
        Part("judged", "The card on this cohort", [
            judged_print(found),
            PrintFigure("roc", "ROC curve of the score.", roc_figure([("", {"score": judged.curve})]), True),
            PrintFigure("calibration", "Calibration of the card as it is.",
                        calibration_figure(before, {}, HERE), True),
            PrintFigure("decision_curve", "Decision curve of the score as it is.",
                        decision_figure(found.decision, {"score": "score"}, f"On {HERE}."), True),
        ]),
        Part("refusals", "Refusals", [refusal_print(found)]),
        Part("case_mix", "Case mix", [
            case_mix_print(found),
            PrintFigure("case_mix", "Log odds of both groups here, over the training cohort's.",
                        case_mix_figure(found)),
        ]),
        Part("recalibration", "Recalibration", [
            recalibration_print(found),
            PrintFigure("recalibrated", "Calibration after recalibration to these very cases (apparent).",
                        calibration_figure(calibrated, {}, "the cases that it was recalibrated to")),
        ] if calibrated else [recalibration_print(found)], (advice_text(found),)),
    )  # fmt: skip


def _page(found: Validation, parts: Sequence[Part], images: dict[str, str]) -> str:
    card, one = found.card, found.judged[SCORED]
    trained = ", ".join(f"{count} {name}" for name, count in card.cohort.groups.items())
    fit = one.calibration
    return page_of(
        parts,
        images,
        title=f"Validation of “{card.name}” on {found.name}",
        settings=f"Card {card.content_hash[:12]}, fitted on {trained}. {card.warning}",
        keys=[
            (str(found.counts["with a number"]), f"of {found.counts['cases']} cases get a number"),
            (number(one.curve.auc.value, 3), "AUC here"),
            (number(card.performance.apparent_auc, 3), "AUC in the training cohort"),
            (number(fit.slope.value, 2), "calibration slope"),
            (number(fit.intercept.value, 2), "calibration intercept"),
        ],
        remarks=[*found.notes, *fit.remarks],
        conventions=[
            f"AUC: {one.curve.convention}",
            f"Calibration: {fit.convention}",
            f"Hosmer-Lemeshow: {fit.hosmer_lemeshow.convention}",
            f"Decision curve: {found.decision.convention}",
            "Recalibration: Steyerberg et al., Stat Med 2004;23:2567; closed test: Vergouwe et al., Stat Med "
            "2017;36:4529",
        ],
        numbers=NUMBERS,
    )
