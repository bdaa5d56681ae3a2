"""The ledger of cessions and attestations, and what schools were reminded of."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from django.http.response import HttpResponseBase
from ninja import Router, Schema
from pydantic import Field

from docgen.backoffice import ledger, models
from docgen.backoffice.api.access import Request, one, scope, seen
from docgen.backoffice.api.downloads import CSV, content, given
from docgen.backoffice.api.paging import Page, Paged, page
from docgen.backoffice.api.reading import Uai

router = Router(tags=["ledger"])
READ = scope("read:attestations")
NEWEST_FIRST = ("-raised_at", "-id")
Year = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{4}$")]


class Tablets(Schema):
    """Tablets by how far they are; `gap`: ceded, and the region does not hold their original."""

    ceded: int
    pupils: int
    teachers: int
    undated: int
    attested: int
    returned: int
    mailed: int
    received: int
    to_attest: int
    to_withdraw: int
    to_return: int
    to_mail: int
    to_receive: int
    gap: int


class Attestations(Schema):
    """Attestations by the steps that they went through."""

    issued: int
    fetched: int
    returned: int
    mailed: int
    posted: int
    received: int


class Line(Schema):
    """What the ledger says of a school."""

    school: str
    name: str
    tablets: Tablets
    attestations: Attestations


class Ledger(Schema):
    """A line for each school that is seen, and all of them together."""

    lines: list[Line]
    total: Line


class Reminder(Schema):
    """Something late that a school was told of, once."""

    id: int
    school: str
    kind: str
    label: str
    attestation: UUID | None
    due_date: date
    counts: dict[str, int]
    raised_at: datetime


@router.get("/ledger", auth=READ, response=Ledger)
def read(request: Request, school: Uai | None = None, year: Year | None = None) -> Ledger:
    """Dit ce qui est cédé, attesté, revenu, envoyé, reçu, et l’écart."""
    found = _lines(request, school, year)
    told = [Line(**line.facts()) for line in found]
    return Ledger(lines=told, total=Line(**ledger.total(found).facts()))


@router.get("/ledger.csv", auth=READ, openapi_extra=content(CSV))
def as_csv(
    request: Request, school: Uai | None = None, year: Year | None = None
) -> HttpResponseBase:
    """Donne le même compte pour un tableur, une ligne par établissement."""
    text = ledger.as_csv(_lines(request, school, year))
    return given([text.encode()], "registre.csv", f"{CSV}; charset=utf-8")


@router.get("/reminders", auth=READ, response=Page[Reminder])
def reminders(request: Request, paging: Paged, school: Uai | None = None) -> dict[str, object]:
    """Liste les rappels faits aux établissements, les plus récents d’abord."""
    rows = seen(models.Reminder, request).select_related("attestation")
    found = page(rows.filter(school=school) if school else rows, NEWEST_FIRST, paging)
    return {**found, "items": [_reminder(row) for row in found["items"]]}


def _lines(request: Request, school: str | None, year: str | None) -> list[ledger.Line]:
    if school:
        one(seen(models.School, request), pk=school)
    return ledger.lines(request.auth, school=school or "", year=year or "")


def _reminder(row: models.Reminder) -> Reminder:
    return Reminder(
        id=row.pk,
        school=row.school_id,
        kind=row.kind,
        label=models.Reminder.Kind(row.kind).label,
        attestation=row.attestation.public_id if row.attestation else None,
        due_date=row.due_date,
        counts=row.counts,
        raised_at=row.raised_at,
    )
