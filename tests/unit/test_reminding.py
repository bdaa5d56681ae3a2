"""Reminders fall due on their day: run day by day for years, against what is told otherwise.

`expected` knows no rule of `docgen.reminding`: for each reminder it puts together the days on which
something was late, and looks for the first of them on which the service ran.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest

from docgen import reminding
from docgen.reminding import Facts, Rules, Sheet, Waiting

DAYS = timedelta(days=1)
NEVER = date.max
Told = dict[tuple[str, str, str], date]
Span = tuple[date, date]  # the second day is not in it


@dataclass
class Paper:
    """An attestation, and the days of its journey."""

    issued: date
    printed: date = NEVER
    returned: date = NEVER
    mailed: date = NEVER
    received: date = NEVER


@dataclass
class Ceded:
    """A cession: the day it happened, the day it was typed, the day it was attested."""

    day: date
    typed: date
    attested: date = NEVER


@dataclass
class School:
    """A school, whatever happens to it."""

    name: str
    papers: list[Paper] = field(default_factory=list)
    cessions: list[Ceded] = field(default_factory=list)

    def facts(self, today: date) -> Facts:
        """Tell what is known on a day."""
        sheets = tuple(
            Sheet(
                rank,
                _year(each.issued),
                each.printed if each.printed <= today else None,
                each.returned <= today,
                each.mailed if each.mailed <= today else None,
                each.received <= today,
            )
            for rank, each in enumerate(self.papers, 1)
            if each.issued <= today
        )
        waiting = [each for each in self.cessions if each.typed <= today < each.attested]
        return Facts(self.name, sheets, tuple(Waiting(each.day, 1, 0) for each in waiting))


def _year(day: date) -> str:
    opening = day.year if (day.month, day.day) >= (8, 1) else day.year - 1
    return f"{opening}-{opening + 1}"


def expected(school: School, ran: list[date]) -> Told:
    """Tell on which day each reminder is raised first."""
    late: dict[tuple[str, str, str], list[Span]] = {}
    ends = [each.issued for each in school.papers]
    for rank, each in enumerate(school.papers, 1):
        if each.printed < NEVER:
            key = (school.name, "not-returned", str(rank))
            late[key] = [(each.printed + 14 * DAYS, each.returned)]
        if each.mailed < NEVER:
            key = (school.name, "not-received", str(rank))
            late[key] = [(each.mailed + 30 * DAYS, each.received)]
    for rank, (start, stop) in enumerate(zip([date.min, *ends], [*ends, NEVER], strict=True)):
        late[school.name, "not-attested", str(rank)] = [
            (max(c.day + 30 * DAYS, c.typed, start), min(c.attested, stop)) for c in school.cessions
        ]
    for c in school.cessions:
        year = _year(c.day)
        last = date(int(year[5:]), 6, 30)
        span = (max(last - 30 * DAYS, c.day, c.typed), min(last + DAYS, c.attested))
        late.setdefault((school.name, "year-ends", year), []).append(span)
    first = {
        key: next((d for d in ran if any(a <= d < b for a, b in spans)), None)
        for key, spans in late.items()
    }
    return {key: day for key, day in first.items() if day}


def lived(name: str, start: date, end: date, rng: random.Random) -> School:
    """Let a school cede, type late, attest, print, return, and be slow or never do it."""
    school, today = School(name), start
    while today < end:
        today += timedelta(rng.choice((1, 3, 9, 20, 45)))
        if rng.random() < 0.6:
            late = timedelta(rng.choice((0, 0, 1, 29, 30, 31, 70)))
            school.cessions.append(Ceded(today - late, today))
            continue
        paper = Paper(today)
        for each in school.cessions:
            if each.attested == NEVER and rng.random() < 0.8:
                each.attested = today
        for step, days in (
            ("printed", (0, 1, 5)),
            ("returned", (0, 13, 14, 15, 60, None)),
            ("mailed", (0, 1, None)),
            ("received", (1, 29, 30, 31, 90, None)),
        ):
            took = rng.choice(days)
            if took is None:
                break
            before = max(day for day in vars(paper).values() if day != NEVER)
            setattr(paper, step, before + timedelta(took))
        school.papers.append(paper)
    return school


def raised(schools: list[School], ran: list[date], rules: Rules) -> Told:
    """Run day by day, as the service does: what was told is not told again."""
    told: Told = {}
    for today in ran:
        facts = [school.facts(today) for school in schools]
        for each in reminding.due(facts, today, rules):
            told.setdefault((each.school, each.kind, each.subject), today)
            assert each.due_date <= today
    return told


def days(start: date, end: date) -> Iterator[date]:
    while start <= end:
        yield start
        start += DAYS


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("is_down", [False, True], ids=["always up", "often down"])
@pytest.mark.parametrize(
    "start", [date(2026, 9, 1), date(2027, 12, 20)], ids=["two school years", "a leap day"]
)
def test_each_reminder_is_raised_once_on_its_day(start: date, is_down: bool, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - a made-up past
    end = start + timedelta(days=427)  # fourteen months
    schools = [lived(f"{n:07}X", start, end, rng) for n in range(12)]
    ran = [day for day in days(start, end) if not is_down or rng.random() < 0.3]
    wanted: Told = {}
    for school in schools:
        wanted |= expected(school, ran)
    assert raised(schools, ran, Rules()) == wanted
    assert {kind for _, kind, _ in wanted} == {
        *("not-returned", "not-attested", "year-ends", "not-received")
    }


def test_a_kind_set_to_zero_is_never_raised() -> None:
    rng = random.Random(1)  # noqa: S311 - a made-up past
    start, end = date(2026, 9, 1), date(2027, 9, 1)
    schools = [lived(f"{n:07}X", start, end, rng) for n in range(5)]
    ran = list(days(start, end))
    every = {kind for _, kind, _ in raised(schools, ran, Rules())}
    for kind in every:
        found = raised(schools, ran, Rules(**{kind.replace("-", "_"): 0}))
        assert {kind for _, kind, _ in found} == every - {kind}


@pytest.mark.parametrize(
    ("today", "kinds"),
    [
        (date(2028, 5, 30), {"not-attested"}),
        (date(2028, 5, 31), {"not-attested", "year-ends"}),
        (date(2028, 6, 30), {"not-attested", "year-ends"}),
        (date(2028, 7, 1), {"not-attested"}),
        (date(2028, 8, 1), {"not-attested"}),
    ],
)
def test_the_end_of_the_year_is_told_until_it_comes(today: date, kinds: set[str]) -> None:
    facts = Facts("0130010R", (), (Waiting(date(2028, 3, 1), 2, 1),))
    found = reminding.due([facts], today, Rules())
    assert {each.kind for each in found} == kinds
    assert {(each.pupils, each.teachers, each.school_year) for each in found} == {
        (2, 1, "2027-2028")
    }


@pytest.mark.parametrize(
    ("printed", "due_date"),
    [
        (date(2028, 2, 15), date(2028, 2, 29)),  # a leap year
        (date(2027, 2, 15), date(2027, 3, 1)),
        (date(2027, 3, 14), date(2027, 3, 28)),  # the night has an hour less
        (date(2026, 10, 11), date(2026, 10, 25)),  # and an hour more
        (date(2026, 12, 20), date(2027, 1, 3)),
    ],
)
def test_days_are_counted_on_the_calendar(printed: date, due_date: date) -> None:
    facts = [Facts("0130010R", (Sheet(1, "2027-2028", printed),))]
    assert reminding.due(facts, due_date - DAYS, Rules()) == []
    (found,) = reminding.due(facts, due_date, Rules())
    assert (found.kind, found.due_date, found.since) == ("not-returned", due_date, printed)


def test_a_cession_of_a_day_to_come_is_no_reason() -> None:
    facts = Facts("0130010R", (), (Waiting(date(2028, 6, 20), 1, 0),))
    assert reminding.due([facts], date(2028, 6, 10), Rules()) == []


def test_another_end_of_the_school_year() -> None:
    facts = Facts("0130010R", (), (Waiting(date(2028, 7, 1), 1, 0),))
    rules = Rules(not_attested=0, school_year_end="07-05")
    (found,) = reminding.due([facts], date(2028, 7, 5), rules)
    assert (found.kind, found.due_date) == ("year-ends", date(2028, 7, 1))
    assert reminding.due([facts], date(2028, 7, 6), rules) == []
