"""One attestation that the region received: the signed file beside what the record says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from pypdf import PdfReader

from docgen import attestations as rules
from docgen.backoffice import arrivals, attestations, originals, store
from docgen.backoffice.api.downloads import Kept, sent
from docgen.backoffice.api.problems import Refused
from docgen.backoffice.models import Attestation, Delivery, Person, Return
from docgen.backoffice.web import pictures
from docgen.backoffice.web.frame import (
    BACK_OFFICE,
    REGION,
    Asked,
    one,
    page,
    say,
    screen,
    seen,
    warn,
)
from docgen.errors import InvalidInput
from docgen.typography import NBSP

SIZE = 50  # cessions of a page
LONGEST = 100  # characters of a search
DPI = 100


@dataclass(frozen=True, slots=True)
class Line:
    """A cession as it was frozen, and the name that its person has in the register today."""

    row: rules.Row
    name: str


@require_safe
@screen(BACK_OFFICE, REGION)
def received_one(request: Asked, attestation: str) -> HttpResponseBase:
    """Show the signed file beside its data."""
    row = one(arrivals.dated(seen(Attestation, request)), public_id=attestation)
    frozen = attestations.frozen(row)
    planned = arrivals.versions(seen(Delivery, request), row)
    held, back = arrivals.held_version(planned), _back(request, row)
    is_bound = back is not None and back.stage == Return.Stage.BOUND
    sha256 = held.sha256 if held else back.sha256 if is_bound and back else ""
    pages = _pages(sha256)
    shown = min(max(_whole(request.GET.get("face", "1")), 1), pages or 1)
    pupils, teachers = rules.count(frozen.rows)
    facts = {
        "row": row,
        "frozen": frozen,
        "pupils": pupils,
        "teachers": teachers,
        "original": getattr(row, "original", None),
        "reference": row.references.get(originals.MAILED, ""),
        "planned": planned,
        "held": held,
        "is_newer": bool(held and planned and planned[0].version > held.version),
        "back": back,
        "doubts": list(arrivals.doubts(back)) if back else [],
        "sha256": sha256,
        "pages": pages,
        "shown": shown,
        **_cessions(request, row, frozen),
    }
    return page(request, "web/region/one.html", facts)


@require_safe
@screen(BACK_OFFICE, REGION)
def picture(request: Asked, attestation: str, number: int) -> HttpResponseBase:
    """Give a side of the signed file as a picture, counted from 1."""
    sha256 = _file(request, one(seen(Attestation, request), public_id=attestation))
    if not 1 <= number <= _pages(sha256):
        raise Http404
    drawn = pictures.png(store.borrowed(sha256), number - 1, DPI)
    return HttpResponse(drawn, content_type="image/png")


@require_safe
@screen(BACK_OFFICE, REGION)
def signed(request: Asked, attestation: str) -> HttpResponseBase:
    """Give the signed file that the region has."""
    row = one(seen(Attestation, request), public_id=attestation)
    return _sent(request, row, _file(request, row))


@require_safe
@screen(BACK_OFFICE, REGION)
def version(request: Asked, attestation: str, delivery: str) -> HttpResponseBase:
    """Give a version of the signed file, as it was planned for the region."""
    row = one(seen(Attestation, request), public_id=attestation)
    found = one(seen(Delivery, request), pk=delivery, attestation=row, role=Delivery.Role.REGION)
    return _sent(request, row, found.sha256, f"-v{found.version}")


@require_POST
@screen(BACK_OFFICE, REGION)
def receive(request: Asked, attestation: str) -> HttpResponseBase:
    """Record that the original is there, without its code."""
    row = one(seen(Attestation, request), public_id=attestation)
    try:
        originals.received(row.references.get(originals.MAILED, ""), request.who, timezone.now())
    except InvalidInput as error:
        warn(request, " ".join(_sentence(each.what, each.remedy) for each in error.problems))
    else:
        undo = reverse("received-undo", args=(row.public_id,))
        say(request, told(row), undo=undo)
    return redirect("received-one", row.public_id)


@require_POST
@screen(BACK_OFFICE, REGION)
def undo(request: Asked, attestation: str) -> HttpResponseBase:
    """Take back that the original was received."""
    row = one(seen(Attestation, request), public_id=attestation)
    take_back(request, row)
    return redirect("received-one", row.public_id)


def told(row: Attestation) -> str:
    """Say that an original is there."""
    return f"Original de l’attestation n°{NBSP}{row.number} de {row.school_id} reçu."


def take_back(request: Asked, row: Attestation) -> None:
    """Take back that an original was received, and say so."""
    try:
        originals.not_received(row, request.who.label)
    except InvalidInput as error:
        warn(request, " ".join(_sentence(each.what, each.remedy) for each in error.problems))
    else:
        about = f"l’attestation n°{NBSP}{row.number} de {row.school_id}"
        again = reverse("received-original", args=(row.public_id,))
        say(request, f"L’original de {about} est de nouveau attendu.", undo=again)


def _sentence(what: str, remedy: str) -> str:
    return f"{what[:1].upper()}{what[1:]} {remedy}".strip()


def _file(request: Asked, row: Attestation) -> str:
    """Give the digest of the signed file that is shown: what the region has, else what is bound."""
    held = arrivals.held_version(arrivals.versions(seen(Delivery, request), row))
    back = _back(request, row)
    if held:
        return held.sha256
    if back and back.stage == Return.Stage.BOUND:
        return back.sha256
    raise Http404


def _back(request: Asked, row: Attestation) -> Return | None:
    """Give the document that came home: the last print of what is mailed."""
    rows = seen(Return, request).filter(paper__attestation=row, paper__is_mailed=True)
    return rows.order_by("-paper__created_at", "-created_at").first()


def _pages(sha256: str) -> int:
    """Count the sides of a file of the store; none when it is kept no more."""
    if not sha256:
        return 0
    try:
        return PdfReader(store.borrowed(sha256)).get_num_pages()
    except FileNotFoundError:
        return 0


def _sent(request: Asked, row: Attestation, sha256: str, mark: str = "") -> HttpResponseBase:
    name = f"attestation-{row.school_id}-{row.school_year}-n{row.number}{mark}.pdf"
    try:
        return sent(request, Kept(name, sha256))
    except Refused as error:
        raise Http404 from error


def _cessions(request: Asked, row: Attestation, frozen: rules.Attestation) -> dict[str, Any]:
    """Give a page of the cessions, in the order of the paper; searched by serial, class or name."""
    wanted = " ".join(request.GET.get("q", "").replace("\0", "").split())[:LONGEST]
    found = list(frozen.rows)
    for word in wanted.split():
        named = _called(request, row, word)
        found = [each for each in found if _is_found(each, word.upper(), named)]
    last = max(1, -(-len(found) // SIZE))
    number = min(max(_whole(request.GET.get("page", "1")), 1), last)
    return {
        "lines": _named(request, row, found[(number - 1) * SIZE : number * SIZE]),
        "withdrawn": _named(request, row, frozen.withdrawn[:SIZE]),
        "withdrawn_count": len(frozen.withdrawn),
        "found_count": len(found),
        "wanted": wanted,
        "query": urlencode({"q": wanted}) if wanted else "",
        "number": number,
        "last": last,
    }


def _is_found(row: rules.Row, word: str, named: set[tuple[str, str]]) -> bool:
    is_named = (row.audience, row.person_id) in named
    return is_named or word in row.serial.upper() or word in row.division.upper()


def _called(request: Asked, row: Attestation, word: str) -> set[tuple[str, str]]:
    """Give those of a school whose name holds a word."""
    people = seen(Person, request).filter(school=row.school_id)
    found = people.filter(Q(family_name__icontains=word) | Q(first_name__icontains=word))
    return set(found.values_list("audience", "internal_id"))


def _named(request: Asked, row: Attestation, of: Sequence[rules.Row]) -> list[Line]:
    """Put names beside cessions, as the register has them today: the paper holds none."""
    people = seen(Person, request).filter(school=row.school_id)
    known = people.filter(internal_id__in={each.person_id for each in of})
    columns = ("audience", "internal_id", "family_name", "first_name")
    names = {
        (audience, key): f"{family} {first}"
        for audience, key, family, first in known.values_list(*columns)
    }
    return [Line(each, names.get((each.audience, each.person_id), "")) for each in of]


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1


ONE = "region/attestations/<uuid:attestation>/"
urls: list[URLPattern] = [
    path(ONE, received_one, name="received-one"),
    path(f"{ONE}faces/<int:number>.png", picture, name="received-picture"),
    path(f"{ONE}signee.pdf", signed, name="received-file"),
    path(f"{ONE}versions/<uuid:delivery>.pdf", version, name="received-version"),
    path(f"{ONE}original/", receive, name="received-original"),
    path(f"{ONE}original/annuler/", undo, name="received-undo"),
]
