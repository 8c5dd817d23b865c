"""The order of DCE phases, the 90 s phase, the injection time and the delay of T1 post contrast."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from her2map.errors import InputError
from her2map.series import DceSeries, Series, choose_phase, dce_phases, find_injection, post_contrast_delay


def phases(times: ArrayLike, curve: ArrayLike | None = None, **more: Any) -> Series:
    """A series of phases; 20 of its 1000 voxels follow `curve`, the rest is noise about 100."""
    when = np.asarray(times, float)
    n = len(when)
    data = np.random.default_rng(1).normal(100, 2, (n, 10, 10, 10)).astype(np.float32)
    if curve is not None:
        data.reshape(n, -1)[:, :20] = np.asarray(curve)[:, None]
    return Series(
        data=data,
        affine=np.diag([1.0, 1.0, 2.0, 1.0]),
        te_ms=np.full(n, 1.7),
        tr_ms=np.full(n, 4.6),
        ti_ms=np.full(n, np.nan),
        flip_angle_deg=np.full(n, 10.0),
        time_s=when,
        channel=np.zeros(n, int),
        component=np.full(n, "magnitude"),
        uid="1",
        description="dyn",
        time_source="AcquisitionTime",
        slice_thickness_mm=2.4,
        **more,
    )


def clinic(**more: Any) -> DceSeries:
    """One phase before the injection at 1000 s, then 60 s each from 1010 s on."""
    times = [900.0, *(1010.0 + 60 * np.arange(6))]
    return dce_phases([phases(times, injection_time_s=1000.0, **more)])


def test_phases_are_put_in_the_order_of_time() -> None:
    late, early = phases([300.0, 180.0]), phases([240.0, 120.0])
    late.data[:] = np.array([300, 180], np.float32)[:, None, None, None]
    early.data[:] = np.array([240, 120], np.float32)[:, None, None, None]
    joined = dce_phases([late, early])
    assert joined.time_s.tolist() == [120, 180, 240, 300]
    assert joined.data[:, 0, 0, 0].tolist() == [120, 180, 240, 300]
    assert joined.slice_thickness_mm == 2.4


def test_the_90_s_phase_is_that_of_the_nearest_k_space_centre() -> None:
    choice = choose_phase(clinic())
    # Centres at 40, 100, 160 s; by the starts (10, 70, 130 s) another phase would tie.
    assert (choice.index, choice.after_injection_s) == (2, 100.0)
    assert [(n.index, n.after_injection_s) for n in choice.neighbours] == [(1, 40.0), (3, 160.0)]
    assert choice.source == "ContrastBolusStartTime"
    assert "half-way through a phase (60 s" in choice.reason
    assert not choice.overridden
    assert not choice.estimated


def test_centric_ordering_puts_the_centre_at_the_start() -> None:
    dce = clinic(sequence={"RectilinearPhaseEncodeReordering": "CENTRIC"})
    choice = choose_phase(dce)
    assert (choice.index, choice.after_injection_s) == (2, 70.0)
    assert "centric" in choice.reason


def test_the_stated_duration_counts_unless_it_is_the_whole_series() -> None:
    assert clinic(sequence={"FrameAcquisitionDuration": 40000.0}).after_injection_s[1] == 30
    assert clinic(sequence={"AcquisitionDuration": 50.0}).after_injection_s[1] == 35
    assert clinic(sequence={"AcquisitionDuration": 400.0}).after_injection_s[1] == 40


def test_a_single_phase_has_no_duration_to_halve() -> None:
    dce = dce_phases([phases([1090.0], injection_time_s=1085.0)])
    assert dce.after_injection_s.tolist() == [5.0]
    assert "not known" in choose_phase(dce).reason


@given(
    st.lists(st.floats(5, 100), min_size=1, max_size=12),
    st.floats(0, 600),
    st.floats(20, 200),
)
def test_no_other_phase_lies_nearer(gaps: list[float], injection: float, target: float) -> None:
    one = phases(np.cumsum(gaps)[:1])
    times = np.cumsum(gaps)
    dce = DceSeries(
        one.data, one.affine, 2.0, times, "AcquisitionTime", 20.0, 0.5, "", float("nan"), "", "dyn"
    )
    choice = choose_phase(dce, target, injection_time_s=injection)
    assert choice.source == "given by the user"
    assert abs(choice.after_injection_s - target) == np.abs(times + 10 - injection - target).min()


def test_the_user_may_choose_phase_and_injection() -> None:
    choice = choose_phase(clinic(), override=4)
    assert (choice.index, choice.after_injection_s, choice.overridden) == (4, 220.0, True)
    assert "chosen by the user (phase 3 lies nearest to 90 s)" in choice.reason
    assert choose_phase(clinic(), injection_time_s=1045.0).index == 3
    with pytest.raises(InputError, match="no DCE phase 8; choose one from 1 to 7"):
        choose_phase(clinic(), override=7)
    with pytest.raises(InputError, match="not a number"):
        choose_phase(clinic(), injection_time_s=math.nan)


@pytest.mark.parametrize(("voxels", "first"), [("vif", 4), ("tissue", 5)])
def test_the_onset_is_found_in_measured_curves(shared_data: Path, voxels: str, first: int) -> None:
    curve = np.load(shared_data / "irse_sepal_nifti" / "DCE_ROI_data" / f"signal_{voxels}.npy")
    times = 5000 + 40.0 * np.arange(len(curve))
    dce = dce_phases([phases(times, curve)])
    injection = find_injection(dce)
    assert (
        injection.time_s == times[first]
    )  # the last phase before it is within the noise of its predecessors
    choice = choose_phase(dce)
    assert choice.estimated
    assert choice.source == "estimated from the onset of enhancement"
    assert f"the start of phase {first + 1}" in choice.reason


def test_a_spike_before_the_bolus_is_no_onset() -> None:
    one = phases(60.0 * np.arange(6), [100, 100, 100, 250, 300, 280])
    one.data[1].reshape(-1)[500:520] = 400
    assert find_injection(dce_phases([one])).time_s == 180


def test_nothing_enhances() -> None:
    with pytest.raises(InputError, match="give the injection time, or choose the phase by its number"):
        choose_phase(dce_phases([phases(60.0 * np.arange(5))]))
    falling = phases(60.0 * np.arange(5), [300, 280, 260, 240, 220])
    with pytest.raises(InputError, match="ContrastBolusStartTime"):
        choose_phase(dce_phases([falling]))


def test_an_impossible_header_time_is_left_aside() -> None:
    one = phases(5000 + 60.0 * np.arange(5), [100, 100, 300, 280, 260], injection_time_s=300.0)
    choice = choose_phase(dce_phases([one]))
    assert choice.estimated
    assert "lies outside the series and is left aside" in choice.reason


@pytest.mark.parametrize("times", [[np.nan] * 4, [60.0] * 4, [0.0, 60.0, np.nan, 180.0]])
def test_phases_without_times_are_chosen_by_number_alone(times: list[float]) -> None:
    dce = dce_phases([phases(times, injection_time_s=10.0)])
    with pytest.raises(InputError, match="missing or repeat themselves"):
        choose_phase(dce)
    choice = choose_phase(dce, override=1)
    assert choice.index == 1
    assert math.isnan(choice.after_injection_s)


def test_a_phase_far_from_90_s_is_pointed_out() -> None:
    dce = dce_phases([phases([1000.0, 1020.0, 1040.0], injection_time_s=990.0)])
    assert "so please check" in choose_phase(dce, target_s=300).reason
    assert "so please check" not in choose_phase(clinic()).reason


def test_delay_of_t1_post() -> None:
    at = 1000.0 + 580.0
    delay, remark = post_contrast_delay([phases([at, at + 15]), phases([at + 30])], clinic())
    assert (delay, remark) == (580.0, "")
    assert post_contrast_delay([phases([at + 60])], clinic()).remark == ""
    late = post_contrast_delay([phases([at + 61])], clinic())
    assert late.delay_s == 641.0
    assert "10 min 41 s after the injection" in late.remark
    assert "9 min 40 s" in late.remark
    assert post_contrast_delay([phases([at])], clinic(), injection_time_s=1100.0).delay_s == 480.0


def test_delay_needs_the_time() -> None:
    with pytest.raises(InputError, match=r"acquisition time of \(dyn\) is missing"):
        post_contrast_delay([phases([np.nan])], clinic())
    with pytest.raises(InputError, match="T1_post"):
        post_contrast_delay([], clinic())


def test_a_chosen_injection_stays_with_the_phases() -> None:
    dce = clinic()
    moved = dce.with_injection(find_injection(dce, 1020.0))
    assert moved.after_injection_s[1] == 20.0
    assert choose_phase(moved).source == "given by the user"
