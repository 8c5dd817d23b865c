"""Relative transmit field (B1, 1 = nominal) from a vendor's map or a Bloch-Siegert phase pair."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from .parameter_map import ParameterMap, Status

LOWEST, HIGHEST = 0.3, 2.0
"""Relative B1 outside these is a wrong unit or no signal."""

UNITS = {"1": "1", "ratio": "1", "percent": "percent", "%": "percent", "flip_angle_x10": "flip_angle_x10"}
"""Names under which a unit of a vendor map is known."""

F64 = NDArray[np.float64]


def relative_b1(values: ArrayLike, unit: str | None = None, nominal_flip_deg: float | None = None) -> F64:
    """A vendor's B1 map as a relative map.

    Args:
        values: the map as stored, any shape; zeros, NaN and masked voxels count as outside the body.
        unit: "1" or "ratio", "percent" or "%", or "flip_angle_x10" (ten times the flip angle reached, in
            degrees, as in Siemens' TurboFLASH B1 map); None to recognise it with :func:`recognise_b1_unit`.
        nominal_flip_deg: the flip angle that nominal B1 gives in that map; needed for "flip_angle_x10".

    Returns:
        Relative B1, same shape; NaN outside the body and where it lies outside 0.3 to 2.

    Raises:
        InputError: unknown unit, no nominal flip angle, or a median outside 0.3 to 2 (a wrong unit).
    """
    raw: F64 = np.ma.filled(np.ma.asarray(values, dtype=float), np.nan)
    known = recognise_b1_unit(raw) if unit is None else UNITS.get(unit)
    if known is None:
        raise InputError(f"The B1 map's unit '{unit}' is not known; give one of {', '.join(UNITS)}.")
    if known == "flip_angle_x10":
        if nominal_flip_deg is None or not nominal_flip_deg > 0:
            raise InputError("A B1 map of flip angles x 10 needs its nominal flip angle in degrees.")
        return usable_b1(raw / (10 * nominal_flip_deg))
    return usable_b1(raw / 100 if known == "percent" else raw)


def recognise_b1_unit(values: ArrayLike) -> str:
    """The unit of a vendor's B1 map by the median of its non-zero values, where the header is silent.

    Returns:
        "1" (median 0.3 to 2), "percent" (30 to 200) or "flip_angle_x10" (above 200 and up to 1800).

    Raises:
        InputError: the median fits none of them, or the map is empty.
    """
    median = _body_median(np.ma.filled(np.ma.asarray(values, dtype=float), np.nan))
    for unit, low, high in (("1", LOWEST, HIGHEST), ("percent", 30, 200), ("flip_angle_x10", 200, 1800)):
        if low <= median <= high:
            return unit
    raise InputError(f"The B1 map's median {median:.3g} fits no known unit; give one of {', '.join(UNITS)}.")


def usable_b1(relative: ArrayLike) -> F64:
    """`relative` B1 with NaN where a correction with it would mean nothing: outside 0.3 to 2, or masked.

    Raises:
        InputError: the median of the non-zero values lies outside 0.3 to 2, which is a wrong unit.
    """
    values: F64 = np.ma.filled(np.ma.asarray(relative, dtype=float), np.nan)
    refuse_wrong_unit(values)
    return np.where((values >= LOWEST) & (values <= HIGHEST), values, np.nan)


def refuse_wrong_unit(relative: NDArray[np.floating[Any]]) -> None:
    """Raises InputError, saying what the unit looks like, where the median of the body is no relative B1."""
    median = _body_median(relative)
    if LOWEST <= median <= HIGHEST:
        return
    looks = "flip angle x 10: divide by ten times the nominal flip angle"
    if median <= 200:
        looks = "percent of nominal: divide by 100"
    if median < 30:
        looks = "no usual one: scale it so that 1 is nominal"
    raise InputError(
        f"The B1 map's median is {median:.3g}, which is no relative B1 ({LOWEST} to {HIGHEST}); "
        f"its unit looks like {looks}."
    )


def _body_median(values: NDArray[np.floating[Any]]) -> float:
    flat = values.ravel()
    body = flat[np.isfinite(flat) & (flat != 0)]
    if not body.size:
        raise InputError("The B1 map holds no value other than zero; choose another series.")
    return float(np.median(body[:: body.size // 100_000 + 1]))  # a sample tells the unit as well


def b1_from_bloch_siegert(
    phase_plus: ArrayLike,
    phase_minus: ArrayLike,
    k_bs_rad_per_ut2: float,
    nominal_peak_ut: float,
) -> ParameterMap:
    """Relative B1 from the phases of two images whose off-resonant pulse lies above and below resonance.

    phi = K_BS B1peak^2 is half their difference (Sacolick LI et al., Magn Reson Med 2010;63:1315). The
    difference is wrapped to within half a turn of what nominal B1 gives.

    Args:
        phase_plus, phase_minus: (...), in radians, off resonance so that the phase rises, and falls, with B1.
        k_bs_rad_per_ut2: K_BS of the pulse in rad/uT^2; 1 rad/G^2 is 1e-4 rad/uT^2.
        nominal_peak_ut: the pulse's nominal peak B1 in uT.

    Returns:
        The B1 map; its value is NaN with status `OUT_OF_RANGE` where it lies outside 0.3 to 2, so that it can
        be handed to a fit as it is. Standard error, r_squared and m0 are NaN: phases do not tell them.

    Raises:
        InputError: the phases differ in shape or are no radians, a constant is not positive, or the median is
            outside 0.3 to 2.
    """
    plus: F64 = np.ma.filled(np.ma.asarray(phase_plus, dtype=float), np.nan)
    minus: F64 = np.ma.filled(np.ma.asarray(phase_minus, dtype=float), np.nan)
    if plus.shape != minus.shape:
        raise InputError(f"The Bloch-Siegert phase images differ in shape: {plus.shape} and {minus.shape}.")
    if not (k_bs_rad_per_ut2 > 0 and nominal_peak_ut > 0):
        raise InputError(
            "The Bloch-Siegert pulse's K_BS (rad/uT^2) and nominal peak B1 (uT) must be positive."
        )
    for phase in (plus, minus):
        if np.isfinite(phase).any() and np.nanmax(np.abs(phase)) > 2 * np.pi + 0.01:
            raise InputError("The Bloch-Siegert phases exceed two pi; scale them to radians first.")
    nominal_shift = k_bs_rad_per_ut2 * nominal_peak_ut**2
    shift = nominal_shift + np.angle(np.exp(1j * (plus - minus - 2 * nominal_shift))) / 2
    asked = np.isfinite(shift)
    if np.count_nonzero(shift[asked] < 0) > np.count_nonzero(asked) / 2:
        raise InputError("Most Bloch-Siegert shifts are negative; exchange phase_plus and phase_minus.")
    relative = usable_b1(np.sqrt(np.maximum(shift, 0) / nominal_shift))
    return _as_map(relative, asked, "Bloch-Siegert shift, half the difference of two phases")


def b1_map(values: ArrayLike, unit: str | None = None, nominal_flip_deg: float | None = None) -> ParameterMap:
    """A vendor's B1 map as the exam keeps it; arguments and errors as in :func:`relative_b1`."""
    relative = relative_b1(values, unit, nominal_flip_deg)
    stored: F64 = np.ma.filled(np.ma.asarray(values, dtype=float), np.nan)
    return _as_map(relative, np.isfinite(stored) & (stored != 0), "scanner's B1 map")


def _as_map(relative: F64, asked: NDArray[np.bool_], method: str) -> ParameterMap:
    usable = np.where(np.isfinite(relative), Status.FITTED, Status.OUT_OF_RANGE)
    unknown = np.full(relative.shape, np.nan)
    return ParameterMap(
        value=relative,
        standard_error=unknown,
        r_squared=unknown.copy(),
        status=np.where(asked, usable, Status.NOT_ASKED).astype(np.uint8),
        m0=unknown.copy(),
        quantity="B1",
        unit="1",
        method=method,
    )
