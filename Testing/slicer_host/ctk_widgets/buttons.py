"""Buttons and foldable frames of CTK."""

from PySide6.QtCore import Property, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import (
    QAbstractButton,
    QCheckBox,
    QColorDialog,
    QFrame,
    QGroupBox,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QToolButton,
    QWidget,
)

from ..pythonqt import kept, with_slots


class ctkCollapsibleButton(QAbstractButton):
    """Stands for ctkCollapsibleButton: a frame of widgets under a button that folds them away."""

    contentsCollapsed = Signal(bool)

    flat = kept(bool, "flat", False)
    collapsedHeight = kept(int, "collapsedHeight", 14)
    contentsFrameShape = kept(QFrame.Shape, "contentsFrameShape", QFrame.NoFrame)
    contentsFrameShadow = kept(QFrame.Shadow, "contentsFrameShadow", QFrame.Plain)
    contentsLineWidth = kept(int, "contentsLineWidth", 1)
    contentsMidLineWidth = kept(int, "contentsMidLineWidth", 0)
    buttonTextAlignment = kept(Qt.Alignment, "buttonTextAlignment", Qt.AlignLeft | Qt.AlignVCenter)
    indicatorAlignment = kept(Qt.Alignment, "indicatorAlignment", Qt.AlignLeft | Qt.AlignVCenter)

    def __init__(self, *args):
        title = args[0] if args and isinstance(args[0], str) else ""
        super().__init__(next((arg for arg in args if isinstance(arg, QWidget)), None))
        self._collapsed = False
        self._hidden_by_folding: list[QWidget] = []
        self.text = title
        self.checkable = True
        self.checked = True
        self.setSizePolicy(QSizePolicy.Minimum, QSizePolicy.Preferred)
        self.setContentsMargins(0, self._button_height(), 0, 0)
        self.toggled.connect(lambda checked: self._fold(not checked))

    collapsed = Property(
        bool,
        lambda self: self._collapsed,
        lambda self, value: self.setChecked(not value) if self.checkable else self._fold(value),
        notify=contentsCollapsed,
    )

    def _fold(self, collapsed: bool) -> None:
        if collapsed == self._collapsed:
            return
        self._collapsed = collapsed
        widgets = [child for child in self.children() if isinstance(child, QWidget)]
        if collapsed:
            self._hidden_by_folding = [widget for widget in widgets if not widget.isHidden()]
            for widget in self._hidden_by_folding:
                widget.hide()
        else:
            for widget in self._hidden_by_folding:
                widget.show()
        self.maximumHeight = self._button_height() if collapsed else 16777215
        self.updateGeometry()
        self.contentsCollapsed.emit(collapsed)

    def _button_height(self) -> int:
        return self.fontMetrics().height() + 8

    def sizeHint(self) -> QSize:
        width = self.fontMetrics().horizontalAdvance(self.text) + 40
        if self._collapsed or self.layout() is None:
            return QSize(width, self._button_height())
        contents = self.layout().sizeHint()
        return QSize(max(width, contents.width()), self._button_height() + contents.height())

    minimumSizeHint = sizeHint

    def hitButton(self, position) -> bool:
        return position.y() <= self._button_height()

    def paintEvent(self, _event) -> None:
        option = QStyleOptionButton()
        option.initFrom(self)
        option.text = ("▸ " if self._collapsed else "▾ ") + self.text
        option.rect.setHeight(self._button_height())
        option.state |= QStyle.State_Sunken if self.down else QStyle.State_Raised
        painter = QPainter(self)
        self.style().drawControl(QStyle.CE_PushButtonBevel, option, painter, self)
        text_rect = option.rect.adjusted(8, 0, -8, 0)
        self.style().drawItemText(
            painter, text_rect, Qt.AlignLeft | Qt.AlignVCenter, option.palette, self.enabled, option.text
        )


class ctkCollapsibleGroupBox(QGroupBox):
    """Stands for ctkCollapsibleGroupBox: a checkable group box that shows its contents while checked."""

    collapsedHeight = kept(int, "collapsedHeight", 14)

    def __init__(self, *args):
        super().__init__(*args)
        self.checkable = True
        self.checked = True
        self.toggled.connect(self._expand)

    collapsed = Property(bool, lambda self: not self.checked, lambda self, value: self.setChecked(not value))

    def showEvent(self, event) -> None:
        """CTK hides children as they come into a collapsed box; here they are hidden before they are seen."""
        self._expand(self.isChecked())
        super().showEvent(event)

    def _expand(self, expand: bool) -> None:
        for child in self.children():
            if isinstance(child, QWidget):
                child.setVisible(expand)


class ctkPushButton(QPushButton):
    """Stands for ctkPushButton: a push button whose text and icon can be aligned."""

    buttonTextAlignment = kept(Qt.Alignment, "buttonTextAlignment", Qt.AlignHCenter | Qt.AlignVCenter)
    iconAlignment = kept(Qt.Alignment, "iconAlignment", Qt.AlignLeft | Qt.AlignVCenter)
    elideMode = kept(Qt.TextElideMode, "elideMode", Qt.ElideNone)


class ctkCheckablePushButton(ctkPushButton):
    """Stands for ctkCheckablePushButton: a button with a check box of its own."""

    checkBoxToggled = Signal(bool)
    checkStateChanged = Signal(Qt.CheckState)

    indicatorAlignment = kept(Qt.Alignment, "indicatorAlignment", Qt.AlignLeft | Qt.AlignVCenter)
    checkBoxControlsButton = kept(bool, "checkBoxControlsButton", True)
    checkBoxControlsButtonToggleState = kept(bool, "checkBoxControlsButtonToggleState", True)
    checkBoxUserCheckable = kept(bool, "checkBoxUserCheckable", True)

    def _set_check_state(self, state: Qt.CheckState) -> None:
        if state == getattr(self, "_checkState", Qt.Unchecked):
            return
        self._checkState = state
        if self.checkBoxControlsButtonToggleState:
            self.checkable = state == Qt.Checked
            self.checked = state == Qt.Checked
        self.checkStateChanged.emit(state)
        self.checkBoxToggled.emit(state == Qt.Checked)

    checkState = Property(
        Qt.CheckState,
        lambda self: getattr(self, "_checkState", Qt.Unchecked),
        _set_check_state,
        notify=checkStateChanged,
    )


class ctkCheckBox(QCheckBox):
    """Stands for ctkCheckBox: a check box with an icon of its own."""

    indicatorIconSize = kept(QSize, "indicatorIconSize", QSize(16, 16))


class ctkExpandButton(QToolButton):
    """Stands for ctkExpandButton: a tool button with an arrow."""

    mirrorOnExpand = kept(bool, "mirrorOnExpand", False)
    orientation = kept(Qt.Orientation, "orientation", Qt.Horizontal)


@with_slots("setColor", "setDisplayColorName")
class ctkColorPickerButton(QPushButton):
    """Stands for ctkColorPickerButton: shows a colour and lets the user choose another."""

    colorChanged = Signal(QColor)
    colorNameChanged = Signal(str)

    displayColorName = kept(bool, "displayColorName", True)

    def __init__(self, *args):
        super().__init__(*args)
        self._color = QColor(Qt.black)
        self.checkable = True
        self.toggled.connect(self._on_toggled)

    def _set_color(self, color: QColor) -> None:
        if color != self._color:
            self._color = QColor(color)
            self.update()
            self.colorChanged.emit(self._color)

    color = Property(QColor, lambda self: self._color, _set_color, notify=colorChanged)
    colorName = kept(str, "colorName", "")

    @Slot()
    def changeColor(self) -> None:
        chosen = QColorDialog.getColor(self._color, self)
        if chosen.isValid():
            self._set_color(chosen)

    def _on_toggled(self, checked: bool) -> None:
        if checked:
            self.changeColor()
            self.checked = False
