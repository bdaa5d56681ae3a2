"""What a school printed and still awaits, signed: attestations first, then the rest by class."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from docgen.backoffice import bulk, missing
from docgen.backoffice.models import Document, Paper, Return, School
from docgen.backoffice.web import homecoming
from docgen.backoffice.web.frame import BACK_OFFICE, SCHOOL, Asked, page, school_screen, seen
from docgen.backoffice.web.lists import Filter, Listing
from docgen.jobfolder import cell

CHARTERS, CONVENTIONS = "chartes", "conventions"
WHOLE = "tout le document"
HEADS = ("Document", "Référence", "Classe", "Bénéficiaire", "Ce qui manque")
SORTS = {
    "classe": ("division", "title", "reference"),
    "nom": ("title", "division"),
    "reference": ("reference",),
}


@dataclass(frozen=True, slots=True)
class Lack:
    """A document that is awaited: what it is, whose, and what of it is not there."""

    title: str
    reference: str
    division: str
    name: str
    lacks: str
    back: Return | None


@require_safe
@school_screen(BACK_OFFICE, SCHOOL)
def listed(request: Asked, school: School) -> HttpResponseBase:
    """Show what is awaited, a kind at a time."""
    papers = missing.papers(school.pk, request.who)
    attestations = papers.exclude(attestation=None).order_by("-pk")
    loans = papers.filter(attestation=None)
    documents = missing.documents(school.pk, request.who)
    is_loans = request.GET.get("nature") == CONVENTIONS
    listing = _loans(request, loans) if is_loans else _charters(request, school, documents)
    is_all = not (is_loans or listing.is_narrowed or listing.is_more)
    charters = listing.total if is_all else documents.count()
    facts: dict[str, Any] = {
        "school": school,
        "attestations": _told(request, attestations),
        "listing": listing,
        "lines": _told(request, listing.rows),
        "is_loans": is_loans,
        "charters": charters,
        "loans": (count := loans.count()),
        "is_nothing": not (attestations or charters or count),
    }
    return page(request, "web/scans/missing.html", facts)


@require_safe
@school_screen(BACK_OFFICE, SCHOOL)
def export(request: Asked, school: School) -> HttpResponseBase:
    """Give all that is awaited as a file for a spreadsheet."""
    papers = missing.papers(school.pk, request.who)
    kinds: Sequence[QuerySet[Any]] = (
        papers.exclude(attestation=None).order_by("-pk"),
        _with_jobs(missing.documents(school.pk, request.who)).order_by(*SORTS["classe"]),
        papers.filter(attestation=None).order_by("title", "reference"),
    )
    stream = StringIO()
    rows = csv.writer(stream, delimiter=";", lineterminator="\r\n")
    rows.writerow(HEADS)
    for kind in kinds:
        for each in _told(request, kind):
            texts = (each.title, each.reference, each.division, each.name, each.lacks)
            rows.writerow(map(cell, texts))
    name = f"manquants-{school.pk}.csv"
    return HttpResponse(
        "\ufeff" + stream.getvalue(),  # without it Excel takes é for Ã©
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _charters(request: Asked, school: School, rows: QuerySet[Document]) -> Listing:
    printed = seen(Document, request).filter(volume__job__school=school).order_by("division")
    classes = printed.values_list("division", flat=True).distinct()
    choices = [(each, each) for each in classes if each]
    return Listing(
        request,
        _with_jobs(rows),
        search=("title", "division", "reference"),
        sorts=SORTS,
        filters=(Filter("classe", "Classe", choices, "division", every="Toutes"),),
        label="Nom, classe ou référence",
    )


def _with_jobs(rows: QuerySet[Document]) -> QuerySet[Document]:
    facts = ("number", "reference", "division", "title", "person", "volume__job__template")
    return rows.select_related("volume__job").only(*facts)


def _loans(request: Asked, rows: QuerySet[Paper]) -> Listing:
    kind = Filter("nature", "Nature", [(CONVENTIONS, "Conventions de prêt")], _same)
    return Listing(
        request,
        rows,
        search=("title", "reference", "person"),
        sorts={"document": ("title", "reference"), "reference": ("reference",)},
        filters=(kind,),
        label="Référence ou identifiant",
    )


def _same(rows: QuerySet[Any], value: str) -> QuerySet[Any]:
    """Keep the kind in the address; the rows are of it already."""
    return rows


def _told(request: Asked, rows: Iterable[Document | Paper]) -> list[Lack]:
    listed = list(rows)
    backs: dict[bytes, Return] = {}
    for chunk in bulk.chunks([bytes(each.number) for each in listed]):
        found = seen(Return, request).filter(number__in=chunk)
        backs |= {bytes(each.number): each for each in found}
    keys = ((each.school_id, each.person) for each in listed if isinstance(each, Paper))
    known = homecoming.names(request, keys)
    return [_lack(each, backs.get(bytes(each.number)), known) for each in listed]


def _lack(row: Document | Paper, back: Return | None, known: dict[homecoming.Key, str]) -> Lack:
    if isinstance(row, Paper):
        name, division = known.get((row.school_id, row.person), row.person), ""
        title = row.title
    else:
        name, division, title = row.title, row.division, missing.title(row.volume.job.template_id)
    lacks = homecoming.lacks(back) if back else []
    return Lack(title, row.reference, division, name, ", ".join(lacks) or WHOLE, back)


urls: list[URLPattern] = [
    path("etablissements/<str:uai>/manquants/", listed, name="missing"),
    path("etablissements/<str:uai>/manquants/manquants.csv", export, name="missing-csv"),
]
