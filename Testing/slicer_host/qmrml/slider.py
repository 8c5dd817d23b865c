"""Numbers that follow the units of the scene."""

from PySide6.QtCore import Qt, Slot

from ..ctk_widgets import ctkDoubleSpinBox, ctkRangeWidget, ctkSliderWidget
from ..pythonqt import kept, with_slots


class _WithScene:
    """What the three widgets share. Units are shown as the ``.ui`` file writes them (``suffix``)."""

    def mrmlScene(self):
        return getattr(self, "_scene", None)

    @Slot(object)
    def setMRMLScene(self, scene) -> None:
        self._scene = scene


@with_slots("setOrientation", "setQuantity", "setUnitAwareProperties")
class qMRMLSliderWidget(_WithScene, ctkSliderWidget):
    """Stands for qMRMLSliderWidget."""

    quantity = kept(str, "quantity", "")
    unitAwareProperties = kept(int, "unitAwareProperties", 0)
    orientation = kept(Qt.Orientation, "orientation", Qt.Horizontal)


@with_slots("setQuantity", "setUnitAwareProperties")
class qMRMLSpinBox(_WithScene, ctkDoubleSpinBox):
    """Stands for qMRMLSpinBox."""

    quantity = kept(str, "quantity", "")
    unitAwareProperties = kept(int, "unitAwareProperties", 0)


@with_slots("setQuantity")
class qMRMLRangeWidget(_WithScene, ctkRangeWidget):
    """Stands for qMRMLRangeWidget."""

    quantity = kept(str, "quantity", "")
