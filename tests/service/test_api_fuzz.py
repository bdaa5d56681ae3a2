"""What schemathesis makes of the OpenAPI document: no request of it, right or wrong, is a fault."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

import hypothesis
import pytest
import schemathesis
from django.core import signals
from django.core.cache import cache
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from docgen.backoffice.wsgi import application
from tests.service.api_table import ROWS
from tests.service.test_api_walls import PREFIX, world
from tests.service.world import World, undone

__all__ = ["world"]
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.slow,
    pytest.mark.embedded,  # once is enough: 40 s, and no query differs by its database
]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 4  # for each route, way of being wrong or right, and real or invented identifiers
SETTINGS = hypothesis.settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def kept_connection() -> Iterator[None]:
    """Have requests use the test's connection, and leave it open: each is undone by it."""
    both = signals.request_started, signals.request_finished
    for each in both:
        each.disconnect(close_old_connections)
    yield
    for each in both:
        each.connect(close_old_connections)


def served(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """Answer, and close the answer as web servers do: files that were sent go then."""
    with closing(application(environ, start_response)) as answer:
        return list(answer)


@pytest.mark.usefixtures("kept_connection")
def test_no_request_is_a_fault(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    cache.clear()
    schema = schemathesis.openapi.from_wsgi(f"{PREFIX}/openapi.json", served)
    sent: Counter[str] = Counter()
    statuses: Counter[int] = Counter()
    for result in schema.get_all_operations():
        operation = result.ok()
        route = f"{operation.method.upper()} {operation.path.removeprefix(PREFIX)}"
        for mode in schemathesis.GenerationMode:
            for names in ({}, real(operation.path, world)):
                for status in fuzz(operation, mode, names, world.headers["office"]):
                    sent[operation.label] += 1
                    statuses[status] += 1
        assert sent[operation.label], route
    faults = [each for each in caplog.records if each.message == "request failed"]
    assert faults == []
    assert len(sent) == len(ROWS)
    assert {200, 201, 404, 422} <= statuses.keys()


def real(path: str, world: World) -> dict[str, Any]:
    """Give the identifiers of the world that a path names."""
    return {name: value for name, value in world.arles.items() if f"{{{name}}}" in path}


def fuzz(
    operation: Any,  # noqa: ANN401
    mode: schemathesis.GenerationMode,
    names: dict[str, Any],
    headers: dict[str, str],
) -> list[int]:
    """Send some requests of a route, hold the answers to the document, and give their statuses."""
    statuses = []

    @SETTINGS
    @given(case=operation.as_strategy(generation_mode=mode, path_parameters=names or None))
    def run(case: Any) -> None:  # noqa: ANN401
        cache.clear()
        with undone():
            answer = case.call(headers=headers)
        case.validate_response(answer, checks=CHECKS)
        statuses.append(answer.status_code)

    # A route that asks for nothing but identifiers has no wrong request about real ones.
    with suppress(Unsatisfiable):
        run()
    return statuses
