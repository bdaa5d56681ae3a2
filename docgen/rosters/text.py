"""Text as people typed it: which encoding its bytes are in, and whether a name came whole."""

import codecs
import re
import unicodedata
from typing import IO, Literal, TypeAlias

from docgen.fields import has_invisible

Codec: TypeAlias = Literal["ascii", "utf-16", "utf-8-sig", "utf-8", "cp1252", "iso8859-15"]

CHUNK = 1 << 20
# 0x80 to 0x9F hold letters and quotes in Windows-1252, and nothing printable in ISO-8859-15.
WINDOWS_ONLY = re.compile(rb"[\x80-\x9f]")
# What is left of « é » or « œ » when one encoding was read as another.
GARBLED = re.compile("[½¼¾¤\ufffd]|[ÃÂ][^\\w\\s'’-]|[ÃÂ][ªº]|â€|Å“")
NAME_LIMIT = 100  # characters, in the SIECLE specification

# Folded, as typed in spreadsheets and as SIECLE writes them (« MME », « MLLE »).
CIVILITIES = {"m": "M.", "mr": "M.", "monsieur": "M."} | dict.fromkeys(
    # « Mlle » left the forms of the State in 2012 (circular of the Prime Minister, 21 February).
    ("mme", "mlle", "madame", "mademoiselle"),
    "Mme",
)


def sniff(stream: IO[bytes]) -> Codec:
    """Tell the encoding of a text from all its bytes; what a file declares is often wrong."""
    chunk = stream.read(CHUNK)
    if chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    marked = chunk.startswith(codecs.BOM_UTF8)
    decoder = codecs.getincrementaldecoder("utf-8")()
    plain, valid, windows = True, True, False
    while chunk and (valid or not windows):
        plain = plain and chunk.isascii()
        valid = valid and _decodes(decoder, chunk)
        windows = windows or WINDOWS_ONLY.search(chunk) is not None
        chunk = stream.read(CHUNK)
    if plain:
        return "ascii"
    if valid and _decodes(decoder, b"", final=True):
        return "utf-8-sig" if marked else "utf-8"
    return "cp1252" if windows else "iso8859-15"


def tidy(text: str) -> str:
    """Compose accents and make every run of blanks one space."""
    if text.isascii():
        return " ".join(text.split()) if not text.isalnum() else text
    return " ".join(unicodedata.normalize("NFC", text).split())


def fold(text: str) -> str:
    """Give what two writings of one word share: no accent, capital, blank or punctuation."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
    return "".join(filter(str.isalnum, text)).casefold()


def name_problem(name: str) -> str | None:
    """Say why a name cannot be printed as it came; never repeat it."""
    if "?" in name:
        return "un point d’interrogation y remplace une lettre perdue."
    if GARBLED.search(name):
        return "ses accents sont abîmés (fichier enregistré dans un autre encodage)."
    if has_invisible(name):
        return "un caractère invisible (commande ou sens d’écriture) s’y trouve."
    if len(name) > NAME_LIMIT:
        return f"{len(name)} caractères, pour {NAME_LIMIT} au plus."
    return None


def _decodes(decoder: codecs.IncrementalDecoder, chunk: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True
