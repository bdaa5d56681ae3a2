"""Loans: which tablet is lent to whom, from which day to which."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from docgen.fields import parse_date
from docgen.records import Audience, Device, Loan, Roster, School
from docgen.rosters import gather
from docgen.rosters.gathering import Findings, Gathered
from docgen.rosters.stock import SERIAL, holder_id, in_stock, read_stock, serial_of, tablet
from docgen.rosters.tables import Column, Line, read_table

LOANS = (
    SERIAL,
    Column("holder", "Bénéficiaire", ("emprunteur", "identifiant", "ine"), True),
    Column("start", "Début", ("datededebut", "debutdupret", "datedebut", "du"), True),
    Column("end", "Fin", ("datedefin", "findupret", "datefin", "retourprevu", "au"), True),
    Column("state", "État", ("etatalaremise", "statut")),
)
DATES = (("start", "Début"), ("end", "Fin"))
YEARS = range(2000, 2100)  # 0026 and 2972 are slips of the fingers


@dataclass(frozen=True, slots=True)
class _Placed:
    """A loan, and the line that tells it."""

    where: str
    loan: Loan


def read(
    paths: Sequence[Path],
    *,
    school: School,
    audience: Audience,
    loans: Path,
    stock: Path | None = None,
) -> tuple[Roster, tuple[Loan, ...]]:
    """Read the people of these files and the loans of the register, in the register's order.

    Raises:
        RosterRejected: with every problem of all the files.
    """
    findings = Findings()
    gathered = gather(paths, school, audience, findings)
    devices = read_stock(stock, findings) if stock else None
    read_loans = _register(loans, gathered, devices, findings)
    _refuse_overlaps(read_loans, findings)
    if not read_loans and not findings.problems:
        findings.problem("ce registre ne contient aucun prêt.", loans.name)
    findings.refuse_if_any()
    roster = Roster(
        people=tuple(gathered.people),
        school_year=gathered.school_year,
        devices=devices or {},
        notices=tuple(findings.notices),
    )
    return roster, tuple(placed.loan for placed in read_loans)


def _register(
    path: Path, gathered: Gathered, devices: Mapping[str, Device] | None, findings: Findings
) -> list[_Placed]:
    found = []
    with findings.collecting():
        for line in read_table(path, LOANS, findings):
            if line.cells and (loan := _loan(line, gathered, devices, findings)):
                found.append(_Placed(line.where, loan))
    return found


def _loan(
    line: Line, gathered: Gathered, devices: Mapping[str, Device] | None, findings: Findings
) -> Loan | None:
    number = person_id = None
    if "serial" not in line.refused:
        number = serial_of(line["serial"], line.where, findings)
    if "holder" not in line.refused:
        person_id = holder_id(line["holder"], line.where, gathered, findings)
    days = {}
    for key, title in DATES:
        day = parse_date(line[key])
        days[key] = day if day and day.year in YEARS else None
        if days[key] is None and key not in line.refused:
            fault = "est vide"
            if line[key]:
                fault = "tombe dans une année impossible" if day else "n’est pas une date"
            findings.problem(f"« {title} » {fault}.", line.where, "Écrivez jj/mm/aaaa.")
    start, end = days["start"], days["end"]
    if start and end and end < start:
        what = "le prêt finit avant de commencer."
        findings.problem(what, line.where, "Corrigez l’une des deux dates.")
    known = number is not None and in_stock(number, line.where, devices, findings)
    if number is None or not known or person_id is None or start is None or end is None:
        return None
    return Loan(number, person_id, start, end, line["state"])


def _refuse_overlaps(placed: Sequence[_Placed], findings: Findings) -> None:
    """Refuse a tablet lent twice at once, and a person who holds two: one day, one holder."""
    by_tablet: dict[str, list[_Placed]] = defaultdict(list)
    by_person: dict[str, list[_Placed]] = defaultdict(list)
    for each in placed:
        former = _overlapping(each, by_tablet[each.loan.serial])
        if former:
            what = f"{tablet(each.loan.serial)} déjà prêtée à ces dates ({former.where})."
            findings.problem(what, each.where, "Corrigez les dates, ou gardez une des deux lignes.")
        elif former := _overlapping(each, by_person[each.loan.person_id]):
            what = f"cette personne a déjà une tablette en prêt à ces dates ({former.where})."
            findings.problem(what, each.where, "Corrigez les dates, ou gardez une des deux lignes.")
        by_tablet[each.loan.serial].append(each)
        by_person[each.loan.person_id].append(each)


def _overlapping(placed: _Placed, others: Sequence[_Placed]) -> _Placed | None:
    loan = placed.loan
    for other in others:
        # Given back and lent again on one day is no overlap.
        if loan.start_date < other.loan.end_date and other.loan.start_date < loan.end_date:
            return other
        if loan == other.loan:
            return other
    return None
