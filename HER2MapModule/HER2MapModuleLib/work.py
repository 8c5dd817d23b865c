"""Long work beside a responsive application: a thread that works, a dialog that shows it and can cancel."""

import threading
import time

import qt
import slicer
from slicer.i18n import tr as _

POLL_S = 0.02


class Work:
    """One call in a thread. The function gets a progress callback, which raises once it is cancelled."""

    def __init__(self, function) -> None:
        self.fraction = 0.0
        self._cancelled = threading.Event()
        self._function = function
        self._result = self._error = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def cancel(self) -> None:
        self._cancelled.set()

    def result(self):
        """What the function returned; raises what it raised. Waits for its end."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._result

    def _progress(self, fraction: float) -> None:
        from her2map.errors import Cancelled

        self.fraction = fraction
        if self._cancelled.is_set():
            raise Cancelled

    def _run(self) -> None:
        try:
            self._result = self._function(self._progress)
        except BaseException as error:  # handed to the thread that waits
            self._error = error


def inThread(function, report):
    """Run ``function(progress)`` in a thread and wait, with the application alive.

    Slicer's main thread must keep running Python for another to get its turn, hence the loop: it sleeps,
    which lets the thread work, and handles the application's events.

    Args:
        report: called with the finished fraction; returns whether to go on.

    Raises:
        Cancelled: `report` said no. Whatever `function` raises.
    """
    work = Work(function)
    work.start()
    while work.running:
        if not report(work.fraction):
            work.cancel()
        slicer.app.processEvents()
        time.sleep(POLL_S)
    return work.result()


_running = []


def withProgressDialog(title: str, function):
    """:func:`inThread` with a dialog that has a *Cancel* button and keeps the rest of Slicer from changing.

    Raises:
        RuntimeError: another job is running.
    """
    if _running:
        raise RuntimeError(_("Another job is running ({title}); wait for its end.").format(title=_running[0]))
    dialog = slicer.util.createProgressDialog(
        labelText=title, windowTitle="HER2Map", maximum=100, value=0, windowModality=qt.Qt.ApplicationModal
    )
    dialog.setCancelButtonText(_("Cancel"))
    dialog.show()
    _running.append(title)

    def report(fraction: float) -> bool:
        dialog.value = min(int(100 * fraction), 99)
        return not dialog.wasCanceled

    try:
        return inThread(function, report)
    finally:
        _running.clear()
        dialog.close()
        dialog.deleteLater()
