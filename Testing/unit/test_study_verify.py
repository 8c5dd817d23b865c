"""What `verify` says of stores that are gone, renamed, or written at odd times."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from her2map.errors import InputError
from her2map.study.chain import Head
from her2map.study.protocol import Case, Protocol
from her2map.study.readings import read_readings
from her2map.study.status import reader_status, warnings_of
from her2map.study.store import Store
from her2map.study.verify import heads_as_json, read_heads, stray_stores, verify_study


@pytest.fixture
def protocol(tmp_path: Path) -> Protocol:
    made = Protocol(tmp_path, "T", (Case("001", Path("/a")), Case("002", Path("/b"))), ("anna", "ben"), 1)
    clock = iter(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=i) for i in range(20))
    with closing(Store(made.store("anna"), "anna", lambda: next(clock))) as store:
        for slot in (("001", 1), ("001", 2), ("009", 1)):
            store.append("opened", *slot, {})
            store.append("skipped", *slot, {"reason": "x"})
    return made


def test_a_whole_store_with_what_is_odd(protocol: Protocol) -> None:
    anna, ben = verify_study(replace(protocol, minimum_interval_hours=24))
    assert anna.problems == () and anna.head.count == 6
    assert anna.remarks == (
        "case 009, reading 1 is not in the protocol",
        "case 001, reading 2 began sooner after reading 1 than allowed",
    )
    assert ben.problems == () and ben.head == Head(0, "")
    (status, _) = reader_status(protocol, read_readings(protocol))
    assert (status.skipped, status.others, status.total) == (2, 1, 6)


def test_a_reader_who_was_renamed_does_not_vanish(protocol: Protocol, tmp_path: Path) -> None:
    renamed = replace(protocol, readers=("Annika", "ben"))
    assert stray_stores(renamed) == ("anna",)
    checks = {one.reader: one for one in verify_study(renamed)}
    assert checks["anna"].problems == (
        "study.toml has no such reader, so these readings are in no table; put the name back",
    )


def test_a_store_that_is_gone_is_missed(protocol: Protocol, tmp_path: Path) -> None:
    import json

    saved = tmp_path / "heads.json"
    saved.write_text(json.dumps(heads_as_json(verify_study(protocol))))
    heads = read_heads(saved)
    assert all(one.problems == () for one in verify_study(protocol, heads))
    protocol.store("anna").unlink()
    assert verify_study(protocol)[0].problems == ("the store is gone",)  # its lock lies there still
    (tmp_path / "readings" / ".anna.lock").unlink()
    assert verify_study(protocol)[0].problems == ()
    assert verify_study(protocol, heads)[0].problems == ("the store is gone",)
    gone = verify_study(replace(protocol, readers=("ben",)), heads)[-1]
    assert gone.reader == "anna" and "the store is gone" in gone.problems


def test_entries_made_anew_differ_from_an_earlier_check(protocol: Protocol) -> None:
    heads = {"anna": Head(4, "0" * 64)}
    assert verify_study(protocol, heads)[0].problems == (
        "its first 4 entries are not those of the earlier check",
    )


def test_heads_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "h.json").write_text("[1]")
    with pytest.raises(InputError, match="holds no heads"):
        read_heads(tmp_path / "h.json")


def test_what_the_coordinator_is_warned_of(protocol: Protocol) -> None:
    renamed = replace(protocol, readers=("ben",))
    assert warnings_of(renamed, reader_status(renamed, {"ben": ()}), {"001": "its readings differ"}) == (
        "Case 001 is left out: its readings differ.",
        "anna has readings here, but is no reader in study.toml; put the name back.",
    )
    readers = reader_status(protocol, read_readings(protocol))
    assert warnings_of(protocol, readers, {}) == (
        "anna has 1 reading of cases or repeats that study.toml no longer names.",
    )
