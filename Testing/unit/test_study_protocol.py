"""study.toml: written by the program, edited by people, every mistake told with its line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from her2map.errors import InputError
from her2map.fitting import PAPER
from her2map.study.protocol import Case, read_protocol
from her2map.study.setup import new_study
from her2map.study.toml_lines import line_of

HEAD = 'title = "T"\nreaders = ["a", "b"]\nseed = 1\n'
CASE = '[[cases]]\ncode = "001"\nfolder = "exams/1"\n'


def written(folder: Path, text: str) -> Path:
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return folder


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_protocol(written(folder, text))
    return [line.removeprefix(f"{folder / 'study.toml'} ") for line in str(caught.value).splitlines()]


def test_a_new_study_is_read_as_it_was_made(tmp_path: Path) -> None:
    cases = [Case("001", tmp_path / "Müller, Anna"), Case("002", tmp_path / "study" / "exams" / 'b"\\c')]
    made = new_study(tmp_path / "study", 'The "first"\x7f study', cases, ["anna", "b-2"])
    assert read_protocol(tmp_path / "study") == made
    assert made.cases == tuple(cases) and made.readers == ("anna", "b-2")
    assert made.title == 'The "first"\x7f study'
    assert made.repeats == 3 and made.gate is None and made.pathology is None
    assert (tmp_path / "study" / "readings").is_dir()


def test_a_study_is_never_written_over(tmp_path: Path) -> None:
    new_study(tmp_path, "T", [Case("001", tmp_path / "a")], ["r"])
    before = (tmp_path / "study.toml").read_bytes()
    with pytest.raises(InputError, match="holds a study already"):
        new_study(tmp_path, "U", [Case("001", tmp_path / "a")], ["r"])
    assert (tmp_path / "study.toml").read_bytes() == before


def test_what_makes_no_study_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^This makes no study: the reader 'a/b' must be letters"):
        new_study(tmp_path, "T", [Case("001", tmp_path / "x")], ["a/b"])
    assert not (tmp_path / "study.toml").exists()


def test_paths_are_complete_and_options_follow_the_preset(tmp_path: Path) -> None:
    text = HEAD + 'pathology = "../p.csv"\n[fit]\npreset = "paper"\nt2_method = "epg"\n' + CASE
    protocol = read_protocol(written(tmp_path, text))
    assert protocol.cases[0].folder == tmp_path / "exams" / "1"
    assert protocol.pathology == tmp_path.parent / "p.csv"
    assert protocol.preset == "paper" and protocol.fit.t2_method == "epg"
    assert protocol.fit.minimum_snr == PAPER.minimum_snr == 5.0
    assert protocol.fit.vfa_method == "linear"


def test_every_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    text = (
        "# a remark\n"
        'titel = "T"\n'
        'readers = ["a", "A"]\n'
        "seed = 1\n"
        "repeats = 0\n"
        'hidden = [\n  "patient_id",\n  "colour",\n]\n'
        'pathology = "inside.csv"\n'
        "[fit]\n"
        'preset = "best"\n'
        "[gate]\n"
        'statistic = "wcv"\n'
        'parameters = ["T3"]\n'
        "[[cases]]\n"
        'code = "001"\n'
        'folder = "x"\n'
        "[[cases]]\n"
        'code = "001"\n'
        'folder = "./x"\n'
    )
    assert mistakes(tmp_path, text) == [
        "line 1: title is missing.",
        "line 2: titel is not known here; known are cases, fit, gate, hidden, minimum_interval_hours, "
        "pathology, readers, repeats, required, score, seed, spread_limit, title, training.",
        "line 3: readers has the same entry twice.",
        "line 5: repeats must be a whole number from 1 to 20.",
        "line 6: hidden has 'colour'; use some of patient_name, patient_id, birth_date, study_date, "
        "institution, patient_age, study_description.",
        "line 6: hidden must have patient_name, birth_date: no reader may see them.",
        "line 10: the pathology table must lie outside the study's folder, away from readers.",
        "line 12: preset is 'best'; use one of recommended, paper.",
        "line 13: limit is missing; a wCV is at most, an ICC at least this fraction.",
        "line 15: parameters has 'T3'; use some of T1_pre, T1_post, T2, T2star.",
        "line 20: the code '001' is given twice.",
        "line 21: the case '001' has the folder of another case.",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('title = "T\n', "is no TOML: "),
        (HEAD, "line 1: there are no cases; write [[cases]] with a code and a folder for each."),
        ('title = "T"\nreaders = []\nseed = 1\n' + CASE, "line 2: readers is empty; name at least one."),
        (HEAD + "fit = 3\n" + CASE, "line 4: fit must be a table: write [fit] on a line of its own."),
        (HEAD + "cases = [1]\n", "line 4: cases must be tables: begin each with [[cases]] on a line of its"),
        (HEAD + '[[cases]]\ncode = "001"\n', "line 4: folder is missing."),
        (
            HEAD + CASE + "date = 2026-01-01\n",
            "line 7: date is not known here; known are code, folder, roles.",
        ),
        (
            HEAD + "[fit]\nbloch_siegert = [1]\n" + CASE,
            "line 5: bloch_siegert must be a list of",
        ),
        (
            HEAD + "minimum_interval_hours = true\n" + CASE,
            "line 4: minimum_interval_hours must be",
        ),
        (HEAD + "spread_limit = nan\n" + CASE, "line 4: spread_limit must be a number of at least 0."),
    ],
)
def test_one_mistake(tmp_path: Path, text: str, told: str) -> None:
    found = mistakes(tmp_path, text)
    assert len(found) == 1 and found[0].removeprefix("line").startswith(told.removeprefix("line"))


def test_a_study_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="There is no study in"):
        read_protocol(tmp_path)
    (tmp_path / "study.toml").write_bytes(b"title = '\xff'")
    with pytest.raises(InputError, match="is not UTF-8"):
        read_protocol(tmp_path)


@given(
    st.lists(
        st.sampled_from(["", "# x", "a{n} = 1", "a{n} = [\n  1,\n  2,\n]", "[t{n}]", '[[r]]\nb = "]"']),
        max_size=12,
    )
)
def test_every_value_is_found_in_the_line_where_it_was_written(parts: list[str]) -> None:
    lines: list[str] = []
    place: list[str | int] = []
    expected, rows = [], 0
    for number, part in enumerate(parts):
        text = part.format(n=number)
        if text.startswith("["):
            rows += text.startswith("[[")
            place = ["r", rows - 1] if text.startswith("[[") else [f"t{number}"]
            expected.append(([*place], len(lines) + 1))
            if "b =" in text:
                expected.append(([*place, "b"], len(lines) + 2))
        elif text.startswith("a"):
            expected.append(([*place, f"a{number}"], len(lines) + 1))
        lines += text.splitlines() or [""]
    for path, line in expected:
        assert line_of("\n".join(lines), path) == line


def test_readers_see_the_score_only_where_the_file_says_so(tmp_path: Path) -> None:
    for text, shown in (("", False), ("[score]\n", False), ("[score]\nshow_to_readers = true\n", True)):
        (tmp_path / "study.toml").write_text(HEAD + text + CASE, encoding="utf-8")
        assert read_protocol(tmp_path).show_to_readers is shown
    assert mistakes(tmp_path, HEAD + '[score]\nshow_to_readers = "yes"\n' + CASE) == [
        "line 5: show_to_readers must be true or false."
    ]
