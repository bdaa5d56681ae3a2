"""Mails that came: what each one was, and what the back office decides about those put aside."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from ninja import Router, Schema

from docgen.backoffice import mails, models
from docgen.backoffice.api.access import Request, one, scope, seen
from docgen.backoffice.api.attestations import told
from docgen.backoffice.api.paging import Page, Paged, page
from docgen.backoffice.api.print_jobs import Problem
from docgen.backoffice.api.reading import Body, Uai
from docgen.errors import Problem as Trouble
from docgen.mailing.incoming import REASONS

router = Router(tags=["mails"])
READ, WRITE = scope("read:mails"), scope("write:mails")
NEWEST_FIRST = ("-created_at", "-id")
Verdict = Literal["waiting", "scans", "bounce", "automatic", "empty", "quarantine"]


class RefusedFile(Schema):
    """A file of a mail that was not taken, by the name that its sender gave it, and why."""

    label: str
    reason: str
    words: str
    problems: list[Problem]


class Incoming(Schema):
    """A mail that came: what it was, why, and the files of scans that it brought.

    Of no school: its sender is not a school's own address. `awaits`: somebody has to take its scans
    in after all, or to dismiss it.
    """

    id: UUID
    school: str | None
    verdict: str
    reason: str
    words: str
    size: int
    scans: list[UUID]
    refused: list[RefusedFile]
    awaits: bool
    is_kept: bool
    created_at: datetime
    read_at: datetime | None


class Taking(Body):
    """Whose scans they are: a school's, or without one, a pile of several."""

    school: Uai | None = None


@router.get("/mails", auth=READ, response=Page[Incoming])
def listed(
    request: Request,
    paging: Paged,
    school: Uai | None = None,
    verdict: Verdict | None = None,
    *,
    awaits: bool | None = None,
) -> dict[str, object]:
    """Liste les courriels reçus, les plus récents d’abord ; `awaits` : ceux qui sont à décider."""
    rows = seen(models.Mail, request)
    rows = rows.filter(school=school) if school else rows
    rows = rows.filter(verdict=verdict) if verdict else rows
    if awaits is not None:
        rows = rows.filter(mails.AWAITING) if awaits else rows.exclude(mails.AWAITING)
    found = page(rows, NEWEST_FIRST, paging)
    return {**found, "items": [Incoming(**facts(row)) for row in found["items"]]}


@router.get("/mails/{mail}", auth=READ, response=Incoming)
def read(request: Request, mail: UUID) -> Incoming:
    """Donne un courriel reçu : ce qu’il était, et ce qui n’en a pas été pris."""
    return Incoming(**facts(one(seen(models.Mail, request), pk=mail)))


@router.post("/mails/{mail}/take", auth=WRITE, response=Incoming)
def take(request: Request, mail: UUID, data: Taking) -> Incoming:
    """Prend les numérisations d’un courriel mis de côté, d’un établissement ou en pile."""
    row = one(seen(models.Mail, request), pk=mail)
    school = one(seen(models.School, request), pk=data.school) if data.school else None
    return Incoming(**facts(mails.take(row, school, request.auth)))


@router.post("/mails/{mail}/dismiss", auth=WRITE, response=Incoming)
def dismiss(request: Request, mail: UUID) -> Incoming:
    """Écarte un courriel mis de côté : il n’attend plus personne."""
    row = one(seen(models.Mail, request), pk=mail)
    return Incoming(**facts(mails.dismiss(row, request.auth)))


def facts(row: models.Mail) -> dict[str, Any]:
    """Give what the API tells of a mail; never who sent it, nor what it says."""
    refused = [
        {
            "label": each["label"],
            "reason": each["reason"],
            "words": REASONS[each["reason"]],
            "problems": told(Trouble(*problem) for problem in each["problems"]),
        }
        for each in row.refused
    ]
    return {
        "id": row.pk,
        "school": row.school_id,
        "verdict": row.verdict,
        "reason": row.reason,
        "words": REASONS.get(row.reason, ""),
        "size": row.size,
        "scans": row.batches,
        "refused": refused,
        "awaits": mails.awaits(row),
        "is_kept": bool(row.sha256) and row.purged_at is None,
        "created_at": row.created_at,
        "read_at": row.finished_at,
    }
