"""The code of a printed side, and the reference that a person reads beside it.

A code is 28 characters: "C1", then base32 of 16 bytes:

    1  format (2 bits), number of the key (4 bits), corner (2 bits)
    6  document number
    1  side, from 1
    1  sides of the document
    7  HMAC-SHA-256 of the nine bytes above, cut

The tag alone makes a code ours; a code says which side this is and gives no right.
A reference (CE-7K3F-92QD) is the first 30 bits of the document number, with two check characters.
"""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from docgen.errors import CodeRefused

PREFIX = "C1"
FORMAT = 1
LENGTH = 28
TAG_BYTES = 7
CORNERS = ("top right", "bottom left", "top left")
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no I, L, O, U
CONFUSED = str.maketrans("ILO", "110")


@dataclass(frozen=True, slots=True)
class Key:
    """A secret of the installation, numbered so that it can be renewed."""

    number: int
    secret: bytes

    def __repr__(self) -> str:
        return f"Key(number={self.number})"


@dataclass(frozen=True, slots=True)
class PageCode:
    """What a code says: which side of which document."""

    document: bytes
    side: int
    sides: int
    corner: int


def document_number(key: Key, *facts: str) -> bytes:
    """Derive the 6-byte number of a document from what makes it itself: job, person, copy."""
    return _mac(key, b"document\0" + "\0".join(facts).encode())[:6]


def payload(key: Key, code: PageCode) -> bytes:
    """Give the 16 authenticated bytes of a code."""
    if not (0 <= code.corner < 4 and 0 <= key.number < 16 and len(code.document) == 6):
        raise ValueError("a code holds 4 corners, 16 keys and a document number of 6 bytes")
    if not 1 <= code.side <= code.sides < 256:
        raise ValueError("side out of range: a code holds sides 1 to 255")
    first = FORMAT << 6 | key.number << 2 | code.corner
    body = bytes((first, *code.document, code.side, code.sides))
    return body + _mac(key, body)[:TAG_BYTES]


def make(key: Key, code: PageCode) -> str:
    """Give the 28 characters of a code."""
    return PREFIX + base64.b32encode(payload(key, code)).decode().rstrip("=")


def parse(text: str, keys: Mapping[int, Key]) -> PageCode:
    """Read a code and authenticate it in constant time.

    Raises:
        CodeRefused: when it is damaged, altered, or made with a key that we do not hold.
    """
    if len(text) != LENGTH or not text.startswith(PREFIX):
        raise CodeRefused("Ce code n’est pas un code de page de docgen.")
    try:
        data = base64.b32decode(text[2:] + "======")
    except ValueError as error:
        raise CodeRefused("Code de page abîmé : un caractère est impossible.") from error
    if base64.b32encode(data).decode().rstrip("=") != text[2:] or data[0] >> 6 != FORMAT:
        raise CodeRefused("Code de page abîmé : il n’est pas écrit comme docgen l’écrit.")
    key = keys.get(data[0] >> 2 & 15)
    if key is None or not hmac.compare_digest(data[9:], _mac(key, data[:9])[:TAG_BYTES]):
        raise CodeRefused("Code de page refusé : il n’a pas été imprimé par cette installation.")
    return PageCode(data[1:7], data[7], data[8], data[0] & 3)


def reference(prefix: str, document: bytes) -> str:
    """Give the reference printed for people: prefix, six characters, two check characters."""
    number = int.from_bytes(document, "big") >> 18
    digits = [number >> shift & 31 for shift in range(25, -1, -5)]
    checks = _checks([*(ord(letter) - 65 for letter in prefix), *digits])
    text = "".join(ALPHABET[digit] for digit in (*digits, *checks))
    return f"{prefix}-{text[:4]}-{text[4:]}"


def parse_reference(text: str) -> str:
    """Give a typed reference in its printed form.

    Any one or two wrong characters are found (Reed-Solomon over GF(32), distance 3).

    Raises:
        CodeRefused: when its check characters do not hold.
    """
    letters = "".join(character for character in text.upper() if character.isalnum())
    prefix, typed = letters[:2], letters[2:].translate(CONFUSED)
    known = len(typed) == 8 and all(character in ALPHABET for character in typed)
    if not known or not (prefix.isascii() and prefix.isalpha()):
        raise CodeRefused("Une référence s’écrit comme CE-7K3F-92QD : deux lettres, huit signes.")
    symbols = [*(ord(letter) - 65 for letter in prefix), *map(ALPHABET.index, typed)]
    if _checks(symbols[:-2]) != symbols[-2:]:
        raise CodeRefused("Cette référence contient une faute de frappe : vérifiez chaque signe.")
    return f"{prefix}-{typed[:4]}-{typed[4:]}"


def _mac(key: Key, data: bytes) -> bytes:
    return hmac.digest(key.secret, data, sha256)


def _double(value: int) -> int:
    value <<= 1
    return value ^ 0b100101 if value & 32 else value  # GF(32) by x^5 + x^2 + 1


def _checks(symbols: list[int]) -> list[int]:
    """Divide by (x + 1)(x + a) = x^2 + 3x + 2: the remainder is the two check symbols."""
    high = low = 0
    for symbol in symbols:
        factor = symbol ^ high
        twice = _double(factor)
        high, low = low ^ twice ^ factor, twice
    return [high, low]
