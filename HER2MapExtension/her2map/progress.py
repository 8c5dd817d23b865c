"""Progress of long work, with a way to stop it."""

from collections.abc import Callable

Progress = Callable[[float], None]
"""Called from the calling thread with the finished fraction, 0 to 1.

It may raise :class:`~her2map.errors.Cancelled`; the work then stops and the exception reaches the caller.
"""


def no_progress(fraction: float) -> None:
    """The callback of a caller who does not watch."""


def part_of(progress: Progress, start: float, stop: float) -> Progress:
    """The callback of a step that fills `progress` from `start` to `stop` (fractions of the whole)."""
    return lambda fraction: progress(start + (stop - start) * fraction)
