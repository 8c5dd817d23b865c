"""The command `her2map` on a phantom exam: what it writes, and that its numbers are the truth."""

import csv
import json
import re
from pathlib import Path

import nibabel
import numpy as np
import pytest

from her2map.cli import main
from her2map.derivatives import read_maps
from her2map.relaxometry import Status


def read_csv(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="") as stream:
        return {row["biomarker"]: row for row in csv.DictReader(stream)}


def test_demo_finds_the_truth(demo: Path) -> None:
    truth = json.loads((demo / "exam" / "truth.json").read_text())["values"]
    found = read_csv(demo / "measurements.csv")
    for name in ("T1_pre", "T1_post", "delta_T1", "delta_T1_ratio", "T2", "T2star", "B1"):
        tolerance = 0.03 if name == "T2star" else 0.02
        assert float(found[name]["value"]) == pytest.approx(truth[name], rel=tolerance), name
        assert float(found[name]["coverage"]) > 0.95


def test_report_is_one_page_that_opens_offline(demo: Path) -> None:
    page = (demo / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"""(src|href)=["'](?!data:)""", page)
    assert page.count("data:image/png;base64,") >= 11  # DCE, five maps, five curves
    assert "Research use only" in page
    assert "fitted on a simulated cohort" in page
    for title in ("T1 before contrast", "T1 after contrast", "T2*", "B1 (relative)"):
        assert title in page


def test_maps_have_bids_names_and_units(demo: Path) -> None:
    names = {path.name for path in (demo / "maps").iterdir()}
    for stem in ("T1map", "ce-contrast_T1map", "T2map", "T2starmap", "TB1map"):
        assert {f"sub-demo_{stem}.nii.gz", f"sub-demo_{stem}.json"} <= names
    assert not any(name.startswith(".") for name in names)
    side_car = json.loads((demo / "maps" / "sub-demo_T2map.json").read_text())
    assert side_car["Units"] == "s"
    seconds = np.asarray(nibabel.load(demo / "maps" / "sub-demo_T2map.nii.gz").dataobj)
    status = np.asarray(nibabel.load(demo / "maps" / "sub-demo_desc-status_T2map.nii.gz").dataobj)
    assert 0.02 < np.median(seconds[status == Status.FITTED]) < 0.2


def test_summary_tells_how_the_maps_came_about(demo: Path) -> None:
    summary = json.loads((demo / "maps" / "summary.json").read_text())
    assert set(summary["maps"]) == {"B1", "T1_pre", "T1_post", "T2", "T2star"}
    assert len(summary["maps"]["T2"]["motion"]) == 8
    # MOLLI gives T1_pre, too; delta_T1 needs the technique that was also used after the contrast.
    assert summary["maps"]["T1_pre"]["technique"] == summary["maps"]["T1_post"]["technique"] == "vfa"
    assert summary["maps"]["T1_pre"]["status_shares"]["FITTED"] > 0.5
    assert summary["t1_post_delay_s"] == pytest.approx(580, abs=1)
    assert summary["dce"]["slice_thickness_mm"] == pytest.approx(3.0)
    assert {s["role"] for s in summary["series"]} == {"B1", "T1_pre", "T1_post", "T2", "T2star", "DCE"}


def test_nothing_personal_is_written(demo: Path) -> None:
    for path in [demo / "report.html", demo / "measurements.csv", *(demo / "maps").glob("*.json")]:
        text = path.read_text(encoding="utf-8")
        assert "HER2Map^Phantom" not in text, path
        assert "PHANTOM-" not in text, path


def test_series_lists_roles_with_reasons(demo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["series", str(demo / "exam" / "dicom")]) == 0
    table = capsys.readouterr().out
    assert re.search(r"T2map_se_mc +T2 \(multi echo spin echo\) +spin echo with 8 echo times", table)
    assert re.search(r"T1map_vfa_post_fa2 +T1_post \(vfa\).*9 min 40 s after the injection", table)


def test_fit_with_other_roles_and_paper_preset(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only the look-locker series is left to T1_pre; the rest is not used."""
    unused = [f"--role={n}=none" for n in (2, 3, 4, 5, 6, 7, 9, 11, 12, 13, 14, 15, 16)]
    source = str(demo / "exam" / "dicom")
    assert main(["fit", source, "--output", str(tmp_path), "--preset", "paper", "--json", *unused]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert set(summary["maps"]) == {"T1_pre", "T2star"}
    assert summary["maps"]["T1_pre"]["technique"] == "look_locker"
    assert any("SNR under 5" in note for note in summary["maps"]["T2star"]["notes"])
    assert [s["reason"] for s in summary["series"] if s["key"] == "9"] == ["chosen by the user"]


def test_measure_gives_what_the_demo_gave(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the maps on disk, the numbers of the maps in memory."""
    roi = str(demo / "exam" / "roi.mrk.json")
    output = tmp_path / "new" / "values.csv"
    assert main(["measure", str(demo / "maps"), "--roi", roi, "--json", "--output", str(output)]) == 0
    printed = {row["biomarker"]: row for row in json.loads(capsys.readouterr().out)}
    for name, row in read_csv(demo / "measurements.csv").items():
        assert printed[name]["value"] == pytest.approx(float(row["value"]), rel=1e-6)
        assert float(read_csv(output)[name]["value"]) == printed[name]["value"]


def test_maps_survive_the_disk(demo: Path) -> None:
    maps = read_maps(demo / "maps")
    fitted, geometry = maps["T1_post"]
    assert fitted.unit == "ms"
    assert fitted.value.shape == geometry.shape
    assert 300 < np.median(fitted.value[fitted.fitted]) < 1500
    assert fitted.notes == ()


def test_plain_polygon_equals_the_markups_file(
    demo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    markups = json.loads((demo / "exam" / "roi.mrk.json").read_text())["markups"]
    loops = [[point["position"] for point in m["controlPoints"]] for m in markups]
    plain = tmp_path / "roi.json"
    plain.write_text(json.dumps({"coordinate_system": "LPS", "points": loops[0], "holes": loops[1:]}))
    values = []
    for roi in (demo / "exam" / "roi.mrk.json", plain):
        assert main(["measure", str(demo / "maps"), "--roi", str(roi), "--json"]) == 0
        values.append({row["biomarker"]: row["value"] for row in json.loads(capsys.readouterr().out)})
    for name, value in values[0].items():
        assert values[1][name] == pytest.approx(value, rel=2e-3)


def test_phantom_is_the_same_for_the_same_seed(demo: Path, tmp_path: Path) -> None:
    assert main(["phantom", "--output", str(tmp_path / "again"), "--size", "small", "--seed", "3"]) == 0
    again = sorted(p for p in (tmp_path / "again").rglob("*") if p.is_file())
    assert len(again) > 300
    for path in again:
        assert path.read_bytes() == (demo / "exam" / path.relative_to(tmp_path / "again")).read_bytes(), path


@pytest.mark.parametrize("command", ["demo", "series", "fit", "measure", "phantom"])
def test_help_teaches(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert len(capsys.readouterr().out) > 300
