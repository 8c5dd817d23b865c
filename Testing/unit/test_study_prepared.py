"""A case as readers get it: prepared once, and again when what it follows from changes."""

from pathlib import Path

import numpy as np
import pytest

from her2map.errors import Cancelled, InputError
from her2map.exam import read_exam
from her2map.series import Role
from her2map.study.aggregate import aggregate
from her2map.study.prepared import prepare_case
from her2map.study.protocol import read_protocol
from her2map.study.readings import read_readings
from her2map.study.session import open_session
from study_data import read_one, truth_roi, write_study

# Prepared cases


def test_a_case_is_prepared_once_and_again_when_its_exam_or_the_fit_changes(
    tmp_path: Path, phantom_exam: Path
) -> None:
    protocol = write_study(tmp_path, phantom_exam, 1)
    case = prepare_case(protocol, "001")
    (file,) = protocol.cache.glob("*.npz")
    stamp = file.stat().st_mtime_ns
    again = prepare_case(protocol, "001")
    assert file.stat().st_mtime_ns == stamp
    assert again.facts == case.facts and again.pixels_sha256 == case.pixels_sha256
    for name, (fitted, geometry) in case.maps.items():
        kept, grid = again.maps[name]
        for layer in ("value", "standard_error", "r_squared", "status"):
            np.testing.assert_array_equal(getattr(kept, layer), getattr(fitted, layer))
        assert (kept.quantity, kept.unit, kept.method, kept.notes) == (
            fitted.quantity, fitted.unit, fitted.method, fitted.notes
        )  # fmt: skip
        assert grid.matches(geometry, 0.0)
    np.testing.assert_array_equal(again.dce.data, case.dce.data)
    np.testing.assert_array_equal(again.dce.after_injection_s, case.dce.after_injection_s)

    text = (protocol.folder / "study.toml").read_text(encoding="utf-8")
    text = text.replace('preset = "recommended"', 'preset = "recommended"\nt2_first_echo = 2')
    (protocol.folder / "study.toml").write_text(text, encoding="utf-8")
    prepare_case(read_protocol(protocol.folder), "001")
    (other,) = protocol.cache.glob("*.npz")
    assert other.name != file.name

    other.write_bytes(other.read_bytes()[:-2000] + b"\0" * 2000)  # the disk has lost a part
    mended = prepare_case(read_protocol(protocol.folder), "001")
    assert mended.maps.keys() == case.maps.keys()


def test_the_study_says_what_a_series_is(tmp_path: Path, phantom_exam: Path) -> None:
    """By a role in study.toml the T2 map comes from nowhere, and the reading cannot be finished."""
    protocol = write_study(tmp_path, phantom_exam, 1)
    keys = {a.role: a.key for a in read_exam(protocol.case("001").folder).assignments}
    path = protocol.folder / "study.toml"
    path.write_text(path.read_text() + f'roles = ["{keys[Role.T2]}=none"]\n')
    case = prepare_case(read_protocol(protocol.folder), "001")
    assert "T2" not in case.maps and "T2star" in case.maps
    path.write_text(path.read_text().replace("=none", "=best"))
    with pytest.raises(InputError, match=r"The role '\w+=best': write KEY=ROLE"):
        prepare_case(read_protocol(protocol.folder), "001")


def test_cancelled_preparation_leaves_nothing_behind(tmp_path: Path, phantom_exam: Path) -> None:
    protocol = write_study(tmp_path, phantom_exam, 1)

    def cancel(fraction: float) -> None:
        if fraction > 0.5:
            raise Cancelled

    with open_session(protocol.folder, "r1") as session:
        session.begin()
        with pytest.raises(Cancelled):
            session.load(cancel)
        assert not list(protocol.folder.glob("cache/*"))
        assert session.load().code == "001"


def test_the_next_case_is_prepared_by_a_process_of_its_own(tmp_path: Path, phantom_exam: Path) -> None:
    protocol = write_study(tmp_path, phantom_exam, 2)
    with open_session(protocol.folder, "r1") as session:
        first = session.begin()
        arguments = session.prefetch_arguments
        second = session.upcoming.slot
        assert arguments == [
            "-m", "her2map", "study", "prepare", str(protocol.folder), "--case", second.case
        ]  # fmt: skip
        assert second.case != first.case
        prepare_case(protocol, second.case)
        assert session.prefetch_arguments is None


def test_a_case_that_changed_between_its_readings_is_refused(tmp_path: Path, phantom_exam: Path) -> None:
    protocol, roi = write_study(tmp_path, phantom_exam, 1), truth_roi(phantom_exam)
    with open_session(protocol.folder, "r1") as session:
        read_one(session, roi)
    path = protocol.folder / "study.toml"
    path.write_text(path.read_text().replace('preset = "recommended"', 'preset = "paper"'))
    with open_session(protocol.folder, "r1") as session:
        session.begin()
        with pytest.raises(InputError, match="Case 001 is not what it was in your earlier readings"):
            session.load()
        session.skip("told the coordinator")
    with open_session(protocol.folder, "r2") as other:  # one who has not read it does not know
        read_one(other, roi)
    found = aggregate(read_protocol(protocol.folder), read_readings(protocol))
    assert found.mixed["001"].startswith("its readings are of maps that were fitted in different ways")
