"""Health, measures, logs and error pages: what is told of the service, and what never is."""

import io
import json
import logging
import logging.config
import sys
import threading
from collections.abc import Iterator

import django.db
import pytest
from django.conf import settings
from django.test import Client, RequestFactory, override_settings
from django.urls import path

from docgen.backoffice import beats, health, logs, metrics, models, queue
from tests.service import town

pytestmark = pytest.mark.django_db(transaction=True)
NAME = "Quillardet"  # nobody's


class Storm(Exception):
    """Something that nobody expected, whose text holds a name."""


def broken(request: object, name: str) -> None:
    raise Storm(f"no such person: {NAME}")


class Addresses:
    """The service's own addresses, and one that fails."""

    from docgen.backoffice import urls

    urlpatterns = (*urls.urlpatterns, path("broken/<str:name>", broken))
    handler400, handler403 = urls.handler400, urls.handler403
    handler404, handler500 = urls.handler404, urls.handler500


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Give what the service writes on its error stream."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logs.Line())
    root = logging.getLogger()
    root.addHandler(handler)
    yield written
    root.removeHandler(handler)


def told(lines: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


def test_live_asks_nothing_of_the_database(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert Client().get("/health/live").json() == {"status": "ok"}


def test_a_service_that_nobody_works_for_is_degraded_and_ready() -> None:
    answer = Client().get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "degraded",
        **dict.fromkeys(("database", "migrations", "store", "broker"), "ok"),
        "workers": "missing",
        "last_sweep_seconds": None,
    }
    beats.beat()
    answer = Client().get("/health/ready").json()
    assert answer["status"] == answer["workers"] == "ok"
    assert 0 <= answer["last_sweep_seconds"] < 5
    beats.stop()
    assert Client().get("/health/ready").json()["workers"] == "missing"


def test_without_its_broker_the_service_is_degraded_and_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(queue, "app", _app("redis://127.0.0.1:9/0"))
    answer = Client().get("/health/ready")
    assert (answer.status_code, answer.json()["broker"]) == (200, "missing")


def _app(broker: str) -> object:
    from celery import Celery

    return Celery("nowhere", broker=broker, set_as_current=False)


def test_without_its_tables_its_database_or_its_store_it_is_not_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away() -> None:
        raise django.db.OperationalError(NAME)

    with monkeypatch.context() as patch:
        patch.setattr(health, "pending_migrations", lambda: ["backoffice.0009_later"])
        answer = Client().get("/health/ready")
        assert (answer.status_code, answer.json()["migrations"]) == (503, "missing")
    with monkeypatch.context() as patch:
        patch.setattr(health, "reach_database", away)
        answer = Client().get("/health/ready")
        assert (answer.status_code, answer.json()["database"]) == (503, "missing")
        assert NAME not in answer.content.decode()
    with monkeypatch.context() as patch:
        patch.setattr(health, "LEAST_FREE", 2**60)
        answer = Client().get("/health/ready")
        assert (answer.status_code, answer.json()["store"]) == (503, "missing")


def test_measures_tell_work_by_kind_and_state_and_how_requests_fare() -> None:
    job = town.job(town.school(), 3)
    Client().get("/health/live")
    text = Client().get("/metrics").content.decode()
    assert 'docgen_work{kind="volume",state="waiting"} 1.0' in text
    assert "docgen_documents_printed 0.0" in text
    assert 'docgen_request_seconds_count{method="GET",route="health/live",status="200"}' in text
    (oldest,) = (line for line in text.splitlines() if 'waiting_seconds{kind="volume"}' in line)
    assert 0 <= float(oldest.split()[-1]) < 60
    models.Volume.objects.filter(job=job).update(state="done")
    assert "docgen_documents_printed 3.0" in Client().get("/metrics").content.decode()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({}, 200),
        ({"REMOTE_ADDR": "192.0.2.7"}, 404),
        ({"HTTP_X_FORWARDED_FOR": "192.0.2.7"}, 404),
        ({"REMOTE_ADDR": "192.0.2.7", "HTTP_AUTHORIZATION": "Bearer faux"}, 404),
        ({"REMOTE_ADDR": "192.0.2.7", "HTTP_AUTHORIZATION": "Bearer le-bon"}, 200),
    ],
)
def test_measures_are_for_this_machine_or_for_who_has_the_token(
    sent: dict[str, str], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "METRICS_TOKEN", "le-bon")
    assert Client().get("/metrics", **sent).status_code == status  # type: ignore[arg-type]


def test_no_token_set_opens_measures_to_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "METRICS_TOKEN", "")
    request = RequestFactory().get("/metrics", REMOTE_ADDR="192.0.2.7", HTTP_AUTHORIZATION="")
    assert not metrics._may_scrape(request)


@override_settings(ROOT_URLCONF=Addresses)
def test_a_failure_is_told_by_type_and_place_and_shown_without_any_value(
    lines: io.StringIO,
) -> None:
    answer = Client(raise_request_exception=False).get(f"/broken/{NAME}?q={NAME}")
    page = answer.content.decode()
    assert answer.status_code == 500
    number = answer["X-Request-ID"]
    assert 'lang="fr"' in page
    assert number in page
    failure, request = told(lines)
    assert (failure["error"], failure["request"]) == ("Storm", number)
    assert str(failure["place"]).startswith("test_health.py:")
    assert request["route"] == "broken/<str:name>"
    assert (request["status"], request["request"]) == (500, number)
    assert NAME not in page + lines.getvalue()


def test_an_unknown_page_is_refused_in_french_and_its_address_is_not_repeated(
    lines: io.StringIO,
) -> None:
    answer = Client().get(f"/{NAME}")
    page = answer.content.decode()
    assert answer.status_code == 404
    assert "Cette page n’existe pas" in page
    assert "http" not in page.replace("http-equiv", "")  # nothing is fetched from elsewhere
    assert NAME not in page + lines.getvalue()


def test_a_foreign_host_and_a_form_without_its_token_are_refused_in_french() -> None:
    assert "pas été comprise" in Client().get("/", HTTP_HOST="ailleurs.test").content.decode()
    from docgen.backoffice import pages

    refused = pages.no_token(RequestFactory().post("/"), "CSRF cookie not set.")
    assert refused.status_code == 403
    assert "cookie" not in refused.content.decode()


def test_a_request_keeps_the_number_that_a_proxy_gave_unless_it_could_be_a_name() -> None:
    given = "00ab4c1d-0000-4000-8000-00000000abcd"
    assert Client().get("/health/live", HTTP_X_REQUEST_ID=given)["X-Request-ID"] == given
    assert Client().get("/health/live", HTTP_X_REQUEST_ID=NAME)["X-Request-ID"] != NAME


def test_of_what_libraries_say_numbers_are_kept_and_words_are_not(lines: io.StringIO) -> None:
    context = {"name": NAME, "exc": Storm(NAME), "id": 7}
    logging.getLogger("celery.app.trace").error("%(name)s[%(id)s]: %(exc)r", context)
    logging.getLogger("kombu").warning("%s lost %d times", NAME, 3, extra={"body": NAME})
    logging.getLogger("kombu").warning("%5.1f seconds", 2.25)
    logging.getLogger("docgen.x").warning("work delayed", extra={"id": 3})
    assert [line["message"] for line in told(lines)] == [
        "…[7]: '…'",
        "… lost 3 times",
        "  2.2 seconds",
        "work delayed",
    ]
    assert told(lines)[-1]["id"] == 3
    assert NAME not in lines.getvalue()
    odd = logging.LogRecord("kombu", 30, "", 1, "%d of %s", (NAME, 3), None)
    assert json.loads(logs.Line().format(odd))["message"] == "%d of %s"


def test_a_line_that_cannot_be_written_is_told_nowhere_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Python would print the record and the error, names and all."""
    written: list[str] = []

    class Full(io.StringIO):
        def write(self, text: str) -> int:
            written.append(text)
            if "broken" in text:
                raise OSError(28, "CANARI")
            return len(text)

    handler = logs.ErrorStream()
    handler.setFormatter(logs.Line())
    monkeypatch.setattr("sys.stderr", Full())
    try:
        raise RuntimeError("CANARI")
    except RuntimeError:
        handler.handle(logging.LogRecord("x", 40, "", 1, "broken", (), sys.exc_info()))
    assert "broken" in written[0]
    assert written[-1] == '{"level": "ERROR", "message": "a line of log was lost"}\n'
    assert "CANARI" not in "".join(written)
    assert settings.LOGGING["handlers"]["stderr"]["class"] == "docgen.backoffice.logs.ErrorStream"


def test_what_nobody_caught_is_told_without_its_text(
    lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    for place, name in (
        (sys, "excepthook"),
        (sys, "unraisablehook"),
        (threading, "excepthook"),
    ):
        monkeypatch.setattr(place, name, getattr(place, name))  # given back after the test
    logs.guard()

    def fail() -> None:
        raise Storm(NAME)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    sys.excepthook(Storm, Storm(NAME), None)
    assert [line["error"] for line in told(lines)] == ["Storm", "Storm"]
    assert NAME not in lines.getvalue()
