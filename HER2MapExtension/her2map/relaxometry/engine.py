"""Runs a fit over all voxels: in cache-sized chunks, on all cores, with progress and cancel."""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import InputError
from ..progress import Progress, no_progress
from .parameter_map import ParameterMap, Status

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

Array = NDArray[np.floating[Any]]


SAMPLES_PER_CHUNK = 2**18
"""Large enough for NumPy's calls to outweigh the hand-over of Python's lock between them, small enough for
the cache."""
KEPT_BYTES = 2**24
"""Freed blocks up to this size stay with the process; larger than any array of a chunk."""


class Estimate(NamedTuple):
    """A kernel's answer for one chunk; every field has shape (voxels,)."""

    value: Array
    standard_error: Array
    r_squared: Array
    status: NDArray[np.uint8]
    m0: Array


Kernel = Callable[..., Estimate]
"""``kernel(signal, *voxel_inputs)``: signal (measurements, voxels), each voxel input (voxels,); all finite,
contiguous and of the map's dtype. Called in several threads at once, so it keeps no state."""


def fit_voxels(
    kernel: Kernel,
    signal: ArrayLike,
    *voxel_inputs: ArrayLike | None,
    quantity: str,
    method: str,
    unit: str = "ms",
    notes: tuple[str, ...] = (),
    progress: Progress = no_progress,
    chunk_voxels: int | None = None,
) -> ParameterMap:
    """Fit every voxel of `signal` with `kernel`.

    Args:
        kernel: see :data:`Kernel`.
        signal: (measurements, ...), any real dtype, possibly a masked array. A voxel of which any
            measurement is masked or not finite is left with status `NOT_ASKED`.
        voxel_inputs: arrays that broadcast to signal.shape[1:] (a B1 map, a start value), or None, which
            is left out of the kernel's arguments.
        progress: see :data:`~her2map.progress.Progress`.
        chunk_voxels: voxels a call of the kernel; None for `SAMPLES_PER_CHUNK` samples.

    Returns:
        Arrays of shape signal.shape[1:]; float64 for a float64 signal, otherwise float32.

    Raises:
        InputError: `signal` has no measurement axis or a voxel input does not fit its shape.
        Cancelled: raised by `progress`; no thread is left running.
    """
    mask = np.ma.getmaskarray(np.ma.asarray(signal)).any(axis=0).ravel() if np.ma.is_masked(signal) else None
    samples = np.ma.getdata(signal)
    if samples.ndim < 1:
        raise InputError("The signal has no measurement axis; its first axis counts the measurements.")
    dtype = np.dtype(np.float64 if samples.dtype == np.float64 else np.float32)
    shape = samples.shape[1:]
    samples = samples.reshape(samples.shape[0], -1)
    inputs = [_flat_input(x, shape) for x in voxel_inputs if x is not None]
    n_voxels = samples.shape[1]
    value, standard_error, r_squared, m0 = (np.empty(n_voxels, dtype) for _ in range(4))
    out = Estimate(value, standard_error, r_squared, np.empty(n_voxels, np.uint8), m0)

    chunk = chunk_voxels or max(SAMPLES_PER_CHUNK // max(samples.shape[0], 1), 1)

    def run(start: int) -> int:
        part = slice(start, min(start + chunk, n_voxels))
        _fit_chunk(kernel, samples, inputs, mask, part, dtype, out)
        return part.stop - part.start

    _run_all(run, range(0, n_voxels, chunk), n_voxels, progress)
    return ParameterMap(
        **{name: array.reshape(shape) for name, array in out._asdict().items()},
        quantity=quantity,
        unit=unit,
        method=method,
        notes=notes,
    )


def _flat_input(values: ArrayLike, shape: tuple[int, ...]) -> NDArray[Any]:
    filled = np.ma.filled(np.ma.asarray(values, dtype=float), np.nan) if np.ma.isMA(values) else values
    try:
        return np.broadcast_to(np.asarray(filled), shape).reshape(-1)
    except ValueError:
        raise InputError(
            f"An input map of shape {np.shape(values)} does not fit the signal's voxels {shape}; "
            "resample it to the signal's grid first."
        ) from None


def _fit_chunk(
    kernel: Kernel,
    samples: NDArray[Any],
    inputs: list[NDArray[Any]],
    mask: NDArray[np.bool_] | None,
    part: slice,
    dtype: np.dtype[Any],
    out: Estimate,
) -> None:
    arguments = [np.ascontiguousarray(x[..., part], dtype) for x in (samples, *inputs)]
    with np.errstate(invalid="ignore"):  # inf - inf
        usable = np.isfinite(arguments[0].sum(axis=0))
    for extra in arguments[1:]:
        usable &= np.isfinite(extra)
    if mask is not None:
        usable &= ~mask[part]
    where: slice | NDArray[np.intp] = part
    if not usable.all():
        where = part.start + np.flatnonzero(usable)
        out.status[part] = Status.NOT_ASKED
        for blank in (out.value, out.standard_error, out.r_squared, out.m0):
            blank[part] = np.nan
        arguments = [np.ascontiguousarray(x[..., usable]) for x in arguments]
    if not usable.any():
        return
    with np.errstate(all="ignore"):  # a hopeless voxel is told by its status, not by a warning
        found = kernel(*arguments)
    for target, result in zip(out, found, strict=True):
        target[where] = result


def _run_all(run: Callable[[int], int], starts: range, total: int, progress: Progress) -> None:
    done = 0
    _keep_freed_memory()
    # The cores are ours: BLAS threads inside the workers would only get in each other's way.
    with _libraries().limit(limits=1, user_api="blas"), ThreadPoolExecutor(n_workers()) as pool:
        jobs: list[Future[int]] = [pool.submit(run, start) for start in starts]
        try:
            for job in as_completed(jobs):
                done += job.result()
                progress(done / total)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


@cache
def _keep_freed_memory() -> None:
    """Lets the chunks reuse each other's memory, at the start of a process as later on.

    glibc gives a freed array back to the system if it is larger than any freed before (mallopt(3),
    M_MMAP_THRESHOLD), and the system clears its pages anew for the next: half the time of a first fit.
    Where there is another allocator, this does nothing.
    """
    np.empty(KEPT_BYTES, np.uint8)


@cache
def _libraries() -> "ThreadpoolController":
    """The numerical libraries in this process; finding them takes some milliseconds."""
    from threadpoolctl import ThreadpoolController  # 3D Slicer lacks it until the first fit asks for it

    return ThreadpoolController()


def n_workers() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
