"""What the records know of somebody, for the fields of a form; and the document of a form.

Nothing is kept of what people type: the same values make the same file whenever they are sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from docgen import attestations, records, single
from docgen.backoffice import registers
from docgen.backoffice.models import Cession, Device, Loan, Person, School
from docgen.datafolder import data_folder, page_code_key
from docgen.fields import Field
from docgen.library import Template
from docgen.records import LOAN_SOURCES, PERSON_SOURCES, Fact
from docgen.single import Filled

OLD_LOANS = 5  # given back: their receipt may still be wanted
Facts = dict[str, Fact]


@dataclass(frozen=True, slots=True)
class Tablet:
    """A tablet that somebody holds, or gave back; `name` is how an address tells it."""

    name: str
    serial: str
    model: str
    start_date: date | None
    end_date: date | None = None
    state: str = ""
    is_loan: bool = False
    is_returned: bool = False


def is_about_somebody(template: Template) -> bool:
    """Tell whether a template asks for anything that the records know of a person."""
    sources = {each.source for each in template.manifest.fields}
    return bool(sources & (PERSON_SOURCES | LOAN_SOURCES))


def is_about_a_tablet(template: Template) -> bool:
    """Tell whether a template asks for anything that the records know of a tablet."""
    parts = {each.source.partition(".")[0] for each in template.manifest.fields}
    return bool(parts & {"device", "cession", "loan"})


def is_about_a_loan(template: Template) -> bool:
    """Tell whether a template asks for the days of a loan."""
    return bool({each.source for each in template.manifest.fields} & LOAN_SOURCES)


def tablets(person: Person) -> list[Tablet]:
    """Give what somebody received: ceded, then lent, then given back lately."""
    ceded = list(Cession.objects.filter(person=person, cancelled_at=None).order_by("-pk"))
    lent = list(Loan.objects.filter(person=person).order_by("-start_date", "-pk")[:OLD_LOANS])
    lent.sort(key=lambda row: row.returned_date is not None)
    serials = {row.serial for row in ceded} | {row.serial for row in lent}
    stock = Device.objects.filter(school=person.school_id, serial__in=serials)
    names = dict(stock.values_list("serial", "model"))
    made = [
        Tablet(f"cession-{row.pk}", row.serial, names.get(row.serial, ""), row.ceded_date)
        for row in ceded
    ]
    made += [
        Tablet(
            *(f"pret-{row.pk}", row.serial, names.get(row.serial, "")),
            *(row.start_date, row.end_date, row.state),
            is_loan=True,
            is_returned=row.returned_date is not None,
        )
        for row in lent
    ]
    return made


def facts(
    school: School, on: date, person: Person | None = None, tablet: Tablet | None = None
) -> Facts:
    """Give what is known of a school, of somebody in it and of their tablet, by source."""
    year = person.school_year if person else _year(school)
    known: Facts = records.school_facts(
        registers.school(school), year or attestations.school_year(on)
    )
    if person is None:
        return known
    record = registers.person(person)
    device = records.Device(tablet.serial, tablet.model, tablet.state) if tablet else None
    if tablet and tablet.is_loan and tablet.start_date and tablet.end_date:
        days = tablet.start_date, tablet.end_date
        loan = records.Loan(tablet.serial, record.id, *days, tablet.state)
        return known | records.loan_facts(record, loan, device)
    cession = records.Cession(tablet.serial, record.id, tablet.start_date) if tablet else None
    return known | records.person_facts(record, cession, device)


def rows(school: School, division: str, columns: Sequence[Field]) -> list[dict[str, Fact]]:
    """Give a line for each pupil of a class: what the records know for these columns."""
    found = Person.objects.filter(school=school, division=division, is_present=True)
    people = list(found.prefetch_related("guardians").order_by("rank", "pk"))
    kept = Cession.objects.filter(person__in=people, cancelled_at=None).order_by("pk")
    ceded = {row.person_id: records.Cession(row.serial, "", row.ceded_date) for row in kept}
    stock = Device.objects.filter(school=school, serial__in=[row.serial for row in ceded.values()])
    devices = {row.serial: records.Device(row.serial, row.model, row.state) for row in stock}
    made = []
    for person in people:
        cession = ceded.get(person.pk)
        device = devices.get(cession.serial) if cession else None
        known = records.person_facts(registers.person(person), cession, device)
        made.append({each.name: known.get(each.source) for each in columns if each.source})
    return made


def divisions(school: School) -> list[str]:
    """Give the classes of a school."""
    found = Person.objects.filter(school=school, is_present=True).exclude(division="")
    return list(found.order_by("division").values_list("division", flat=True).distinct())


def fill(template: Template, given: dict[str, Any], layout: str, variant: str) -> Filled:
    """Make the document of a form, with its codes.

    Raises:
        DocgenError: as `docgen.single.fill` does.
    """
    data = data_folder()
    key, cache = page_code_key(data), data / "cache"
    return single.fill(template, given, key, cache, layout=layout, variant=variant)


def _year(school: School) -> str:
    years = Person.objects.filter(school=school, is_present=True).order_by("rank", "pk")
    return years.values_list("school_year", flat=True).first() or ""
