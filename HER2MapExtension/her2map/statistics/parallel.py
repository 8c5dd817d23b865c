"""Independent jobs on several threads, with results in the order of the jobs."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from typing import TypeVar

from ..progress import Progress

T = TypeVar("T")


def in_order(jobs: Sequence[Callable[[], T]], workers: int, progress: Progress) -> list[T]:
    """What the jobs return.

    Args:
        workers: threads.
        progress: called from the calling thread after each job.

    Raises:
        Cancelled: raised by `progress`; jobs that have not begun are dropped.
    """
    with ThreadPoolExecutor(workers) as pool:
        running: list[Future[T]] = [pool.submit(job) for job in jobs]
        try:
            for done, job in enumerate(as_completed(running), start=1):
                job.result()
                progress(done / len(jobs))
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return [job.result() for job in running]
