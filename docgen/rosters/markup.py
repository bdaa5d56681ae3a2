"""XML of school systems as a stream of rows: no DTD, little memory, the true encoding."""

import re
from collections.abc import Iterator
from typing import IO

from docgen.errors import RosterRejected
from docgen.rosters.opening import refusal
from docgen.rosters.text import Codec, tidy

# SIECLE nests 7 deep, STS-Web 10, and a lycée of 3,000 pupils has some 450,000 elements.
MAX_DEPTH = 16
MAX_ELEMENTS = 1_000_000
# A row is held whole: all the classes of STS-Web are one, of some 30,000 elements at most.
MAX_ROW_ELEMENTS = 200_000
# expat before 2.6 scans an unfinished tag or comment again at each piece (CVE-2023-52425).
MAX_TOKEN = 1 << 20
PIECE = 1 << 16
ROW_DEPTH = 4  # root / DONNEES / ELEVES / ELEVE
HEADER = "PARAMETRES"
DECLARED = re.compile(rb"""<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
DIRECTORY_DOCTYPE = "ficAlimMENESR"


class Row:
    """An element that holds others: the texts of its own children by tag, and its nested rows."""

    __slots__ = ("attributes", "rows", "tag", "texts")

    def __init__(self, tag: str, attributes: dict[str, str]) -> None:
        """Start an empty row."""
        self.tag, self.attributes = tag, attributes
        self.texts: dict[str, str] = {}
        self.rows: list[Row] = []

    def key(self, name: str) -> str:
        """Give an attribute, "" when it is absent."""
        return self.attributes.get(name, "").strip()

    def first(self, *tags: str) -> str:
        """Give the first of these texts that is there; absent and empty are the same."""
        return next((tidy(self.texts[tag]) for tag in tags if tag in self.texts), "")

    def nested(self, tag: str) -> Iterator[str]:
        """Yield the texts of a tag, however deep."""
        if tag in self.texts:
            yield self.texts[tag]
        for row in self.rows:
            yield from row.nested(tag)

    def inner(self, tag: str) -> Iterator["Row"]:
        """Yield the rows of a tag, however deep."""
        for row in self.rows:
            if row.tag == tag:
                yield row
            yield from row.inner(tag)


def rows(stream: IO[bytes], where: str, codec: Codec) -> Iterator[Row]:
    """Yield the root as it opens, its header, then each row (depth 4) once whole.

    Raises:
        RosterRejected: when the XML is broken, too deep, too long, or has a DTD.
    """
    from defusedxml import DefusedXmlException, DTDForbidden
    from defusedxml.ElementTree import ParseError, XMLParser

    target = _Target(where)
    # The encoding found in the bytes overrides the declared one, which editors leave behind.
    parser = XMLParser(target=target, encoding=codec.removesuffix("-sig"), forbid_dtd=True)
    try:
        fed = 0
        while chunk := stream.read(PIECE):
            parser.feed(chunk)
            yield from target.taken()
            fed += len(chunk)
            if fed - parser.parser.CurrentByteIndex > MAX_TOKEN:
                raise _too_long(where)
        parser.close()
    except DTDForbidden as error:
        raise _dtd_refusal(where, error.name) from error
    except DefusedXmlException as error:
        raise _dtd_refusal(where, "") from error
    except ParseError as error:
        place = f"{where}, ligne {error.position[0]}"
        what = "ce fichier XML est incomplet ou abîmé."
        raise refusal(place, what, "Téléchargez-le de nouveau.") from error


def declared_encoding(head: bytes) -> str:
    """Give the encoding that an XML declaration names, in lower case; UTF-8 is the default."""
    found = DECLARED.match(head.removeprefix(b"\xef\xbb\xbf").lstrip())
    return found[1].decode("ascii").lower() if found else "utf-8"


class _Target:
    """Build rows from the parser's events; what was yielded is let go of."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.ready: list[Row] = []
        self.open: list[Row] = []
        self.text: list[str] = []
        self.count = self.row_start = 0
        self.data = self.text.append  # the parser's fast path: no method between it and the list

    def taken(self) -> list[Row]:
        """Give the rows that are whole, and forget them."""
        ready, self.ready = self.ready, []
        return ready

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Open an element."""
        row = Row(tag, attributes)
        self.open.append(row)
        self.text.clear()
        self.count += 1
        if self.count == 1:
            self.ready.append(row)
        depth = len(self.open)
        if depth == ROW_DEPTH:
            self.row_start = self.count
        if (
            depth > MAX_DEPTH
            or self.count > MAX_ELEMENTS
            or self.count - self.row_start > MAX_ROW_ELEMENTS
        ):
            raise _too_long(self.where)

    def end(self, tag: str) -> None:
        """Close an element: a row is yielded, what it holds goes to it, the rest is dropped."""
        row, depth = self.open.pop(), len(self.open) + 1
        if depth == ROW_DEPTH or (depth == 2 and tag == HEADER):
            self.ready.append(row)
        elif depth > ROW_DEPTH or (depth == 3 and self.open[-1].tag == HEADER):
            if row.texts or row.rows:
                self.open[-1].rows.append(row)
            elif text := "".join(self.text).strip():
                self.open[-1].texts.setdefault(tag, text)
            elif row.attributes:  # STS-Web names teachers and the school so: <UAJ CODE="0130010R"/>
                self.open[-1].rows.append(row)
        self.text.clear()

    def close(self) -> None:
        """End the document, as the parser asks."""


def _too_long(where: str) -> RosterRejected:
    what = "ce fichier XML est trop profond ou trop long pour l’export d’un établissement."
    return refusal(where, what, "Vérifiez que c’est le bon.")


def _dtd_refusal(where: str, name: str) -> RosterRejected:
    if name == DIRECTORY_DOCTYPE:
        what = "ce fichier est un export de l’annuaire fédérateur (AAF), qui n’est pas lu."
        return refusal(where, what, "Donnez l’export de SIECLE, ou de STS-Web (professeurs).")
    what = "ce fichier XML contient une DTD ou des entités : SIECLE et STS-Web n’en écrivent pas."
    return refusal(where, what, "Reprenez l’export, sans l’ouvrir ni le modifier.")
