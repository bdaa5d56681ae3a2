"""Attestations, conventions and hooks over the API."""

import hashlib
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from docgen.backoffice import models, registers
from tests.hostile import models as hostile
from tests.service import callers, town
from tests.service.receivers import Receiver, is_genuine, receiver
from tests.service.test_api_frame import problem
from tests.service.test_api_jobs import body, posted
from tests.service.test_attestations import handed
from tests.service.test_conventions import PUPIL, lent
from tests.unit.test_word import text_of
from workers.attestations import attest
from workers.conventions import convert_word
from workers.hooks import call_hook

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = "/api/v1"
PERIOD = {"start": "2026-09-01", "end": "2026-09-30"}


@pytest.fixture(autouse=True)
def day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the pace of the tests before; today is after the distribution."""
    cache.clear()
    for module in ("attestations", "conventions"):
        where = f"docgen.backoffice.api.{module}.today"
        monkeypatch.setattr(where, lambda: date(2026, 10, 2))


@pytest.fixture
def school() -> models.School:
    return town.school()


@pytest.fixture
def caller(school: models.School) -> Client:
    return Client(headers=callers.token("school", school))


def got(caller: Client, path: str) -> Any:  # noqa: ANN401
    answer = caller.get(ROOT + path)
    assert answer.status_code == 200, answer.content
    return answer.json()


def made(caller: Client, path: str, content: dict[str, Any], status: int = 201) -> Any:  # noqa: ANN401
    answer = posted(caller, ROOT + path, content)
    assert answer.status_code == status, answer.content
    return answer.json()


def test_an_attestation_is_previewed_issued_and_downloaded(
    caller: Client, school: models.School
) -> None:
    handed(school, 3)
    path = f"/schools/{school.uai}/attestation-preview?start=2026-09-01&end=2026-09-30"
    preview = got(caller, path)
    assert [each["serial"] for each in preview["attestation"]["cessions"]] == [
        *("TE0000", "TE0001", "TE0002")
    ]
    assert preview["attestation"]["stock"] == [{"model": "iPad 10", "state": "neuf", "count": 1}]
    assert not models.Attestation.objects.exists()
    issued = made(caller, "/attestations", {"school": school.uai, **PERIOD})
    assert (issued["state"], issued["number"], issued["holds"]["pupils"]) == ("waiting", 1, 3)
    where = f"/attestations/{issued['id']}"
    problem(caller.get(f"{ROOT}{where}/attestation.pdf"), 409, "paper-not-ready")
    attest("1")
    ready = got(caller, where)
    assert (ready["state"], len(ready["files"]), ready["sha256"]) == ("done", 2, issued["sha256"])
    row = models.Attestation.objects.get()
    for name in ("attestation", "bordereau"):
        answer = caller.get(f"{ROOT}{where}/{name}.pdf")
        digest = hashlib.sha256(body(answer)).hexdigest()
        assert digest in row.files.values()
        assert answer["ETag"] == f'"{digest}"'
        again = caller.get(f"{ROOT}{where}/{name}.pdf", headers={"If-None-Match": answer["ETag"]})
        assert again.status_code == 304
    problem(caller.get(f"{ROOT}{where}/register.pdf"), 422, "invalid-request")
    (listed,) = got(caller, f"/attestations?school={school.uai}")["items"]
    assert listed["id"] == issued["id"]
    models.Attestation.objects.update(files={})  # as housekeeping does in the end
    problem(caller.get(f"{ROOT}{where}/attestation.pdf"), 404, "not-found")


def test_refusals_are_all_told_and_withdrawals_are_confirmed(
    caller: Client, school: models.School
) -> None:
    (cession,) = handed(school, 1)
    wanted = {"school": school.uai, **PERIOD}
    made(caller, "/attestations", wanted)
    told = problem(posted(caller, f"{ROOT}/attestations", wanted), 422, "invalid-input")
    assert "recouvre" in told["problems"][0]["what"]
    registers.cancel_cession(cession, "test")
    later = {**wanted, "start": "2026-10-01", "end": "2026-10-02"}
    told = problem(posted(caller, f"{ROOT}/attestations", later), 422, "invalid-input")
    assert "confirmez leur retrait" in told["problems"][0]["remedy"]
    query = "start=2026-10-01&end=2026-10-02"
    preview = got(caller, f"/schools/{school.uai}/attestation-preview?{query}")
    assert preview["attestation"] is None
    assert preview["problems"] == told["problems"]
    withdrawn = made(caller, "/attestations", {**later, "withdraw": True})
    assert [each["serial"] for each in withdrawn["holds"]["withdrawn"]] == ["TE0000"]
    problem(posted(caller, f"{ROOT}/attestations", {"school": school.uai}), 422, "invalid-request")


def test_the_same_key_issues_one_attestation(caller: Client, school: models.School) -> None:
    handed(school, 2)
    wanted = {"school": school.uai, **PERIOD}
    headers = {"Idempotency-Key": "september"}
    answers = [posted(caller, f"{ROOT}/attestations", wanted, headers=headers) for _ in range(3)]
    assert [each.status_code for each in answers] == [201] * 3
    assert len({each.content for each in answers}) == 1
    assert models.Attestation.objects.count() == 1


def test_conventions_are_ordered_and_downloaded(caller: Client, school: models.School) -> None:
    loans = lent(school, 3)
    wanted = {"school": school.uai, "template": PUPIL, "loans": [each.pk for each in loans[:2]]}
    ordered = made(caller, "/conventions", wanted)
    assert (ordered["state"], ordered["documents"], ordered["files"]) == ("waiting", 2, [])
    convert_word("1")
    ready = got(caller, f"/conventions/{ordered['id']}")
    (file,) = ready["files"]
    answer = caller.get(f"{ROOT}/conventions/{ordered['id']}/files/{file}")
    assert answer["Content-Type"] == "application/zip"
    assert body(answer).startswith(b"PK")
    other = f"{ROOT}/conventions/{ordered['id']}/files/other.zip"
    problem(caller.get(other), 404, "not-found")
    unknown = {**wanted, "loans": [loans[0].pk, 2**40]}
    problem(posted(caller, f"{ROOT}/conventions", unknown), 404, "not-found")
    missing = {**wanted, "template": "absent"}
    problem(posted(caller, f"{ROOT}/conventions", missing), 404, "not-found")
    both = {**wanted, "merged": True, "format": "pdf"}
    told = problem(posted(caller, f"{ROOT}/conventions", both), 422, "invalid-input")
    assert told["problems"][0]["where"] == "merged"
    problem(posted(caller, f"{ROOT}/conventions/{ordered['id']}/retry"), 422, "invalid-input")


def test_a_model_is_given_back_used_and_forgotten(caller: Client, school: models.School) -> None:
    (loan,) = lent(school, 1)
    path = f"{ROOT}/schools/{school.uai}/models/{PUPIL}"

    def given(content: bytes) -> Any:  # noqa: ANN401
        return caller.post(path, {"model": SimpleUploadedFile("Notre convention.docx", content)})

    told = problem(given(hostile.with_text("{{ inconnu }} {{ autre }}")), 422, "template-rejected")
    assert len(told["problems"]) >= 2
    problem(given(b"not a document"), 422, "template-rejected")
    problem(caller.get(path), 404, "not-found")
    mine = hostile.with_text("CLAUSE DU LYCÉE")
    assert given(mine).status_code == 201
    assert body(caller.get(path)) == mine
    (told,) = got(caller, f"/schools/{school.uai}/models")
    assert (told["template"], told["sha256"]) == (PUPIL, hashlib.sha256(mine).hexdigest())
    wanted = {"school": school.uai, "template": PUPIL, "loans": [loan.pk]}
    texts = []
    for model in ("school", "ours"):
        ordered = made(caller, "/conventions", {**wanted, "model": model})
        convert_word("1")
        (file,) = got(caller, f"/conventions/{ordered['id']}")["files"]
        answer = caller.get(f"{ROOT}/conventions/{ordered['id']}/files/{file}")
        texts.append(text_of(body(answer)))
    assert ["CLAUSE DU LYCÉE" in text for text in texts] == [True, False]
    assert caller.delete(path).status_code == 204
    problem(caller.delete(path), 404, "not-found")


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiver() as running:
        monkeypatch.setattr(settings, "HOOK_HOSTS", frozenset({f"127.0.0.1:{running.port}"}))
        yield running


def test_a_program_is_called_when_an_attestation_is_ready(
    caller: Client, school: models.School, there: Receiver
) -> None:
    handed(school, 2)
    kinds = ["attestation-issued", "attestation-ready"]
    hook = made(caller, "/hooks", {"url": there.url, "kinds": kinds})
    assert hook["secret"].startswith("whsec_")
    assert "secret" not in got(caller, f"/hooks/{hook['id']}")
    assert hook["secret"] not in str(got(caller, "/hooks"))
    issued = made(caller, "/attestations", {"school": school.uai, **PERIOD})
    attest("1")
    call_hook("1")
    assert all(is_genuine(hook["secret"], *each) for each in there.came)
    assert [each["type"] for each in there.bodies] == kinds
    assert {each["data"]["id"] for each in there.bodies} == {issued["id"]}
    assert there.bodies[0]["data"]["cessions"] == 2
    calls = got(caller, f"/hooks/{hook['id']}/calls")["items"]
    assert {each["id"] for each in calls} == {each["webhook-id"] for each, _ in there.came}
    assert [each["answers"][0]["status"] for each in calls] == [204, 204]


def test_a_hook_is_tested_stopped_and_started_again(caller: Client, there: Receiver) -> None:
    hook = made(caller, "/hooks", {"url": there.url, "kinds": ["job-ready"]})
    path = f"/hooks/{hook['id']}"
    call = made(caller, f"{path}/test", {}, 202)
    assert (call["kind"], call["state"]) == ("hook-test", "waiting")
    assert made(caller, f"{path}/stop", {}, 200)["stopped_at"]
    call_hook("1")
    assert there.came == []
    problem(posted(caller, f"{ROOT}{path}/test"), 422, "invalid-input")
    assert made(caller, f"{path}/restart", {}, 200)["calls"] == 0
    assert made(caller, f"{path}/restart", {"replay": True}, 200)["calls"] == 1
    call_hook("1")
    assert [each["type"] for each in there.bodies] == ["hook-test"]
    assert caller.delete(ROOT + path).status_code == 204
    problem(caller.get(ROOT + path), 404, "not-found")


def test_an_address_inside_is_refused(caller: Client) -> None:
    for url in ("http://example.org/", "https://127.0.0.1/", "https://[fe80::1]/", "x"):
        wanted = {"url": url, "kinds": ["nothing-of-ours"]}
        told = problem(posted(caller, f"{ROOT}/hooks", wanted), 422, "invalid-input")
        assert [each["where"] for each in told["problems"]] == ["kinds", "url"]
