"""Print jobs over the API: ordered, printed, downloaded, released, counted."""

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from docgen.backoffice import models
from tests import helpers
from tests.service import callers, town
from tests.service.test_api_frame import problem
from workers.print_jobs import print_volume

pytestmark = pytest.mark.django_db(transaction=True)
JOBS = "/api/v1/print-jobs"
UAI = "0130010R"


@pytest.fixture(autouse=True)
def shelf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the small charter on the shelf, and forget the pace of the tests before."""
    monkeypatch.setenv("DOCGEN_TEMPLATES", str(helpers.SHELF))
    cache.clear()


@pytest.fixture
def office() -> dict[str, str]:
    return callers.token("back_office")


@pytest.fixture
def caller(office: dict[str, str]) -> Client:
    town.people(town.school(UAI), 5)
    return Client(headers=office)


def posted(caller: Client, path: str, body: dict[str, Any] | None = None, **more: Any) -> Any:  # noqa: ANN401
    return caller.post(path, body or {}, "application/json", **more)


def ordered(caller: Client, **more: object) -> dict[str, Any]:
    wanted = {"school": UAI, "template": "petite-charte", "layout": "entier", **more}
    made = posted(caller, JOBS, {"copies": 1, **wanted})
    assert made.status_code == 201, made.content
    told: dict[str, Any] = made.json()
    return told


def printed(caller: Client, **more: object) -> dict[str, Any]:
    job = ordered(caller, **more)
    print_volume("1")
    told: dict[str, Any] = caller.get(f"{JOBS}/{job['id']}").json()
    assert told["stage"] == "ready", told
    return told


def body(answer: Any) -> bytes:  # noqa: ANN401
    return answer.getvalue() if answer.streaming else answer.content  # type: ignore[no-any-return]


def test_a_job_is_ordered_printed_and_downloaded(caller: Client) -> None:
    job = ordered(caller, volume=2)
    assert (job["stage"], job["progress"]["done"], job["documents"]) == ("accepted", 0, 5)
    path = f"{JOBS}/{job['id']}"
    problem(caller.get(f"{path}/volumes/1"), 409, "job-not-ready")
    problem(caller.get(f"{path}/ticket.pdf"), 409, "stage-conflict")
    print_volume("1")
    job = caller.get(path).json()
    assert (job["stage"], job["progress"]["done"]) == ("ready", 5)
    assert [each["documents"] for each in job["volumes"]] == [2, 2, 1]
    for each in job["volumes"]:
        content = body(caller.get(f"{path}/volumes/{each['number']}"))
        assert hashlib.sha256(content).hexdigest() == each["sha256"]
    lines = body(caller.get(f"{path}/manifest.csv")).decode().splitlines()
    assert len(lines) == 6
    assert body(caller.get(f"{path}/ticket.pdf")).startswith(b"%PDF-")
    index = json.loads(body(caller.get(f"{path}/job.json")))
    assert (index["documents"], index["flip"] != "") == (5, True)
    documents = caller.get(f"{path}/documents", {"limit": 4}).json()
    assert [each["person"] for each in documents["items"]] == ["E0000", "E0001", "E0002", "E0003"]
    rest = caller.get(f"{path}/documents", {"cursor": documents["next"]}).json()
    assert [(each["person"], each["volume"]) for each in rest["items"]] == [("E0004", 3)]
    listed = caller.get(JOBS, {"school": UAI}).json()["items"]
    assert [each["id"] for each in listed] == [job["id"]]


def test_the_archive_of_a_job_holds_all_its_files(caller: Client) -> None:
    job = printed(caller, volume=3)
    sent = caller.get(f"{JOBS}/{job['id']}/lot.zip")
    assert sent.headers["Content-Disposition"] == f'attachment; filename="{job["name"]}.zip"'
    with zipfile.ZipFile(io.BytesIO(body(sent))) as archive:
        assert archive.testzip() is None
        files = [each["file"] for each in job["volumes"]]
        assert archive.namelist() == ["bon-impression.pdf", *files, "manifest.csv", "job.json"]
        for each in job["volumes"]:
            found = hashlib.sha256(archive.read(each["file"])).hexdigest()
            assert found == each["sha256"]


def test_a_download_is_resumed_and_not_sent_twice(caller: Client) -> None:
    job = printed(caller)
    path = f"{JOBS}/{job['id']}/volumes/1"
    whole = caller.get(path)
    content, etag = body(whole), whole.headers["ETag"]
    assert etag == f'"{job["volumes"][0]["sha256"]}"'
    assert whole.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in whole.headers["Content-Security-Policy"]
    size = len(content)
    for asked, first, last in (
        ("bytes=0-9", 0, 9),
        ("bytes=100-", 100, size - 1),
        ("bytes=-7", size - 7, size - 1),
        (f"bytes=5-{size + 99}", 5, size - 1),
        (f"bytes=-{size + 1}", 0, size - 1),
    ):
        part = caller.get(path, headers={"Range": asked})
        assert (part.status_code, body(part)) == (206, content[first : last + 1]), asked
        assert part.headers["Content-Range"] == f"bytes {first}-{last}/{size}"
    for asked in ("bytes=9-5", "bytes=-", "bytes=a-b", "pages=1-2", "bytes=0-1,3-4"):
        answer = caller.get(path, headers={"Range": asked})
        assert (answer.status_code, len(body(answer))) == (200, size), asked
    for asked in (f"bytes={size}-", "bytes=-0"):
        refused = caller.get(path, headers={"Range": asked})
        problem(refused, 416, "range-not-satisfiable")
        assert refused.headers["Content-Range"] == f"bytes */{size}"
    other = caller.get(path, headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert len(body(other)) == size
    for known in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        answer = caller.get(path, headers={"If-None-Match": known})
        assert (answer.status_code, body(answer)) == (304, b"")
    head = caller.head(path)
    assert (head.status_code, head.headers["Content-Length"], body(head)) == (200, str(size), b"")


def test_a_reprint_has_the_same_bytes_and_a_duplicata_says_so(caller: Client) -> None:
    job = printed(caller)
    path = f"{JOBS}/{job['id']}"
    again = posted(caller, f"{path}/reprint").json()
    marked = posted(caller, f"{path}/reprint", {"is_duplicata": True}).json()
    one = caller.get(f"{path}/documents").json()["items"][1]["id"]
    alone = posted(caller, f"{path}/reprint", {"documents": [one]}).json()
    print_volume("1")
    digests = [
        caller.get(f"{JOBS}/{each['id']}").json()["volumes"][0]["sha256"]
        for each in (job, again, marked)
    ]
    assert digests[0] == digests[1] != digests[2]
    assert (alone["documents"], alone["reprint_of"]) == (1, job["id"])
    refused = posted(caller, f"{path}/reprint", {"documents": [one + 10_000]})
    problem(refused, 422, "invalid-input")


def test_somebody_at_the_counter_comes_before_a_batch(caller: Client) -> None:
    ordered(caller)
    person = caller.get(f"/api/v1/schools/{UAI}/people").json()["items"][2]
    path = f"/api/v1/schools/{UAI}/people/{person['id']}/documents"
    made = posted(caller, path, {"template": "petite-charte", "layout": "entier", "copies": 1})
    assert made.status_code == 201, made.content
    volume = models.Volume.objects.get(job=made.json()["id"])
    assert (volume.documents, volume.priority) == (1, 1)


def test_what_cannot_be_ordered_is_told_all_at_once(caller: Client) -> None:
    wanted = {"school": UAI, "template": "petite-charte", "layout": "entier"}
    told = problem(posted(caller, JOBS, {**wanted, "people": ["E9", "E8"]}), 422, "invalid-input")
    assert [each["where"] for each in told["problems"]] == ["personne E8", "personne E9"]
    problem(posted(caller, JOBS, {**wanted, "template": "rien"}), 422, "invalid-input")
    problem(posted(caller, JOBS, {**wanted, "layout": "rien"}), 422, "invalid-input")
    problem(posted(caller, JOBS, {**wanted, "classes": ["T 9"]}), 422, "invalid-input")
    problem(posted(caller, JOBS, {**wanted, "school": "0130011S"}), 404, "not-found")
    assert not models.PrintJob.objects.exists()


def test_a_cancelled_job_gives_nothing(caller: Client) -> None:
    job = printed(caller)
    path = f"{JOBS}/{job['id']}"
    for _ in range(2):
        assert posted(caller, f"{path}/cancel").json()["stage"] == "cancelled"
    problem(caller.get(f"{path}/volumes/1"), 409, "job-not-ready")
    problem(caller.get(f"{path}/manifest.csv"), 409, "stage-conflict")
    assert caller.get(f"{path}/documents").json()["items"] == []


def lines(answer: Any) -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: ANN401
    text = b"".join(answer.streaming_content).decode()
    for block in text.split("\n\n"):
        parts = dict(line.split(": ", 1) for line in block.splitlines() if line[:1] != ":")
        if "event" in parts:
            yield parts["event"], json.loads(parts["data"])


def test_events_tell_progress_and_end(caller: Client) -> None:
    job = printed(caller)
    told = list(lines(caller.get(f"{JOBS}/{job['id']}/events")))
    assert [kind for kind, _ in told] == ["progress", "end"]
    assert told[0][1]["done"] == 5
    assert told[1][1] == {"stage": "ready"}
