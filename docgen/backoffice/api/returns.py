"""Documents that come home: what is there, what is missing, and the signed file."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.http.response import HttpResponseBase
from ninja import Router, Schema

from docgen.backoffice import models, reviews
from docgen.backoffice.api.access import Request, one, seen
from docgen.backoffice.api.attestations import told
from docgen.backoffice.api.downloads import Kept, partly, sent
from docgen.backoffice.api.paging import Page, Paged, page
from docgen.backoffice.api.print_jobs import Problem
from docgen.backoffice.api.problems import Refused
from docgen.backoffice.api.reading import Label, Slug, Uai
from docgen.backoffice.api.scans import READ, WatchedScan, scan_of, watched
from docgen.errors import Problem as Trouble

router = Router(tags=["returns"])
LAST_CHANGED_FIRST = ("-changed_at", "-id")


class Unsigned(Schema):
    """A signature zone that was found empty."""

    side: int
    zone: str


class ReturnedDocument(Schema):
    """A document that comes home; `sha256` is that of its signed file, "" while there is none."""

    id: UUID
    reference: str
    school: str
    template: str
    title: str
    person: str
    division: str
    stage: str
    sides: int
    home: list[int]
    missing: list[int]
    unsigned: list[Unsigned]
    problems: list[Problem]
    sha256: str
    size: int
    created_at: datetime
    changed_at: datetime
    bound_at: datetime | None


class ScanReport(Schema):
    """What a file of scans gave; `is_final` once its documents are bound.

    `waiting` counts the sides that somebody has to look at.
    """

    scan: WatchedScan
    waiting: int
    is_final: bool
    documents: list[ReturnedDocument]


class Source(Schema):
    """Where a side of the signed file comes from: a side of a scan, or the original print.

    `is_fitted`: laid in the middle of its paper, for want of codes to lay it by.
    """

    side: int
    origin: Literal["scan", "print"]
    scan: UUID | None
    number: int | None
    is_fitted: bool


class WholeReturnedDocument(ReturnedDocument):
    """A document and the index of its signed file."""

    sources: list[Source]


@router.get("/scans/{scan}/report", auth=READ, response=ScanReport)
def report(request: Request, scan: UUID) -> ScanReport:
    """Dit ce qu’un fichier a donné : documents complétés, faces qui manquent, cases vides."""
    row = scan_of(request, scan)
    found = list(reviews.documents_of(row, request.auth))
    waiting = reviews.queue(request.auth).filter(batch=row).count()
    return ScanReport(
        scan=watched(row),
        waiting=waiting,
        is_final=row.stage != row.Stage.RECEIVED and not reviews.is_binding(found),
        documents=[ReturnedDocument(**facts(each)) for each in found],
    )


@router.get("/returns", auth=READ, response=Page[ReturnedDocument])
def listed(  # noqa: PLR0917 - a filter each
    request: Request,
    paging: Paged,
    school: Uai | None = None,
    stage: Literal["partial", "complete", "bound", "empty"] | None = None,
    template: Slug | None = None,
    division: Label | None = None,
    unsigned: bool | None = None,
) -> dict[str, object]:
    """Liste les documents revenus, les derniers changés d’abord ; `unsigned` : à signer encore."""
    wanted = {"school": school, "stage": stage, "slug": template, "division": division}
    rows = seen(models.Return, request).filter(**{k: v for k, v in wanted.items() if v})
    if unsigned is not None:
        rows = rows.exclude(unsigned=[]) if unsigned else rows.filter(unsigned=[])
    found = page(reviews.with_sides(rows), LAST_CHANGED_FIRST, paging)
    return {**found, "items": [ReturnedDocument(**facts(row)) for row in found["items"]]}


@router.get("/returns/{document}", auth=READ, response=WholeReturnedDocument)
def read(request: Request, document: UUID) -> WholeReturnedDocument:
    """Donne un document : ce qui est revenu, ce qui manque, d’où vient chaque face."""
    row = one(seen(models.Return, request), pk=document)
    return WholeReturnedDocument(**facts(row), sources=row.sources)


@router.get("/returns/{document}/signed.pdf", auth=READ, openapi_extra=partly())
def signed(request: Request, document: UUID) -> HttpResponseBase:
    """Donne le document signé (PDF/A-2b ; ETag, Range)."""
    row = one(seen(models.Return, request), pk=document)
    if row.stage != row.Stage.BOUND:  # an older file would tell what is so no more
        raise Refused("paper-not-ready", Trouble("ce document n’est pas encore relié."))
    return sent(request, Kept(f"{row.reference}.pdf", row.sha256))


def facts(row: models.Return) -> dict[str, Any]:
    """Give what the API tells of a document in a list."""
    names = (
        *("id", "reference", "title", "person", "division", "stage", "sides", "missing"),
        *("created_at", "changed_at", "bound_at"),
    )
    is_bound = row.stage == row.Stage.BOUND
    known = models.ScannedPage.Outcome.KNOWN
    return {name: getattr(row, name) for name in names} | {
        "school": row.school_id,
        "template": row.slug,
        "home": sorted(p.side for p in row.pages.all() if p.outcome == known and p.side),
        "unsigned": row.unsigned,
        "sha256": row.sha256 if is_bound else "",
        "size": row.size if is_bound else 0,
        "problems": told(Trouble(*each) for each in row.problems),
    }
