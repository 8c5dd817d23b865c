"""One reader's readings on disk: an SQLite file to which that reader alone appends.

Every change is a transaction of its own that is on the disk when the call returns (journal deleted at the
end, full synchronisation; no write-ahead log, which needs memory that machines on a network do not share).
"""

import errno
import json
import os
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import InputError
from .chain import Entry, Head, broken_links, digest_of, first_link

_V1 = """
CREATE TABLE entry (
    number INTEGER PRIMARY KEY, time TEXT NOT NULL, kind TEXT NOT NULL, case_code TEXT NOT NULL,
    repeat INTEGER NOT NULL, previous TEXT NOT NULL, digest TEXT NOT NULL, content TEXT NOT NULL
) STRICT;
CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1), reader TEXT NOT NULL, store_id TEXT NOT NULL,
    count INTEGER NOT NULL, digest TEXT NOT NULL
) STRICT;
"""
SCHEMA = (_V1,)
"""The steps from version to version; an earlier store takes those that it lacks when it is opened."""
_BUSY_S = 30.0
_NOT_OURS = "holds no readings of HER2Map"
_DAMAGED = "it is damaged; run `her2map study verify`"


@dataclass(frozen=True)
class Event:
    """An entry of the chain, read.

    Attributes:
        number: from 1.
        time: UTC.
        kind: one of :data:`~her2map.study.chain.KINDS`.
        case, repeat: the reading.
        text: what was told with it, JSON.
    """

    number: int
    time: datetime
    kind: str
    case: str
    repeat: int
    text: str

    @property
    def content(self) -> dict[str, Any]:
        """What was told with it."""
        return dict(json.loads(self.text))


def utc_now() -> datetime:
    """The time by this computer's clock."""
    return datetime.now(UTC)


class Store:
    """The store of one reader, open for writing; nobody else can open it for writing meanwhile.

    Args:
        path: made if need be, with its folder.
        reader: whose readings they are.
        now: the clock.

    Raises:
        InputError: it is open elsewhere, damaged, another reader's, of a newer version, or cannot be written.
    """

    def __init__(self, path: Path, reader: str, now: Callable[[], datetime] = utc_now) -> None:
        self.path, self.reader, self._now = path, reader, now
        self._head = Head(0, "")
        with _in_words(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            _need_writable(path)
            self._lock = _lock(path, reader)
        try:
            with _in_words(path):
                self._connection = _connect(path, "rwc")
                self._prepare()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let others open the store. It may be called again."""
        for connection in (getattr(self, "_connection", None), self._lock):
            if connection is not None:
                connection.close()

    def append(self, kind: str, case: str, repeat: int, content: dict[str, Any]) -> Event:
        """Write an event; when this returns it is on the disk.

        Raises:
            InputError: the disk is full, or the folder can no longer be written to. Nothing was changed then.
        """
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        event = Event(self._head.count + 1, self._now(), kind, case, repeat, text)
        time = event.time.isoformat(timespec="microseconds")
        unsealed = Entry(
            event.number,
            time.encode(),
            kind.encode(),
            case.encode(),
            repeat,
            self._head.digest.encode(),
            b"",
            text.encode(),
        )
        digest = digest_of(unsealed)
        row = (event.number, time, kind, case, repeat, self._head.digest, digest, text)
        with _in_words(self.path), self._transaction():
            self._connection.execute("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
            self._connection.execute("UPDATE head SET count = ?, digest = ?", (event.number, digest))
        self._head = Head(event.number, digest)
        return event

    def events(self) -> list[Event]:
        """All of them, in the order of writing."""
        with _in_words(self.path):
            return list(_events(self._connection, self.path))

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # rolled back already, as after a full disk
                self._connection.execute("ROLLBACK")
            raise

    def _prepare(self) -> None:
        """Bring the schema up to date, and see that the store is whole and the reader's."""
        connection = self._connection
        # A store of 0 bytes is one whose maker was killed before its first transaction.
        version = _version(connection)
        if version > len(SCHEMA):
            raise InputError(f"{self.path} was written by a newer HER2Map; update this one.")
        if version < len(SCHEMA):
            with self._transaction():
                self._migrate(version)
        problems = problems_of(self.path, self.reader)
        if problems:
            raise InputError(
                f"{self.path} does not verify ({problems[0]}), so nothing is added to it; tell the "
                "coordinator, who can put back a copy of it that does."
            )
        self._head = _head(connection)

    def _migrate(self, version: int) -> None:
        connection = self._connection
        if version == 0 and _objects(connection):
            raise InputError(f"{self.path} {_NOT_OURS}; move it away.")
        for step in SCHEMA[version:]:
            for statement in filter(str.strip, step.split(";")):
                connection.execute(statement)
        if version == 0:
            store_id = uuid.uuid4().hex
            first = first_link(self.reader, store_id)
            connection.execute("INSERT INTO head VALUES (1, ?, ?, 0, ?)", (self.reader, store_id, first))
        connection.execute(f"PRAGMA user_version = {len(SCHEMA)}")


def read_events(path: Path) -> list[Event]:
    """The events of a store that somebody else may be writing.

    Raises:
        InputError: it cannot be read, or what it holds is no reading.
    """
    with _reading(path) as connection:
        return list(_events(connection, path)) if connection else []


def head_of(path: Path) -> Head:
    """How many entries the store says it has, and the hash of the last.

    Raises:
        InputError: it cannot be read.
    """
    with _reading(path) as connection:
        return _head(connection) if connection else Head(0, "")


def digest_at(path: Path, number: int) -> str:
    """The hash of one entry; "" without it.

    Raises:
        InputError: the store cannot be read.
    """
    with _reading(path) as connection:
        if connection is None:
            return ""
        found = connection.execute("SELECT digest FROM entry WHERE number = ?", (number,)).fetchone()
        return found[0] if found else ""


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection | None]:
    """A connection to look at a store; None where there is none, or none yet as its maker was killed."""
    with _in_words(path):
        if not is_there(path):
            yield None
            return
        with closing(_look_at(path)) as connection:
            yield None if _is_new(connection) else connection


def is_there(path: Path) -> bool:
    """Whether a store was ever written to; a maker may have been killed before its first transaction.

    Raises:
        InputError: its folder may not be looked into.
    """
    with _in_words(path):
        try:
            return path.stat().st_size > 0
        except FileNotFoundError:
            return False


def _look_at(path: Path) -> sqlite3.Connection:
    """Writable if it can be: what a killed writer left half done is rolled back first."""
    return _connect(path, "rw" if os.access(path, os.W_OK) else "ro")


def problems_of(path: Path, reader: str) -> list[str]:
    """What was changed in the store of `reader` since, a sentence each; none if it is whole."""
    try:
        with closing(_look_at(path)) as connection:
            connection.text_factory = bytes
            connection.execute("BEGIN")  # all is looked at in one state, also while somebody writes
            return _problems(connection, reader)
    except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
        return [f"the file is damaged: {error}"]


def _is_new(connection: sqlite3.Connection) -> bool:
    """Whether the maker was killed in its first transaction, which was then rolled back."""
    return _version(connection) == 0 and not _objects(connection)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _problems(connection: sqlite3.Connection, reader: str) -> list[str]:
    if _is_new(connection):
        return []
    version = _version(connection)
    if version > len(SCHEMA):
        return ["it was written by a newer HER2Map"]
    if _objects(connection) != _objects_of_version(version):
        return ["its tables were changed"]
    damage = connection.execute("PRAGMA integrity_check").fetchone()[0]
    if damage != b"ok":
        return [f"the file is damaged: {_decoded(damage).splitlines()[0]}"]
    heads = connection.execute("SELECT one, reader, store_id, count, digest FROM head").fetchall()
    if len(heads) != 1 or heads[0][:2] != (1, reader.encode()):
        return ["it is not the store of this reader"]
    _, _, store_id, count, digest = heads[0]
    rows = connection.execute(
        "SELECT number, time, kind, case_code, repeat, previous, digest, content FROM entry ORDER BY number"
    )
    head = Head(count, _decoded(digest))
    return broken_links(map(Entry._make, rows), first_link(reader, _decoded(store_id)), head)


def _objects(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Name and definition of all that the file defines."""
    rows = connection.execute("SELECT CAST(name AS BLOB), CAST(sql AS BLOB) FROM sqlite_schema ORDER BY name")
    return [(_decoded(name), _decoded(sql)) for name, sql in rows]


def _decoded(text: bytes | None) -> str:
    return (text or b"").decode("utf-8", "replace")


def _objects_of_version(version: int) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(":memory:")) as empty:
        for step in SCHEMA[:version]:
            empty.executescript(step)
        return _objects(empty)


def _events(connection: sqlite3.Connection, path: Path) -> Iterator[Event]:
    rows = connection.execute(
        "SELECT number, time, kind, case_code, repeat, content FROM entry ORDER BY number"
    )
    for number, time, kind, case, repeat, text in rows:
        try:
            yield Event(number, datetime.fromisoformat(time), kind, case, repeat, text)
        except (ValueError, TypeError):
            raise InputError(f"Entry {number} of {path} is damaged; run `her2map study verify`.") from None


def _head(connection: sqlite3.Connection) -> Head:
    found = connection.execute("SELECT count, digest FROM head").fetchone()
    return Head(*found) if found else Head(0, "")


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=_BUSY_S
    )
    for setting in ("journal_mode = DELETE", "synchronous = EXTRA", "fullfsync = ON", "cell_size_check = ON"):
        if mode == "rwc" or "journal" not in setting:
            connection.execute(f"PRAGMA {setting}")
    return connection


def _need_writable(path: Path) -> None:
    """SQLite opens what it may not write for reading, and would say so only at the first change."""
    for place in (path.parent, path):
        if place.exists() and not os.access(place, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _lock(path: Path, reader: str) -> sqlite3.Connection:
    """A lock that ends with the process, however it ends: SQLite's own, on a file beside the store."""
    file = path.with_name(f".{path.stem}.lock")
    connection = sqlite3.connect(file, isolation_level=None, timeout=0.0)
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        connection.close()
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise InputError(
                f"The readings of {reader} are open in another window or computer; close them there first."
            ) from None
        raise
    return connection


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
        message = f"{path}: {_reason(error)}."
    else:
        return
    raise InputError(message)


def _reason(error: Exception) -> str:
    kept = "nothing that was stored before is lost"
    if isinstance(error, OSError):
        return f"it cannot be used ({error.strerror or type(error).__name__}); {kept}"
    if isinstance(error, UnicodeDecodeError):
        return _DAMAGED
    if isinstance(error, sqlite3.IntegrityError):
        return f"another program has written to it; close the others and sign in again, {kept}"
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    words = {
        sqlite3.SQLITE_FULL: f"the disk is full; free some space and try again, {kept}",
        sqlite3.SQLITE_READONLY: f"it may not be written; get the right to write to its folder, {kept}",
        sqlite3.SQLITE_CANTOPEN: f"it cannot be opened nor its folder written; get the right to both, {kept}",
        sqlite3.SQLITE_IOERR: f"the disk refused, perhaps it is full or disconnected; try again, {kept}",
        sqlite3.SQLITE_BUSY: f"another program keeps it locked; close that and try again, {kept}",
        sqlite3.SQLITE_NOTADB: f"it {_NOT_OURS}, or is damaged; run `her2map study verify`",
        sqlite3.SQLITE_CORRUPT: _DAMAGED,
    }
    return words.get(code, f"{error}")
