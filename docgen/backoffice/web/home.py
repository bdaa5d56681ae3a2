"""Where each role lands, and what a school does next."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from django.db.models import Count, Exists, Max, OuterRef, Q
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from docgen import attestations as rules
from docgen.backoffice import ledger, reviews
from docgen.backoffice.models import (
    Attestation,
    Cession,
    Device,
    Loan,
    Person,
    Reminder,
    Return,
    Role,
    School,
    State,
)
from docgen.backoffice.web.frame import (
    BACK_OFFICE,
    EVERYBODY,
    SCHOOL,
    Asked,
    page,
    school_screen,
    screen,
    seen,
)
from docgen.backoffice.web.journeys import Journey, journeys

LANDINGS = {Role.BACK_OFFICE: "dashboard", Role.REGION: "region", Role.PRINT_SHOP: "shop"}
Kind = Reminder.Kind


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do next: what, with how many of it when it is counted, and one button.

    `reminded` is when it was found late.
    """

    count: int
    what: str
    sentence: str
    button: str
    address: str
    reminded: date | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What stands in the registers of a school."""

    school_year: str
    pupils: int
    teachers: int
    without: int
    devices: int
    lent: int
    late: int


@require_safe
@screen(*EVERYBODY)
def home(request: Asked) -> HttpResponseBase:
    """Send everybody to the first of their screens."""
    if request.user.role == Role.SCHOOL:
        return redirect("school", request.user.school_id)
    return redirect(LANDINGS[Role(request.user.role)])


@require_safe
@school_screen(BACK_OFFICE, SCHOOL)
def school(request: Asked, school: School) -> HttpResponseBase:
    """Say what a school does next, in order; then the figures of its year."""
    figures = _figures(request, school)
    year = figures.school_year or rules.school_year(timezone.localdate())
    (of_all,) = ledger.lines(request.who, school=school.pk)
    (of_year,) = ledger.lines(request.who, school=school.pk, year=year)
    tasks = list(_tasks(request, school, figures, of_all.tablets))
    facts = {"school": school, "figures": figures, "line": of_year, "year": year, "tasks": tasks}
    return page(request, "web/home/school.html", facts)


def _figures(request: Asked, school: School) -> Figures:
    holds = Cession.objects.filter(person=OuterRef("pk"), cancelled_at=None)
    borrows = Loan.objects.filter(person=OuterRef("pk"), returned_date=None)
    present = seen(Person, request).filter(school=school, is_present=True)
    people = present.aggregate(
        year=Max("school_year"),
        pupils=Count("pk", filter=Q(audience="pupil")),
        teachers=Count("pk", filter=Q(audience="teacher")),
        without=Count("pk", filter=Q(audience="pupil") & ~Exists(holds) & ~Exists(borrows)),
    )
    today = timezone.localdate()
    loans = (
        seen(Loan, request)
        .filter(school=school, returned_date=None)
        .aggregate(lent=Count("pk"), late=Count("pk", filter=Q(end_date__lt=today)))
    )
    return Figures(
        school_year=people["year"] or "",
        pupils=people["pupils"],
        teachers=people["teachers"],
        without=people["without"],
        devices=seen(Device, request).filter(school=school).count(),
        lent=loans["lent"],
        late=loans["late"],
    )


def _tasks(
    request: Asked, school: School, figures: Figures, tablets: ledger.Tablets
) -> Iterator[Task]:
    """Give what is to be done, in the order in which a school does it."""
    told = _reminders(request, school)
    late = told.get((Kind.NOT_ATTESTED, None)) or told.get((Kind.YEAR_ENDS, None))
    rows = seen(Attestation, request).filter(school=school, original__received_at=None)
    rows = rows.exclude(state=State.CANCELLED).select_related("original").order_by("rank")
    on_their_way = journeys(request, list(rows))
    mailed = [each for each in on_their_way if each.mailed_at]
    yield from _of_people(school, figures)
    yield from _of_cessions(school, tablets, late)
    for each in on_their_way:
        if each not in mailed and (task := _of_attestation(each)):
            yield replace(task, reminded=told.get((Kind.NOT_RETURNED, each.row.pk)))
    yield from _of_scans(request, school)
    if figures.late:
        what = _count(figures.late, "prêt en retard", "prêts en retard")
        sentence = "La date de retour prévue est passée."
        address = f"{_to('loans', school)}?etat=retard"
        yield Task(figures.late, what, sentence, "Voir ces prêts", address)
    for each in mailed:
        if task := _of_attestation(each):
            yield replace(task, reminded=told.get((Kind.NOT_RECEIVED, each.row.pk)))


def _reminders(request: Asked, school: School) -> dict[tuple[str, int | None], date]:
    """Give when the school was reminded, this school year, of each thing."""
    year = rules.school_year(timezone.localdate())
    opens = date(int(year[:4]), rules.FIRST_MONTH, 1)
    rows = seen(Reminder, request).filter(school=school, raised_at__date__gte=opens)
    return {
        (row.kind, row.attestation_id): timezone.localdate(row.raised_at)
        for row in rows.order_by("pk")
    }


def _of_people(school: School, figures: Figures) -> Iterator[Task]:
    if not figures.pupils + figures.teachers:
        sentence = "Envoyez les fichiers de vos élèves et de vos professeurs."
        address = _to("imports", school)
        yield Task(0, "Aucun élève connu", sentence, "Envoyer les fichiers", address)
    if figures.without:
        what = _count(figures.without, "élève sans tablette", "élèves sans tablette")
        sentence = "À la table\u00a0: un numéro de série, un élève, c’est fait."
        address = _to("handover", school)
        yield Task(figures.without, what, sentence, "Remettre des tablettes", address)


def _of_cessions(school: School, tablets: ledger.Tablets, late: date | None) -> Iterator[Task]:
    button, address = "Préparer l’attestation", _to("attestations", school)
    if dated := tablets.to_attest - tablets.undated:
        what = _count(dated, "cession à attester", "cessions à attester")
        sentence = "Aucune attestation de cession ne les porte encore."
        yield Task(dated, what, sentence, button, address, late)
    if count := tablets.undated:
        what = _count(count, "cession sans date", "cessions sans date")
        sentence = "Sans sa date de remise, une cession ne peut pas être attestée."
        undated = f"{_to('people', school)}?tablette=sans-date"
        yield Task(count, what, sentence, "Indiquer les dates", undated)
    if count := tablets.to_withdraw:
        what = _count(count, "cession à retirer", "cessions à retirer")
        sentence = "Attestées puis annulées\u00a0: la prochaine attestation les retire."
        yield Task(count, what, sentence, button, address)


def _of_attestation(each: Journey) -> Task | None:
    """Say what an attestation waits for, when it waits for the school."""
    name = f"Attestation n°\u00a0{each.row.number} ({each.row.school_year})"
    if each.is_working or (each.is_signed and not each.mailed_at):
        return None
    if each.is_stuck:
        what, button = "Ses pages n’ont pas pu être faites.", "Voir pourquoi"
    elif each.original and each.original.posted_date:
        return None
    elif each.mailed_at:
        what, button = "Postez l’original à la Région, puis indiquez-le.", "Poster l’original"
    elif each.missing:
        what = f"Retour incomplet\u00a0: {each.missing[0]}."
        button = "Compléter"
    else:
        what = "Imprimez-la, faites-la signer, numérisez-la et envoyez-la."
        button = "Imprimer et renvoyer"
    address = reverse("attestation", args=(each.row.school_id, each.row.public_id))
    return Task(0, name, what, button, address)


def _of_scans(request: Asked, school: School) -> Iterator[Task]:
    address = _to("scans", school)
    partial = seen(Return, request).filter(
        school=school, stage=Return.Stage.PARTIAL, paper__attestation=None
    )
    if count := partial.count():
        what = _count(count, "document incomplet", "documents incomplets")
        sentence = "Il y manque une face\u00a0: numérisez les feuilles qui manquent."
        yield Task(count, what, sentence, "Voir ce qui manque", address)
    if count := reviews.queue(request.who).filter(batch__school=school).count():
        what = _count(count, "page à relire", "pages à relire")
        sentence = "Rien n’y a été reconnu\u00a0: dites de quel document il s’agit."
        yield Task(count, what, sentence, "Voir les numérisations", address)


def _to(name: str, school: School) -> str:
    return reverse(name, args=(school.pk,))


def _count(count: int, one: str, many: str) -> str:
    return many if count > 1 else one


urls: list[URLPattern] = [
    path("", home, name="home"),
    path("etablissements/<str:uai>/", school, name="school"),
]
