"""Tablets handed over one by one: ceded for good, lent, and given back.

A tablet has one holder at a time and a person one tablet of a kind, as in the files of a school.
The school's row is locked meanwhile: two people at two desks cannot hand over the same tablet.
"""

from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import QuerySet

from docgen import identifiers
from docgen.backoffice.events import tell
from docgen.backoffice.models import Cession, Device, Loan, Person, School
from docgen.errors import InvalidInput, Problem
from docgen.rosters.stock import alike

YEARS = range(2000, 2100)  # 0026 and 2972 are slips of the fingers
BACK = ("returned_date", "returned_state", "returned_note")
LONGEST = 64  # characters read of what was typed
MOST_NEAR = 5
CODE_39 = "S"  # some labels' bar codes say "serial" before the number (ANSI MH10.8.2)


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


def date_cession(cession: Cession, on: date, by: str) -> None:
    """Say when a tablet was handed over, for a cession that was kept without its date.

    Raises:
        InvalidInput: when it has a date, which papers may already say, or in an impossible year.
    """
    if on.year not in YEARS:
        raise InvalidInput(_impossible("ceded_date"))
    with transaction.atomic():
        rows = Cession.objects.filter(pk=cession.pk, cancelled_at=None, ceded_date=None)
        if not rows.update(ceded_date=on):
            what, remedy = "cette cession a déjà une date.", "Annulez-la et remettez la tablette."
            raise InvalidInput(Problem(what, "ceded_date", remedy))
        tell("cession-dated", cession.serial, school=cession.school_id, actor=by, id=cession.pk)


def lend(person: Person, serial: str, days: tuple[date, date], state: str, by: str) -> Loan:
    """Lend a tablet to a person, from one day to another.

    Raises:
        InvalidInput: when it is not in the stock, or is somebody's, or the days cannot be.
    """
    start, end = days
    with transaction.atomic():
        problems = _problems_of(person, serial)
        problems += _lent_to(person)
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


def take_back(loan: Loan, on: date, by: str, *, state: str = "", note: str = "") -> Loan:
    """Record that a tablet lent came back, and how; a second time changes nothing.

    Raises:
        InvalidInput: for a day before the loan, or in an impossible year.
    """
    with transaction.atomic():
        row = Loan.objects.select_for_update().get(pk=loan.pk)
        if row.returned_date is not None:
            return row
        if on < row.start_date:
            what = "la tablette reviendrait avant d’être prêtée."
            raise InvalidInput(Problem(what, "returned_date", "Corrigez cette date."))
        if on.year not in YEARS:
            raise InvalidInput(_impossible("returned_date"))
        row.returned_date, row.returned_state, row.returned_note = on, state, note
        row.save(update_fields=BACK)
        tell("loan-returned", row.serial, school=row.school_id, actor=by, id=row.pk)
    return row


def not_back(loan: Loan, by: str) -> Loan:
    """Take back that a tablet came back: the loan goes on.

    Raises:
        InvalidInput: when the tablet or the person has another holder or tablet since.
    """
    with transaction.atomic():
        _lock(loan.school_id)
        row = Loan.objects.select_for_update().select_related("person").get(pk=loan.pk)
        if row.returned_date is None:
            return row
        problems = [*problems_of(row.school_id, row.serial), *_lent_to(row.person)]
        if problems:
            raise InvalidInput(problems)
        row.returned_date, row.returned_state, row.returned_note = None, "", ""
        row.save(update_fields=BACK)
        tell("loan-return-undone", row.serial, school=row.school_id, actor=by, id=row.pk)
    return row


def drop_loan(loan: Loan, by: str) -> None:
    """Take back a loan that never was: typed for somebody else, or by mistake.

    Raises:
        InvalidInput: when the tablet came back: then it was lent.
    """
    with transaction.atomic():
        row = Loan.objects.select_for_update().filter(pk=loan.pk).first()
        if row is None:
            return
        if row.returned_date is not None:
            what = "ce prêt est terminé\u00a0: son retour est enregistré."
            raise InvalidInput(
                Problem(what, f"tablette {row.serial}", "Annulez d’abord le retour.")
            )
        row.delete()
        tell("loan-dropped", loan.serial, school=loan.school_id, actor=by, id=loan.pk)


@dataclass(frozen=True, slots=True)
class Label:
    """A serial number as it was typed or scanned, read as the label carries it.

    `corrections` say what was read otherwise than typed, `near` are numbers of the stock that eyes
    take for it, `problems` why it cannot be handed over.
    """

    serial: str
    corrections: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def read_label(school: School, typed: str) -> Label:
    """Read what was typed or scanned from the label of a tablet; the stock settles doubts."""
    serial, said = identifiers.serial(typed[:LONGEST]), []
    if "O" in typed.upper():
        said.append("La lettre O n’existe pas dans ces numéros\u00a0: elle est lue zéro.")
    if fault := identifiers.serial_problem(serial):
        remedy = "Scannez l’étiquette, ou recopiez-la."
        return Label(serial, problems=(Problem(fault, "", remedy),))
    stock = Device.objects.filter(school=school)
    plain = serial.removeprefix(CODE_39) if serial.startswith(CODE_39) else ""
    likely = {serial, serial.replace("I", "1"), plain} - {""}
    known = set(stock.filter(serial__in=likely).values_list("serial", flat=True))
    if serial not in known and len(known) == 1:
        (serial,) = known
        said.append("Ce numéro est lu comme celui du stock qui lui ressemble.")
    near: tuple[str, ...] = ()
    if serial not in known and stock.exists():
        near = _near(stock, serial)
    return Label(serial, tuple(said), near, tuple(problems_of(school.pk, serial)))


def _near(stock: QuerySet[Device], serial: str) -> tuple[str, ...]:
    """Find the numbers of a stock that differ by letters and digits that look alike."""
    known = stock.values_list("serial", flat=True).order_by("serial")
    return tuple(alike(serial, known)[:MOST_NEAR])


def _lock(uai: str) -> None:
    School.objects.select_for_update().get(pk=uai)


def _lent_to(person: Person) -> list[Problem]:
    if not Loan.objects.filter(person=person, returned_date=None).exists():
        return []
    what = "cette personne a déjà une tablette en prêt."
    remedy = "Enregistrez d’abord le retour de l’autre."
    return [Problem(what, f"personne {person.internal_id}", remedy)]


def _problems_of(person: Person, serial: str) -> list[Problem]:
    """Lock the school, and say why a tablet of it cannot be handed over."""
    _lock(person.school_id)
    return problems_of(person.school_id, serial)


def problems_of(uai: str, serial: str) -> list[Problem]:
    """Say why a tablet of a school cannot be handed over."""
    where = f"tablette {serial}"
    problems = []
    stock = Device.objects.filter(school=uai)
    if stock.exists() and not stock.filter(serial=serial).exists():
        remedy = "Vérifiez le numéro, ou complétez le stock."
        problems.append(Problem("elle n’est pas dans le stock.", where, remedy))
    if Cession.objects.filter(school=uai, serial=serial, cancelled_at=None).exists():
        remedy = "Annulez d’abord cette cession."
        problems.append(Problem("elle est déjà cédée.", where, remedy))
    if Loan.objects.filter(school=uai, serial=serial, returned_date=None).exists():
        problems.append(Problem("elle est déjà prêtée.", where, "Enregistrez d’abord son retour."))
    return problems


def _impossible(where: str) -> Problem:
    return Problem("cette date tombe dans une année impossible.", where, "Corrigez-la.")
