"""How screens are opened in tests: what the tables say of them, and who asks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from docgen.backoffice.web.urls import urlpatterns
from tests import helpers
from tests.service import screen_table
from tests.service.screen_table.rows import CALLERS, Row
from tests.service.world import Facts, World, build, filled

NAMES = {str(pattern.name): pattern for pattern in urlpatterns}
AREAS = [each.name for each in iter_modules(screen_table.__path__) if each.name != "rows"]
TABLES = [import_module(f"tests.service.screen_table.{area}").ROWS for area in AREAS]
ROWS: dict[str, Row] = {route: row for table in TABLES for route, row in table.items()}
GETS = {route: row for route, row in ROWS.items() if route.startswith("GET")}
POSTS = {route: row for route, row in ROWS.items() if route.startswith("POST")}


@contextmanager
def built(blocker: DjangoDbBlocker) -> Iterator[World]:
    """Build the world once for the tests of a module; their tables are emptied after the last."""
    with blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCGEN_TEMPLATES", str(helpers.SHELF))
        yield build()
        call_command("flush", verbosity=0, interactive=False)


@dataclass(frozen=True)
class Seen:
    """What somebody was answered; `headers` with the cookies."""

    route: str
    caller: str
    row: Row
    status: int
    headers: str
    content: bytes
    answer: HttpResponseBase

    @property
    def is_page(self) -> bool:
        return self.answer.headers.get("Content-Type", "").startswith("text/html")

    def __str__(self) -> str:
        return f"{self.caller}: {self.route}"


def browser(user: object = None, **facts: Any) -> Client:  # noqa: ANN401
    """Give a browser to which a fault is an answer, as to anybody."""
    made = Client(raise_request_exception=False, **facts)
    if user is not None:
        made.force_login(user)
    return made


def place(route: str, facts: Facts) -> str:
    """Give the address of a route about these facts."""
    name = route.partition(" ")[2]
    return reverse(name, kwargs={key: facts[key] for key in NAMES[name].pattern.converters})


def send(client: Client, route: str, row: Row, facts: Facts, **headers: str) -> HttpResponseBase:
    """Send what is sent from a screen, or open it."""
    where = place(route, facts) + str(filled(row.query, facts))
    if route.startswith("GET"):
        return client.get(where, headers=headers)
    files = {name: given(name, content) for name, content in row.files.items()}
    return client.post(where, {**filled(row.body, facts), **files}, headers=headers)


def given(name: str, content: str) -> SimpleUploadedFile:
    """Give a file as somebody chooses it."""
    kind = "pdf" if content.startswith("%PDF") else "csv"
    return SimpleUploadedFile(f"{name}.{kind}", content.encode())


def ask(client: Client, caller: str, route: str, row: Row, facts: Facts) -> Seen:
    """Send it, and keep what was said."""
    answer = send(client, route, row, facts)
    content = answer.getvalue()
    headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
    headers += answer.cookies.output()
    return Seen(route, caller, row, answer.status_code, headers, content, answer)


def expected(row: Row, caller: str) -> int:
    told = dict(zip(CALLERS, row.columns.split(), strict=True))[caller]
    return row.good if told == "=" else int(told)


def first(row: Row) -> str:
    """Give the first caller who may; the back office where nobody can."""
    return next((each for each in CALLERS if expected(row, each) == row.good), "office")


def why(answer: HttpResponseBase) -> str:
    """Say what a fault was, or where one was sent."""
    error = getattr(answer, "exc_info", None)
    return f"{error[1]!r}" if error else answer.headers.get("Location", "")
