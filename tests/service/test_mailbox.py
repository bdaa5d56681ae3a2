"""The mailbox, on a real IMAP server: emptied once, whatever dies, and nothing deleted."""

import imaplib
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db.models import F
from imap_tools import BaseMailBox, MailboxLoginError

from docgen.backoffice import mails as service
from docgen.backoffice import models, post, store
from docgen.backoffice.logs import Line
from tests.hostile import mails
from tests.hostile.mails import PDF, mail, named, plain
from tests.service.mailservers import OURS, Dovecot
from tests.service.moments import at_once
from workers import mailbox

pytestmark = pytest.mark.django_db(transaction=True)


def at(server: Dovecot, box: str, **changes: str) -> post.Server:
    environment = {"DOCGEN_IMAP_URL": server.url(box, **changes)}
    found = post.read_post(settings.DATA, environment).imap
    assert found
    return found


def test_each_mail_is_kept_once_and_moved(server: Dovecot, box: str) -> None:
    contents = [plain("Bonjour"), mail(named(PDF, "filename=scan.pdf"))]
    for each in contents:
        server.deliver(box, each)
    assert mailbox.turn(at(server, box)) == 2
    rows = list(models.Mail.objects.order_by("created_at"))
    assert [(row.verdict, row.state, row.size) for row in rows] == [
        ("waiting", "waiting", len(each)) for each in contents
    ]
    assert [b"".join(store.blocks(row.sha256)) for row in rows] == contents
    assert server.messages(box) == []
    assert len(server.messages(box, "docgen")) == 2
    assert mailbox.turn(at(server, box)) == 0
    server.deliver(box, contents[0])  # the same words, sent again: another mail
    assert mailbox.turn(at(server, box)) == 1
    assert box.partition("@")[0] not in "".join(row.box for row in rows)
    assert models.Event.objects.filter(kind="mail-received").count() == 3


def test_a_death_between_keeping_and_moving_keeps_no_second_mail(
    server: Dovecot, box: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.deliver(box, mail(named(PDF, "filename=scan.pdf")))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(BaseMailBox, "move", killed)
        with pytest.raises(KeyboardInterrupt):
            mailbox.turn(at(server, box))
    assert models.Mail.objects.count() == 1
    assert len(server.messages(box)) == 1
    assert mailbox.turn(at(server, box)) == 0
    assert models.Mail.objects.count() == 1
    assert server.messages(box) == []


def test_two_workers_at_once_keep_each_mail_once(server: Dovecot, box: str) -> None:
    for number in range(6):
        server.deliver(box, plain(f"Bonjour {number}"))
    taken = at_once(*[lambda: mailbox.look(at(server, box))] * 3)
    assert sorted(taken, key=str) == [0, 0, 6]
    assert models.Mail.objects.count() == 6
    assert len(server.messages(box, "docgen")) == 6
    assert mailbox.look(at(server, box)) == 0
    for number in range(6):  # one that was thought to be dead goes on
        server.deliver(box, plain(f"Bonsoir {number}"))
    taken = at_once(*[lambda: mailbox.turn(at(server, box))] * 3)
    assert sum(each for each in taken if isinstance(each, int)) == 6
    assert models.Mail.objects.count() == 12
    assert server.messages(box) == []


def test_who_fetches_keeps_the_others_away(
    server: Dovecot, box: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mailbox is taken for twenty seconds; what takes longer holds it block by block."""
    monkeypatch.setattr(mailbox, "BLOCK", 1000)
    server.deliver(box, plain("x" * 70 + "\r\n") * 100)
    asked = mailbox._asked
    others = list[int]()

    def slow(*words: Any) -> Any:  # noqa: ANN401
        others.append(mailbox.look(at(server, box)))
        models.Beat.objects.update(at=F("at") - timedelta(seconds=mailbox.EVERY - 5))
        return asked(*words)

    monkeypatch.setattr(mailbox, "_asked", slow)
    assert mailbox.look(at(server, box)) == 1
    assert len(others) > 5
    assert set(others) == {0}


def test_what_is_too_large_is_not_fetched(
    server: Dovecot, box: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST", 10_000)
    asked: list[tuple[Any, ...]] = []
    uid = imaplib.IMAP4.uid

    def watched(client: imaplib.IMAP4, *words: Any) -> Any:  # noqa: ANN401
        asked.append(words)
        return uid(client, *words)

    monkeypatch.setattr(imaplib.IMAP4, "uid", watched)
    server.deliver(box, plain("x" * 70 + "\r\n") * 200)
    assert mailbox.turn(at(server, box)) == 1
    row = models.Mail.objects.get()
    assert (row.verdict, row.reason, row.state, row.sha256) == (
        *("quarantine", "too-large", "done", ""),
    )
    assert not [words for words in asked if "BODY" in str(words)]
    assert len(server.messages(box, "docgen")) == 1
    assert models.Event.objects.filter(kind="mail-quarantined").count() == 1


def test_a_server_that_says_less_than_it_gives_is_not_believed(
    server: Dovecot, box: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST", 10_000)
    monkeypatch.setattr(mailbox, "BLOCK", 4_000)
    monkeypatch.setattr(mailbox, "_size", lambda *_: 10)
    server.deliver(box, plain("x" * 1000) * 50)
    assert mailbox.turn(at(server, box)) == 1
    assert models.Mail.objects.get().reason == "too-large"


def test_a_mail_is_fetched_block_by_block(
    server: Dovecot, box: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = mail(named(PDF * 500, "filename=scan.pdf"))
    for block in (len(content), len(content) // 2, len(content) - 1, 1000):
        monkeypatch.setattr(mailbox, "BLOCK", block)
        server.deliver(box, content)
        assert mailbox.turn(at(server, box)) == 1
    rows = models.Mail.objects.all()
    assert {b"".join(store.blocks(row.sha256)) for row in rows} == {content}
    assert {row.size for row in rows} == {len(content)}


def test_a_server_that_cannot_move_keeps_its_mails(
    server: Dovecot, box: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    poor = ("OK", [b"IMAP4rev1"])
    monkeypatch.setattr(imaplib.IMAP4, "capability", lambda _: poor)
    monkeypatch.setattr(mailbox, "A_TURN", 2)
    for number in range(3):
        server.deliver(box, plain(f"Bonjour {number}"))
    assert [mailbox.turn(at(server, box)) for _ in range(3)] == [2, 1, 0]
    assert len(server.messages(box)) == models.Mail.objects.count() == 3


def test_a_mail_that_its_server_does_not_give_holds_no_other_up(
    server: Dovecot, box: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        server.deliver(box, plain(f"Bonjour {number}"))
    uid = imaplib.IMAP4.uid

    def faulty(client: imaplib.IMAP4, command: str, *words: str) -> Any:  # noqa: ANN401
        if command == "FETCH" and words[0] == "1":
            return "NO", [b"CANARI"]
        return uid(client, command, *words)

    with monkeypatch.context() as patch:
        patch.setattr(imaplib.IMAP4, "uid", faulty)
        assert mailbox.turn(at(server, box)) == 1
    assert len(server.messages(box)) == 1
    assert mailbox.turn(at(server, box)) == 1


def test_tls_is_asked_for_and_checked(
    server: Dovecot, box: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.deliver(box, plain("Bonjour"))
    plainly = at(server, box)
    facts = (plainly.user, plainly.password, plainly.path)
    tls = post.Server("localhost", server.tls_port, "tls", *facts)
    started = post.Server("localhost", server.port, "starttls", *facts)
    for each in (tls, started):
        with pytest.raises(OSError, match=r"(?i)certificate"):
            mailbox.turn(each)
    monkeypatch.setenv("SSL_CERT_FILE", str(server.folder / "localhost.pem"))
    assert mailbox.turn(tls) == 1
    server.deliver(box, plain("Bonjour"))
    assert mailbox.turn(started) == 1


def test_faults_are_told_by_type_and_tried_again(
    server: Dovecot,
    box: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    wrong = post.Server("127.0.0.1", server.port, "", "CANARI@region.example", "wrong", "INBOX")
    with pytest.raises(MailboxLoginError):
        mailbox.turn(wrong)
    away = post.Server("127.0.0.1", 9, "", "CANARI@region.example", "x", "INBOX")
    servers, turned = [wrong, away], list[post.Server]()
    turn = mailbox.turn

    def watched(given: post.Server) -> int:
        if not servers:
            raise KeyboardInterrupt
        turned.append(given)
        return turn(servers.pop(0))

    monkeypatch.setattr(mailbox, "look", watched)
    monkeypatch.setattr(mailbox, "EVERY", 0.01)
    monkeypatch.setattr(settings, "POST", post.Post(settings.DATA, imap=wrong))
    with caplog.at_level(logging.DEBUG), pytest.raises(KeyboardInterrupt):
        mailbox._go_on()
    assert len(turned) == 2
    lines = "".join(Line().format(record) for record in caplog.records)
    assert "MailboxLoginError" in lines
    assert "ConnectionRefusedError" in lines
    assert "CANARI" not in lines


def test_without_a_mailbox_nothing_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "POST", post.Post(settings.DATA))
    mailbox._go_on()
    assert mails.OURS == OURS
