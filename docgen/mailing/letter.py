"""One mail, from what it says to its bytes: the same facts give the same bytes."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

Automatic: TypeAlias = Literal["auto-generated", "auto-replied"]


@dataclass(frozen=True, slots=True)
class Words:
    """What a mail says to a person; `file_name` is that of its attachment, without names."""

    subject: str
    text: str
    file_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail to compose: addresses are bare (a@b), `message_id` has its angle brackets.

    `redirected_from` is the address that it would go to, were all mail not redirected.
    """

    message_id: str
    at: datetime
    sender: str
    sender_name: str
    recipient: str
    words: Words
    reply_to: str = ""
    cc: tuple[str, ...] = ()
    in_reply_to: str = ""
    attachment: Path | None = None
    automatic: Automatic = "auto-generated"
    redirected_from: str = ""


def message_id(key: str, opening: int, domain: str) -> str:
    """Give the Message-ID (RFC 5322, 3.6.4) of a key: the same at each try, another once reopened.

    It tells nothing of what it is derived from.
    """
    digest = hashlib.sha256(f"{key}#{opening}".encode()).hexdigest()
    return f"<{digest[:40]}@{domain}>"
