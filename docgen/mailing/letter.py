"""One mail, from what it says to its bytes: the same facts give the same bytes."""

import base64
import hashlib
import re
import textwrap
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, quote
from io import BytesIO
from pathlib import Path
from typing import IO, Literal, TypeAlias
from urllib.parse import quote as percent

from docgen.errors import InvalidInput, Problem
from docgen.typography import NBSP

Automatic: TypeAlias = Literal["auto-generated", "auto-replied"]

EOL = b"\r\n"
COLUMNS = 72  # of text: a reply quotes it within 80 (RFC 3676, 4.2)
SHORT, LONG = 76, 320  # characters of a header line that we fold; of one that cannot be
BASE64_LINE = 57  # bytes that a line of 76 characters holds (RFC 2045, 6.8)
BLOCK = BASE64_LINE << 14  # bytes of an attachment encoded at once
HEAD_ROOM = 32 << 10  # bytes for the header fields and the text of a mail, at the most
LONGEST_NAME = 200  # bytes of a file name: three characters each on a line, at the most
# A dot-atom and a domain (RFC 5322, 3.4.1): quoted local parts and literals are not accepted.
ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
IDENTIFIER = re.compile(rf"<{ADDRESS.pattern}>")
LONGEST_ADDRESS = 254  # RFC 5321, 4.5.3.1.3
FORBIDDEN = {"Cc", "Cs", "Zl", "Zp"}  # controls, halves of characters, separators of lines
TRIAL = "[ESSAI] "


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


def attachment_most(most_of_message: int) -> int:
    """Give how large an attachment may be, in bytes, for its mail to have so many as it travels."""
    return max(0, (most_of_message - HEAD_ROOM) // (4 * BASE64_LINE // 3 + len(EOL)) * BASE64_LINE)


def compose(letter: Letter) -> bytes:
    """Compose a mail, as `write` does, in memory.

    Raises:
        InvalidInput: with everything that cannot stand in a mail.
    """
    stream = BytesIO()
    write(letter, stream)
    return stream.getvalue()


def write(letter: Letter, stream: IO[bytes]) -> None:
    """Write a mail (RFC 5322, RFC 2045), ASCII, its lines ended by CRLF.

    An attachment of any size costs a block of memory.

    Raises:
        InvalidInput: with everything that cannot stand in a mail.
    """
    if problems := list(_problems(letter)):
        raise InvalidInput(problems)
    for line in _head(letter):
        stream.write(line.encode("ascii") + EOL)
    text = _text_part(letter)
    if letter.attachment is None:
        stream.write(text)
        return
    # No line of quoted-printable or of base64 holds « =_ » (RFC 2045, 6.7).
    mark = "=_" + hashlib.sha256(letter.message_id.encode()).hexdigest()[:32]
    start, end = f"--{mark}".encode(), f"--{mark}--".encode()
    stream.write(f'Content-Type: multipart/mixed;\r\n boundary="{mark}"\r\n\r\n'.encode("ascii"))
    stream.write(start + EOL + text + start + EOL)
    for line in _attachment_head(letter.words.file_name):
        stream.write(line.encode("ascii") + EOL)
    stream.write(EOL)
    with letter.attachment.open("rb") as file:
        while block := file.read(BLOCK):
            stream.write(base64.encodebytes(block).replace(b"\n", EOL))
    stream.write(end + EOL)


def _problems(letter: Letter) -> Iterator[Problem]:
    words = letter.words
    addresses = {
        "From": (letter.sender,),
        "To": (letter.recipient,),
        "Cc": letter.cc,
        "Reply-To": (letter.reply_to,) if letter.reply_to else (),
        "redirected_from": (letter.redirected_from,) if letter.redirected_from else (),
    }
    for where, given in addresses.items():
        if not all(ADDRESS.fullmatch(each) and len(each) <= LONGEST_ADDRESS for each in given):
            what = "ce n’est pas une adresse électronique (nom@domaine, sans accent)."
            yield Problem(what, where, "Corrigez-la.")
    for where, each in (("Message-ID", letter.message_id), ("In-Reply-To", letter.in_reply_to)):
        if (each or where == "Message-ID") and not _is_identifier(each):
            yield Problem("ce n’est pas un identifiant de message.", where, "")
    lines = {"From": letter.sender_name, "Subject": words.subject, "filename": words.file_name}
    for where, text in lines.items():
        if not _is_writable(text):
            what = "un caractère de contrôle ou un retour à la ligne y est interdit."
            yield Problem(what, where, "Retirez-le.")
    if not _is_writable(words.text.replace("\n", "").replace("\t", "")):
        yield Problem("un caractère de contrôle y est interdit.", "texte", "Retirez-le.")
    if letter.attachment and not _is_file_name(words.file_name):
        yield Problem("ce n’est pas un nom de fichier.", "filename", "Abrégez-le, sans « / ».")


def _is_identifier(text: str) -> bool:
    return len(text) <= LONG and bool(IDENTIFIER.fullmatch(text))


def _is_file_name(text: str) -> bool:
    size = len(text.encode("utf-8", "replace"))
    return 0 < size <= LONGEST_NAME and not {"/", "\\"} & set(text)


def _is_writable(text: str) -> bool:
    return all(unicodedata.category(letter) not in FORBIDDEN for letter in text)


def _head(letter: Letter) -> Iterator[str]:
    """Give the lines of the header fields, but those of the content."""
    is_trial = bool(letter.redirected_from)
    subject = f"{TRIAL if is_trial else ''}{letter.words.subject.strip()}"
    yield f"Date: {format_datetime(letter.at)}"
    yield f"From: {_phrase(letter.sender_name)}<{letter.sender}>"
    yield f"To: {letter.recipient}"
    # An answer to a trial must not reach those who were spared it.
    if letter.cc and not is_trial:
        yield "Cc: " + ",\r\n ".join(letter.cc)
    if letter.reply_to and not is_trial:
        yield f"Reply-To: {letter.reply_to}"
    yield f"Message-ID: {letter.message_id}"
    if letter.in_reply_to:
        yield f"In-Reply-To: {letter.in_reply_to}"
        yield f"References: {letter.in_reply_to}"
    yield f"Subject: {_encoded(subject, 'Subject')}"
    yield f"Auto-Submitted: {letter.automatic}"  # RFC 3834, 5
    yield "X-Auto-Response-Suppress: All"  # what Exchange heeds instead
    yield "Content-Language: fr"
    yield "MIME-Version: 1.0"


def _phrase(name: str) -> str:
    """Write a display name (RFC 5322, 3.4), and what parts it from its address."""
    if not name:
        return ""
    if name.isascii() and "=?" not in name and len(name) < SHORT - len("From: "):
        return f'"{quote(name)}"\r\n '
    return f"{_encoded(name, 'From', is_forced=True)}\r\n "


def _encoded(text: str, field: str, *, is_forced: bool = False) -> str:
    """Fold a text, in encoded words (RFC 2047) when it is not plain; none cuts a character."""
    is_plain = text.isascii() and "=?" not in text and len(text) + len(field) + 2 <= SHORT
    if is_plain and not is_forced:
        return text
    folded = Header(unicodedata.normalize("NFC", text), "utf-8", SHORT, field)
    return folded.encode(linesep="\r\n")


def _text_part(letter: Letter) -> bytes:
    part = EmailMessage(SMTP)
    part.set_content(_wrapped(_told(letter)), charset="utf-8", cte="quoted-printable")
    del part["MIME-Version"]
    return part.as_bytes()


def _told(letter: Letter) -> str:
    """Give the text, under a word on a trial: to whom it would have gone."""
    text = letter.words.text.strip("\n")
    if not letter.redirected_from:
        return text
    lines = [f"ESSAI{NBSP}: ce message était pour {letter.redirected_from}."]
    if letter.cc:
        lines.append(f"Copie{NBSP}: {', '.join(letter.cc)}.")
    if letter.reply_to:
        lines.append(f"Les réponses iraient à {letter.reply_to}.")
    return "\n".join((*lines, "-" * COLUMNS, "", text))


def _wrapped(text: str) -> str:
    """Wrap lines too long for a screen of text; what follows a bullet stays under its first word.

    Digests, commands of one word and addresses are never cut.
    """
    lines = []
    for line in text.split("\n"):
        body = line.lstrip(" •-")
        hanging = " " * (len(line) - len(body))
        lines += textwrap.wrap(
            line,
            COLUMNS,
            subsequent_indent=hanging,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return "\n".join(lines) + "\n"


def _attachment_head(name: str) -> Iterator[str]:
    """Name an attachment: by RFC 2231 what ASCII cannot write, under Content-Type in ASCII.

    `filename` and `filename*` together would be a fault (a parameter twice, RFC 2045, 5.1). On one
    line, however long: not every client puts the sections of RFC 2231 together.
    """
    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    yield "Content-Type: application/pdf;"
    yield f' name="{quote(bare)}"'
    yield "Content-Transfer-Encoding: base64"
    yield "Content-Disposition: attachment;"
    if name.isascii():
        yield f' filename="{quote(name)}"'
    else:
        yield f" filename*=utf-8''{percent(name, safe='')}"
