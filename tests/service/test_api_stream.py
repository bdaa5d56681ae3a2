"""Events through a real web server: told as they happen, not when all is over."""

import json
import threading
import time
from http.client import HTTPConnection

import pytest
from django.test import Client

from docgen.backoffice import models
from docgen.backoffice.api import watching
from tests.service.test_api_frame import problem
from tests.service.test_api_jobs import JOBS, caller, office, ordered, posted, shelf
from workers.print_jobs import print_volume

__all__ = ["caller", "office", "shelf"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_progress_is_told_while_the_job_is_printed(
    place: tuple[str, int], caller: Client, office: dict[str, str]
) -> None:
    job = ordered(caller, volume=2)
    told: list[tuple[float, str, dict[str, object]]] = []

    def listen() -> None:
        connection = HTTPConnection(*place, timeout=30)
        connection.request("GET", f"{JOBS}/{job['id']}/events", headers=office)
        answer = connection.getresponse()
        name = ""
        for line in answer:
            word, _, rest = line.decode().strip().partition(": ")
            name = rest if word == "event" else name
            if word == "data":
                told.append((time.monotonic(), name, json.loads(rest)))
        connection.close()

    listener = threading.Thread(target=listen)
    listener.start()
    end = time.monotonic() + 20
    while not told and time.monotonic() < end:
        time.sleep(0.05)
    assert [(name, facts["done"]) for _, name, facts in told] == [("progress", 0)]
    started = time.monotonic()
    print_volume("1")
    listener.join(30)
    assert told[0][0] < started < told[1][0]
    assert (told[-2][2]["stage"], told[-2][2]["done"]) == ("ready", 5)
    assert told[-1][1:] == ("end", {"stage": "ready"})


def test_cancelling_ends_the_events_within_two_seconds(
    place: tuple[str, int], caller: Client, office: dict[str, str]
) -> None:
    job = ordered(caller)
    connection = HTTPConnection(*place, timeout=30)
    connection.request("GET", f"{JOBS}/{job['id']}/events", headers=office)
    answer = connection.getresponse()
    assert answer.readline() == b"retry: 1000\n"
    posted(caller, f"{JOBS}/{job['id']}/cancel")
    since = time.monotonic()
    assert b'{"stage": "cancelled"}' in answer.read()
    assert time.monotonic() - since < 2
    answer.close()
    connection.close()
    assert {each.person + each.title for each in models.Document.objects.all()} == {""}


def test_a_stream_is_bounded_and_its_place_comes_back(
    caller: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LONGEST", 1)
    monkeypatch.setattr(watching, "_places", threading.BoundedSemaphore(1))
    path = f"{JOBS}/{ordered(caller)['id']}/events"
    first = caller.get(path)
    refused = caller.get(path)
    problem(refused, 429, "too-many-requests")
    assert refused.headers["Retry-After"] == "10"
    since = time.monotonic()
    content = first.getvalue().decode()
    assert time.monotonic() - since < 3
    assert content.count("event: progress") == 1
    assert "event: end" not in content
    first.close()
    again = caller.get(path)
    assert again.status_code == 200
    again.close()
