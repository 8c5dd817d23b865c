"""By which technique a series was acquired, from its own header and from the series that belong to it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from .model import Series


class Technique(StrEnum):
    """What a series measures with."""

    VFA = "vfa"
    LOOK_LOCKER = "look_locker"
    SPIN_ECHO_IR = "spin_echo_ir"
    MULTI_ECHO_SPIN_ECHO = "multi_echo_spin_echo"
    MULTI_ECHO_GRADIENT_ECHO = "multi_echo_gradient_echo"
    DCE = "dce"
    BLOCH_SIEGERT = "bloch_siegert"
    B1_MAP = "b1_map"
    SCANNER_MAP = "scanner_map"
    NONE = "none"


VARIED = {
    Technique.VFA: "flip_angle_deg",
    Technique.LOOK_LOCKER: "ti_ms",
    Technique.SPIN_ECHO_IR: "ti_ms",
    Technique.MULTI_ECHO_SPIN_ECHO: "te_ms",
    Technique.MULTI_ECHO_GRADIENT_ECHO: "te_ms",
}
"""The parameter that tells one measurement of a technique from another."""

NEEDED = {
    Technique.VFA: (2, "flip angles"),
    Technique.LOOK_LOCKER: (3, "inversion times"),
    Technique.SPIN_ECHO_IR: (3, "inversion times"),
    Technique.MULTI_ECHO_SPIN_ECHO: (3, "echoes"),
    Technique.MULTI_ECHO_GRADIENT_ECHO: (3, "echoes"),
}
"""The fewest different values with which a fit still says how well it fits (two suffice for VFA)."""

_SPIN_ECHO = {
    Technique.VFA: False,
    Technique.LOOK_LOCKER: False,
    Technique.SPIN_ECHO_IR: True,
    Technique.MULTI_ECHO_SPIN_ECHO: True,
    Technique.MULTI_ECHO_GRADIENT_ECHO: False,
}
_LABELS = {"te_ms": "TE", "tr_ms": "TR", "ti_ms": "TI", "flip_angle_deg": "flip angle"}
_UNITS = {"te_ms": " ms", "tr_ms": " ms", "ti_ms": " ms", "flip_angle_deg": "°"}
_COMPUTED = {"SUB", "SUBTRACT", "SUBTRACTION", "MIP", "MPR", "PROJECTION IMAGE"}
_FAT = {"F", "FAT"}
_DIXON = {"W", "WATER", "IP", "OP", "IN_PHASE", "OUT_PHASE", "OPP_PHASE"} | _FAT
_DYNAMIC_WORDS = re.compile(r"dyn|dce|perf|contrast", re.IGNORECASE)
_T1_WORDS = re.compile(r"molli|look.?locker|t1.?map", re.IGNORECASE)
_BLOCH_SIEGERT_WORDS = re.compile(r"bloch|siegert|b1", re.IGNORECASE)
_B1_WORDS = re.compile(r"b1.?map|tfl.?b1", re.IGNORECASE)
_SPIN_ECHO_NAME = re.compile(r"\*?(t?se|ir)\d", re.IGNORECASE)
_GRADIENT_ECHO_NAME = re.compile(r"\*?(t?fl|t?fi|fm|fgre|qfl)\d", re.IGNORECASE)


@dataclass(frozen=True)
class Finding:
    """A technique, the reason in words, and what a fit would lack."""

    technique: Technique
    reason: str
    missing: tuple[str, ...] = ()


def words(series: Series, *keywords: str) -> set[str]:
    """The values of some header fields, upper case."""
    found: set[str] = set()
    for keyword in keywords:
        value = series.sequence.get(keyword) or ()
        found |= {
            str(v).strip().upper() for v in ((value,) if isinstance(value, str | int | float) else value)
        }
    return found


def distinct(values: ArrayLike) -> list[float]:
    """The different finite values, ascending; those within 0.5 % count as one."""
    kept: list[float] = []
    for value in np.sort(np.asarray(values, float)[np.isfinite(values)]):
        if not kept or value - kept[-1] > 0.005 * abs(value):
            kept.append(float(value))
    return kept


def alike(a: Series, b: Series, parameters: Iterable[str]) -> bool:
    """Whether both have the same different values of `parameters`, to 1 %."""
    return all(_close(distinct(getattr(a, name)), distinct(getattr(b, name))) for name in parameters)


def _close(a: list[float], b: list[float]) -> bool:
    return len(a) == len(b) and all(abs(x - y) <= 0.01 * abs(y) for x, y in zip(a, b, strict=True))


def held_constant(parameter: str) -> list[str]:
    """What must agree between series of which `parameter` is varied; TR may grow with TI."""
    return [name for name in _LABELS if name != parameter and (parameter, name) != ("ti_ms", "tr_ms")]


def is_spin_echo(series: Series) -> bool | None:
    """True for spin echo, False for gradient echo, None where the header does not tell."""
    scanning, pulse = words(series, "ScanningSequence"), words(series, "EchoPulseSequence")
    kind = words(series, "ImageType")
    names = words(series, "SequenceName", "PulseSequenceName")
    if "SE" in scanning or pulse & {"SPIN", "BOTH"} or "YES" in words(series, "MultipleSpinEcho"):
        return True
    if "GR" in scanning or "GRADIENT" in pulse:
        return False
    if kind & {"M_SE", "SE", "M_TSE", "TSE"} or any(_SPIN_ECHO_NAME.match(name) for name in names):
        return True
    if kind & {"M_FFE", "FFE"} or any(_GRADIENT_ECHO_NAME.match(name) for name in names):
        return False
    if is_inverted(series) and distinct(series.flip_angle_deg):
        return min(distinct(series.flip_angle_deg)) >= 60  # Look-Locker and MOLLI read out with small angles
    return None


def is_inverted(series: Series) -> bool:
    """Whether an inversion pulse precedes the readout."""
    return bool(
        distinct(series.ti_ms)
        or "IR" in words(series, "ScanningSequence", "ScanOptions")
        or "YES" in words(series, "InversionRecovery")
        or re.search("molli|look.?locker", series.description, re.IGNORECASE)
    )


def unreadable(series: Series, technique: Technique) -> tuple[str, ...]:
    """The parameters, by measurement, that `technique` needs and the header lacks."""
    needed = [VARIED[technique]] if technique in VARIED else []
    if technique in (Technique.VFA, Technique.SPIN_ECHO_IR):
        needed.append("tr_ms")
    if technique is Technique.DCE:
        needed = ["time_s"]
    return _absent(series, needed)


def _absent(series: Series, parameters: Iterable[str]) -> tuple[str, ...]:
    labels = {**_LABELS, "time_s": "acquisition time"}
    return tuple(
        f"{labels[name]} of measurement {i + 1}"
        for name in parameters
        for i in np.flatnonzero(~np.isfinite(getattr(series, name)))
    )


def doubts(series: Series, technique: Technique) -> list[str]:
    """What speaks against a technique that the user chose for the series."""
    found = []
    reads_spin_echo, is_one = _SPIN_ECHO.get(technique), is_spin_echo(series)
    if None not in (reads_spin_echo, is_one) and reads_spin_echo != is_one:
        found.append(f"its header says {'spin' if is_one else 'gradient'} echo")
    if technique is Technique.B1_MAP and not series.unit:
        found.append("its header does not name the unit of the map, which is recognised from the values")
    return found


@dataclass(frozen=True, eq=False)
class _Facts:
    """What series are compared by, read from each only once."""

    series: Series
    grid: int
    spin_echo: bool | None
    inverted: bool
    dixon: frozenset[str]
    values: dict[str, list[float]]
    stem: str

    @classmethod
    def of(cls, series: Series, grid: int) -> "_Facts":
        return cls(
            series,
            grid,
            is_spin_echo(series),
            is_inverted(series),
            frozenset(words(series, "ImageType") & _DIXON),
            {name: distinct(getattr(series, name)) for name in _LABELS},
            # Without its numbers, so that "dyn 1" and "dyn 2" agree.
            re.sub(r"[\d.]+", "", series.description).strip().lower(),
        )

    @property
    def constant(self) -> bool:
        """Whether no parameter varies within the series."""
        return all(len(values) <= 1 for values in self.values.values())

    def same_but(self, other: "_Facts", parameter: str | None) -> bool:
        """Whether `other` differs in nothing, or in `parameter` alone."""
        return (
            (self.grid, self.spin_echo, self.inverted, self.dixon)
            == (other.grid, other.spin_echo, other.inverted, other.dixon)
        ) and all(
            _close(self.values[name], other.values[name])
            for name in (held_constant(parameter) if parameter else _LABELS)
        )


def identify(series: Sequence[Series]) -> list[Finding]:
    """The technique of every series of an exam."""
    findings = {i: _by_itself(one) for i, one in enumerate(series)}
    grids: list[Series] = []
    ordinary = {
        i: _Facts.of(series[i], _grid(series[i], grids)) for i, found in findings.items() if found is None
    }
    dynamic = _dynamic(list(ordinary.values()))
    static = [facts for facts in ordinary.values() if facts not in dynamic]
    for i, facts in ordinary.items():
        findings[i] = _dce(facts.series) if facts in dynamic else _mapping(facts, static)
    return [found for found in findings.values() if found is not None]


def _grid(series: Series, known: list[Series]) -> int:
    """The number of the series' grid among those `known`, which grows by a new one."""
    for i, other in enumerate(known):
        if other.geometry.matches(series.geometry):
            return i
    known.append(series)
    return len(known) - 1


def _by_itself(series: Series) -> Finding | None:
    """What the series' kind of image says, whatever its parameters; None for an ordinary magnitude image."""
    if series.scanner_map:
        technique = Technique.B1_MAP if series.scanner_map == "B1" else Technique.SCANNER_MAP
        return Finding(technique, f"a {series.scanner_map} map that the scanner computed")
    if set(series.component) == {"phase"} and _BLOCH_SIEGERT_WORDS.search(_name(series)):
        return Finding(Technique.BLOCH_SIEGERT, "phase images of a B1 measurement, by the description")
    if set(series.component) != {"magnitude"}:
        kinds = " and ".join(sorted(set(map(str, series.component))))
        return Finding(Technique.NONE, f"{kinds} images; the fits take magnitude images")
    if words(series, "ImageType") & _COMPUTED:
        return Finding(Technique.NONE, "computed from other images (subtraction or projection)")
    if words(series, "ImageType") & _FAT:
        return Finding(Technique.NONE, "the fat image of a Dixon acquisition")
    if "EP" in words(series, "ScanningSequence"):
        return Finding(Technique.NONE, "an echo-planar series (diffusion or the like)")
    if _B1_WORDS.search(_name(series)) and len(series.data) == 1:
        lack = () if series.unit else ("the unit of the map",)
        return Finding(Technique.B1_MAP, "a B1 map by its description alone; please check", lack)
    if not any(distinct(getattr(series, name)) for name in _LABELS):
        missing = ("TE, TR, TI and flip angle of all measurements",)
        return Finding(Technique.NONE, "its header gives no TE, TR, TI or flip angle", missing)
    return None


def _dynamic(exam: list[_Facts]) -> list[_Facts]:
    """The series that together are phases in time with equal parameters."""
    core = [one for one in exam if _may_be_phase(one) and _repeats_in_time(one, exam)]
    static = [one for one in exam if one not in core]
    # A phase with a name of its own, such as the one before the injection.
    lone = [
        one
        for one in static
        if _may_be_phase(one)
        and len(_family(one, static, "flip_angle_deg")) == 1
        and any(one.same_but(phase, None) for phase in core)
    ]
    return core + lone


def _may_be_phase(facts: _Facts) -> bool:
    # One TI alone may be that of a fat suppression; an inversion without TI may be MOLLI whose TIs are lost.
    lost = facts.inverted and not facts.values["ti_ms"]
    return facts.constant and not facts.spin_echo and not lost


def _repeats_in_time(facts: _Facts, exam: list[_Facts]) -> bool:
    series = facts.series
    if len(series.data) >= 3 and (_moments([facts]) >= 3 or _phases_in_header(series) >= 3):
        return True
    named_alike = [other for other in exam if other.stem == facts.stem]
    mates = [other for other in named_alike if facts.same_but(other, None)]
    enough = 2 if _DYNAMIC_WORDS.search(_name(series)) else 3
    if _moments(mates) < enough:
        return False
    # Flip angles that are measured again and again are no phases.
    return len(_family(facts, named_alike, "flip_angle_deg")) == 1


def _moments(several: list[_Facts]) -> int:
    """How many different acquisition times there are."""
    times = np.concatenate([facts.series.time_s for facts in several])
    return len(np.unique(times[np.isfinite(times)]))


def _dce(series: Series) -> Finding:
    n = len(series.data)
    extent = f"{n} phases" if n > 1 else "one phase"
    return Finding(
        Technique.DCE,
        f"{extent} in time with equal TE, TR and flip angle",
        unreadable(series, Technique.DCE),
    )


def _mapping(facts: _Facts, static: list[_Facts]) -> Finding:
    """The T1, T2 or T2* technique of a series that is no dynamic one."""
    series = facts.series
    varied = {name: _family(facts, static, name) for name in ("ti_ms", "te_ms", "flip_angle_deg")}
    another_varies = len(varied["te_ms"]) > 1 or len(varied["flip_angle_deg"]) > 1
    if facts.inverted and not (another_varies and len(varied["ti_ms"]) == 1):
        return _inversion(series, varied["ti_ms"])
    own = [name for name in ("te_ms", "flip_angle_deg") if len(facts.values[name]) > 1]
    if len(own) == 2:
        return Finding(Technique.NONE, "TE and flip angle both vary; choose its role by hand")
    if len(varied["te_ms"]) > 1 and own != ["flip_angle_deg"]:
        return _multi_echo(series, varied["te_ms"])
    if len(varied["flip_angle_deg"]) > 1 and not facts.spin_echo:
        return Finding(
            Technique.VFA,
            f"gradient echo with {_listed(varied['flip_angle_deg'], 'flip_angle_deg')}",
            unreadable(series, Technique.VFA),
        )
    telling = ["te_ms"] if facts.spin_echo else ["te_ms", "flip_angle_deg"]
    lost = [name for name in telling if not np.isfinite(getattr(series, name)).all()]
    if lost:
        names = " and ".join(_LABELS[name] for name in lost)
        reason = f"its header lacks {names}, so nothing tells what it measures"
        return Finding(Technique.NONE, reason, _absent(series, lost))
    return Finding(Technique.NONE, "a single echo, flip angle and time: nothing to fit")


def _inversion(series: Series, times: list[float]) -> Finding:
    technique = Technique.SPIN_ECHO_IR if is_spin_echo(series) else Technique.LOOK_LOCKER
    readout = "spin echo" if is_spin_echo(series) else "Look-Locker (MOLLI) readout"
    missing = unreadable(series, technique)
    if len(times) > 1 or (_T1_WORDS.search(_name(series)) and missing):
        return Finding(technique, f"inversion recovery, {readout}, {_listed(times, 'ti_ms')}", missing)
    return Finding(
        Technique.NONE, "a single inversion time (STIR, FLAIR or the like): no T1 can be fitted", missing
    )


def _multi_echo(series: Series, times: list[float]) -> Finding:
    if len(times) < 3:
        reason = f"{_listed(times, 'te_ms')} only (Dixon, field map or double echo)"
        return Finding(Technique.NONE, reason, _absent(series, ["te_ms"]) or ("a third echo",))
    spin_echo = is_spin_echo(series)
    if spin_echo is None:
        reason = "several echoes, but the header does not tell spin from gradient echo; choose T2 or T2*"
        return Finding(Technique.NONE, reason, ("ScanningSequence",))
    technique = Technique.MULTI_ECHO_SPIN_ECHO if spin_echo else Technique.MULTI_ECHO_GRADIENT_ECHO
    kind = "spin" if spin_echo else "gradient"
    return Finding(technique, f"{kind} echo with {_listed(times, 'te_ms')}", unreadable(series, technique))


def _family(facts: _Facts, others: list[_Facts], parameter: str) -> list[float]:
    """All values of `parameter` in the series that differ from this one in nothing else."""
    members = [one for one in others if facts.same_but(one, parameter)]
    return distinct([value for one in members for value in one.values[parameter]])


def _phases_in_header(series: Series) -> int:
    numbers = [int(n) for n in words(series, "NumberOfTemporalPositions") if n.isdigit()]
    return max(numbers, default=1)


def _name(series: Series) -> str:
    return f"{series.description} {series.sequence.get('ProtocolName') or ''}"


def _listed(values: list[float], parameter: str) -> str:
    plural = {"te_ms": "echo times", "ti_ms": "inversion times", "flip_angle_deg": "flip angles"}[parameter]
    if not values:
        return f"no {plural} in the header"
    extent = f"{values[0]:g} to {values[-1]:g}" if len(values) > 1 else f"{values[0]:g}"
    return f"{len(values)} {plural} ({extent}{_UNITS[parameter]})"
