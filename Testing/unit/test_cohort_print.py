"""A cohort's numbers in print and as plain values; its figures hold what they should."""

import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from cohort_data import READERS, simulated_cohort, write_cohort
from her2map.cohort.analysis import CohortAnalysis, analyse
from her2map.cohort.analysis_options import AnalysisOptions
from her2map.cohort.checklist_items import CHECKLISTS
from her2map.cohort.inputs import read_cohort
from her2map.cohort.plain import plain
from her2map.cohort.results import result_tables, results_content
from her2map.report.cohort import page
from her2map.report.cohort_forest import ForestPanel, ForestRow, forest_figure
from her2map.report.cohort_page import PrintFigure, report_parts
from her2map.report.cohort_style import GROUP_FILL, STROKES, p_value, ratio_interval, significant
from her2map.report.print_table import Footnotes, PrintTable
from her2map.statistics import Direction, Estimate

INF, NAN = math.inf, math.nan


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> CohortAnalysis:
    files = write_cohort(tmp_path_factory.mktemp("cohort"), simulated_cohort(), READERS)
    return analyse(read_cohort(*files), AnalysisOptions(bootstraps=20))


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.09998, "0.100"), (12.345, "12.3"), (1234.5, "1234"), (-0.5, "−0.500"), (3.34e-7, "3.34e−7"),
     (INF, "∞"), (NAN, "–"), (0.0, "0.00")],
)  # fmt: skip
def test_digits_that_mean_something(value: float, said: str) -> None:
    assert significant(value) == said


def test_odds_ratios_near_one_keep_their_digits() -> None:
    assert ratio_interval(0.9991, 0.9983, 0.9998) == "0.9991 (0.9983 to 0.9998)"
    assert ratio_interval(0.9505, 0.3223, 2.8034) == "0.951 (0.322 to 2.80)"
    assert ratio_interval(5.2, 3.1, INF) == "5.20 (3.10 to ∞)"
    assert ratio_interval(NAN, NAN, NAN) == "–"


def test_p_values() -> None:
    assert [p_value(p) for p in (0.0004, 0.001, 0.04999, 1.0, NAN)] == [
        "< 0.001",
        "0.001",
        "0.050",
        "1.000",
        "–",
    ]


def test_footnotes_have_a_letter_each() -> None:
    notes = Footnotes()
    assert [notes.mark(text) for text in ("one", "", "two", "one")] == [" [a]", "", " [b]", " [a]"]
    assert notes.notes == ("[a] one", "[b] two")


def test_plain_values_hold_no_nan() -> None:
    content = {
        "numbers": np.array([1.5, NAN, INF, -INF]),
        "estimate": Estimate(0.5, NAN, 1.0),
        "direction": Direction.LOWER,
        "frame": pd.DataFrame({"a": [1, 2], "b": [NAN, 0.1]}),
        "keys": {("one", "two"): np.int64(3)},
        "flag": np.bool_(True),
    }
    found = json.loads(json.dumps(plain(content), allow_nan=False))
    assert found["numbers"] == [1.5, None, "infinity", "-infinity"]
    assert found["estimate"] == {"value": 0.5, "low": None, "high": 1.0, "reason": ""}
    assert (found["direction"], found["flag"]) == ("lower", True)
    assert found["frame"][0] == {"a": 1, "b": None}
    assert found["keys"] == {"one and two": 3}


def test_every_number_keeps_its_full_precision(found: CohortAnalysis) -> None:
    content = json.loads(json.dumps(results_content(found, {}), allow_nan=False))
    for one in found.markers:
        assert (
            content["performance"]["markers"][one.marker.name]["roc"]["auc"]["value"] == one.curve.auc.value
        )
    assert content["imaging"]["T2star"]["three_groups"]["chosen"]["name"]
    assert all(content["conventions"].values())


def test_tables_and_page_tell_the_same_cases(found: CohortAnalysis) -> None:
    tables = result_tables(found)
    assert len(tables["cases"]) == 178
    assert set(tables["table4_performance"]["n_positive"]) == {86}
    text = page(found, report_parts(found), dict.fromkeys(_figures(found), "data:,"))
    for title in ("Table 1", "Table 2", "Table 3", "Table 4", "Table 5", "STROBE", "TRIPOD+AI", "CLAIM"):
        assert title in text
    assert "http" not in text.replace("https://doi.org", "")


def test_no_two_places_of_the_page_have_one_name(found: CohortAnalysis) -> None:
    text = page(found, report_parts(found), dict.fromkeys(_figures(found), "data:,"))
    names = re.findall(r' id="([^"]+)"', text)
    assert len(names) == len(set(names))
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(names)


def test_the_analysis_draws_nothing() -> None:
    code = "import sys, her2map.cohort.results; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def _figures(found: CohortAnalysis) -> dict[str, Figure]:
    items = [item for part in report_parts(found) for item in part.items]
    return {item.name: item.figure for item in items if isinstance(item, PrintFigure)}


def test_no_text_of_a_figure_is_cut_off(found: CohortAnalysis) -> None:
    for name, figure in _figures(found).items():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        renderer = canvas.get_renderer()
        width, height = canvas.get_width_height()
        for text in _texts(figure):
            box = text.get_window_extent(renderer)
            inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1
            assert inside, f"{name}: {text.get_text()!r}"


def _texts(figure: Figure) -> list[Text]:
    return [*figure.texts, *(one for axes in figure.axes for one in _of_panel(axes))]


def _of_panel(axes: Axes) -> list[Text]:
    """All texts of a panel that are drawn: no ticks beyond its ends."""
    if not axes.axison:
        return []
    (left, right), (bottom, top) = sorted(axes.get_xlim()), sorted(axes.get_ylim())
    ticks = [one for one in axes.get_xticklabels() if left <= one.get_position()[0] <= right]
    ticks += [one for one in axes.get_yticklabels() if bottom <= one.get_position()[1] <= top]
    titles = [axes.title, axes._left_title, axes._right_title, axes.xaxis.label, axes.yaxis.label]
    legend = axes.get_legend()
    named = legend.get_texts() if legend else []
    return [one for one in (*ticks, *titles, *axes.texts, *named) if one.get_text().strip()]


def test_every_panel_says_how_many_cases_are_in_it(found: CohortAnalysis) -> None:
    figures = _figures(found)
    for name in ("boxes", "roc", "forest", "calibration", "decision_curve", "bland_altman_anna_ben"):
        for axes in figures[name].axes:
            assert any("n = " in one.get_text() for one in _of_panel(axes)) or not axes.axison, name


def test_groups_and_curves_differ_in_grey() -> None:
    grey = sorted(np.dot(to_rgb(colour), (0.299, 0.587, 0.114)) for colour in GROUP_FILL.values())
    assert min(np.diff(grey)) > 0.15
    dashes = [str(stroke.dashes) for stroke in STROKES]
    assert len(set(dashes[1:])) == len(dashes) - 1
    assert STROKES[0].width > STROKES[1].width + 0.5  # both without dashes


def test_a_forest_plot_of_endless_and_missing_ratios() -> None:
    rows = (
        ForestRow("endless", 1e9, 0.2, INF, 0.9),
        ForestRow("none", NAN, NAN, NAN, NAN, "no model"),
        ForestRow("no interval", 2.0, NAN, NAN, 0.04),
    )
    figure = forest_figure([ForestPanel("a", "n = 3", rows), ForestPanel("b", "", ())])
    FigureCanvasAgg(figure).draw()
    assert len(figure.axes) == 1
    assert np.isfinite(figure.axes[0].get_xlim()).all()


def test_checklists_are_whole() -> None:
    lines = {name: text.strip().splitlines() for name, text in CHECKLISTS.items()}
    assert len(lines["CLAIM"]) == 42
    assert {line.split("|")[0].strip().rstrip("abcdefg") for line in lines["STROBE"]} == set(
        map(str, range(1, 23))
    )
    assert {line.split("|")[0].strip().rstrip("abcdefg") for line in lines["TRIPOD+AI"]} == set(
        map(str, range(1, 28))
    )
    for line in (one for own in lines.values() for one in own):
        assert line.count("|") == 2


def test_open_items_are_named_and_answers_are_true(found: CohortAnalysis) -> None:
    table = found.checklists
    assert set(table["state"]) == {"answered", "open"}
    assert (table.loc[table["state"] == "open", "answer"] == "").all()
    funding = table[(table["checklist"] == "STROBE") & (table["number"] == "22")]
    assert list(funding["state"]) == ["open"]
    events = table[(table["checklist"] == "STROBE") & (table["number"] == "15")]["answer"].item()
    assert events.startswith("86 HER2-positive, 72 HER2-low")


def test_a_table_without_rows_says_why(found: CohortAnalysis) -> None:
    tables = [item for part in report_parts(found) for item in part.items if isinstance(item, PrintTable)]
    for one in tables:
        assert len(one.lines) > 1 or one.empty, one.name
        for line in one.lines[1:]:
            assert len(line) in (1, len(one.lines[0])), one.name


def test_the_same_analysis_makes_the_same_figure(found: CohortAnalysis, tmp_path: Path) -> None:
    from her2map.report.cohort_style import write_figure

    first, second = (write_figure(tmp_path, name, _figures(found)["roc"])[0] for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()
