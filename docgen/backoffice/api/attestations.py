"""Attestations of cession: previewed, issued for a period, downloaded as they were signed."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from django.http.response import HttpResponseBase
from ninja import Router, Schema
from ninja.responses import Status

from docgen import attestations as rules
from docgen.backoffice import attestations, models, originals
from docgen.backoffice.api.access import Request, one, scope, seen
from docgen.backoffice.api.downloads import Kept, partly, sent
from docgen.backoffice.api.paging import Page, Paged, page
from docgen.backoffice.api.print_jobs import Problem
from docgen.backoffice.api.problems import Refused
from docgen.backoffice.api.reading import Body, Uai, today
from docgen.errors import Problem as Trouble

router = Router(tags=["attestations"])
READ, WRITE = scope("read:attestations"), scope("write:attestations")
NEWEST_FIRST = ("-created_at", "-id")


class WantedAttestation(Body):
    """A period to attest; `withdraw` confirms that attested cessions since cancelled come off."""

    school: Uai
    start: date
    end: date
    withdraw: bool = False


class AttestedCession(Schema):
    """A cession as an attestation lists it; `origin` names another attestation."""

    serial: str
    person: str
    audience: str
    division: str
    ceded_date: date
    origin: str


class Stock(Schema):
    """Tablets of one model and state that the school still holds."""

    model: str
    state: str
    count: int


class Held(Schema):
    """What an attestation holds; `stock` is null when the school never told it."""

    school_year: str
    number: int
    is_complementary: bool
    start: date
    end: date
    issued_date: date
    pupils: int
    teachers: int
    late: int
    cessions: list[AttestedCession]
    withdrawn: list[AttestedCession]
    stock: list[Stock] | None


class Preview(Schema):
    """What an attestation would hold, or all that refuses it, and the cessions left for later."""

    attestation: Held | None
    problems: list[Problem]
    undated: int
    outside: int


class Attestation(Schema):
    """An attestation; its papers are there when `state` is `done`."""

    id: UUID
    school: str
    school_year: str
    number: int
    start: date
    end: date
    state: str
    references: dict[str, str]
    files: list[str]
    problems: list[Problem]
    created_at: datetime
    ready_at: datetime | None


class WholeAttestation(Attestation):
    """An attestation and what it holds, under its seal."""

    sha256: str
    holds: Held


@router.get("/attestations", auth=READ, response=Page[Attestation])
def listed(request: Request, paging: Paged, school: Uai | None = None) -> dict[str, object]:
    """Liste les attestations, les plus récentes d’abord."""
    rows = seen(models.Attestation, request)
    found = page(rows.filter(school=school) if school else rows, NEWEST_FIRST, paging)
    return {**found, "items": [Attestation(**_facts(row)) for row in found["items"]]}


@router.post("/attestations", auth=WRITE, response={201: WholeAttestation})
def issue(request: Request, wanted: WantedAttestation) -> Status[WholeAttestation]:
    """Édite l’attestation d’une période ; l’attestation et le bordereau suivent."""
    school = one(seen(models.School, request), pk=wanted.school)
    row = attestations.issue(
        school, wanted.start, wanted.end, today(), request.auth.label, withdraw=wanted.withdraw
    )
    return Status(201, _whole(row))


@router.get("/schools/{uai}/attestation-preview", auth=READ, response=Preview)
def preview(request: Request, uai: Uai, start: date, end: date, withdraw: bool = False) -> Preview:
    """Dit ce que contiendrait une attestation, ou pourquoi elle serait refusée ; ne garde rien."""
    school = one(seen(models.School, request), pk=uai)
    found = attestations.preview(school, start, end, today(), withdraw=withdraw)
    return Preview(
        attestation=_held(found.attestation) if found.attestation else None,
        problems=told(found.problems),
        undated=found.undated,
        outside=found.outside,
    )


@router.get("/attestations/{attestation}", auth=READ, response=WholeAttestation)
def read(request: Request, attestation: UUID) -> WholeAttestation:
    """Donne une attestation et ce qu’elle contient."""
    return _whole(_row(request, attestation))


@router.get("/attestations/{attestation}/{paper}.pdf", auth=READ, openapi_extra=partly())
def paper(
    request: Request, attestation: UUID, paper: Literal["attestation", "bordereau"]
) -> HttpResponseBase:
    """Donne l’attestation ou son bordereau d’envoi, toujours les mêmes octets (ETag, Range)."""
    row = _row(request, attestation)
    for name, sha256 in row.files.items():
        if name.startswith(paper):
            answer = sent(request, Kept(name, sha256))
            if paper == "attestation" and _is_to_print(request, answer):
                originals.fetched(row, request.auth.label)
            return answer
    if row.state == models.State.DONE:
        raise Refused("not-found", Trouble("ce document n’est plus conservé.", paper))
    raise Refused("paper-not-ready", Trouble("ce document n’est pas encore prêt.", paper))


@router.post("/attestations/{attestation}/retry", auth=WRITE, response=WholeAttestation)
def retry(request: Request, attestation: UUID) -> WholeAttestation:
    """Refait un document refusé, avec l’établissement tel qu’il est corrigé."""
    row = _row(request, attestation)
    attestations.retry(row, request.auth.label)
    return _whole(_row(request, attestation))


def told(problems: Iterable[Trouble]) -> list[Problem]:
    """Give problems as the API tells them."""
    return [Problem(what=each.what, where=each.where, remedy=each.remedy) for each in problems]


def _row(request: Request, attestation: UUID) -> models.Attestation:
    return one(seen(models.Attestation, request), public_id=attestation)


def _is_to_print(request: Request, answer: HttpResponseBase) -> bool:
    """Tell whether a download is one that paper comes from: not a look, nor the region's."""
    is_look = request.META["REQUEST_METHOD"] != "GET" or answer.status_code == 304
    return not is_look and request.auth.role != models.Role.REGION


def _facts(row: models.Attestation) -> dict[str, Any]:
    return {
        "id": row.public_id,
        "school": row.school_id,
        "school_year": row.school_year,
        "number": row.number,
        "start": row.start_date,
        "end": row.end_date,
        "state": row.state,
        "references": row.references,
        "files": sorted(row.files),
        "problems": told(Trouble(*each) for each in row.problems),
        "created_at": row.created_at,
        "ready_at": row.finished_at if row.files else None,
    }


def _whole(row: models.Attestation) -> WholeAttestation:
    frozen = attestations.frozen(row)
    return WholeAttestation(**_facts(row), sha256=frozen.sha256, holds=_held(frozen))


def _held(found: rules.Attestation) -> Held:
    pupils, teachers = rules.count(found.rows)
    return Held(
        school_year=found.school_year,
        number=found.number,
        is_complementary=found.is_complementary,
        start=found.period.start,
        end=found.period.end,
        issued_date=found.issued_date,
        pupils=pupils,
        teachers=teachers,
        late=len(found.late),
        cessions=_cessions(found.rows),
        withdrawn=_cessions(found.withdrawn),
        stock=None
        if found.stock is None
        else [Stock(model=e.model, state=e.state, count=e.count) for e in found.stock],
    )


def _cessions(rows: Iterable[rules.Row]) -> list[AttestedCession]:
    return [
        AttestedCession(
            serial=row.serial,
            person=row.person_id,
            audience=row.audience,
            division=row.division,
            ceded_date=row.ceded_date,
            origin=row.origin,
        )
        for row in rows
    ]
