"""Mails that nobody wrote: real ones broken at random, and structures drawn by chance."""

import json
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from docgen.mailing import incoming
from docgen.mailing.incoming import REASONS, House, Incoming
from tests.hostile import mails
from tests.hostile.mails import KEY, NAMES, PDF, mail, named, nested, part, picture, plain, text

HOUSE = House(mails.DOMAIN, frozenset({mails.OURS}), authserv=mails.AUTHSERV)
REAL = [
    mail(text("Bonjour"), named(PDF, "filename=a.pdf")),
    mail(text('<img src="cid:a">', "html"), part(picture(9, 9), "image/png", "Content-ID: <a>")),
    mails.bounce(),
    mails.bounce(returned="message/rfc822"),
    plain(f"550 5.1.1 {KEY}", sender="From: MAILER-DAEMON@x.example"),
    nested(5),
    mails.in_mails(3),
    mail(
        part(picture(9, 9, "JPEG")),
        headers=[f"Authentication-Results: {mails.AUTHSERV}; dkim=pass header.d=ac.example"],
    ),
    *(mail(named(PDF, name)) for name in NAMES),
]
# What parsers disagree about.
WORDS = [
    *(b"\0", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\t", b"\x0b", b"\x0c", b"\x1c", b"\x85"),
    *(b"\xff\xfe", b"\xc3\xa9", b"\xed\xa0\x80", b"\xe2\x80\xae", b"\xe2\x80\xa8"),
    *(b"=?utf-7?q?+AGA-?=", b"=?utf-8?b?////?=", b"=?x?z?y?=", b"=?utf-8?q?", b"?=", b"''"),
    *(b";", b'"', b"(", b")", b"<", b">", b",", b":", b"@", b"*", b"%", b"%zz", b"="),
    *(b"(" * 300, b"\\" * 50, b"a" * 2000, b" \r\n" * 50, b"x@y.example, "),
    *(b"filename*0*=", b"filename*1*=x", b"filename*99999999999999999999=x", b"name*=hex''"),
    *(b"charset=utf-7", b"charset=idna", b"charset=hex", b"charset=zlib", b"charset=undefined"),
    *(b"charset=utf-16", b"charset=unicode_escape", b"charset=ut\xe9f", b"charset=\0"),
    *(b"boundary=x", b'boundary="=_b"', b"boundary==_", b'boundary=""', b"--=_b", b"--=_b--"),
    *(b"begin 644 x\n", b"\x89PNG\r\n\x1a\n", b"%PDF-", b"II*\0", b"\xff\xd8\xff", b"PK\3\4"),
    *(b"Status: 5.1.\xd9\xa1\r\n", b"Action: failed\r\n", b"Original-Envelope-Id: x\r\n"),
    *(
        name + b": " + value + b"\r\n"
        for name, values in {
            b"Content-Type": (
                *(b"multipart/mixed; boundary=x", b"multipart/mixed", b"message/rfc822"),
                *(b"message/delivery-status", b"message/external-body", b"message/partial"),
                *(b"text/html; charset=klingon", b"multipart/report", b"", b"/", b"x"),
            ),
            b"Content-Transfer-Encoding": (
                *(b"base64", b"x-uuencode", b"quoted-printable", b"8bit", b"binary", b""),
            ),
            b"Content-Disposition": (b"attachment; filename*=utf-8''%00%0d%0a", b"inline", b""),
            b"From": (b"x@y.example", b"=?utf-8?q?=00?= <a@b.example>", b"(", b"[", b"a:;", b""),
            b"Authentication-Results": (b"mx.region.example; dmarc=pass", b'mx.region.example; "('),
            b"Message-ID": (b"", b"<>", KEY.encode(), b"<" + b"x" * 300 + b"@y>"),
        }.items()
        for value in values
    ),
]
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(("put", "put", "cut", "copy")),
        st.floats(0, 1),
        st.integers(0, 40),
        st.sampled_from(WORDS),
    ),
    min_size=1,
    max_size=8,
)
HEADS = st.lists(st.sampled_from(WORDS), max_size=4).map(b"".join)
PARTS = st.recursive(
    st.tuples(HEADS, st.sampled_from([PDF, b"", b"text", b"\0", picture(5, 5)])).map(
        lambda drawn: drawn[0] + b"\r\n" + drawn[1] + b"\r\n"
    ),
    lambda inner: st.tuples(
        HEADS, st.lists(inner, max_size=3), st.sampled_from((b"x", b"=_b"))
    ).map(
        lambda drawn: (
            (
                b'Content-Type: multipart/mixed; boundary="'
                + drawn[2]
                + b'"\r\n'
                + drawn[0]
                + b"\r\n"
            )
            + b"".join(b"--" + drawn[2] + b"\r\n" + each for each in drawn[1])
        )
    ),
    max_leaves=6,
)


def check(content: bytes) -> None:
    """Read a mail: it ends with a verdict, a reason, and nothing that a database cannot keep."""
    with TemporaryDirectory() as place:
        folder, path = Path(place, "files"), Path(place, "mail")
        folder.mkdir()
        path.write_bytes(content)
        found = incoming.read(path, folder, HOUSE)
        written = {each.name for each in folder.iterdir()}
    assert found.verdict in {"scans", "bounce", "automatic", "empty", "quarantine"}
    assert found.verdict in ("scans", "bounce") or found.reason in REASONS
    assert written == {each.file for each in found.attachments if each.file}
    assert (found.verdict == "scans") == bool(written)
    assert all(bool(each.file) != bool(each.reason) for each in found.attachments)
    assert_kept(found)


def assert_kept(found: Incoming) -> None:
    told = json.dumps(asdict(found), ensure_ascii=False)
    assert "\0" not in told
    assert "\\u0000" not in told
    told.encode()  # a half of a pair of UTF-16 cannot be
    assert len(found.message_id) <= 255
    assert all(each.label.isprintable() for each in found.attachments)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(REAL), CHANGES)
def test_real_mails_broken_at_random_are_told(content: bytes, changes: list[tuple]) -> None:  # type: ignore[type-arg]
    for kind, where, length, word in changes:
        at = int(where * min(len(content), 900))
        if kind == "put":
            content = content[:at] + word + content[at + length % 3 :]
        elif kind == "cut":
            content = content[:at] + content[at + length :]
        else:
            content = content[:at] + content[at // 2 : at // 2 + length * 5] + content[at:]
    check(content)


@settings(max_examples=150, deadline=None)
@given(HEADS, PARTS)
def test_structures_drawn_by_chance_are_told(head: bytes, body: bytes) -> None:
    check(head + b"From: ce.0130001v@ac.example\r\n" + body)
