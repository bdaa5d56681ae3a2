"""The walls: every route, every role, one's own school and another's. The routes come from the
OpenAPI document, so that none can be added without its line in the table."""

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client

from docgen import records
from docgen.backoffice import (
    attestations,
    conventions,
    handovers,
    hooks,
    links,
    models,
    outbox,
    print_jobs,
    registers,
    releases,
    tokens,
)
from docgen.backoffice.api import api
from docgen.backoffice.api.access import SCOPES
from docgen.datafolder import data_folder, page_code_key
from docgen.identifiers import uai_letter
from docgen.press import prepare
from tests import helpers
from tests.service import callers, homecoming, mailroom, town
from tests.service.api_table import CALLERS, ROWS, TOKEN_REFUSALS, Row
from workers.conventions import convert_word
from workers.print_jobs import print_volume

pytestmark = pytest.mark.django_db(transaction=True)
PREFIX = "/api/v1"
Facts = dict[str, Any]


@dataclass
class World:
    """Two schools, each with people, tablets, a job and a shop; and one caller of each kind."""

    arles: Facts
    berre: Facts
    headers: dict[str, dict[str, str]]
    people: dict[str, models.User]


def place(digits: str, name: str) -> tuple[Facts, models.School, models.PrintShop]:
    """Make a school in which everything there is to see bears its name."""
    uai = digits + uai_letter(digits)
    school = town.school(uai)
    persons = tuple(helpers.people(2, first_name=f"CANARI-{name}", division=f"2DE {name}"))
    devices = {s: records.Device(s, f"CANARI-{name}") for s in ("HA200001", "HA200002", "HA200003")}
    roster = records.Roster(persons, "2026-2027", devices)
    registers.keep_roster(school, "pupil", roster, "test")
    first, second = models.Person.objects.filter(school=school).order_by("pk")
    cession = handovers.cede(first, "HA200001", date(2026, 9, 14), "test")
    days = date(2026, 9, 14), date(2027, 6, 30)
    loan = handovers.lend(first, "HA200002", days, f"CANARI-{name}", "test")
    shop = models.PrintShop.objects.create(name=f"Imprimerie CANARI-{name}")
    order = helpers.order(
        (), school=registers.school(school), roster=registers.roster(school, "pupil"), copies=1
    )
    made = prepare(order, page_code_key(data_folder()), data_folder() / "cache")
    job = print_jobs.create(made, "test")
    print_volume("1")
    job.refresh_from_db()
    job = releases.release(job, shop, "test")
    facts = (
        papers(school, loan, job)
        | homecoming.facts(school, job, f"CANARI-{name}")
        | {
            "uai": uai,
            "person": first.pk,
            "second": second.pk,
            "cession": cession.pk,
            "loan": loan.pk,
            "job": str(job.pk),
            "number": 1,
            "shop": shop.pk,
            "slug": "petite-charte",
            "token": links.make(job, "manifest.csv", 2**33),
            "delivery": str(mailroom.delivery(school).pk),
            "part": 1,
            "mail": mail(school, f"CANARI-{name}"),
            "marks": (uai, f"CANARI-{name}", str(job.pk)),
        }
    )
    return facts, school, shop


def papers(school: models.School, loan: models.Loan, job: models.PrintJob) -> Facts:
    """Give a school an attestation, a convention, and a model that it gave back."""
    period = date(2026, 9, 1), date(2026, 9, 30), date(2026, 10, 1)
    attestation = attestations.issue(school, *period, "test")
    sha256 = job.volumes.get().sha256
    models.Attestation.objects.filter(pk=attestation.pk).update(
        state="done", files={"attestation-x.pdf": sha256}
    )
    template = "convention-pret-eleve"
    day = date(2026, 9, 14)
    convention = conventions.order(school, template, "test", day, loans=[loan])
    convert_word("1")
    convention.refresh_from_db()
    (file,) = convention.files
    models.SchoolModel.objects.create(
        school=school, slug=template, sha256=sha256, accepted_by="test"
    )
    return {
        "attestation": str(attestation.public_id),
        "paper": "attestation",
        "convention": str(convention.public_id),
        "file": file,
        "template": template,
    }


def hook(school: models.School, name: str) -> str:
    """Give a school's program a hook, and a call in its log."""
    client = models.Client.objects.get(school=school)
    url = f"https://hooks.example.org/CANARI-{name}"
    row, _ = hooks.create(client, url, outbox.KINDS, "test")
    hooks.test(row, "test")
    return str(row.public_id)


def mail(school: models.School, mark: str) -> str:
    """Give a school a mail that was put aside."""
    refused = [{"label": mark, "reason": "archive", "problems": []}]
    facts = {"box": mark, "sha256": "0" * 64, "size": 1, "reason": "archive", "state": "done"}
    row = models.Mail.objects.create(school=school, verdict="quarantine", refused=refused, **facts)
    return str(row.pk)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("DOCGEN_TEMPLATES", str(helpers.SHELF))
    cache.clear()
    arles, school_a, shop_a = place("0130001", "ARLES")
    berre, school_b, shop_b = place("0130002", "BERRE")
    rights: dict[str, tuple[str, models.School | None, models.PrintShop | None]] = {
        "office": ("back_office", None, None),
        "arles": ("school", school_a, None),
        "berre": ("school", school_b, None),
        "region": ("region", None, None),
        "shop_arles": ("print_shop", None, shop_a),
        "shop_berre": ("print_shop", None, shop_b),
    }
    headers = {name: callers.token(*right) for name, right in rights.items()}
    arles["hook"], berre["hook"] = hook(school_a, "ARLES"), hook(school_b, "BERRE")
    people = {
        name: models.User.objects.create_user(
            name, password="x" * 20, role=role, school=school, shop=shop
        )
        for name, (role, school, shop) in rights.items()
    }
    row, revoked = tokens.issue("x", "back_office", SCOPES, "test")
    tokens.revoke(row, "test")
    headers |= {
        "anonymous": {},
        "expired": callers.token("back_office", lifetime=timedelta(seconds=-1)),
        "revoked": {"Authorization": f"Bearer {revoked}"},
        "bare": callers.token("back_office", scopes=()),
    }
    return World(arles, berre, headers, people)


def routes() -> list[str]:
    """List the routes of the OpenAPI document: `GET /schools/{uai}`."""
    paths = api.get_openapi_schema()["paths"]
    return [
        f"{method.upper()} {path.removeprefix(PREFIX)}"
        for path, methods in paths.items()
        for method in methods
    ]


def filled(value: Any, facts: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Put the world's names where the table has `{…}`; a number stays a number."""
    if isinstance(value, dict):
        return {name: filled(each, facts) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, facts) for each in value]
    if not isinstance(value, str):
        return value
    if whole := re.fullmatch(r"\{(\w+)\}", value):
        return facts[whole[1]]
    return re.sub(r"\{(\w+)\}", lambda found: str(facts[found[1]]), value)


@contextmanager
def undone() -> Iterator[None]:
    """Do something, and take it back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


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
    for route, row in ROWS.items():
        for name in CALLERS:
            status, content = ask(asker(world, name, way), route, row, world.arles)
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
