"""The parts of a mail: which are scans, which are its text, and why others are not taken.

What a part says of itself is not believed: a scan is known by its first bytes, as copiers often
declare no type at all. Names are kept to be shown, and never used for anything else.
"""

import re
import unicodedata
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import InvalidBase64LengthDefect, MessageError
from email.header import decode_header, make_header
from email.message import Message
from io import BytesIO
from pathlib import Path

from docgen.mailing.senders import values, within

MOST_PARTS, MOST_DEPTH = 300, 8
MOST_OF_A_HEADER = 16 << 10  # bytes of all that a part says of itself
TINY, SMALL = 4 << 10, 600  # bytes, pixels: what is less is no page, but a logo in a signature
HEIC = (b"heic", b"heix", b"heim", b"heis", b"mif1", b"msf1", b"hevc", b"heif")
SCANS = (b"%PDF-", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"II*\0", b"MM\0*")
ARCHIVES = (
    b"PK\3\4",
    b"PK\5\6",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\7",
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
)
OFFICE = re.compile(rb"\[Content_Types\]\.xml|mimetypeapplication/vnd")
WINMAIL = b"\x78\x9f\x3e\x22"  # TNEF, as Outlook wraps what it sends
UUENCODED = re.compile(rb"^begin [0-7]{3,4} \S", re.MULTILINE)
SECRET = ("application/pkcs7-mime", "application/x-pkcs7-mime", "multipart/encrypted")
SIGNS = (
    "application/pkcs7-signature",
    "application/x-pkcs7-signature",
    "application/pgp-signature",
)
BESIDE = (*SIGNS, "application/applefile", "text/calendar", "text/vcard", "text/x-vcard")
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # what shows as nothing, or turns the reading
LONGEST = 100  # characters of a name


class TooMuch(Exception):
    """A mail made to wear out who reads it; its argument is the key of the reason."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A part of a mail: `file` names it in the reader's folder, "" when it was not taken.

    `label` is the name that its sender gave it, as it may be shown; `reason` is the key of the
    reason why it was not taken.
    """

    file: str
    label: str
    reason: str = ""


def leaves(message: "Message[str, str]") -> Iterator["Message[str, str]"]:
    """Give the parts of a mail that hold something, in their order; mails inside it stay closed.

    Raises:
        TooMuch: for too many parts, or parts in parts.
    """
    waiting, seen = [(message, 0)], 0
    while waiting:
        part, depth = waiting.pop()
        seen += 1
        if seen > MOST_PARTS:
            raise TooMuch("too-many-parts")
        if depth > MOST_DEPTH:
            raise TooMuch("too-deep")
        told = sum(len(name) + len(str(value)) for name, value in part.raw_items())
        if part is not message and told > MOST_OF_A_HEADER:
            raise TooMuch("too-many-headers")
        inner = within(part) if part.get_content_maintype() == "multipart" else []
        if inner and part.get_content_type() not in SECRET:
            waiting += [(each, depth + 1) for each in reversed(inner)]
        else:
            yield part


def take(message: "Message[str, str]", folder: Path) -> list[Attached]:
    """Write the scans of a mail into a folder, under numbers; give all that it carries.

    Raises:
        TooMuch: for a mail made to wear out who reads it.
    """
    parts = list(leaves(message))
    shown, found = _shown_in_text(parts), list[Attached]()
    for part in parts:
        content = _content(part)
        if not is_scan(content) and _is_text(part):
            if UUENCODED.search(content):
                found.append(Attached("", label(part), "uuencoded"))
            continue
        reason = why_not(part, content, shown)
        file = "" if reason else f"{len(found) + 1}"
        if file:
            (folder / file).write_bytes(content)
        found.append(Attached(file, label(part), reason))
    return found


def why_not(part: "Message[str, str]", content: bytes, shown: frozenset[str]) -> str:
    """Give the key of the reason why a part is not taken; "" for a scan."""
    kind = part.get_content_type()
    if kind in SECRET:
        return "encrypted"
    if kind == "message/partial":
        raise TooMuch("partial")
    if part.get_content_maintype() == "message":
        return "mail-inside"
    if not content:
        return "empty-file"
    if any(isinstance(each, InvalidBase64LengthDefect) for each in part.defects):
        return "cut"
    if is_scan(content):
        return "decoration" if _is_decoration(part, content, shown) else ""
    if kind in BESIDE or (content.startswith((b"GIF8", b"BM")) and _is_placed(part, shown)):
        return "decoration"
    if content.startswith(WINMAIL) or kind.endswith("ms-tnef"):
        return "winmail"
    if content.startswith(ARCHIVES) and not OFFICE.search(content[:200]):
        return "archive"
    return "wrong-type"


def is_scan(content: bytes) -> bool:
    """Tell by its first bytes whether a file may be one of scans."""
    return content.startswith(SCANS) or (content[4:8] == b"ftyp" and content[8:12] in HEIC)


def label(part: "Message[str, str]") -> str:
    """Give the name that a part bears, as it may be shown."""
    try:
        name = part.get_filename() or ""
        if "=?" in name:  # RFC 2047 has no place there, and is found there all the same
            name = str(make_header(decode_header(name[:1000])))
    except (MessageError, LookupError, ValueError, TypeError):
        name = ""
    last = str(name)[:1000].replace("\\", "/").rpartition("/")[2]
    plain = (" " if unicodedata.category(each) in HIDDEN else each for each in last)
    text = " ".join(unicodedata.normalize("NFC", "".join(plain)).split())
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _content(part: "Message[str, str]") -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _is_text(part: "Message[str, str]") -> bool:
    """Tell whether a part is what the mail says, or a disclaimer that a server adds as a file."""
    kind = part.get_content_type()
    if kind == "text/plain":
        return True
    return kind == "text/html" and part.get_content_disposition() != "attachment"


def _shown_in_text(parts: list["Message[str, str]"]) -> frozenset[str]:
    """Give the pictures that the text of a mail places within itself."""
    found = set[str]()
    for part in parts:
        if part.get_content_type() == "text/html":
            names = re.findall(rb"cid:([^\"'\s>)]{1,200})", _content(part)[: 1 << 20])
            found |= {each.decode("ascii", "replace").lower() for each in names}
    return frozenset(found)


def _is_placed(part: "Message[str, str]", shown: frozenset[str]) -> bool:
    names = {each.strip().strip("<>").lower() for each in values(part, "content-id")}
    return bool(names & shown)


def _is_decoration(part: "Message[str, str]", content: bytes, shown: frozenset[str]) -> bool:
    """Tell a logo from a page: a picture that is tiny, or small and placed in the text."""
    if content.startswith(b"%PDF-"):
        return False
    width, height = _size(content)
    if 0 < max(width, height) < SMALL and len(content) < TINY:
        return True
    return _is_placed(part, shown) and 0 < min(width, height) < SMALL


def _size(content: bytes) -> tuple[int, int]:
    """Give the size of a picture in pixels, from its header; zeros when it is not told."""
    from PIL import Image

    try:
        with (
            warnings.catch_warnings(action="ignore"),
            Image.open(BytesIO(content), formats=("PNG", "JPEG")) as image,
        ):
            return image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return 0, 0  # who reads scans looks at it, and says what is wrong
