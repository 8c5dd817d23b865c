"""Two exams by the command: the table, the CSV, the page, and what makes them worse to compare."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from browser import open_page
from her2map.cli import main
from her2map.follow_up import UNITS

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another phantom, fitted as in the paper: maps/ and roi.mrk.json."""
    folder = tmp_path_factory.mktemp("later")
    assert main(["phantom", "--output", str(folder / "exam"), "--size", "small", "--seed", "4"]) == 0
    fit = ["fit", str(folder / "exam" / "dicom"), "--output", str(folder / "maps"), "--preset", "paper"]
    assert main(fit) == 0
    shutil.copy(folder / "exam" / "roi.mrk.json", folder)
    return folder


def options(demo: Path, later: Path, output: Path) -> list[object]:
    return [
        "follow-up", "--before", demo / "maps", "--before-roi", demo / "exam" / "roi.mrk.json",
        "--after", later / "maps", "--after-roi", later / "roi.mrk.json", "--output", output,
    ]  # fmt: skip


def test_two_exams(demo: Path, later: Path, tmp_path: Path, run: Run) -> None:
    status, out, _ = run(*options(demo, later, tmp_path))
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()[1:7]] == list(UNITS)
    assert "demonstration, no limit for patients" in out
    assert "T1_pre: another fit" in out and "The same exam twice" not in out
    with (tmp_path / "follow_up.csv").open() as file:
        rows = {row["biomarker"]: row for row in csv.DictReader(file)}
    for row in rows.values():
        change = float(row["after"]) - float(row["before"])
        assert float(row["change"]) == pytest.approx(change)
        real = abs(change) > float(row["repeatability_coefficient"])
        assert row["verdict"] == ("real change" if real else "within repeatability")
    measured = run("measure", demo / "maps", "--roi", demo / "exam" / "roi.mrk.json", "--json")[1]
    before = {row["biomarker"]: row["value"] for row in json.loads(measured)}
    assert float(rows["T2"]["before"]) == pytest.approx(before["T2"])


@pytest.mark.parametrize("width", [1100, 400])
def test_the_page_is_whole_and_offline(demo: Path, later: Path, tmp_path: Path, run: Run, width: int) -> None:
    assert run(*options(demo, later, tmp_path))[0] == 0
    opened = open_page(tmp_path / "follow_up.html", width, tmp_path / "page.pdf")
    assert opened.messages == opened.requests == opened.too_wide == ()
    assert opened.page_width <= width and opened.broken_images == 0
    assert (tmp_path / "page.pdf").stat().st_size > 10_000
    page = (tmp_path / "follow_up.html").read_text()
    assert page.count("<img ") == 4 and "The exams differ." in page


def test_the_same_exam_twice_has_not_changed(demo: Path, tmp_path: Path, run: Run) -> None:
    arguments = options(demo, demo / "exam", tmp_path)
    arguments[arguments.index("--after") + 1] = demo / "maps"
    status, out, _ = run(*arguments, "--json")
    found = json.loads(out)
    assert status == 0
    assert {(one["change"], one["verdict"]) for one in found["changes"]} == {(0, "within repeatability")}
    assert found["differences"][0].startswith("The same exam twice: both maps of T1_pre, T1_post, T2, T2star")
    assert len(found["differences"]) == 1


def test_own_repeatability(demo: Path, later: Path, tmp_path: Path, run: Run) -> None:
    plain = json.loads(run(*options(demo, later, tmp_path), "--json")[1])["changes"]
    arguments = [*options(demo, later, tmp_path), "--retest", "T2=50", "--other-reader", "--json"]
    own = json.loads(run(*arguments)[1])["changes"]
    by = {
        one["biomarker"]: (one["within_sd"], other["within_sd"])
        for one, other in zip(plain, own, strict=True)
    }
    assert by["T2"][1] == 50
    assert by["T2star"][1] > by["T2star"][0]


def changed_summary(maps: Path, target: Path, change: Callable[[dict], None]) -> Path:  # type: ignore[type-arg]
    shutil.copytree(maps, target)
    summary = json.loads((target / "summary.json").read_text())
    change(summary)
    (target / "summary.json").write_text(json.dumps(summary))
    return target


def test_another_scanner_and_sequence_are_told(demo: Path, tmp_path: Path, run: Run) -> None:
    def other(summary: dict) -> None:  # type: ignore[type-arg]
        summary["acquired"]["field_strength_t"] = 1.5
        summary["maps"]["T2"]["technique"] = "scanner_map"
        summary["t1_post_delay_s"] = summary["t1_post_delay_s"] + 200

    arguments = options(demo, demo / "exam", tmp_path / "out")
    arguments[arguments.index("--after") + 1] = changed_summary(demo / "maps", tmp_path / "maps", other)
    out = run(*arguments)[1]
    assert "Other field strength: 3 T before, 1.5 T after." in out
    assert "T2: another sequence - multi echo spin echo before, scanner map after." in out
    assert "the time alone changes it" in out


def test_what_cannot_be_used_is_refused_in_a_sentence(
    demo: Path, later: Path, tmp_path: Path, run: Run
) -> None:
    good = options(demo, later, tmp_path / "out")
    for extra in (
        ["--retest", "T3=1"],
        ["--retest", "T2"],
        ["--card", tmp_path / "no.json"],
        ["--study", tmp_path],
    ):
        status, out, err = run(*good, *extra)
        assert (status, out) == (2, "") and len(err.splitlines()) == 1
    assert not (tmp_path / "out").exists()
    good[good.index("--before") + 1] = tmp_path
    status, _, err = run(*good)
    assert status == 2 and "her2map fit" in err
