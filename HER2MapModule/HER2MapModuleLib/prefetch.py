"""The next case is prepared by another process while this one is read.

A thread of ours would get no turn: Slicer runs Python only where its own code calls it.
"""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import qt

POLL_MS = 500
LOW_PRIORITY = 5
"""Of a Unix process: what the reader does now comes first."""


class Prefetch:
    """At most one process at a time, which says nothing: its words could name a patient's folder."""

    def __init__(self) -> None:
        self._process = None
        self._tried = set()
        self._next = None
        self._timer = qt.QTimer()
        self._timer.setInterval(POLL_MS)
        self._timer.connect("timeout()", self._poll)

    def start(self, next_) -> None:
        """Prepare what `next_()` says: arguments of a Python, or None where there is nothing to prepare.

        It is asked again whenever a process has ended.
        """
        self._next = next_
        self._poll()

    def stop(self) -> None:
        """End the process that runs."""
        self._timer.stop()
        self._next, process = None, self._process
        self._process = None
        self._tried.clear()
        if process is not None and process.poll() is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(2.0)
            if process.poll() is None:
                process.kill()
                process.wait()

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def wait(self, code: str, progress) -> None:
        """Until the process has ended, if it is this case that it prepares; `progress` may raise."""
        process = self._process
        while process is not None and code in process.args and process.poll() is None:
            progress(0.0)
            time.sleep(0.05)

    def _poll(self) -> None:
        if self.running:
            return
        self._process = None
        arguments = self._next() if self._next is not None else None
        if arguments is None or tuple(arguments) in self._tried:  # what failed once is told when it is opened
            self._timer.stop()
            return
        self._tried.add(tuple(arguments))
        self._process = _started(arguments)
        if self._process is not None:
            self._timer.start()


def _started(arguments):
    """A quiet Python of low priority that finds her2map; None where none can be started."""
    import her2map

    library = str(Path(her2map.__file__).parents[1])
    path = os.pathsep.join(filter(None, (library, os.environ.get("PYTHONPATH"))))
    quiet = subprocess.DEVNULL
    flags = getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0) | getattr(subprocess, "CREATE_NO_WINDOW", 0)
    try:
        process = subprocess.Popen(
            [sys.executable, *arguments],  # in Slicer this is PythonSlicer
            env={**os.environ, "PYTHONPATH": path},
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
            creationflags=flags,
        )
    except OSError:
        return None
    if hasattr(os, "setpriority"):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, LOW_PRIORITY)
    return process
