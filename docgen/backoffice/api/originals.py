"""The paper originals of attestations: posted by schools, received by the region."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from django.utils import timezone
from ninja import Router, Schema

from docgen.backoffice import models, originals
from docgen.backoffice.api.access import Request, one, scope, seen
from docgen.backoffice.api.paging import Page, Paged, page
from docgen.backoffice.api.reading import Body, Uai, text, today

router = Router(tags=["originals"])
READ, WRITE, RECEIVE = (
    scope(name) for name in ("read:originals", "write:originals", "write:receptions")
)
NEWEST_FIRST = ("-created_at", "-id")


class Original(Schema):
    """Where the paper original of an attestation is; null for a step that it has before it."""

    attestation: UUID
    school: str
    school_year: str
    number: int
    reference: str
    fetched_at: datetime | None
    posted_date: date | None
    received_at: datetime | None


class ReceivedOriginal(Original):
    """An original that the region has; `is_new` tells whether it was recorded just now."""

    is_new: bool


class PostedOn(Body):
    """The day when a school put an original in the post; today without one."""

    on: date | None = None


class Reception(Body):
    """The code of any side of the original, as a scanner reads it, or the reference beside it."""

    code: Annotated[str, text(60, 1)]


@router.get("/originals", auth=READ, response=Page[Original])
def listed(
    request: Request, paging: Paged, school: Uai | None = None, received: bool | None = None
) -> dict[str, object]:
    """Liste les originaux des attestations, les plus récentes d’abord."""
    rows = seen(models.Attestation, request).select_related("original")
    rows = rows.filter(school=school) if school else rows
    if received is not None:
        rows = rows.filter(original__received_at__isnull=not received)
    found = page(rows.defer("record", "region", "letterhead"), NEWEST_FIRST, paging)
    return {**found, "items": [_told(row) for row in found["items"]]}


@router.post("/originals/{attestation}/post", auth=WRITE, response=Original)
def post(request: Request, attestation: UUID, posting: PostedOn) -> Original:
    """Enregistre le jour où l’original a été posté."""
    row = _row(request, attestation)
    originals.posted(row, posting.on or today(), request.auth.label, today())
    return _told(_row(request, attestation))


@router.delete("/originals/{attestation}/post", auth=WRITE, response=Original)
def undo_post(request: Request, attestation: UUID) -> Original:
    """Annule cet envoi par la poste."""
    originals.not_posted(_row(request, attestation), request.auth.label)
    return _told(_row(request, attestation))


@router.post("/receptions", auth=RECEIVE, response=ReceivedOriginal)
def receive(request: Request, reception: Reception) -> ReceivedOriginal:
    """Enregistre qu’un original est reçu, par le code d’une de ses faces ou sa référence."""
    now = timezone.now()
    row = originals.received(reception.code, request.auth, now)
    told = _told(one(seen(models.Attestation, request), pk=row.pk))
    return ReceivedOriginal(**told.model_dump(), is_new=row.received_at == now)


@router.delete("/receptions/{attestation}", auth=RECEIVE, response=Original)
def undo_receive(request: Request, attestation: UUID) -> Original:
    """Annule cette réception."""
    originals.not_received(_row(request, attestation), request.auth.label)
    return _told(_row(request, attestation))


def _row(request: Request, attestation: UUID) -> models.Attestation:
    return one(seen(models.Attestation, request), public_id=attestation)


def _told(row: models.Attestation) -> Original:
    return Original(**originals.facts(row))
