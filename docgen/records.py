"""The records that documents are made from, and the facts that they offer to merge fields."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, TypeAlias

Fact: TypeAlias = str | date | None
Audience: TypeAlias = Literal["pupil", "teacher"]
NBSP = "\u00a0"


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a school, who signs in its name."""

    civility: str
    name: str
    title: str


@dataclass(frozen=True, slots=True)
class School:
    """A lycée, known by its UAI."""

    uai: str
    name: str
    address: tuple[str, ...]
    postal_code: str
    city: str
    email: str
    phone: str
    head: Head


@dataclass(frozen=True, slots=True)
class Guardian:
    """A person with parental authority over a pupil."""

    family_name: str
    first_name: str
    civility: str = ""
    email: str = ""
    phone: str = ""

    @property
    def full_name(self) -> str:
        """The guardian as printed: civility, family name, first name."""
        return joined(self.civility, self.family_name, self.first_name)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who receives a tablet: a pupil or a teacher.

    `id` is internal to the school and stable from one import to the next; it may be printed in
    manifests and messages, a name may not.
    """

    id: str
    family_name: str
    first_name: str
    usage_name: str = ""
    birth_date: date | None = None
    division: str = ""
    level: str = ""
    ine: str = ""
    civility: str = ""
    function: str = ""
    guardians: tuple[Guardian, ...] = ()

    def is_adult(self, on: date) -> bool | None:
        """Tell whether the person is 18 on that day; None when the birth date is unknown."""
        if self.birth_date is None:
            return None
        birthday = (self.birth_date.month, self.birth_date.day)
        years = on.year - self.birth_date.year - ((on.month, on.day) < birthday)
        return years >= 18


@dataclass(frozen=True, slots=True)
class Device:
    """A tablet of the school's stock."""

    serial: str
    model: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class Cession:
    """A tablet handed over to a person for good."""

    serial: str
    person_id: str
    ceded_date: date | None = None


@dataclass(frozen=True, slots=True)
class Loan:
    """A tablet lent to a person, to be given back on the last day at the latest."""

    serial: str
    person_id: str
    start_date: date
    end_date: date
    state: str = ""


@dataclass(frozen=True, slots=True)
class Roster:
    """What a school's files say, put together: people in file order, and what they received."""

    people: tuple[Person, ...]
    school_year: str = ""
    devices: Mapping[str, Device] = field(default_factory=dict)
    cessions: Mapping[str, Cession] = field(default_factory=dict)
    notices: tuple[str, ...] = ()


RUN_SOURCES = frozenset(
    f"school.{name}"
    for name in (
        *("uai", "name", "address", "postal_code", "city", "email", "phone"),
        *("year", "head.name", "head.title"),
    )
)
PERSON_SOURCES = frozenset(
    {
        *(f"person.{name}" for name in ("id", "civility", "family_name", "usage_name")),
        *(f"person.{name}" for name in ("first_name", "full_name", "birth_date", "class")),
        *("person.level", "person.function"),
        *(f"guardian{n}.{name}" for n in (1, 2) for name in ("full_name", "email", "phone")),
        *("device.serial", "device.model", "cession.date"),
    }
)
LOAN_SOURCES = frozenset({"loan.start", "loan.end", "loan.state"})


def joined(*words: str) -> str:
    """Join the words that are not empty, a civility to its name by a non-breaking space."""
    first, *rest = [word for word in words if word] or [""]
    glue = NBSP if first in ("M.", "Mme") else " "
    return first + (glue + " ".join(rest) if rest else "")


def school_facts(school: School, year: str = "") -> dict[str, Fact]:
    """Give the facts that are the same for everybody in a run; `year` is as « 2026-2027 »."""
    return {
        "school.year": year,
        "school.uai": school.uai,
        "school.name": school.name,
        "school.address": ", ".join(school.address),
        "school.postal_code": school.postal_code,
        "school.city": school.city,
        "school.email": school.email,
        "school.phone": school.phone,
        "school.head.name": joined(school.head.civility, school.head.name),
        "school.head.title": school.head.title,
    }


def loan_facts(person: Person, loan: Loan, device: Device | None) -> dict[str, Fact]:
    """Give the facts of a loan: those of the person, of the tablet lent and of the term."""
    facts = person_facts(person, Cession(loan.serial, person.id), device)
    return facts | {
        "loan.start": loan.start_date,
        "loan.end": loan.end_date,
        "loan.state": loan.state,
    }


def person_facts(person: Person, cession: Cession | None, device: Device | None) -> dict[str, Fact]:
    """Give the facts of one person; None where the records are silent."""
    first, second = (*person.guardians, None, None)[:2]
    return {
        "person.id": person.id,
        "person.civility": person.civility,
        "person.family_name": person.family_name,
        "person.usage_name": person.usage_name,
        "person.first_name": person.first_name,
        "person.full_name": joined(person.family_name, person.first_name),
        "person.birth_date": person.birth_date,
        "person.class": person.division,
        "person.level": person.level,
        "person.function": person.function,
        "guardian1.full_name": first.full_name if first else None,
        "guardian1.email": first.email if first else None,
        "guardian1.phone": first.phone if first else None,
        "guardian2.full_name": second.full_name if second else None,
        "guardian2.email": second.email if second else None,
        "guardian2.phone": second.phone if second else None,
        "device.serial": cession.serial if cession else None,
        "device.model": device.model if device else None,
        "cession.date": cession.ceded_date if cession else None,
    }
