"""Looking a message up: in the folder, in a real mailbox, in a relay's log."""

import gzip
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from docgen.backoffice import boxes, posting, relaylog
from docgen.backoffice.post import Post, Server
from docgen.backoffice.posting import Looked, Order, check_boxes, look_up, send
from docgen.errors import Unavailable
from tests.service.mailservers import (
    PASSWORD,
    Dovecot,
    Fault,
    SmtpServer,
    certificate,
    chatter,
    mail_house,
)
from tests.service.servers import running
from tests.service.smtpd import Accepted, postfix_lines

pytestmark = pytest.mark.embedded

ID, OTHER = "<0123abcd@docgen.example>", "<4567ef@docgen.example>"
REGION = "attestations@region.example"
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
BODY = b"Message-ID: %b\r\nSubject: essai\r\n\r\n.\r\nfin\r\n"


def body(message_id: str = ID) -> bytes:
    return BODY % message_id.encode()


def an_order(tmp_path: Path) -> Order:
    path = tmp_path / "message.eml"
    path.write_bytes(body())
    return Order(path, ID, "docgen@docgen.example", REGION)


# The folder


def test_without_a_server_a_message_is_one_file_that_is_found(tmp_path: Path) -> None:
    post, order = Post(tmp_path / "courrier"), an_order(tmp_path)
    assert look_up(post, ID) == Looked("absent")
    said: list[tuple[int, list[str]]] = []

    def say(number: int) -> None:
        said.append((number, [each.suffix for each in post.folder.iterdir()]))

    assert send(post, order, say).verdict == "accepted"
    [path] = post.folder.iterdir()
    assert [(number, ".eml" in found) for number, found in said] == [(1, False)]
    assert path.read_bytes() == order.path.read_bytes()
    assert (path.stat().st_mode & 0o777, post.folder.stat().st_mode & 0o777) == (0o600, 0o700)
    assert "docgen" not in path.name  # nothing of an address
    first = path.stat()
    assert send(post, order).verdict == "accepted"
    assert [each.stat().st_ino for each in post.folder.iterdir()] == [first.st_ino]
    assert (look_up(post, ID), look_up(post, OTHER)) == (Looked("found"), Looked("absent"))


def test_a_try_that_was_killed_leaves_nothing(tmp_path: Path) -> None:
    post, order = Post(tmp_path / "courrier"), an_order(tmp_path)

    def killed(_number: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        send(post, order, killed)
    assert look_up(post, ID) == Looked("absent")
    send(post, order)
    assert len(list(post.folder.iterdir())) == 1


def test_a_disk_without_links_holds_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", link)
    post, order = Post(tmp_path / "courrier"), an_order(tmp_path)
    assert [send(post, order).verdict for _ in range(2)] == ["accepted", "accepted"]
    assert [each.read_bytes() for each in post.folder.iterdir()] == [body()]


def test_a_folder_that_cannot_be_written_is_tried_later(tmp_path: Path) -> None:
    post = Post(tmp_path / "courrier")
    post.folder.touch()
    answer = send(post, an_order(tmp_path))
    assert (answer.verdict, "ne peut pas être écrit" in answer.words) == ("later", True)
    assert look_up(post, ID).verdict == "unknown"


# The region's box


@pytest.fixture(scope="module")
def dovecot() -> Iterator[Dovecot]:
    with running(Dovecot) as [server]:
        assert isinstance(server, Dovecot)
        yield server


@pytest.fixture
def user() -> str:
    """A box of the test's own."""
    return f"{uuid4().hex}@region.example"


def proved_by(server: Dovecot, user: str, **changes: object) -> Post:
    told = Server("127.0.0.1", server.port, "", user, server.password, "INBOX")
    proof = replace(told, **changes)  # type: ignore[arg-type]
    return Post(Path("/nowhere"), Server("127.0.0.1", 1, ""), proof=proof)


@pytest.mark.parametrize(
    "folder", ["INBOX", "Traites.Cessions 2026", "Trait&AOk-s", "Junk", 'a"b', "%", "(x)"]
)
def test_a_message_is_found_wherever_a_clerk_put_it(
    dovecot: Dovecot, user: str, folder: str
) -> None:
    post = proved_by(dovecot, user)
    dovecot.deliver(user, body(OTHER))
    dovecot.deliver(user, body(f"<x{ID[1:]}"), "Traites")
    assert look_up(post, ID) == Looked("absent")
    dovecot.deliver(user, body(), folder)
    assert look_up(post, ID) == Looked("found")
    # Read-only: what the clerks have not opened still looks so to them.
    box = dovecot.box(user, folder)
    assert [len(list((box / part).iterdir())) for part in ("new", "cur")] == [
        1 + (folder == "INBOX"),
        0,
    ]


def test_a_folder_that_is_closed_to_us_is_not_passed_over(dovecot: Dovecot, user: str) -> None:
    post = proved_by(dovecot, user)
    dovecot.deliver(user, body(OTHER))
    closed = dovecot.box(user, "Secret")
    (closed / "cur").chmod(0)
    dovecot.box(user, "a\\b")  # a name that imap-tools does not read right
    looked = look_up(post, ID)
    assert looked.verdict == "unknown"
    assert looked.why.endswith("il refuse ce qui lui est demandé.")
    dovecot.deliver(user, body(), "Zone")
    assert look_up(post, ID) == Looked("found")


def test_a_box_that_cannot_be_opened_proves_nothing(
    dovecot: Dovecot, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = look_up(proved_by(dovecot, user, password=PASSWORD[1:]), ID)
    assert wrong.verdict == "unknown"
    assert wrong.why.endswith("il refuse l’identifiant ou le mot de passe.")
    assert user not in wrong.why
    away = look_up(proved_by(dovecot, user, port=1), ID)
    assert (away.verdict, away.why) == ("unknown", "127.0.0.1:1\u00a0: il refuse la connexion.")
    monkeypatch.setattr(boxes, "SEARCH", 0.5)
    monkeypatch.setattr(boxes, "STEP", 0.5)
    dovecot.freeze()
    try:
        start = time.monotonic()
        frozen = look_up(proved_by(dovecot, user), ID)
        assert (frozen.verdict, time.monotonic() - start < 10) == ("unknown", True)
        assert frozen.why.endswith("il n’a pas répondu à temps.")
    finally:
        dovecot.thaw()


@pytest.mark.parametrize("text", ['<a" OR ALL@b.example>', "<a@b>\r\nx DELETE INBOX", "a@b", ""])
def test_only_a_message_id_of_ours_is_looked_for(text: str) -> None:
    with pytest.raises(ValueError, match="not a Message-ID of ours"):
        boxes.holds(Server("127.0.0.1", 1, ""), text)


def test_without_a_proof_nothing_is_known(tmp_path: Path) -> None:
    post = Post(tmp_path, Server("127.0.0.1", 1, ""))
    assert look_up(post, ID) == Looked("unknown", posting.NO_PROOF)


@pytest.mark.parametrize("polite", [0, 2], ids=["at once", "once it knows us"])
@pytest.mark.parametrize("line", [b"* OK more\r\n", b"* OK ", b"\xff\x00\r\n"])
def test_a_server_that_only_talks_proves_nothing(
    monkeypatch: pytest.MonkeyPatch, line: bytes, polite: int
) -> None:
    monkeypatch.setattr(boxes, "SEARCH", 0.5)
    monkeypatch.setattr(boxes, "STEP", 60 if polite else 0.3)
    with chatter(line, polite) as port:
        proof = Server("127.0.0.1", port, "", "somebody", PASSWORD)
        start = time.monotonic()
        looked = look_up(Post(Path("/nowhere"), proof, proof=proof), ID)
        assert (looked.verdict, time.monotonic() - start < 20) == ("unknown", True)


def test_the_line_to_a_box_is_encrypted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pem = certificate(tmp_path)
    password = "mot-de-passé"  # noqa: S105
    with running(lambda folder: Dovecot(folder, certificate=pem, password=password)) as [server]:
        assert isinstance(server, Dovecot)
        server.deliver(REGION, body())
        ways = (("starttls", server.port), ("tls", server.tls_port))
        posts = [
            proved_by(server, REGION, host="localhost", security=security, port=port)
            for security, port in ways
        ]
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        assert ["certificat" in look_up(post, ID).why for post in posts] == [True, True]
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        assert [look_up(post, ID) for post in posts] == [Looked("found")] * 2


def test_doctor_opens_each_box(dovecot: Dovecot, user: str, tmp_path: Path) -> None:
    assert check_boxes(Post(tmp_path)) == "aucune n’est réglée"
    post = proved_by(dovecot, user)
    both = replace(post, imap=post.proof)
    place = f"127.0.0.1:{dovecot.port}, INBOX"
    assert check_boxes(both) == f"{place}, {place}"
    missing = replace(both, imap=replace(post.proof, path="Nowhere"), proof=tmp_path / "none")  # type: ignore[type-var]
    with pytest.raises(Unavailable) as caught:
        check_boxes(missing)
    remedies = [each.remedy for each in caught.value.problems]
    assert remedies == ["Vérifiez DOCGEN_IMAP_URL.", "Vérifiez DOCGEN_MAIL_PROOF."]


# The relay's log


def lines(message_id: str = ID, number: int = 1, at: datetime = NOW) -> list[str]:
    told = Accepted(number, message_id, "a@b.example", REGION, "", {})
    return postfix_lines(told, at).splitlines(keepends=True)


def a_log(
    folder: Path,
    *texts: str | list[str],
    names: tuple[str, ...] = ("mail.log",),
    at: datetime = NOW,
) -> Path:
    """Write a log and its rotated files, youngest first, each an hour older than the one before."""
    for number, (name, text) in enumerate(zip(names, texts, strict=True)):
        content = "".join(text).encode()
        path = folder / name
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        stamp = (at - timedelta(hours=number)).timestamp()
        os.utime(path, (stamp, stamp))
    return folder / "mail.log"


def looked(path: Path, since: datetime | None = NOW) -> str:
    return look_up(Post(Path("/nowhere"), Server("h", 1, ""), proof=path), ID, since).verdict


OLD = "Nov 21 04:00:00 relay postfix/qmgr[12]: 77: removed\n"
ISO = "2026-11-21T04:00:00.123456+01:00 relay postfix/qmgr[12]: 77: removed\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ([OLD, *lines()], "found"),
        (lines(), "found"),  # however young the log is
        ([OLD, *lines()[:2]], "found"),  # queued
        ([OLD, lines()[0], lines()[2].replace("status=sent", "status=deferred")], "found"),
        ([OLD, lines()[0], lines()[2].replace("status=sent", "status=bounced")], "found"),
        ([OLD, lines()[0]], "unknown"),  # it began to come
        ([OLD, lines()[0], *lines(OTHER)[0:2]], "unknown"),  # its queue's name was used again
        ([OLD, lines()[0], *lines(OTHER, 2)], "unknown"),
        ([OLD, *lines(OTHER)], "absent"),
        ([ISO, *lines(OTHER)], "absent"),
        ([OLD, *lines(f"<x{ID[1:]}")], "absent"),
        ([OLD], "unknown"),  # it names no message at all: another program's, or another format
        ([ISO, "2026-11-22T09:00:00+01:00 relay exim[1]: 1a-2b <= a@b.example id=x\n"], "unknown"),
        (lines(OTHER), "unknown"),  # it begins with the message: what came before is not known
        (["no time at all\n"], "unknown"),
        ([], "unknown"),
        ([OLD, "x" * 100_000, "\n", *lines()], "found"),
    ],
)
def test_what_a_log_says(tmp_path: Path, text: list[str], expected: str) -> None:
    assert looked(a_log(tmp_path, text)) == expected


@pytest.mark.parametrize(
    "names",
    [
        ("mail.log", "mail.log.1", "mail.log.2.gz"),
        ("mail.log", "mail.log-20261122", "mail.log-20261121.gz"),
    ],
)
def test_a_log_is_read_with_what_was_rotated_from_it(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    first, *rest = lines()
    newer = "Nov 22 08:30:00 relay postfix/qmgr[12]: 78: removed\n"
    assert looked(a_log(tmp_path, [newer, *rest], [newer, first], [OLD], names=names)) == "found"
    assert looked(a_log(tmp_path, [newer], [newer, *lines()], [OLD], names=names)) == "found"
    assert looked(a_log(tmp_path, [newer], [newer], [OLD, *lines()], names=names)) == "found"
    others = [OLD, *lines(OTHER)]
    assert looked(a_log(tmp_path, [newer], [newer], others, names=names)) == "absent"
    assert looked(a_log(tmp_path, [newer], [newer], [newer], names=names)) == "unknown"
    late = NOW - timedelta(days=2)
    assert looked(a_log(tmp_path, [newer], [newer], others, names=names), late) == "unknown"
    assert looked(a_log(tmp_path, [newer], [newer], others, names=names), None) == "unknown"


def test_a_log_that_has_stopped_proves_nothing(tmp_path: Path) -> None:
    path = a_log(tmp_path, [OLD, *lines(OTHER)])
    assert (looked(path), looked(path, NOW + timedelta(seconds=1))) == ("absent", "unknown")


def test_a_log_of_december_is_older_than_one_of_january(tmp_path: Path) -> None:
    new_year = datetime(2027, 1, 2, 9, tzinfo=UTC)
    path = a_log(
        tmp_path,
        ["Dec 31 04:00:00 relay postfix/qmgr[1]: 7: removed\n", *lines(OTHER)],
        at=new_year,
    )
    assert looked(path, new_year) == "absent"
    path = a_log(
        tmp_path,
        ["Jan  1 09:00:00 relay postfix/qmgr[1]: 7: removed\n", *lines(OTHER)],
        at=new_year,
    )
    assert looked(path, new_year) == "unknown"


def test_a_log_that_cannot_be_read_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert looked(tmp_path / "mail.log") == "unknown"
    path = a_log(tmp_path, [OLD], [OLD] * 1000, names=("mail.log", "mail.log.1.gz"))
    packed = tmp_path / "mail.log.1.gz"
    whole = packed.read_bytes()
    early = NOW - timedelta(days=9)
    assert looked(path, early) == "unknown"
    for damaged in (whole[:-20], whole[:20] + b"\0" * 20 + whole[40:], b"\x1f\x8b", b"text"):
        packed.write_bytes(damaged)
        assert looked(path, early) == "unknown"
    packed.unlink()
    monkeypatch.setattr(relaylog, "SECONDS", -1)
    post = Post(Path("/nowhere"), Server("h", 1, ""), proof=path)
    assert look_up(post, ID, NOW) == Looked("unknown", relaylog.TOO_LONG)


# All together


def test_a_message_whose_answer_was_lost_is_looked_up_at_real_servers(tmp_path: Path) -> None:
    order = an_order(tmp_path)
    start = datetime.now(UTC)
    with mail_house() as house:
        smtp = Server("127.0.0.1", house.smtp.port, "")
        told = Server("127.0.0.1", house.dovecot.port, "", REGION, PASSWORD)
        post = Post(tmp_path, smtp, proof=told)
        house.smtp.weather({Fault("dot"): 1})
        assert send(post, order).verdict == "uncertain"
        assert look_up(post, ID) == Looked("absent")
        house.smtp.weather({Fault("dot", is_kept=True): 1})
        assert send(post, order).verdict == "uncertain"
        assert look_up(post, ID) == Looked("found")
        assert [each.message_id for each in house.smtp.accepted()] == [ID]
        assert house.dovecot.messages(REGION) == [body().replace(b"\r\n", b"\n")]
        log = replace(post, proof=house.smtp.folder / "mail.log")
        assert look_up(log, ID, start) == Looked("found")


def test_the_log_of_the_server_in_a_thread_is_read_too(tmp_path: Path) -> None:
    with SmtpServer(tmp_path / "smtp") as server:
        post = Post(tmp_path, Server("127.0.0.1", server.port, ""), proof=server.log)
        assert look_up(post, ID).verdict == "unknown"  # no log yet
        send(post, an_order(tmp_path))
        assert look_up(post, ID) == Looked("found")
