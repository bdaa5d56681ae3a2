"""People of a school with what they hold, and its tablets."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_safe

from docgen.backoffice.missing import title
from docgen.backoffice.models import (
    AttestedCession,
    Cession,
    Device,
    Document,
    Loan,
    Paper,
    Person,
    Return,
    School,
)
from docgen.backoffice.returns import PRINTED_NOTHING
from docgen.backoffice.web.finding import classes
from docgen.backoffice.web.frame import BACK_OFFICE, SCHOOL, Asked, one, page, school_screen, seen
from docgen.backoffice.web.lists import Filter, Listing

NAMES = ("family_name", "first_name", "usage_name", "internal_id")
MOST_DOCUMENTS = 100
WITH, WITHOUT, LENT, UNDATED = "avec", "sans", "pret", "sans-date"
TABLETS = (
    (WITH, "Avec une tablette cédée"),
    (LENT, "Avec une tablette en prêt"),
    (WITHOUT, "Sans tablette"),
    (UNDATED, "Cession sans date"),
)
PRESENCES = (("oui", "Dans les derniers fichiers"), ("non", "Partis depuis"))
HOLDERS = (("stock", "Au stock"), ("cedee", "Cédées"), ("pretee", "En prêt"))
Rows = QuerySet[Any]


@dataclass(slots=True)
class Line:
    """A document of somebody: what was printed, when, and what came back of it."""

    reference: str
    title: str
    at: datetime
    number: bytes | memoryview
    back: Return | None = None


@require_safe
@school_screen(BACK_OFFICE, SCHOOL)
def people(request: Asked, school: School) -> HttpResponseBase:
    """List the people of a school with their tablet and their documents."""
    every = seen(Person, request).filter(school=school)
    ceded = Cession.objects.filter(person=OuterRef("pk"), cancelled_at=None).order_by("-pk")
    lent = Loan.objects.filter(person=OuterRef("pk"), returned_date=None).order_by("-pk")
    rows = every.annotate(
        ceded=Subquery(ceded.values("serial")[:1]), lent=Subquery(lent.values("serial")[:1])
    )
    listing = Listing(
        request,
        rows,
        search=NAMES,
        sorts={
            "nom": ("family_name", "first_name"),
            "classe": ("division", "family_name", "first_name"),
            "tablette": ("ceded", "lent", "family_name"),
        },
        filters=(
            Filter("public", "Public", Person.Audience.choices, "audience"),
            Filter("classe", "Classe", classes(every), "division", every="Toutes"),
            Filter("tablette", "Tablette", TABLETS, _by_tablet, every="Avec ou sans"),
            Filter("present", "Présence", PRESENCES, _by_presence),
        ),
        label="Nom, prénom ou identifiant",
    )
    ids = [row.internal_id for row in listing.rows]
    printed = _counted(
        seen(Document, request)
        .filter(volume__job__school=school, person__in=ids)
        .exclude(volume__job__stage__in=PRINTED_NOTHING)
    )
    backs = seen(Return, request).filter(school=school, person__in=ids)
    returned = _counted(backs.filter(stage=Return.Stage.BOUND))
    for row in listing.rows:
        row.printed = printed.get(row.internal_id, 0)
        row.returned = returned.get(row.internal_id, 0)
    facts = {"school": school, "listing": listing, "is_empty": not every.exists()}
    return page(request, "web/imports/people.html", facts)


@require_safe
@school_screen(BACK_OFFICE, SCHOOL)
def person(request: Asked, school: School, person: int) -> HttpResponseBase:
    """Show what somebody holds, what was printed for them, and what came back."""
    row = one(seen(Person, request), school=school, pk=person)
    attested = AttestedCession.objects.filter(
        *(Q(school=OuterRef("school")), Q(serial=OuterRef("serial"))),
        *(Q(person=row.internal_id), Q(withdrawn_by=None)),
    )
    cessions = seen(Cession, request).filter(person=row).annotate(is_attested=Exists(attested))
    loans = seen(Loan, request).filter(person=row).order_by("-start_date", "-pk")
    documents = (
        seen(Document, request)
        .filter(volume__job__school=school, person=row.internal_id)
        .exclude(volume__job__stage__in=PRINTED_NOTHING)
        .select_related("volume__job")
        .order_by("-pk")
        .defer("values", "volume__job__constants", "volume__job__letterhead")
    )[:MOST_DOCUMENTS]
    papers = seen(Paper, request).filter(school=school, person=row.internal_id).order_by("-pk")
    backs = {
        bytes(each.number): each
        for each in seen(Return, request).filter(school=school, person=row.internal_id)
    }
    printed = [
        Line(
            *(each.reference, title(each.volume.job.template_id)),
            *(each.volume.job.created_at, each.number),
        )
        for each in documents
    ]
    printed += [
        Line(each.reference, each.title, each.created_at, each.number)
        for each in papers.only("reference", "title", "created_at", "number")[:MOST_DOCUMENTS]
    ]
    for line in printed:
        line.back = backs.get(bytes(line.number))
    facts = {
        "school": school,
        "person": row,
        "guardians": row.guardians.order_by("rank"),
        "cessions": cessions.order_by("-pk"),
        "loans": loans,
        "today": timezone.localdate(),
        "lines": sorted(printed, key=lambda line: line.at, reverse=True),
    }
    return page(request, "web/imports/person.html", facts)


@require_safe
@school_screen(BACK_OFFICE, SCHOOL)
def devices(request: Asked, school: School) -> HttpResponseBase:
    """List the tablets of a school, and who holds each."""
    every = seen(Device, request).filter(school=school)
    same = {"school": OuterRef("school"), "serial": OuterRef("serial")}
    ceded = Cession.objects.filter(**same, cancelled_at=None)
    lent = Loan.objects.filter(**same, returned_date=None)
    rows = every.annotate(
        ceded_to=Subquery(ceded.values("person")[:1]), lent_to=Subquery(lent.values("person")[:1])
    )
    listing = Listing(
        request,
        rows,
        search=("serial", "model"),
        sorts={"serie": ("serial",), "modele": ("model", "serial"), "etat": ("state", "serial")},
        filters=(Filter("ou", "Où est-elle", HOLDERS, _by_holder, every="Partout"),),
        label="N° de série ou modèle",
    )
    held = {row.ceded_to or row.lent_to for row in listing.rows} - {None}
    holders = {row.pk: row for row in seen(Person, request).filter(pk__in=held)}
    for row in listing.rows:
        row.holder = holders.get(row.ceded_to or row.lent_to)
    facts = {"school": school, "listing": listing, "is_empty": not every.exists()}
    return page(request, "web/imports/devices.html", facts)


def _counted(rows: Rows) -> dict[str, int]:
    told = rows.order_by().values_list("person").annotate(count=Count("pk"))
    return {str(person): int(count) for person, count in told}


def _by_tablet(rows: Rows, value: str) -> Rows:
    if value == UNDATED:
        undated = Cession.objects.filter(person=OuterRef("pk"), cancelled_at=None, ceded_date=None)
        return rows.filter(Exists(undated))
    if value == WITHOUT:
        return rows.filter(ceded=None, lent=None, is_present=True)
    return rows.filter(**{f"{'ceded' if value == WITH else 'lent'}__isnull": False})


def _by_presence(rows: Rows, value: str) -> Rows:
    return rows.filter(is_present=value == "oui")


def _by_holder(rows: Rows, value: str) -> Rows:
    if value == "stock":
        return rows.filter(ceded_to=None, lent_to=None)
    return rows.filter(**{f"{'ceded_to' if value == 'cedee' else 'lent_to'}__isnull": False})


urls: list[URLPattern] = [
    path("etablissements/<str:uai>/personnes/", people, name="people"),
    path("etablissements/<str:uai>/personnes/<int:person>/", person, name="person"),
    path("etablissements/<str:uai>/tablettes/", devices, name="devices"),
]
