"""The CTK widgets that a quantitative module needs."""

from .buttons import (
    ctkCheckablePushButton,
    ctkCheckBox,
    ctkCollapsibleButton,
    ctkCollapsibleGroupBox,
    ctkColorPickerButton,
    ctkExpandButton,
    ctkPushButton,
)
from .choices import ctkComboBox, ctkMessageBox, ctkWidgetsUtils
from .paths import ctkDirectoryButton, ctkPathLineEdit
from .ranges import ctkDoubleRangeSlider, ctkRangeWidget
from .sliders import ctkDoubleSlider, ctkDoubleSpinBox, ctkSliderWidget

CLASSES = (
    ctkCheckablePushButton,
    ctkCheckBox,
    ctkCollapsibleButton,
    ctkCollapsibleGroupBox,
    ctkColorPickerButton,
    ctkComboBox,
    ctkDirectoryButton,
    ctkDoubleRangeSlider,
    ctkDoubleSlider,
    ctkDoubleSpinBox,
    ctkExpandButton,
    ctkMessageBox,
    ctkPathLineEdit,
    ctkPushButton,
    ctkRangeWidget,
    ctkSliderWidget,
    ctkWidgetsUtils,
)
