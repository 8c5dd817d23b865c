"""Slices of one orientation: their order along the normal, their even spacing, their place in the patient."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..geometry import LPS_FROM_RAS
from .dicom import Image
from .header import Header, number

_SAME_PLACE_MM = 0.02
_SAME_AXIS = 1e-3  # of a direction cosine, about 0.06 degrees
_STEP_TOLERANCE = 0.01  # of the slice spacing; scanners round positions to about a micrometre


@dataclass(frozen=True, eq=False)
class Stack:
    """Images of parallel slices whose first pixels lie one behind the other.

    Attributes:
        images: of the stack.
        slice_index: of every image, counted along the normal.
        positions: (slices, 3) centre of the first pixel of every slice, LPS, mm.
    """

    images: Sequence[Image]
    slice_index: Sequence[int]
    positions: NDArray[np.float64]

    @property
    def slices(self) -> range:
        """All slice indices."""
        return range(len(self.positions))

    @property
    def along_normal(self) -> NDArray[np.float64]:
        """(slices,) distance in mm from the patient's origin along the slice normal."""
        return self.positions @ np.cross(*self.images[0].axes)

    def affine(self, slices: Sequence[int], header: Header) -> tuple[NDArray[np.float64], str]:
        """(4, 4) index to RAS of evenly spaced `slices`, and what is doubtful about it ("" if nothing).

        A single slice is as deep as it is thick.
        """
        image, place = self.images[0], self.positions[list(slices)]
        doubt = ""
        if len(slices) > 1:
            step = (place[-1] - place[0]) / (len(slices) - 1)
        else:
            depth = number(header, "SliceThickness", 0) or number(header, "SpacingBetweenSlices")
            if not depth > 0:
                depth, doubt = 1.0, "its single slice has no thickness (SliceThickness), 1 mm is taken"
            step = np.cross(*image.axes) * depth
        lps = np.eye(4)
        lps[:3, 0] = image.axes[0] * image.spacing[0]
        lps[:3, 1] = image.axes[1] * image.spacing[1]
        lps[:3, 2] = step
        lps[:3, 3] = place[0]
        return LPS_FROM_RAS @ lps, doubt


def stacks_of(images: Sequence[Image]) -> list[Stack]:
    """`images` sorted into stacks of one orientation and one place in the plane."""
    orientations: list[list[Image]] = []
    for image in images:
        for group in orientations:
            if np.abs(group[0].axes - image.axes).max() <= _SAME_AXIS:
                group.append(image)
                break
        else:
            orientations.append([image])
    return [stack for group in orientations for stack in _by_place(group)]


def _by_place(images: Sequence[Image]) -> list[Stack]:
    """One stack, or several where slices of the same depth begin at different points of their plane."""
    normal = np.cross(*images[0].axes)
    depth = np.array([image.position for image in images]) @ normal
    order = np.argsort(depth, kind="stable")
    level = np.empty(len(images), int)
    level[order] = np.cumsum(np.diff(depth[order], prepend=depth[order[0]]) > _SAME_PLACE_MM)
    origins: dict[int, list[NDArray[np.float64]]] = defaultdict(list)
    members: dict[int, list[int]] = defaultdict(list)
    for i, image in enumerate(images):
        here = origins[level[i]]
        known = [n for n, o in enumerate(here) if np.abs(o - image.position).max() <= 5 * _SAME_PLACE_MM]
        if not known:
            here.append(image.position)
        members[known[0] if known else len(here) - 1].append(i)
    return [_stack([images[i] for i in chosen], level[chosen]) for chosen in members.values()]


def _stack(images: Sequence[Image], level: NDArray[np.int_]) -> Stack:
    _, first, index = np.unique(level, return_index=True, return_inverse=True)
    return Stack(images, index.tolist(), np.array([images[i].position for i in first]))


def uniform_runs(positions: NDArray[np.float64]) -> list[list[int]]:
    """Indices of `positions` (slices, 3) in runs of equal steps; one run where the spacing is even.

    The step is the most frequent one, the smaller of two that are equally frequent.
    """
    if len(positions) < 3:
        return [list(range(len(positions)))]
    steps = np.diff(positions, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    counts = Counter(np.round(lengths, 2))
    usual = min(counts, key=lambda length: (-counts[length], length))
    step = steps[np.round(lengths, 2) == usual].mean(axis=0)
    breaks = np.linalg.norm(steps - step, axis=1) > max(_SAME_PLACE_MM, _STEP_TOLERANCE * float(usual))
    runs: list[list[int]] = [[0]]
    for i, broken in enumerate(breaks, 1):
        if broken:
            runs.append([])
        runs[-1].append(i)
    return runs
