"""Tablets handed over one by one: ceded for good, lent, and given back.

A tablet has one holder at a time and a person one tablet of a kind, as in the files of a school.
The school's row is locked meanwhile: two people at two desks cannot hand over the same tablet.
"""

from datetime import date

from django.db import transaction

from docgen.backoffice.events import tell
from docgen.backoffice.models import Cession, Device, Loan, Person, School
from docgen.errors import InvalidInput, Problem

YEARS = range(2000, 2100)  # 0026 and 2972 are slips of the fingers


def cede(person: Person, serial: str, ceded_date: date | None, by: str) -> Cession:
    """Cede a tablet to a person.

    Raises:
        InvalidInput: when it is not in the stock, or is somebody's, or the person has one.
    """
    with transaction.atomic():
        problems = _problems_of(person, serial)
        if Cession.objects.filter(person=person, cancelled_at=None).exists():
            remedy = "Annulez d’abord l’autre cession."
            what = "cette personne a déjà reçu une tablette."
            problems.append(Problem(what, f"personne {person.internal_id}", remedy))
        if ceded_date and ceded_date.year not in YEARS:
            problems.append(_impossible("ceded_date"))
        if problems:
            raise InvalidInput(problems)
        row = Cession.objects.create(
            school_id=person.school_id, person=person, serial=serial, ceded_date=ceded_date
        )
        tell("cession-added", serial, school=person.school_id, actor=by, id=row.pk)
    return row


def lend(person: Person, serial: str, days: tuple[date, date], state: str, by: str) -> Loan:
    """Lend a tablet to a person, from one day to another.

    Raises:
        InvalidInput: when it is not in the stock, or is somebody's, or the days cannot be.
    """
    start, end = days
    with transaction.atomic():
        problems = _problems_of(person, serial)
        if Loan.objects.filter(person=person, returned_date=None).exists():
            what = "cette personne a déjà une tablette en prêt."
            remedy = "Enregistrez d’abord le retour de l’autre."
            problems.append(Problem(what, f"personne {person.internal_id}", remedy))
        names = zip(("start_date", "end_date"), days, strict=True)
        problems += [_impossible(name) for name, day in names if day.year not in YEARS]
        if end < start:
            what = "le prêt finit avant de commencer."
            problems.append(Problem(what, "end_date", "Corrigez l’une des deux dates."))
        if problems:
            raise InvalidInput(problems)
        row = Loan.objects.create(
            school_id=person.school_id,
            person=person,
            serial=serial,
            start_date=start,
            end_date=end,
            state=state,
        )
        tell("loan-added", serial, school=person.school_id, actor=by, id=row.pk)
    return row


def take_back(loan: Loan, on: date, by: str) -> Loan:
    """Record that a tablet lent came back; a second time changes nothing.

    Raises:
        InvalidInput: for a day before the loan.
    """
    with transaction.atomic():
        row = Loan.objects.select_for_update().get(pk=loan.pk)
        if row.returned_date is not None:
            return row
        if on < row.start_date:
            what = "la tablette reviendrait avant d’être prêtée."
            raise InvalidInput(Problem(what, "returned_date", "Corrigez cette date."))
        row.returned_date = on
        row.save(update_fields=("returned_date",))
        tell("loan-returned", row.serial, school=row.school_id, actor=by, id=row.pk)
    return row


def _problems_of(person: Person, serial: str) -> list[Problem]:
    """Lock the school, and say why a tablet of it cannot be handed over."""
    School.objects.select_for_update().get(pk=person.school_id)
    where = f"tablette {serial}"
    problems = []
    stock = Device.objects.filter(school=person.school_id)
    if stock.exists() and not stock.filter(serial=serial).exists():
        remedy = "Vérifiez le numéro, ou complétez le stock."
        problems.append(Problem("elle n’est pas dans le stock.", where, remedy))
    if Cession.objects.filter(school=person.school_id, serial=serial, cancelled_at=None).exists():
        remedy = "Annulez d’abord cette cession."
        problems.append(Problem("elle est déjà cédée.", where, remedy))
    if Loan.objects.filter(school=person.school_id, serial=serial, returned_date=None).exists():
        problems.append(Problem("elle est déjà prêtée.", where, "Enregistrez d’abord son retour."))
    return problems


def _impossible(where: str) -> Problem:
    return Problem("cette date tombe dans une année impossible.", where, "Corrigez-la.")
