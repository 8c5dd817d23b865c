"""Maps laid on the DCE by registration, kept in the scene and switched on and off; the placement check."""

import json

import numpy as np
from slicer.i18n import tr as _

from her2map.errors import InputError

from . import dce_nodes, map_nodes, scene


class Propagation:
    """A part of the logic. A motion is kept on its map, so that a saved scene has it too."""

    def __init__(self, logic) -> None:
        self.logic = logic

    def registering(self):
        """Register every fitted map to the DCE phase of the ROI: a function of a progress callback.

        Raises:
            InputError: the signals that registration needs are not at hand.
        """
        from her2map.exam import register_maps

        maps, phase = dict(self.logic.fitted), self.logic.phase
        dce = self.logic.phases.series()
        if not maps:
            raise InputError(
                _("Registration needs the measured signals; read the exam and fit its maps again.")
            )
        if dce is None or phase is None:
            raise InputError(
                _("Registration needs a DCE phase; read an exam with DCE, and choose the phase.")
            )
        return lambda progress: register_maps(maps, dce, phase, progress)

    def takeMotions(self, motions) -> None:
        """Keep what was found, and use it."""
        for quantity, motion in motions.items():
            volume = map_nodes.mapNode(quantity)
            if volume is not None:
                volume.SetAttribute(map_nodes.MOTION, json.dumps(_asFacts(motion)))
        self.setUseRegistration(True)

    def setUseRegistration(self, use: bool) -> None:
        """Show and measure maps where registration puts them, or where the scanner did."""
        self.logic.parameters.useRegistration = use
        self.apply()

    def apply(self) -> None:
        """Place the maps as the parameter node says."""
        use, moved = self.logic.parameters.useRegistration, False
        for quantity, facts in self.motions().items():
            volume = map_nodes.mapNode(quantity)
            wanted = np.linalg.inv(facts["matrix"]) if use and facts["used"] else None
            if not _lies(volume, wanted):
                with self.logic.quietly():
                    map_nodes.placeMap(quantity, facts["matrix"] if use and facts["used"] else None)
                moved = True
        if moved:
            self.logic.showDerived()
            self.logic.mapsChanged.emit()
            self.logic.measure()

    def motions(self) -> dict:
        """By map: matrix (4, 4) from the DCE to the map, shift_mm, rotation_deg, used, reason."""
        found = {}
        for quantity in map_nodes.NAMES:
            volume = map_nodes.mapNode(quantity)
            facts = volume.GetAttribute(map_nodes.MOTION) if volume else None
            if facts:
                found[quantity] = json.loads(facts)
        return found

    def checking(self):
        """Move the ROI by 1 and 2 mm to every side: a function of a progress callback.

        Raises:
            InputError: there is no ROI, no map or no DCE.
            ValueError: a map lies under a transform that bends.
        """
        from her2map.placement import check_placement

        roi, maps = self.logic.roi(), map_nodes.readMaps()
        if roi is None or not maps:
            raise InputError(_("The placement check needs a ROI and maps; draw the ROI first."))
        placed = {name: (shown.map, shown.geometry, shown.fromDce) for name, shown in maps.items()}
        volume = dce_nodes.dceVolume(self.logic.parameters.dceBrowser)
        if volume is None:
            raise InputError(_("The placement check needs the DCE phases; read the exam again."))
        inPlane = scene.geometryOf(volume).affine[:3, :2].T
        return lambda progress: check_placement(placed, roi, in_plane=inPlane, progress=progress)


def _asFacts(motion) -> dict:
    return {
        "matrix": np.asarray(motion.matrix).tolist(),
        "shift_mm": np.asarray(motion.translation_mm).tolist(),
        "rotation_deg": np.asarray(motion.rotation_deg).tolist(),
        "used": bool(motion.used),
        "reason": motion.reason,
    }


def _lies(volume, worldFromVolume) -> bool:
    """Whether the volume is already placed so."""
    if worldFromVolume is None:
        return volume.GetParentTransformNode() is None
    return np.allclose(np.linalg.inv(scene.worldToVolume(volume)), worldFromVolume, atol=1e-9)
