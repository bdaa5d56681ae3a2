"""Scans over the API: sent, followed, looked at, and decided about."""

import hashlib
import logging
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from docgen.backoffice import models, scans, store
from docgen.backoffice.api import guard
from docgen.backoffice.logs import Line
from tests.service import callers, homecoming, town
from tests.service.homecoming import BARE, BLANK, BROKEN, FORGED, came, coded, pages
from tests.service.test_api_frame import problem
from tests.service.test_api_jobs import body, posted
from tests.service.test_api_limits import answered
from workers.scans import bind_returns, read_scan

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = "/api/v1"
SCAN = b"%PDF-1.7 a scan, as far as can be seen at the door"


@pytest.fixture(autouse=True)
def fresh_pace() -> None:
    """Forget the pace of the tests before."""
    cache.clear()


@pytest.fixture
def school() -> models.School:
    return town.school()


@pytest.fixture
def caller(school: models.School) -> Client:
    return Client(headers=callers.token("school", school))


@pytest.fixture
def office() -> Client:
    return Client(headers=callers.token("back_office"))


def got(caller: Client, path: str) -> Any:  # noqa: ANN401
    answer = caller.get(ROOT + path)
    assert answer.status_code == 200, answer.content
    return answer.json()


def sent(caller: Client, path: str, *contents: bytes, name: str = "pile.pdf", **more: Any) -> Any:  # noqa: ANN401
    files = [SimpleUploadedFile(name, content) for content in contents]
    return caller.post(ROOT + path, {"files": files}, **more)


def done(caller: Client, page: models.ScannedPage, act: str, /, **facts: object) -> Any:  # noqa: ANN401
    return posted(caller, f"{ROOT}/pages/{page.public_id}/{act}", facts)


def test_files_are_received_and_the_same_one_is_one_batch(
    caller: Client, office: Client, school: models.School
) -> None:
    path = f"/schools/{school.pk}/scans"
    answer = sent(caller, path, SCAN, SCAN + b" other")
    assert answer.status_code == 202
    first, other = answer.json()
    assert (first["is_new"], other["is_new"], first["label"]) == (True, True, "pile.pdf")
    again = sent(caller, path, SCAN, name="other.pdf")
    assert again.status_code == 200
    assert [(each["id"], each["is_new"]) for each in again.json()] == [(first["id"], False)]
    pile = sent(office, "/scans", SCAN)
    assert pile.status_code == 202
    problem(sent(caller, "/scans", SCAN), 403, "role-forbidden")
    assert {each["id"] for each in got(caller, "/scans")["items"]} == {first["id"], other["id"]}
    assert len(got(office, "/scans?stage=received")["items"]) == 3
    assert len(got(office, f"/scans?school={school.pk}")["items"]) == 2
    told = got(caller, f"/scans/{first['id']}")
    assert (told["stage"], told["sides"], told["done"], told["outcomes"]) == (
        "received",
        None,
        0,
        {},
    )
    problem(caller.get(f"{ROOT}/scans/{first['id']}/parts/0.pdf"), 409, "paper-not-ready")
    problem(posted(caller, f"{ROOT}/scans/{first['id']}/retry"), 422, "invalid-input")
    assert town.uploads() == []


def test_what_is_no_scan_is_told_file_by_file(caller: Client, school: models.School) -> None:
    path = f"/schools/{school.pk}/scans"
    told = problem(sent(caller, path, b"no scan", b"PK\3\4", SCAN), 422, "scan-rejected")
    assert [each["where"] for each in told["problems"][:2]] == ["pile.pdf"] * 2
    assert "les autres fichiers sont reçus" in told["problems"][2]["what"]
    assert models.ScanBatch.objects.count() == 1
    problem(caller.post(ROOT + path, {}), 422, "invalid-request")
    problem(posted(caller, ROOT + path, {}), 415, "media-type")
    assert town.uploads() == []


def test_the_same_key_sends_once(caller: Client, school: models.School) -> None:
    headers = {"Idempotency-Key": "pile-1"}
    path = f"/schools/{school.pk}/scans"
    answers = [sent(caller, path, SCAN, headers=headers) for _ in range(3)]
    assert [each.status_code for each in answers] == [202] * 3
    assert len({each.content for each in answers}) == 1
    other = sent(caller, path, SCAN + b" other", headers=headers)
    problem(other, 409, "idempotency-conflict")


def test_piles_go_straight_to_disk_and_have_their_own_limit(
    caller: Client, school: models.School, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, seen = f"/schools/{school.pk}/scans", []
    receive = scans.receive

    def watched(file: Path, *more: Any) -> Any:  # noqa: ANN401
        seen.append((file.parent == Path(settings.UPLOADS), file.stat().st_size))
        return receive(file, *more)

    monkeypatch.setattr(scans, "receive", watched)
    large = SCAN + bytes(guard.MOST_FILES)  # more than any other upload may hold
    assert sent(caller, path, SCAN, large).status_code == 202
    assert seen == [(True, len(SCAN)), (True, len(large))]
    monkeypatch.setattr(settings, "SCAN_MOST", 1 << 20)
    problem(sent(caller, path, large), 413, "too-large")
    monkeypatch.setattr(settings, "SCAN_MOST", 1 << 30)
    rosters = f"{ROOT}/schools/{school.pk}/rosters"
    refused = caller.post(rosters, {"audience": "pupil", "files": SimpleUploadedFile("x", large)})
    problem(refused, 413, "too-large")


def test_sides_are_told_with_their_reason_and_shown(caller: Client, school: models.School) -> None:
    first, _ = homecoming.printed(school)
    batch = came(school, [coded(first, 1), BARE, BLANK, FORGED, BROKEN])
    told = got(caller, f"/scans/{batch.pk}")
    kinds = ("blank", "foreign", "known", "unknown", "unreadable")
    assert told["outcomes"] == dict.fromkeys(kinds, 1)
    assert told["parts"] == [0]
    sides = got(caller, f"/scans/{batch.pk}/pages")["items"]
    assert [each["number"] for each in sides] == [1, 2, 3, 4, 5]
    assert (sides[0]["reference"], sides[0]["side"]) == (first.reference, 1)
    assert all(each["words"] for each in sides[1:])
    (side,) = got(caller, f"/scans/{batch.pk}/pages?outcome=unknown")["items"]
    assert side["number"] == 2
    waiting = got(caller, "/reviews")["items"]
    assert [each["number"] for each in waiting] == [2, 4, 5]
    assert got(caller, f"/reviews?scan={batch.pk}&outcome=foreign")["items"] == waiting[1:2]
    shown = caller.get(f"{ROOT}/pages/{side['id']}/picture.jpg")
    assert (shown["Content-Type"], shown["Cache-Control"]) == ("image/jpeg", "no-store")
    assert shown.content == homecoming.jpeg()
    problem(caller.get(f"{ROOT}/pages/{sides[4]['id']}/picture.jpg"), 404, "not-found")
    copy = caller.get(f"{ROOT}/scans/{batch.pk}/parts/0.pdf")
    assert body(copy).startswith(b"%PDF-1.7 a clean copy")
    assert copy["ETag"] == f'"{batch.parts.get().copy}"'
    problem(caller.get(f"{ROOT}/scans/{batch.pk}/parts/1.pdf"), 404, "not-found")


def test_a_side_is_decided_about_step_by_step(caller: Client, school: models.School) -> None:
    first, _ = homecoming.printed(school)
    home, bare = pages(came(school, [coded(first, 1), BARE]))
    found = got(caller, f"/pages/{bare.public_id}/proposals")
    assert [(each["reference"], each["side"]) for each in found[:2]] == [
        (first.reference, 2),
        (first.reference, 3),
    ]
    assert found[0]["why"].startswith("Après la face 1")
    typed = got(caller, f"/pages/{bare.public_id}/proposals?reference={first.reference[:8]}")
    assert typed[0]["why"].endswith("a été tapée.")
    wrong = f"{ROOT}/pages/{bare.public_id}/proposals?reference=PC-0000-0000"
    problem(caller.get(wrong), 422, "code-refused")
    place = {"reference": first.reference.lower(), "side": 1}
    problem(done(caller, bare, "assign", **place), 409, "conflict")
    placed = done(caller, bare, "assign", **place, replace=True).json()
    assert (placed["outcome"], placed["displaced"]) == ("known", str(home.public_id))
    assert got(caller, f"/pages/{home.public_id}")["outcome"] == "duplicate"
    turned = done(caller, bare, "turn", degrees=90, after=placed["step"]).json()
    assert (turned["turned"], [each["action"] for each in turned["steps"]]) == (
        90,
        ["assign", "turn"],
    )
    problem(done(caller, bare, "turn", degrees=90, after=placed["step"]), 409, "conflict")
    problem(done(caller, bare, "turn", degrees=91), 422, "invalid-request")
    for expected in (0, None):
        undone = done(caller, bare, "undo").json()
        assert expected is None or undone["turned"] == expected
    assert (undone["outcome"], undone["step"]) == ("unknown", 0)
    problem(done(caller, bare, "undo"), 409, "conflict")
    problem(done(caller, bare, "discard", note="  "), 422, "invalid-request")
    gone = done(caller, bare, "discard", note="page de garde").json()
    assert (gone["outcome"], gone["steps"][-1]["note"]) == ("discarded", "page de garde")
    assert got(caller, "/reviews?duplicates=true")["items"] == []


def test_another_school_s_side_and_document_do_not_exist(
    caller: Client, office: Client, school: models.School
) -> None:
    other = town.school("0750001K")
    (strange,) = homecoming.printed(other, 1)
    (first, _) = homecoming.printed(school)
    (theirs,) = pages(came(other, [BARE]))
    (mine,) = pages(came(school, [BARE]))
    place = {"reference": strange.reference, "side": 1}
    problem(done(caller, theirs, "assign", **place), 404, "not-found")
    problem(caller.get(f"{ROOT}/pages/{theirs.public_id}/picture.jpg"), 404, "not-found")
    for who in (caller, office):
        problem(done(who, mine, "assign", **place), 422, "invalid-input")
        assert got(who, f"/pages/{mine.public_id}/proposals?reference={strange.reference}") == []
    (pile,) = pages(came(None, [BARE]))
    problem(done(caller, pile, "assign", reference=first.reference, side=1), 404, "not-found")
    assert done(office, pile, "assign", **place).status_code == 200


def test_what_was_sent_is_never_given_back_nor_named(
    caller: Client, school: models.School, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """The file as it was sent stays where it is; its name is told to who may see it alone."""
    caplog.set_level(logging.INFO)
    job = town.job(school, 1, copies=1)
    content = town.pile(tmp_path / "x.pdf", town.papers(job)).read_bytes()
    answer = sent(caller, f"/schools/{school.pk}/scans", content, name="CANARI.pdf")
    (received,) = answer.json()
    read_scan("1")
    bind_returns("1")
    told = got(caller, f"/scans/{received['id']}")
    assert (told["stage"], told["outcomes"], told["label"]) == ("read", {"known": 3}, "CANARI.pdf")
    report = got(caller, f"/scans/{received['id']}/report")
    assert (report["waiting"], report["is_final"], len(report["documents"])) == (0, True, 1)
    batch = models.ScanBatch.objects.get()
    digests = {
        hashlib.sha256(body(caller.get(f"{ROOT}/scans/{batch.pk}/parts/{first}.pdf"))).hexdigest()
        for first in told["parts"]
    }
    assert batch.sha256 not in digests
    assert store.size(batch.sha256) == len(content)
    said = "".join(Line().format(record) for record in caplog.records)
    kept = said + str(list(models.Event.objects.values()))
    assert "CANARI" not in kept
    assert batch.sha256 not in str(told) + str(report)


def test_a_pile_too_large_is_refused_before_it_is_sent(place: tuple[str, int]) -> None:
    head = f"Content-Type: {guard.FORM}; boundary=x"
    too_much = answered(
        place, head, f"Content-Length: {settings.SCAN_MOST + 1}", path="/api/v1/scans"
    )
    assert too_much.startswith(b"HTTP/1.1 413 ")
    # Nobody reads two gigabytes of who is not known: refused at once, its body unread.
    unknown = answered(place, head, f"Content-Length: {settings.SCAN_MOST}", path="/api/v1/scans")
    assert unknown.startswith(b"HTTP/1.1 401 ")


def test_what_is_told_to_be_received_is_received_under_a_key_too(
    caller: Client, school: models.School
) -> None:
    headers = {"Idempotency-Key": "pile-2"}
    answer = sent(caller, f"/schools/{school.pk}/scans", b"no scan", SCAN, headers=headers)
    told = problem(answer, 422, "scan-rejected")
    assert "les autres fichiers sont reçus" in told["problems"][-1]["what"]
    assert models.ScanBatch.objects.count() == 1


def test_files_are_kept_while_nobody_else_waits_to_write(
    caller: Client, school: models.School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of SQLite a transaction has all: a gigabyte copied within it would hold everybody up."""
    keep, seen = store.keep, []

    def watched(path: Path) -> str:
        seen.append(connection.in_atomic_block)
        return keep(path)

    monkeypatch.setattr(store, "keep", watched)
    headers = {"Idempotency-Key": "pile-3"}
    answers = [sent(caller, f"/schools/{school.pk}/scans", SCAN, headers=headers) for _ in "ab"]
    assert [each.status_code for each in answers] == [202, 202]
    assert seen == [False]
