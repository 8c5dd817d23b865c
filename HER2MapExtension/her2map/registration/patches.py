"""Echoes of one series laid on the first: small patches of one echo predicted from those of others.

Where two tissues meet, the signal of a voxel is a mixture, f a + (1 - f) b, and its squared magnitude is a
quadratic in f - even where fat and water interfere. So in a patch of two tissues the square of any echo is
a linear combination of a constant and the squares of others, whatever the contrast; what the combination
cannot explain is motion. The first echo is always among the others: it alone does not move. The echo that
is predicted best is laid on it first and then helps to predict the next.

The motion is found by Gauss-Newton steps (inverse compositional: Baker and Matthews, Int J Comput Vis 2004;
56:221) with the gradients of the prediction. The gradients of the interpolated echo would draw it to places
half-way between slices, where interpolation smooths the noise.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from ..progress import Progress
from .comparison import ComparedImage
from .resampling import inside
from .search import Candidate

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

SIDE = 6
"""Pixels of a patch's side; it lies in one slice. Small enough for two tissues of nearly constant values."""
MOST_PATCHES = 12_000
"""More would take longer and hardly help."""
SMOOTHING_PIXELS = 0.7
"""In the plane, before squaring would alias what interpolation cannot carry."""
PREDICTORS = 3
"""A quadratic has three terms."""
STEPS = 6
LEAST_INSIDE = 0.6
"""Part of a patch that must be seen in the other echo."""
FARTHEST_MM, FARTHEST_RAD = 2.0, np.deg2rad(2.0)
"""A refinement that goes further from its start has lost its way."""


def lay_on_first(
    first: ComparedImage, others: Sequence[ComparedImage], starts: Sequence[Candidate], watch: Progress
) -> list[Candidate]:
    """The motion of every echo against the first one.

    Args:
        first, others: on the same grid.
        starts: one for each of `others`, within a millimetre and a degree or so.

    Returns:
        One for each of `others`, as free as its start; the start itself where patches tell nothing.
    """
    scale = float(np.sqrt(np.mean(np.square(first.values[first.near_body], dtype=float)))) or 1.0
    echoes = [_squared(image, scale) for image in (first, *others)]
    geometry = _FirstEcho(first)
    matrices = [geometry.to_frame(start.matrix) for start in starts]
    splines = [ndimage.spline_filter(echo, order=3, mode="mirror", output=np.float32) for echo in echoes[1:]]
    laid = [echoes[0], *(geometry.resampled(*pair) for pair in zip(splines, matrices, strict=True))]

    done = [0]
    while len(done) <= len(others):
        watch((len(done) - 1) / len(others))
        echo, predictors = _best_predicted(geometry.products(laid), done)
        image, start = splines[echo - 1], matrices[echo - 1]
        prediction = _Prediction(geometry, [laid[k] for k in predictors], starts[echo - 1].free)
        matrices[echo - 1] = prediction.match(image, start)
        laid[echo] = geometry.resampled(image, matrices[echo - 1])
        done.append(echo)
    watch(1.0)
    return [
        Candidate(geometry.to_ras(matrix), start.free) for matrix, start in zip(matrices, starts, strict=True)
    ]


def _squared(image: ComparedImage, scale: float) -> Floats:
    """Smoothed and squared, 1 for typical tissue."""
    width = 0.0 if image.geometry.shape[1] < 2 else SMOOTHING_PIXELS
    smooth = ndimage.gaussian_filter(np.square(image.values / scale, dtype=np.float32), (0.0, width, width))
    return np.asarray(smooth, np.float32)


class _FirstEcho:
    """The patches of the first echo, and coordinates in mm along its voxel axes about the body's centre."""

    def __init__(self, first: ComparedImage) -> None:
        self.shape = first.geometry.shape
        self.spacing = first.geometry.spacing
        scaled = np.diag([*self.spacing, 1.0])
        scaled[:3, 3] = first.geometry.to_index(first.centre) * -self.spacing
        self._ras_to_frame = scaled @ np.linalg.inv(first.geometry.affine)
        self._centre = -scaled[:3, 3]
        self.voxels = _patches(first.near_body)
        index = np.stack(np.unravel_index(self.voxels.ravel(), self.shape)[::-1])
        self.points = index * self.spacing[:, None] - self._centre[:, None]

    def to_frame(self, ras: Array) -> Array:
        return np.asarray(self._ras_to_frame @ ras @ np.linalg.inv(self._ras_to_frame), float)

    def to_ras(self, matrix: Array) -> Array:
        return np.asarray(np.linalg.inv(self._ras_to_frame) @ matrix @ self._ras_to_frame, float)

    def coordinates(self, matrix: Array, points: Array) -> Array:
        """Where `points` (3, n) lie in an echo moved by `matrix`: (3, n), slice, row, column."""
        moved = matrix[:3, :3] @ points + matrix[:3, 3:] + self._centre[:, None]
        return (moved / self.spacing[:, None])[::-1]

    def resampled(self, spline: Floats, matrix: Array) -> Floats:
        """The whole echo, laid on the first."""
        laid = np.empty(self.shape, np.float32)
        for k in range(self.shape[0]):  # a slice at a time: coordinates take six times an image's memory
            index = np.stack([np.indices(self.shape[1:])[1].ravel(), np.indices(self.shape[1:])[0].ravel()])
            points = np.vstack([index, np.full(index.shape[1], k)]) * self.spacing[:, None]
            where = self.coordinates(matrix, points - self._centre[:, None])
            laid[k] = _at(spline, where).reshape(self.shape[1:])
        return laid

    def products(self, echoes: Sequence[Floats]) -> Array:
        """(patches, 1 + echoes, 1 + echoes): sums of products of a constant and the echoes."""
        columns = np.stack([np.ones(self.shape, np.float32), *echoes], axis=-1)
        values = columns.reshape(-1, columns.shape[-1])[self.voxels].astype(float)
        return np.asarray(values.transpose(0, 2, 1) @ values, float)


def _patches(body: NDArray[np.bool_]) -> NDArray[np.int_]:
    """Flat voxel numbers (patches, pixels) of squares in single slices that lie in the body."""
    slices, rows, columns = body.shape
    tall, wide = min(SIDE, rows), min(SIDE, columns)
    down, across = rows // tall, columns // wide
    number = np.arange(body.size).reshape(body.shape)[:, : down * tall, : across * wide]
    patches = (
        number.reshape(slices, down, tall, across, wide).transpose(0, 1, 3, 2, 4).reshape(-1, tall * wide)
    )
    patches = patches[body.ravel()[patches].mean(axis=1) >= LEAST_INSIDE]
    return patches[:: int(np.ceil(max(len(patches), 1) / MOST_PATCHES))]


def _at(spline: Floats, coordinates: Array) -> Floats:
    return np.asarray(
        ndimage.map_coordinates(
            spline, coordinates, output=np.float32, order=3, mode="mirror", prefilter=False
        )
    )


def _best_predicted(products: Array, done: list[int]) -> tuple[int, list[int]]:
    """The echo, not yet `done`, that echoes which are predict best; and which of them to take."""
    waiting = [k for k in range(products.shape[-1] - 1) if k not in done]
    choices = {echo: _predictors(products, done, echo) for echo in waiting}
    best = min(waiting, key=lambda echo: choices[echo][0])
    return best, choices[best][1]


def _predictors(products: Array, done: list[int], echo: int) -> tuple[float, list[int]]:
    """What stays unexplained, and by which of `done`: the first and up to two that help most."""
    chosen = [0]
    unexplained = _unexplained(products, chosen, echo)
    while len(chosen) < PREDICTORS:
        trials = [(_unexplained(products, [*chosen, k], echo), k) for k in done if k not in chosen]
        if not trials or min(trials)[0] >= unexplained:
            break
        unexplained, added = min(trials)
        chosen.append(added)
    return unexplained, chosen


def _unexplained(products: Array, predictors: list[int], echo: int) -> float:
    """Mean logarithm of the part of a patch's variance that `predictors` leave."""
    columns = [0, *(k + 1 for k in predictors)]
    target = products[:, echo + 1, echo + 1]
    left = _left(products[:, [*columns, echo + 1]][:, :, [*columns, echo + 1]], len(columns))[:, 0, 0]
    variance = target - products[:, 0, echo + 1] ** 2 / products[:, 0, 0]
    floor = 1e-3 * variance.mean() + 1e-30
    return float(np.log((np.maximum(left, 0) + floor) / (np.maximum(variance, 0) + floor)).mean())


def _left(products: Array, predictors: int) -> Array:
    """Sums of products of the columns beyond the first `predictors`, once these have been fitted to them."""
    return np.asarray(
        products[:, predictors:, predictors:]
        - products[:, predictors:, :predictors] @ _weights(products, predictors),
        float,
    )


def _weights(products: Array, predictors: int) -> Array:
    """The coefficients of that fit: (patches, predictors, other columns)."""
    among = products[:, :predictors, :predictors]
    ridge = 1e-7 * np.einsum("nii->ni", among)[:, :, None] * np.eye(predictors) + 1e-30 * np.eye(predictors)
    return np.asarray(np.linalg.solve(among + ridge, products[:, :predictors, predictors:]), float)


class _Prediction:
    """An echo predicted, patch by patch, from `laid` echoes, and how the prediction changes with motion."""

    def __init__(self, first: _FirstEcho, laid: Sequence[Floats], free: NDArray[np.bool_]) -> None:
        self._first, self._free, self._laid = first, free, len(laid)
        patches, size = first.voxels.shape
        x, y, z = first.points.reshape(3, patches, size)
        constant = np.ones((patches, size))
        predictors, changes = [constant], []
        for echo in laid:
            gx, gy, gz = (_gradient(echo, axis, first).ravel()[first.voxels] for axis in range(3))
            answers = (y * gz - z * gy, z * gx - x * gz, x * gy - y * gx, gx, gy, gz)
            predictors.append(echo.ravel()[first.voxels].astype(float))
            changes += [answer for answer, moves in zip(answers, free, strict=True) if moves]
        self._columns = np.stack(predictors + changes, axis=-1).astype(np.float32)

    def match(self, echo: Floats, start: Array) -> Array:
        """The motion (4, 4) under which `echo`, given by its spline, is as predicted."""
        matrix = start
        for _ in range(STEPS):
            step = self._step(echo, matrix)
            if step is None:
                return start
            matrix = matrix @ _rigid(step)
            if np.abs(step[:3]).max() < 5e-5 and np.abs(step[3:]).max() < 2e-3:
                break
        moved = np.linalg.inv(start) @ matrix
        turned = Rotation.from_matrix(moved[:3, :3]).magnitude()
        lost = np.linalg.norm(moved[:3, 3]) > FARTHEST_MM or turned > FARTHEST_RAD
        return start if lost else matrix

    def _step(self, echo: Floats, matrix: Array) -> Array | None:
        """(6,) rotations and shifts by which to improve `matrix`; None where nothing tells."""
        where = self._first.coordinates(matrix, self._first.points)
        shape = self._first.voxels.shape
        seen = inside(where, self._first.shape).reshape(shape)
        enough = seen.mean(axis=1) >= LEAST_INSIDE
        if enough.sum() < 10:
            return None
        values = _at(echo, where).reshape(*shape, 1)
        columns = np.concatenate([self._columns, values], axis=-1)[enough] * seen[enough, :, None]
        products = (columns.transpose(0, 2, 1) @ columns).astype(float)
        predictors = 1 + self._laid
        left = _left(products, predictors)
        spread = np.maximum(left[:, -1, -1], 0.0)
        weight = 1.0 / (spread + np.median(spread) + 1e-30)
        share = _weights(products, predictors)[:, 1:, -1]  # of every predictor in the prediction
        moves = int(self._free.sum())
        pairs = left[:, :-1, :-1].reshape(-1, self._laid, moves, self._laid, moves)
        curvature = np.einsum("n,nk,nl,nkplq->pq", weight, share, share, pairs, optimize=True)
        slope = left[:, :-1, -1].reshape(-1, self._laid, moves)
        push = np.einsum("n,nk,nkp->p", weight, share, slope, optimize=True)
        if not np.linalg.cond(curvature) < 1e12:
            return None
        step = np.zeros(6)
        step[self._free] = -np.linalg.solve(curvature, push)
        return step


def _gradient(image: Floats, axis: int, first: _FirstEcho) -> Array:
    """Per mm along columns, rows or slices (axis 0, 1, 2)."""
    if image.shape[2 - axis] < 2:
        return np.zeros(image.shape)
    return np.asarray(np.gradient(image, first.spacing[axis], axis=2 - axis), float)


def _rigid(step: Array) -> Array:
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(step[:3]).as_matrix()
    matrix[:3, 3] = step[3:]
    return matrix
