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


def staleMaps(before: Exam, after: Exam) -> set[str]:
    """The maps that no longer follow from the exam: their series changed, or those that correct them."""
    changed = {name for name, role in MAP_ROLES.items() if _sources(before, role) != _sources(after, role)}
    if "B1" in changed:
        changed |= {"T1_pre", "T1_post", "T2"}
    if "T1_pre" in changed:
        changed.add("T2")  # the EPG fit takes T1 from it
    return changed


def _sources(exam: Exam, role: Role) -> tuple:
    """The series and the technique that a map is made from."""
    group = exam.group(role)
    if group is None:
        return ()
    techniques = {id(a.series): a.technique for a in exam.assignments}
    return tuple((id(series), techniques[id(series)]) for series in group)
