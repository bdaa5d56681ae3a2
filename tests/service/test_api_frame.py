"""The frame of the API: every refusal is a problem in French, whatever refuses."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client

from docgen.backoffice import models, registers, tokens
from docgen.backoffice.api import guard
from tests.service import callers, town

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_pace() -> None:
    """Forget how many requests the tests before sent: rows of clients have the same numbers."""
    cache.clear()


SCHOOLS = "/api/v1/schools"


def problem(answer: Any, status: int, code: str) -> dict[str, Any]:  # noqa: ANN401
    """Check the form of a refusal, and give it."""
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert (told["status"], told["code"]) == (status, code)
    assert told["type"] == f"urn:docgen:problem:{code}"
    assert told["detail"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    return told


def test_who_is_not_known_is_refused(client: Client) -> None:
    refused = client.get(SCHOOLS)
    problem(refused, 401, "unauthenticated")
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_that_is_wrong_expired_or_revoked_is_refused_alike(client: Client) -> None:
    row, secret = tokens.issue("x", "back_office", ["read:schools"], "test")
    revoked = {"Authorization": f"Bearer {secret}"}
    assert client.get(SCHOOLS, headers=revoked).status_code == 200
    tokens.revoke(row, "test")
    expired = callers.token("back_office", lifetime=timedelta(seconds=-1))
    wrong = {"Authorization": "Bearer docgen_x"}
    answers = [client.get(SCHOOLS, headers=each) for each in (revoked, expired, wrong)]
    for each in answers:
        problem(each, 401, "token-refused")
    assert len({each.content for each in answers}) == 1


def test_only_the_digest_of_a_token_is_kept() -> None:
    row, secret = tokens.issue("x", "back_office", ["read:schools"], "test")
    kept = str(list(models.Client.objects.values())) + str(list(models.Event.objects.values()))
    assert secret not in kept
    assert len(secret) > 40
    assert row.digest == tokens.digest(secret)


def test_a_token_without_the_scope_is_refused(client: Client) -> None:
    some = callers.token("back_office", scopes=("read:people",))
    told = problem(client.get(SCHOOLS, headers=some), 403, "scope-missing")
    assert "read:schools" in told["detail"]


def test_a_session_changes_nothing_without_its_csrf_token() -> None:
    user = get_user_model().objects.create_user("essai", password="x" * 20, role="back_office")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(user)
    assert strict.get(SCHOOLS).status_code == 200
    path, facts = f"{SCHOOLS}/0130010R", callers.SCHOOL
    problem(strict.put(path, facts, "application/json"), 403, "csrf-refused")
    strict.cookies["csrftoken"] = "a" * 32
    made = strict.put(path, facts, "application/json", headers={"X-CSRFToken": "a" * 32})
    assert made.status_code == 201


def test_what_is_not_there_and_what_is_not_done(client: Client) -> None:
    office = callers.token("back_office")
    problem(client.get("/api/v1/nothing", headers=office), 404, "not-found")
    problem(client.get(f"{SCHOOLS}/0130010R", headers=office), 404, "not-found")
    refused = client.delete(SCHOOLS, headers=office)
    problem(refused, 405, "method-not-allowed")
    assert refused.headers["Allow"] == "GET"


def test_every_problem_of_a_body_is_told_at_once(client: Client) -> None:
    office = callers.token("back_office")
    facts = {**callers.SCHOOL, "postal_code": "x", "name": "a\x00b", "more": "1", "head": {}}
    refused = client.put(f"{SCHOOLS}/0130010R", facts, "application/json", headers=office)
    told = problem(refused, 422, "invalid-request")
    places = {each["where"] for each in told["problems"]}
    assert places == {
        "facts.postal_code",
        "facts.name",
        "facts",
        "facts.head.name",
        "facts.head.title",
    }
    assert "more" not in refused.content.decode()


@pytest.mark.parametrize("content", ["{", "\xff", '{"name": NaN}', "[" * 100_000])
def test_what_is_not_json_is_refused(client: Client, content: str) -> None:
    office = callers.token("back_office")
    sent = content.encode("latin-1")
    refused = client.put(f"{SCHOOLS}/0130010R", sent, "application/json", headers=office)
    problem(refused, 400, "malformed-request")


def test_sizes_are_looked_at_before_anything_is_read(client: Client) -> None:
    too_much = str(guard.MOST_JSON + 1)
    path = f"{SCHOOLS}/0130010R"
    refused = client.put(path, b"{", "application/json", CONTENT_LENGTH=too_much)
    problem(refused, 413, "too-large")
    refused = client.put(path, b"{}", "application/json", HTTP_TRANSFER_ENCODING="chunked")
    problem(refused, 411, "length-required")
    problem(client.put(path, b"<a/>", "text/xml"), 415, "media-type")
    problem(
        client.put(path, b"{}", "application/json", CONTENT_LENGTH="-1"), 400, "malformed-request"
    )


def test_json_where_files_are_expected_is_refused_and_the_reverse(client: Client) -> None:
    office = callers.token("back_office")
    refused = client.put(
        f"{SCHOOLS}/0130010R", b"--x--", "multipart/form-data; boundary=x", headers=office
    )
    problem(refused, 415, "media-type")


def test_nothing_of_an_exception_is_shown_nor_logged(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    office = callers.token("back_office")

    def fail(*_: object) -> None:
        raise RuntimeError("Zoé CANARI")

    monkeypatch.setattr(registers, "school", fail)
    town.school("0130010R")
    refused = client.get(f"{SCHOOLS}/0130010R", headers=office)
    problem(refused, 500, "internal")
    assert "CANARI" not in refused.content.decode() + caplog.text
    record = next(each for each in caplog.records if each.message == "request failed")
    assert vars(record)["error"] == "RuntimeError"


def test_a_database_that_is_away_is_told_as_such(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = callers.token("back_office")

    def fail(*_: object) -> None:
        raise OperationalError

    monkeypatch.setattr(registers, "school", fail)
    town.school("0130010R")
    refused = client.get(f"{SCHOOLS}/0130010R", headers=office)
    problem(refused, 503, "unavailable")
    assert refused.headers["Retry-After"] == "5"


def test_one_client_cannot_ask_without_end(client: Client) -> None:
    office = callers.token("back_office")
    answers = [client.get(SCHOOLS, headers=office) for _ in range(1201)]
    assert {each.status_code for each in answers[:-1]} == {200}
    problem(answers[-1], 429, "too-many-requests")
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_lists_come_by_pages_that_do_not_overlap(client: Client) -> None:
    uais = ["0130010R", "0130011S", "0130012T", "0130013U", "0130014V"]
    for uai in uais:
        town.school(uai)
    office = callers.token("back_office")
    found: list[str] = []
    cursor = ""
    while True:
        told = client.get(SCHOOLS, {"limit": 2, "cursor": cursor}, headers=office).json()
        found += [each["uai"] for each in told["items"]]
        cursor = told["next"]
        if cursor is None:
            break
    assert found == uais
    for wrong in ("x", "e30", "WyJcdTAwMDAiXQ", "W10", "WzEsMl0"):
        problem(client.get(SCHOOLS, {"cursor": wrong}, headers=office), 422, "invalid-request")


def test_the_document_names_the_scope_and_the_refusals_of_every_route(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            assert route["responses"]["default"]["content"].keys() == {
                "application/problem+json"
            }, path
            assert any("Idempotency" in each["name"] for each in route["parameters"]) == (
                method == "post"
            )
