"""One patient's exam, from a folder of files to the values of a ROI."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .biomarkers import Biomarkers, from_values
from .errors import InputError
from .fitting import RECOMMENDED, FitOptions, FittedMap, fit_group
from .geometry import Geometry
from .progress import Progress, no_progress, part_of
from .registration import Motion, register_to
from .relaxometry import ParameterMap
from .roi import Region, Roi, RoiValue, measure
from .roi.histogram import DISCRETISATIONS, MapHistogram, histogram_of
from .series import (
    Assignment,
    DceSeries,
    Group,
    PostContrastDelay,
    Role,
    Source,
    Technique,
    dce_phases,
    groups,
    override,
    post_contrast_delay,
    propose_roles,
    read_series,
)

MAP_ROLES = {
    "B1": Role.B1,
    "T1_pre": Role.T1_PRE,
    "T1_post": Role.T1_POST,
    "T2": Role.T2,
    "T2star": Role.T2STAR,
}
"""Which role each map comes from, in the order in which they are fitted: each may use those before it."""


@dataclass(frozen=True, eq=False)
class Exam:
    """The series of one patient's exam and what each was taken for.

    Attributes:
        assignments: one a series.
        skipped: the files that gave no image, with the reason. File names may hold a patient's name, so
            these lines are for the screen alone.
        skipped_counts: how many files were skipped for each reason.
        notes: what concerns the exam as a whole.
    """

    assignments: tuple[Assignment, ...]
    skipped: tuple[str, ...] = ()
    skipped_counts: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader of the maps must know: what was left out, is missing, or came at another time."""
        problems = dict.fromkeys(problem for a in self.assignments for problem in a.series.problems)
        lacking = (f"not fitted: {line}" for line in self.incomplete)
        n_skipped = sum(self.skipped_counts.values())
        skipped = (f"files that gave no image: {n_skipped}",) if n_skipped else ()
        try:
            delay = self.t1_post_delay
            late = (delay.remark,) if delay and delay.remark else ()
        except InputError as problem:
            late = (str(problem),)
        return (*self.notes, *problems, *lacking, *self._left_aside, *late, *skipped)

    @property
    def _left_aside(self) -> tuple[str, ...]:
        """Series that could give a map as well, and are not used."""
        found, keys = groups(self.assignments), {id(a.series): a.key for a in self.assignments}
        lines = []
        for name, role in {**MAP_ROLES, "DCE": Role.DCE}.items():
            taken, *others = [[keys[id(series)] for series in group] for group in found.get(role, ())] or [[]]
            if others:
                unused = ", ".join(key for other in others for key in other)
                lines.append(f"{name} is taken from series {', '.join(taken)}; not used: {unused}")
        return tuple(lines)

    def group(self, role: Role) -> Group | None:
        """The preferred group of series for a role; None where no series has it."""
        found = groups(self.assignments).get(role)
        return found[0] if found else None

    @property
    def incomplete(self) -> tuple[str, ...]:
        """The maps that cannot be fitted though they have series, with what is missing."""
        found = [(name, self.group(role)) for name, role in MAP_ROLES.items()]
        return tuple(
            f"{name} from {', '.join(s.description for s in group)} lacks {', '.join(group.missing)}"
            for name, group in found
            if group and group.missing
        )

    @property
    def dce(self) -> DceSeries | None:
        """The DCE phases in the order of time; None without a DCE series."""
        group = self.group(Role.DCE)
        return dce_phases(group) if group else None

    @property
    def t1_post_delay(self) -> PostContrastDelay | None:
        """When T1_post was acquired after the injection; None without either series.

        Raises:
            InputError: a time is not known.
        """
        t1_post, dce = self.group(Role.T1_POST), self.dce
        return post_contrast_delay(t1_post, dce) if t1_post and dce else None


@dataclass(frozen=True)
class ExamValues:
    """What one ROI says of an exam: its value on every map."""

    roi: Roi
    values: Mapping[str, RoiValue]

    @property
    def biomarkers(self) -> Biomarkers:
        """The values with the differences that follow from them."""
        measured = {name: value for name, value in self.values.items() if name != "B1"}
        return from_values(
            **{name: value.value for name, value in measured.items()},
            standard_errors={name: value.standard_error for name, value in measured.items()},
            reasons={name: value.reason for name, value in measured.items()},
        )


def read_exam(path: Source, progress: Progress = no_progress) -> Exam:
    """Read a folder, or a list of files, and propose what each series is.

    Arguments and errors as of :func:`~her2map.series.read_series`.
    """
    series = read_series(path, progress=progress)
    return Exam(tuple(propose_roles(series)), series.skipped, series.skipped_counts, series.notes)


def read_exam_as(path: Source, roles: Iterable[str], progress: Progress = no_progress) -> Exam:
    """The same, with the roles of some series as somebody wants them.

    Raises:
        InputError: as :func:`read_exam` and :func:`with_role`.
    """
    exam = read_exam(path, progress)
    for text in roles:
        exam = with_role(exam, text)
    return exam


def with_role(exam: Exam, text: str) -> Exam:
    """The exam with the role of one series as somebody wants it.

    Args:
        text: KEY=ROLE or KEY=ROLE:TECHNIQUE; the key is that of the series' assignment.

    Raises:
        InputError: it is neither, there is no such series, or the role does not suit it.
    """
    key, _, chosen = text.partition("=")
    role, _, technique = chosen.partition(":")
    roles, techniques = {r.value: r for r in Role}, {t.value: t for t in Technique}
    if role not in roles or (technique and technique not in techniques):
        raise InputError(
            f"The role '{text}': write KEY=ROLE or KEY=ROLE:TECHNIQUE; roles: {', '.join(roles)}; "
            f"techniques: {', '.join(techniques)}."
        )
    found = [a.series for a in exam.assignments if a.key == key]
    if not found:
        keys = ", ".join(a.key for a in exam.assignments)
        raise InputError(f"The role '{text}': the exam has no series '{key}'; it has {keys}.")
    changed = override(exam.assignments, found[0], roles[role], techniques.get(technique))
    return replace(exam, assignments=tuple(changed))


def fit_exam(
    exam: Exam, options: FitOptions = RECOMMENDED, progress: Progress = no_progress
) -> dict[str, FittedMap]:
    """Fit every map that the exam has complete series for: the preferred group of each role.

    Raises:
        InputError: no role has all that its fit needs, or a fit refuses its input; the text names the series.
        Cancelled: raised by `progress`.
    """
    taken = [(name, group) for name, role in MAP_ROLES.items() if (group := exam.group(role))]
    wanted = [(name, group) for name, group in taken if not group.missing]
    if not wanted:
        lacking = "; ".join(exam.incomplete) or "no series has a role that gives one"
        raise InputError(f"No map can be fitted: {lacking}.")
    maps: dict[str, FittedMap] = {}
    for i, (name, group) in enumerate(wanted):
        step = part_of(progress, i / len(wanted), (i + 1) / len(wanted))
        maps[name] = fit_group(group, options, maps, step)
    progress(1.0)
    return maps


def register_maps(
    maps: Mapping[str, FittedMap], dce: DceSeries, phase: int, progress: Progress = no_progress
) -> dict[str, Motion]:
    """The motion of the patient from a DCE phase to every map, found in the map's mean signal.

    A B1 map is left out: it is smooth, and nothing in it can be registered.

    Args:
        phase: index of the DCE phase on which the ROI was drawn, counted from 0.

    Returns:
        By biomarker; ``motion.matrix`` is the map's placement for :func:`measure_maps`, the identity where no
        motion was found that is better than none.

    Raises:
        InputError: there is no such phase; errors as :func:`~her2map.registration.register_to`.
        Cancelled: raised by `progress`.
    """
    n_phases = len(dce.data)
    if not 0 <= phase < n_phases:
        raise InputError(f"There is no DCE phase {phase + 1}; choose one from 1 to {n_phases}.")
    wanted = [name for name in maps if name != "B1"]
    motions: dict[str, Motion] = {}
    for i, name in enumerate(wanted):
        step = part_of(progress, i / len(wanted), (i + 1) / len(wanted))
        fitted = maps[name]
        motions[name] = register_to(
            _mean_signal(fitted), fitted.geometry, dce.data[phase], dce.geometry, step
        )
    progress(1.0)
    return motions


def _mean_signal(fitted: FittedMap) -> NDArray[np.floating]:
    """(slices, rows, columns); a scanner's map is its own signal, and the first one is the map."""
    data = fitted.signals.data
    return data[0] if fitted.technique is Technique.SCANNER_MAP else data.mean(axis=0)


def measure_maps(
    maps: Mapping[str, tuple[ParameterMap, Geometry]],
    roi: Roi,
    placements: Mapping[str, ArrayLike] | None = None,
) -> ExamValues:
    """The ROI's value on every map, each looked up at its own place in the patient.

    Args:
        roi: in the space of the DCE image on which it was drawn.
        placements: by map, the rigid motion (4, 4) that takes RAS points of the DCE space to the map's, such
            as ``motion.matrix`` of :func:`register_maps`; a map without one shares the DCE's space.

    Raises:
        InputError: a placement is no rigid motion, or of no map; errors as :func:`~her2map.roi.measure`.
    """
    return ExamValues(roi, measure_region(maps, roi, placements))


def measure_region(
    maps: Mapping[str, tuple[ParameterMap, Geometry]],
    region: Region,
    placements: Mapping[str, ArrayLike] | None = None,
) -> dict[str, RoiValue]:
    """The same of a ROI, or of a volume of several slices, by map; arguments and errors are the same."""
    return {
        name: measure(*maps[name], placed)
        for name, placed in placed_regions(maps, region, placements).items()
    }


def region_histograms(
    maps: Mapping[str, tuple[ParameterMap, Geometry]],
    region: Region,
    placements: Mapping[str, ArrayLike] | None = None,
) -> dict[str, MapHistogram]:
    """The histogram figures of a ROI or volume, by map; arguments and errors as :func:`measure_maps`."""
    return {
        name: histogram_of(*maps[name], placed, DISCRETISATIONS[name])
        for name, placed in placed_regions(maps, region, placements).items()
    }


def placed_regions(
    maps: Collection[str], region: Region, placements: Mapping[str, ArrayLike] | None = None
) -> dict[str, Region]:
    """A region of the DCE space in the space of every map.

    Raises:
        InputError: a placement is no rigid motion, or of no map.
    """
    moved = placements or {}
    unknown = sorted(moved.keys() - set(maps))
    if unknown:
        raise InputError(f"A placement is given for {unknown[0]}, but there is no such map.")
    return {name: region.transformed(moved[name]) if name in moved else region for name in maps}
