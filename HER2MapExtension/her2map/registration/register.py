"""Which motion two images have, and whether to believe it."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from ..geometry import Geometry
from ..progress import Progress, no_progress, part_of
from .comparison import ComparedImage, Comparison, Score
from .motion import Motion, RegisteredEchoes
from .patches import lay_on_first
from .resampling import resample
from .search import COARSE, FEW_SLICES, FINE, NOWHERE, Candidate, search

Array = NDArray[np.float64]

LEAST_OVERLAP = 0.25
"""Part of the body that must stay inside the other image's field of view."""
NEGLIGIBLE_MM = 0.05
"""Root mean square over the body; less is within the error, and interpolation would blur for nothing."""
SEARCHING = 0.6
"""Part of the time that the search takes; the rest is the refinement."""


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
    images = [ComparedImage(echo, geometry) for echo in echoes]
    motions = _lay_on_first(images, progress)
    registered = echoes.copy()
    for k, motion in enumerate(motions):
        if motion.used:
            registered[k] = resample(echoes[k], geometry, geometry, motion.matrix)
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
    reason = _hopeless(fixed, moving)
    if reason:
        return _unused(fixed, reason)
    return _decide(fixed, moving, search(fixed, moving, FINE, watch))


def _lay_on_first(images: list[ComparedImage], progress: Progress) -> list[Motion]:
    """The motion of every image against the first, all on one grid: searched one by one, refined together."""
    first = images[0]
    motions = [_unused(first, _hopeless(first, image)) for image in images]
    motions[0] = _unused(first, "the first echo, to which the others are registered")
    hopeful = [k for k in range(1, len(images)) if not motions[k].reason]
    starts = {}
    for number, k in enumerate(hopeful):
        part = part_of(progress, SEARCHING * number / len(hopeful), SEARCHING * (number + 1) / len(hopeful))
        found = search(first, images[k], COARSE, part)
        if found:
            starts[k] = _best(found, Comparison(first, images[k]).scores([c.matrix for c in found]))
        else:
            motions[k] = _decide(first, images[k], found)
    others = [images[k] for k in starts]
    refined = lay_on_first(first, others, list(starts.values()), part_of(progress, SEARCHING, 1.0))
    for k, candidate in zip(starts, refined, strict=True):
        motions[k] = _decide(first, images[k], [candidate])
    return motions


def _hopeless(fixed: ComparedImage, moving: ComparedImage) -> str:
    """Why two images cannot be registered; empty where they may."""
    if fixed.featureless or moving.featureless:
        return "an image has no structure"
    if Comparison(fixed, moving).overlap(np.eye(4)) < LEAST_OVERLAP:
        return "the two fields of view hardly overlap"
    return ""


def _best(candidates: list[Candidate], scores: list[Score]) -> Candidate:
    """The first candidate on which no later one, with more freedom, improves with certainty."""
    best = 0
    for k in range(1, len(candidates)):
        if (scores[k] - scores[best]).certain:
            best = k
    return candidates[best]


def _decide(fixed: ComparedImage, moving: ComparedImage, candidates: list[Candidate]) -> Motion:
    """The best of no motion and `candidates`, if that is better than none with certainty."""
    if not candidates:
        return _unused(fixed, "the optimiser lost the overlap of the two fields of view")
    comparison = Comparison(fixed, moving)
    choices = [Candidate(np.eye(4), NOWHERE), *candidates]
    if min(comparison.overlap(choice.matrix) for choice in choices) < LEAST_OVERLAP:
        return _unused(fixed, "the motion found leaves the other field of view")
    scores = comparison.scores([choice.matrix for choice in choices])
    best = _best(choices, scores)
    tried = scores[choices.index(best) or -1]
    before = scores[0].mean
    if not tried.certain:
        return _unused(fixed, "the two images share no structure", before, tried.mean)
    if best is choices[0] or comparison.displacement_mm(best.matrix) < NEGLIGIBLE_MM:
        return _unused(fixed, "the motion found is not better than none", before, tried.mean)
    kind = "found" if best.free.all() else "in the plane"
    return Motion(
        best.matrix, fixed.centre, before, tried.mean, True, f"the motion {kind} is better than none"
    )
