"""Mails as they travel: whole, ASCII, the same bytes each time, read right by strict readers."""

import re
import subprocess
import tracemalloc
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email import message_from_bytes
from email.header import decode_header
from email.message import EmailMessage
from email.policy import SMTP
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from docgen.errors import InvalidInput
from docgen.mailing.letter import (
    COLUMNS,
    FORBIDDEN,
    HEAD_ROOM,
    Letter,
    Words,
    attachment_most,
    compose,
    message_id,
    write,
)
from tests.helpers import refusal

STRICT = SMTP.clone(raise_on_defect=True)
NBSP = "\u00a0"
SUBJECT = (
    f"[0130010R] Attestation de cession n°{NBSP}1, 2026-2027, Lycée Émile-Zola "
    f"(14{NBSP}septembre au 2{NBSP}octobre 2026), remplace l’envoi du 3{NBSP}octobre 2026"
)
TEXT = (
    "Bonjour,\n\nVeuillez trouver ci-joint l’attestation de cession signée de l’établissement "
    "suivant, à garder.\n\nEmpreinte SHA-256\u00a0:\n" + "0f" * 32 + "\n\n"
    "  • un point assez long pour qu’il continue sur la ligne suivante, sous son premier mot\n"
    ".\nFrom : à la ligne\n"
)
NAME = "attestation-0130010R-lycee-emile-zola-2026-2027-n1-20260914-20261002-AT-7K3F-92QD.pdf"
PDF = bytes(range(256)) * 300
LETTER = Letter(
    message_id=message_id("attestation:1:v1", 0, "docgen.example"),
    at=datetime(2026, 10, 14, 8, 3, tzinfo=timezone(timedelta(hours=2))),
    sender="docgen@docgen.example",
    sender_name="Lycée Émile-Zola (docgen)",
    recipient="l-ec@region.example",
    words=Words(SUBJECT, TEXT, NAME),
    reply_to="ce.0130010R@academie.example",
    cc=("copie@region.example", "autre@region.example"),
    in_reply_to="<scan.1@copier.example>",
)
# All that a header or a text may hold.
WRITABLE = st.characters(exclude_categories=sorted(FORBIDDEN))


@pytest.fixture
def letter(tmp_path: Path) -> Letter:
    attachment = tmp_path / "signed.pdf"
    attachment.write_bytes(PDF)
    return replace(LETTER, attachment=attachment)


def parsed(content: bytes) -> EmailMessage:
    """Read a mail as strictly as Python can, header by header."""
    message = message_from_bytes(content, policy=STRICT)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        assert part.defects == []
        assert [value.defects for value in part.values()] == [()] * len(part)
    return message


def well_formed(content: bytes) -> None:
    """Check what RFC 5322 and RFC 2045 ask of every line."""
    assert content.isascii()
    lines = content.split(b"\r\n")
    assert lines.pop() == b""
    assert all(b"\r" not in line and b"\n" not in line for line in lines)
    assert all(len(line) <= 998 for line in lines)
    head = content.partition(b"\r\n\r\n")[0].decode()
    for word in re.findall(r"=\?[^?]+\?[bq]\?[^?]*\?=", head):
        assert len(word) <= 75  # RFC 2047, 2
        ((data, charset),) = decode_header(word)
        data.decode(charset)  # a character that was cut would not decode


def test_a_mail_says_what_it_is_in_its_header_fields(letter: Letter) -> None:
    content = compose(letter)
    well_formed(content)
    message = parsed(content)
    assert {name: str(value) for name, value in message.items()} == {
        "Date": "Wed, 14 Oct 2026 08:03:00 +0200",
        "From": '"Lycée Émile-Zola (docgen)" <docgen@docgen.example>',
        "To": "l-ec@region.example",
        "Cc": "copie@region.example, autre@region.example",
        "Reply-To": "ce.0130010R@academie.example",
        "Message-ID": letter.message_id,
        "In-Reply-To": "<scan.1@copier.example>",
        "References": "<scan.1@copier.example>",
        "Subject": SUBJECT,
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
        "Content-Language": "fr",
        "MIME-Version": "1.0",
        "Content-Type": message["Content-Type"],
    }
    assert message["From"].addresses[0].display_name == "Lycée Émile-Zola (docgen)"


def test_its_text_and_its_file_arrive_as_they_left(letter: Letter) -> None:
    message = parsed(compose(letter))
    assert message.get_content_type() == "multipart/mixed"
    body, file = message.iter_parts()
    assert (body.get_content_type(), body.get_content_charset()) == ("text/plain", "utf-8")
    assert body["Content-Transfer-Encoding"] == "quoted-printable"
    assert body.get_content().split() == TEXT.split()
    assert (file.get_content_type(), file.get_filename()) == ("application/pdf", NAME)
    assert file.is_attachment()
    assert file.get_content() == PDF


def test_its_text_fits_a_screen_of_text(letter: Letter) -> None:
    lines = next(parsed(compose(letter)).iter_parts()).get_content().splitlines()
    assert max(map(len, lines)) <= COLUMNS
    assert "0f" * 32 in lines
    bullet = next(n for n, line in enumerate(lines) if line.startswith("  • "))
    assert re.match(r"    \S", lines[bullet + 1])


def test_a_mail_without_a_file_is_its_text_alone(letter: Letter) -> None:
    content = compose(replace(letter, attachment=None))
    well_formed(content)
    message = parsed(content)
    assert message.get_content_type() == "text/plain"
    assert message.get_content().split() == TEXT.split()


@pytest.mark.parametrize(
    ("name", "bare"),
    [
        ("attestation-n°1-Lycée-Émile-Zola.pdf", "attestation-n1-Lycee-Emile-Zola.pdf"),
        ("é" * 90 + ".pdf", "e" * 90 + ".pdf"),
        ('œuvre "choisie" 50%; *1.pdf', 'uvre "choisie" 50%; *1.pdf'),
    ],
)
def test_a_file_name_with_accents_is_written_by_rfc_2231_and_in_ascii(
    letter: Letter, name: str, bare: str
) -> None:
    content = compose(replace(letter, words=replace(letter.words, file_name=name)))
    well_formed(content)
    assert b"\r\n filename*=utf-8''" in content
    *_, file = parsed(content).iter_parts()
    assert file.get_filename() == unicodedata.normalize("NFC", name)
    assert file["Content-Type"].params["name"] == bare


def test_the_same_letter_gives_the_same_bytes_and_another_identifier_another_boundary(
    letter: Letter,
) -> None:
    again = message_id("attestation:1:v1", 1, "docgen.example")
    reopened = replace(letter, message_id=again)
    assert compose(letter) == compose(letter)
    boundaries = {parsed(compose(each)).get_boundary() for each in (letter, reopened)}
    assert len(boundaries) == 2


def test_an_identifier_follows_from_its_key_and_tells_nothing_of_it() -> None:
    given = [message_id("attestation:1:v1", opening, "a.example") for opening in (0, 0, 1)]
    assert given[0] == given[1] != given[2]
    assert re.fullmatch(r"<[0-9a-f]{40}@a\.example>", given[0])


def test_a_redirected_mail_says_so_and_answers_reach_nobody_else(letter: Letter) -> None:
    trial = replace(letter, recipient="essai@docgen.example", redirected_from="l-ec@region.example")
    content = compose(trial)
    well_formed(content)
    message = parsed(content)
    assert message["Subject"] == f"[ESSAI] {SUBJECT}"
    assert message["To"] == "essai@docgen.example"
    assert {"Cc", "Reply-To"} & set(message.keys()) == set()
    first, *_ = next(message.iter_parts()).get_content().split("\n\n")
    assert first.startswith(f"ESSAI{NBSP}: ce message était pour l-ec@region.example.")
    assert "copie@region.example, autre@region.example" in first.replace("\n", " ")
    assert "ce.0130010R@academie.example" in first


INJECTIONS: dict[str, Callable[[str], dict[str, Any]]] = {
    "message_id": lambda bad: {"message_id": f"<a@b.example>{bad}"},
    "sender": lambda bad: {"sender": f"a@b.example{bad}"},
    "sender_name": lambda bad: {"sender_name": f"docgen{bad}"},
    "recipient": lambda bad: {"recipient": f"a@b.example{bad}"},
    "subject": lambda bad: {"words": Words(f"Bonjour{bad}", "", NAME)},
    "file_name": lambda bad: {"words": Words("Bonjour", "", f"a{bad}.pdf")},
    "reply_to": lambda bad: {"reply_to": f"a@b.example{bad}"},
    "cc": lambda bad: {"cc": ("c@d.example", f"a@b.example{bad}")},
    "in_reply_to": lambda bad: {"in_reply_to": f"<a@b.example>{bad}"},
    "redirected_from": lambda bad: {"redirected_from": f"a@b.example{bad}"},
}


@pytest.mark.parametrize(
    "bad", ["\r\nBcc: x@y.example", "\n", "\r", "\0", "\x85", "\u2028", "\u2029", "\x1b"]
)
@pytest.mark.parametrize("field", INJECTIONS)
def test_no_value_adds_a_header_field(letter: Letter, field: str, bad: str) -> None:
    (told,) = refusal(lambda: compose(replace(letter, **INJECTIONS[field](bad))), InvalidInput)
    assert bad not in str(told)


@pytest.mark.parametrize(
    "address",
    ["", "a", "a b@c.example", "a@c.example, d@e.example", "<a@c.example>", "é@c.example",
     "a@c.example>", '"a"@c.example', "a@[127.0.0.1]", "a@" + "c" * 260, "a,b@c.example"],
)  # fmt: skip
def test_what_is_not_a_bare_address_is_refused(letter: Letter, address: str) -> None:
    (told,) = refusal(lambda: compose(replace(letter, recipient=address)), InvalidInput)
    assert told.where == "To"


def test_everything_that_cannot_be_written_is_told_at_once(letter: Letter) -> None:
    words = Words("deux\nlignes", "\x07", "a/b.pdf")
    wrong = replace(letter, sender="docgen", cc=("x",), message_id="<>", words=words)
    told = refusal(lambda: compose(wrong), InvalidInput)
    wanted = ["From", "Cc", "Message-ID", "Subject", "texte", "filename"]
    assert [each.where for each in told] == wanted


@pytest.mark.parametrize("name", ["", "a/b.pdf", "a\\b.pdf", "a" * 201, "é" * 101])
def test_a_name_that_no_disk_takes_is_refused(letter: Letter, name: str) -> None:
    words = replace(letter.words, file_name=name)
    (told,) = refusal(lambda: compose(replace(letter, words=words)), InvalidInput)
    assert told.where == "filename"


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None
)
@given(
    subject=st.text(WRITABLE, max_size=250),
    name=st.text(WRITABLE, max_size=80),
    text=st.text(WRITABLE | st.sampled_from("\n\t "), max_size=400),
)
def test_whatever_is_said_is_read_again(subject: str, name: str, text: str) -> None:
    letter = replace(LETTER, sender_name=name, words=Words(subject, text))
    content = compose(letter)
    well_formed(content)
    message = message_from_bytes(content, policy=SMTP)
    assert isinstance(message, EmailMessage)
    assert str(message["Subject"]) == unicodedata.normalize("NFC", subject.strip())
    (sender,) = message["From"].addresses
    assert (sender.username, sender.domain) == ("docgen", "docgen.example")
    assert message.get_content().split() == text.split()
    assert len(message) == len(set(message.keys())) == 15


@pytest.mark.parametrize("most", [1 << 20, 10 << 20, 100 << 20, HEAD_ROOM])
def test_an_attachment_as_large_as_is_allowed_fits_in_its_mail(tmp_path: Path, most: int) -> None:
    allowed = attachment_most(most)
    assert allowed >= (most - HEAD_ROOM) * 0.72
    attachment = tmp_path / "large.pdf"
    with attachment.open("wb") as stream:
        stream.truncate(allowed)
    lengths = Counted()
    write(replace(LETTER, attachment=attachment), lengths)  # type: ignore[arg-type]
    assert lengths.total <= most


class Counted:
    """Counts what is written, and keeps none of it."""

    total = 0

    def write(self, content: bytes) -> None:
        self.total += len(content)


def test_a_large_attachment_costs_a_block_of_memory(tmp_path: Path) -> None:
    attachment = tmp_path / "large.pdf"
    with attachment.open("wb") as stream:
        stream.truncate(30 << 20)
    tracemalloc.start()
    write(replace(LETTER, attachment=attachment), Counted())  # type: ignore[arg-type]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20


def test_a_text_client_shows_the_mail_and_saves_its_file(tmp_path: Path, letter: Letter) -> None:
    """Have s-nail read the mail as a clerk does: subject, accents, the file under its name."""
    names = (NAME, "attestation-n°1-Lycée-Émile-Zola.pdf")
    box = tmp_path / "box"
    with box.open("wb") as stream:
        for name in names:
            told = compose(replace(letter, words=replace(letter.words, file_name=name)))
            stream.write(b"From docgen Wed Oct 14 08:03:00 2026\n")
            stream.write(told.replace(b"\r\n", b"\n") + b"\n")
    command = ["s-nail", "-:/", "-R", "-#", "-S", "ttycharset=utf-8", "-S", "crt=", "-f", box]
    done = subprocess.run(
        command,
        input=b"type 1\nwrite 1 text-1\nwrite 2 text-2\nxit\n",
        cwd=tmp_path,
        env={"LC_ALL": "C.UTF-8", "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        timeout=60,
        check=True,
    )
    shown = done.stdout.decode()
    assert f"Subject: {SUBJECT}\n" in shown
    assert "From: Lycée Émile-Zola (docgen) <docgen@docgen.example>\n" in shown
    assert "Reply-To: ce.0130010R@academie.example\n" in shown
    assert "l’attestation de cession signée" in shown
    assert "\n  • un point assez long" in shown
    digests = {name: sha256((tmp_path / name).read_bytes()).digest() for name in names}
    assert set(digests.values()) == {sha256(PDF).digest()}
