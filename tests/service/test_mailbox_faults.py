"""Mailboxes that fail: servers that die, renumber, refuse or give one mail only half."""

import imaplib
import logging
from pathlib import Path
from typing import Any

import pytest
from imap_tools import BaseMailBox, MailboxMoveError

from docgen.backoffice import mails as service
from docgen.backoffice import models, store
from tests.hostile.mails import PDF, mail, named, plain
from tests.service.mailservers import Dovecot
from tests.service.test_mailbox import at
from workers import mailbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "_tries", {})


def test_a_mail_that_ends_the_line_holds_no_other_up(
    server: Dovecot, box: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time: the server dies of it, the store has no room for it."""
    for number in range(3):
        server.deliver(box, plain(f"Bonjour {number}"))
    uid = imaplib.IMAP4.uid

    def fatal(client: imaplib.IMAP4, command: str, *words: str) -> Any:  # noqa: ANN401
        if command == "FETCH" and words[0] == "1":
            raise imaplib.IMAP4.abort("CANARI")
        return uid(client, command, *words)

    monkeypatch.setattr(imaplib.IMAP4, "uid", fatal)
    with pytest.raises(imaplib.IMAP4.abort):
        mailbox.turn(at(server, box))
    assert models.Mail.objects.count() == 0
    with pytest.raises(imaplib.IMAP4.abort):
        mailbox.turn(at(server, box))
    assert models.Mail.objects.count() == 2
    assert len(server.messages(box, "docgen")) == 2
    monkeypatch.setattr(imaplib.IMAP4, "uid", uid)
    assert mailbox.turn(at(server, box)) == 1
    assert mailbox.turn(at(server, box)) == 0
    assert mailbox._tries == {}


def renumber(server: Dovecot, box: str) -> None:
    """Have a server number its mails anew, as after a box was put back from elsewhere."""
    for path in server.box(box).glob("dovecot.*"):
        path.unlink()
    listed = server.box(box) / "dovecot-uidlist"
    version, validity, rest = listed.read_bytes().split(b" ", 2)
    listed.write_bytes(b" ".join((version, b"V%d" % (int(validity[1:]) + 1), rest)))


def test_a_box_numbered_anew_brings_no_mail_twice(
    server: Dovecot, box: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mails that stay there are known by their bytes, two of the same by their number."""
    monkeypatch.setattr(mailbox, "_folder", lambda _: "")
    scans = mail(named(PDF, "filename=scan.pdf"))
    for content in (scans, scans, plain("Bonjour")):
        server.deliver(box, content)
    assert mailbox.turn(at(server, box)) == 3
    before = set(models.Mail.objects.values_list("pk", "box"))
    renumber(server, box)
    server.deliver(box, plain("Bonsoir"))
    assert mailbox.turn(at(server, box)) == 1
    after = set(models.Mail.objects.values_list("pk", "box"))
    assert {pk for pk, _ in before} < {pk for pk, _ in after}
    assert not {place for _, place in before} & {place for _, place in after}
    assert len(after) == 4
    assert mailbox.turn(at(server, box)) == 0


def test_a_box_that_may_only_be_read_is_read(
    server: Dovecot, box: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    select = imaplib.IMAP4.select

    def refused(client: imaplib.IMAP4, name: str, readonly: bool = False) -> Any:  # noqa: ANN401
        answer = select(client, name, True)
        if not readonly:
            raise client.readonly("CANARI")
        return answer

    monkeypatch.setattr(imaplib.IMAP4, "select", refused)
    server.deliver(box, plain("Bonjour"))
    assert [mailbox.turn(at(server, box)) for _ in range(2)] == [1, 0]
    assert len(server.messages(box)) == 1


def test_a_server_that_moves_nothing_is_not_asked_without_end(
    server: Dovecot,
    box: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for number in range(6):
        server.deliver(box, plain(f"Bonjour {number}"))
    asked = list[str]()

    def full(_: BaseMailBox, uid: str, folder: str) -> None:
        asked.append(uid)
        raise MailboxMoveError(("NO", [b"[OVERQUOTA] CANARI"]), "OK")

    monkeypatch.setattr(BaseMailBox, "move", full)
    monkeypatch.setattr(mailbox, "A_TURN", 4)
    with caplog.at_level(logging.DEBUG, "workers.mailbox"):
        assert [mailbox.turn(at(server, box)) for _ in range(3)] == [4, 2, 0]
    assert len(asked) == 3 * mailbox.MOST_REFUSED
    assert len(set(asked)) == 6  # never the same three first
    assert [record.getMessage() for record in caplog.records] == ["mails left where they are"] * 3
    assert models.Mail.objects.count() == 6


def test_a_turn_is_bounded_however_many_mails_wait(
    server: Dovecot, box: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are known and still to be moved count, and those that are not given."""
    monkeypatch.setattr(mailbox, "A_TURN", 3)
    for number in range(8):
        server.deliver(box, plain(f"Bonjour {number}"))
    with monkeypatch.context() as patch:
        patch.setattr(mailbox, "_folder", lambda _: "")
        assert [mailbox.turn(at(server, box)) for _ in range(4)] == [3, 3, 2, 0]
    moved = list[int]()
    for _ in range(3):
        assert mailbox.turn(at(server, box)) == 0
        moved.append(len(server.messages(box, "docgen")))
    assert moved == [3, 6, 8]
    for number in range(5):
        server.deliver(box, plain(f"Bonsoir {number}"))
    sizes = list[str]()

    def none(_: BaseMailBox, uid: str) -> int:
        sizes.append(uid)
        raise mailbox.Left

    monkeypatch.setattr(mailbox, "_size", none)
    assert [mailbox.turn(at(server, box)) for _ in range(2)] == [0, 0]
    assert len(sizes) == 6
    assert len(set(sizes)) == 5


def test_a_mail_that_goes_away_half_fetched_is_not_kept_as_it_is(
    server: Dovecot, box: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Servers also tell of other mails while they answer: that is no end of this one."""
    monkeypatch.setattr(mailbox, "BLOCK", 1000)
    server.deliver(box, mail(named(PDF * 100, "filename=scan.pdf")))
    asked = mailbox._asked

    def gone(box: BaseMailBox, uid: str, what: str) -> Any:  # noqa: ANN401
        return [b"9 (UID 9 FLAGS ())"] if "<1000." in what else asked(box, uid, what)

    with monkeypatch.context() as patch:
        patch.setattr(mailbox, "_asked", gone)
        assert mailbox.turn(at(server, box)) == 0
    assert models.Mail.objects.count() == 0
    assert mailbox.turn(at(server, box)) == 1


def test_an_empty_end_ends_a_mail(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Some write the empty block after the last one as a quoted string."""
    monkeypatch.setattr(mailbox, "BLOCK", 4)
    rows: list[list[Any]] = [[(b"1 (UID 1 BODY[]<0> {4}", b"abcd"), b")"]]
    rows.append([b'1 (UID 1 BODY[]<4> "")'])
    monkeypatch.setattr(mailbox, "_asked", lambda *_: rows.pop(0))
    with (tmp_path / "mail").open("wb") as stream:
        assert mailbox._fetch(None, "1", stream) == 4  # type: ignore[arg-type]


def test_the_same_bytes_elsewhere_are_the_same_mail(tmp_path: Path) -> None:
    path = tmp_path / "mail"
    path.write_bytes(plain("Bonjour"))
    first = service.receive("box/1/1", 10, path)
    assert first
    assert service.receive("box/1/2", 10, path)  # sent twice
    assert service.receive("box/2/1", 10, path) is None
    assert service.receive("box/2/2", 10, path) is None
    assert service.receive("box/2/3", 10, path)  # and once more since
    assert models.Mail.objects.count() == 3
    assert models.Mail.objects.get(pk=first.pk).box == "box/2/1"
    assert b"".join(store.blocks(first.sha256)) == plain("Bonjour")
