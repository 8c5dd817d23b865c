"""Which fit a group of series gets, and what is done to its signals first."""

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from her2map.errors import Cancelled, InputError
from her2map.fitting import PAPER, RECOMMENDED, FitOptions, FittedMap, fit_group
from her2map.relaxometry import Status, b1_map, epg_echo_amplitudes
from her2map.series import Group, Role, Series, Technique

SHAPE = (8, 40, 40)
NO_MAPS: MappingProxyType[str, FittedMap] = MappingProxyType({})


def series(data: np.ndarray, **fields: Any) -> Series:
    """Measurements of a grid of 2 x 2 x 4 mm; what `fields` leaves out is not known."""
    n = len(data)
    given = {"te_ms": np.nan, "tr_ms": np.nan, "ti_ms": np.nan, "flip_angle_deg": np.nan, "time_s": np.nan}
    given |= {"channel": 0, "component": "magnitude"} | fields
    per_measurement = ("te_ms", "tr_ms", "ti_ms", "flip_angle_deg", "time_s", "channel", "component")
    return Series(
        data=np.asarray(data, np.float32),
        affine=np.diag([2.0, 2.0, 4.0, 1.0]),
        uid="1.2.3",
        description="a series",
        **{name: np.broadcast_to(given.pop(name), n).copy() for name in per_measurement},
        **given,
    )


def group(technique: Technique, *members: Series) -> Group:
    return Group(Role.T2, technique, members)


def body() -> np.ndarray:
    """1 in an ellipsoid with a bright and a dark ball, 0 in the air around."""
    k, i, j = np.indices(SHAPE)
    inside = ((i - 20) / 14) ** 2 + ((j - 20) / 12) ** 2 + ((k - 3.5) / 6) ** 2 < 1
    bright = (i - 14) ** 2 + (j - 18) ** 2 + 4 * (k - 2) ** 2 < 20
    dark = (i - 25) ** 2 + (j - 23) ** 2 + 4 * (k - 5) ** 2 < 14
    return inside * (1 + 0.5 * bright - 0.4 * dark)


def noisy(clean: np.ndarray, sd: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.abs(clean + sd * (rng.standard_normal(clean.shape) + 1j * rng.standard_normal(clean.shape)))


def decay(t_ms: float, te: np.ndarray, sd: float = 1.0, seed: int = 0) -> np.ndarray:
    return noisy(200 * body() * np.exp(-te[:, None, None, None] / t_ms), sd, seed)


TE_T2 = 13.8 * np.arange(1, 9)
TE_T2STAR = 3.54 * np.arange(1, 9)


def test_t2_leaves_the_first_echo_out_and_registers() -> None:
    found = fit_group(
        group(Technique.MULTI_ECHO_SPIN_ECHO, series(decay(80, TE_T2), te_ms=TE_T2)), RECOMMENDED, NO_MAPS
    )
    assert found.signals.te_ms.tolist() == TE_T2[1:].tolist()
    assert "echoes used: 2 to 8" in found.map.notes
    assert len(found.motions) == 8
    assert np.median(found.map.value[body() > 0.5]) == pytest.approx(80, rel=0.01)


def test_air_is_no_tissue() -> None:
    """Air without a mask: nearly all of it is told by its SNR, not fitted."""
    found = fit_group(
        group(Technique.MULTI_ECHO_GRADIENT_ECHO, series(decay(25, TE_T2STAR), te_ms=TE_T2STAR)),
        RECOMMENDED,
        NO_MAPS,
    )
    air = body() == 0
    assert (found.map.status[air] == Status.LOW_SIGNAL).mean() > 0.99
    assert found.noise_sd == pytest.approx(1.0, rel=0.05)


@pytest.mark.parametrize(("options", "fitted_at_8_ms"), [(RECOMMENDED, 1.0), (PAPER, 0.0)])
def test_the_snr_rule_is_the_papers(options: FitOptions, fitted_at_8_ms: float) -> None:
    """T2* 8 ms leaves 3 % of the signal at 28 ms, an SNR of about 6 at 200 and 3 at 100."""
    data = decay(8, TE_T2STAR, sd=3.0)
    found = fit_group(
        group(Technique.MULTI_ECHO_GRADIENT_ECHO, series(data, te_ms=TE_T2STAR)), options, NO_MAPS
    )
    tissue = body() == 1
    assert found.map.fitted[tissue].mean() == pytest.approx(fitted_at_8_ms, abs=0.1)
    if options is RECOMMENDED:
        assert np.median(found.map.value[tissue]) == pytest.approx(8, rel=0.02)


def test_channels_are_combined_per_echo_in_any_order() -> None:
    """Four channels of different weight, stored channel by channel, give the T2* of the tissue."""
    weights = (0.9, 0.6, 0.4, 0.3)
    clean = 200 * body() * np.exp(-TE_T2STAR[:, None, None, None] / 25)
    data = np.concatenate([noisy(w * clean, 1.0, seed) for seed, w in enumerate(weights)])
    found = fit_group(
        group(
            Technique.MULTI_ECHO_GRADIENT_ECHO,
            series(data, te_ms=np.tile(TE_T2STAR, 4), channel=np.repeat([1, 2, 3, 4], 8)),
        ),
        RECOMMENDED,
        NO_MAPS,
    )
    assert found.signals.te_ms.tolist() == TE_T2STAR.tolist()
    assert np.median(found.map.value[body() > 0.5]) == pytest.approx(25, rel=0.005)


def test_a_channel_without_an_echo_is_refused() -> None:
    data = decay(25, np.tile(TE_T2STAR, 2))[:-1]
    broken = series(data, te_ms=np.tile(TE_T2STAR, 2)[:-1], channel=np.repeat([1, 2], 8)[:-1])
    with pytest.raises(InputError, match="a series: some of the 2 channels lack an echo"):
        fit_group(group(Technique.MULTI_ECHO_GRADIENT_ECHO, broken), RECOMMENDED, NO_MAPS)


def test_masked_air_falls_back_to_least_squares_and_says_so() -> None:
    data = decay(25, TE_T2STAR) * (body() > 0)
    masked = group(Technique.MULTI_ECHO_GRADIENT_ECHO, series(data, te_ms=TE_T2STAR))
    found = fit_group(masked, RECOMMENDED, NO_MAPS)
    assert "least squares" in found.map.method
    assert any("noise floor" in note for note in found.map.notes)
    with pytest.raises(InputError, match="noise SD"):
        fit_group(masked, PAPER, NO_MAPS)


def vfa(b1: np.ndarray) -> Series:
    angles = np.array([2.0, 5, 9, 14, 20])
    a, e1 = np.radians(angles)[:, None, None, None] * b1, np.exp(-5 / 1500)
    data = 4000 * body() * np.sin(a) * (1 - e1) / (1 - e1 * np.cos(a))
    return series(data, flip_angle_deg=angles, tr_ms=5.0)


def test_b1_corrects_vfa_from_another_grid() -> None:
    """A B1 map of twice the voxel size; without it T1 is off by the square of B1, and the map says so."""
    b1 = 0.8 + 0.3 * np.indices(SHAPE)[2] / 40
    coarse = np.diag([4.0, 4.0, 4.0, 1.0])
    coarse[:2, 3] = 1.0
    field = series(10 * 80 * b1[None, :, ::2, ::2] + 10 * 80 * 0.3 / 80, flip_angle_deg=80.0)
    field = replace(field, affine=coarse, unit="flip_angle_x10")
    maps = {"B1": fit_group(group(Technique.B1_MAP, field), RECOMMENDED, NO_MAPS)}
    vfa_group = group(Technique.VFA, vfa(b1))
    corrected = fit_group(vfa_group, RECOMMENDED, maps)
    inside = (body() > 0) & corrected.map.fitted
    assert np.median(corrected.map.value[inside]) == pytest.approx(1500, rel=0.002)
    plain = fit_group(vfa_group, RECOMMENDED, NO_MAPS)
    assert any("B1" in note for note in plain.map.notes)
    assert not any("B1" in note for note in corrected.map.notes)
    row = (3, 20, slice(12, 28))
    assert plain.map.value[row] == pytest.approx(1500 * b1[row] ** 2, rel=0.02)


def test_vfa_needs_one_tr() -> None:
    mixed = replace(vfa(np.ones(SHAPE)), tr_ms=np.array([5.0, 5, 5, 6, 5]))
    with pytest.raises(InputError, match="TR must be"):
        fit_group(group(Technique.VFA, mixed), RECOMMENDED, NO_MAPS)


def test_epg_takes_b1_and_t1_of_the_exam() -> None:
    trains = epg_echo_amplitudes(13.8, 8, 1500.0, 80.0, b1=0.8)
    data = noisy(200 * body() * trains[:, None, None, None], 0.5)
    multi_echo = group(Technique.MULTI_ECHO_SPIN_ECHO, series(data, te_ms=TE_T2))
    b1 = series(np.full((1, *SHAPE), 0.8))
    maps = {"B1": FittedMap(b1_map(b1.data[0], "1"), b1)}
    tissue = body() > 0.5
    by_epg = fit_group(multi_echo, FitOptions(t2_method="epg"), maps).map
    assert np.median(by_epg.value[tissue]) == pytest.approx(80, rel=0.01)
    plain = fit_group(multi_echo, FitOptions(t2_first_echo=0), maps).map
    assert np.median(plain.value[tissue]) > 84  # stimulated echoes


@pytest.mark.parametrize(("header", "option", "t1"), [("s", "", 1200), ("", "s", 1200), ("ms", "s", 1.2)])
def test_scanner_map_is_taken_in_its_unit(header: str, option: str, t1: float) -> None:
    stored = series(np.full((1, *SHAPE), 1.2), scanner_map="T1", unit=header)
    found = fit_group(group(Technique.SCANNER_MAP, stored), FitOptions(map_unit=option), NO_MAPS).map
    assert found.value == pytest.approx(t1)
    assert found.fitted.all()
    assert np.isnan(found.standard_error).all()


def test_the_first_of_several_scanner_maps_is_taken_and_said() -> None:
    stored = series(np.stack([np.full(SHAPE, 900.0), np.full(SHAPE, 100.0)]), scanner_map="T1", unit="ms")
    found = fit_group(group(Technique.SCANNER_MAP, stored), RECOMMENDED, NO_MAPS).map
    assert found.value == pytest.approx(900)
    assert any("holds 2 maps" in note for note in found.notes)


def test_scanner_map_without_a_unit_asks_for_it() -> None:
    stored = series(np.full((1, *SHAPE), 1.2), scanner_map="T1")
    with pytest.raises(InputError, match="no unit"):
        fit_group(group(Technique.SCANNER_MAP, stored), RECOMMENDED, NO_MAPS)


def test_bloch_siegert_needs_its_pulse() -> None:
    b1 = 0.8 + 0.3 * np.indices(SHAPE)[2] / 40
    shift = 0.0074 * (10 * b1) ** 2
    phases = group(Technique.BLOCH_SIEGERT, series(np.stack([shift, -shift]), component="phase"))
    with pytest.raises(InputError, match="K_BS"):
        fit_group(phases, RECOMMENDED, NO_MAPS)
    found = fit_group(phases, FitOptions(bloch_siegert=(0.0074, 10.0)), NO_MAPS).map
    assert found.value == pytest.approx(b1, rel=1e-5)


def test_cancel_stops_in_the_middle() -> None:
    def cancel(fraction: float) -> None:
        if fraction > 0.3:
            raise Cancelled

    multi_echo = group(Technique.MULTI_ECHO_SPIN_ECHO, series(decay(80, TE_T2), te_ms=TE_T2))
    with pytest.raises(Cancelled):
        fit_group(multi_echo, RECOMMENDED, NO_MAPS, cancel)


def test_epg_has_a_t1_where_the_t1_map_has_none() -> None:
    """Half of the T1 map failed; T2 is fitted there too, with a usual T1."""
    trains = epg_echo_amplitudes(13.8, 8, 1500.0, 80.0, b1=0.8)
    data = noisy(200 * body() * trains[:, None, None, None], 0.5)
    multi_echo = group(Technique.MULTI_ECHO_SPIN_ECHO, series(data, te_ms=TE_T2))
    field = series(np.full((1, *SHAPE), 0.8))
    t1 = fit_group(group(Technique.VFA, vfa(np.ones(SHAPE))), RECOMMENDED, NO_MAPS)
    t1.map.status[:, :20] = Status.NOT_CONVERGED
    maps = {"B1": FittedMap(b1_map(field.data[0], "1"), field), "T1_pre": t1}
    found = fit_group(multi_echo, FitOptions(t2_method="epg"), maps).map
    upper = body() > 0.5
    upper[:, 20:] = False
    assert found.fitted[upper].all()
    assert np.median(found.value[upper]) == pytest.approx(80, rel=0.01)


def test_air_has_no_t1() -> None:
    clean = vfa(np.ones(SHAPE))
    noise_like = replace(clean, data=noisy(clean.data, 1.0).astype(np.float32))
    found = fit_group(group(Technique.VFA, noise_like), RECOMMENDED, NO_MAPS).map
    assert (found.status[body() == 0] == Status.LOW_SIGNAL).mean() > 0.99
    assert found.fitted[body() > 0.5].mean() > 0.99
