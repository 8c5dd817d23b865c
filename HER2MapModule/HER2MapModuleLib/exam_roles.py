"""An exam with the roles that the user gave its series."""

from dataclasses import replace

from her2map.exam import MAP_ROLES, Exam
from her2map.series import Role, Technique, override


def withRoles(exam: Exam, chosen: dict) -> Exam:
    """The exam with the roles chosen before, as far as it still has those series."""
    keys = {a.key for a in exam.assignments}
    for key, text in chosen.items():
        if key in keys:
            role, _, technique = text.partition(":")
            exam = withRole(exam, key, role, technique)
    return exam


def withRole(exam: Exam, key: str, role: str, technique: str = "") -> Exam:
    series = next(a.series for a in exam.assignments if a.key == key)
    wanted = Technique(technique) if technique else None
    return replace(exam, assignments=tuple(override(exam.assignments, series, Role(role), wanted)))


def only(exam: Exam, quantity: str) -> Exam:
    """The exam with the series of one map, and those that correct it."""
    wanted = {MAP_ROLES[quantity], Role.DCE, Role.B1}
    if quantity == "T2":
        wanted.add(Role.T1_PRE)
    return replace(exam, assignments=tuple(a for a in exam.assignments if a.role in wanted))
