"""Attestations of cession: which cessions enter which attestation of a school.

Pure rules, without a clock or a file:

- an attestation covers a period of days that are over; two periods of a school share no day;
- a cession counts on the day it happened, whenever it was typed in; a loan never counts;
- it enters one attestation. Typed after its day was attested, it enters the next one, and is
  listed there as a late entry: what the head has signed does not change;
- a cession that the register no longer holds (cancelled, or corrected into another one) is
  withdrawn by the next attestation: attestations added up are always the register;
- what was issued is frozen and sealed: a reprint is identical, a changed file is refused.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeAlias

from docgen.errors import InvalidInput, Problem
from docgen.records import NBSP, Audience
from docgen.typography import date_in_words

FIRST_MONTH = 8  # what is handed over in August is for the school year that opens in September
NAMED = 10  # tablets named in a message
Key: TypeAlias = tuple[str, str]


def school_year(day: date) -> str:
    """Give the school year of a day, as « 2026-2027 »."""
    first = day.year - (day.month < FIRST_MONTH)
    return f"{first}-{first + 1}"


@dataclass(frozen=True, slots=True)
class Period:
    """The days that an attestation covers, both ends included."""

    start: date
    end: date

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end

    def __str__(self) -> str:
        return f"du {date_in_words(self.start)} au {date_in_words(self.end)}"

    def overlaps(self, other: "Period") -> bool:
        """Tell whether a day is in both."""
        return self.start <= other.end and other.start <= self.end

    @property
    def school_year(self) -> str:
        """The school year that the period ends in, as « 2026-2027 »."""
        return school_year(self.end)


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the register: a tablet handed over to a person, for good or lent."""

    serial: str
    person_id: str
    audience: Audience
    division: str = ""
    ceded_date: date | None = None
    is_loan: bool = False

    @property
    def key(self) -> Key:
        """What makes a cession itself: this tablet, to this person."""
        return (self.serial, self.person_id)


@dataclass(frozen=True, slots=True)
class Row:
    """A cession as an attestation lists it, or withdraws it.

    `origin` names another attestation: the one that a late entry came too late for, or the one
    that a withdrawn cession was on.
    """

    serial: str
    person_id: str
    audience: Audience
    division: str
    ceded_date: date
    origin: str = ""

    @property
    def key(self) -> Key:
        """What makes a cession itself: this tablet, to this person."""
        return (self.serial, self.person_id)


@dataclass(frozen=True, slots=True)
class StockLine:
    """Tablets of one model, in one state, that the school still holds."""

    model: str
    state: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """What a school attests, frozen on the day it was issued.

    `number` counts in the school year, `rank` over all the attestations of the school. `before`
    counts the pupils and the teachers attested earlier in the same school year, withdrawals taken
    off. `previous` is the seal of the attestation of the rank before.
    """

    school: str
    school_year: str
    number: int
    rank: int
    period: Period
    issued_date: date
    rows: tuple[Row, ...]
    withdrawn: tuple[Row, ...] = ()
    before: tuple[int, int] = (0, 0)
    stock: tuple[StockLine, ...] | None = None
    previous: str = ""
    sha256: str = ""

    @property
    def is_complementary(self) -> bool:
        """Tell whether another attestation of the school year came first."""
        return self.number > 1

    @property
    def label(self) -> str:
        """How another attestation names this one: « n° 1 de 2026-2027 »."""
        return f"n°{NBSP}{self.number} de {self.school_year}"

    @property
    def late(self) -> tuple[Row, ...]:
        """The cessions typed after their day had been attested."""
        return tuple(row for row in self.rows if row.origin)


def count(rows: Iterable[Row]) -> tuple[int, int]:
    """Count pupils and teachers."""
    counts = Counter(row.audience for row in rows)
    return counts["pupil"], counts["teacher"]


def issue(
    entries: Iterable[Entry],
    *,
    school: str,
    start: date | None,
    end: date | None,
    previous: Iterable[Attestation],
    today: date,
    stock: tuple[StockLine, ...] | None = None,
    withdraw: bool = False,
) -> Attestation:
    """Freeze the attestation of a period.

    Cessions that were attested and are gone from the register are withdrawn only if `withdraw`
    says so: a register of the new cessions alone would otherwise undo all the others.

    Raises:
        InvalidInput: with every problem of the period, the register and the former attestations.
    """
    register = {entry.key: entry for entry in entries if not entry.is_loan}
    history = sorted(set(previous), key=lambda each: (each.rank, each.sha256))
    problems = [
        *_history_problems(history, school),
        *_period_problems(start, end, history, today),
        *_day_problems(history, today),
        *_register_problems(register.values()),
    ]
    if problems or start is None or end is None:
        raise InvalidInput(problems)
    period = Period(start, end)
    known = attested(history)
    rows = _new_rows(register, known, period, history)
    gone = [row for key, row in known.items() if key not in register]
    if gone and not withdraw:
        raise InvalidInput(_unconfirmed(gone))
    if not rows and not gone:
        raise InvalidInput(_nothing(period, register))
    year = [each for each in history if each.school_year == period.school_year]
    return _sealed(
        Attestation(
            school=school,
            school_year=period.school_year,
            number=len(year) + 1,
            rank=len(history) + 1,
            period=period,
            issued_date=today,
            rows=tuple(sorted(rows, key=_place)),
            withdrawn=tuple(sorted(gone, key=_place)),
            before=_net(year),
            stock=stock,
            previous=history[-1].sha256 if history else "",
        )
    )


def attested(history: Iterable[Attestation]) -> dict[Key, Row]:
    """Give the cessions that attestations add up to.

    The `origin` of each is the attestation that lists it.
    """
    known: dict[Key, Row] = {}
    for attestation in sorted(history, key=lambda each: each.rank):
        for row in attestation.withdrawn:
            del known[row.key]
        for row in attestation.rows:
            known[row.key] = replace(row, origin=attestation.label)
    return known


def waiting(entries: Iterable[Entry], history: Iterable[Attestation]) -> list[Entry]:
    """List the cessions of the register that no attestation holds yet."""
    known = attested(history)
    return [entry for entry in entries if not entry.is_loan and entry.key not in known]


def digest(attestation: Attestation) -> str:
    """Give the seal of an attestation: SHA-256 of all that it says, as text, line by line."""
    head = (
        *("docgen attestation 1", attestation.school, attestation.school_year),
        *(attestation.number, attestation.rank, attestation.period.start, attestation.period.end),
        *(attestation.issued_date, *attestation.before, attestation.previous),
    )
    lines: list[tuple[object, ...]] = [head]
    for kind, rows in (("cession", attestation.rows), ("withdrawn", attestation.withdrawn)):
        lines += [
            (kind, r.audience, r.division, r.serial, r.ceded_date, r.person_id, r.origin)
            for r in rows
        ]
    lines += [("stock", line.model, line.state, line.count) for line in attestation.stock or ()]
    lines.append(("end", attestation.stock is not None))
    # A tab or a line end inside a value would let two lists read as the same text.
    text = "".join("\t".join(map(_escaped, line)) + "\n" for line in lines)
    return hashlib.sha256(text.encode()).hexdigest()


def natural(text: str) -> tuple[tuple[bool, int, str], ...]:
    """Give the key that sorts « 2DE 2 » before « 2DE 10 »."""
    parts = re.split(r"([0-9]+)", text.casefold())
    return tuple(
        (not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts if part
    )


def _sealed(attestation: Attestation) -> Attestation:
    return replace(attestation, sha256=digest(attestation))


def _escaped(value: object) -> str:
    return str(value).replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n")


def _place(row: Row) -> tuple[object, ...]:
    """Sort pupils by class, then teachers; in a class by serial number."""
    return (row.audience, natural(row.division), row.division, row.serial, row.person_id)


def _new_rows(
    register: dict[Key, Entry],
    known: dict[Key, Row],
    period: Period,
    history: Sequence[Attestation],
) -> list[Row]:
    rows = []
    for key, entry in register.items():
        day = entry.ceded_date
        if key in known or day is None:
            continue
        missed = next((each.label for each in history if day in each.period), "")
        if missed or day in period:
            facts = (entry.serial, entry.person_id, entry.audience, entry.division, day, missed)
            rows.append(Row(*facts))
    return rows


def _net(year: Iterable[Attestation]) -> tuple[int, int]:
    pupils = teachers = 0
    for each in year:
        for sign, rows in ((1, each.rows), (-1, each.withdrawn)):
            more = count(rows)
            pupils, teachers = pupils + sign * more[0], teachers + sign * more[1]
    return pupils, teachers


def _unconfirmed(gone: Sequence[Row]) -> Problem:
    serials = sorted(row.serial for row in gone)
    shown = ", ".join(serials[:NAMED]) + ("…" if len(serials) > NAMED else "")
    are = "cession déjà attestée n’est" if len(gone) == 1 else "cessions déjà attestées ne sont"
    what = f"{len(gone)} {are} plus au registre ({shown})."
    remedy = "Donnez le registre entier ; si elles ont été annulées ou corrigées : --withdraw."
    return Problem(what, "registre", remedy)


def _nothing(period: Period, register: dict[Key, Entry]) -> Problem:
    undated = sum(entry.ceded_date is None for entry in register.values())
    remedy = "Vérifiez les dates de la période et celles du registre."
    if undated:
        noun = "cession n’a" if undated == 1 else "cessions n’ont"
        remedy = f"{undated} {noun} pas de date : complétez le registre."
    return Problem(f"aucune cession à attester {period}.", "période", remedy)


def _period_problems(
    start: date | None, end: date | None, history: Iterable[Attestation], today: date
) -> Iterator[Problem]:
    if start is None:
        yield Problem("la date de début de distribution manque.", "période", "Indiquez --from.")
    if end is None:
        yield Problem("la date de fin de distribution manque.", "période", "Indiquez --to.")
    for name, day in (("début", start), ("fin", end)):
        if day and day > today:
            what = f"la date de {name} ({date_in_words(day)}) n’est pas encore passée."
            yield Problem(what, "période", "On n’atteste que ce qui a eu lieu.")
    if start is None or end is None:
        return
    if end < start:
        yield Problem(
            "la fin précède le début.", "période", "Vérifiez les deux dates de distribution."
        )
        return
    period = Period(start, end)
    for each in history:
        if period.overlaps(each.period):
            what = f"elle recouvre celle de l’attestation {each.label}, {each.period}."
            remedy = "Commencez après : ce qui a été saisi depuis entrera quand même."
            yield Problem(what, "période", remedy)


def _day_problems(history: Sequence[Attestation], today: date) -> Iterator[Problem]:
    if history and today < history[-1].issued_date:
        before = date_in_words(history[-1].issued_date)
        what = f"elle serait antérieure à l’attestation {history[-1].label}, du {before}."
        yield Problem(what, "date d’édition", "Vérifiez --on.")


def _register_problems(register: Iterable[Entry]) -> Iterator[Problem]:
    counts = Counter(entry.serial for entry in register)
    for serial in sorted(serial for serial, times in counts.items() if times > 1):
        what = f"la tablette {serial} est cédée à plusieurs personnes."
        yield Problem(what, "registre", "Corrigez l’une des lignes.")


def _history_problems(history: Sequence[Attestation], school: str) -> Iterator[Problem]:
    """Say what is wrong with the former attestations: they are read from files."""
    seal, held = "", set[Key]()
    for rank, each in enumerate(history, 1):
        where = f"attestation {each.label}"
        if each.school != school:
            yield Problem(f"elle est de l’établissement {each.school}.", where, "Retirez-la.")
        elif digest(each) != each.sha256:
            yield Problem("son contenu a été modifié après coup.", where, "Reprenez l’original.")
        elif each.rank != rank or each.previous != seal or not _keys(each.withdrawn) <= held:
            remedy = "Donnez toutes les attestations précédentes de l’établissement, sans doublon."
            yield Problem("elle ne suit pas celles qui sont données.", where, remedy)
        else:
            seal, held = each.sha256, held - _keys(each.withdrawn) | _keys(each.rows)
            continue
        return


def _keys(rows: Iterable[Row]) -> set[Key]:
    return {row.key for row in rows}
