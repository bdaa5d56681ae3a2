"""The paper original of an attestation: fetched, posted, received, and each step taken back."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from docgen import pagecode
from docgen.backoffice import gate, models, originals
from docgen.backoffice.gate import Actor
from docgen.backoffice.models import Role
from docgen.datafolder import data_folder, page_code_key
from docgen.errors import InvalidInput
from docgen.pagecode import Key, PageCode
from tests.helpers import refusal
from tests.service import callers, town
from tests.service.homecoming import kept
from tests.service.test_api_frame import problem
from tests.service.test_attestations import handed, issue

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = "/api/v1"
REGION = Actor("user:7", Role.REGION)
NOW = datetime(2026, 10, 20, 9, tzinfo=UTC)
ISSUED, TODAY = date(2026, 10, 2), date(2026, 10, 20)
NUMBER = bytes.fromhex("5a17c0ffee01")


@pytest.fixture(autouse=True)
def day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the pace of the tests before; today is after the issue."""
    cache.clear()
    monkeypatch.setattr("docgen.backoffice.api.originals.today", lambda: TODAY)


@pytest.fixture
def school() -> models.School:
    return town.school()


@pytest.fixture
def attestation(school: models.School) -> models.Attestation:
    """Issue an attestation, and print it without pressing it."""
    handed(school, 1)
    row = issue(school)
    reference = pagecode.reference("AT", NUMBER)
    content = kept(b"%PDF-1.7 an attestation")
    models.Attestation.objects.filter(pk=row.pk).update(
        state="done",
        references={"attestation-cession": reference},
        files={"attestation-x.pdf": content, "bordereau-x.pdf": content},
    )
    printed(row, NUMBER)
    row.refresh_from_db()
    return row


def printed(row: models.Attestation, number: bytes, **changes: Any) -> models.Paper:  # noqa: ANN401
    facts = {"slug": "attestation-cession", "title": "Attestation de cession", "is_mailed": True}
    facts |= {"reference": pagecode.reference("AT", number), "width": 595.0, "height": 842.0}
    facts |= {"school_id": row.school_id, "attestation": row, "sides": 2, **changes}
    return models.Paper.objects.create(number=number, **facts)


def code(number: bytes = NUMBER, side: int = 1, key: Key | None = None) -> str:
    key = key or page_code_key(data_folder())
    return pagecode.make(key, PageCode(number, side, 2, 0))


def kinds() -> list[str]:
    events = models.Event.objects.filter(kind__startswith="original").order_by("pk")
    return list(events.values_list("kind", flat=True))


def test_any_side_or_the_reference_receives_an_original(attestation: models.Attestation) -> None:
    reference = pagecode.reference("AT", NUMBER)
    typed = f" {reference.lower().replace('-', ' ')} "
    for text in (code(side=1), f"{code(side=2)}\r\n", reference, typed):
        row = originals.received(text, REGION, NOW)
        assert (row.attestation, row.received_at) == (attestation, NOW)
        assert row.received_by == "user:7"
        originals.not_received(attestation, "user:7")
    assert kinds() == ["original-received", "original-receipt-undone"] * 4


def test_received_twice_is_received_once(attestation: models.Attestation) -> None:
    originals.received(code(), REGION, NOW)
    again = originals.received(code(side=2), REGION, NOW + timedelta(days=3))
    assert again.received_at == NOW
    assert kinds() == ["original-received"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("AT-7K3F-92QE", "faute de frappe"),
        ("bonjour", "s’écrit comme"),
        ("", "s’écrit comme"),
        ("C1ABC", "n’est pas un code de page"),
        (lambda: code(key=Key(1, b"of another installation")), "par cette installation"),
        (lambda: code(b"unseen"), "aucune attestation connue"),
        (lambda: pagecode.reference("AT", b"unseen"), "aucune attestation connue"),
        (lambda: code(b"letter"), "« Bordereau d’envoi »"),
        (lambda: code(b"older!"), "remplacée depuis"),
    ],
)
def test_what_is_no_original_is_refused(
    text: str | Callable[[], str], told: str, attestation: models.Attestation
) -> None:
    slip = {"slug": "bordereau-envoi", "title": "Bordereau d’envoi", "is_mailed": False}
    printed(attestation, b"letter", **slip)
    older = printed(attestation, b"older!")
    models.Paper.objects.filter(pk=older.pk).update(created_at=NOW - timedelta(days=900))
    given = text if isinstance(text, str) else text()
    (found,) = refusal(lambda: originals.received(given, REGION, NOW), InvalidInput)
    assert told in found.what.replace("\u00a0", " ")
    assert found.where == "code"
    assert found.remedy
    assert not models.Original.objects.exists()
    assert not kinds()


def test_the_code_of_a_document_of_a_print_job_is_told(attestation: models.Attestation) -> None:
    job = town.job(attestation.school, 1)
    document = models.Document.objects.filter(volume__job=job).first()
    assert document
    for text in (code(bytes(document.number)), document.reference):
        (found,) = refusal(lambda text=text: originals.received(text, REGION, NOW), InvalidInput)
        assert "petite-charte" in found.what


def test_another_school_s_paper_is_unknown_to_a_school(attestation: models.Attestation) -> None:
    stranger = Actor("user:8", Role.SCHOOL, "0750001K")
    (found,) = refusal(lambda: originals.received(code(), stranger, NOW), InvalidInput)
    assert "aucune attestation connue" in found.what


def test_a_cancelled_attestation_is_not_received(attestation: models.Attestation) -> None:
    models.Attestation.objects.filter(pk=attestation.pk).update(state="cancelled")
    (found,) = refusal(lambda: originals.received(code(), REGION, NOW), InvalidInput)
    assert "annulée" in found.what


def test_an_original_is_posted_corrected_and_taken_back(attestation: models.Attestation) -> None:
    for day in (ISSUED, TODAY, TODAY):
        row = originals.posted(attestation, day, "user:2", TODAY)
        assert (row.posted_date, row.posted_by) == (day, "user:2")
    originals.not_posted(attestation, "user:2")
    assert models.Original.objects.get().posted_date is None
    assert kinds() == ["original-posted", "original-posted", "original-post-undone"]
    refusal(lambda: originals.not_posted(attestation, "user:2"), InvalidInput)
    refusal(lambda: originals.not_received(attestation, "user:2"), InvalidInput)


@pytest.mark.parametrize("day", [ISSUED - timedelta(days=1), TODAY + timedelta(days=1)])
def test_nothing_is_posted_before_its_issue_or_tomorrow(
    day: date, attestation: models.Attestation
) -> None:
    (found,) = refusal(lambda: originals.posted(attestation, day, "x", TODAY), InvalidInput)
    assert found.where == "on"
    assert not models.Original.objects.exists()


def test_the_first_download_by_who_prints_is_the_one_that_counts(
    attestation: models.Attestation, school: models.School
) -> None:
    where = f"{ROOT}/attestations/{attestation.public_id}"
    region = Client(headers=callers.token("region"))
    caller = Client(headers=callers.token("school", school))
    office = Client(headers=callers.token("back_office"))
    assert region.get(f"{where}/attestation.pdf").status_code == 200
    assert caller.head(f"{where}/attestation.pdf").status_code == 200
    assert caller.get(f"{where}/bordereau.pdf").status_code == 200
    assert not models.Original.objects.exists()
    part = caller.get(f"{where}/attestation.pdf", headers={"Range": "bytes=0-3"})
    assert part.status_code == 206
    first = models.Original.objects.get()
    assert first.fetched_at
    assert first.fetched_by.startswith("client:")
    for _ in range(2):
        office.get(f"{where}/attestation.pdf")
    row = models.Original.objects.get()
    assert (row.fetched_at, row.fetched_by) == (first.fetched_at, first.fetched_by)
    assert kinds() == ["original-fetched"]


def test_the_journey_over_the_api(attestation: models.Attestation, school: models.School) -> None:
    caller = Client(headers=callers.token("school", school))
    region = Client(headers=callers.token("region"))
    where = f"{ROOT}/originals/{attestation.public_id}/post"
    (listed,) = caller.get(f"{ROOT}/originals?received=false").json()["items"]
    assert (listed["posted_date"], listed["received_at"]) == (None, None)
    answer = sent(caller, where, {})
    assert (answer.status_code, answer.json()["posted_date"]) == (200, TODAY.isoformat())
    later = (TODAY + timedelta(days=2)).isoformat()
    problem(sent(caller, where, {"on": later}), 422, "invalid-input")
    first = sent(region, f"{ROOT}/receptions", {"code": code(side=2)}).json()
    again = sent(region, f"{ROOT}/receptions", {"code": listed["reference"]}).json()
    assert (first["is_new"], again["is_new"]) == (True, False)
    assert first["received_at"] == again["received_at"]
    assert region.get(f"{ROOT}/originals?received=false").json()["items"] == []
    assert len(caller.get(f"{ROOT}/originals?received=true").json()["items"]) == 1
    problem(sent(caller, f"{ROOT}/receptions", {"code": code()}), 403, "role-forbidden")
    problem(sent(region, where, {}), 403, "role-forbidden")
    told = problem(sent(region, f"{ROOT}/receptions", {"code": "x"}), 422, "invalid-input")
    assert told["problems"][0]["where"] == "code"
    undone = region.delete(f"{ROOT}/receptions/{attestation.public_id}").json()
    assert undone["received_at"] is None
    assert caller.delete(where).json()["posted_date"] is None


def sent(caller: Client, path: str, content: dict[str, Any]) -> Any:  # noqa: ANN401
    return caller.post(path, json.dumps(content), content_type="application/json")


def test_a_reception_is_known_by_who_acts(attestation: models.Attestation) -> None:
    who = replace(gate.SYSTEM, label="cli")
    assert originals.received(code(), who, NOW).received_by == "cli"
    event = models.Event.objects.get(kind="original-received")
    assert (event.subject, event.school) == (str(attestation.public_id), attestation.school_id)
    assert (event.actor, event.facts) == ("cli", {})
