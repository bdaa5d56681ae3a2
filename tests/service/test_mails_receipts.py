"""Receipts: one a mail, to the school's own address, once all that it brought is read and bound."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from docgen.backoffice import housekeeping, mails, models, post, queue, receipts, reminders, store
from docgen.backoffice.keeping import Periods
from docgen.mailing import incoming, letter
from docgen.mailing.incoming import House
from docgen.mailing.words import Received, of_receipt
from tests.hostile.mails import OURS, PDF, SCHOOL, mail, named, part, picture, plain, text
from tests.service import homecoming, town
from tests.service.homecoming import BARE, BLANK, coded
from tests.service.moments import at_once
from tests.service.test_attestations import handed
from tests.service.test_housekeeping import age
from workers import sweeping
from workers.mails import read_mail, write_receipts
from workers.scans import bind_returns, read_scan

pytestmark = pytest.mark.django_db(transaction=True)
Came = Callable[[bytes], models.Mail]
NOON = datetime(2026, 10, 20, 12, tzinfo=UTC)
TOLD = Received(uai="0130001V", school="Lycée", received_at=NOON)


@pytest.fixture(autouse=True)
def ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "POST", post.Post(settings.DATA / "courrier", sender=OURS))


@pytest.fixture
def school() -> models.School:
    row = town.school()
    models.School.objects.filter(pk=row.pk).update(email=SCHOOL)
    row.refresh_from_db()
    return row


@pytest.fixture
def came(tmp_path: Path) -> Came:
    """Give what keeps a mail and has it read."""

    def take(content: bytes) -> models.Mail:
        path = tmp_path / "mail"
        path.write_bytes(content)
        row = mails.receive(f"box/1/{models.Mail.objects.count()}", len(content), path)
        assert row
        read_mail("1")
        row.refresh_from_db()
        return row

    return take


def sent(kind: str = "receipt") -> list[Any]:
    """Give the receipts that were written, as mails."""
    rows = models.Message.objects.filter(kind=kind).order_by("created_at")
    contents = (b"".join(store.blocks(row.sha256)) for row in rows)
    return [message_from_bytes(each, policy=policy.default) for each in contents]


def said(receipt: Any) -> str:  # noqa: ANN401
    return str(receipt.get_body().get_content()).replace("\u00a0", " ")


def test_a_pile_is_answered_once_it_is_read_and_bound(
    came: Came, school: models.School, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "hanging", lambda line: 0)  # those of other tests, nobody hears
    job = town.job(school, 2)
    from workers.print_jobs import print_volume

    print_volume("1")
    papers = town.papers(job)
    signed = [number for number, paper in enumerate(papers) if paper.zones]
    pile = town.pile(tmp_path / "pile.pdf", papers[: signed[-1]])
    row = came(mail(text("Bonjour"), named(pile.read_bytes(), "filename=pile.pdf")))
    write_receipts("")
    assert sent() == []
    assert sweeping.sweep() > 0  # a bell hangs for it
    read_scan("1")
    write_receipts("")
    assert sent() == []  # its documents are still to be bound
    bind_returns("1")
    write_receipts("")
    write_receipts("")
    (receipt,) = sent()
    assert (receipt["To"], receipt["Auto-Submitted"]) == (SCHOOL, "auto-replied")
    assert receipt["In-Reply-To"] == row.message_id == "<1@copier.example>"
    assert "Documents complets : 1 sur 2." in said(receipt)
    assert "il manque la face" in said(receipt)
    assert "Zoé" not in said(receipt)
    assert not models.Mail.objects.get().is_receipt_due
    again = came(mail(named(pile.read_bytes(), "filename=other.pdf")))
    assert again.batches == row.batches
    write_receipts("")
    assert len(sent()) == 2  # another mail, and the same batch


def brought(school: models.School, *batches: models.ScanBatch, **facts: Any) -> models.Mail:  # noqa: ANN401
    """Give a mail that brought batches, and whose receipt is due."""
    return models.Mail.objects.create(
        box=str(models.Mail.objects.count()),
        school=school,
        size=1,
        state="done",
        verdict="scans",
        batches=[str(each.pk) for each in batches],
        **{"is_receipt_due": True, "message_id": "<1@x.example>", **facts},
    )


def test_of_documents_only_the_school_s_own_are_told(school: models.School) -> None:
    other = town.school("0750001K")
    mine, _ = homecoming.printed(school)
    theirs, _ = homecoming.printed(other, first_name="Ana")
    pile = homecoming.came(None, [coded(mine, 1), coded(theirs, 1), BARE, BLANK])
    models.Binding.objects.update(state="done")
    brought(school, pile)
    assert receipts.write_due() == 1
    (receipt,) = sent()
    words = said(receipt)
    assert mine.reference in words
    assert theirs.reference not in words
    assert "4 faces, dont 1 reconnue, 1 blanche, 2 à regarder" in words
    assert "face 2 : cette face est d’un document d’un autre établissement." in words


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (mail(named(b"PK\3\4", "filename=a.zip")), "a.zip : refusé. C’est une archive"),
        (mail(named(b"MZ", "filename=a.exe")), "a.exe : refusé. Ce n’est pas une numérisation"),
        (mail(part(b"MZ")), "Un fichier sans nom : refusé."),
        (plain("Voici le scan."), "Il ne contient aucun fichier."),
        (mail(text("x"), part(picture(20, 20))), "Il ne contient aucun fichier."),
    ],
)
def test_when_nothing_could_be_taken_the_school_is_told_why(
    came: Came, school: models.School, content: bytes, words: str
) -> None:
    came(content)
    write_receipts("")
    (receipt,) = sent()
    assert words in said(receipt)


@pytest.mark.parametrize(
    "content",
    [
        plain("x", "Auto-Submitted: auto-replied"),
        plain("x", "Precedence: bulk"),
        plain("x", "Return-Path: <>"),
        plain("x", f"In-Reply-To: <{'ab' * 20}@region.example>"),
        plain("x", f"From: {SCHOOL}"),  # two senders
        plain("x", sender="From: stranger@x.example"),
        plain("x", sender=f'From: "{SCHOOL}" <stranger@x.example>'),
        mail(part(PDF), headers=["Auto-Submitted: auto-generated"]),
    ],
)
def test_neither_strangers_nor_machines_are_answered(
    came: Came, school: models.School, content: bytes
) -> None:
    row = came(content)
    assert row.verdict != "waiting"
    assert not row.is_receipt_due
    models.ScanPart.objects.update(state="done")
    models.ScanBatch.objects.update(stage="read")
    write_receipts("")
    assert not models.Message.objects.exists()


def test_a_file_that_another_mail_brought_bears_no_name_of_it(
    came: Came, school: models.School
) -> None:
    """The same bytes are one batch, whoever sent them; how others called them is theirs."""
    other = town.school("0750001K")
    models.School.objects.filter(pk=other.pk).update(email="ce.0750001k@ac.example")
    first = came(mail(named(PDF, "filename=CANARI.pdf"), sender="From: ce.0750001k@ac.example"))
    row = came(mail(named(PDF, "filename=mine.pdf")))
    assert row.batches == first.batches
    models.ScanPart.objects.update(state="done")
    models.ScanBatch.objects.update(stage="read")
    write_receipts("")
    receipt = {each["To"]: said(each) for each in sent()}
    theirs, ours = receipt["ce.0750001k@ac.example"], receipt[SCHOOL]
    assert "CANARI.pdf : " in theirs
    assert "CANARI" not in ours
    assert "Déjà reçu : " in ours


def test_two_installations_do_not_answer_each_other(
    came: Came, school: models.School, tmp_path: Path
) -> None:
    """The one is a school of the other's, and each has the other's scans in its box."""
    handed(school, 1)
    reminders.raise_due(date(2027, 1, 5))
    came(plain("Bonjour"))
    write_receipts("")
    ours = [*sent(), *sent("reminder")]
    assert len(ours) == 2
    other = House("other.example", frozenset({SCHOOL}))
    path = tmp_path / "theirs"
    for each in ours:
        path.write_bytes(each.as_bytes())
        found = incoming.read(path, tmp_path, other)
        assert (found.verdict, found.is_answerable) == ("automatic", False)
        # And should it answer all the same, in any of the ways that mails have:
        facts = {"sender": SCHOOL, "sender_name": "", "recipient": OURS, "words": of_receipt(TOLD)}
        for automatic in ("auto-replied", "auto-generated"):
            answer = letter.Letter(
                message_id=letter.message_id(each["Message-ID"], 0, "other.example"),
                at=datetime.now(UTC),
                in_reply_to=each["Message-ID"],
                automatic=automatic,
                **facts,
            )
            row = came(letter.compose(answer))
            assert (row.verdict, row.is_receipt_due) == ("automatic", False)
    write_receipts("")
    assert len(sent()) == 1


def test_two_workers_at_once_write_one(school: models.School) -> None:
    for _ in range(4):
        brought(school)
    at_once(*[receipts.write_due] * 3)
    assert models.Message.objects.count() == 4
    assert not receipts.due()


def test_a_loop_ends_after_some_receipts_a_day(
    school: models.School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "MOST_A_DAY", 3)
    for _ in range(5):
        brought(school)
    assert receipts.write_due() == 3
    assert not receipts.due()
    assert models.Event.objects.filter(kind="receipts-stopped", school=school.pk).count() == 2
    age(models.Message.objects.order_by("pk")[0], 2)
    brought(school)
    assert receipts.write_due() == 1


def test_a_file_that_nobody_reads_does_not_hold_a_receipt_for_ever(school: models.School) -> None:
    batch = homecoming.read(school, [BARE])
    row = brought(school, batch)
    assert receipts.write_due() == 0
    age(row, 2)
    assert receipts.write_due() == 1
    (receipt,) = sent()
    assert "lecture en cours" in said(receipt)


def test_a_school_without_an_address_gets_none(school: models.School) -> None:
    models.School.objects.update(email="")
    brought(school)
    assert receipts.write_due() == 0
    assert not receipts.due()


def purged() -> tuple[int, int]:
    """Purge mails; give how many rows changed and files went."""
    tally = housekeeping._incoming(Periods(), really=True)
    return tally.rows, tally.files


def test_mails_go_as_scans_do(came: Came, school: models.School) -> None:
    periods = Periods()
    row = came(mail(named(PDF, "filename=scan.pdf"), named(b"PK\3\4", "filename=a.zip")))
    path = row.sha256
    age(row, periods.scans - 1)
    assert purged() == (0, 0)
    age(row, periods.scans + 1)
    assert purged() == (1, 1)
    row.refresh_from_db()
    assert row.purged_at
    assert not store.is_named(path)
    assert row.refused[0]["label"] == "a.zip"
    age(row, periods.copies + 1)
    assert [purged(), purged()] == [(1, 0), (0, 0)]
    row.refresh_from_db()
    assert (row.refused[0]["label"], row.message_id) == ("", "")
    age(row, periods.documents + 1)
    assert purged() == (1, 0)
    assert not models.Mail.objects.exists()


def test_a_mail_that_nobody_read_in_time_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "mail"
    path.write_bytes(plain("x"))
    row = mails.receive("box/1/1", 5, path)
    age(row, Periods().scans + 1)
    assert purged() == (1, 1)
    read_mail("1")
    assert row
    row.refresh_from_db()
    assert (row.verdict, row.reason, row.state) == ("quarantine", "never-read", "done")


def test_a_receipt_tells_the_hour_of_the_schools(came: Came, school: models.School) -> None:
    row = came(mail(text("Bonjour"), named(PDF, "filename=x.pdf")))
    at = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)  # half past midnight, the next day, in Paris
    models.Mail.objects.filter(pk=row.pk).update(created_at=at)
    write_receipts("")
    (receipt,) = sent()
    assert "2 juillet 2026 à 0 h 30" in said(receipt)
