"""SNR of a lesion as the paper has it, with the circle and the background rectangles that it needs.

SNR = (S - Sb) / SD: S and SD of a circle in the lesion's centre, Sb the mean of four rectangles outside the
body. Circle and rectangles are proposals: the reader sees and may move them.
"""

import heapq
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from .errors import InputError
from .geometry import Geometry
from .relaxometry.noise import background_mask
from .roi import Roi, measure_values

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Floats = NDArray[np.floating]

CIRCLE_PRECISION = 1e-3
"""Of the contour's extent, by which a circle may be smaller than the largest one."""
LARGEST_SIDE = 1 / 6
"""Of the image's sides: the background rectangles are not larger."""
FEWEST_VOXELS = 4
"""Along each side of a background rectangle."""
MARGIN_MM = 3.0
"""Between a background rectangle and the body; two voxels where these are wider."""
AIR_SDS = 2.0
"""SDs of air above its mean, beyond which the mean of a voxel and its eight neighbours is none of air."""
CHANNELS_TRIED = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
"""Numbers of combined channels with which air is sought; between them its spread hardly differs."""


@dataclass(frozen=True)
class LesionSnr:
    """A lesion's SNR and what it was computed from; with a `reason`, `snr` is NaN.

    Attributes:
        snr: (signal - background) / sd.
        signal, sd: weighted mean and SD of the circle's voxels.
        background: mean of the rectangles' means.
        reason: why there is no SNR, in a sentence; "" where there is one.
    """

    snr: float
    signal: float
    sd: float
    background: float
    reason: str = ""


def lesion_snr(image: ArrayLike, geometry: Geometry, circle: Roi, background: Sequence[Roi]) -> LesionSnr:
    """The SNR of a lesion: (S - Sb) / SD.

    Args:
        image: (slices, rows, columns), magnitude.
        geometry: its grid.
        circle: in the lesion's centre, see :func:`central_circle`.
        background: outside the body, see :func:`background_rectangles`; four in the paper.

    Raises:
        InputError: no background is given, or the image does not fit its grid.
    """
    if not background:
        raise InputError("The lesion's SNR needs background rectangles outside the body; draw at least one.")
    centre = measure_values(image, geometry, circle)
    around = [measure_values(image, geometry, rectangle) for rectangle in background]
    reason = f"The circle: {centre.reason}" if centre.reason else ""
    for number, found in enumerate(around, 1):
        reason = reason or (f"Background rectangle {number}: {found.reason}" if found.reason else "")
    if not reason and not centre.sd > 0:
        reason = "The circle holds fewer than two voxels, or the same value in all; draw a larger one."
    level = float(np.mean([found.value for found in around]))
    snr = math.nan if reason else (centre.value - level) / centre.sd
    return LesionSnr(snr, centre.value, centre.sd, level, reason)


def central_circle(roi: Roi, largest_radius_mm: float = math.inf) -> Roi:
    """The largest circle inside the contour and outside its holes, or one of `largest_radius_mm` there.

    Its centre is the pole of inaccessibility, found by dividing squares as in Mapbox's polylabel: the best
    squares first, until none can hold a centre better by `CIRCLE_PRECISION` of the contour's extent.

    Raises:
        InputError: a radius that is not positive.
    """
    if not largest_radius_mm > 0:
        raise InputError(f"The circle's largest radius must be positive, not {largest_radius_mm:g} mm.")
    origin = roi.outline[0]
    axes = _axes_in_plane(roi)
    start, end = _edges([(loop - origin) @ axes.T for loop in (roi.outline, *roi.holes)])
    centre, radius = _pole(start, end)
    # The circle's polygon has the circle's area, so its corners lie 0.02 % further out.
    radius = min(radius * (1 - CIRCLE_PRECISION), largest_radius_mm)
    return Roi.circle(origin + centre @ axes, roi.normal, radius, roi.thickness_mm)


def background_rectangles(
    image: ArrayLike, geometry: Geometry, roi: Roi, n_channels: int | None = None
) -> tuple[Roi, ...]:
    """Four equal rectangles in the air on the image's slice that is nearest to the ROI's middle.

    Air is told from the body by its noise (:func:`~her2map.relaxometry.noise.background_mask`); of air in
    several parts the largest that reaches the image's border is taken, for lungs look the same. The
    rectangles are as large as four of them fit, up to `LARGEST_SIDE` of the image, and lie as near to the
    corners as they can. Each is as thick as the image's slice and holds whole voxels.

    Args:
        image: (slices, rows, columns), magnitude.
        n_channels: combined by the sum of squares; None tries.

    Raises:
        InputError: the image does not fit its grid, the ROI lies beyond its slices, or there is not enough
            air with plain noise for four rectangles.
    """
    pixels = np.asarray(image, float)
    if pixels.shape != tuple(geometry.shape):
        raise InputError(f"The image's shape {pixels.shape} does not fit its grid {tuple(geometry.shape)}.")
    index = int(np.rint(geometry.to_index(roi.centroid)[2]))
    if not 0 <= index < len(pixels):
        raise InputError("The ROI lies beyond the image's slices; choose background rectangles by hand.")
    free = _free_air(pixels, index, geometry, n_channels)
    corners = _four_windows(free)
    return tuple(_window(geometry, index, rows, columns) for rows, columns in corners)


def _axes_in_plane(roi: Roi) -> Array:
    """(2, 3), perpendicular unit vectors in the ROI's plane."""
    along = roi.outline[1] - roi.outline[0]
    along = along / np.linalg.norm(along)
    return np.stack([along, np.cross(roi.normal, along)])


def _edges(loops: Sequence[Array]) -> tuple[Array, Array]:
    """Starts and ends (n, 2) of all edges."""
    return np.concatenate(loops), np.concatenate([np.roll(loop, -1, axis=0) for loop in loops])


def _depth(point: Array, start: Array, end: Array) -> float:
    """Distance of a point (2,) to the nearest edge; negative outside the contour and in its holes."""
    along, offset = end - start, point - start
    part = np.clip((offset * along).sum(axis=1) / (along**2).sum(axis=1), 0, 1)
    distance = float(np.linalg.norm(offset - part[:, None] * along, axis=1).min())
    spans = (start[:, 1] > point[1]) != (end[:, 1] > point[1])
    first, step = start[spans], along[spans]
    crossed = point[0] < first[:, 0] + (point[1] - first[:, 1]) / step[:, 1] * step[:, 0]
    return distance if np.count_nonzero(crossed) % 2 else -distance


def _pole(start: Array, end: Array) -> tuple[Array, float]:
    """The point (2,) deepest inside the edges, and its depth."""
    low, high = start.min(axis=0), start.max(axis=0)
    half = float((high - low).min()) / 2
    precision = CIRCLE_PRECISION * float((high - low).max())
    order = itertools.count()
    best, depth = (low + high) / 2, -math.inf
    waiting: list[tuple[float, int, Array, float]] = []

    def consider(centre: Array, half: float) -> None:
        nonlocal best, depth
        here = _depth(centre, start, end)
        if here > depth:
            best, depth = centre, here
        heapq.heappush(waiting, (-(here + half * math.sqrt(2)), next(order), centre, half))

    for x, y in itertools.product(
        *(np.arange(a + half, b + half, 2 * half) for a, b in zip(low, high, strict=True))
    ):
        consider(np.array([x, y]), half)
    while waiting and -waiting[0][0] > depth + precision:
        _, _, centre, half = heapq.heappop(waiting)
        for step in itertools.product((-half / 2, half / 2), repeat=2):
            consider(centre + step, half / 2)
    return best, depth


def _free_air(pixels: Floats, index: int, geometry: Geometry, n_channels: int | None) -> Mask:
    """(rows, columns) of a slice: outside the body, with a margin; not where the scanner has cut the air."""
    air = pixels[_air_blocks(pixels, n_channels)]
    layer = np.where(np.isfinite(pixels[index]), pixels[index], 0.0)
    smooth = ndimage.uniform_filter(layer, 3, mode="nearest")
    cut = ndimage.maximum_filter(layer, 3, mode="nearest") == 0
    outside = (smooth <= air.mean() + AIR_SDS * air.std()) & ~cut
    largest = _largest_at_border(outside)
    reach = np.maximum(MARGIN_MM / geometry.spacing[1::-1], 2.0)  # in rows and columns
    away = ndimage.distance_transform_edt(np.pad(largest, 1, mode="edge"), sampling=1 / reach)
    return np.asarray(away[1:-1, 1:-1] > 1)


def _air_blocks(pixels: Floats, n_channels: int | None) -> Mask:
    """Where plain noise was found, with the given number of channels or the first that fits."""
    problem = InputError()
    for count in CHANNELS_TRIED if n_channels is None else (n_channels,):
        try:
            return background_mask(pixels, count)
        except InputError as error:
            problem = error
    raise problem


def _largest_at_border(mask: Mask) -> Mask:
    """The largest connected part that reaches the border."""
    labels, _ = ndimage.label(mask)
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    sizes = np.bincount(labels.ravel())
    reaching = [label for label in np.unique(border) if label]
    if not reaching:
        return np.zeros_like(mask)
    return np.asarray(labels == max(reaching, key=lambda label: sizes[label]))


def _four_windows(free: Mask) -> list[tuple[slice, slice]]:
    """Rows and columns of four windows of one size that do not overlap, one for each corner."""
    shape = np.array(free.shape)
    steps = int(LARGEST_SIDE * shape.min())
    for step in range(steps, 0, -1):
        size = np.maximum((shape * LARGEST_SIDE * step / steps).astype(int), 1)
        if size.min() < FEWEST_VOXELS:
            break
        windows = _placed(free, int(size[0]), int(size[1]))
        if len(windows) == 4:
            return windows
    raise InputError(
        "There is too little air around the body on this slice for four background rectangles; draw them by "
        "hand, or on another slice."
    )


def _placed(free: Mask, height: int, width: int) -> list[tuple[slice, slice]]:
    """Windows wholly in `free`, each the nearest to its corner that no earlier one overlaps."""
    left, windows = free.copy(), []
    bottom, right = free.shape[0] - height, free.shape[1] - width
    for corner in itertools.product((0, bottom), (0, right)):
        first = np.argwhere(_fitting(left, height, width))
        if not len(first):
            break
        row, column = first[((first - corner) ** 2).sum(axis=1).argmin()]
        window = slice(int(row), int(row) + height), slice(int(column), int(column) + width)
        left[window] = False
        windows.append(window)
    return windows


def _fitting(free: Mask, height: int, width: int) -> Mask:
    """(rows - height + 1, columns - width + 1), whether the window that begins there is wholly free."""
    sums = np.pad(free.astype(int).cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    counts = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    return np.asarray(counts == height * width)


def _window(geometry: Geometry, index: int, rows: slice, columns: slice) -> Roi:
    """The whole voxels of a window as a ROI."""
    middle = [(columns.start + columns.stop - 1) / 2, (rows.start + rows.stop - 1) / 2, index]
    across, along, through = geometry.affine[:3, :3].T
    normal = np.cross(across, along)
    thickness = abs(float(through @ normal)) / float(np.linalg.norm(normal))
    width = (columns.stop - columns.start) * float(geometry.spacing[0])
    height = (rows.stop - rows.start) * float(geometry.spacing[1])
    return Roi.rectangle(geometry.to_ras(middle), across, along, width, height, thickness)
