"""Jobs in the hands of print shops: released, opened by links, counted, taken back."""

import time
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import Path, Router, Schema
from ninja.responses import Status
from pydantic import Field

from docgen.backoffice import links, models, releases
from docgen.backoffice.api.access import Request, one, scope, seen
from docgen.backoffice.api.downloads import CSV, JSON, PDF, ZIP, content
from docgen.backoffice.api.paging import Page, Paged, page
from docgen.backoffice.api.print_jobs import WatchedJob, job_of, watched
from docgen.backoffice.api.printed import part, parts
from docgen.backoffice.api.problems import Refused
from docgen.backoffice.api.reading import Body, Id, Name, RowId
from docgen.backoffice.events import tell
from docgen.errors import Problem

router = Router(tags=["releases"])


class NewShop(Body):
    """A print shop to add."""

    name: Name


class Shop(Schema):
    """A print shop."""

    id: int
    name: str


class Release(Body):
    """Which shop a job is for."""

    shop: RowId


class Lifetime(Body):
    """For how long links hold."""

    hours: Annotated[int, Field(ge=1, le=24 * 14)] = 72


class Link(Schema):
    """An address that gives one file of a job without an account."""

    file: str
    url: str
    expires_at: datetime


class Count(Body):
    """How many sheets came out for a volume."""

    sheets: Annotated[int, Field(ge=0, le=10_000_000)]


@router.get("/print-shops", auth=scope("read:releases"), response=Page[Shop])
def shops(request: Request, paging: Paged) -> dict[str, object]:
    """Liste les imprimeurs."""
    return page(seen(models.PrintShop, request), ["id"], paging)


@router.post("/print-shops", auth=scope("write:releases"), response={201: Shop})
def add_shop(request: Request, shop: NewShop) -> Status[Shop]:
    """Ajoute un imprimeur."""
    row = releases.add_shop(shop.name, request.auth.label)
    return Status(201, Shop(id=row.pk, name=row.name))


@router.post("/print-jobs/{job}/release", auth=scope("write:releases"), response=WatchedJob)
def release(request: Request, job: UUID, to: Release) -> WatchedJob:
    """Remet un lot prêt à un imprimeur."""
    row = job_of(request, job)
    shop = one(seen(models.PrintShop, request), pk=to.shop)
    return watched(releases.release(row, shop, request.auth.label))


@router.post("/print-jobs/{job}/withdraw", auth=scope("write:releases"), response=WatchedJob)
def withdraw(request: Request, job: UUID) -> WatchedJob:
    """Reprend un lot à son imprimeur, qui ne le voit plus."""
    return watched(releases.withdraw(job_of(request, job), request.auth.label))


@router.post("/print-jobs/{job}/links", auth=scope("write:releases"), response={201: list[Link]})
def make_links(request: Request, job: UUID, lifetime: Lifetime) -> Status[list[Link]]:
    """Donne des liens signés vers les fichiers d’un lot remis, pour qui n’a pas de compte."""
    row = job_of(request, job)
    expires = int(time.time()) + lifetime.hours * 3600
    try:
        made = [(name, links.make(row, name, expires)) for name in parts(row)]
    except links.LinkRefused as error:
        what = "seul un lot remis à un imprimeur a des liens."
        raise releases.StageConflict(Problem(what, row.name, "Remettez-le d’abord.")) from error
    tell("links-made", str(row.pk), school=row.school_id, actor=request.auth.label)
    base = f"{settings.PUBLIC_URL.rstrip('/')}/api/v1/links"
    day = datetime.fromtimestamp(expires, UTC)
    told = [Link(file=name, url=f"{base}/{token}", expires_at=day) for name, token in made]
    return Status(201, told)


@router.post(
    "/print-jobs/{job}/volumes/{number}/count", auth=scope("write:counts"), response=WatchedJob
)
def count(request: Request, job: UUID, number: Id, counted: Count) -> WatchedJob:
    """Compte les feuilles imprimées d’un volume ; un écart rouvre le lot."""
    row = one(seen(models.Volume, request), job=job_of(request, job), number=number)
    return watched(releases.count(row, counted.sheets, request.auth.label))


Token = Annotated[str, Path(max_length=1000, pattern="^[A-Za-z0-9:_-]+$")]


@router.get("/links/{token}", auth=None, openapi_extra=content(PDF, CSV, JSON, ZIP))
def follow(request: HttpRequest, token: Token) -> HttpResponseBase:
    """Donne le fichier d’un lien signé."""
    try:
        opened = links.read(token)
    except links.LinkRefused as error:
        what = "ce lien a expiré, ou n’ouvre plus rien."
        problem = Problem(what, "", "Demandez-en un autre au gestionnaire.")
        raise Refused("link-refused", problem) from error
    return part(request, opened.job, opened.part)
