"""Files of the school's information systems, read as records.

An import is whole or nothing: every problem of every file is told at once, or all is read.
"""

from collections.abc import Sequence
from pathlib import Path

from docgen.records import Audience, Roster, School
from docgen.rosters import siecle, sts
from docgen.rosters.enrolment import enrolled
from docgen.rosters.gathering import Findings, Gathered, enumeration
from docgen.rosters.school import read_school
from docgen.rosters.spreadsheet import read_people
from docgen.rosters.stock import read_register, read_stock, settle
from docgen.rosters.tables import is_table

__all__ = ["read", "read_school"]


def read(
    paths: Sequence[Path],
    *,
    school: School,
    audience: Audience,
    stock: Path | None = None,
    cessions: Path | None = None,
) -> Roster:
    """Read the people of these files, and the tablets of the stock and the register if given.

    `Roster.cessions` is keyed by `Person.id`, `Roster.devices` by serial number.

    Raises:
        RosterRejected: with every problem of all the files.
    """
    findings = Findings()
    gathered = gather(paths, school, audience, findings)
    devices = read_stock(stock, findings) if stock else None
    handovers = list(gathered.handovers)
    if cessions:
        handovers += read_register(cessions, gathered, findings)
    settled = settle(handovers, devices, findings)
    if not gathered.people and not findings.problems:
        findings.problem("ces fichiers ne contiennent personne.", remedy="Vérifiez les exports.")
    findings.refuse_if_any()
    return Roster(
        people=tuple(gathered.people),
        school_year=gathered.school_year,
        devices=devices or {},
        cessions=settled,
        notices=tuple(findings.notices),
    )


def gather(
    paths: Sequence[Path], school: School, audience: Audience, findings: Findings
) -> Gathered:
    tables: list[Path] = []
    exports: list[Path] = []
    for path in paths:
        with findings.collecting():
            (tables if is_table(path) else exports).append(path)
    if tables and exports:
        where = enumeration([path.name for path in (*tables, *exports)])
        what = "des tableurs et des exports (SIECLE, STS-Web) sont mêlés."
        findings.problem(what, where, "Donnez les uns ou les autres.")
    if tables or not exports:
        return read_people(tables, audience, findings)
    pupils, staff = siecle.Reader(school.uai, findings), sts.Reader(school.uai, findings)
    reader: siecle.Reader | sts.Reader = pupils if audience == "pupil" else staff
    for path in exports:
        with findings.collecting():
            reader.read(path)
    # Half of what an export knows would make a false problem of every person.
    if findings.has_unread:
        return Gathered(is_complete=False)
    return enrolled(pupils.export, findings) if audience == "pupil" else staff.gathered()
