"""The report of a cohort in a real browser: it opens offline without a complaint, and fits page and phone."""

from pathlib import Path

import pytest

from browser import open_page
from cohort_data import READERS, simulated_cohort, write_cohort
from her2map.cli import main


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort")
    frame = simulated_cohort(20, 40, 40)
    frame["histology"] = frame["histology"].replace(
        "other", "a very long name of a rare kind of tumour, <b>&amp;</b>"
    )
    values, pathology = write_cohort(folder, frame, READERS)
    arguments = [
        str(values),
        "--pathology",
        str(pathology),
        "--output",
        str(folder / "out"),
        "--bootstraps",
        "50",
    ]
    assert main(["analyze", *arguments]) == 0
    return folder / "out" / "report.html"


@pytest.mark.parametrize("width", [1200, 400])
def test_it_opens_offline_and_nothing_is_wider_than_the_page(report: Path, width: int) -> None:
    opened = open_page(report, width)
    assert opened.messages == ()
    assert opened.requests == ()
    assert opened.too_wide == ()
    assert opened.page_width <= width
    assert opened.broken_images == 0


def test_it_prints(report: Path, tmp_path: Path) -> None:
    open_page(report, 1200, tmp_path / "report.pdf")
    printed = (tmp_path / "report.pdf").read_bytes()
    assert printed.startswith(b"%PDF")
    assert len(printed) > 100_000


def test_the_page_is_found_too_wide_where_it_is(tmp_path: Path) -> None:
    page = tmp_path / "wide.html"
    page.write_text(
        "<div style='width:2000px'>x</div><div style='overflow-x:auto'><p style='width:3000px'>y</p></div>"
        "<img src='http://localhost:9/x.png'><script>nothing()</script>"
    )
    opened = open_page(page, 1200)
    assert len(opened.too_wide) == 1
    assert opened.page_width >= 2000
    assert opened.requests == ("http://localhost:9/x.png",)
    assert any("nothing is not defined" in message for message in opened.messages)
    assert opened.broken_images == 1
