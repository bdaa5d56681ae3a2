"""Mails read: scans become batches once, the rest is put aside, and somebody decides about it."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from docgen.backoffice import mails, models, post, store
from docgen.backoffice.logs import Line
from docgen.mailing import incoming
from tests.hostile.mails import (
    AUTHSERV,
    HOSTILE,
    KEY,
    OURS,
    PDF,
    SCHOOL,
    bounce,
    mail,
    named,
    part,
    text,
)
from tests.service import callers, town
from tests.service.test_api_frame import problem
from tests.service.test_api_jobs import posted
from workers.mails import read_mail

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = "/api/v1"
PASS = f"Authentication-Results: {AUTHSERV}; dmarc=pass header.from=ac.example"


@pytest.fixture(autouse=True)
def ours(monkeypatch: pytest.MonkeyPatch) -> post.Post:
    """Have a post of our own, and forget the pace of the tests before."""
    cache.clear()
    found = post.Post(settings.DATA / "courrier", sender=OURS, authserv=AUTHSERV)
    monkeypatch.setattr(settings, "POST", found)
    return found


@pytest.fixture
def school() -> models.School:
    row = town.school()
    models.School.objects.filter(pk=row.pk).update(email=SCHOOL.upper())
    row.refresh_from_db()
    return row


@pytest.fixture
def came(tmp_path: Path) -> Callable[[bytes], models.Mail]:
    """Give what keeps a mail and has it read."""

    def take(content: bytes) -> models.Mail:
        path = tmp_path / "mail"
        path.write_bytes(content)
        count = models.Mail.objects.count()
        row = mails.receive(f"box/1/{count}", len(content), path)
        assert row
        read_mail("1")
        row.refresh_from_db()
        return row

    return take


Came = Callable[[bytes], models.Mail]


def kinds() -> set[str]:
    return set(models.Event.objects.values_list("kind", flat=True))


def test_scans_become_batches_and_the_same_file_is_one(came: Came, school: models.School) -> None:
    content = mail(
        text("Bonjour"), named(PDF, "filename=pile.pdf"), named(b"PK\3\4", "filename=a.zip")
    )
    first, again = came(content), came(content)
    assert (first.verdict, first.reason, first.message_id) == ("scans", "", "<1@copier.example>")
    batch = models.ScanBatch.objects.get()
    assert first.batches == again.batches == [str(batch.pk)]
    assert (batch.school, batch.label, batch.source) == (None, "pile.pdf", "mail")
    assert [(each["label"], each["reason"]) for each in first.refused] == [("a.zip", "archive")]
    assert first.school == school
    assert first.is_receipt_due
    assert {"mail-received", "mail-read", "scan-received"} <= kinds()


def test_whose_scans_they_are_is_believed_of_our_own_server_alone(
    came: Came, school: models.School
) -> None:
    believed = came(mail(part(PDF + b"1"), headers=[PASS]))
    claimed = came(mail(part(PDF + b"2")))
    stranger = came(mail(part(PDF + b"3"), sender="From: x@ac.example", headers=[PASS]))
    owners = [
        models.ScanBatch.objects.get(pk=row.batches[0]).school
        for row in (*(believed, claimed, stranger),)
    ]
    assert owners == [school, None, None]
    assert [row.school for row in (believed, claimed, stranger)] == [school, school, None]
    assert not stranger.is_receipt_due
    forged = came(mail(part(PDF), headers=[PASS.replace("pass", "fail")]))
    assert (forged.verdict, forged.reason, forged.school) == ("quarantine", "not-authentic", school)
    assert not forged.is_receipt_due
    assert models.ScanBatch.objects.count() == 3


def test_an_address_that_two_schools_share_is_neither_s(came: Came, school: models.School) -> None:
    models.School.objects.filter(pk=town.school("0750001K").pk).update(email=SCHOOL)
    row = came(mail(part(PDF), headers=[PASS]))
    assert (row.school, row.is_receipt_due) == (None, False)
    assert models.ScanBatch.objects.get().school is None


@pytest.mark.embedded
@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_is_put_aside_by_a_worker(
    came: Came, school: models.School, name: str
) -> None:
    make, reason = HOSTILE[name]
    row = came(make())
    assert (row.verdict, row.reason, row.batches) == ("quarantine", reason, [])
    assert row.is_receipt_due == (reason in incoming.OF_FILES)
    assert models.Event.objects.get(kind="mail-quarantined").facts == {"reason": reason}
    assert not models.ScanBatch.objects.exists()


def test_a_mail_that_ends_its_reader_is_put_aside(
    came: Came, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More memory than it may have, twice; a fault that it brings about is not tried for ever."""
    monkeypatch.setattr(incoming, "_weigh", lambda path: bytearray(2 << 30))
    first = came(mail(part(PDF)))
    assert (first.verdict, first.reason, first.deaths) == ("quarantine", "too-heavy", 1)
    assert first.state == "done"


def test_what_scans_refuse_is_kept_with_its_reasons(
    came: Came, school: models.School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "SCAN_MOST", 10)
    row = came(mail(named(PDF, "filename=long.pdf")))
    assert (row.verdict, row.reason, row.batches) == ("quarantine", "refused-file", [])
    assert row.is_receipt_due
    (told,) = row.refused
    assert told["label"] == "long.pdf"
    assert "dépasse" in told["problems"][0][0]


def test_a_store_that_is_away_makes_a_mail_wait(
    came: Came, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep, faults = store.keep, iter([OSError(28, "full")])

    def failing(path: Path) -> str:
        if path.name == "1" and (fault := next(faults, None)):
            raise fault
        return keep(path)

    monkeypatch.setattr(store, "keep", failing)
    row = came(mail(part(PDF)))
    assert (row.state, row.verdict, row.delays) == ("waiting", "waiting", 1)
    models.Mail.objects.update(delayed_until=None)
    read_mail("1")
    row.refresh_from_db()
    assert (row.verdict, len(row.batches)) == ("scans", 1)


def test_a_worker_that_lost_its_claim_changes_nothing(came: Came, tmp_path: Path) -> None:
    row = came(mail(part(PDF)))
    stale = models.Mail.objects.get(pk=row.pk)
    found = incoming.Incoming("quarantine", "broken")
    assert not mails.finish(stale, found, tmp_path)
    assert not mails.fail(stale, [])
    row.refresh_from_db()
    assert row.verdict == "scans"
    assert "mail-quarantined" not in kinds()


def test_a_notice_is_passed_on_if_it_names_a_mail_of_ours(
    came: Came, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed: list[tuple[Any, ...]] = []

    def bounced(*facts: str, action: str) -> bool:
        passed.append((*facts, action))
        return facts[0] == KEY

    monkeypatch.setattr(mails.messages, "bounced", bounced)
    row = came(bounce())
    assert (row.verdict, row.reason) == ("bounce", "")
    assert passed == [(KEY, "5.1.1", "550 5.1.1 unknown user", "failed")]
    other = came(bounce(KEY.replace("ab", "cd")))
    assert (other.verdict, other.reason) == ("automatic", "notice-of-others")
    assert not row.is_receipt_due
    assert came(bounce("<x@y>")).reason == "notice-of-others"
    assert len(passed) == 2


def test_somebody_takes_a_mail_in_after_all_or_dismisses_it(
    came: Came, school: models.School
) -> None:
    office = Client(headers=callers.token("back_office"))
    two = f"From: {SCHOOL}\r\nFrom: evil@evil.example"
    first = came(mail(part(PDF + b"1"), sender=two))
    second = came(mail(part(PDF + b"2"), sender=two))
    third = came(mail(named(b"PK\3\4", "filename=a.zip")))
    listed = office.get(f"{ROOT}/mails?awaits=true").json()["items"]
    assert {each["id"] for each in listed} == {str(row.pk) for row in (first, second, third)}
    assert all(each["words"] and each["is_kept"] for each in listed)
    # A field that is misspelt would make a pile of a school's scans.
    problem(
        posted(office, f"{ROOT}/mails/{first.pk}/take", {"scool": school.pk}),
        422,
        "invalid-request",
    )
    answer = posted(office, f"{ROOT}/mails/{first.pk}/take", {"school": school.pk})
    assert (answer.status_code, answer.json()["verdict"]) == (200, "waiting")
    assert posted(office, f"{ROOT}/mails/{second.pk}/take", {}).status_code == 200
    assert posted(office, f"{ROOT}/mails/{third.pk}/dismiss", {}).status_code == 200
    problem(posted(office, f"{ROOT}/mails/{first.pk}/take", {}), 422, "invalid-input")
    read_mail("1")
    for row in (first, second, third):
        row.refresh_from_db()
    batches = [models.ScanBatch.objects.get(pk=row.batches[0]) for row in (first, second)]
    assert [batch.school for batch in batches] == [school, None]
    assert [(row.verdict, row.reason) for row in (first, second, third)] == [
        *(("scans", "by-hand"), ("scans", "by-hand"), ("quarantine", "dismissed"))
    ]
    assert not any(row.is_receipt_due for row in (first, second, third))
    assert office.get(f"{ROOT}/mails?awaits=true").json()["items"] == []
    assert len(office.get(f"{ROOT}/mails?awaits=false&verdict=scans").json()["items"]) == 2
    assert {"mail-taken", "mail-dismissed"} <= kinds()
    mine = Client(headers=callers.token("school", school))
    own = mine.get(f"{ROOT}/mails").json()["items"]
    assert {each["id"] for each in own} == {str(first.pk), str(third.pk)}
    problem(posted(mine, f"{ROOT}/mails/{third.pk}/take", {}), 403, "role-forbidden")
    problem(mine.get(f"{ROOT}/mails/{second.pk}"), 404, "not-found")


def test_a_mail_whose_file_is_not_kept_cannot_be_taken(came: Came) -> None:
    office = Client(headers=callers.token("back_office"))
    row = mails.receive("box/1/2", 2**31, None)
    assert row
    told = problem(posted(office, f"{ROOT}/mails/{row.pk}/take", {}), 422, "invalid-input")
    assert told["problems"][0]["remedy"]
    assert mails.receive("box/1/2", 2**31, None) is None


def test_a_mail_that_our_own_fault_set_aside_awaits_somebody(
    came: Came, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(mails, "finish", fault)
        row = came(mail(part(PDF)))
    assert (row.state, row.verdict) == ("quarantined", "waiting")
    office = Client(headers=callers.token("back_office"))
    (told,) = office.get(f"{ROOT}/mails?awaits=true").json()["items"]
    assert (told["id"], told["awaits"]) == (str(row.pk), True)
    assert posted(office, f"{ROOT}/mails/{row.pk}/take", {}).status_code == 200
    read_mail("1")
    row.refresh_from_db()
    assert (row.state, row.verdict, row.reason) == ("done", "scans", "by-hand")


CANARIES = ("CANARI-NOM", "CANARI-OBJET", "CANARI-FICHIER", "CANARI-CORPS", "canari-adresse")


@pytest.mark.parametrize("name", ["scans", "hostile", "broken", "fault"])
def test_nothing_that_a_mail_says_reaches_logs_or_events(
    came: Came,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    who = 'From: "CANARI-NOM" <canari-adresse@ac.example>'
    files = {"scans": PDF, "hostile": b"PK\3\4 CANARI-CORPS"}
    content = mail(
        text("CANARI-CORPS"),
        named(files.get(name, PDF), "filename=CANARI-FICHIER.pdf"),
        sender=who if name != "hostile" else who + "\r\n" + who,
        headers=["Subject: CANARI-OBJET", "X-Canari: CANARI-NOM"],
    )
    if name == "fault":

        def fault(*_: object) -> None:
            raise RuntimeError(*CANARIES)

        monkeypatch.setattr(mails, "finish", fault)
    if name == "broken":
        content = content.replace(b"=_b", b"=_c", 1).replace(b"Content-Type", b"Content-Typo")
    with caplog.at_level(logging.DEBUG):
        row = came(content)
    said = "".join(Line().format(record) for record in caplog.records)
    output = capfd.readouterr()
    events = str(list(models.Event.objects.values()))
    row_told = f"{row.problems} {row.box} {row.reason}"
    for canary in CANARIES:
        assert canary not in said + output.err + output.out + events + row_told
