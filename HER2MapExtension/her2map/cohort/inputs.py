"""One cohort from the values and the pathology: every case that has both, and why each other has not."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from ..enrolment import Enrolment, enrolment, read_screening
from ..errors import InputError
from ..pathology import PRESETS
from ..pathology_table import PathologyTable, assess_table, pathology_records, read_pathology
from .values import Values, read_values
from .variables import BIOMARKERS, CLINICAL, GROUPS, IMAGING, Variable, further_variable


@dataclass(frozen=True, eq=False)
class Cohort:
    """The cases of an analysis. A missing number is NaN, a missing word "", never filled in.

    Attributes:
        name: of the study or the table of values.
        preset: of the pathology.
        cases: a row a case, the index its code: her2 (zero, low, positive) and the column of every variable.
        variables: which columns `cases` has: the imaging ones first, then the clinical ones.
        by_reader: case, reader and the six biomarkers; the cases of `cases` alone. Empty where not known.
        readings: case, reader, repeat and the six biomarkers, as well.
        left_out: a row a case that is not in `cases`: case, why.
        remarks: what a reader of the tables must know, a sentence each.
        alternatives: the six biomarkers of the same cases found otherwise (another fit, say), by its name.
        flow: the enrolment; None without a screening table.
        values: where the biomarkers come from.
    """

    name: str
    preset: str
    cases: pd.DataFrame
    variables: tuple[Variable, ...]
    by_reader: pd.DataFrame
    readings: pd.DataFrame
    left_out: pd.DataFrame
    remarks: tuple[str, ...]
    values: Values
    alternatives: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    flow: Enrolment | None = None

    def variable(self, name: str) -> Variable:
        """The variable of that name.

        Raises:
            InputError: the cohort has no such variable.
        """
        found = next((one for one in self.variables if one.name == name), None)
        if found is None:
            known = ", ".join(one.name for one in self.variables)
            raise InputError(f"The cohort has no variable '{name}'; it has {known}.")
        return found

    @property
    def counts(self) -> dict[str, int]:
        """Cases of each HER2 group, also of one that has none."""
        return {group: int((self.cases["her2"] == group).sum()) for group in GROUPS}

    @property
    def imaging(self) -> tuple[Variable, ...]:
        """The biomarkers of which some case has a value."""
        return tuple(one for one in self.variables if one.imaging)

    @property
    def clinical(self) -> tuple[Variable, ...]:
        """The rest."""
        return tuple(one for one in self.variables if not one.imaging)


def read_cohort(
    values: str | os.PathLike[str],
    pathology: str | os.PathLike[str],
    preset: str = "paper",
    screening: str | os.PathLike[str] | None = None,
    alternatives: Mapping[str, str | os.PathLike[str]] | None = None,
) -> Cohort:
    """The cohort of a study's folder or table of values, and a pathology table.

    Args:
        values: see :func:`~her2map.cohort.values.read_values`.
        pathology: see :func:`~her2map.pathology_table.read_pathology`.
        preset: "paper" or "guideline", of :data:`~her2map.pathology.PRESETS`.
        screening: see :func:`~her2map.enrolment.read_screening`.
        alternatives: further values of the same cases, by what they are called.

    Raises:
        InputError: something cannot be read, or values and pathology have no case in common.
    """
    table = read_pathology(pathology)
    others = {name: read_values(path) for name, path in (alternatives or {}).items()}
    flow = None
    if screening is not None:
        her2 = {case: found.her2 for case, found in assess_table(table, PRESETS[preset]).items()}
        flow = enrolment(read_screening(screening), her2)
    return make_cohort(read_values(values), table, preset, others, flow)


def make_cohort(
    values: Values,
    table: PathologyTable,
    preset: str = "paper",
    alternatives: Mapping[str, Values] | None = None,
    flow: Enrolment | None = None,
) -> Cohort:
    """As :func:`read_cohort`, of what was read.

    Raises:
        InputError: values and pathology have no case in common, or none of these has a settled HER2 status.
    """
    records = pd.DataFrame(pathology_records(table, PRESETS[preset]))
    records.index = pd.Index(_same_spelling(records["case"], values), name="case")
    common = [code for code in values.by_case.index if code in records.index]
    if not common:
        raise InputError(_nothing_common(values, table))
    settled = [code for code in common if records.at[code, "her2_group"]]
    left_out = _left_out(values, records, common, settled)
    if not settled:
        raise InputError(
            f"None of the {len(common)} cases has a settled HER2 status by the preset '{preset}'; `her2map "
            f"pathology {table.name}` tells why."
        )
    cases, variables, remarks = _columns(values.by_case.loc[settled], records.loc[settled], table.further)
    return Cohort(
        name=values.name,
        preset=preset,
        cases=cases,
        variables=variables,
        by_reader=_of(values.by_reader, settled),
        readings=_of(values.readings, settled),
        left_out=left_out,
        remarks=tuple(remarks),
        values=values,
        alternatives={
            name: other.by_case.reindex(settled)[list(BIOMARKERS)]
            for name, other in (alternatives or {}).items()
        },
        flow=flow,
    )


def _same_spelling(codes: "pd.Series[str]", values: Values) -> list[str]:
    """The codes as the values spell them: capitals make no difference."""
    known = [*values.by_case.index, *(code for code, _ in values.incomplete)]
    spelt = {code.casefold(): code for code in known}
    return [spelt.get(code.casefold(), code) for code in codes]


def _nothing_common(values: Values, table: PathologyTable) -> str:
    own = ", ".join(map(str, values.by_case.index[:3]))
    others = ", ".join(case.case for case in table.cases[:3])
    return (
        f"{values.name} and {table.name} have no case in common ({own} ... against {others} ...); give "
        "each case the same code in both."
    )


def _left_out(values: Values, records: pd.DataFrame, common: list[str], settled: list[str]) -> pd.DataFrame:
    rows = [(code, f"readings: {why}") for code, why in values.incomplete]
    incomplete = {code for code, _ in rows}
    rows += [
        (code, "not in the pathology table") for code in values.by_case.index if code not in records.index
    ]
    rows += [
        (code, f"HER2 {records.at[code, 'her2']}: {records.at[code, 'her2_reason']}")
        for code in common
        if code not in settled
    ]
    known = set(values.by_case.index) | incomplete
    rows += [(code, "no values, only pathology") for code in records.index if code not in known]
    return pd.DataFrame(rows, columns=["case", "why"])


def _of(frame: pd.DataFrame, codes: list[str]) -> pd.DataFrame:
    return frame[frame["case"].isin(codes)].reset_index(drop=True)


def _columns(
    values: pd.DataFrame, records: pd.DataFrame, further: tuple[str, ...]
) -> tuple[pd.DataFrame, tuple[Variable, ...], list[str]]:
    """The cohort's frame, its variables, and what was left aside."""
    er = records["er"].replace("low positive", "positive")
    clinical = {
        "age": records["age"], "menopause": records["menopause"], "er": er, "pr": records["pr"],
        "ki67": records["ki67_percent"], "ki67_high": records["ki67"],
    }  # fmt: skip
    columns: dict[str, pd.Series] = {"her2": records["her2_group"]}
    columns |= {name: values[name] for name in BIOMARKERS}
    candidates = [*IMAGING]
    for variable in CLINICAL:
        columns[variable.name] = clinical[variable.name]
        candidates.append(variable)
    remarks = []
    for name in further:
        own, cells = further_variable(name, records[name].astype(str))
        key = name if name not in columns else f"{name} (pathology)"
        if own is None:
            if (cells != "").any():
                remarks.append(
                    f"The column '{name}' has too many different words to be compared; it is left aside."
                )
            continue
        columns[key] = cells
        candidates.append(own if key == name else Variable(key, own.title, levels=own.levels))
    variables = tuple(one for one in candidates if _known(one, columns[one.name]).any())
    for one in candidates:
        if one not in variables and one.name != "ki67_high":
            remarks.append(f"{one.title}: no case has a value, so it is in no table and no model.")
    kept = ["her2", *(one.name for one in variables)]
    return pd.DataFrame(columns)[kept].rename_axis("case"), variables, remarks


def _known(variable: Variable, values: pd.Series) -> pd.Series:
    return values != "" if variable.levels else values.notna()
