"""A reader's store: what it takes it keeps, and any change afterwards is found."""

import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import her2map.study.store as store_module
from her2map.errors import InputError
from her2map.study.chain import Head
from her2map.study.store import Store, head_of, problems_of, read_events

KINDS = ("opened", "edited", "finished", "skipped")


def fill(path: Path, count: int = 12) -> None:
    with closing(Store(path, "r1")) as store:
        for i in range(count):
            text = f"über {i} \0 '\"\\"
            store.append(KINDS[i % 4], f"{i % 3:03}", 1, {"n": i, "x": i / 3, "text": text, "none": None})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "readings" / "r1.sqlite"
    fill(path)
    return path


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("store") / "r1.sqlite"
    fill(path)
    return path


@contextmanager
def changing(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def rows(path: Path) -> list[tuple[object, ...]]:
    with changing(path) as connection:
        connection.text_factory = bytes
        return connection.execute("SELECT * FROM entry").fetchall()


def test_what_was_written_is_read(path: Path) -> None:
    events = read_events(path)
    assert [e.number for e in events] == list(range(1, 13))
    assert events[4].kind == "opened" and events[4].case == "001"
    assert events[5].content == {"n": 5, "x": 5 / 3, "text": "über 5 \0 '\"\\", "none": None}
    assert all(e.time.tzinfo is not None for e in events)
    assert problems_of(path, "r1") == []
    assert head_of(path).count == 12


def test_a_store_goes_on_where_it_ended(path: Path) -> None:
    with closing(Store(path, "r1")) as store:
        store.append("opened", "009", 2, {})
    assert read_events(path)[-1].number == 13 and problems_of(path, "r1") == []


def test_it_is_safe_on_a_network_drive_and_at_a_power_cut(path: Path) -> None:
    with closing(Store(path, "r1")) as store:
        setting = store._connection.execute
        assert setting("PRAGMA journal_mode").fetchone() == ("delete",)
        assert setting("PRAGMA synchronous").fetchone() == (3,)  # EXTRA


def test_nobody_else_can_open_it_for_writing(path: Path) -> None:
    with closing(Store(path, "r1")) as store:
        with pytest.raises(InputError, match="The readings of r1 are open in another window or computer"):
            Store(path, "r1")
        script = "from her2map.study.store import Store\nfrom pathlib import Path\n"
        script += f"Store(Path({str(path)!r}), 'r1')"
        other = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        assert "The readings of r1 are open in another window or computer" in other.stderr
        store.append("opened", "001", 2, {})  # the first is not disturbed
    Store(path, "r1").close()


def test_the_coordinator_reads_while_the_reader_writes(path: Path) -> None:
    with closing(Store(path, "r1")) as store:
        for count in range(13, 20):
            store.append("edited", "001", 2, {})
            assert len(read_events(path)) == count


def test_another_readers_store_is_refused(path: Path) -> None:
    with pytest.raises(InputError, match="is not the store of this reader"):
        Store(path, "r2")


@pytest.mark.parametrize("content", [b"x" * 5000, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_file_that_is_no_store_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "r1.sqlite"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"holds no readings|damaged"):
        Store(path, "r1")
    assert path.read_bytes() == content
    assert problems_of(path, "r1") != []


def test_another_programs_database_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "r1.sqlite"
    with changing(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    with pytest.raises(InputError, match="holds no readings of HER2Map"):
        Store(path, "r1")
    with changing(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("theirs",)]


def test_an_earlier_store_is_migrated_and_a_newer_one_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(path)
    step = "CREATE TABLE later (x INTEGER) STRICT"
    monkeypatch.setattr(store_module, "SCHEMA", (*store_module.SCHEMA, step))
    assert problems_of(path, "r1") == []  # an earlier one is whole as it is
    with closing(Store(path, "r1")) as store:
        store.append("opened", "001", 3, {})
    assert rows(path)[:-1] == before and problems_of(path, "r1") == []
    monkeypatch.undo()
    with pytest.raises(InputError, match="was written by a newer HER2Map; update this one"):
        Store(path, "r1")
    assert problems_of(path, "r1") == ["it was written by a newer HER2Map"]


def test_a_maker_killed_before_the_first_transaction(tmp_path: Path) -> None:
    path = tmp_path / "r1.sqlite"
    path.touch()
    assert read_events(path) == [] and head_of(path) == Head(0, "")
    fill(path)
    assert len(read_events(path)) == 12


def test_a_maker_killed_in_the_first_transaction(tmp_path: Path) -> None:
    """The file has a size, and after the rollback nothing in it."""
    path = tmp_path / "r1.sqlite"
    with changing(path) as connection:
        connection.execute("CREATE TABLE entry (x)")
        connection.execute("DROP TABLE entry")
    assert path.stat().st_size > 0
    assert read_events(path) == [] and head_of(path) == Head(0, "") and problems_of(path, "r1") == []
    fill(path)
    assert len(read_events(path)) == 12


def test_a_folder_that_cannot_be_written_to(path: Path) -> None:
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom her2map.study.store import Store\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        f"Store(Path({str(path)!r}), 'r1')"
    )
    for place in (path, *path.parents[:2]):
        place.chmod(0o555)
    for place in path.parents[2:]:
        if place.stat().st_uid == os.getuid() and place != Path("/"):
            place.chmod(place.stat().st_mode | 0o555)
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    for place in (path, *path.parents[:2]):
        place.chmod(0o755)
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith("her2map.errors.InputError") and "nothing that was stored before is lost" in last
    assert problems_of(path, "r1") == [] and len(read_events(path)) == 12


def test_a_full_disk_loses_nothing(path: Path) -> None:
    """A limit on the size of files stands for the disk: SQLite gets the same refusal from the system."""
    with closing(Store(path, "r1")) as store:
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, limits[1]))
        try:
            with pytest.raises(InputError, match=r"(full|refused).*nothing that was stored before is lost"):
                store.append("edited", "001", 1, {"much": "x" * 100_000})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert len(read_events(path)) == 12 and problems_of(path, "r1") == []
        store.append("edited", "001", 1, {"much": "x" * 100_000})  # space was made, the same session goes on
    assert len(read_events(path)) == 13 and problems_of(path, "r1") == []


def test_a_clock_set_back_is_written_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "r1.sqlite"
    times = iter([datetime(2026, 5, 2, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)])
    with closing(Store(path, "r1", now=lambda: next(times))) as store:
        store.append("opened", "001", 1, {})
        store.append("edited", "001", 1, {})
    first, second = read_events(path)
    assert second.time - first.time == timedelta(days=-1) and problems_of(path, "r1") == []


# Tampering

COLUMNS = ("number", "time", "kind", "case_code", "repeat", "previous", "digest", "content")


@given(st.integers(1, 12), st.sampled_from(COLUMNS), st.integers(0, 10**6), st.integers(1, 255))
def test_any_byte_changed_in_an_entry_is_found(
    pristine: Path, tmp_path_factory: pytest.TempPathFactory, number: int, column: str, at: int, flip: int
) -> None:
    path = copy_of(pristine, tmp_path_factory)
    with changing(path) as connection:
        query = f"SELECT CAST({column} AS BLOB) FROM entry WHERE number = ?"
        value = bytearray(connection.execute(query, (number,)).fetchone()[0])
        value[at % len(value)] ^= flip
        kind = "INTEGER" if column in ("number", "repeat") else "TEXT"
        change = f"UPDATE entry SET {column} = CAST(? AS {kind}) WHERE number = ?"
        try:
            connection.execute(change, (bytes(value), number))
        except sqlite3.Error:  # the table itself refuses it
            return
    assert path.read_bytes() == pristine.read_bytes() or problems_of(path, "r1") != []


@given(st.data())
def test_any_row_removed_swapped_added_or_copied_is_found(
    pristine: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = copy_of(pristine, tmp_path_factory)
    one, other = data.draw(st.lists(st.integers(1, 12), min_size=2, max_size=2, unique=True))
    tail = "time, kind, case_code, repeat, previous, digest, content"
    swap = [
        f"UPDATE entry SET number = -1 WHERE number = {one}",
        f"UPDATE entry SET number = {one} WHERE number = {other}",
        f"UPDATE entry SET number = {other} WHERE number = -1",
    ]
    changes = {
        "removed": [f"DELETE FROM entry WHERE number = {one}"],
        "the end removed": [f"DELETE FROM entry WHERE number >= {one}"],
        "removed and closed up": [
            f"DELETE FROM entry WHERE number = {one}",
            f"UPDATE entry SET number = -number WHERE number > {one}",
            "UPDATE entry SET number = -number - 1 WHERE number < 0",
        ],
        "swapped": swap,
        "copied to the end": [f"INSERT INTO entry SELECT 13, {tail} FROM entry WHERE number = {one}"],
        "copied before the start": [f"INSERT INTO entry SELECT 0, {tail} FROM entry WHERE number = {one}"],
        "the head set back": [f"UPDATE head SET count = {one - 1}"],
        "another owner": ["UPDATE head SET reader = 'r2'"],
        "the head removed": ["DELETE FROM head"],
        "a trigger": ["CREATE TRIGGER t AFTER INSERT ON entry BEGIN DELETE FROM entry WHERE number = 1; END"],
    }
    with changing(path) as connection:
        for statement in data.draw(st.sampled_from(sorted(changes)).map(changes.get)):
            connection.execute(statement)
    assert problems_of(path, "r1") != []


@given(st.integers(0, 10**7), st.integers(1, 255))
def test_any_byte_of_the_file_changed_is_found_or_changes_no_reading(
    pristine: Path, tmp_path_factory: pytest.TempPathFactory, at: int, flip: int
) -> None:
    """Some bytes of the file mean nothing: free space, counters."""
    path = copy_of(pristine, tmp_path_factory)
    content = bytearray(pristine.read_bytes())
    content[at % len(content)] ^= flip
    path.write_bytes(content)
    if problems_of(path, "r1") == []:
        assert rows(path) == rows(pristine)


def test_where_it_was_changed_is_told(path: Path) -> None:
    with changing(path) as connection:
        connection.execute("UPDATE entry SET content = replace(content, '5', '6') WHERE number = 6")
        connection.execute("DELETE FROM entry WHERE number = 9")
    assert problems_of(path, "r1") == [
        "entry 6 was changed after it was written",
        "entry 9 is missing",
        "entry 10 does not follow the entry before it",
    ]
    with pytest.raises(InputError, match=r"does not verify \(entry 6 was changed.*tell the coordinator"):
        Store(path, "r1")


copies = iter(range(10**9))


def copy_of(pristine: Path, factory: pytest.TempPathFactory) -> Path:
    path = factory.getbasetemp() / f"tampered{next(copies) % 4}.sqlite"
    path.write_bytes(pristine.read_bytes())
    return path
