"""XML of school systems as a stream of records: no DTD, little memory, the true encoding."""

import re
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from docgen.errors import RosterRejected
from docgen.rosters.opening import refusal
from docgen.rosters.text import Codec

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# SIECLE nests 7 deep and a lycée of 3,000 pupils has some 300,000 elements.
MAX_DEPTH = 16
MAX_ELEMENTS = 2_000_000
RECORD_DEPTH = 4  # root / DONNEES / ELEVES / ELEVE
DECLARED = re.compile(rb"""<\?xml[^>]*encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
DIRECTORY_DOCTYPE = "ficAlimMENESR"
AGAIN = "Téléchargez-le de nouveau."


def elements(stream: IO[bytes], where: str, codec: Codec) -> Iterator["Element"]:
    """Yield the root as it opens, its header (depth 2), then each record (depth 4) once whole.

    Raises:
        RosterRejected: when the XML is broken, too deep, too long, or has a DTD.
    """
    from defusedxml import DefusedXmlException, DTDForbidden
    from defusedxml.ElementTree import ParseError, XMLParser, iterparse

    # The encoding found in the bytes overrides the declared one, which editors leave behind.
    parser = XMLParser(encoding=codec.removesuffix("-sig"), forbid_dtd=True)
    try:
        yield from _walk(iterparse(stream, ("start", "end"), parser), where)
    except DTDForbidden as error:
        raise _dtd_refusal(where, error.name) from error
    except DefusedXmlException as error:
        raise _dtd_refusal(where, "") from error
    except ParseError as error:
        line = getattr(error, "position", (0, 0))[0]
        what = "ce fichier XML est incomplet ou abîmé."
        raise refusal(f"{where}, ligne {line}", what, AGAIN) from error


def declared_encoding(head: bytes) -> str:
    """Give the encoding that an XML declaration names, in lower case; UTF-8 is the default."""
    found = DECLARED.match(head.removeprefix(b"\xef\xbb\xbf").lstrip())
    return found[1].decode("ascii").lower() if found else "utf-8"


def _walk(events: Iterator[tuple[str, "Element"]], where: str) -> Iterator["Element"]:
    open_elements: list[Element] = []
    count = 0
    for event, element in events:
        if event == "start":
            open_elements.append(element)
            count += 1
            if len(open_elements) > MAX_DEPTH or count > MAX_ELEMENTS:
                what = "ce fichier XML est trop profond ou trop long pour un export de SIECLE."
                raise refusal(where, what, "Vérifiez que c’est le bon.")
            if count == 1:
                yield element
            continue
        open_elements.pop()
        depth = len(open_elements) + 1
        if depth in (2, RECORD_DEPTH):
            yield element
        # What was yielded is let go of; the header alone is kept until it is whole.
        if depth == RECORD_DEPTH or (1 < depth < RECORD_DEPTH and not _in_header(open_elements)):
            open_elements[-1].clear()


def _in_header(parents: list["Element"]) -> bool:
    return len(parents) == 2 and parents[-1].tag == "PARAMETRES"


def _dtd_refusal(where: str, name: str) -> RosterRejected:
    if name == DIRECTORY_DOCTYPE:
        what = "ce fichier est un export de l’annuaire fédérateur (AAF), qui n’est pas lu."
        return refusal(where, what, "Donnez l’export SIECLE ElevesAvecAdresses.")
    what = "ce fichier XML contient une DTD ou des entités, ce que SIECLE n’écrit jamais."
    return refusal(where, what, "Reprenez l’export dans SIECLE, sans l’ouvrir ni le modifier.")
