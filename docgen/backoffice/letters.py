"""What a mail is made of, as it is kept: written, read again, shown, and given another name."""

from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from docgen.backoffice import departures, store
from docgen.backoffice.models import Message
from docgen.errors import InvalidInput, Problem
from docgen.mailing import letter
from docgen.mailing.letter import Letter, Words

SENDER_NAME = "Attestations de cession"
LINE_END = b"\r\n\r\n"
HEAD = 2 * letter.HEAD_ROOM  # bytes: the header fields, the text, and the name of what is attached
BASE64, BYTES = 78, 57  # characters of a line of base64 with its end, and the bytes that it holds
GONE = Problem("le fichier de ce message n’est plus gardé.", "", "Reliez le document de nouveau.")


@dataclass(frozen=True, slots=True)
class Look:
    """A mail as whoever receives it sees it; `attached` is about so many bytes."""

    subject: str
    sender: str
    recipient: str
    text: str
    attachment: str = ""
    attached: int = 0


def look(row: Message) -> Look:
    """Show a mail, from its beginning: what is attached is named, and not read.

    Raises:
        FileNotFoundError: when it is kept no more, or was purged.
    """
    with file(row.sha256).open("rb") as stream:
        head = stream.read(HEAD)
    mail = BytesParser(EmailMessage, policy=policy.SMTP).parsebytes(head)
    body = mail.get_body(("plain",))
    text = body.get_content() if isinstance(body, EmailMessage) else ""
    name = next((part.get_filename() or "" for part in mail.iter_attachments()), "")
    start = head.find(LINE_END, head.rfind(b"Content-Disposition: attachment")) if name else 0
    attached = (row.size - start) // BASE64 * BYTES if name else 0
    subject, sender, recipient = (str(mail[field] or "") for field in ("Subject", "From", "To"))
    return Look(subject, sender, recipient, text.strip(), name, attached)


def file(sha256: str) -> Path:
    """Give what is kept under a name.

    Raises:
        FileNotFoundError: when it is kept no more, or was purged.
    """
    if not sha256:
        raise FileNotFoundError
    return store.borrowed(sha256)


def written(row: Message, recipient: str) -> dict[str, Any]:
    """Write what a mail tells, for whom it is by now, and keep it; give what changes of its row."""
    post, told = departures.post(), row.told
    sent_to = post.redirect or recipient
    identifier = letter.message_id(row.key, row.opening, post.domain)
    content = letter.compose(
        Letter(
            message_id=identifier,
            at=datetime.fromisoformat(told["at"]),
            sender=post.sender,
            sender_name=SENDER_NAME,
            recipient=sent_to,
            words=Words(row.subject, told["text"]),
            in_reply_to=told["in_reply_to"],
            automatic=told["automatic"],
            redirected_from=recipient if post.redirect else "",
        )
    )
    facts = {"recipient": recipient, "sent_to": sent_to, "message_id": identifier}
    return {**facts, "sha256": _kept(content), "size": len(content)}


def reopened(row: Message) -> dict[str, Any]:
    """Give what makes a mail that came back another one: the same words, another Message-ID."""
    opening = row.opening + 1
    identifier = letter.message_id(row.key, opening, departures.post().domain)
    try:
        head, end, body = file(row.sha256).read_bytes().partition(LINE_END)
    except FileNotFoundError as error:
        raise InvalidInput(GONE) from error
    if head.count(row.message_id.encode()) != 1:
        raise InvalidInput(GONE)
    content = head.replace(row.message_id.encode(), identifier.encode()) + end + body
    facts = {"sha256": _kept(content), "size": len(content), "sent_at": None, "doubted_at": None}
    return {**facts, "opening": opening, "message_id": identifier}


def _kept(content: bytes) -> str:
    with TemporaryDirectory() as folder:
        path = Path(folder, "message")
        path.write_bytes(content)
        sha256 = store.keep(path)
    store.require([sha256])
    return sha256
