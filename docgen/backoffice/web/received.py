"""Attestations that the region received: by school and by period, and as a table to work on."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django.db.models import Q
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_safe

from docgen.backoffice import arrivals
from docgen.backoffice.arrivals import Attestations
from docgen.backoffice.models import Attestation, School
from docgen.backoffice.originals import MAILED
from docgen.backoffice.web import departments, sheets
from docgen.backoffice.web.frame import BACK_OFFICE, REGION, Asked, page, screen, seen
from docgen.backoffice.web.lists import Filter, Listing
from docgen.typography import MONTHS

MONTHS_BACK = 12
WEEK = "semaine"
DAYS = ((WEEK, "Cette semaine"), ("7", "Les 7 derniers jours"), ("30", "Les 30 derniers jours"))
STATES = (
    ("attendu", "Original attendu"),
    ("poste", "Original posté, attendu"),
    ("recu", "Original reçu"),
)
HEADS = (
    *("UAI", "Établissement", "Commune", "Département", "Année scolaire", "Attestation n°"),
    *("Début", "Fin", "Cessions", "Référence", "Reçue par courriel le", "Original posté le"),
    "Original reçu le",
)


@require_safe
@screen(BACK_OFFICE, REGION)
def received(request: Asked) -> HttpResponseBase:
    """List what the region has."""
    listing = _listing(request)
    address = listing.link()
    return page(request, "web/region/received.html", {"listing": listing, "asked": address})


@require_safe
@screen(BACK_OFFICE, REGION)
def received_csv(request: Asked) -> HttpResponseBase:
    """Give what is listed, all its pages, for a spreadsheet."""
    return sheets.as_csv("attestations-recues", HEADS, _table(_listing(request).found))


@require_safe
@screen(BACK_OFFICE, REGION)
def received_xlsx(request: Asked) -> HttpResponseBase:
    """Give the same as a workbook."""
    return sheets.as_xlsx("attestations-recues", HEADS, _table(_listing(request).found))


def _listing(request: Asked) -> Listing:
    rows = arrivals.counted(arrivals.arrived(seen(Attestation, request)))
    uais = seen(School, request).values_list("pk", flat=True)
    every = seen(Attestation, request).order_by("-school_year")
    years = every.values_list("school_year", flat=True).distinct()
    return Listing(
        request,
        rows,
        search=("school__name", "school__uai", "school__city"),
        sorts={
            "recue": ("-arrived_at",),
            "etablissement": ("school__name",),
            "annee": ("-school_year", "-number"),
            "periode": ("-end_date",),
            "original": ("original__received_at",),
        },
        filters=(
            Filter("dep", "Département", departments.choices(uais), _in_department),
            Filter(
                "annee",
                "Année scolaire",
                [(each, each) for each in years],
                "school_year",
                every="Toutes",
            ),
            Filter(
                "recue", "Reçue", _periods(timezone.localdate()), _in_period, every="À tout moment"
            ),
            Filter("etat", "Original", STATES, _in_state),
        ),
        label="Établissement, UAI ou commune",
    )


def _table(rows: Attestations) -> Iterator[tuple[sheets.Value, ...]]:
    for row in rows.iterator(chunk_size=500):
        school, original = row.school, getattr(row, "original", None)
        department = departments.name(departments.code_of(school.pk))
        yield (
            *(school.pk, school.name, school.city, department, row.school_year, row.number),
            *(row.start_date, row.end_date, row.listed or 0, row.references.get(MAILED, "")),
            row.mailed_at,
            original.posted_date if original else None,
            original.received_at if original else None,
        )


def _in_department(rows: Attestations, code: str) -> Attestations:
    return rows.filter(school__uai__startswith=code)


def _in_state(rows: Attestations, state: str) -> Attestations:
    awaited = Q(original__received_at=None)
    if state == "poste":
        awaited &= Q(original__posted_date__isnull=False)
    return rows.exclude(original__received_at=None) if state == "recu" else rows.filter(awaited)


def _periods(today: date) -> list[tuple[str, str]]:
    """Give the periods to choose from: the last days, then the last months one by one."""
    made, first = list(DAYS), today.replace(day=1)
    for _ in range(MONTHS_BACK):
        made.append((f"{first:%Y-%m}", f"en {MONTHS[first.month - 1]} {first.year}"))
        first = (first - timedelta(days=1)).replace(day=1)
    return made


def _in_period(rows: Attestations, value: str) -> Attestations:
    if value == WEEK:
        return rows.filter(arrived_at__gte=arrivals.week_of(timezone.now()))
    if value.isdigit():
        return rows.filter(arrived_at__gte=timezone.now() - timedelta(days=int(value)))
    first = datetime.fromisoformat(f"{value}-01")
    after = (first + timedelta(days=31)).replace(day=1)
    start, end = timezone.make_aware(first), timezone.make_aware(after)
    return rows.filter(arrived_at__gte=start, arrived_at__lt=end)


urls: list[URLPattern] = [
    path("region/attestations/", received, name="received"),
    path("region/attestations.csv", received_csv, name="received-csv"),
    path("region/attestations.xlsx", received_xlsx, name="received-xlsx"),
]
