"""Rigid registration: every echo to the first, and the space of a map to the space of the DCE images.

The images are compared by mutual information, because tissues differ in brightness between echoes and
between sequences. SimpleITK's Mattes metric drives the optimiser (Mattes et al., IEEE Trans Med Imaging
2003;22:120) from coarse to fine; whether its answer is used is decided by a second, held-out estimate.
Where tissues mix in thick slices, contrast that changes and dim echoes limit the accuracy: about 0.1 mm in
shift, and in slices of 3 mm and more 0.1 to 0.4 degrees about axes in the plane.
All motion is found in the frame of one image's own voxel axes, so flipped and oblique grids need no care.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from .errors import InputError
from .geometry import Geometry
from .image_comparison import BINS, ComparedImage, Comparison, array_coordinates, filled, inside
from .progress import Progress, no_progress, part_of

Array = NDArray[np.float64]

COARSE_SIGMAS_MM = (6.0, 2.5)
"""Smoothing of the first two levels; the last has one voxel's width. 6 mm catches motion of 10 mm."""
POINTS = (40_000, 60_000, 200_000)
"""Voxels compared at each level, at most: as many as the time of a few seconds an echo allows."""
FEW_SLICES = 8
"""Stacks with fewer slices hardly determine motion through the plane: it must earn its place."""
LEAST_OVERLAP = 0.25
"""Part of the body that must stay inside the other image's field of view."""


@dataclass(frozen=True, eq=False)
class Motion:
    """A rigid motion between two images, and whether it is to be used.

    Attributes:
        matrix: (4, 4), RAS mm: takes a point of the fixed (first, DCE) image to the place of the same tissue
            in the moving (later, map) image. A ROI drawn on the fixed image is moved by it onto the moving
            image; the moving image is sampled at ``matrix @ x`` to lie on the fixed one. The identity
            where `used` is False.
        centre: RAS mm, the centre of brightness of the body in the fixed image.
        metric_before, metric_after: mutual information in nats without registration and with the motion
            found (also where it was rejected), on the same voxels, each scored by a histogram of other
            voxels; about 0 or less for unrelated images. NaN where nothing could be compared.
        used: whether the motion found is significantly better than none.
        reason: in words.
    """

    matrix: Array
    centre: Array
    metric_before: float
    metric_after: float
    used: bool
    reason: str

    @property
    def inverse(self) -> Array:
        """(4, 4), RAS mm: from the moving image to the fixed one."""
        return np.asarray(np.linalg.inv(self.matrix), float)

    @property
    def translation_mm(self) -> Array:
        """(3,), along R, A, S: how far the body's centre moved."""
        return self.matrix[:3, :3] @ self.centre + self.matrix[:3, 3] - self.centre

    @property
    def rotation_deg(self) -> Array:
        """(3,), the rotation vector about the R, A and S axes; its length is the angle."""
        return Rotation.from_matrix(self.matrix[:3, :3]).as_rotvec(degrees=True)

    @property
    def distance_mm(self) -> float:
        """Length of `translation_mm`."""
        return float(np.linalg.norm(self.translation_mm))

    @property
    def angle_deg(self) -> float:
        """Length of `rotation_deg`."""
        return float(np.linalg.norm(self.rotation_deg))


@dataclass(frozen=True, eq=False)
class RegisteredEchoes:
    """Echoes that lie on the first.

    Attributes:
        data: (measurements, slices, rows, columns); NaN where an echo's field of view does not reach.
        motions: one a measurement; the first echo's is the identity.
    """

    data: NDArray[np.floating[Any]]
    motions: list[Motion]


def register_echoes(
    data: ArrayLike, geometry: Geometry, progress: Progress = no_progress
) -> RegisteredEchoes:
    """Register every echo rigidly to the first one and resample it there.

    Nothing is random; ITK's threads add their sums in varying order, which changes the motion by less than
    1e-5 mm. An echo whose registration is no better than none is returned bit for bit.

    Args:
        data: (measurements, slices, rows, columns), magnitude; voxels that are NaN are left out.
        geometry: the grid of one measurement.

    Returns:
        float64 for float64 data, otherwise float32, interpolated by cubic B-splines.

    Raises:
        InputError: `data` does not fit `geometry`, is not real, or the grid is sheared.
        Cancelled: raised by `progress`.
    """
    echoes = np.asarray(data)
    if echoes.ndim != 4 or len(echoes) == 0:
        raise InputError(
            f"The echoes have shape {echoes.shape}; they need the axes measurement, slice, row, column."
        )
    echoes = _checked(echoes, geometry, "echoes", ndim=4)
    registered = echoes.copy()
    first = ComparedImage(echoes[0], geometry)
    motions = [_unused(first, "the first echo, to which the others are registered")]

    for k in range(1, len(echoes)):
        watch = _part(progress, k - 1, len(echoes) - 1)
        motions.append(_register(first, ComparedImage(echoes[k], geometry), watch))
        if motions[k].used:
            registered[k] = resample(echoes[k], geometry, geometry, motions[k].matrix)
    progress(1.0)
    return RegisteredEchoes(registered, motions)


def register_to(
    moving: ArrayLike,
    moving_geometry: Geometry,
    fixed: ArrayLike,
    fixed_geometry: Geometry,
    progress: Progress = no_progress,
) -> Motion:
    """Find the rigid motion from the DCE image (`fixed`) to a map's image (`moving`).

    The images may differ in contrast, grid and orientation. ``motion.matrix`` takes RAS points of the fixed
    image to the moving one, so it moves a ROI drawn on the DCE image onto the map; ``motion.inverse`` goes
    back. Neither image is resampled.

    Args:
        moving, fixed: (slices, rows, columns), magnitude: one echo, or the mean of a map's measurements;
            voxels that are NaN are left out.

    Raises:
        InputError: an image does not fit its geometry, is not real, or its grid is sheared.
        Cancelled: raised by `progress`.
    """
    mover = ComparedImage(_checked(np.asarray(moving), moving_geometry, "moving image"), moving_geometry)
    target = ComparedImage(_checked(np.asarray(fixed), fixed_geometry, "fixed image"), fixed_geometry)
    if mover.geometry.shape[0] >= min(target.geometry.shape[0], FEW_SLICES):
        return _register(target, mover, progress)
    # A stack of few slices is placed in the other, not the other way: there is little to interpolate in it.
    found = _register(mover, target, progress)
    centre = found.matrix[:3, :3] @ found.centre + found.matrix[:3, 3]
    return Motion(found.inverse, centre, found.metric_before, found.metric_after, found.used, found.reason)


def resample(
    image: ArrayLike, geometry: Geometry, onto: Geometry, matrix: ArrayLike
) -> NDArray[np.floating[Any]]:
    """`image` on the grid `onto`, by cubic B-splines.

    Args:
        image: (slices, rows, columns) on the grid `geometry`.
        matrix: (4, 4), RAS: a point of `onto` is taken to the point of `image` that is shown there.

    Returns:
        Shape ``onto.shape``; NaN outside the outer voxels' edges and where a neighbour is NaN.
    """
    source = np.asarray(image)
    missing = ~np.isfinite(source)
    voxels = np.indices(onto.shape).reshape(3, -1)
    coordinates = array_coordinates(geometry, np.asarray(matrix, float), onto, voxels)
    values = ndimage.map_coordinates(filled(source, missing), coordinates, order=3, mode="mirror")
    lost = ~inside(coordinates, source.shape)
    if missing.any():
        lost |= ndimage.map_coordinates(missing.astype(np.float32), coordinates, order=1, mode="nearest") > 0
    values[lost] = np.nan
    return values.reshape(onto.shape)


def _checked(image: NDArray[Any], geometry: Geometry, name: str, ndim: int = 3) -> NDArray[np.floating[Any]]:
    if image.ndim != ndim or image.shape[-3:] != tuple(geometry.shape):
        raise InputError(
            f"The {name} have shape {image.shape} but the grid has {tuple(geometry.shape)} "
            "slices, rows and columns; give both from the same series."
        )
    if np.iscomplexobj(image) or image.dtype.kind not in "fiub":
        raise InputError(f"The {name} must be real magnitude images.")
    axes = geometry.affine[:3, :3] / np.where(geometry.spacing > 0, geometry.spacing, 1.0)
    if not np.allclose(axes.T @ axes, np.eye(3), atol=1e-3):
        raise InputError(f"The grid of the {name} is sheared or flat; resample it to a rectangular grid.")
    return image.astype(np.float64 if image.dtype == np.float64 else np.float32, copy=False)


def _unused(fixed: ComparedImage, reason: str, before: float = np.nan, after: float = np.nan) -> Motion:
    return Motion(np.eye(4), fixed.centre, before, after, False, reason)


def _register(fixed: ComparedImage, moving: ComparedImage, watch: Progress) -> Motion:
    """The motion from `fixed` to `moving`, found on the grid of `fixed`."""
    if fixed.featureless or moving.featureless:
        return _unused(fixed, "an image has no structure")
    comparison = Comparison(fixed, moving)
    if comparison.overlap(np.eye(4)) < LEAST_OVERLAP:
        return _unused(fixed, "the two fields of view hardly overlap")
    slices = fixed.geometry.shape[0]
    in_plane, full = (0.0, 0.0, 1.0, 1.0, 1.0, 0.0), (1.0,) * 6
    attempts = [full] if slices >= FEW_SLICES else [in_plane] if slices == 1 else [in_plane, full]
    transform = sitk.Euler3DTransform()
    frame = _frame(fixed.geometry)
    transform.SetCenter((np.linalg.inv(frame) @ [*fixed.centre, 1.0])[:3].tolist())
    candidates = [np.eye(4)]
    for k, free in enumerate(attempts):
        steps = _part(watch, k, len(attempts))
        if not _optimise(transform, free, fixed, moving, steps):
            return _unused(fixed, "the optimiser lost the overlap of the two fields of view")
        candidates.append(frame @ _matrix(transform) @ np.linalg.inv(frame))
    watch(1.0)
    return _decide(fixed, comparison, candidates)


def _decide(fixed: ComparedImage, comparison: "Comparison", candidates: list[Array]) -> Motion:
    """The first of `candidates` (none, in plane, full) on which no later one improves with certainty."""
    if min(comparison.overlap(matrix) for matrix in candidates) < LEAST_OVERLAP:
        return _unused(fixed, "the motion found leaves the other field of view")
    scores = comparison.scores(candidates)
    best = 0
    for k in range(1, len(candidates)):
        if (scores[k] - scores[best]).certain:
            best = k
    before, tried = scores[0].mean, scores[best or -1].mean
    if not scores[best or -1].certain:
        return _unused(fixed, "the two images share no structure", before, tried)
    if best == 0:
        return _unused(fixed, "the motion found is not better than none", before, tried)
    kind = "in the plane" if best < len(candidates) - 1 else "found"
    return Motion(
        candidates[best], fixed.centre, before, tried, True, f"the motion {kind} is better than none"
    )


def _optimise(
    transform: sitk.Euler3DTransform,
    free: tuple[float, ...],
    fixed: ComparedImage,
    moving: ComparedImage,
    watch: Progress,
) -> bool:
    """Improve `transform` (in the frame of `fixed`) from coarse to fine; False where the overlap was lost."""
    to_frame = np.linalg.inv(_frame(fixed.geometry))
    pixel = float(max(*fixed.geometry.spacing[:2], *moving.geometry.spacing[:2]))
    near_body = fixed.near_body
    sigmas = [*(sigma for sigma in COARSE_SIGMAS_MM if sigma > pixel), pixel]
    for level, sigma in enumerate(sigmas):
        step = int(np.ceil(np.sqrt(near_body.sum() / POINTS[level - len(sigmas)])))
        finest = level == len(sigmas) - 1
        still, other = (image.detail() if finest else image.smooth(sigma) for image in (fixed, moving))
        grid = to_frame @ fixed.geometry.affine
        grid[:, :2] *= step
        finer, finer_affine = _finer_slices(other, moving.geometry, max(sigma, pixel))
        method = sitk.ImageRegistrationMethod()
        method.SetMetricAsMattesMutualInformation(BINS)
        method.SetMetricFixedMask(_to_sitk(near_body[:, ::step, ::step].astype(np.uint8), grid))
        if not moving.known.all():
            method.SetMetricMovingMask(
                _to_sitk(moving.known.astype(np.uint8), to_frame @ moving.geometry.affine)
            )
        method.SetMetricUseFixedImageGradientFilter(False)
        method.SetMetricUseMovingImageGradientFilter(False)
        method.SetInterpolator(sitk.sitkLinear)
        method.SetOptimizerAsRegularStepGradientDescent(
            sigma / 2, 0.002, 100, relaxationFactor=0.6, gradientMagnitudeTolerance=1e-7
        )
        method.SetOptimizerScales(_curvatures(still, near_body, fixed.geometry, transform.GetCenter()))
        method.SetOptimizerWeights(free)
        method.SetInitialTransform(transform, inPlace=True)
        images = _to_sitk(still[:, ::step, ::step], grid), _to_sitk(finer, to_frame @ finer_affine)
        if not _execute(method, images, _part(watch, level, len(sigmas))):
            return False
    return True


def _execute(
    method: sitk.ImageRegistrationMethod, images: tuple[sitk.Image, sitk.Image], watch: Progress
) -> bool:
    stopped: list[BaseException] = []

    def iterated() -> None:
        try:
            watch(min(method.GetOptimizerIteration() / 40, 1.0))
        except BaseException as reason:  # must not pass through C++; raised again below
            stopped.append(reason)
            method.StopRegistration()

    method.AddCommand(sitk.sitkIterationEvent, iterated)
    try:
        method.Execute(*images)
    except RuntimeError:
        return False
    finally:
        if stopped:
            raise stopped[0]
    return True


def _curvatures(
    image: NDArray[np.float32], mask: NDArray[np.bool_], geometry: Geometry, centre: tuple[float, ...]
) -> list[float]:
    """How strongly the image answers to each parameter, relative to the mean of the translations.

    The diagonal of the Gauss-Newton matrix, sum of (dI/dparameter)². As the optimiser's scales it makes the
    descent converge alike in all six; ITK's own scales (the largest shift) leave rotations unfinished.
    """
    voxels = np.nonzero(mask)
    spacing = geometry.spacing
    gradient = [
        np.gradient(image, spacing[k], axis=2 - k)[voxels]
        if image.shape[2 - k] > 1
        else np.zeros(len(voxels[0]))
        for k in range(3)
    ]
    x, y, z = (voxels[2 - k] * spacing[k] - centre[k] for k in range(3))
    gx, gy, gz = gradient
    answers = (y * gz - z * gy, z * gx - x * gz, x * gy - y * gx, gx, gy, gz)
    squares = np.array([float(np.square(answer).sum()) for answer in answers])
    mean = squares[3:].sum() / 3
    return np.maximum(squares / mean, 1e-3).tolist()


def _frame(geometry: Geometry) -> Array:
    """(4, 4): mm along the columns', rows' and slices' index axes to RAS; may be left-handed."""
    frame = geometry.affine.copy()
    frame[:3, :3] /= geometry.spacing
    return frame


def _matrix(transform: sitk.Euler3DTransform) -> Array:
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(transform.GetMatrix(), (3, 3))
    matrix[:3, 3] = transform.TransformPoint((0.0, 0.0, 0.0))
    return matrix


def _to_sitk(values: NDArray[Any], affine: Array) -> sitk.Image:
    image = sitk.GetImageFromArray(values)
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((affine[:3, :3] / spacing).ravel().tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    return image


def _finer_slices(
    values: NDArray[np.float32], geometry: Geometry, width_mm: float
) -> tuple[NDArray[np.float32], Array]:
    """Slices added by cubic splines until they are about `width_mm` apart, and the affine.

    Between thick slices linear interpolation would blur, which draws the optimum to whole slices.
    """
    parts = int(np.ceil(geometry.spacing[2] / width_mm - 0.01))
    slices = len(values)
    affine = geometry.affine.copy()
    if parts < 2 or slices == 1:
        return values, affine
    affine[:, 2] /= parts
    weights = ndimage.zoom(np.eye(slices), (((slices - 1) * parts + 1) / slices, 1), order=3, mode="mirror")
    return np.tensordot(weights.astype(np.float32), values, axes=1), affine


def _part(progress: Progress, step: int, steps: int) -> Progress:
    return part_of(progress, step / steps, (step + 1) / steps)
