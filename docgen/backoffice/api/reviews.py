"""Sides that somebody has to look at: what they could be, and what is decided about them."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from django.http import HttpResponse
from ninja import Router, Schema
from pydantic import Field

from docgen.backoffice import models, reviews
from docgen.backoffice.api.access import Request, one, seen
from docgen.backoffice.api.downloads import content
from docgen.backoffice.api.paging import Page, Paged
from docgen.backoffice.api.problems import Refused
from docgen.backoffice.api.reading import PRINTABLE, Body, Remark, Uai
from docgen.backoffice.api.scans import READ, WRITE, Outcome, Side, side_of, sides_of
from docgen.errors import Problem as Trouble

router = Router(tags=["reviews"])
JPEG = "image/jpeg"
Typed = Annotated[str, Field(max_length=30, pattern=PRINTABLE)]


class Proposal(Schema):
    """A place that a side may have, and why.

    `is_held`: another scan is there already; `is_superseded`: the document was printed again since.
    """

    reference: str
    school: str
    template: str
    person: str
    division: str
    side: int
    sides: int
    is_held: bool
    is_superseded: bool
    why: str


class Step(Schema):
    """Something that was decided about a side."""

    id: int
    action: str
    note: str
    by: str
    at: datetime
    undone_at: datetime | None


class WholeSide(Side):
    """A side, and what was decided about it."""

    steps: list[Step]


class Decision(Body):
    """`after` is the `step` of the side when it was looked at: decided since, it answers 409."""

    after: Annotated[int, Field(ge=0, lt=2**63)] | None = None


class Assignment(Decision):
    """Where a side goes home to; `replace` confirms that it takes another scan's place."""

    reference: Typed
    side: Annotated[int, Field(ge=1, le=255)]
    replace: bool = False


class Turning(Decision):
    """By how many degrees to turn a side, clockwise."""

    degrees: Literal[90, 180, 270]


class Discarding(Decision):
    """Why a side is set aside."""

    note: Annotated[Remark, Field(min_length=1)]


class Assigned(WholeSide):
    """A side that went home; `displaced` is the scan whose place it took."""

    displaced: UUID | None


@router.get("/reviews", auth=READ, response=Page[Side])
def waiting(  # noqa: PLR0917 - a filter each
    request: Request,
    paging: Paged,
    school: Uai | None = None,
    scan: UUID | None = None,
    outcome: Outcome | None = None,
    duplicates: bool = False,
) -> dict[str, object]:
    """Liste les faces que quelqu’un doit regarder, les plus anciennes d’abord."""
    rows = reviews.queue(request.auth, duplicates=duplicates or outcome == "duplicate")
    wanted = {"batch__school": school, "batch": scan, "outcome": outcome}
    return sides_of(rows.filter(**{k: v for k, v in wanted.items() if v}), ("id",), paging)


@router.get("/pages/{side}", auth=READ, response=WholeSide)
def read(request: Request, side: UUID) -> WholeSide:
    """Donne une face, et ce qui a été décidé d’elle."""
    return _whole(_row(request, side))


@router.get("/pages/{side}/picture.jpg", auth=READ, openapi_extra=content(JPEG))
def picture(request: Request, side: UUID) -> HttpResponse:
    """Donne l’image d’une face, droite, en gris."""
    try:
        found = reviews.picture(_row(request, side))
    except FileNotFoundError as error:
        raise Refused("not-found", Trouble("cette image n’est plus conservée.")) from error
    if not found:
        raise Refused("not-found", Trouble("cette face n’a pas d’image."))
    return HttpResponse(found, content_type=JPEG, headers={"Cache-Control": "no-store"})


@router.get("/pages/{side}/proposals", auth=READ, response=list[Proposal])
def proposals(request: Request, side: UUID, reference: Typed = "") -> list[Proposal]:
    """Propose où ranger une face, et dit pourquoi ; `reference` : ce qui est lu, ou son début."""
    return [
        Proposal(
            reference=each.target.reference,
            school=each.target.school,
            template=each.target.template,
            person=each.target.person,
            division=each.target.division,
            side=each.side,
            sides=each.target.sides,
            is_held=each.is_held,
            is_superseded=each.is_superseded,
            why=each.reason,
        )
        for each in reviews.proposals(_row(request, side), request.auth, reference)
    ]


@router.post("/pages/{side}/assign", auth=WRITE, response=Assigned)
def assign(request: Request, side: UUID, wanted: Assignment) -> Assigned:
    """Range une face dans un document de l’établissement ; le document est relié de nouveau."""
    displaced = reviews.assign(
        *(_row(request, side), wanted.reference, wanted.side, request.auth),
        replace=wanted.replace,
        after=wanted.after,
    )
    whole = _whole(_row(request, side)).model_dump()
    return Assigned(**whole, displaced=displaced.public_id if displaced else None)


@router.post("/pages/{side}/turn", auth=WRITE, response=WholeSide)
def turn(request: Request, side: UUID, wanted: Turning) -> WholeSide:
    """Tourne une face dans le sens des aiguilles d’une montre."""
    reviews.turn(_row(request, side), wanted.degrees, request.auth, after=wanted.after)
    return _whole(_row(request, side))


@router.post("/pages/{side}/discard", auth=WRITE, response=WholeSide)
def discard(request: Request, side: UUID, wanted: Discarding) -> WholeSide:
    """Écarte une face, en disant pourquoi ; elle est gardée, et peut revenir."""
    reviews.discard(_row(request, side), wanted.note, request.auth, after=wanted.after)
    return _whole(_row(request, side))


@router.post("/pages/{side}/undo", auth=WRITE, response=WholeSide)
def undo(request: Request, side: UUID, wanted: Decision) -> WholeSide:
    """Annule la dernière décision sur une face."""
    reviews.undo(_row(request, side), request.auth, after=wanted.after)
    return _whole(_row(request, side))


def _row(request: Request, side: UUID) -> models.ScannedPage:
    rows = seen(models.ScannedPage, request).select_related("batch", "part", "back")
    return one(rows, public_id=side)


def _whole(row: models.ScannedPage) -> WholeSide:
    steps = [
        Step(
            **{name: getattr(step, name) for name in ("action", "note", "by", "at", "undone_at")},
            id=step.pk,
        )
        for step in row.steps.order_by("pk")
    ]
    return WholeSide(**side_of(row).model_dump(), steps=steps)
