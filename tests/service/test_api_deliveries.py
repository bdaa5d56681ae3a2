"""Deliveries over the API: what is on its way, the very mail, and what somebody decides."""

from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from docgen.backoffice import models, post
from tests.service import callers, town
from tests.service.mailroom import ANSWER, delivery
from tests.service.test_api_frame import problem
from tests.service.test_api_jobs import body, posted
from tests.service.test_api_scans import got

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = "/api/v1"


@pytest.fixture(autouse=True)
def fresh_pace() -> None:
    """Forget the pace of the tests before."""
    cache.clear()


@pytest.fixture
def school() -> models.School:
    return town.school()


@pytest.fixture
def office() -> Client:
    return Client(headers=callers.token("back_office"))


def asked(caller: Client, row: models.Delivery, what: str, content: Any = None) -> Any:  # noqa: ANN401
    return posted(caller, f"{ROOT}/deliveries/{row.pk}/{what}", content)


def ids(caller: Client, query: str = "") -> list[str]:
    return [each["id"] for each in got(caller, f"/deliveries{query}")["items"]]


def test_deliveries_are_listed_the_last_changed_first(
    school: models.School, office: Client
) -> None:
    sent, refused = delivery(school), delivery(school, "refused")
    copy = delivery(school, "new", role="copy", recipient="lycee@exemple.fr")
    other = delivery(town.school("0750001U"))
    rows = [other, copy, refused, sent]
    assert ids(office) == [str(row.pk) for row in rows]
    own = Client(headers=callers.token("school", school))
    assert ids(own) == [str(row.pk) for row in rows[1:]]
    assert ids(Client(headers=callers.token("region"))) == ids(office)
    about = sent.attestation.public_id
    for query, expected in (
        ("?stage=refused", [refused]),
        ("?role=copy", [copy]),
        (f"?attestation={about}", [copy, refused, sent]),
        (f"?attestation={uuid4()}", []),
        ("?school=0750001U&stage=sent", [other]),
    ):
        assert ids(office, query) == [str(row.pk) for row in expected], query
    first = got(office, "/deliveries?limit=3")
    assert ids(office, f"?cursor={first['next']}") == [str(sent.pk)]
    problem(office.get(f"{ROOT}/deliveries?stage=lost"), 422, "invalid-request")


def test_a_delivery_tells_what_servers_said_of_each_try(
    school: models.School, office: Client
) -> None:
    row = delivery(school, "refused")
    told = got(office, f"/deliveries/{row.pk}")
    (mail,) = told["messages"]
    assert (told["stage"], told["sha256"], told["number"]) == ("refused", row.sha256, 1)
    assert told["why"]
    assert mail["answers"] == [{**ANSWER, "at": "2026-10-05T08:00:00Z", "by": ""}]
    assert mail["message_id"] == f"<{row.pk.hex}@docgen.exemple.fr>"
    problem(office.get(f"{ROOT}/deliveries/{uuid4()}"), 404, "not-found")


def test_the_very_mail_is_given(school: models.School, office: Client) -> None:
    row = delivery(school)
    mail = row.messages.get()
    where = f"{ROOT}/deliveries/{row.pk}/messages/1.eml"
    answer = office.get(where)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "message/rfc822")
    assert b"To: region@exemple.fr" in body(answer)
    assert answer.headers["ETag"] == f'"{mail.sha256}"'
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert office.get(where, headers={"If-None-Match": f'"{mail.sha256}"'}).status_code == 304
    problem(office.get(where.replace("1.eml", "2.eml")), 404, "not-found")
    other = Client(headers=callers.token("school", town.school("0750001U")))
    problem(other.get(where), 404, "not-found")
    models.Message.objects.update(sha256="")
    problem(office.get(where), 404, "not-found")


def test_what_is_held_is_let_go_and_nothing_else(school: models.School, office: Client) -> None:
    held, sent = delivery(school, "held"), delivery(school)
    assert asked(office, held, "release").json()["stage"] == "new"
    told = problem(asked(office, sent, "release"), 409, "conflict")
    assert told["problems"][0]["what"]
    assert models.Event.objects.filter(subject=str(held.pk), actor__startswith="client").exists()
    own = Client(headers=callers.token("school", school))
    problem(asked(own, held, "release"), 403, "role-forbidden")


def test_what_was_refused_is_tried_again(school: models.School, office: Client) -> None:
    row = delivery(school, "refused")
    told = asked(office, row, "retry").json()
    assert (told["stage"], told["messages"][0]["stage"]) == ("new", "new")
    assert told["messages"][0]["answers"]
    problem(asked(office, delivery(school), "retry"), 409, "conflict")


@pytest.mark.parametrize(("sent", "stage"), [(True, "sent"), (False, "new")])
def test_what_is_uncertain_is_settled_by_a_person(
    school: models.School, office: Client, sent: bool, stage: str
) -> None:
    row = delivery(school, "uncertain")
    problem(asked(office, row, "settle", {"sent": sent, "part": 2}), 409, "conflict")
    told = asked(office, row, "settle", {"sent": sent, "part": 1}).json()
    assert told["stage"] == stage
    problem(asked(office, row, "settle", {"sent": sent}), 409, "conflict")
    problem(asked(office, row, "settle"), 422, "invalid-request")


def test_the_way_of_mail_is_looked_at_and_approved(
    school: models.School, office: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    way = got(office, "/mail-way")
    assert (way["server"], way["is_approved"]) == ("", True)
    assert way["folder"].endswith("courrier")
    delivery(school, "new")
    told = {
        "DOCGEN_SMTP_URL": "smtp+starttls://docgen:secret@smtp.exemple.fr",
        "DOCGEN_MAIL_FROM": "docgen@exemple.fr",
    }
    monkeypatch.setattr(settings, "POST", post.read_post(settings.DATA, told))
    way = got(office, "/mail-way")
    assert (way["server"], way["security"]) == ("smtp.exemple.fr:587", "starttls")
    assert (way["sender"], way["redirect"]) == ("docgen@exemple.fr", "")
    assert (way["is_approved"], way["stages"]) == (False, {"new": 1})
    assert "secret" not in str(way)
    problem(posted(office, f"{ROOT}/mail-way/approve", {"way": "0" * 64}), 409, "conflict")
    approved = posted(office, f"{ROOT}/mail-way/approve", {"way": way["way"]}).json()
    assert approved["is_approved"]
    assert models.Approval.objects.get().by.startswith("client")
    own = Client(headers=callers.token("school", school))
    problem(own.get(f"{ROOT}/mail-way"), 403, "role-forbidden")
    told["DOCGEN_MAIL_REDIRECT"] = "essai@exemple.fr"
    monkeypatch.setattr(settings, "POST", post.read_post(settings.DATA, told))
    way = got(office, "/mail-way")
    assert (way["redirect"], way["is_approved"]) == ("essai@exemple.fr", True)
