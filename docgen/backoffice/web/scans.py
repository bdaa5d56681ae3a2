"""Signed scans: sent from a page, and listed as they are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods

from docgen.backoffice import reviews
from docgen.backoffice.models import Role, ScanBatch, ScannedPage, School
from docgen.backoffice.web import homecoming, piles
from docgen.backoffice.web.frame import (
    BACK_OFFICE,
    SCHOOL,
    Asked,
    page,
    say,
    school_screen,
    screen,
    seen,
)
from docgen.backoffice.web.lists import Filter, Listing
from docgen.errors import Problem

STAGES = (("received", "lecture en cours"), ("read", "lu"), ("refused", "refusé"))
SORTS = {"recu": ("-created_at",), "fichier": ("label",)}
both = require_http_methods(["GET", "HEAD", "POST"])


@dataclass(frozen=True, slots=True)
class Line:
    """A file of the list: its sides by outcome, and how many somebody has to look at."""

    row: ScanBatch
    counts: list[homecoming.Count]
    waiting: int


def _of_school(
    request: Asked, school: School, problems: Sequence[Problem] = (), **facts: object
) -> HttpResponseBase:
    rows = seen(ScanBatch, request).filter(school=school)
    waiting = reviews.queue(request.who).filter(batch__school=school).count()
    return _page(request, rows, problems, school=school, waiting=waiting, may_send=True, **facts)


def _of_all(request: Asked, problems: Sequence[Problem] = (), **facts: object) -> HttpResponseBase:
    rows = seen(ScanBatch, request).select_related("school")
    may_send = request.who.role == Role.BACK_OFFICE
    waiting = reviews.queue(request.who).count()
    return _page(request, rows, problems, waiting=waiting, may_send=may_send, **facts)


def _page(
    request: Asked, rows: QuerySet[ScanBatch], problems: Sequence[Problem], **facts: object
) -> HttpResponseBase:
    listing = Listing(
        request,
        rows,
        search=("label",) if "school" in facts else ("label", "school__uai", "school__name"),
        sorts=SORTS,
        filters=(Filter("etat", "État", STAGES, "stage"),),
        label="Rechercher un fichier" if "school" in facts else "Rechercher un fichier, un lycée",
    )
    told: dict[str, Any] = {
        "listing": listing,
        "lines": _lines(request, listing.rows),
        "is_running": any(each.stage == ScanBatch.Stage.RECEIVED for each in listing.rows),
        "most": settings.SCAN_MOST,
        "most_files": settings.DATA_UPLOAD_MAX_NUMBER_FILES,
    }
    return page(request, "web/scans/list.html", told | facts, problems=list(problems))


def _lines(request: Asked, rows: Sequence[ScanBatch]) -> list[Line]:
    sides = seen(ScannedPage, request).filter(batch__in=[each.pk for each in rows])
    counted = sides.order_by().values_list("batch", "outcome").annotate(Count("pk"))
    outcomes: dict[object, dict[str, int]] = {}
    for batch, outcome, number in counted:
        outcomes.setdefault(batch, {})[outcome] = number
    lines = []
    for row in rows:
        told = homecoming.counts(outcomes.get(row.pk, {}))
        waiting = sum(each.number for each in told if each.is_waiting)
        lines.append(Line(row, told, waiting))
    return lines


def _sent(request: Asked, school: School | None) -> HttpResponseBase:
    made, problems = piles.take(request, school)
    if request.accepts("application/json") and not request.accepts("text/html"):
        facts = {
            "received": [{"address": each.address, "is_new": each.is_new} for each in made],
            "problems": [f"{each.what} {each.remedy}".strip() for each in problems],
        }
        return JsonResponse(facts)
    if problems:
        return (
            _of_school(request, school, problems, sent=made)
            if school
            else _of_all(request, problems, sent=made)
        )
    known = sum(not each.is_new for each in made)
    if len(made) > 1:
        text = f"{len(made)} fichiers reçus."
        if known:
            text += f" Dont déjà reçus avant\u00a0: {known}. Rien n’est doublé."
        say(request, text)
        return redirect(reverse("scans", args=(school.pk,)) if school else reverse("all-scans"))
    if known:
        say(request, "Ce fichier avait déjà été reçu\u00a0: voici ce qu’il a donné.")
    else:
        say(request, "Fichier reçu. La lecture commence.")
    return redirect(made[0].address)


@both
@school_screen(BACK_OFFICE, SCHOOL)
@piles.taking_piles
def scans_of_school(request: Asked, school: School) -> HttpResponseBase:
    """Show what a school scanned, and take more."""
    return _sent(request, school) if request.method == "POST" else _of_school(request, school)


@both
@screen(BACK_OFFICE, SCHOOL)
@piles.taking_piles
def all_scans(request: Asked) -> HttpResponseBase:
    """Show all that was scanned; the back office sends piles of several schools."""
    if request.method != "POST":
        return _of_all(request)
    if request.who.role != Role.BACK_OFFICE:
        raise PermissionDenied
    return _sent(request, None)


urls: list[URLPattern] = [
    path("numerisations/", all_scans, name="all-scans"),
    path("etablissements/<str:uai>/numerisations/", scans_of_school, name="scans"),
]
