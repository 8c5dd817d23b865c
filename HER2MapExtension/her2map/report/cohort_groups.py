"""Tables 2 and 3 of a cohort in print: factors and biomarkers by HER2 group."""

from collections.abc import Sequence

from ..cohort.groups import Between, FactorBetween, NumberBetween
from ..cohort.variables import GROUPS, Variable
from ..statistics.groups import GroupComparison, GroupSummary
from ..statistics.pairs import Pair
from ..statistics.tested import Tested
from .cohort_style import decimals_of, number, p_value
from .print_table import Footnotes, PrintTable

_PAIRS = tuple((a, b) for i, a in enumerate(GROUPS) for b in GROUPS[i + 1 :])


def patients_print(found: Sequence[Between], counts: dict[str, int]) -> PrintTable:
    """Table 2: a factor's levels with counts and shares; a number with mean and SD or quartiles."""
    notes = Footnotes()
    heads = [f"HER2-{group} (n = {counts[group]})" for group in GROUPS]
    lines = [["", *heads, "p, low against positive", "p, three groups"]]
    for one in found:
        tests = [_tested(one.two.chosen, notes), _tested(one.three.chosen, notes)]
        if isinstance(one, FactorBetween):
            lines += _factor_lines(one, tests)
        else:
            lines.append(_number_line(one, tests))
    return PrintTable(
        "table2_patients",
        "Table 2. Patients, by HER2 group",
        lines,
        (
            "Shares are of the cases of the group whose value is known. Factors: "
            "chi-square where the expected counts allow it, else Fisher's exact test; numbers: as in Table "
            "3.",
            *notes.notes,
        ),
        empty="The pathology table has no factor.",
    )


def _tested(test: Tested, notes: Footnotes) -> str:
    if not test.known:
        return "–" + notes.mark(test.reason)
    return p_value(test.p) + notes.mark(f"{test.name}{f': {test.convention}' if test.convention else ''}")


def _factor_lines(one: FactorBetween, tests: list[str]) -> list[list[str]]:
    totals = one.three.counts.sum(axis=0)
    missing = dict(zip(one.three.groups, one.three.missing, strict=True))
    lines = [[one.variable.heading, *[""] * len(GROUPS), *tests]]
    for level, counts in zip(one.three.levels, one.three.counts, strict=True):
        cells = [_count(int(n), int(total)) for n, total in zip(counts, totals, strict=True)]
        lines.append([f"  {level}", *cells, "", ""])
    if any(missing.values()):
        lines.append(["  not known", *(str(missing[group]) for group in GROUPS), "", ""])
    return lines


def _count(n: int, total: int) -> str:
    return f"{n} ({100 * n / total:.0f} %)" if total else "–"


def _number_line(one: NumberBetween, tests: list[str]) -> list[str]:
    by_rank = one.three.chosen == one.three.ranks
    what = "median (quartiles)" if by_rank else "mean ± SD"
    cells = [_summary(group, one.variable, by_rank) for group in one.three.groups]
    return [f"{one.variable.heading}, {what}", *cells, *tests]


def _summary(group: GroupSummary, variable: Variable, by_rank: bool) -> str:
    digits = decimals_of(variable)
    if not group.n:
        return "–"
    counted = f", n = {group.n}" if group.missing else ""
    if by_rank:
        middle, low, high = (number(x, digits) for x in (group.median, group.q1, group.q3))
        return f"{middle} ({low} to {high}){counted}"
    return f"{number(group.mean, digits)} ± {number(group.sd, digits)}{counted}"


def imaging_print(found: Sequence[Between], counts: dict[str, int]) -> PrintTable:
    """Table 3: mean and SD of each group, the overall test that the rule chose, and its post-hoc test."""
    notes = Footnotes()
    heads = [f"HER2-{group} (n = {counts[group]})" for group in GROUPS]
    pairs = [f"{first} – {second}" for first, second in _PAIRS]
    lines = [["mean ± SD", *heads, "test of three groups", "p", *pairs]]
    for one in _numbers(found):
        chosen = one.three.chosen
        cells = [_summary(group, one.variable, by_rank=False) for group in one.three.groups]
        test = f"{chosen.name}{notes.mark(one.three.because.capitalize() + '.')}" if chosen.known else "–"
        of_pair = {(pair.first, pair.second): pair for pair in one.three.chosen_pairs}
        p = [_pair_p(of_pair.get(pair), notes) for pair in _PAIRS]
        lines.append([one.variable.heading, *cells, test, p_value(chosen.p) + _why(chosen, notes), *p])
    rule = next((one.three.rule for one in _numbers(found)), "")
    return PrintTable(
        "table3_imaging",
        "Table 3. Imaging parameters, by HER2 group",
        lines,
        (
            f"Rule: {rule}. Post-hoc: Bonferroni on the pooled mean square after ANOVA, Tamhane's T2 after "
            "Welch, Dunn with Bonferroni after Kruskal-Wallis; p for all pairs together.",
            *notes.notes,
            *_remarks(found),
        ),
        (0, 4),
        "No biomarker has a value.",
    )


def _numbers(found: Sequence[Between]) -> list[NumberBetween]:
    return [one for one in found if isinstance(one, NumberBetween)]


def _why(test: Tested, notes: Footnotes) -> str:
    return notes.mark(test.reason)


def _pair_p(pair: Pair | None, notes: Footnotes) -> str:
    if pair is None:
        return "–"
    return p_value(pair.p) + notes.mark(pair.reason)


def _remarks(found: Sequence[Between]) -> tuple[str, ...]:
    """Those of all biomarkers once; those of single ones with their name."""
    numbers = _numbers(found)
    owners: dict[str, list[str]] = {}
    for one in numbers:
        for text in one.three.remarks:
            owners.setdefault(text, []).append(one.variable.title)
    return tuple(
        text if len(names) == len(numbers) else f"{', '.join(names)}: {text}"
        for text, names in owners.items()
    )


def other_tests_print(found: Sequence[Between]) -> PrintTable:
    """What stands beside Table 3: every overall test, and all three post-hoc tests of each pair."""
    pairs = [f"{first} – {second}" for first, second in _PAIRS]
    lines = [["", "Levene", "ANOVA", "Welch", "Kruskal-Wallis", *pairs, "low – positive alone"]]
    for one in _numbers(found):
        three, two = one.three, one.two
        overall = [three.levene, three.equal_variances, three.unequal_variances, three.ranks]
        alone = [two.equal_variances, two.unequal_variances, two.ranks]
        cells = [*map(_p, overall), *(_all_three(three, pair) for pair in _PAIRS), " / ".join(map(_p, alone))]
        lines.append([one.variable.heading, *cells])
    return PrintTable(
        "table3_other_tests",
        "Beside Table 3: all tests",
        lines,
        (
            "p of each test. Pairs: Bonferroni / Tamhane's T2 / Dunn, each for all pairs together. "
            "Low against positive alone: Student / Welch / Mann-Whitney.",
        ),
        empty="No biomarker has a value.",
    )


def _p(test: Tested) -> str:
    return p_value(test.p)


def _all_three(found: GroupComparison, names: tuple[str, str]) -> str:
    cells = []
    for pairs in (found.bonferroni, found.tamhane, found.dunn):
        pair = next((one for one in pairs if (one.first, one.second) == names), None)
        cells.append(p_value(pair.p) if pair else "–")
    return " / ".join(cells)


def normality_print(found: Sequence[Between]) -> PrintTable:
    """The tests of normality of each group."""
    lines = [["", "group", "n", "Kolmogorov-Smirnov", "Lilliefors", "Shapiro-Wilk", "median (quartiles)"]]
    for one in _numbers(found):
        for group in one.three.groups:
            tests = (
                group.normality.kolmogorov_smirnov,
                group.normality.lilliefors,
                group.normality.shapiro_wilk,
            )
            lines.append(
                [
                    one.variable.heading, group.name, str(group.n), *(p_value(test.p) for test in tests),
                    _summary(group, one.variable, by_rank=True).partition(", n =")[0],
                ]
            )  # fmt: skip
    note = (
        "p of each test. Kolmogorov-Smirnov takes mean and SD as known, as older SPSS does, and hardly "
        "ever rejects; Lilliefors corrects for that."
    )
    return PrintTable(
        "table3_normality", "Beside Table 3: normality", lines, (note,), (0, 1), "No biomarker."
    )
