"""Noise of magnitude images: channel combination, the noise SD, SNR and the SNR rule.

"Noise SD" is everywhere the SD of the Gaussian noise in one real channel. Air in a magnitude image of one
channel is Rayleigh distributed, after a sum of squares over n channels it is chi distributed with 2n degrees
of freedom (Constantinides CD et al., Magn Reson Med 1997;38:852); both have a second moment of 2 n SD^2.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage, special, stats

from ..errors import InputError
from .parameter_map import ParameterMap, Status

F64 = NDArray[np.float64]

SPREAD_TOLERANCE = 0.15
"""How far the SD over mean of a background may lie from that of noise, as a share of it. Masking and signal
move it further; the scanner's rounding, filters and interpolation less."""

BLOCK = 6
"""Side in voxels of the in-plane blocks in which the automatic estimate looks for air."""
FEWEST_BLOCKS = 16
BLOCK_QUANTILE = 1e-3
"""Share of air blocks that may be missed at either end."""
GREATEST_CORRELATION = 0.15
"""Of neighbouring voxels along the less correlated of rows and columns: on real images air lies below 0.1
(but at 0.6 along an axis that the scanner interpolated), faint tissue about 0.4."""


def combine_channels(signal: ArrayLike, channel_axis: int = 0) -> NDArray[np.floating[Any]]:
    """Root of the sum of squares over `channel_axis`, for complex or magnitude channels.

    Returns:
        The shape of `signal` without that axis; float64 for double precision, otherwise float32. NaN, or
        masked, in any channel gives NaN.

    Raises:
        InputError: `signal` has no such axis.
    """
    samples: NDArray[Any] = np.ma.getdata(signal)
    if not -samples.ndim <= channel_axis < samples.ndim:
        raise InputError(f"A signal of {samples.ndim} axes has no channel axis {channel_axis}.")
    double = samples.dtype in (np.float64, np.complex128)
    power = samples.real.astype(float) ** 2
    if np.iscomplexobj(samples):
        power += samples.imag.astype(float) ** 2
    combined = np.sqrt(power.sum(axis=channel_axis)).astype(np.float64 if double else np.float32)
    if np.ma.is_masked(signal):
        combined[np.ma.getmaskarray(np.ma.asarray(signal)).any(axis=channel_axis)] = np.nan
    return combined


def noise_sd(background: ArrayLike, n_channels: int = 1) -> float:
    """The noise SD from the magnitudes in air: sqrt(mean(M^2) / 2n).

    For one channel this is the maximum-likelihood estimate under the Rayleigh distribution and agrees with
    SD(M) / sqrt(2 - pi/2); the second moment is the more precise of the two.

    Args:
        background: magnitudes from air, any shape, such as ``image[mask]``; NaN and masked are left out.
        n_channels: receive channels combined by the sum of squares; 1 for adaptively combined images.

    Raises:
        InputError: no more than one value, or their spread is not that of noise (masked by the scanner,
            filtered, or signal in the region), so that no SD can be told.
    """
    values = _finite(background)
    _check_channels(n_channels)
    if values.size < 2:
        raise InputError("The background region holds fewer than two values; draw a larger one in air.")
    if not values.any():
        raise InputError("The background is all zero: the scanner has masked it; give the noise SD instead.")
    spread, expected = float(values.std() / values.mean()), _spread_of_noise(n_channels)
    # A small region scatters: leave room for three standard errors as well.
    room = SPREAD_TOLERANCE + 3 / np.sqrt(2 * values.size)
    if abs(spread / expected - 1) > room:
        raise InputError(
            f"The background is not plain noise (SD over mean {spread:.2f}, of noise {expected:.2f}): it was "
            "masked or filtered, holds signal, or has another number of channels; draw it elsewhere in air."
        )
    return float(np.sqrt(np.mean(values**2) / (2 * n_channels)))


def background_mask(image: ArrayLike, n_channels: int = 1) -> NDArray[np.bool_]:
    """Where `image` is air with plain noise, found by its distribution alone.

    In-plane blocks are sought whose mean squares agree with one noise SD and whose voxels scatter within
    the block as noise does. Of several such levels the lowest is taken, for ghosts and leaks only add to
    noise; a level with much acquired image below it is none of air. Patches of zeros, left by the scanner's
    masking, are never air.

    Args:
        image: (..., rows, columns), magnitude.
        n_channels: as in :func:`noise_sd`.

    Returns:
        Same shape as `image`.

    Raises:
        InputError: no such group is there: air cut off, masked, or full of ghosts; draw a background region.
    """
    pixels: F64 = np.ma.filled(np.ma.asarray(image, dtype=float), np.nan)
    _check_channels(n_channels)
    if pixels.ndim < 2:
        raise InputError("Air can only be found in an image with rows and columns.")
    blocks = _blocks(np.where(_acquired(pixels), pixels, np.nan))
    power = np.mean(blocks**2, axis=(-2, -1))
    whole = np.isfinite(power)
    freedom = 2 * n_channels * BLOCK**2
    band = np.asarray(stats.chi2.ppf([BLOCK_QUANTILE, 1 - BLOCK_QUANTILE], freedom)) / freedom
    for level in np.unique(np.quantile(power[whole], np.linspace(0, 1, 101))) if whole.any() else ():
        group = _consistent_group(power, level, band)
        n_below = int(np.count_nonzero(power < power[group].min(initial=np.inf)))
        enough = int(np.count_nonzero(group)) >= max(FEWEST_BLOCKS, n_below, 0.01 * int(whole.sum()))
        if enough and _is_noise(blocks[group], n_channels):
            return _voxels(group, pixels.shape)
    raise InputError(
        "No air with plain noise was found in the image (masked, filtered or cut off by the scanner, or of "
        "another number of channels); draw a background region or give the noise SD."
    )


def estimate_noise(image: ArrayLike, n_channels: int = 1) -> float:
    """The noise SD from the air that :func:`background_mask` finds; arguments and errors as there."""
    pixels: F64 = np.ma.filled(np.ma.asarray(image, dtype=float), np.nan)
    return noise_sd(pixels[background_mask(pixels, n_channels)], n_channels)


def voxel_snr(signal: ArrayLike, noise_sd: ArrayLike, n_channels: int = 1) -> F64:
    """A voxel's SNR, its magnitude corrected for the noise floor: sqrt(M^2 - (2n - 1) SD^2) / SD.

    The correction of Gudbjartsson and Patz (Magn Reson Med 1995;34:910), extended to n channels; unbiased to
    first order in 1/SNR. Zero below the floor.

    Args:
        signal: magnitudes, any shape.
        noise_sd: a positive number, or a map that broadcasts to `signal`.
        n_channels: as in :func:`noise_sd`.

    Raises:
        InputError: a noise SD that is not positive.
    """
    sd = np.asarray(noise_sd, float)
    _check_channels(n_channels)
    if not (sd > 0).all():
        raise InputError("The noise SD must be positive; estimate it from a background region in air.")
    magnitude = np.ma.filled(np.ma.asarray(signal, dtype=float), np.nan) / sd
    return np.sqrt(np.maximum(magnitude**2 - (2 * n_channels - 1), 0))


def lesion_snr(centre: ArrayLike, background_means: ArrayLike) -> float:
    """SNR of a lesion as the paper has it: (S - Sb) / SD.

    Args:
        centre: magnitudes in the circular ROI in the lesion's centre; S is their mean, SD their sample SD
            (divisor n - 1).
        background_means: the means of the background rectangles outside the body (four in the paper); Sb is
            their mean.

    Raises:
        InputError: fewer than two values in the centre, no background, or a centre that does not vary.
    """
    values, background = _finite(centre), _finite(background_means)
    if values.size < 2:
        raise InputError("The lesion's centre ROI holds fewer than two voxels; draw a larger circle.")
    if not background.size:
        raise InputError("The lesion's SNR needs the means of background rectangles outside the body.")
    sd = float(values.std(ddof=1))
    if sd == 0:
        raise InputError("The lesion's centre ROI has the same value in every voxel; check the image.")
    return float((values.mean() - background.mean()) / sd)


def exclude_low_snr(
    fitted: ParameterMap,
    last_echo_signal: ArrayLike,
    noise_sd: ArrayLike,
    threshold: float = 5.0,
    n_channels: int = 1,
) -> ParameterMap:
    """`fitted` with status `EXCLUDED_BY_SNR` where the last echo's SNR is under `threshold`.

    Values are kept. The share of the fitted voxels that this excludes goes into the notes, with the bias that
    the rule brings; :meth:`ParameterMap.fraction` tells the share of all voxels asked for.

    Args:
        fitted: the map; only voxels with status `FITTED` change.
        last_echo_signal: magnitudes of the last echo, of the map's shape; a voxel without one is excluded.
        noise_sd, n_channels: as in :func:`voxel_snr`.
        threshold: the paper's is 5.

    Raises:
        InputError: the signal's shape is not the map's, or the noise SD is not positive.
    """
    if np.shape(last_echo_signal) != fitted.status.shape:
        raise InputError(
            f"The last echo's shape {np.shape(last_echo_signal)} is not the map's {fitted.status.shape}."
        )
    enough = voxel_snr(last_echo_signal, noise_sd, n_channels) >= threshold
    excluded = fitted.fitted & ~enough
    status = np.where(excluded, np.uint8(Status.EXCLUDED_BY_SNR), fitted.status)
    share = int(np.count_nonzero(excluded)) / max(int(np.count_nonzero(fitted.fitted)), 1)
    note = (
        f"Voxels with an SNR under {threshold:g} in the last echo were excluded ({share:.1%} of "
        "those fitted); where the true SNR is near that, the survivors are biased upwards."
    )
    return replace(fitted, status=status, notes=(*fitted.notes, note))


def mark_low_signal(
    fitted: ParameterMap, signal: ArrayLike, noise_sd: ArrayLike, threshold: float = 5.0, n_channels: int = 1
) -> ParameterMap:
    """`fitted` with status `LOW_SIGNAL`, and no value, where no measurement has an SNR of `threshold`: air.

    Args:
        signal: (measurements, ...), magnitudes; the trailing shape is the map's.
        noise_sd, n_channels: as in :func:`voxel_snr`.

    Raises:
        InputError: the noise SD is not positive.
    """
    strongest = np.ma.filled(np.ma.asarray(signal, dtype=float), np.nan).max(axis=0)
    low = (fitted.status != Status.NOT_ASKED) & (voxel_snr(strongest, noise_sd, n_channels) < threshold)
    blank: dict[str, Any] = {
        name: np.where(low, np.nan, getattr(fitted, name)).astype(fitted.value.dtype)
        for name in ("value", "standard_error", "r_squared", "m0")
    }
    return replace(fitted, status=np.where(low, np.uint8(Status.LOW_SIGNAL), fitted.status), **blank)


def _finite(values: ArrayLike) -> F64:
    flat: F64 = np.ma.filled(np.ma.asarray(values, dtype=float), np.nan).ravel()
    return flat[np.isfinite(flat)]


def _check_channels(n_channels: int) -> None:
    if n_channels < 1:
        raise InputError(f"n_channels is {n_channels}; give the number of receive channels, 1 or more.")


def _spread_of_noise(n_channels: int) -> float:
    """SD over mean of the chi distribution with 2n degrees of freedom; 0.523 for Rayleigh."""
    log_ratio = special.gammaln(n_channels + 0.5) - special.gammaln(n_channels)
    return float(np.sqrt(n_channels / np.exp(2 * log_ratio) - 1))


def _is_noise(blocks: F64, n_channels: int) -> bool:
    """Whether magnitudes (blocks, BLOCK, BLOCK) scatter within the blocks as air does: by as much, and each
    voxel for itself. Tissue, however much its blocks differ, does neither."""
    means = blocks.mean(axis=(1, 2), keepdims=True)
    scatter = blocks - means
    spread = np.sqrt(np.mean(scatter**2) * BLOCK**2 / (BLOCK**2 - 1)) / means.mean()
    along_rows = np.mean(scatter[:, :, 1:] * scatter[:, :, :-1])
    along_columns = np.mean(scatter[:, 1:] * scatter[:, :-1])
    correlation = min(along_rows, along_columns) / np.mean(scatter**2)
    as_wide = abs(spread / _spread_of_noise(n_channels) - 1) <= SPREAD_TOLERANCE
    return bool(as_wide and correlation <= GREATEST_CORRELATION)


def _acquired(pixels: F64) -> NDArray[np.bool_]:
    """Finite voxels but those in in-plane patches of zeros, as masking and distortion correction leave."""
    plane = np.ones((1,) * (pixels.ndim - 2) + (3, 3), bool)
    patch = ndimage.binary_erosion(pixels == 0, plane, border_value=1)
    return np.isfinite(pixels) & ~ndimage.binary_dilation(patch, plane)


def _blocks(pixels: F64) -> F64:
    """(..., block rows, block columns, BLOCK, BLOCK); a remainder at the far edges is left out."""
    rows, columns = (n // BLOCK for n in pixels.shape[-2:])
    cut = pixels[..., : rows * BLOCK, : columns * BLOCK]
    return cut.reshape(*pixels.shape[:-2], rows, BLOCK, columns, BLOCK).swapaxes(-3, -2)


def _consistent_group(power: F64, level: float, band: F64) -> NDArray[np.bool_]:
    """Blocks whose mean squares fit one noise level, found by iterating from `level`."""
    group = np.zeros(power.shape, bool)
    for _ in range(20):
        found = (power >= band[0] * level) & (power <= band[1] * level)
        if not found.any() or (found == group).all():
            break
        group, level = found, float(power[found].mean())
    return group


def _voxels(blocks: NDArray[np.bool_], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    mask = np.zeros(shape, bool)
    spread = blocks.repeat(BLOCK, axis=-2).repeat(BLOCK, axis=-1)
    mask[..., : spread.shape[-2], : spread.shape[-1]] = spread
    return mask
