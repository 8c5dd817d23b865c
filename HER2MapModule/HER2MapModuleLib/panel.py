"""What all panels share: the .ui file, the parameter node's connection, errors in words."""

import logging
from contextlib import contextmanager

import slicer
from slicer.i18n import tr as _

from .work import withProgressDialog


class Panel:
    """A part of the module's window. It talks to the logic, never to another panel.

    title - Of its section. collapsed - Whether the section starts folded. uiFile - In Resources/UI.
    """

    title = ""
    collapsed = False
    uiFile = ""

    def __init__(self, logic, readingRoom, resourcePath) -> None:
        self.logic, self.readingRoom = logic, readingRoom
        self.widget = slicer.util.loadUI(resourcePath(f"UI/{self.uiFile}"))
        self.widget.setMRMLScene(slicer.mrmlScene)
        self.ui = slicer.util.childWidgetVariables(self.widget)
        self._parameters = self._guiTag = None
        self.setup()

    def setup(self) -> None:
        """Connect widgets and the logic's signals."""

    def enter(self) -> None:
        """The module is shown."""

    def exit(self) -> None:
        """Another module is shown."""

    def cleanup(self) -> None:
        """Let go of what :meth:`setup` took beyond widgets and the logic's signals."""

    def run(self, title: str, function):
        """The result of long work, with a dialog.

        Raises:
            RuntimeError: meanwhile the scene was closed or another exam read, which the result is not of.
        """
        before = self.logic.generation
        result = withProgressDialog(title, function)
        if self.logic.generation != before:
            raise RuntimeError(_("The exam changed meanwhile; what was computed for it before is dropped."))
        return result

    def connectParameters(self, parameters) -> None:
        """Widgets with a SlicerParameterName follow `parameters`, and change them."""
        if self._parameters is parameters:
            return
        self.disconnectParameters()
        self._parameters = parameters
        self._guiTag = parameters.connectGui(self.ui)

    def disconnectParameters(self) -> None:
        if self._parameters is not None:
            self._parameters.disconnectGui(self._guiTag)
        self._parameters = self._guiTag = None


@contextmanager
def problemsShown():
    """What the input lacks is shown in its own words; a cancelled action ends quietly.

    Whatever else goes wrong is told in a sentence, with its traceback in the log.
    """
    from her2map.errors import Cancelled, InputError

    try:
        yield
    except Cancelled:
        logging.info("HER2Map: stopped by the user.")
    except (InputError, RuntimeError, ValueError) as problem:
        slicer.util.errorDisplay(str(problem), windowTitle="HER2Map")
    except Exception as problem:
        logging.exception("HER2Map: an action failed.")
        text = _("This did not work ({reason}); the error log has the details. What was shown is kept.")
        slicer.util.errorDisplay(text.format(reason=type(problem).__name__), windowTitle="HER2Map")
