"""Hooks: what a program is called about, how its calls went, and its secret, shown once."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Router, Schema
from ninja.responses import Status
from pydantic import Field

from docgen.backoffice import hooks, models
from docgen.backoffice.api.access import Request, one, scope, seen
from docgen.backoffice.api.attestations import told
from docgen.backoffice.api.paging import Page, Paged, page
from docgen.backoffice.api.print_jobs import Problem
from docgen.backoffice.api.problems import Refused
from docgen.backoffice.api.reading import Body
from docgen.errors import Problem as Trouble

router = Router(tags=["hooks"])
READ, WRITE = scope("read:hooks"), scope("write:hooks")
NEWEST_FIRST = ("-created_at", "-id")
Kind = Annotated[str, Field(max_length=40, pattern="^[a-z-]+$")]


class WantedHook(Body):
    """An address to call, and what about."""

    url: Annotated[str, Field(min_length=1, max_length=500)]
    kinds: Annotated[list[Kind], Field(max_length=50)]


class Restart(Body):
    """How a hook is started again: `replay` sends what was never delivered."""

    replay: bool = False


class Hook(Schema):
    """A hook; one that is stopped is called no more."""

    id: UUID
    url: str
    kinds: list[str]
    stopped_at: datetime | None
    created_at: datetime


class NewHook(Hook):
    """A hook that was just made: its secret is shown here only."""

    secret: str


class Restarted(Hook):
    """A hook started again, and how many calls are to be sent."""

    calls: int


class Answer(Schema):
    """What the other side answered; `status` is 0 when `fault` says why there is no answer."""

    at: datetime
    status: int
    milliseconds: int
    fault: str


class Call(Schema):
    """A call: its `id` is the `webhook-id` that was sent."""

    id: UUID
    kind: str
    state: str
    body: dict[str, Any]
    answers: list[Answer]
    next_at: datetime | None
    problems: list[Problem]
    created_at: datetime


@router.get("/hooks", auth=READ, response=Page[Hook])
def listed(request: Request, paging: Paged) -> dict[str, object]:
    """Liste les abonnements du programme, les plus récents d’abord."""
    found = page(seen(models.Hook, request), NEWEST_FIRST, paging)
    return {**found, "items": [Hook(**_facts(row)) for row in found["items"]]}


@router.post("/hooks", auth=WRITE, response={201: NewHook})
def add(request: Request, wanted: WantedHook) -> Status[NewHook]:
    """Abonne le programme ; le secret n’est montré que cette fois."""
    if not request.auth.client:
        what = "un abonnement appartient à un programme."
        raise Refused("role-forbidden", Trouble(what, "", "Appelez avec son jeton."))
    client = models.Client.objects.get(pk=request.auth.client)
    row, secret = hooks.create(client, wanted.url, wanted.kinds, request.auth.label)
    return Status(201, NewHook(**_facts(row), secret=secret))


@router.get("/hooks/{hook}", auth=READ, response=Hook)
def read(request: Request, hook: UUID) -> Hook:
    """Donne un abonnement."""
    return Hook(**_facts(_row(request, hook)))


@router.delete("/hooks/{hook}", auth=WRITE, response={204: None})
def remove(request: Request, hook: UUID) -> Status[None]:
    """Supprime un abonnement et son journal."""
    hooks.remove(_row(request, hook), request.auth.label)
    return Status(204, None)


@router.post("/hooks/{hook}/test", auth=WRITE, response={202: Call})
def test(request: Request, hook: UUID) -> Status[Call]:
    """Envoie un appel d’essai ; le journal dira ce que le destinataire a répondu."""
    return Status(202, _call(hooks.test(_row(request, hook), request.auth.label)))


@router.post("/hooks/{hook}/stop", auth=WRITE, response=Hook)
def stop(request: Request, hook: UUID) -> Hook:
    """Arrête un abonnement : ce qui attend n’est pas envoyé."""
    hooks.stop(_row(request, hook), request.auth.label)
    return Hook(**_facts(_row(request, hook)))


@router.post("/hooks/{hook}/restart", auth=WRITE, response=Restarted)
def restart(request: Request, hook: UUID, how: Restart) -> Restarted:
    """Relance un abonnement, et au besoin ce qui n’a pas été reçu."""
    calls = hooks.restart(_row(request, hook), request.auth.label, is_replay=how.replay)
    return Restarted(**_facts(_row(request, hook)), calls=calls)


@router.get("/hooks/{hook}/calls", auth=READ, response=Page[Call])
def calls(request: Request, hook: UUID, paging: Paged) -> dict[str, object]:
    """Donne le journal d’un abonnement : ses appels, et les réponses à chacun."""
    rows = seen(models.HookCall, request).filter(hook=_row(request, hook))
    found = page(rows, NEWEST_FIRST, paging)
    return {**found, "items": [_call(row) for row in found["items"]]}


def _row(request: Request, hook: UUID) -> models.Hook:
    return one(seen(models.Hook, request).select_related("client"), public_id=hook)


def _facts(row: models.Hook) -> dict[str, Any]:
    return {
        "id": row.public_id,
        "url": row.url,
        "kinds": row.kinds,
        "stopped_at": row.stopped_at,
        "created_at": row.created_at,
    }


def _call(row: models.HookCall) -> Call:
    return Call(
        id=row.public_id,
        kind=row.kind,
        state=row.state,
        body=row.body,
        answers=[Answer(**each) for each in row.answers],
        next_at=row.delayed_until if row.state == models.State.WAITING else None,
        problems=told(Trouble(*each) for each in row.problems),
        created_at=row.created_at,
    )
