"""One file of scans: how far its reading is, and what it brought home."""

from typing import Any
from uuid import UUID

from django.db.models import Case, QuerySet, When
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST, require_safe

from docgen.backoffice import reviews, scans
from docgen.backoffice.models import Return, ScanBatch, ScannedPage, ScanPart
from docgen.backoffice.web import homecoming
from docgen.backoffice.web.frame import (
    BACK_OFFICE,
    SCHOOL,
    Asked,
    one,
    page,
    say,
    screen,
    seen,
    warn,
)
from docgen.backoffice.web.lists import Filter, Listing
from docgen.errors import Problem

FEW = 6  # sides that are shown beside the documents; all of them are on a page of their own
GALLERY = 24
STATES = (
    ("incomplet", "Incomplets"),
    ("signer", "Signature manquante"),
    ("complet", "Complets"),
    ("reliure", "En cours de reliure"),
)
RANK = Case(  # what lacks something comes first
    When(stage=Return.Stage.PARTIAL, then=0),
    When(stage=Return.Stage.BOUND, unsigned=[], then=3),
    When(stage=Return.Stage.BOUND, then=1),
    default=2,
)
SORTS = {"etat": ("rank", "reference"), "reference": ("reference",), "classe": ("division",)}
Rows = QuerySet[Return]


def in_state(rows: Rows, state: str) -> Rows:
    """Give the documents that are so far."""
    stage = Return.Stage
    if state in ("incomplet", "reliure"):
        return rows.filter(stage=stage.PARTIAL if state == "incomplet" else stage.COMPLETE)
    bound = rows.filter(stage=stage.BOUND)
    return bound.exclude(unsigned=[]) if state == "signer" else bound.filter(unsigned=[])


def counted(rows: Rows) -> list[tuple[str, str, int]]:
    """Count documents by how far they are: the value, the words, how many."""
    found = [(value, label, in_state(rows, value).count()) for value, label in STATES]
    return [each for each in found if each[2]]


def _batch(request: Asked, scan: UUID) -> ScanBatch:
    return one(seen(ScanBatch, request).select_related("school"), pk=scan)


@require_safe
@screen(BACK_OFFICE, SCHOOL)
def batch(request: Asked, scan: UUID) -> HttpResponseBase:
    """Show how far a file is, then what it brought home and what it still lacks."""
    row = _batch(request, scan)
    progress = scans.progress(row)
    documents = reviews.documents_of(row, request.who).annotate(rank=RANK)
    is_read = row.stage == ScanBatch.Stage.READ
    is_binding = is_read and reviews.is_binding(
        documents.prefetch_related(None).only("pk", "school")
    )
    listing = Listing(
        request,
        documents,
        search=("reference", "division", "document__title", "person"),
        sorts=SORTS,
        filters=(Filter("etat", "État", STATES, in_state),),
        label="Référence, nom ou classe",
    )
    waiting = reviews.queue(request.who).filter(batch=row)
    counts = homecoming.counts(progress.outcomes)
    facts: dict[str, Any] = {
        "scan": row,
        "progress": progress,
        "counts": counts,
        "is_running": not progress.is_stopped and (row.stage == "received" or is_binding),
        "is_binding": is_binding,
        "listing": listing,
        "homes": homecoming.told(request, listing.rows),
        "states": counted(documents),
        "waiting": sum(each.number for each in counts if each.is_waiting),
        "few": [
            homecoming.side(each) for each in waiting.select_related("back").order_by("pk")[:FEW]
        ],
        "reasons": [Problem(*each) for each in row.problems],
    }
    return page(request, "web/scans/batch.html", facts)


@require_safe
@screen(BACK_OFFICE, SCHOOL)
def sides(request: Asked, scan: UUID) -> HttpResponseBase:
    """Show the sides of a file, in the order of the scanner, each with its picture and why."""
    row = _batch(request, scan)
    choices = [
        (each.outcome, f"{each.words} ({each.number})".capitalize())
        for each in homecoming.counts(scans.progress(row).outcomes)
    ]
    listing = Listing(
        request,
        seen(ScannedPage, request).filter(batch=row).select_related("back"),
        sorts={"ordre": ("index",)},
        filters=(Filter("issue", "Faces", choices, "outcome", every="Toutes"),),
        size=GALLERY,
    )
    told = [homecoming.side(each) for each in listing.rows]
    copies = seen(ScanPart, request).filter(batch=row).exclude(copy="").order_by("first")
    facts = {"scan": row, "listing": listing, "sides": told, "copies": copies}
    return page(request, "web/scans/sides.html", facts)


@require_POST
@screen(BACK_OFFICE, SCHOOL)
def retry(request: Asked, scan: UUID) -> HttpResponseBase:
    """Put what was set aside back in the line."""
    if scans.retry(_batch(request, scan), request.who.label):
        say(request, "La lecture reprend là où elle s’était arrêtée.")
    else:
        warn(request, "Rien dans ce fichier n’attend d’être relancé.")
    return redirect("scan", scan)


urls: list[URLPattern] = [
    path("numerisations/<uuid:scan>/", batch, name="scan"),
    path("numerisations/<uuid:scan>/faces/", sides, name="scan-sides"),
    path("numerisations/<uuid:scan>/relancer/", retry, name="scan-retry"),
]
