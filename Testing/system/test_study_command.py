"""`her2map study` and `her2map pathology`: what the coordinator runs, and what he is told."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from her2map.cli import main
from her2map.study.order import Slot
from her2map.study.protocol import Protocol, read_protocol
from her2map.study.store import Store
from her2map.study.training import open_training
from slicer_lacks import MISSING
from study_samples import START, change_study, make_study, read_cases

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def exams(demo: Path, tmp_path: Path) -> Path:
    """A folder with three exams under patients' names."""
    for name in ("Doe, Jane", "Müller, Anna", "Zhang Wei"):
        shutil.copytree(demo / "exam" / "dicom", tmp_path / "exams" / name, copy_function=os.link)
    return tmp_path / "exams"


@pytest.fixture
def study(tmp_path: Path) -> Protocol:
    """Four cases that two readers have read."""
    protocol = make_study(tmp_path / "study")
    for reader in protocol.readers:
        read_cases(protocol, reader)
    return protocol


def new(run: Run, study: Path, exams: Path, *more: object) -> tuple[int, str, str]:
    readers = ("--reader", "A", "--reader", "B")
    return run("study", "new", study, "--title", "Pilot", "--cases", exams, *readers, *more)


# Setting up


def test_codes_tell_nothing_of_the_names(tmp_path: Path, run: Run) -> None:
    names = [f"patient {i:02}" for i in range(40)]
    for name in [*names, ".hidden"]:
        (tmp_path / "exams" / name).mkdir(parents=True)
    (tmp_path / "exams" / "list.txt").touch()
    orders = []
    for i in range(2):
        status, out, _ = new(run, tmp_path / f"study {i}", tmp_path / "exams")
        assert status == 0
        assert "40 cases, 2 readers, 3 repeats" in out
        protocol = read_protocol(tmp_path / f"study {i}")
        assert protocol.codes == tuple(f"C{number:03}" for number in range(1, 41))
        orders.append([case.folder.name for case in protocol.cases])
        assert sorted(orders[-1]) == names
    assert names not in orders
    assert orders[0] != orders[1]


def test_codes_are_dealt_alike_for_the_same_seed(tmp_path: Path, run: Run) -> None:
    for i in range(20):
        (tmp_path / "exams" / str(i)).mkdir(parents=True)
    for name in ("one", "two"):
        new(run, tmp_path / name, tmp_path / "exams", "--seed", 5)
    one, two = (read_protocol(tmp_path / name).cases for name in ("one", "two"))
    assert one == two


@pytest.mark.parametrize(("parent", "said"), [("nowhere", "nowhere"), ("bare", "no folder in it")])
def test_no_exams(tmp_path: Path, run: Run, parent: str, said: str) -> None:
    (tmp_path / "bare").mkdir()
    status, _, err = new(run, tmp_path / "study", tmp_path / parent)
    assert status == 2
    assert said in err
    assert not (tmp_path / "study").exists()


def test_a_study_is_not_written_over(tmp_path: Path, study: Protocol, run: Run) -> None:
    before = (study.folder / "study.toml").read_bytes()
    (tmp_path / "exams" / "x").mkdir(parents=True)
    status, _, err = new(run, study.folder, tmp_path / "exams")
    assert (status, "holds a study already" in err) == (2, True)
    assert (study.folder / "study.toml").read_bytes() == before


def test_check(tmp_path: Path, exams: Path, run: Run) -> None:
    new(run, tmp_path / "study", exams)
    protocol = read_protocol(tmp_path / "study")
    status, out, _ = run("study", "check", tmp_path / "study")
    assert status == 0
    assert out == "Pilot: 3 cases, readers A, B, 3 repeats at least 24 hours apart. All is there.\n"
    change_study(protocol.folder, pathology="../pathology.csv")
    (tmp_path / "pathology.csv").write_text("case,her2_ihc\nc001,3+\nC003,0\n")
    shutil.rmtree(protocol.cases[2].folder)
    status, _, err = run("study", "check", tmp_path / "study")
    assert status == 2
    assert err.splitlines() == [
        f"her2map: case C003: there is no exam in {protocol.cases[2].folder}; correct its folder in "
        "study.toml.",
        "her2map: pathology.csv has no line of case C002; add one, or correct its code.",
    ]
    (tmp_path / "pathology.csv").write_text("case,her2_ihc\nC001,5\nC001,0\n")
    _, _, err = run("study", "check", tmp_path / "study")
    assert "pathology.csv line 2, her2_ihc: '5' is not known" in err
    assert "pathology.csv line 3, case: C001 is already in line 2" in err


def test_every_mistake_of_the_protocol_has_its_line(study: Protocol, run: Run) -> None:
    change_study(study.folder, repeats=0, spread_limit=-1)
    status, _, err = run("study", "check", study.folder)
    assert status == 2
    lines = err.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("her2map: ") and "study.toml line " in line for line in lines)


def test_prepare_one_then_all(tmp_path: Path, exams: Path, run: Run) -> None:
    new(run, tmp_path / "study", exams)
    status, out, _ = run("study", "prepare", tmp_path / "study", "--case", "C002")
    assert (status, out) == (0, "prepared: C002\n")
    assert "Not prepared: C001, C003." in run("study", "status", tmp_path / "study")[1]
    folder = read_protocol(tmp_path / "study").case("C001").folder
    shutil.rmtree(folder)
    folder.mkdir()
    status, _, err = run("study", "prepare", tmp_path / "study")
    assert status == 2
    (mistake,) = [line for line in err.splitlines() if "note on" not in line]
    assert mistake.startswith("her2map: case C001: ")
    assert "Not prepared: C001." in run("study", "status", tmp_path / "study")[1]
    assert run("study", "prepare", tmp_path / "study", "--case", "C009")[0] == 2


def test_prepare_the_training(tmp_path: Path, exams: Path, run: Run) -> None:
    """As the module has it done while a phantom is read."""
    new(run, tmp_path / "study", exams)
    path = tmp_path / "study" / "study.toml"
    path.write_text(path.read_text().replace('size = "standard"', 'size = "small"'))
    with open_training(tmp_path / "study", "A") as session:
        session.begin()
        arguments = session.prefetch_arguments
        assert arguments is not None and "--training" in arguments
        assert run(*arguments[2:])[0] == 0
        assert session.prefetch_arguments is None
    assert run("study", "prepare", tmp_path / "study", "--training", "--case", "C001")[0] == 2


def test_prepare_can_be_stopped(
    tmp_path: Path, exams: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    new(run, tmp_path / "study", exams)

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("her2map.study.prepared.fit_exam", stopped)
    status, _, err = run("study", "prepare", tmp_path / "study")
    assert status == 130
    assert "stopped" in err
    assert not list((tmp_path / "study").rglob("*.npz"))


def test_prepare_runs_in_slicers_own_python(tmp_path: Path, exams: Path, run: Run) -> None:
    """The module has the next case prepared by such a Python; it has what fits ask for, and no more."""
    new(run, tmp_path / "study", exams)
    lacking = [name for name in MISSING if name != "threadpoolctl"]
    code = (
        f"import sys\nsys.modules.update(dict.fromkeys({lacking!r}))\n"
        "from her2map.cli import main\nsys.exit(main(sys.argv[1:]))"
    )
    arguments = ["study", "prepare", str(tmp_path / "study"), "--case", "C001"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "Traceback" not in done.stderr
    assert "Not prepared: C002, C003." in run("study", "status", tmp_path / "study")[1]


# Watching


def test_status(study: Protocol, run: Run) -> None:
    store = Store(study.store("C"), "C", lambda: START)
    store.append("opened", "C002", 1, {})
    store.append("skipped", "C002", 1, {"reason": "motion\nin all echoes"})
    store.append("opened", "C001", 1, {})
    store.close()
    change_study(study.folder, readers=["A", "B", "C"], spread_limit=0.001)
    status, out, _ = run("study", "status", study.folder)
    assert status == 0
    assert "A study: 0 of 4 cases complete" in out
    rows = [line.split() for line in out.splitlines()]
    assert ["A", "12", "0", "0", "0", "12"] in [row[:6] for row in rows]
    assert ["C", "0", "1", "1", "10", "12"] in [row[:6] for row in rows]
    assert ["C", "C002", "1", "motion", "in", "all", "echoes"] in rows
    assert "differ by more than 0.1 % of their median" in out
    facts = json.loads(run("study", "status", study.folder, "--json")[1])
    assert facts["readers"][2]["skips"] == [{"case": "C002", "repeat": 1, "reason": "motion\nin all echoes"}]
    assert facts["readers"][0]["finished"] == 12
    assert facts["not_prepared"] == ["C001", "C002", "C003", "C004"]
    assert {row["biomarker"] for row in facts["spread"]} == {"T1_pre", "T1_post", "T2", "T2star"}


def tamper(protocol: Protocol, statement: str) -> None:
    with closing(sqlite3.connect(protocol.store("A"))) as connection:
        connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET content = replace(content, 'confidence\":4', 'confidence\":5') WHERE number = 3",
        "DELETE FROM entry WHERE number = 5",
        "UPDATE head SET count = count - 1",
    ],
)
def test_verify_finds_a_change(study: Protocol, tmp_path: Path, run: Run, statement: str) -> None:
    assert run("study", "verify", study.folder)[0] == 0
    tamper(study, statement)
    status, out, _ = run("study", "verify", study.folder, "--save", tmp_path / "heads.json")
    assert status == 1
    assert out.startswith("A: CHANGED\n  ")
    assert "\nB: whole; 36 entries, the last " in out
    assert not (tmp_path / "heads.json").exists()
    facts = json.loads(run("study", "verify", study.folder, "--json")[1])
    assert (facts["A"]["whole"], facts["B"]["whole"]) == (False, True)
    status, _, err = run("study", "export", study.folder, "--output", tmp_path / "out")
    assert status == 2
    assert "do not verify" in err


def test_verify_compares_with_what_was_kept(study: Protocol, tmp_path: Path, run: Run) -> None:
    heads = tmp_path / "kept" / "heads.json"
    assert run("study", "verify", study.folder, "--save", heads)[0] == 0
    assert run("study", "verify", study.folder, "--heads", heads)[0] == 0
    study.store("B").unlink()
    read_cases(study, "B", seed=2)  # another whole chain in its place
    assert run("study", "verify", study.folder)[0] == 0
    status, out, _ = run("study", "verify", study.folder, "--heads", heads)
    assert status == 1
    assert "its first 36 entries are not those of the earlier check" in out
    heads.write_text("{")
    assert run("study", "verify", study.folder, "--heads", heads)[0] == 2


# Results


def test_export(study: Protocol, tmp_path: Path, run: Run) -> None:
    status, out, _ = run("study", "export", study.folder, "--output", tmp_path / "new" / "out")
    assert status == 0
    assert out.startswith("24 readings; 4 of 4 cases complete\n")
    assert sorted(p.name for p in (tmp_path / "new" / "out").iterdir()) == [
        "long.csv", "readings.csv", "wide.csv",
    ]  # fmt: skip
    wide = pd.read_csv(tmp_path / "new" / "out" / "wide.csv")
    assert list(wide.columns[:7]) == [
        "case", "T1_pre", "T1_post", "delta_T1", "delta_T1_ratio", "T2", "T2star",
    ]  # fmt: skip


def test_export_as_parquet(study: Protocol, tmp_path: Path, run: Run) -> None:
    pytest.importorskip("pyarrow", reason="needs the extra 'export'")
    arguments = ("study", "export", study.folder, "--output", tmp_path, "--format", "parquet")
    assert run(*arguments)[0] == 0
    pd.testing.assert_series_equal(
        pd.read_parquet(tmp_path / "wide.parquet")["T2"], pd.read_csv(tmp_path / "wide.csv")["T2"]
    )


def test_export_to_a_place_that_cannot_be_written(study: Protocol, tmp_path: Path, run: Run) -> None:
    (tmp_path / "file").touch()
    status, _, err = run("study", "export", study.folder, "--output", tmp_path / "file")
    assert (status, err.count("\n")) == (2, 1)


def test_agreement(study: Protocol, tmp_path: Path, run: Run) -> None:
    status, out, _ = run("study", "agreement", study.folder, "--output", tmp_path / "out")
    assert status == 0
    for words in ("within SD", "ICC", "Bland-Altman", "Dice", "repeats of A", "T1_pre / ms", "A and B"):
        assert words in out
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"icc.csv", "repeatability.csv", "bland_altman_A_B.svg", "bland_altman_A_B.png"} <= names
    facts = json.loads(run("study", "agreement", study.folder, "--output", tmp_path / "out", "--json")[1])
    assert {row["icc"] for row in facts["icc"]} == {"ICC(2,1)", "ICC(3,1)"}
    written = pd.read_csv(tmp_path / "out" / "icc.csv")
    assert list(written["value"]) == pytest.approx([row["value"] for row in facts["icc"]], nan_ok=True)


def test_agreement_before_there_is_any(tmp_path: Path, run: Run) -> None:
    protocol = make_study(tmp_path / "study", 2)
    read_cases(protocol, "A", [Slot("C001", 1)])
    status, out, err = run("study", "agreement", protocol.folder, "--output", tmp_path / "out")
    assert (status, err) == (0, "")
    assert "2 cases are not complete" in out


@pytest.mark.parametrize("command", ["status", "verify", "export", "agreement", "check", "prepare"])
def test_no_study(tmp_path: Path, run: Run, command: str) -> None:
    more = ("--output", tmp_path / "out") if command in ("export", "agreement") else ()
    status, out, err = run("study", command, tmp_path, *more)
    assert (status, out) == (2, "")
    assert "There is no study" in err


def test_agreement_where_one_reader_has_not_begun(tmp_path: Path, run: Run) -> None:
    protocol = make_study(tmp_path / "study", 3)
    read_cases(protocol, "A")
    _, out, _ = run("study", "agreement", protocol.folder, "--output", tmp_path / "out")
    assert out.count("An ICC needs two complete cases") == 2  # of the repeats of B, and between the readers
    assert len(pd.read_csv(tmp_path / "out" / "icc.csv")) == 36


def test_one_of_a_kind(tmp_path: Path, exams: Path, run: Run) -> None:
    for name in ("Müller, Anna", "Zhang Wei"):
        shutil.rmtree(exams / name)
    arguments = ("--title", "Pilot", "--cases", exams, "--reader", "A")
    _, out, _ = run("study", "new", tmp_path / "study", *arguments)
    assert "study.toml: 1 case, 1 reader, 3 repeats.\n" in out
    change_study(tmp_path / "study", repeats=1, minimum_interval_hours=1)
    _, out, _ = run("study", "check", tmp_path / "study")
    assert out == "Pilot: 1 case, reader A, 1 repeat. All is there.\n"
    protocol = read_protocol(tmp_path / "study")
    read_cases(protocol, "A")
    assert "Pilot: 1 of 1 case complete" in run("study", "status", protocol.folder)[1]
    out = run("study", "export", protocol.folder, "--output", tmp_path / "out")[1]
    assert out.startswith("1 reading; 1 of 1 case complete\n")
    change_study(protocol.folder, repeats=2)
    assert "1 case, reader A, 2 repeats at least 1 hour apart." in run("study", "check", protocol.folder)[1]
    out = run("study", "agreement", protocol.folder, "--output", tmp_path / "out")[1]
    assert "\n1 case is not complete; " in out


# The command itself


@pytest.mark.parametrize(
    "command", ["new", "check", "prepare", "status", "verify", "export", "agreement", "enrol"]
)
def test_help_teaches(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["study", command, "--help"])
    assert stop.value.code == 0
    assert len(capsys.readouterr().out) > 250


def test_module_runs_and_its_help_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "her2map", "--help"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "pathology" in done.stdout
    assert not any(f" {name}\n" in done.stderr for name in ("numpy", "pandas", "matplotlib", "SimpleITK"))
