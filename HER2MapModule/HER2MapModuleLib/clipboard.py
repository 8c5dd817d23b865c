"""What was copied here, so that it can be taken back."""

import slicer


class Clipboard:
    """Only what is still there is taken away: never what somebody copied elsewhere."""

    def __init__(self) -> None:
        self._copied = ""

    def copy(self, lines) -> None:
        """Rows of texts, with tabs between columns."""
        self._copied = "\n".join("\t".join(line) for line in lines)
        slicer.app.clipboard().setText(self._copied)

    def forget(self) -> None:
        """Clear the clipboard if it holds what was copied last."""
        copied, self._copied = self._copied, ""
        if copied and slicer.app.clipboard().text() == copied:
            slicer.app.clipboard().clear()
