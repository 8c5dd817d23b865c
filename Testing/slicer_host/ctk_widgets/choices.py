"""Combo box and message box of CTK, and its way to take pictures of widgets."""

import enum

from PySide6.QtCore import Property, QSettings, Qt, QThread
from PySide6.QtWidgets import QCheckBox, QComboBox, QMessageBox

from ..pythonqt import kept, with_slots


@with_slots("setCurrentUserDataAsString")
class ctkComboBox(QComboBox):
    """Stands for ctkComboBox: a combo box with a text for *nothing chosen*."""

    class ScrollEffect(enum.IntEnum):
        NeverScroll = 0
        AlwaysScroll = 1
        ScrollWithFocus = 2
        ScrollWithNoVScrollBar = 3

    NeverScroll, AlwaysScroll, ScrollWithFocus, ScrollWithNoVScrollBar = range(4)

    elideMode = kept(Qt.TextElideMode, "elideMode", Qt.ElideNone)
    scrollWheelEffect = kept(int, "scrollWheelEffect", 1)
    defaultText = Property(str, lambda self: self.placeholderText, lambda self, v: self.setPlaceholderText(v))
    currentUserDataAsString = Property(
        str,
        lambda self: "" if self.currentData is None else str(self.currentData),
        lambda self, v: self.setCurrentIndex(self.findData(v)),
    )


@with_slots("setDontShowAgain")
class ctkMessageBox(QMessageBox):
    """Stands for ctkMessageBox: a message box with *Don't show this message again*."""

    dontShowAgainSettingsKey = kept(str, "dontShowAgainSettingsKey", "")

    def __init__(self, *args):
        super().__init__(*args)
        self._check = QCheckBox("Don't show this message again", self)
        self.setCheckBox(self._check)
        self._visible = False
        self._check.hide()

    def _set_check_visible(self, visible: bool) -> None:
        self._visible = visible
        self._check.setVisible(visible)

    dontShowAgain = Property(
        bool, lambda self: self._check.checked, lambda self, v: self._check.setChecked(v)
    )
    dontShowAgainVisible = Property(
        bool, lambda self: self._visible or bool(self.dontShowAgainSettingsKey), _set_check_visible
    )

    def deleteLater(self) -> None:
        # Outside of an event loop, as in a test, Qt would delete the box as soon as it is shown.
        self._delete_after_exec = QThread.currentThread().loopLevel() == 0
        if not self._delete_after_exec:
            super().deleteLater()

    def exec(self) -> int:
        result = self._exec()
        if getattr(self, "_delete_after_exec", False):
            super().deleteLater()
        return result

    def _exec(self) -> int:
        key = self.dontShowAgainSettingsKey
        if key and QSettings().value(key) is not None:
            return int(QSettings().value(key))
        self._check.setVisible(self.dontShowAgainVisible)
        result = super().exec()
        if key and self._check.checked:
            QSettings().setValue(key, result)
        return result

    exec_ = exec


class ctkWidgetsUtils:
    """Stands for ctkWidgetsUtils."""

    @staticmethod
    def grabWidget(widget, _rectangle=None):
        return widget.grab().toImage()
