"""What is late at a school, and since when a reminder of it is due.

Pure rules, without a clock: today is passed in. A reminder is due from its day on, for as long as
what it is about is late: a service that slept that day tells it when it wakes up. `subject` makes
it one: whoever keeps the subjects that were told tells nothing twice.

| kind         | due                                             | once for each               |
|--------------|-------------------------------------------------|-----------------------------|
| not-returned | days after an attestation was printed           | attestation                 |
| not-attested | days after the oldest cession on no attestation | number of attestations made |
| year-ends    | days before the school year ends, until it ends | school year                 |
| not-received | days after an attestation was mailed            | attestation                 |
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, TypeAlias

from docgen.attestations import school_year

Kind: TypeAlias = Literal["not-returned", "not-attested", "year-ends", "not-received"]


@dataclass(frozen=True, slots=True)
class Rules:
    """Days of grace, and before the end of the year; 0 never reminds. `school_year_end`: MM-DD."""

    not_returned: int = 14
    not_attested: int = 30
    year_ends: int = 30
    not_received: int = 30
    school_year_end: str = "06-30"

    def last_day(self, year: str) -> date:
        """Give the last day of a school year, as « 2026-2027 »."""
        return date.fromisoformat(f"{year[-4:]}-{self.school_year_end}")


@dataclass(frozen=True, slots=True)
class Sheet:
    """An attestation on its way; `rank` counts those of the school, days are local."""

    rank: int
    school_year: str
    printed_date: date | None = None
    is_returned: bool = False
    mailed_date: date | None = None
    is_received: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """Cessions of a day that no attestation holds."""

    day: date
    pupils: int
    teachers: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a school."""

    school: str
    sheets: tuple[Sheet, ...] = ()
    waiting: tuple[Waiting, ...] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """A reminder to make. `rank` is that of its attestation, 0 when it is about cessions.

    `since` is when what is late began: printed, mailed, the oldest cession.
    """

    school: str
    kind: Kind
    subject: str
    due_date: date
    school_year: str
    since: date
    rank: int = 0
    pupils: int = 0
    teachers: int = 0


def due(facts: Iterable[Facts], today: date, rules: Rules) -> list[Due]:
    """List the reminders that are due, those told before among them."""
    return [
        each
        for school in facts
        for found in (_of_sheets(school, rules), _of_cessions(school, today, rules))
        for each in found
        if each.due_date <= today
    ]


def _of_sheets(school: Facts, rules: Rules) -> Iterator[Due]:
    for sheet in school.sheets:
        late: tuple[tuple[Kind, date | None, bool, int], ...] = (
            ("not-returned", sheet.printed_date, sheet.is_returned, rules.not_returned),
            ("not-received", sheet.mailed_date, sheet.is_received, rules.not_received),
        )
        for kind, since, is_done, days in late:
            if since and days and not is_done:
                day = since + timedelta(days)
                subject = str(sheet.rank)
                yield Due(school.school, kind, subject, day, sheet.school_year, since, sheet.rank)


def _of_cessions(school: Facts, today: date, rules: Rules) -> Iterator[Due]:
    # A day to come is a slip of the fingers: it cannot be attested yet.
    there = [each for each in school.waiting if each.day <= today]
    if there and rules.not_attested:
        made = max((sheet.rank for sheet in school.sheets), default=0)
        day = min(each.day for each in there) + timedelta(rules.not_attested)
        yield _together(school.school, "not-attested", str(made), day, there)
    year = school_year(today)
    last = rules.last_day(year)
    there = [each for each in there if school_year(each.day) == year]
    if there and rules.year_ends and today <= last:
        day = max(last - timedelta(rules.year_ends), min(each.day for each in there))
        yield _together(school.school, "year-ends", year, day, there)


def _together(school: str, kind: Kind, subject: str, day: date, waiting: list[Waiting]) -> Due:
    oldest = min(each.day for each in waiting)
    pupils, teachers = (sum(getattr(w, name) for w in waiting) for name in ("pupils", "teachers"))
    return Due(
        *(school, kind, subject, day, school_year(oldest), oldest),
        pupils=pupils,
        teachers=teachers,
    )
