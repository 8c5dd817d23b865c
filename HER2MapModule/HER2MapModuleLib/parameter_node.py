"""Everything that the user chooses and that a saved scene brings back."""

from typing import Annotated

from slicer import (
    vtkMRMLMarkupsClosedCurveNode,
    vtkMRMLSequenceBrowserNode,
)
from slicer.parameterNodeWrapper import Choice, Default, WithinRange, parameterNodeWrapper

AUTOMATIC = -1
"""Stands for a DCE phase that was not chosen by hand."""


@parameterNodeWrapper
class HER2MapParameterNode:
    """The parameters of one patient's exam.

    examKey - Stands for the folder that was read, whose name may be a patient's: this computer knows it.
    chosenRoles - By series key: the role, or role:technique, that the user chose in place of the proposal.
    examFacts - What was found in the exam, as JSON without personal data: shown again when a scene is opened.
    vfaMethod ... blochSiegertPeak - How maps are fitted, see her2map.fitting.FitOptions.
    dceBrowser - Scrolls the DCE phases.
    phase - The DCE phase to draw on, counted from 0, or AUTOMATIC.
    roi - The contour.
    useRegistration - Whether maps are shown and measured where registration to the DCE puts them.
    shownLayer - What the reading room shows of each map: its values or a quality layer.
    erStatus - The tumour's ER status, for the score.
    scoreCardKey - Stands for the file of the model card, whose path may hold a name: this computer knows it.
    dceOpacity - How strongly the DCE is blended over the maps, 0 to 1.
    """

    examKey: str = ""
    chosenRoles: dict[str, str]
    examFacts: str = ""
    vfaMethod: Annotated[str, Choice(["nonlinear", "linear", "weighted"]), Default("nonlinear")]
    t2Method: Annotated[
        str, Choice(["least_squares", "rician", "loglinear", "epg"]), Default("least_squares")
    ]
    t2FirstEcho: Annotated[int, WithinRange(0, 4), Default(1)]
    t2starMethod: Annotated[str, Choice(["rician", "least_squares", "loglinear"]), Default("rician")]
    minimumSnr: Annotated[float, WithinRange(0, 20), Default(0.0)]
    mapUnit: Annotated[str, Choice(["", "ms", "s"]), Default("")]
    dceBrowser: vtkMRMLSequenceBrowserNode
    phase: int = AUTOMATIC
    roi: vtkMRMLMarkupsClosedCurveNode
    useRegistration: bool = False
    shownLayer: Annotated[str, Choice(["value", "standard_error", "r_squared", "status"]), Default("value")]
    dceOpacity: Annotated[float, WithinRange(0, 1), Default(0.0)]
    erStatus: Annotated[str, Choice(["unknown", "positive", "negative"]), Default("unknown")]
    scoreCardKey: str = ""
