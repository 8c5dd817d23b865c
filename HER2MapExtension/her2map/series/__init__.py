"""Files to series with geometry and acquisition parameters, and the role of each series in the exam."""

from .dce import (
    DceSeries,
    Injection,
    PhaseChoice,
    PostContrastDelay,
    choose_phase,
    dce_phases,
    find_injection,
    post_contrast_delay,
)
from .model import Series
from .read import SeriesList, Source, read_series
from .roles import Assignment, Group, Role, groups, join, override, propose_roles, role_choices
from .technique import Technique

__all__ = [
    "Assignment",
    "DceSeries",
    "Group",
    "Injection",
    "PhaseChoice",
    "PostContrastDelay",
    "Role",
    "Series",
    "SeriesList",
    "Source",
    "Technique",
    "choose_phase",
    "dce_phases",
    "find_injection",
    "groups",
    "join",
    "override",
    "post_contrast_delay",
    "propose_roles",
    "read_series",
    "role_choices",
]
