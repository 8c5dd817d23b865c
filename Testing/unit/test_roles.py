"""Roles proposed for real series and for hand-made ones, signal stacks, and joining them."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from her2map.errors import InputError
from her2map.series import (
    Assignment,
    Role,
    Series,
    Technique,
    groups,
    join,
    override,
    propose_roles,
    read_series,
    role_choices,
)

GRADIENT = {"ScanningSequence": "GR", "SequenceName": "*fl3d1"}
SPIN = {"ScanningSequence": "SE"}


def made(description: str = "", shift_mm: float = 0.0, slices: int = 2, **parameters: Any) -> Series:
    """A series of the given parameters; the longest of them counts the measurements."""
    values = {
        name: parameters.pop(name, np.nan) for name in ("te_ms", "tr_ms", "ti_ms", "flip_angle_deg", "time_s")
    }
    n = max(np.size(value) for value in values.values())
    affine = np.diag([2.0, 2.0, 3.0, 1.0])
    affine[0, 3] = shift_mm
    arrays = {name: np.broadcast_to(np.asarray(value, float), n).copy() for name, value in values.items()}
    return Series(
        data=np.arange(n, dtype=np.float32)[:, None, None, None] * np.ones((1, slices, 3, 4), np.float32),
        affine=affine,
        channel=np.zeros(n, int),
        component=np.full(n, parameters.pop("component", "magnitude")),
        uid="1.2.3",
        description=description,
        sequence=parameters.pop("sequence", GRADIENT),
        **arrays,
        **parameters,
    )


def vfa(when_s: float, angles: tuple[float, ...] = (2, 5, 12), **more: Any) -> list[Series]:
    return [
        made(f"vfa {a}", te_ms=2.5, tr_ms=5.0, flip_angle_deg=a, time_s=when_s + 15 * i, **more)
        for i, a in enumerate(angles)
    ]


def molli(when_s: float, description: str = "MOLLI") -> Series:
    return made(
        description, te_ms=1.1, tr_ms=2.8, ti_ms=[100, 200, 350, 500, 800], flip_angle_deg=35, time_s=when_s
    )


def dce(first_s: float, phases: int = 5, **more: Any) -> Series:
    times = first_s + 60.0 * np.arange(phases)
    return made("t1 dyn", te_ms=1.7, tr_ms=4.6, flip_angle_deg=10, time_s=times, **more)


def roles(assignments: list[Assignment]) -> list[Role]:
    return [a.role for a in assignments]


@pytest.mark.parametrize("site", ["site1_20200218", "site4_philips"])
def test_nist_inversion_recovery_is_one_spin_echo_stack(shared_data: Path, site: str) -> None:
    found = groups(propose_roles(read_series(shared_data / "nist_phantom_hazen" / "T1" / site)))
    assert list(found) == [Role.T1_PRE]
    (group,) = found[Role.T1_PRE]
    assert group.technique is Technique.SPIN_ECHO_IR
    assert group.missing == ()
    stack = join(group)
    assert stack.ti_ms.tolist() == [50, 100, 200, 400, 600, 800]
    for one in group:  # every image stands at its own TI
        assert np.array_equal(stack.data[stack.ti_ms == one.ti_ms[0]], one.data)


def test_spin_echo_trains_are_t2(shared_data: Path) -> None:
    for folder, echoes in (("nist_phantom_hazen/T2/site4_philips", 32), ("mese_siemens_dcmstack", 3)):
        found = groups(propose_roles(read_series(shared_data / folder)))
        (group,) = found.pop(Role.T2)
        assert not found
        assert group.technique is Technique.MULTI_ECHO_SPIN_ECHO
        assert len(join(group).te_ms) == echoes


def test_philips_molli_goes_before_the_scanner_map(shared_data: Path) -> None:
    proposed = propose_roles(read_series(shared_data / "molli_philips_enhanced"))
    assert [a.key for a in proposed] == ["701a", "701b"]  # one series of the scanner
    found = groups(proposed)
    first, second = found[Role.T1_PRE]
    assert (first.technique, second.technique) == (Technique.LOOK_LOCKER, Technique.SCANNER_MAP)
    assert "measured signals" in first.reason
    assert len(join(first).ti_ms) == 8


def test_rider_flip_angles_in_separate_series(shared_data: Path) -> None:
    for study in sorted((shared_data / "vfa_rider_siemens").glob("*/*")):
        assignments = propose_roles(read_series(study))
        (group,) = groups(assignments)[Role.T1_PRE]
        assert group.technique is Technique.VFA
        assert join(group).flip_angle_deg.tolist() == [5, 10]
        assert all("please check" in a.reason for a in assignments)  # nothing tells pre from post here


def test_a_two_echo_field_map_is_not_t2star(shared_data: Path) -> None:
    (only,) = propose_roles(read_series(shared_data / "gre2_siemens_xa30_enhanced"))
    assert (only.role, only.missing) == (Role.NONE, ("a third echo",))


def test_gradient_echoes_are_t2star_and_their_phase_is_not(shared_data: Path, tmp_path: Path) -> None:
    card = {
        "EchoTime": [0.004, 0.008, 0.012],
        "RepetitionTime": 0.03,
        "FlipAngle": 15,
        "ScanningSequence": "GR",
    }
    for name in ("Mag.nii.gz", "Phase.nii"):
        shutil.copy(shared_data / "megre3_magphase_nifti" / name, tmp_path)
        (tmp_path / f"{name.split('.')[0]}.json").write_text(json.dumps(card))
    by_name = {a.series.description: a for a in propose_roles(read_series(tmp_path))}
    assert by_name["Mag"].technique is Technique.MULTI_ECHO_GRADIENT_ECHO
    assert by_name["Mag"].role is Role.T2STAR
    assert by_name["Phase"].role is Role.NONE
    assert "phase" in by_name["Phase"].reason


def test_silent_headers_are_named_not_guessed(shared_data: Path) -> None:
    for assignment in propose_roles(read_series(shared_data / "irse_sepal_nifti" / "T1_IRSE_data")):
        assert assignment.role is Role.NONE
        assert assignment.missing


def test_a_whole_exam() -> None:
    t2 = made(
        "t2 map", te_ms=13.8 * np.arange(1, 9), tr_ms=2500, flip_angle_deg=180, time_s=100, sequence=SPIN
    )
    t2star = made("t2star", te_ms=3.5 * np.arange(1, 9), tr_ms=600, flip_angle_deg=40, time_s=200)
    b1 = made("b1", tr_ms=6000, flip_angle_deg=80, time_s=0, scanner_map="B1", unit="percent")
    stir = made("stir", te_ms=60, tr_ms=4000, ti_ms=230, flip_angle_deg=150, time_s=5, sequence=SPIN)
    exam = [b1, *vfa(10), molli(60), stir, t2, t2star, dce(400, injection_time_s=450), *vfa(1030)]
    assignments = propose_roles(exam)
    assert roles(assignments) == [
        Role.B1,
        *[Role.T1_PRE] * 4,
        Role.NONE,
        Role.T2,
        Role.T2STAR,
        Role.DCE,
        *[Role.T1_POST] * 3,
    ]
    assert "STIR" in assignments[5].reason
    assert "7 min 20 s before the injection" in assignments[1].reason
    found = groups(assignments)
    pre, other = found[Role.T1_PRE]
    assert (pre.technique, other.technique) == (Technique.VFA, Technique.LOOK_LOCKER)
    assert "same technique before and after" in pre.reason
    assert len(found[Role.T1_POST]) == 1


def test_pre_takes_the_technique_that_post_has() -> None:
    found = groups(propose_roles([*vfa(10), molli(60), dce(400), molli(1000)]))
    assert [g.technique for g in found[Role.T1_PRE]] == [Technique.LOOK_LOCKER, Technique.VFA]


def test_before_or_after_by_description_contrast_and_order() -> None:
    assert roles(propose_roles([molli(1, "MOLLI native"), molli(2, "MOLLI post Gd")])) == [
        Role.T1_PRE,
        Role.T1_POST,
    ]
    assert roles(propose_roles([molli(2, "T1map_MOLLI_precontrast")])) == [Role.T1_PRE]
    enhanced = molli(2)
    enhanced.sequence = {**GRADIENT, "ContrastBolusAgent": "Gadobutrol"}
    assert roles(propose_roles([enhanced])) == [Role.T1_POST]
    later, earlier = propose_roles([molli(900), molli(100)])
    assert (later.role, earlier.role) == (Role.T1_POST, Role.T1_PRE)
    assert "like series" in later.reason
    (alone,) = propose_roles([molli(100)])
    assert alone.role is Role.T1_PRE
    assert "please check" in alone.reason


def test_the_clock_outweighs_the_description() -> None:
    assignment, _ = propose_roles([molli(1000, "MOLLI native"), dce(400)])
    assert assignment.role is Role.T1_POST
    assert "10 min 00 s after the start of the DCE series" in assignment.reason


def test_a_stale_injection_time_does_not_turn_pre_into_post() -> None:
    exam = [*vfa(4000, injection_time_s=900.0), dce(4400, injection_time_s=900.0), *vfa(5000)]
    assignments = propose_roles(exam)
    assert roles(assignments) == [*[Role.T1_PRE] * 3, Role.DCE, *[Role.T1_POST] * 3]
    assert assignments[0].reason.endswith(
        "6 min 40 s before the start of the DCE series "
        "(the header's injection time does not fit the DCE series)"
    )
    # Later than the last phase is as wrong, and another series may know better.
    late = [*vfa(4000, injection_time_s=4450.0), dce(4400, injection_time_s=9000.0), *vfa(5000)]
    assert "7 min 30 s before the injection" in propose_roles(late)[0].reason


def test_dce_in_a_series_a_phase() -> None:
    phases = [
        made(f"dyn ph{i}", te_ms=1.7, tr_ms=4.6, flip_angle_deg=10, time_s=40_400 + 60 * i) for i in range(4)
    ]
    lone = made("fl3d native", te_ms=1.7, tr_ms=4.6, flip_angle_deg=10, time_s=40_300)
    found = groups(propose_roles([*phases, lone]))
    (group,) = found[Role.DCE]
    assert list(found) == [Role.DCE]
    assert join(group).time_s.tolist() == [40_300, 40_400, 40_460, 40_520, 40_580]


def test_flip_angles_measured_three_times_are_no_dce() -> None:
    found = groups(propose_roles([*vfa(0), *vfa(500), *vfa(1000)]))
    assert Role.DCE not in found
    assert len(found[Role.T1_PRE]) == 1
    assert len(found[Role.T1_POST]) == 2
    assert all(len(group) == 3 for group in found[Role.T1_POST])


def test_the_inversion_time_of_a_fat_suppression_does_not_mislead() -> None:
    fat_suppressed = [*vfa(10, ti_ms=17), dce(400, ti_ms=17)]
    assert roles(propose_roles(fat_suppressed)) == [*[Role.T1_PRE] * 3, Role.DCE]
    assert {a.technique for a in propose_roles(fat_suppressed)} == {Technique.VFA, Technique.DCE}


def test_molli_without_its_inversion_times_is_no_dce() -> None:
    lost = made("MOLLI", te_ms=1.1, tr_ms=2.8, flip_angle_deg=35, time_s=[1, 2, 3, 4])
    (only,) = propose_roles([lost])
    assert (only.role, only.technique) == (Role.T1_PRE, Technique.LOOK_LOCKER)
    assert only.missing == tuple(f"TI of measurement {i}" for i in (1, 2, 3, 4))


def test_a_subtraction_or_fat_image_is_no_dce() -> None:
    for word in ("SUB", "FAT"):
        odd = dce(400, sequence={**GRADIENT, "ImageType": ("DERIVED", "PRIMARY", word)})
        assert roles(propose_roles([odd])) == [Role.NONE]


def test_bloch_siegert_needs_two_phase_images() -> None:
    one, two = (
        made("b1 bloch siegert", te_ms=10, tr_ms=100, flip_angle_deg=30, time_s=t, component="phase")
        for t in (1, 2)
    )
    (pair,) = groups(propose_roles([one, two]))[Role.B1]
    assert (pair.technique, len(pair), pair.missing) == (Technique.BLOCH_SIEGERT, 2, ())
    (half,) = groups(propose_roles([one]))[Role.B1]
    assert half.missing == ("exactly two phase images (it has 1)",)


def test_unknown_readout_is_not_guessed() -> None:
    (only,) = propose_roles([made("map", te_ms=[10, 20, 30, 40], tr_ms=900, sequence={})])
    assert only.role is Role.NONE
    assert "choose T2 or T2*" in only.reason


def test_missing_inversion_time_is_named() -> None:
    series = made(
        "MOLLI", te_ms=1.1, tr_ms=2.8, ti_ms=[100, 200, np.nan, 500, 800], flip_angle_deg=35, time_s=0
    )
    (only,) = propose_roles([series])
    assert only.technique is Technique.LOOK_LOCKER
    assert only.missing == ("TI of measurement 3",)


def test_a_repeated_incomplete_set_is_not_preferred() -> None:
    found = groups(propose_roles([*vfa(0), *vfa(100, (12,))]))
    complete, rest = found[Role.T1_PRE][0], found[Role.T1_POST][0]
    assert complete.missing == ()
    assert rest.missing == ("at least 2 different flip angles (it has 1)",)


def test_the_user_overrules() -> None:
    exam = [*vfa(10), molli(60), dce(400)]
    proposed = propose_roles(exam)
    changed = override(proposed, exam[3], Role.T1_POST)
    assert changed[3].reason == "chosen by the user"
    assert changed[3].technique is Technique.LOOK_LOCKER
    assert roles(changed)[:3] == roles(proposed)[:3]
    assert proposed[3].role is Role.T1_PRE
    other = [*exam, molli(70)]
    chosen = override(propose_roles(other), other[-1], Role.T1_PRE)
    first = groups(chosen)[Role.T1_PRE][0]
    assert list(first) == [other[-1]]
    assert first.reason == "preferred: chosen by the user"


def test_an_override_without_technique_asks_for_it() -> None:
    series = made("map", te_ms=[10, 20, 30], tr_ms=900, sequence={})
    assignments = propose_roles([series])
    assert override(assignments, series, Role.T2STAR)[0].technique is Technique.MULTI_ECHO_GRADIENT_ECHO
    with pytest.raises(InputError, match="Name the technique of series"):
        override(assignments, series, Role.T1_PRE)
    with pytest.raises(InputError, match="not part of this exam"):
        override(assignments, molli(0), Role.NONE)


def test_an_override_by_a_technique_that_does_not_suit_is_refused() -> None:
    exam = [*vfa(10), molli(60), made("t1map", time_s=70, scanner_map="T1", unit="ms")]
    proposed = propose_roles(exam)
    with pytest.raises(
        InputError, match=r"\(MOLLI\) for the role T2: multi_echo_spin_echo; vfa does not suit"
    ):
        override(proposed, exam[3], Role.T2, Technique.VFA)
    with pytest.raises(InputError, match="scanner_map does not suit"):
        override(proposed, exam[4], Role.T2, Technique.SCANNER_MAP)
    assert override(proposed, exam[4], Role.T1_POST)[4].technique is Technique.SCANNER_MAP
    named = override(proposed, exam[3], Role.T1_PRE, Technique.SPIN_ECHO_IR)[3]
    assert named.reason == "chosen by the user; its header says gradient echo"


def test_an_override_against_the_header_says_so() -> None:
    for sequence, role, word in ((SPIN, Role.T2STAR, "spin"), (GRADIENT, Role.T2, "gradient")):
        series = made("map", te_ms=[10, 20, 30], tr_ms=900, sequence=sequence)
        (chosen,) = override(propose_roles([series]), series, role)
        assert (chosen.role, chosen.missing) == (role, ())
        assert chosen.reason == f"chosen by the user; its header says {word} echo"


def test_a_b1_map_is_one_measurement_of_a_named_unit() -> None:
    echoes = made("t2", te_ms=[10, 20, 30], tr_ms=900, sequence=SPIN)
    (group,) = groups(override(propose_roles([echoes]), echoes, Role.B1))[Role.B1]
    assert group.missing == ("exactly one measurement, the map (it has 3)",)
    silent = made("b1map", te_ms=2, tr_ms=900, flip_angle_deg=8)
    proposed = propose_roles([silent])
    assert groups(proposed)[Role.B1][0].missing == ("the unit of the map of series (b1map)",)
    (chosen,) = override(proposed, silent, Role.B1)
    assert chosen.missing == ()
    assert "its header does not name the unit of the map" in chosen.reason


def test_every_series_has_a_key_of_its_own() -> None:
    numbers = [701, None, 3, 701, None]
    exam = [made(str(i), te_ms=i + 1, time_s=i, number=n) for i, n in enumerate(numbers)]
    proposed = propose_roles(exam)
    assert [a.key for a in proposed] == ["701a", "n1", "3", "701b", "n2"]
    assert [a.key for a in override(proposed, exam[3], Role.DCE)] == ["701a", "n1", "3", "701b", "n2"]
    many = [made("", te_ms=1, time_s=0, number=7) for _ in range(53)]
    keys = [a.key for a in propose_roles(many)]
    assert (keys[25:27], keys[52]) == (["7z", "7aa"], "7ba")
    assert len(set(keys)) == len(keys)


def test_what_a_stack_lacks_names_the_series() -> None:
    exam = vfa(10)
    for number, series in enumerate(exam, 5):
        series.number, series.tr_ms = number, np.array([np.nan])
    (group,) = groups(propose_roles(exam))[Role.T1_PRE]
    assert group.missing == tuple(
        f"TR of measurement 1 of series {n} (vfa {a})" for n, a in ((5, 2), (6, 5), (7, 12))
    )


def test_a_series_without_te_is_not_used_and_says_so() -> None:
    (lost,) = propose_roles([made("t2", te_ms=[np.nan] * 3, tr_ms=900, flip_angle_deg=90, sequence=SPIN)])
    assert lost.role is Role.NONE
    assert lost.reason == "its header lacks TE, so nothing tells what it measures"
    assert lost.missing == tuple(f"TE of measurement {i}" for i in (1, 2, 3))
    (partly,) = propose_roles([made("t2", te_ms=[10, np.nan, 30], tr_ms=900, sequence=SPIN)])
    assert (partly.role, partly.missing) == (Role.NONE, ("TE of measurement 2",))
    angles = [made("vfa", te_ms=2, tr_ms=5, flip_angle_deg=np.nan, time_s=t) for t in (1, 2)]
    assert [a.missing for a in propose_roles(angles)] == [("flip angle of measurement 1",)] * 2


def test_join_refuses_other_grids_and_components() -> None:
    a, moved = made("a", te_ms=1), made("b", te_ms=2, shift_mm=0.5)
    with pytest.raises(InputError, match=r"\(a\) and \(b\) lie on different grids; register or resample"):
        join([a, moved])
    with pytest.raises(InputError, match="magnitude or phase"):
        join([a, made("b", te_ms=2, component="phase")])
    with pytest.raises(InputError, match="no series to join"):
        join([])


@given(st.permutations(list(range(6))), st.integers(1, 5))
def test_join_keeps_every_measurement_with_its_parameters(order: list[int], cut: int) -> None:
    echoes = 10.0 * (1 + np.array(order))
    whole = made("x", te_ms=echoes, tr_ms=1000 + echoes, time_s=echoes)
    whole.data *= 0
    whole.data += echoes.astype(np.float32)[:, None, None, None]
    parts = []
    for piece in (slice(None, cut), slice(cut, None)):
        part = made("x", te_ms=echoes[piece], tr_ms=1000 + echoes[piece], time_s=echoes[piece])
        part.data = whole.data[piece]
        parts.append(part)
    joined = join(parts)
    assert joined.te_ms.tolist() == sorted(echoes)
    assert np.array_equal(joined.tr_ms, 1000 + joined.te_ms)
    assert np.array_equal(joined.data[:, 0, 0, 0], joined.te_ms)


@settings(max_examples=30)
@given(st.permutations(list(range(9))))
def test_roles_do_not_depend_on_the_order_of_the_series(order: list[int]) -> None:
    exam = [
        *vfa(10),
        molli(60),
        dce(400),
        *vfa(1030),
        made("loc", te_ms=4, tr_ms=9, flip_angle_deg=20, time_s=1),
    ]
    expected = roles(propose_roles(exam))
    assert roles(propose_roles([exam[i] for i in order])) == [expected[i] for i in order]


def test_every_choice_offered_is_accepted() -> None:
    series = [*vfa(0.0), molli(100.0), dce(200.0)]
    assignments = propose_roles(series)
    for one in series:
        choices = role_choices(one)
        assert len(choices) == len(set(choices)) > 8
        for role, technique in choices:
            changed = next(a for a in override(assignments, one, role, technique) if a.series is one)
            assert (changed.role, changed.technique) == (role, technique)
