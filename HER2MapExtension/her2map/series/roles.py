"""Which series plays which role in the exam, which series make one signal stack, and joining them."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from ..errors import InputError
from .clock import is_believable_injection
from .keys import unique_keys
from .model import Series
from .technique import (
    NEEDED,
    VARIED,
    Technique,
    alike,
    distinct,
    doubts,
    held_constant,
    identify,
    unreadable,
    words,
)


class Role(StrEnum):
    """What a series is used for."""

    T1_PRE = "T1_pre"
    T1_POST = "T1_post"
    T2 = "T2"
    T2STAR = "T2star"
    DCE = "DCE"
    B1 = "B1"
    NONE = "none"


@dataclass(frozen=True, eq=False)
class Assignment:
    """The role of one series.

    Attributes:
        technique: by which the role's quantity is measured.
        reason: of the proposal, in words for the radiologist.
        missing: what a fit would lack, each by name ("TI of measurement 3").
        by_user: whether the user chose it.
        key: by which the series is addressed: its number, with a letter where several share it ("701a"), and
            "n1", "n2", ... for series without a number, in the order listed.
    """

    series: Series
    role: Role
    technique: Technique
    reason: str
    missing: tuple[str, ...] = ()
    by_user: bool = False
    key: str = ""


@dataclass(frozen=True, eq=False)
class Group:
    """Series that together make one signal stack; iterating gives the series.

    Attributes:
        series: in the order of their acquisition.
        reason: why it is preferred, or why another group is.
        missing: what a fit would lack, each by name.
        by_user: whether the user chose the role.
    """

    role: Role
    technique: Technique
    series: tuple[Series, ...]
    reason: str = ""
    missing: tuple[str, ...] = ()
    by_user: bool = False

    def __iter__(self) -> Iterator[Series]:
        return iter(self.series)

    def __len__(self) -> int:
        return len(self.series)


_ROLES = {
    Technique.MULTI_ECHO_SPIN_ECHO: Role.T2,
    Technique.MULTI_ECHO_GRADIENT_ECHO: Role.T2STAR,
    Technique.DCE: Role.DCE,
    Technique.BLOCH_SIEGERT: Role.B1,
    Technique.B1_MAP: Role.B1,
    Technique.NONE: Role.NONE,
}
_T1_ROLES = (Role.T1_PRE, Role.T1_POST)
_T1_TECHNIQUES = (Technique.VFA, Technique.LOOK_LOCKER, Technique.SPIN_ECHO_IR)
_ALLOWED = {
    Role.T1_PRE: _T1_TECHNIQUES,
    Role.T1_POST: _T1_TECHNIQUES,
    Role.T2: (Technique.MULTI_ECHO_SPIN_ECHO,),
    Role.T2STAR: (Technique.MULTI_ECHO_GRADIENT_ECHO,),
    Role.DCE: (Technique.DCE,),
    Role.B1: (Technique.B1_MAP, Technique.BLOCH_SIEGERT),
    Role.NONE: (Technique.NONE,),
}
_QUANTITY = {Role.T1_PRE: "T1", Role.T1_POST: "T1", Role.T2: "T2", Role.T2STAR: "T2star"}
_RANK = [*_T1_TECHNIQUES, Technique.B1_MAP, Technique.BLOCH_SIEGERT]
# "Pre-contrast" holds the word contrast, so the words for before are looked for first.
_BEFORE = re.compile(
    r"(?<![a-z])(pre|pre.?contrast|pre.?gd|nati[vf]e?|plain|unenhanced|non.?contrast|non.?enhanced|before|"
    r"without|w/o|baseline)(?![a-z])"
)
_AFTER = re.compile(
    r"(?<![a-z])(post|post.?contrast|post.?gd|gd|gad|gado[a-z]*|km|ce|enhanced|contrast|after)(?![a-z])"
)


def propose_roles(series: Sequence[Series]) -> list[Assignment]:
    """The role of every series, in the given order.

    T1 is before or after the contrast by, in this order: the injection time, the start of the DCE series,
    words in the description, the contrast agent in the header, the repetition of a like series. Where none
    tells, T1_pre is proposed and the reason says so.
    """
    findings = identify(series)
    start = _contrast_start(
        [(s, finding.technique is Technique.DCE) for s, finding in zip(series, findings, strict=True)]
    )
    proposals = []
    for one, finding, key in zip(series, findings, unique_keys(series), strict=True):
        role, when = _role(one, finding.technique), ""
        if role in _T1_ROLES:
            like = [
                s
                for s, other in zip(series, findings, strict=True)
                if other.technique is finding.technique and _repeats(s, one)
            ]
            role, when = _before_or_after(one, like, start)
        reason = finding.reason + when
        proposals.append(Assignment(one, role, finding.technique, reason, finding.missing, key=key))
    return proposals


def override(
    assignments: Sequence[Assignment], series: Series, role: Role, technique: Technique | None = None
) -> list[Assignment]:
    """The same assignments but for `series`, which gets the role that the user chose.

    Args:
        technique: left out, it is the one it had if that suits the role, else the only one that suits.

    Raises:
        InputError: the series is not among the assignments, or the technique has to be named, or another one,
            since it does not suit the role.
    """
    if not any(a.series is series for a in assignments):
        raise InputError(f"The series {label(series)} is not part of this exam.")

    def chosen(old: Assignment) -> Assignment:
        new = _suitable(old, role, technique)
        reason = "; ".join(["chosen by the user", *doubts(series, new)])
        return Assignment(series, role, new, reason, unreadable(series, new), by_user=True, key=old.key)

    return [chosen(a) if a.series is series else a for a in assignments]


def role_choices(series: Series) -> list[tuple[Role, Technique]]:
    """What a user can say that `series` is: each is accepted by :func:`override`."""
    scanner_maps = [
        (role, Technique.SCANNER_MAP)
        for role, quantity in _QUANTITY.items()
        if series.scanner_map == quantity
    ]
    return scanner_maps + [(role, technique) for role, allowed in _ALLOWED.items() for technique in allowed]


def groups(assignments: Sequence[Assignment]) -> dict[Role, list[Group]]:
    """The signal stacks of every role that is taken, the preferred one first.

    Series make one stack if technique, grid, component and all parameters but the varied one agree; a value
    that comes again starts a new stack. Preferred is, in this order: what the user chose; nothing missing;
    a T1 technique that was used before and after the contrast, so that delta_T1 compares like with like;
    measured signals before a scanner's map; VFA before Look-Locker before spin-echo inversion recovery, and
    a vendor's B1 map before Bloch-Siegert; more measurements; the earlier acquisition.
    """
    found: dict[Role, list[Group]] = {}
    for assignment in sorted(assignments, key=lambda a: (_start(a.series), a.series.number or 0)):
        if assignment.role is not Role.NONE:
            _place(assignment, found.setdefault(assignment.role, []))
    complete = {role: [_with_count(group) for group in ones] for role, ones in found.items()}
    return {role: _ranked(complete[role], complete) for role in Role if role in complete}


def join(group: Iterable[Series]) -> Series:
    """One series with the measurements of all, sorted by TE, flip angle, TI, time and channel.

    Raises:
        InputError: there is no series, or the grids or components differ.
    """
    members = tuple(group)
    if not members:
        raise InputError("There is no series to join; choose at least one.")
    first = members[0]
    for other in members[1:]:
        if not first.geometry.matches(other.geometry):
            raise InputError(
                f"The series {label(first)} and {label(other)} lie on different grids; register or resample "
                "one to the other first."
            )
        if set(first.component) != set(other.component):
            raise InputError(
                f"The series {label(first)} and {label(other)} differ in magnitude or phase; leave one out."
            )
    fields: dict[str, Any] = {
        name: np.concatenate([getattr(s, name) for s in members])
        for name in ("te_ms", "tr_ms", "ti_ms", "flip_angle_deg", "time_s", "channel", "component")
    }
    order = np.lexsort([fields[n] for n in ("channel", "time_s", "ti_ms", "flip_angle_deg", "te_ms")])
    if len(members) == 1 and np.array_equal(order, np.arange(len(order))):
        return first
    return replace(
        first,
        data=np.concatenate([s.data for s in members])[order],
        description=" + ".join(dict.fromkeys(s.description for s in members)),
        injection_time_s=next(
            (s.injection_time_s for s in members if math.isfinite(s.injection_time_s)), math.nan
        ),
        problems=tuple(dict.fromkeys(problem for s in members for problem in s.problems)),
        **{name: values[order] for name, values in fields.items()},
    )


def label(series: Series) -> str:
    """How messages name a series."""
    number = f"{series.number} " if series.number is not None else ""
    return f"{number}({series.description})" if series.description else number.strip() or "without a name"


def _role(series: Series, technique: Technique) -> Role:
    if technique is Technique.SCANNER_MAP:
        return {"T2": Role.T2, "T2star": Role.T2STAR}.get(series.scanner_map, Role.T1_PRE)
    return _ROLES.get(technique, Role.T1_PRE)


def _suitable(old: Assignment, role: Role, wanted: Technique | None) -> Technique:
    """The technique by which the series can have the role: `wanted`, or without one the likeliest."""
    allowed, series = _ALLOWED[role], old.series
    if series.scanner_map and _QUANTITY.get(role) == series.scanner_map:
        allowed = (Technique.SCANNER_MAP, *allowed)
    if wanted in allowed:
        return wanted
    if wanted is None:
        if role is Role.B1:
            return Technique.BLOCH_SIEGERT if set(series.component) == {"phase"} else Technique.B1_MAP
        if old.technique in allowed:
            return old.technique
        if len(allowed) == 1 or allowed[0] is Technique.SCANNER_MAP:
            return allowed[0]
    named = " or ".join(technique.value for technique in allowed)
    refused = f"; {wanted.value} does not suit it" if wanted else ""
    raise InputError(
        f"Name the technique of series {label(series)} for the role {role.value}: {named}{refused}."
    )


def _start(series: Series) -> float:
    """Seconds; infinite where the header is silent, so that it sorts last."""
    known = series.time_s[np.isfinite(series.time_s)]
    return float(known.min()) if len(known) else math.inf


def _contrast_start(series: list[tuple[Series, bool]]) -> tuple[float, str]:
    """When the contrast came, in seconds, and what tells it; NaN where nothing does."""
    phases = np.concatenate([np.array([]), *(one.time_s for one, dynamic in series if dynamic)])
    stated = [one.injection_time_s for one, _ in sorted(series, key=lambda pair: not pair[1])]  # DCE first
    for moment in stated:
        if is_believable_injection(moment, phases):
            return moment, "the injection"
    phases = phases[np.isfinite(phases)]
    if not len(phases):
        return math.nan, ""
    remark = " (the header's injection time does not fit the DCE series)"
    return float(phases.min()), "the start of the DCE series" + remark * bool(np.isfinite(stated).any())


def _before_or_after(series: Series, like: list[Series], contrast: tuple[float, str]) -> tuple[Role, str]:
    """T1_pre or T1_post, and why; `like`: the series of the same kind, itself included."""
    start, (moment, event) = _start(series), contrast
    if math.isfinite(start) and math.isfinite(moment):
        role, side = (Role.T1_PRE, "before") if start < moment else (Role.T1_POST, "after")
        return role, f"; acquired {_duration(abs(start - moment))} {side} {event}"
    name = f"{series.description} {series.sequence.get('ProtocolName') or ''}".lower().replace("_", " ")
    for role, pattern in ((Role.T1_PRE, _BEFORE), (Role.T1_POST, _AFTER)):
        match = pattern.search(name)
        if match:
            return role, f'; by "{match.group()}" in its description'
    if words(series, "ContrastBolusAgent") - {"", "N", "NO", "NONE"}:
        return Role.T1_POST, "; its header names a contrast agent"
    if len(like) > 1 and len({_start(s) for s in like}) == len(like):
        earlier = sum(_start(s) < start for s in like)
        role, place = (Role.T1_POST, "after") if earlier else (Role.T1_PRE, "before")
        return role, f"; acquired {place} a like series, with no other sign of the contrast"
    return (
        Role.T1_PRE,
        "; nothing tells whether it was acquired before or after the contrast, so please check",
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _repeats(a: Series, b: Series) -> bool:
    """Whether both measure the same thing the same way, at whatever time."""
    parameters = ("te_ms", "ti_ms", "flip_angle_deg")
    return a is b or (
        a.scanner_map == b.scanner_map and alike(a, b, parameters) and a.geometry.matches(b.geometry)
    )


def _place(assignment: Assignment, ones: list[Group]) -> None:
    """Add the series to the first group that it completes, else open a new one."""
    missing = tuple(f"{lack} of series {label(assignment.series)}" for lack in assignment.missing)
    for i, group in enumerate(ones):
        if _belongs(assignment, group):
            series = (*group.series, assignment.series)
            ones[i] = replace(group, series=series, missing=(*group.missing, *missing))
            return
    ones.append(
        Group(
            assignment.role,
            assignment.technique,
            (assignment.series,),
            missing=missing,
            by_user=assignment.by_user,
        )
    )


def _belongs(new: Assignment, group: Group) -> bool:
    technique, series, first = new.technique, new.series, group.series[0]
    if (technique, new.by_user) != (group.technique, group.by_user):
        return False
    if set(series.component) != set(first.component) or not series.geometry.matches(first.geometry):
        return False
    if technique in VARIED:
        parameter = VARIED[technique]
        own = distinct(getattr(series, parameter))
        present = distinct(np.concatenate([getattr(s, parameter) for s in group]))
        repeated = len(distinct(present + own)) < len(present) + len(own)
        return not repeated and alike(series, first, held_constant(parameter))
    return technique is Technique.BLOCH_SIEGERT or (
        technique is Technique.DCE and alike(series, first, ("te_ms", "flip_angle_deg"))
    )


def _with_count(group: Group) -> Group:
    """The group with what it lacks as a whole."""
    if group.technique is Technique.BLOCH_SIEGERT:
        n = sum(len(s.data) for s in group)
        lack = "" if n == 2 else f"exactly two phase images (it has {n})"
    elif group.technique is Technique.B1_MAP:
        n = sum(len(s.data) for s in group)
        lack = "" if n == 1 else f"exactly one measurement, the map (it has {n})"
    elif group.technique in NEEDED:
        fewest, things = NEEDED[group.technique]
        n = len(distinct(np.concatenate([getattr(s, VARIED[group.technique]) for s in group])))
        lack = "" if n >= fewest else f"at least {fewest} different {things} (it has {n})"
    else:
        lack = ""
    return replace(group, missing=(*group.missing, lack)) if lack else group


def _ranked(ones: list[Group], every: dict[Role, list[Group]]) -> list[Group]:
    def unpaired(group: Group) -> bool:
        counterpart = {Role.T1_PRE: Role.T1_POST, Role.T1_POST: Role.T1_PRE}.get(group.role)
        others = [g.technique for g in every.get(counterpart, []) if not g.missing] if counterpart else []
        return bool(others) and group.technique not in others

    criteria: list[tuple[str, Callable[[Group], float]]] = [
        ("chosen by the user", lambda g: not g.by_user),
        ("nothing is missing", lambda g: bool(g.missing)),
        ("the same technique before and after the contrast", unpaired),
        ("measured signals rather than the scanner's map", lambda g: g.technique is Technique.SCANNER_MAP),
        ("the technique", lambda g: _RANK.index(g.technique) if g.technique in _RANK else 0),
        ("more measurements", lambda g: -sum(len(s.data) for s in g)),
        ("acquired earlier", lambda g: _start(g.series[0])),
    ]

    def advantage(better: Group, worse: Group) -> str:
        return next((name for name, cost in criteria if cost(better) < cost(worse)), "listed first")

    ordered = sorted(ones, key=lambda g: [cost(g) for _, cost in criteria])
    if len(ordered) == 1:
        return [replace(ordered[0], reason="chosen by the user" if ordered[0].by_user else "the only one")]
    best = replace(ordered[0], reason=f"preferred: {advantage(ordered[0], ordered[1])}")
    return [best, *(replace(g, reason=f"another is preferred: {advantage(best, g)}") for g in ordered[1:])]
