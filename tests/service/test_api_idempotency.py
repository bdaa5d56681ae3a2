"""Idempotency-Key: the same request twice has one effect and one answer, even at the same time."""

import hashlib
import json
import threading
from http.client import HTTPConnection
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from docgen.backoffice import idempotency, models
from tests.service import callers
from tests.service.test_api_frame import problem
from tests.service.test_api_jobs import JOBS, UAI, caller, office, posted, shelf
from tests.service.test_api_registers import PEOPLE, ROWS

__all__ = ["caller", "office", "shelf"]
pytestmark = pytest.mark.django_db(transaction=True)
WANTED = {"school": UAI, "template": "petite-charte", "layout": "entier", "copies": 1}
AT_ONCE = 50


def keyed(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


def test_the_same_key_and_body_give_the_same_answer_and_one_job(caller: Client) -> None:
    first, second = (posted(caller, JOBS, WANTED, headers=keyed("k1")) for _ in range(2))
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert models.PrintJob.objects.count() == 1
    assert posted(caller, JOBS, WANTED, headers=keyed("k2")).status_code == 201
    assert posted(caller, JOBS, WANTED).status_code == 201
    assert models.PrintJob.objects.count() == 3


def test_the_same_key_for_another_request_is_refused(caller: Client) -> None:
    job = posted(caller, JOBS, WANTED, headers=keyed("k")).json()
    other = posted(caller, JOBS, {**WANTED, "layout": "reduction"}, headers=keyed("k"))
    problem(other, 409, "idempotency-conflict")
    elsewhere = posted(caller, f"{JOBS}/{job['id']}/cancel", WANTED, headers=keyed("k"))
    problem(elsewhere, 409, "idempotency-conflict")
    assert models.PrintJob.objects.get().stage == "accepted"


def test_a_key_is_its_callers_own(caller: Client) -> None:
    another = Client(headers=callers.token("back_office"))
    for each in (caller, another):
        assert posted(each, JOBS, WANTED, headers=keyed("k")).status_code == 201
    assert models.PrintJob.objects.count() == 2


def test_a_refused_request_may_be_sent_again(caller: Client) -> None:
    wanted = {**WANTED, "classes": ["T 9"]}
    for _ in range(2):
        problem(posted(caller, JOBS, wanted, headers=keyed("k")), 422, "invalid-input")
    assert not models.IdempotentAnswer.objects.exists()
    assert posted(caller, JOBS, WANTED, headers=keyed("k")).status_code == 201


def test_a_failure_after_the_effect_undoes_it(
    caller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = models.Event.objects.count()
    with monkeypatch.context() as patch:
        patch.setattr("docgen.backoffice.api.repeating._written", lambda result: 1 / 0)
        problem(posted(caller, JOBS, WANTED, headers=keyed("k")), 500, "internal")
    assert not models.PrintJob.objects.exists()
    assert models.Event.objects.count() == before


@pytest.mark.parametrize("key", ["", "é" * 2, "a b", "x" * 256])
def test_a_key_that_is_none_is_refused(caller: Client, key: str) -> None:
    problem(posted(caller, JOBS, WANTED, headers=keyed(key)), 422, "invalid-request")


def test_files_are_part_of_what_is_asked(caller: Client) -> None:
    def sent(rows: str) -> Any:  # noqa: ANN401
        file = SimpleUploadedFile("eleves.csv", PEOPLE.format(rows).encode())
        form = {"audience": "pupil", "files": file}
        return caller.post(f"/api/v1/schools/{UAI}/rosters", form, headers=keyed("k"))

    first, second = sent(ROWS), sent(ROWS)
    assert first.status_code == 200, first.content
    assert first.content == second.content
    problem(sent(ROWS + "E3;GEAI;Ana;03/03/2010;2DE 1\n"), 409, "idempotency-conflict")


def test_every_post_is_repeatable(caller: Client) -> None:
    """No route can forget it: the decorator is the API's own."""
    shop = {"name": "Imprimerie d’essai"}
    made = [posted(caller, "/api/v1/print-shops", shop, headers=keyed("k")) for _ in range(2)]
    assert [each.status_code for each in made] == [201, 201]
    assert made[0].json() == made[1].json()


def test_fifty_identical_requests_at_once_make_one_job(
    place: tuple[str, int], caller: Client, office: dict[str, str]
) -> None:
    body = json.dumps(WANTED)
    headers = {**office, **keyed("september"), "Content-Type": "application/json"}
    answers: list[tuple[int, str]] = []
    barrier = threading.Barrier(AT_ONCE)

    def ask() -> None:
        barrier.wait(30)
        connection = HTTPConnection(*place, timeout=60)
        connection.request("POST", JOBS, body, headers)
        answer = connection.getresponse()
        answers.append((answer.status, hashlib.sha256(answer.read()).hexdigest()))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert len(answers) == AT_ONCE
    assert len(set(answers)) == 1
    assert answers[0][0] == 201
    assert models.PrintJob.objects.count() == 1
    assert models.Document.objects.count() == 5
    assert models.IdempotentAnswer.objects.count() == 1


def test_without_the_key_each_request_has_its_effect(caller: Client) -> None:
    """The test above could fail: the same requests without a key make as many jobs."""
    for _ in range(3):
        posted(caller, JOBS, WANTED)
    assert models.PrintJob.objects.count() == 3


def test_another_request_under_a_key_is_told_apart() -> None:
    assert idempotency.once("a", "k", "1", lambda: (200, '{"x": 1}')) == (200, '{"x": 1}')
    assert idempotency.once("a", "k", "1", lambda: (500, "")) == (200, '{"x": 1}')
    with pytest.raises(idempotency.KeyReused):
        idempotency.once("a", "k", "2", lambda: (200, ""))
