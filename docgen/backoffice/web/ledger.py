"""The ledger of a school: each cession, from its charter to the region's shelf."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias

from django.db.models import Exists, Min, OuterRef, QuerySet
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_GET

from docgen import library
from docgen.backoffice import ledger
from docgen.backoffice.models import (
    Attestation,
    AttestedCession,
    Cession,
    Document,
    PrintJob,
    Return,
    School,
)
from docgen.backoffice.web import gap, sheets
from docgen.backoffice.web.frame import BACK_OFFICE, SCHOOL, Asked, page, school_screen, seen
from docgen.backoffice.web.journeys import Journey, journeys
from docgen.backoffice.web.lists import Filter, Listing

Who: TypeAlias = tuple[str, str]  # pupil or teacher, and the school's own identifier
TOGETHER = 500  # lines of an export looked up at once
PRINTED_NOTHING = (PrintJob.Stage.CANCELLED, PrintJob.Stage.FAILED)
GAPS = (
    ("attester", "Pas encore attestée"),
    ("signer", "Attestée, pas revenue signée"),
    ("recevoir", "Original pas reçu"),
    ("date", "Sans date de remise"),
)
AUDIENCES = (("pupil", "Élèves"), ("teacher", "Professeurs"))
HEADS = (
    *("Nom", "Prénom", "Qui", "Classe", "N° de série", "Remise le", "Charte imprimée le"),
    *("Charte revenue le", "Attestation", "Attestation signée le", "Envoyée à la Région le"),
    *("Original posté le", "Original reçu le"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """A cession and all that became of it."""

    cession: Cession
    printed: datetime | None
    returned: datetime | None
    is_partial: bool
    journey: Journey | None

    @property
    def signed(self) -> datetime | None:
        """Tell when its attestation came home signed."""
        journey = self.journey
        return journey.back.bound_at if journey and journey.back and journey.is_signed else None

    @property
    def mailed(self) -> datetime | None:
        """Tell when the region was sent its attestation."""
        return self.journey.mailed_at if self.journey else None

    @property
    def posted(self) -> date | None:
        """Tell when the original of its attestation was posted."""
        original = self.journey.original if self.journey else None
        return original.posted_date if original else None

    @property
    def received(self) -> datetime | None:
        """Tell when the region received the original of its attestation."""
        original = self.journey.original if self.journey else None
        return original.received_at if original else None

    def cells(self) -> Sequence[sheets.Value]:
        """Give the line for a spreadsheet, under `HEADS`."""
        person, row = self.cession.person, self.journey.row if self.journey else None
        return (
            person.family_name,
            person.first_name,
            person.get_audience_display(),
            person.division,
            self.cession.serial,
            self.cession.ceded_date,
            _day(self.printed),
            _day(self.returned),
            f"n° {row.number} de {row.school_year}" if row else "",
            *(_day(self.signed), _day(self.mailed), self.posted, _day(self.received)),
        )


def _day(at: datetime | None) -> date | None:
    return timezone.localdate(at) if at else None


@school_screen(BACK_OFFICE, SCHOOL)
@require_GET
def show(request: Asked, school: School) -> HttpResponseBase:
    """Show the cessions of a school, with what became of each."""
    found = _listing(request, school)
    year = next(each.value for each in found.filters if each.name == "annee")
    (total,) = ledger.lines(request.who, school=school.pk, year=year)
    told = {
        "school": school,
        "listing": found,
        "lines": list(_lines(request, school, found.rows)),
        "total": total.tablets,
        "year": year,
        "query": request.GET.urlencode(),
    }
    return page(request, "web/ledger/school.html", told)


@school_screen(BACK_OFFICE, SCHOOL)
@require_GET
def export(request: Asked, school: School, kind: str) -> HttpResponseBase:
    """Give all the lines that were asked for, for a spreadsheet."""
    rows = list(_listing(request, school).found)
    parts = (rows[start : start + TOGETHER] for start in range(0, len(rows), TOGETHER))
    cells = (line.cells() for part in parts for line in _lines(request, school, part))
    make = sheets.as_csv if kind == "csv" else sheets.as_xlsx
    return make(f"registre-{school.pk}", HEADS, cells)


def _listing(request: Asked, school: School) -> Listing:
    rows = seen(Cession, request).filter(school=school, cancelled_at=None)
    first = rows.aggregate(day=Min("ceded_date"))["day"]
    classes = rows.exclude(person__division="").order_by("person__division")
    names = classes.values_list("person__division", flat=True).distinct()
    return Listing(
        request,
        rows.select_related("person"),
        search=("person__family_name", "person__first_name", "serial", "person__division"),
        sorts={
            "nom": ("person__family_name", "person__first_name"),
            "classe": ("person__division", "person__family_name"),
            "serie": ("serial",),
            "remise": ("-ceded_date",),
        },
        filters=(
            Filter("ecart", "Écart", GAPS, _of_gap),
            Filter("annee", "Année scolaire", gap.years(first), _of_year, every="Toutes"),
            Filter(
                "classe",
                "Classe",
                [(name, name) for name in names],
                "person__division",
                every="Toutes",
            ),
            Filter("qui", "Élèves ou professeurs", AUDIENCES, "person__audience"),
        ),
        label="Nom, classe ou n° de série",
    )


def _of_year(rows: QuerySet[Any], year: str) -> QuerySet[Any]:
    return rows.filter(ledger.of_year(year))


def _of_gap(rows: QuerySet[Any], name: str) -> QuerySet[Any]:
    """Keep the cessions that stand before a step."""
    if name == "date":
        return rows.filter(ceded_date=None)
    if name == "attester":
        return ledger.unattested(rows)
    held = AttestedCession.objects.filter(
        school=OuterRef("school"),
        serial=OuterRef("serial"),
        person=OuterRef("person__internal_id"),
        withdrawn_by=None,
    )
    if name == "recevoir":
        return rows.filter(~Exists(held.filter(attestation__original__received_at__isnull=False)))
    back = Attestation.objects.filter(pk=OuterRef("attestation")).filter(ledger.is_returned())
    return rows.filter(Exists(held), ~Exists(held.filter(Exists(back))))


def _lines(request: Asked, school: School, rows: Sequence[Cession]) -> Iterator[Line]:
    """Tell what became of cessions, in as many queries however many they are."""
    attested = _attested(request, school, rows)
    printed, returned = _charters(request, school, rows)
    for row in rows:
        who = (row.person.audience, row.person.internal_id)
        back = returned.get(who)
        is_home = back is not None and back.stage == Return.Stage.BOUND
        yield Line(
            row,
            printed.get(who),
            back.bound_at if back and is_home else None,
            back is not None and not is_home and back.stage != Return.Stage.EMPTY,
            attested.get((row.serial, row.person.internal_id)),
        )


def _attested(
    request: Asked, school: School, rows: Sequence[Cession]
) -> dict[tuple[str, str], Journey]:
    """Give the attestation that each cession is on, by its tablet and its person."""
    held = seen(AttestedCession, request).filter(school=school, withdrawn_by=None)
    pairs = held.filter(serial__in=[row.serial for row in rows])
    facts = list(pairs.values_list("serial", "person", "attestation_id"))
    found = seen(Attestation, request).filter(pk__in={each for *_, each in facts})
    found = found.select_related("original").defer("record", "region", "letterhead")
    known = {each.row.pk: each for each in journeys(request, list(found))}
    return {(serial, person): known[key] for serial, person, key in facts}


def _charters(
    request: Asked, school: School, rows: Sequence[Cession]
) -> tuple[dict[Who, datetime], dict[Who, Return]]:
    """Tell when the charter of each was printed last, and how the last one came home."""
    shelf = (each.manifest for each in library.load_all())
    audiences = {each.slug: str(each.audience) for each in shelf if each.kind == "charter"}
    people = {row.person.internal_id for row in rows}
    jobs = seen(PrintJob, request).filter(school=school, ready_at__isnull=False)
    jobs = jobs.filter(template__slug__in=audiences).exclude(stage__in=PRINTED_NOTHING)
    made = seen(Document, request).filter(volume__job__in=jobs, person__in=people)
    facts = made.values_list("volume__job__template__slug", "person", "volume__job__ready_at")
    printed = {
        (audiences[slug], person): at
        for slug, person, at in facts.order_by("volume__job__ready_at")
        if at
    }
    backs = seen(Return, request).filter(school=school, slug__in=audiences, person__in=people)
    light = backs.only("slug", "person", "stage", "bound_at").order_by("created_at")
    return printed, {(audiences[each.slug], each.person): each for each in light}


PLACE = "etablissements/<str:uai>/registre/"
urls: list[URLPattern] = [
    path(PLACE, show, name="school-ledger"),
    path(f"{PLACE}export.csv", export, {"kind": "csv"}, name="school-ledger-csv"),
    path(f"{PLACE}export.xlsx", export, {"kind": "xlsx"}, name="school-ledger-xlsx"),
    *gap.urls,
]
