"""What the coordinator asks of a study, as sentences and tables to be shown. It touches no scene.

Each function returns one of a progress callback, to be run beside the application.
"""

from dataclasses import dataclass

from slicer.i18n import tr as _


@dataclass(frozen=True)
class Table:
    """title - Of the table. header, rows - Texts."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Results:
    """head - What was found, in a sentence or a few. alarms - What must be looked at. tables - By title."""

    head: str = ""
    alarms: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()


def checking(folder: str):
    """Whether the study and all that it names can be read."""

    def check(progress) -> Results:
        from her2map.errors import InputError
        from her2map.study.protocol import read_protocol
        from her2map.study.setup import study_mistakes

        try:
            protocol = read_protocol(folder)
        except InputError as mistakes:
            return Results(_("The study cannot be read."), tuple(str(mistakes).splitlines()))
        mistakes = study_mistakes(protocol)
        head = _("{title}: {cases} cases, readers {readers}, {repeats} repeats.").format(
            title=protocol.title,
            cases=len(protocol.cases),
            readers=", ".join(protocol.readers),
            repeats=protocol.repeats,
        )
        return Results(head if mistakes else f"{head} {_('All is there.')}", tuple(mistakes))

    return check


def preparing(folder: str):
    """Read and fit every case that is not in the cache: it can be cancelled and gone on with."""

    def prepare(progress) -> Results:
        from her2map.study.protocol import read_protocol
        from her2map.study.setup import prepare_cases

        protocol = read_protocol(folder)
        found = prepare_cases(protocol, protocol.codes, progress=progress)
        head = _("{done} of {count} cases are prepared.").format(
            done=len(found.prepared), count=len(protocol.codes)
        )
        rows = tuple((line, ", ".join(codes)) for line, codes in found.remarks.items())
        table = Table(_("Remarks"), (_("Remark"), _("Cases")), rows)
        text = _("Case {code}: {problem}")
        problems = tuple(text.format(code=code, problem=problem) for code, problem in found.problems)
        return Results(head, problems, _filled((table,)))

    return prepare


def status(folder: str):
    """How far the readers are; the cases whose repeats differ too much."""

    def find(progress) -> Results:
        from her2map.report.study_tables import reader_lines, skip_lines, spread_lines
        from her2map.study.aggregate import aggregate
        from her2map.study.protocol import read_protocol
        from her2map.study.readings import read_readings
        from her2map.study.status import reader_status, unprepared, warnings_of

        protocol = read_protocol(folder)
        readings = read_readings(protocol)
        readers, values = reader_status(protocol, readings), aggregate(protocol, readings)
        head = _("{title}: {done} of {count} cases complete.").format(
            title=protocol.title, done=len(values.by_case), count=len(protocol.cases)
        )
        alarms = list(warnings_of(protocol, readers, values.mixed))
        if len(values.spread):
            text = _("⚠ Readings of one case by one reader differ by more than {limit} %: cases {cases}.")
            cases = ", ".join(dict.fromkeys(values.spread["case"]))
            alarms.append(text.format(limit=f"{100 * protocol.spread_limit:g}", cases=cases))
        missing = unprepared(protocol)
        if missing:
            text = _("Not prepared yet: {count} of the cases; readers would wait for their maps.")
            alarms.append(text.format(count=len(missing)))
        tables = (
            _table(_("Readers"), reader_lines(readers)),
            _table(_("Repeats that differ"), spread_lines(values.spread)),
            _table(_("Skipped"), skip_lines(readers)),
            Table(_("Not complete"), (_("Case"),), tuple((line,) for line in values.incomplete)),
        )
        return Results(head, tuple(alarms), _filled(tables))

    return find


def verifying(folder: str):
    """Whether the stores are as they were written."""

    def verify(progress) -> Results:
        from her2map.study.protocol import read_protocol
        from her2map.study.verify import verify_study

        checks = verify_study(read_protocol(folder))
        alarms = [f"{one.reader}: {problem}" for one in checks for problem in one.problems]
        rows = tuple(
            (one.reader, str(one.head.count), "; ".join(one.remarks), one.head.digest) for one in checks
        )
        header = (_("Reader"), _("Entries"), _("Remarks"), _("Hash of the last"))
        head = _("Something was changed.") if alarms else _("All is as it was written.")
        return Results(head, tuple(alarms), (Table(_("Stores"), header, rows),))

    return verify


def agreeing(folder: str):
    """Repeatability, ICC, Bland-Altman and overlap."""

    def agree(progress) -> Results:
        from her2map.report.study_tables import (
            bland_altman_lines,
            icc_lines,
            overlap_lines,
            repeatability_lines,
        )
        from her2map.study.agreement import agreement
        from her2map.study.protocol import read_protocol
        from her2map.study.readings import read_readings

        protocol = read_protocol(folder)
        found = agreement(protocol, read_readings(protocol))
        tables = (
            _table(_("Repeatability"), repeatability_lines(found.repeatability)),
            _table(_("Intraclass correlation"), icc_lines(found.icc)),
            _table(_("Bland-Altman"), bland_altman_lines(found.bland_altman)),
            _table(_("Contours"), overlap_lines(found.overlap)),
            Table(_("Not complete"), (_("Case"),), tuple((line,) for line in found.incomplete)),
            Table(_("Definitions"), (_("Definition"),), tuple((line,) for line in found.conventions)),
        )
        text = _("{title}: figures in brackets are 95 % intervals, of contours quartiles.")
        head = text.format(title=protocol.title)
        lacking = _("Not complete, and left out where they lack something: {count} of the cases.")
        alarms = (lacking.format(count=len(found.incomplete)),) if found.incomplete else ()
        return Results(head, alarms, _filled(tables))

    return agree


def exporting(folder: str, target: str, fileFormat: str):
    """Write the readings as tables into the folder `target`."""

    def export(progress) -> Results:
        from pathlib import Path

        from her2map.study.export import export_tables, write_export
        from her2map.study.protocol import read_protocol
        from her2map.study.readings import read_readings

        protocol = read_protocol(folder)
        tables = export_tables(protocol, read_readings(protocol))
        written = write_export(Path(target), tables, fileFormat)
        text = _("{count} readings were written to {folder}: {files}.")
        names = ", ".join(path.name for path in written)
        return Results(text.format(count=len(tables.readings), folder=target, files=names))

    return export


def makeStudy(folder: str, title: str, parent: str, readers) -> Results:
    """Make a study whose cases are the folders of `parent`, under codes dealt out at random.

    Raises:
        InputError: see `her2map.study.protocol.new_study`.
    """
    import random
    from pathlib import Path

    from her2map.study.protocol import FILE
    from her2map.study.setup import dealt, exam_folders, new_study

    protocol = new_study(folder, title, dealt(exam_folders(Path(parent)), random.Random()), readers)
    text = _("{title}: {count} cases. What else there is to choose stands in {file}; edit it, then Check.")
    return Results(text.format(title=protocol.title, count=len(protocol.cases), file=protocol.folder / FILE))


def _table(title: str, lines) -> Table:
    header, *rows = lines
    return Table(title, tuple(header), tuple(map(tuple, rows)))


def _filled(tables) -> tuple[Table, ...]:
    return tuple(table for table in tables if table.rows)
