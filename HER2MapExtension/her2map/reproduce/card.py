"""The card that ships: the model of the simulated cohort, which says what it is wherever it is shown."""

from ..cohort.inputs import Cohort
from ..phantom.cohort import ASSUMPTIONS as TUMOUR_ASSUMPTIONS
from ..progress import Progress, no_progress
from ..score.card import ModelCard
from ..score.train import DEMONSTRATION_ONLY, RESEARCH_ONLY, Background, train
from ..series import Technique
from ..statistics.validation import RESAMPLES
from .patients import ASSUMPTIONS as PATIENT_ASSUMPTIONS

CARD = "card.json"

DEMONSTRATION = Background(
    name="HER2Map demonstration model",
    origin=(
        "Simulated, no patient among them: a cohort drawn to match the group sizes, means, SDs and AUCs "
        "published by Zhang et al. 2026 (doi 10.21037/qims-2025-1449), its exams simulated from raw signals, "
        "fitted, and read three times by each of two virtual readers; made by `her2map reproduce`."
    ),
    centre="none: simulated",
    field_strengths_t=(3.0,),
    techniques={
        "T1_pre": (Technique.VFA.value,),
        "T1_post": (Technique.VFA.value,),
        "T2": (Technique.MULTI_ECHO_SPIN_ECHO.value,),
        "T2star": (Technique.MULTI_ECHO_GRADIENT_ECHO.value,),
    },
    simulated=True,
    assumptions=(*TUMOUR_ASSUMPTIONS, *PATIENT_ASSUMPTIONS),
    warning=f"{DEMONSTRATION_ONLY} {RESEARCH_ONLY}",
    licence="Apache-2.0",
)
"""The exams are not kept, so their headers cannot tell the field strength and the techniques."""


def demonstration_card(
    cohort: Cohort, bootstraps: int = RESAMPLES, progress: Progress = no_progress
) -> ModelCard:
    """The card of a simulated cohort.

    Raises:
        InputError: as :func:`~her2map.score.train.train`; with few cases there may be no model.
        Cancelled: raised by `progress`.
    """
    return train(cohort, DEMONSTRATION, bootstraps=bootstraps, progress=progress)
