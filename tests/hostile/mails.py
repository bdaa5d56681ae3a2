"""Mails made to wear out, mislead or break into who reads them; and the usual ones beside them."""

import base64
from collections.abc import Callable, Iterable
from io import BytesIO

from PIL import Image

DOMAIN, OURS = "region.example", "docgen@region.example"
AUTHSERV = "mx.region.example"
SCHOOL = "ce.0130001v@ac.example"
PDF = b"%PDF-1.7 scanned, as far as its first bytes tell"
KEY = f"<{'ab' * 20}@{DOMAIN}>"  # a Message-ID as ours are


def mail(
    *parts: bytes, sender: str = f"From: {SCHOOL}", headers: Iterable[str] = (), kind: str = "mixed"
) -> bytes:
    """Write a mail of some parts, as `part` gives them."""
    lines = [sender, "Subject: Scan", "Message-ID: <1@copier.example>", *headers]
    lines += ["MIME-Version: 1.0", f'Content-Type: multipart/{kind}; boundary="=_b"', "", ""]
    head = "\r\n".join(line for line in lines if line or line == "").lstrip("\r\n").encode()
    return head + b"".join(b"--=_b\r\n" + each + b"\r\n" for each in parts) + b"--=_b--\r\n"


def part(content: bytes, kind: str = "application/octet-stream", *headers: str) -> bytes:
    """Write a part, in base64."""
    lines = (f"Content-Type: {kind}", "Content-Transfer-Encoding: base64", *headers, "", "")
    return "\r\n".join(lines).encode() + base64.encodebytes(content).replace(b"\n", b"\r\n")


def named(content: bytes, name: str, kind: str = "application/octet-stream") -> bytes:
    """Write a part that bears a name."""
    return part(content, kind, f"Content-Disposition: attachment; {name}")


def text(words: str, kind: str = "plain") -> bytes:
    """Write a part of text."""
    return part(words.encode(), f"text/{kind}; charset=utf-8")


def plain(body: str = "Bonjour", *headers: str, sender: str = f"From: {SCHOOL}") -> bytes:
    """Write a mail of text alone."""
    return "\r\n".join((sender, *headers, "", body, "")).encode()


def picture(width: int, height: int, kind: str = "PNG") -> bytes:
    stream = BytesIO()
    Image.effect_noise((width, height), 90).save(stream, kind)
    return stream.getvalue()


def bounce(
    message_id: str = KEY,
    action: str = "failed",
    status: str = "5.1.1",
    words: str = "smtp; 550 5.1.1 unknown user",
    returned: str = "text/rfc822-headers",
) -> bytes:
    """Write a notice in the standard's form (RFC 3464)."""
    fields = f"Final-Recipient: rfc822; x@y.example\r\nAction: {action}\r\nStatus: {status}\r\n"
    fields += f"Diagnostic-Code: {words}\r\n"
    report = f"Reporting-MTA: dns; mx.example\r\n\r\n{fields}".encode()
    back = f"From: {OURS}\r\nMessage-ID: {message_id}\r\nSubject: x\r\n\r\n".encode()
    return mail(
        b"Content-Type: text/plain\r\n\r\nUndelivered\r\n",
        b"Content-Type: message/delivery-status\r\n\r\n" + report,
        f"Content-Type: {returned}\r\n\r\n".encode() + back,
        sender="From: Mail Delivery System <MAILER-DAEMON@mx.example>",
        headers=("Return-Path: <>", "Auto-Submitted: auto-replied"),
        kind="report; report-type=delivery-status",
    )


def nested(depth: int, kind: str = "multipart/mixed") -> bytes:
    """Put parts into parts."""
    opened = (f'Content-Type: {kind}; boundary="b{n}"\r\n\r\n--b{n}\r\n' for n in range(depth))
    return f"From: {SCHOOL}\r\n".encode() + "".join(opened).encode() + part(PDF)


def in_mails(depth: int) -> bytes:
    """Put mails into mails."""
    return f"From: {SCHOOL}\r\n".encode() + b"Content-Type: message/rfc822\r\n\r\n" * depth + PDF


def many_parts(count: int) -> bytes:
    return mail(*(named(b"x", f"filename={n}.pdf") for n in range(count)))


# Each with the reason why it is put aside.
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "ten thousand parts": (lambda: many_parts(10_000), "too-many-parts"),
    "ten thousand headers": (
        lambda: mail(headers=[f"X-{n}: x" for n in range(10_000)]),
        "too-many-headers",
    ),
    "a header of a megabyte": (lambda: mail(headers=["X: " + "y" * (1 << 20)]), "too-many-headers"),
    "a part that says too much": (
        lambda: mail(named(PDF, "filename=" + "x" * (1 << 16))),
        "too-many-headers",
    ),
    "a type of a megabyte": (
        lambda: mail(part(PDF, "application/pdf" + "; a=b" * (1 << 18))),
        "too-many-headers",
    ),
    "a type that never closes": (
        lambda: plain("", 'Content-Type: multipart/mixed; boundary=x; a="' + ";" * 250_000),
        "too-many-headers",
    ),
    "a name that never closes": (
        lambda: plain("", 'Content-Disposition: attachment; filename="' + ";" * 250_000),
        "too-many-headers",
    ),
    "millions of bare carriage returns": (lambda: nested(2) + b"\r" * (4 << 20), "too-heavy"),
    "a thousand parts in parts": (lambda: nested(1000), "too-deep"),
    "nine parts in parts": (lambda: nested(9), "too-deep"),
    "a thousand mails in mails": (lambda: in_mails(1000), "too-deep"),
    "millions of lines": (lambda: nested(2) + b"-\n" * (4 << 20), "too-heavy"),
    "no sender": (lambda: mail(part(PDF), sender="X-From: nobody"), "no-sender"),
    "two senders": (
        lambda: mail(part(PDF), sender=f"From: {SCHOOL}\r\nFrom: evil@evil.example"),
        "many-senders",
    ),
    "two addresses": (
        lambda: mail(part(PDF), sender=f"From: {SCHOOL}, evil@evil.example"),
        "many-senders",
    ),
    "a group": (lambda: mail(part(PDF), sender=f"From: lycees: {SCHOOL};"), "strange-sender"),
    "an empty group": (lambda: mail(part(PDF), sender="From: lycees:;"), "strange-sender"),
    "an address for show": (
        lambda: mail(part(PDF), sender=f"From: {SCHOOL} <evil@evil.example>"),
        "strange-sender",
    ),
    "an address in an encoded word": (
        lambda: mail(part(PDF), sender="From: =?utf-8?q?ce.0130001v?=@ac.example"),
        "strange-sender",
    ),
    "no address": (lambda: mail(part(PDF), sender="From: copieur"), "strange-sender"),
    "a sender without end": (
        lambda: mail(part(PDF), sender="From: " + "(" * 5000 + SCHOOL),
        "strange-sender",
    ),
    "a piece of a mail": (
        lambda: mail(b"Content-Type: message/partial; id=x; number=1; total=9\r\n\r\n" + PDF),
        "partial",
    ),
    "an archive": (lambda: mail(named(b"PK\3\4 scans", "filename=scans.zip")), "archive"),
    "an archive under a false type": (
        lambda: mail(named(b"PK\3\4PK\3\4PK\3\4", "filename=scan.pdf", "application/pdf")),
        "archive",
    ),
    "a bomb": (lambda: mail(named(b"\x1f\x8b\x08" + bytes(100), "filename=x.gz")), "archive"),
    "a mail inside": (
        lambda: mail(b"Content-Type: message/rfc822\r\n\r\nFrom: x@y.fr\r\n\r\n" + PDF),
        "mail-inside",
    ),
    "winmail.dat": (
        lambda: mail(named(b"\x78\x9f\x3e\x22 scan", "filename=winmail.dat")),
        "winmail",
    ),
    "encrypted": (lambda: mail(part(b"x", "application/pkcs7-mime")), "encrypted"),
    "encrypted by PGP": (
        lambda: mail(part(b"Version: 1", "application/pgp-encrypted"), kind="encrypted"),
        "encrypted",
    ),
    "uuencoded": (
        lambda: mail(text("Bonjour\nbegin 644 scan.pdf\n#86)C\n`\nend\n")),
        "uuencoded",
    ),
    "a program": (lambda: mail(named(b"MZ\x90\0", "filename=scan.pdf.exe")), "wrong-type"),
    "a page": (lambda: mail(named(b"<html>", "filename=a.pdf", "text/html")), "wrong-type"),
    "nothing in a file": (lambda: mail(named(b"", "filename=scan.pdf")), "empty-file"),
}
NAMES = {
    "filename=../../etc/cron.d/x.pdf": "x.pdf",
    r"filename=C:\\Windows\\x.pdf": "x.pdf",
    'filename="a\u202efdp.exe"': "",
    "filename*=utf-8''a%E2%80%AEfdp.exe": "a fdp.exe",
    "filename*=utf-8''a%0D%0ABcc%3A%20x.pdf": "a Bcc: x.pdf",
    "filename*=klingon''%FF%FE.pdf": None,
    "filename==?utf-8?q?no=C3=ABl.pdf?=": "noël.pdf",
    "filename=" + "x" * 300 + ".pdf": "x" * 99 + "…",
}
