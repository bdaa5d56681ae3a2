"""Mails read: what is a scan, what is not and why, who sent it, and what is never answered."""

import time
from pathlib import Path

import pytest

from docgen.mailing.incoming import REASONS, House, Incoming, read
from tests.hostile import mails
from tests.hostile.mails import HOSTILE, NAMES, PDF, SCHOOL, mail, named, part, picture, plain, text
from workers import children
from workers.children import Limits

LIMITS = Limits(memory=2**30, processor=20, wall=60, file=2**28)  # those of workers.mails
HOUSE = House(mails.DOMAIN, frozenset({mails.OURS}))
GUARDED = House(mails.DOMAIN, frozenset({mails.OURS}), authserv=mails.AUTHSERV)


def told(folder: Path, content: bytes, house: House = HOUSE) -> Incoming:
    path = folder / "mail"
    path.write_bytes(content)
    return read(path, folder, house)


def verdict(folder: Path, content: bytes, house: House = HOUSE) -> tuple[str, str]:
    found = told(folder, content, house)
    assert not found.reason or found.reason in REASONS
    return found.verdict, found.reason


def test_scans_are_known_by_their_first_bytes(tmp_path: Path) -> None:
    heic = b"\0\0\0\x18ftypheic scan"
    content = mail(
        text("Bonjour"),
        named(PDF, "filename=scan.pdf", "application/pdf"),
        named(b"II*\0 scan", "filename=scan.dat"),
        part(picture(900, 1200, "JPEG"), "text/plain"),
        part(picture(900, 1200), "image/jpeg"),
        part(heic, "application/octet-stream"),
        named(b"PK\3\4 [Content_Types].xml", "filename=note.docx"),
    )
    found = told(tmp_path, content)
    assert (found.verdict, found.sender, found.message_id) == (
        *("scans", SCHOOL, "<1@copier.example>"),
    )
    assert found.is_answerable
    assert not found.is_believed
    files = [each.file for each in found.attachments]
    assert files == ["1", "2", "3", "4", "5", ""]
    assert [each.reason for each in found.attachments] == [""] * 5 + ["wrong-type"]
    assert [each.label for each in found.attachments[:2]] == ["scan.pdf", "scan.dat"]
    assert (tmp_path / "1").read_bytes() == PDF
    assert (tmp_path / "5").read_bytes() == heic


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_is_put_aside_with_its_reason(tmp_path: Path, name: str) -> None:
    make, reason = HOSTILE[name]
    began = time.process_time()
    assert verdict(tmp_path, make()) == ("quarantine", reason)
    assert time.process_time() - began < LIMITS.processor / 4
    assert [path.name for path in tmp_path.iterdir()] == ["mail"]


def test_every_reason_is_a_sentence() -> None:
    assert all(each.endswith(".") and "'" not in each for each in REASONS.values())
    assert {reason for _, reason in HOSTILE.values()} <= set(REASONS)


@pytest.mark.parametrize("name", NAMES)
def test_names_are_shown_and_never_used(tmp_path: Path, name: str) -> None:
    (only,) = told(tmp_path, mail(named(PDF, name))).attachments
    assert only.file == "1"
    assert {path.name for path in tmp_path.iterdir()} == {"mail", "1"}
    assert not {"/", "\\", "\r", "\n", "\u202e", "\0"} & set(only.label)
    if NAMES[name]:
        assert only.label == NAMES[name]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 5000,
        b"From: a@b.example\r\nContent-Type: multipart/mixed\r\n\r\n--x\r\n",
        b'From: a@b.example\r\nContent-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n',
        mail(part(PDF)).replace(b"--=_b", b"--=_c"),
        b"From: a@b.example\r\nContent-Type: text/plain; charset=klingon\r\n\r\n\xff\xfe",
        b"From: a@b.example\r\nContent-Type: \xff\xfe/\xe9\r\n\r\nx",
        b"From: a@b.example\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: x-?\r\n\r\nx",
        b"From: a@b.example\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: "
        b"quoted-printable\r\n\r\n" + b"=00" * 100_000 + b"=\r\n" * 100_000,
        b"From: a@b.example\rContent-Type: x\r\r\nx",
    ],
)
def test_what_is_badly_made_is_told_and_breaks_nothing(tmp_path: Path, content: bytes) -> None:
    assert verdict(tmp_path, content)[0] in ("quarantine", "empty")


def test_a_mail_that_was_cut_gives_what_it_has(tmp_path: Path) -> None:
    whole = mail(named(PDF, "filename=a.pdf"), named(PDF * 1000, "filename=b.pdf"))
    found = [told(tmp_path, whole[:end]).attachments for end in range(10_000, 10_004)]
    assert {first.reason for first, _ in found} == {""}
    assert {cut.reason for _, cut in found} == {"", "cut"}  # base64 goes by four


def test_pictures_of_a_signature_are_left_out(tmp_path: Path) -> None:
    logo = part(picture(120, 60), "image/png", "Content-ID: <logo@x>")
    html = text('<p>Bonjour<img src="cid:logo@x"><img src="cid:page@x"></p>', "html")
    page = part(picture(900, 1200), "image/png", "Content-ID: <page@x>")
    gif = part(b"GIF89a" + bytes(99), "image/gif", "Content-ID: <logo@x>")
    sign = named(b"0\x80", "filename=smime.p7s", "application/pkcs7-signature")
    found = told(tmp_path, mail(html, logo, page, gif, sign))
    assert [each.reason for each in found.attachments] == [
        *("decoration", "", "decoration", "decoration")
    ]
    assert verdict(tmp_path, mail(html, logo)) == ("empty", "no-file")
    tiny = part(picture(20, 20), "image/png")
    assert verdict(tmp_path, mail(text("x"), tiny)) == ("empty", "no-file")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (plain("x", "Auto-Submitted: auto-replied"), ("automatic", "automatic-answer")),
        (plain("x", "Auto-Submitted: auto-generated"), ("automatic", "automatic-answer")),
        (plain("x", "Auto-Submitted: no"), ("empty", "no-file")),
        (plain("x", "Precedence: auto_reply"), ("automatic", "automatic-answer")),
        (plain("x", "Precedence: bulk"), ("automatic", "automatic-answer")),
        (plain("x", "Precedence: junk"), ("automatic", "mailing-list")),
        (plain("x", "List-Id: <a.b>"), ("automatic", "mailing-list")),
        (plain("x", "X-Loop: x"), ("automatic", "mailing-list")),
        (plain("x", "Return-Path: <>"), ("automatic", "notice-of-others")),
        (plain(sender="From: MAILER-DAEMON@x.example"), ("automatic", "notice-of-others")),
        (plain(sender="From: no-reply@x.example"), ("automatic", "automatic-answer")),
        (plain(sender=f"From: {mails.OURS.upper()}"), ("automatic", "own-mail")),
        (plain("x", f"Message-ID: {mails.KEY}"), ("automatic", "own-mail")),
        (plain("x", f"Message-ID: <1.office@{mails.DOMAIN}>"), ("empty", "no-file")),
        (plain("x", f"In-Reply-To: {mails.KEY}"), ("empty", "answer")),
        (plain("x", f"References: <x@y>\r\n {mails.KEY}"), ("empty", "answer")),
    ],
)
def test_what_a_machine_says_is_never_answered(
    tmp_path: Path, content: bytes, expected: tuple[str, str]
) -> None:
    assert verdict(tmp_path, content) == expected


def test_a_copier_s_scans_are_taken_and_not_answered(tmp_path: Path) -> None:
    """Copiers send by themselves, from addresses that nobody reads; loops bring no scan."""
    for header in ("Auto-Submitted: auto-generated", "Precedence: bulk", "Return-Path: <>"):
        found = told(tmp_path, mail(part(PDF), headers=[header]))
        assert (found.verdict, found.is_answerable) == ("scans", False)
    found = told(tmp_path, mail(part(PDF), sender="From: noreply@copier.example"))
    assert (found.verdict, found.is_answerable) == ("scans", False)
    for header in ("Auto-Submitted: auto-replied", "List-Id: <x>", f"Message-ID: {mails.KEY}"):
        assert verdict(tmp_path, mail(part(PDF), headers=[header]))[0] == "automatic"


RESULTS = f"Authentication-Results: {mails.AUTHSERV}; "


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([RESULTS + "dmarc=pass (p=none) header.from=ac.example"], "believed"),
        ([RESULTS + "dmarc=fail header.from=ac.example"], "refused"),
        ([RESULTS + "dkim=pass header.d=ac.example; spf=fail"], "believed"),
        ([RESULTS + "dkim=pass header.d=evil.example; spf=none"], "unknown"),
        ([RESULTS + "dkim=pass header.d=evil.example; spf=fail"], "refused"),
        ([RESULTS + "spf=pass smtp.mailfrom=x@ac.example"], "believed"),
        ([RESULTS + "spf=pass smtp.mailfrom=example"], "unknown"),
        ([RESULTS + "dkim=pass (header.d=ac.example) header.d=evil.example"], "unknown"),
        (["Authentication-Results: evil.example; dmarc=pass"], "unknown"),
        ([RESULTS + "dmarc=fail", RESULTS + "dmarc=pass"], "refused"),
        ([RESULTS + "dmarc=none", "Received: from x", RESULTS + "dmarc=pass"], "unknown"),
        ([RESULTS + "none"], "unknown"),
        ([], "unknown"),
    ],
)
def test_our_own_server_is_believed_and_nobody_else(
    tmp_path: Path, headers: list[str], expected: str
) -> None:
    found = told(tmp_path, mail(part(PDF), headers=headers), GUARDED)
    assert (found.verdict == "quarantine") == (expected == "refused")
    assert found.is_believed == (expected == "believed")
    assert not told(tmp_path, mail(part(PDF), headers=headers), HOUSE).is_believed


def test_senders_may_be_restricted_and_somebody_may_decide_otherwise(tmp_path: Path) -> None:
    for allowed in ({SCHOOL}, {"ac.example"}):
        house = House(mails.DOMAIN, senders=frozenset(allowed))
        assert verdict(tmp_path, mail(part(PDF)), house) == ("scans", "")
    house = House(mails.DOMAIN, senders=frozenset({"example", "other@ac.example"}))
    assert verdict(tmp_path, mail(part(PDF)), house) == ("quarantine", "unknown-sender")
    assert verdict(tmp_path, mails.bounce(), house)[0] == "bounce"
    taken = House(mails.DOMAIN, senders=house.senders, is_taken=True)
    two = f"From: {SCHOOL}\r\nFrom: evil@evil.example"
    found = told(tmp_path, mail(part(PDF), sender=two), taken)
    assert (found.verdict, found.is_answerable, found.is_believed) == ("scans", False, False)


def test_a_mail_is_read_within_the_limits_of_its_child(tmp_path: Path) -> None:
    """A large one: 24 MB of scans, 33 as they travel."""
    path = tmp_path / "mail"
    path.write_bytes(mail(named(PDF + bytes(24 << 20), "filename=a.pdf")))

    def work(say: object) -> list[str]:
        found = read(path, tmp_path, HOUSE)
        return [found.verdict, found.reason]

    done = children.run(work, lambda done: True, LIMITS)
    assert (done.verdict, done.result) == ("done", ["scans", ""])
    assert (tmp_path / "1").stat().st_size == len(PDF) + (24 << 20)
