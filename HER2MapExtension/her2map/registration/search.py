"""The motion of highest mutual information, from coarse to fine.

SimpleITK's Mattes metric drives the optimiser (Mattes et al., IEEE Trans Med Imaging 2003;22:120).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from ..geometry import Geometry
from ..progress import Progress, part_of
from .comparison import BINS, ComparedImage

Array = NDArray[np.float64]

FEW_SLICES = 8
"""Stacks with fewer slices hardly determine motion through the plane: it must earn its place."""
IN_PLANE = np.array([False, False, True, True, True, False])
"""Of the rotations about and the shifts along the voxel axes."""
ANY_WAY, NOWHERE = np.ones(6, bool), np.zeros(6, bool)


@dataclass(frozen=True)
class Level:
    """One step of the search.

    Attributes:
        sigma_mm: of the smoothing; not used where one voxel is wider, or where `local` is set.
        points: voxels compared, at most: as many as the time of a second or two an echo allows.
        local: whether images are brought to the same local scale, one voxel's width being the smoothing.
    """

    sigma_mm: float
    points: int
    local: bool = False


COARSE = (Level(6.0, 40_000), Level(2.5, 60_000))
"""6 mm catches motion of 10 mm."""
FINE = (*COARSE, Level(0.0, 200_000, local=True))


@dataclass(frozen=True, eq=False)
class Candidate:
    """A motion found: (4, 4), RAS, from the fixed to the moving image; `free` as in `IN_PLANE`."""

    matrix: Array
    free: NDArray[np.bool_]


def search(
    fixed: ComparedImage, moving: ComparedImage, levels: tuple[Level, ...], watch: Progress
) -> list[Candidate]:
    """Motions to choose from, in the plane first if `fixed` has few slices; none if the overlap was lost."""
    slices = fixed.geometry.shape[0]
    attempts = [ANY_WAY] if slices >= FEW_SLICES else [IN_PLANE] if slices == 1 else [IN_PLANE, ANY_WAY]
    frame = _frame(fixed.geometry)
    transform = sitk.Euler3DTransform()
    transform.SetCenter((np.linalg.inv(frame) @ [*fixed.centre, 1.0])[:3].tolist())
    found = []
    for k, free in enumerate(attempts):
        part = part_of(watch, k / len(attempts), (k + 1) / len(attempts))
        if not _optimise(transform, free, fixed, moving, levels, part):
            return []
        found.append(Candidate(frame @ _matrix(transform) @ np.linalg.inv(frame), free))
    watch(1.0)
    return found


def _optimise(
    transform: sitk.Euler3DTransform,
    free: NDArray[np.bool_],
    fixed: ComparedImage,
    moving: ComparedImage,
    levels: tuple[Level, ...],
    watch: Progress,
) -> bool:
    """Improve `transform` (in the frame of `fixed`) level by level; False where the overlap was lost."""
    to_frame = np.linalg.inv(_frame(fixed.geometry))
    pixel = float(max(*fixed.geometry.spacing[:2], *moving.geometry.spacing[:2]))
    near_body = fixed.near_body
    # The last level always runs: with wide pixels it is the only one.
    used = [level for level in levels if level.local or level.sigma_mm > pixel] or [levels[-1]]
    for number, level in enumerate(used):
        sigma = max(level.sigma_mm, pixel)
        step = int(np.ceil(np.sqrt(near_body.sum() / level.points)))
        still, other = (image.detail() if level.local else image.smooth(sigma) for image in (fixed, moving))
        grid = to_frame @ fixed.geometry.affine
        grid[:, :2] *= step
        finer, finer_affine = _finer_slices(other, moving.geometry, sigma)
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
        method.SetOptimizerWeights(free.astype(float).tolist())
        method.SetInitialTransform(transform, inPlace=True)
        images = _to_sitk(still[:, ::step, ::step], grid), _to_sitk(finer, to_frame @ finer_affine)
        if not _execute(method, images, part_of(watch, number / len(used), (number + 1) / len(used))):
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
        method.RemoveAllCommands()  # it and the callback hold each other, where no collector looks
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
