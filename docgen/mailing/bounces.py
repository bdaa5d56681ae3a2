"""Mails that come back: which of ours, and what its server said of it.

A mail of ours is known by its Message-ID alone, which nobody guesses: it is searched for in what
the notice says and in what it gives back of the mail.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from docgen.mailing.senders import is_daemon, of_ours, values, within

LONGEST = 300  # characters of a server's words that are kept
LOOKED_AT = 1 << 18  # characters of a notice, and of what it gives back, that are searched
STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")  # RFC 3463
REPLY = re.compile(r"(?<![\d.])([45]\d\d)[ -](?=\S)")  # RFC 5321, 4.2
ACTIONS = ("failed", "delayed", "delivered", "relayed", "expanded")  # RFC 3464, 2.3.3
REPORTS = ("message/delivery-status", "message/global-delivery-status")
GIVEN_BACK = ("message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers")
DELAYED = re.compile(r"delayed|retard|will be retried|still being retried", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Bounce:
    """What became of a mail of ours: only `failed` is the end of it.

    `status` is that of RFC 3463 ("5.1.1"), "" when it is not told; `words` are the server's.
    """

    message_id: str
    action: str
    status: str
    words: str


def is_report(message: "Message[str, str]") -> bool:
    """Tell whether a mail is a notice of delivery in the standard's form (RFC 3464)."""
    if message.get_content_type() != "multipart/report" or not message.is_multipart():
        return False
    return any(part.get_content_type() in REPORTS for part in _parts(message))


def read_bounce(message: "Message[str, str]", address: str, domain: str) -> list[Bounce]:
    """Read a notice about mails of ours; nothing when it is none, or about others' mails.

    `address` is who it is from, `domain` that of our Message-IDs.
    """
    if is_report(message):
        return _of_report(message, domain)
    return _of_words(message, domain) if is_daemon(message, address) else []


def _of_report(message: "Message[str, str]", domain: str) -> list[Bounce]:
    fields, returned = list["Message[str, str]"](), list[str]()
    for part in _parts(message):
        if part.get_content_type() in REPORTS:
            fields += within(part)
        elif part.get_content_type() in GIVEN_BACK:
            returned += _returned(part)
    envelopes = [each for row in fields for each in values(row, "original-envelope-id")]
    named = _found(domain, returned) or _found(domain, [f"<{e.strip('<> ')}>" for e in envelopes])
    if len(named) != 1:  # none of ours; or several, and which one came back is not told
        return []
    told = [row for row in fields if values(row, "action")]
    return [_of_recipient(named[0], row) for row in told[:10]]


def _of_recipient(message_id: str, row: "Message[str, str]") -> Bounce:
    action = (values(row, "action") or [""])[0].strip().lower().split(" ")[0]
    found = STATUS.search((values(row, "status") or [""])[0])
    words = (values(row, "diagnostic-code") or [""])[0]
    kind, _, said = words.partition(";")
    words = said if said and " " not in kind.strip() else words
    return Bounce(
        message_id,
        action if action in ACTIONS else "failed" if found and found[1][0] == "5" else "delayed",
        found[1] if found else "",
        clean(words),
    )


def _of_words(message: "Message[str, str]", domain: str) -> list[Bounce]:
    """Read a notice that is only told in words: what servers wrote before the standard."""
    texts, returned = list[str](), list[str]()
    for part in _parts(message):
        if part.get_content_type() in GIVEN_BACK:
            returned += _returned(part)
        elif part.get_content_maintype() == "text":
            texts.append(_text(part))
    named = _found(domain, [*returned, *texts])
    if len(named) != 1:
        return []
    notice = "\n".join(texts).partition(named[0][:41])[0]
    found = STATUS.search(notice)
    code = REPLY.search(notice)
    is_late = bool(DELAYED.search(notice)) or (found or code or "5")[0].startswith("4")
    lines = [line.strip() for line in notice.splitlines()]
    marked = [line for line in lines if STATUS.search(line) or REPLY.search(line)]
    words = clean(next(iter(marked), "") or next(filter(None, lines), ""))
    action = "delayed" if is_late else "failed"
    return [Bounce(named[0], action, found[1] if found else "", words)]


def clean(words: str) -> str:
    """Give the words of a server as they may be kept: one line, no control characters, not long."""
    plain = "".join(" " if unicodedata.category(each)[0] == "C" else each for each in words)
    text = " ".join(plain.encode("utf-8", "replace").decode("utf-8").split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _parts(message: "Message[str, str]") -> Iterator["Message[str, str]"]:
    """Give the parts of a notice, and those of its first level that hold others."""
    if message.get_content_maintype() != "multipart":
        yield message
        return
    for part in within(message)[:20]:
        yield from within(part)[:20] if part.get_content_maintype() == "multipart" else (part,)


def _returned(part: "Message[str, str]") -> list[str]:
    """Give the Message-ID of the mail that a notice gives back: its own, not one that it quotes."""
    if inner := within(part):
        return values(inner[0], "message-id")[:1]
    lines = re.findall(r"(?im)^message-id:\s*(\S+)", _text(part))
    return lines[:1]


def _text(part: "Message[str, str]") -> str:
    payload = part.get_payload(decode=True)
    return payload[:LOOKED_AT].decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _found(domain: str, texts: list[str]) -> list[str]:
    """Give the Message-IDs of ours that texts name, as we write them."""
    own = of_ours(domain)
    found = (each.lower() for text in texts for each in own.findall(text[:LOOKED_AT]))
    return [f"<{each}@{domain}>" for each in dict.fromkeys(found)]
