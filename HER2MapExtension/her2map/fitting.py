"""The maps of an exam: which fit each series gets, and what is done to its signals first."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .geometry import Geometry
from .progress import Progress, no_progress, part_of
from .registration import Motion, register_echoes, resample
from .relaxometry import (
    ParameterMap,
    Status,
    b1_from_bloch_siegert,
    b1_map,
    combine_channels,
    estimate_noise,
    exclude_low_snr,
    fit_inversion_recovery,
    fit_monoexponential,
    fit_t2_epg,
    fit_vfa,
    mark_low_signal,
)
from .series import Group, Series, Technique, join

TISSUE_T1_MS = 1500.0
"""T1 for the EPG fit where the exam has no T1 map; 50 % of T1 move T2 by about 1 %."""

NO_AIR = "no air with plain noise was found: voxels without tissue may count as fitted"

_MS_PER = {"ms": 1.0, "s": 1000.0}


@dataclass(frozen=True)
class FitOptions:
    """How the maps of an exam are fitted.

    Attributes:
        vfa_method: of :func:`~her2map.relaxometry.fit_vfa`.
        t2_method: "epg", or a method of :func:`~her2map.relaxometry.fit_monoexponential`.
        t2_first_echo: the first echo that a mono-exponential fit uses, counted from 0; 1 leaves out the echo
            that has no stimulated part, beside which the later ones seem to decay too slowly.
        t2star_method: of :func:`~her2map.relaxometry.fit_monoexponential`.
        minimum_snr: T2* voxels with less SNR in the last echo are excluded; 0 keeps all.
        map_unit: "ms" or "s", for a map that the scanner made and whose header is silent.
        bloch_siegert: K_BS in rad/uT² and nominal peak B1 in uT of the pulse; no header has them.
    """

    vfa_method: str = "nonlinear"
    t2_method: str = "least_squares"
    t2_first_echo: int = 1
    t2star_method: str = "rician"
    minimum_snr: float = 0.0
    map_unit: str = ""
    bloch_siegert: tuple[float, float] | None = None


RECOMMENDED = FitOptions()
PAPER = FitOptions(vfa_method="linear", t2_first_echo=0, t2star_method="least_squares", minimum_snr=5.0)
PRESETS = {"recommended": RECOMMENDED, "paper": PAPER}


@dataclass(frozen=True, eq=False)
class FittedMap:
    """A map of the exam, its grid, and the signals that it was fitted to.

    Attributes:
        map: see :class:`~her2map.relaxometry.ParameterMap`.
        signals: as fitted: channels combined, echoes registered, unused echoes left out. The map itself where
            the scanner made it.
        technique: by which the series were acquired.
        sources: the descriptions of the series.
        motions: of each echo against the first; empty where nothing was registered.
        noise_sd: of one channel; NaN where the fit did not need it.
    """

    map: ParameterMap
    signals: Series
    technique: Technique = Technique.NONE
    sources: tuple[str, ...] = ()
    motions: tuple[Motion, ...] = ()
    noise_sd: float = float("nan")

    @property
    def geometry(self) -> Geometry:
        """The grid of the map and its signals."""
        return self.signals.geometry


@dataclass(frozen=True, eq=False)
class _Context:
    """What a fit may use besides its own signals."""

    options: FitOptions
    maps: Mapping[str, FittedMap]
    progress: Progress

    def on(self, geometry: Geometry, biomarker: str) -> NDArray[np.floating] | None:
        """Another map of the exam on the grid `geometry`, NaN where it has no value; None without it."""
        source = self.maps.get(biomarker)
        if source is None:
            return None
        values = np.where(source.map.fitted, source.map.value, np.nan)
        if source.geometry.matches(geometry):
            return values
        return resample(values, source.geometry, geometry, np.eye(4))


@dataclass(frozen=True, eq=False)
class _Echoes:
    """Echoes ready to be fitted; `noise_sd` is that of one channel, None where no air could be found."""

    series: Series
    motions: tuple[Motion, ...]
    n_channels: int
    noise_sd: float | None

    def fitted(self, parameter_map: ParameterMap) -> FittedMap:
        """The map with the signals that it came from."""
        noise = float("nan") if self.noise_sd is None else self.noise_sd
        return FittedMap(parameter_map, self.series, motions=self.motions, noise_sd=noise)


def fit_group(
    group: Group, options: FitOptions, maps: Mapping[str, FittedMap], progress: Progress = no_progress
) -> FittedMap:
    """Fit the map of the series that make up one signal stack.

    Args:
        maps: those fitted before; "B1" corrects VFA and EPG, "T1_pre" enters EPG.

    Raises:
        InputError: a measurement or parameter that the fit needs is missing; the text names the series.
        Cancelled: raised by `progress`.
    """
    sources = tuple(series.description for series in group.series)
    try:
        fitted = _FITS[group.technique](join(group), _Context(options, maps, progress))
    except InputError as error:
        raise InputError(
            f"No map from {', '.join(sources)}: {error} To go on without it, set its role to none."
        ) from None
    return replace(fitted, technique=group.technique, sources=sources)


def _fit_vfa(series: Series, context: _Context) -> FittedMap:
    b1 = context.on(series.geometry, "B1")
    method = context.options.vfa_method
    fitted = fit_vfa(
        series.data, series.flip_angle_deg, _one_tr(series), b1, method, progress=context.progress
    )
    return _without_air(fitted, series)


def _fit_look_locker(series: Series, context: _Context) -> FittedMap:
    fitted = fit_inversion_recovery(series.data, series.ti_ms, "look_locker", progress=context.progress)
    return _without_air(fitted, series)


def _fit_spin_echo_ir(series: Series, context: _Context) -> FittedMap:
    fitted = fit_inversion_recovery(
        series.data, series.ti_ms, "spin_echo", series.tr_ms, progress=context.progress
    )
    return _without_air(fitted, series)


def _without_air(fitted: ParameterMap, series: Series) -> FittedMap:
    """The map with air told by its SNR, where the noise SD can be found in the image itself."""
    noise = _noise(series.data[0], 1)
    if noise is None:
        return FittedMap(replace(fitted, notes=(*fitted.notes, NO_AIR)), series)
    return FittedMap(mark_low_signal(fitted, series.data, noise), series, noise_sd=noise)


def _noise(image: NDArray[np.floating], n_channels: int) -> float | None:
    """The noise SD of one channel; None where the scanner has masked, filtered or cut off the air."""
    try:
        return estimate_noise(image, n_channels)
    except InputError:
        return None


def _fit_multi_echo_spin_echo(series: Series, context: _Context) -> FittedMap:
    echoes = _prepared(series, part_of(context.progress, 0, 0.7))
    fitting = part_of(context.progress, 0.7, 1)
    if context.options.t2_method == "epg":
        known = context.on(series.geometry, "T1_pre")
        t1 = np.full(series.geometry.shape, TISSUE_T1_MS) if known is None else known
        t1 = np.where(t1 > 0, t1, TISSUE_T1_MS)
        b1 = context.on(series.geometry, "B1")
        fitted = fit_t2_epg(echoes.series.data, echoes.series.te_ms, t1, b1, progress=fitting)
        return echoes.fitted(fitted)
    first = context.options.t2_first_echo
    used = replace(echoes, series=_measurements(echoes.series, np.arange(first, len(echoes.series.te_ms))))
    fitted = _fit_decay(used, context.options.t2_method, "T2", fitting)
    if first:
        fitted = replace(
            fitted, notes=(*fitted.notes, f"echoes used: {first + 1} to {len(echoes.series.te_ms)}")
        )
    return used.fitted(fitted)


def _fit_multi_echo_gradient_echo(series: Series, context: _Context) -> FittedMap:
    echoes = _prepared(series, part_of(context.progress, 0, 0.7))
    options = context.options
    fitted = _fit_decay(echoes, options.t2star_method, "T2star", part_of(context.progress, 0.7, 1))
    if options.minimum_snr > 0:
        if echoes.noise_sd is None:
            raise InputError("the SNR rule needs the noise SD, but no air with plain noise was found")
        fitted = exclude_low_snr(
            fitted, echoes.series.data[-1], echoes.noise_sd, options.minimum_snr, echoes.n_channels
        )
    return echoes.fitted(fitted)


def _fit_decay(echoes: _Echoes, method: str, quantity: str, progress: Progress) -> ParameterMap:
    """Mono-exponential; by least squares where the method needs a noise SD that is not known."""
    notes: tuple[str, ...] = ()
    if method == "rician" and echoes.noise_sd is None:
        method = "least_squares"
        notes = ("no air with plain noise was found, so the fit does not model the noise floor",)
    fitted = fit_monoexponential(
        echoes.series.data,
        echoes.series.te_ms,
        echoes.noise_sd,
        method,
        n_channels=echoes.n_channels,
        quantity=quantity,
        progress=progress,
    )
    return replace(fitted, notes=(*fitted.notes, *notes))


def _read_b1_map(series: Series, context: _Context) -> FittedMap:
    nominal = float(series.flip_angle_deg[0])
    fitted = b1_map(series.data[0], series.unit or None, nominal if nominal > 0 else None)
    context.progress(1.0)
    return FittedMap(fitted, series)


def _fit_bloch_siegert(series: Series, context: _Context) -> FittedMap:
    if context.options.bloch_siegert is None:
        raise InputError("Bloch-Siegert phases need K_BS (rad/uT²) and nominal peak B1 (uT) of their pulse.")
    k_bs, peak = context.options.bloch_siegert
    fitted = b1_from_bloch_siegert(series.data[0], series.data[1], k_bs, peak)
    context.progress(1.0)
    return FittedMap(fitted, series)


def _read_scanner_map(series: Series, context: _Context) -> FittedMap:
    unit = series.unit or context.options.map_unit
    if unit not in _MS_PER:
        raise InputError(
            f"the header names no unit for the scanner's {series.scanner_map} map; give ms or s."
        )
    several = len(series.data) > 1
    notes = (f"the series holds {len(series.data)} maps; the first is taken",) if several else ()
    value = series.data[0] * _MS_PER[unit]
    unknown = np.full(value.shape, np.nan, np.float32)
    status = np.where(np.isfinite(value) & (value > 0), Status.FITTED, Status.NOT_ASKED).astype(np.uint8)
    fitted = ParameterMap(
        value,
        unknown,
        unknown.copy(),
        status,
        unknown.copy(),
        series.scanner_map,
        "ms",
        "map made by the scanner",
        notes,
    )
    context.progress(1.0)
    return FittedMap(fitted, series)


_FITS = {
    Technique.VFA: _fit_vfa,
    Technique.LOOK_LOCKER: _fit_look_locker,
    Technique.SPIN_ECHO_IR: _fit_spin_echo_ir,
    Technique.MULTI_ECHO_SPIN_ECHO: _fit_multi_echo_spin_echo,
    Technique.MULTI_ECHO_GRADIENT_ECHO: _fit_multi_echo_gradient_echo,
    Technique.B1_MAP: _read_b1_map,
    Technique.BLOCH_SIEGERT: _fit_bloch_siegert,
    Technique.SCANNER_MAP: _read_scanner_map,
}


def _prepared(series: Series, progress: Progress) -> _Echoes:
    """Channels combined, noise measured, every echo registered to the first."""
    combined, n_channels = _combined(series)
    noise = _noise(combined.data[0], n_channels)  # before the registration, whose interpolation smooths it
    found = register_echoes(combined.data, combined.geometry, progress=progress)
    return _Echoes(replace(combined, data=found.data), tuple(found.motions), n_channels, noise)


def _one_tr(series: Series) -> float:
    """The TR that all flip angles share, in ms."""
    if not np.ptp(series.tr_ms) <= 0.01:
        raise InputError(
            f"TR must be stated and the same for all flip angles, not {series.tr_ms.tolist()} ms."
        )
    return float(series.tr_ms[0])


def _measurements(series: Series, which: NDArray[np.int_]) -> Series:
    """Some of the measurements of a series, in the order given."""
    per_measurement = ("data", "te_ms", "tr_ms", "ti_ms", "flip_angle_deg", "time_s", "channel", "component")
    return replace(series, **{name: getattr(series, name)[which] for name in per_measurement})


def _combined(series: Series) -> tuple[Series, int]:
    """One measurement an echo, channels combined by the root of the sum of squares; and their number."""
    order = np.lexsort((series.channel, series.te_ms))
    n_channels = len(np.unique(series.channel))
    ordered = _measurements(series, order)
    echoes = _measurements(ordered, np.arange(0, len(order), n_channels))
    if len(order) != n_channels * len(np.unique(series.te_ms)):
        raise InputError(f"some of the {n_channels} channels lack an echo; export the series again.")
    if n_channels == 1:
        return echoes, 1
    stacked = ordered.data.reshape(-1, n_channels, *ordered.data.shape[1:])
    return replace(echoes, data=combine_channels(stacked, channel_axis=1).astype(np.float32)), n_channels
