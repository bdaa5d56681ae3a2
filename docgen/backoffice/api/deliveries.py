"""Deliveries: signed attestations on their way to the region, and what somebody decides of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.db.models import Count, Prefetch, QuerySet
from django.http.response import HttpResponseBase
from ninja import Path as PathPart
from ninja import Router, Schema
from pydantic import Field

from docgen.backoffice import deliveries, departures, models
from docgen.backoffice.api.access import Request, one, scope, seen
from docgen.backoffice.api.attestations import told
from docgen.backoffice.api.downloads import MAIL, Kept, partly, sent
from docgen.backoffice.api.paging import Page, Paged, page
from docgen.backoffice.api.print_jobs import Problem
from docgen.backoffice.api.problems import Refused
from docgen.backoffice.api.reading import Body, Uai
from docgen.backoffice.models import Role
from docgen.errors import InvalidInput
from docgen.errors import Problem as Trouble

router = Router(tags=["deliveries"])
READ, WRITE = scope("read:deliveries"), scope("write:deliveries")
LAST_CHANGED_FIRST = ("-changed_at", "-id")
UNSAID = ("attestation__record", "attestation__region", "attestation__letterhead")
Stage = Literal["held", "new", "sending", "sent", "refused", "uncertain", "replaced"]
Part = PathPart[Annotated[int, Field(ge=1, lt=2**31)]]


class Delivery(Schema):
    """A signed attestation to bring to one address; `why` says why it is where it is.

    `is_test`: it goes to the address that all mail is redirected to.
    """

    id: UUID
    school: str
    attestation: UUID
    school_year: str
    number: int
    role: str
    recipient: str
    version: int
    stage: str
    why: str
    is_test: bool
    parts: int
    sha256: str
    created_at: datetime
    changed_at: datetime
    sent_at: datetime | None
    bounced_at: datetime | None


class Try(Schema):
    """What was said of a mail, by a server (`code` 0: not in an answer) or by somebody (`by`)."""

    at: datetime
    verdict: str
    code: int
    words: str
    by: str = ""


class Message(Schema):
    """A mail of a delivery; `sha256` is that of its bytes, "" once they are kept no more."""

    part: int
    stage: str
    subject: str
    recipient: str
    sent_to: str
    message_id: str
    sha256: str
    size: int
    tried_at: datetime | None
    next_try_at: datetime | None
    sent_at: datetime | None
    answers: list[Try]
    problems: list[Problem]


class WholeDelivery(Delivery):
    """A delivery and its mails."""

    messages: list[Message]
    problems: list[Problem]


class Settlement(Body):
    """What somebody found out about an uncertain mail: its recipient has it, or has not.

    Of several parts, `part` is the one that is meant; 0: all that are uncertain.
    """

    sent: bool
    part: Annotated[int, Field(ge=0, lt=2**31)] = 0


class MailWay(Schema):
    """The way that mail takes: the folder of files, or a server; `way` is what is approved.

    `stages` counts deliveries by where they are.
    """

    way: str
    server: str
    security: str
    folder: str
    sender: str
    mailbox: str
    redirect: str
    is_approved: bool
    stages: dict[str, int]


class Approval(Body):
    """The way that was looked at: approved only if mail still takes it."""

    way: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


@router.get("/deliveries", auth=READ, response=Page[Delivery])
def listed(  # noqa: PLR0917 - a filter each
    request: Request,
    paging: Paged,
    school: Uai | None = None,
    stage: Stage | None = None,
    role: Literal["region", "copy"] | None = None,
    attestation: UUID | None = None,
) -> dict[str, object]:
    """Liste les envois, les derniers changés d’abord ; `why` dit où en est chacun."""
    wanted = {
        "school": school,
        "stage": stage,
        "role": role,
        "attestation__public_id": attestation,
    }
    rows = _rows(request).filter(**{name: value for name, value in wanted.items() if value})
    found, may_leave = page(rows, LAST_CHANGED_FIRST, paging), deliveries.is_approved()
    return {**found, "items": [Delivery(**_facts(row, may_leave)) for row in found["items"]]}


@router.get("/deliveries/{delivery}", auth=READ, response=WholeDelivery)
def read(request: Request, delivery: UUID) -> WholeDelivery:
    """Donne un envoi, ses messages, et ce que les serveurs ont répondu à chaque essai."""
    return _whole(request, delivery)


@router.get("/deliveries/{delivery}/messages/{part}.eml", auth=READ, openapi_extra=partly(MAIL))
def mail(request: Request, delivery: UUID, part: Part) -> HttpResponseBase:
    """Donne le message lui-même, tel qu’il part ou est parti (ETag, Range)."""
    row = one(_rows(request), pk=delivery)
    found = next((each for each in _mails(row) if each.part == part), None)
    if found is None:
        raise Refused("not-found", Trouble("rien ne porte cet identifiant."))
    if not found.sha256:
        raise Refused("not-found", Trouble("ce message n’est plus conservé."))
    return sent(request, Kept(_file_name(row, part), found.sha256, MAIL))


@router.post("/deliveries/{delivery}/release", auth=WRITE, response=WholeDelivery)
def release(request: Request, delivery: UUID) -> WholeDelivery:
    """Laisse partir un envoi retenu."""
    row = one(_rows(request), pk=delivery)
    with _where_it_stands():
        deliveries.release(row, request.auth.label)
    return _whole(request, delivery)


@router.post("/deliveries/{delivery}/retry", auth=WRITE, response=WholeDelivery)
def retry(request: Request, delivery: UUID) -> WholeDelivery:
    """Relance un envoi refusé, ou revenu."""
    row = one(_rows(request), pk=delivery)
    with _where_it_stands():
        deliveries.retry(row, request.auth.label)
    return _whole(request, delivery)


@router.post("/deliveries/{delivery}/settle", auth=WRITE, response=WholeDelivery)
def settle(request: Request, delivery: UUID, found: Settlement) -> WholeDelivery:
    """Tranche un envoi incertain, ou une de ses parties : son destinataire l’a, ou non."""
    row = one(_rows(request), pk=delivery)
    with _where_it_stands():
        deliveries.settle(row, request.auth.label, is_sent=found.sent, part=found.part)
    return _whole(request, delivery)


@router.get("/mail-way", auth=READ, response=MailWay)
def mail_way(request: Request) -> MailWay:
    """Dit par où part le courrier, si ce chemin est approuvé, et combien d’envois attendent."""
    if request.auth.role != Role.BACK_OFFICE:
        raise Refused("role-forbidden", Trouble("votre rôle ne permet pas cette action."))
    return _way(request)


@router.post("/mail-way/approve", auth=WRITE, response=MailWay)
def approve(request: Request, wanted: Approval) -> MailWay:
    """Approuve le chemin du courrier, une fois vu ce qui partirait : les envois commencent."""
    if _way(request).way != wanted.way:
        remedy = "Relisez /mail-way, puis approuvez."
        raise Refused("conflict", Trouble("le courrier prend un autre chemin.", "way", remedy))
    deliveries.approve(request.auth.label)
    return _way(request)


@contextmanager
def _where_it_stands() -> Iterator[None]:
    """Answer what does not go with where a delivery is as a conflict."""
    try:
        yield
    except InvalidInput as error:
        raise Refused("conflict", *error.problems) from error


def _rows(request: Request) -> QuerySet[models.Delivery]:
    rows = seen(models.Delivery, request).select_related("attestation", "school").defer(*UNSAID)
    return rows.prefetch_related(Prefetch("messages", seen(models.Message, request)))


def _mails(row: models.Delivery) -> list[models.Message]:
    """Give the mails of a delivery, part by part; not those that others replaced."""
    mails = sorted(row.messages.all(), key=lambda each: (each.part, each.created_at))
    return [each for each in mails if each.stage != models.Posting.REPLACED] or mails


def _file_name(row: models.Delivery, part: int) -> str:
    about = row.attestation
    return f"envoi-{row.school_id}-{about.school_year}-n{about.number}-{row.role}-{part}.eml"


def _facts(row: models.Delivery, may_leave: bool | None = None) -> dict[str, Any]:
    names = (
        *("id", "role", "recipient", "version", "stage", "is_test", "sha256"),
        *("created_at", "changed_at", "sent_at", "bounced_at"),
    )
    return {name: getattr(row, name) for name in names} | {
        "school": row.school_id,
        "attestation": row.attestation.public_id,
        "school_year": row.attestation.school_year,
        "number": row.attestation.number,
        "parts": len(_mails(row)),
        "why": deliveries.why(row, may_leave=may_leave),
    }


def _whole(request: Request, delivery: UUID) -> WholeDelivery:
    row = one(_rows(request), pk=delivery)
    return WholeDelivery(
        **_facts(row),
        messages=[_message(each) for each in _mails(row)],
        problems=told(Trouble(*each) for each in row.problems),
    )


def _message(row: models.Message) -> Message:
    names = (
        *("part", "stage", "subject", "recipient", "sent_to", "message_id", "sha256", "size"),
        *("tried_at", "sent_at"),
    )
    is_waiting = row.state == models.State.WAITING
    return Message(
        **{name: getattr(row, name) for name in names},
        next_try_at=row.delayed_until if is_waiting else None,
        answers=[Try(**each) for each in row.answers],
        problems=told(Trouble(*each) for each in row.problems),
    )


def _way(request: Request) -> MailWay:
    post, mailbox = departures.post(), departures.mailbox()
    counts = seen(models.Delivery, request).values_list("stage").annotate(Count("pk")).order_by()
    return MailWay(
        way=post.way(mailbox),
        server=f"{post.smtp.host}:{post.smtp.port}" if post.smtp else "",
        security=post.smtp.security if post.smtp else "",
        folder="" if post.smtp else str(post.folder),
        sender=post.sender,
        mailbox=mailbox,
        redirect=post.redirect,
        is_approved=deliveries.is_approved(),
        stages=dict(counts),
    )
