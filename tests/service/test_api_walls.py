"""The walls: every route, every role, one's own school and another's. The routes come from the
OpenAPI document, so that none can be added without its line in the table."""

import json
import uuid
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import DjangoDbBlocker

from docgen.backoffice import models
from docgen.backoffice.api import api
from tests.service.api_table import CALLERS, ROWS, TOKEN_REFUSALS, Row
from tests.service.screen_walk import built
from tests.service.world import Facts, World, filled, undone

pytestmark = pytest.mark.django_db
PREFIX = "/api/v1"


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with built(django_db_blocker) as made:
        yield made


@pytest.fixture(autouse=True)
def fresh() -> None:
    """Forget how often a caller asked: no test is slowed by another."""
    cache.clear()


def routes() -> list[str]:
    """List the routes of the OpenAPI document: `GET /schools/{uai}`."""
    paths = api.get_openapi_schema()["paths"]
    return [
        f"{method.upper()} {path.removeprefix(PREFIX)}"
        for path, methods in paths.items()
        for method in methods
    ]


def ask(client: Client, route: str, row: Row, facts: Facts) -> tuple[int, bytes]:
    """Send the request of a route about these facts, and undo what it did."""
    with undone():
        return send(client, route, row, facts)


def send(client: Client, route: str, row: Row, facts: Facts, **more: str) -> tuple[int, bytes]:
    """Send the request of a route about these facts, with more headers."""
    method, _, path = route.partition(" ")
    where = PREFIX + filled(path, facts) + row.query
    body = filled(row.body, facts)
    if row.files:
        files = {k: SimpleUploadedFile(f"{k}.csv", v.encode()) for k, v in row.files.items()}
        answer = client.post(where, {**body, **files}, headers=more)
    elif method == "GET":
        answer = client.get(where, headers=more)
    else:
        sent = json.dumps(body)
        answer = client.generic(method, where, sent, "application/json", headers=more)
    content = answer.getvalue() if answer.streaming else answer.content
    return answer.status_code, content


def asker(world: World, name: str, way: str) -> Client:
    """Give a client that calls as somebody, by token or by session."""
    if way == "session":
        client = Client()
        client.force_login(world.people[name])
        return client
    return Client(headers=world.headers[name])


def test_every_route_has_its_line_and_every_line_its_route() -> None:
    assert sorted(routes()) == sorted(ROWS)


@pytest.mark.parametrize("way", ["token", "session"])
def test_nobody_passes_a_wall(world: World, way: str) -> None:
    wrong, leaks = [], []
    askers = {name: asker(world, name, way) for name in CALLERS}
    for route, row in ROWS.items():
        for name, client in askers.items():
            status, content = ask(client, route, row, world.arles)
            if status != (expected := row.expected(name, way)):
                wrong.append(f"{name}: {route}: {status}, not {expected} {content[:200]!r}")
            is_stranger = name in ("berre", "shop_berre") and not row.is_public
            marks = world.arles["marks"] if is_stranger else ()
            if name in ("arles", "shop_arles"):
                marks = world.berre["marks"]
            leaks += [f"{name}: {route}: {mark}" for mark in marks if mark.encode() in content]
    assert wrong == []
    assert leaks == []


def test_without_a_token_that_holds_nothing_is_told(world: World) -> None:
    wrong = []
    for route, row in ROWS.items():
        for name, expected in TOKEN_REFUSALS.items():
            status, content = ask(asker(world, name, "token"), route, row, world.arles)
            if status != (row.good if row.is_public else expected):
                wrong.append(f"{name}: {route}: {status}")
            elif not row.is_public:
                wrong += [
                    f"{name}: {route}: {mark}"
                    for mark in world.arles["marks"]
                    if mark.encode() in content
                ]
    assert wrong == []


def test_what_belongs_to_others_answers_like_what_does_not_exist(world: World) -> None:
    nothing = {
        **world.arles,
        "uai": "0139999Z",
        "person": 2**40,
        "second": 2**40,
        "cession": 2**40,
        "loan": 2**40,
        "shop": 2**40,
        **{name: str(uuid.uuid4()) for name in ("job", "attestation", "convention", "hook")},
        **{name: str(uuid.uuid4()) for name in ("scan", "side", "document", "delivery", "mail")},
    }
    different = []
    for route, row in ROWS.items():
        if row.is_public or "{" not in route.replace("{slug}", ""):
            continue
        for name in ("berre", "shop_berre"):
            client = asker(world, name, "token")
            if ask(client, route, row, world.arles) != ask(client, route, row, nothing):
                different.append(f"{name}: {route}")
    assert different == []


def test_a_row_of_another_school_is_not_reached_through_ones_own(world: World) -> None:
    """The school of the address is one's own, the person or the job is not."""
    mixed = {**world.arles, "uai": world.berre["uai"]}
    wrong = []
    for route, row in ROWS.items():
        if route.replace("{template}", "").count("{") < 2 or "{uai}" not in route:
            continue
        status, _ = ask(asker(world, "berre", "token"), route, row, mixed)
        if status != 404:
            wrong.append(f"{route}: {status}")
    for route in ("/schools/{uai}/cessions", "/schools/{uai}/loans", "/conventions"):
        row = ROWS[f"POST {route}"]
        status, _ = ask(asker(world, "berre", "token"), f"POST {route}", row, mixed)
        wrong += [] if status == 404 else [f"{route}: {status}"]
    assert wrong == []


def test_every_post_is_answered_again_under_its_key(world: World) -> None:
    client, wrong = asker(world, "office", "token"), []
    for route, row in ROWS.items():
        if not route.startswith("POST") or row.good >= 400:
            continue
        key = {"Idempotency-Key": route.replace(" ", "")}
        with undone():
            plain = send(client, route, row, world.arles)[0]
        with undone():
            first, second = (send(client, route, row, world.arles, **key) for _ in range(2))
            kept = models.IdempotentAnswer.objects.count()
        if first != second or first[0] != plain or kept != 1:
            wrong.append(f"{route}: {plain}, {first}, {second}")
    assert wrong == []
