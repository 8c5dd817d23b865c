"""How each quantity looks: its colour table, window, unit and printed precision.

Colour tables are those that the ISMRM quantitative MR study group recommends for relaxation times (Fuderer et
al., Magn Reson Med 2025;93:490): lipari for T1, navia for T2 and T2*; perceptually uniform, black at zero.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class MapStyle:
    """Attributes:
    title: as a radiologist writes it.
    colours: name of a colour table in `cmcrameri`.
    window: lowest and highest value shown, in `unit`.
    unit: printed beside numbers; "" for ratios.
    decimals: after the point, in print.
    """

    title: str
    colours: str
    window: tuple[float, float]
    unit: str
    decimals: int


STYLES = {
    "T1_pre": MapStyle("T1 before contrast", "lipari", (0, 3000), "ms", 0),
    "T1_post": MapStyle("T1 after contrast", "lipari", (0, 1500), "ms", 0),
    "T2": MapStyle("T2", "navia", (0, 150), "ms", 1),
    "T2star": MapStyle("T2*", "navia", (0, 60), "ms", 1),
    "B1": MapStyle("B1 (relative)", "vik", (0.6, 1.4), "", 3),
    "delta_T1": MapStyle("ΔT1 = T1 pre - T1 post", "lipari", (0, 2500), "ms", 0),
    "delta_T1_ratio": MapStyle("ΔT1 / T1 pre", "lipari", (0, 1), "", 3),
}
