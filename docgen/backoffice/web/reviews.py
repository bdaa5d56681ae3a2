"""The review queue: the sides that wait, and one of them beside the places that it may have."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_safe

from docgen.backoffice import reviews
from docgen.backoffice.candidates import Proposal
from docgen.backoffice.models import ScanBatch, ScannedPage
from docgen.backoffice.web import homecoming
from docgen.backoffice.web.frame import BACK_OFFICE, SCHOOL, Asked, one, page, screen, seen
from docgen.backoffice.web.lists import Filter, Listing
from docgen.errors import DocgenError, Problem

ISSUES = (*homecoming.TO_REVIEW, homecoming.Outcome.DUPLICATE)
FIELDS = {"issue": "outcome", "lycee": "batch__school", "lot": "batch"}
UAI = re.compile(r"\d{7}[A-Z]")
LONGEST_TYPED = 30
WHOLE = 10  # letters and digits of a reference
STEPS = {
    "assign": "Rangée",
    "displace": "Remplacée par un autre scan",
    "turn": "Tournée",
    "discard": "Écartée",
}
FIRST = 9  # proposals that have a key; the others are folded away


@dataclass(frozen=True, slots=True)
class Offer:
    """A place that a side may have, as it is chosen: `value` is what the form sends."""

    value: str
    proposal: Proposal
    name: str
    key: int
    rival: homecoming.Side | None


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a side stands among those that wait: its rank, how many, and its neighbours."""

    rank: int
    total: int
    before: ScannedPage | None
    after: ScannedPage | None


def asked(request: Asked) -> dict[str, str]:
    """Give the filters of an address, those that can be."""
    issue, school, batch = (request.GET.get(name, "") for name in FIELDS)
    can_be = (issue in ISSUES, bool(UAI.fullmatch(school)), _is_uuid(batch))
    named = zip(FIELDS, (issue, school, batch), can_be, strict=True)
    return {name: value for name, value, is_sound in named if is_sound}


def _is_uuid(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False


def waiting(request: Asked) -> QuerySet[ScannedPage]:
    """Give the sides that wait, narrowed as the address asks, the oldest first."""
    wanted = asked(request)
    is_double = wanted.get("issue") == homecoming.Outcome.DUPLICATE
    rows = reviews.queue(request.who, duplicates=is_double)
    return rows.filter(**{FIELDS[name]: value for name, value in wanted.items()}).order_by("pk")


def suffix(request: Asked) -> str:
    """Give what an address carries on of the filters."""
    wanted = asked(request)
    return f"?{urlencode(wanted)}" if wanted else ""


@require_safe
@screen(BACK_OFFICE, SCHOOL)
def listed(request: Asked) -> HttpResponseBase:
    """Show the sides that wait, the oldest first."""
    is_double = request.GET.get("issue") == homecoming.Outcome.DUPLICATE
    rows = reviews.queue(request.who, duplicates=is_double)
    listing = Listing(
        request,
        rows.select_related("batch__school", "back"),
        search=("batch__label",),
        sorts={"attente": ("pk",), "recent": ("-pk",)},
        filters=_filters(request, rows),
        label="Nom du fichier",
    )
    first = waiting(request).first()
    facts = {
        "listing": listing,
        "sides": [homecoming.side(each) for each in listing.rows],
        "first": first,
        "suffix": suffix(request),
    }
    return page(request, "web/reviews/list.html", facts)


def _filters(request: Asked, rows: QuerySet[ScannedPage]) -> list[Filter]:
    issues = [(str(each), homecoming.WORDS[each][1].capitalize()) for each in ISSUES]
    found = [Filter("issue", "Pourquoi", issues, "outcome", every="Toutes les raisons")]
    schools = rows.order_by("batch__school").exclude(batch__school=None)
    names = list(schools.values_list("batch__school", "batch__school__name").distinct())
    if len(names) > 1:
        choices = [(uai, f"{name} ({uai})") for uai, name in names]
        found.append(Filter("lycee", "Établissement", choices, "batch__school"))
    if lot := asked(request).get("lot"):
        scans = seen(ScanBatch, request).filter(pk=lot)
        choices = [(str(each.pk), each.label or "sans nom") for each in scans]
        found.append(Filter("lot", "Fichier", choices, "batch"))
    return found


@require_safe
@screen(BACK_OFFICE, SCHOOL)
def review(request: Asked, side: UUID) -> HttpResponseBase:
    """Show one side, and the places that it may have."""
    return shown(request, found(request, side))


def found(request: Asked, side: UUID) -> ScannedPage:
    """Give the side of an address, among those that are seen."""
    rows = seen(ScannedPage, request).select_related("batch__school", "part", "back")
    return one(rows, public_id=side)


def shown(
    request: Asked, row: ScannedPage, error: DocgenError | None = None, status: int = 0
) -> HttpResponseBase:
    """Draw the page of a side as it is now, with what was refused."""
    typed = request.GET.get("reference", request.POST.get("reference", ""))[:LONGEST_TYPED]
    problem: Problem | None = None
    try:
        proposed = reviews.proposals(row, request.who, typed)
    except DocgenError as refused:
        proposed, problem = reviews.proposals(row, request.who), refused.problems[0]
    step, here = reviews.last_step(row), turn(request, row)
    can_go = row.outcome not in (homecoming.Outcome.KNOWN, homecoming.Outcome.DISCARDED)
    facts: dict[str, Any] = {
        "side": homecoming.side(row),
        "row": row,
        "turn": here,
        "next_picture": homecoming.picture(here.after) if here.after else "",
        "offers": offers(request, proposed) if can_go else [],
        "can_go": can_go and row.outcome != homecoming.Outcome.FOREIGN,
        "typed": typed,
        "typed_problem": problem,
        "step": step,
        "steps": [(STEPS[each.action], each) for each in row.steps.order_by("pk")],
        "after": step.pk if step else 0,
        "chosen": request.POST.get("place", ""),
        "note": request.POST.get("note", ""),
        "is_large": bool(request.GET.get("zoom")),
        "suffix": suffix(request),
        "asked": asked(request),
        "first": FIRST,
        "is_whole": sum(map(str.isalnum, typed)) == WHOLE,
        "zoom": _zoom(request, row),
        "undo": f"?{urlencode({**asked(request), 'pas': step.pk if step else 0})}",
    }
    return page(request, "web/reviews/one.html", facts, problems=error, status=status)


def _zoom(request: Asked, row: ScannedPage) -> str:
    """Give where the picture is larger, or as it was."""
    here = reverse("review", args=(row.public_id,))
    more = {} if request.GET.get("zoom") else {"zoom": "oui"}
    return f"{here}?{urlencode({**asked(request), **more})}"


def turn(request: Asked, row: ScannedPage) -> Turn:
    """Tell where a side stands among those that wait; past the last one comes the first."""
    rows = waiting(request)
    others = rows.exclude(pk=row.pk)
    after = others.filter(pk__gt=row.pk).first() or others.first()
    before = others.filter(pk__lt=row.pk).last()
    rank = rows.filter(pk__lte=row.pk).count() if rows.filter(pk=row.pk).exists() else 0
    return Turn(rank, rows.count(), before, after)


def offers(request: Asked, proposed: Sequence[Proposal]) -> list[Offer]:
    """Tell proposals as they are chosen; what is there already is shown beside."""
    targets = [each.target for each in proposed]
    known = homecoming.names(request, ((each.school, each.person) for each in targets))
    held = {each.target.number for each in proposed if each.is_held}
    rows = seen(ScannedPage, request).filter(
        back__number__in=held, outcome=homecoming.Outcome.KNOWN
    )
    rivals = {
        (bytes(each.back.number), each.side): homecoming.side(each)
        for each in rows.select_related("back")
        if each.back
    }
    return [
        Offer(
            f"{each.target.reference}/{each.side}{'/remplacer' if each.is_held else ''}",
            each,
            known.get((each.target.school, each.target.person), each.target.person),
            key,
            rivals.get((each.target.number, each.side)),
        )
        for key, each in enumerate(proposed, 1)
    ]


@require_safe
@screen(BACK_OFFICE, SCHOOL)
def picture(request: Asked, side: UUID) -> HttpResponseBase:
    """Give the picture of a side, upright, in grey."""
    try:
        content = reviews.picture(found(request, side))
    except FileNotFoundError as error:
        raise Http404 from error
    if not content:
        raise Http404
    return HttpResponse(content, content_type="image/jpeg")


urls: list[URLPattern] = [
    path("relecture/", listed, name="reviews"),
    path("relecture/<uuid:side>/", review, name="review"),
    path("relecture/<uuid:side>/image.jpg", picture, name="side-picture"),
]
