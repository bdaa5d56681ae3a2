"""Where the parts of a Word package are: its relationships say, whatever their names are.

Word writes its main part as word/document.xml, Word Online as word/document2.xml: only the
relationships of the package tell (ISO/IEC 29500-2, 9.3), and they are what readers follow.
"""

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias
from urllib.parse import unquote
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

TYPES = "[Content_Types].xml"
PACKAGE = ""  # the source of the relationships of the package itself
RUNNING = ("header", "footer")
FILLED = (*RUNNING, "footnotes", "endnotes")
Contents: TypeAlias = Mapping[str, bytes]


def main_part(contents: Contents) -> str:
    """Give the name of the part that a reader opens; "" when there is none, or more than one."""
    found = related(contents, PACKAGE, "officeDocument")
    return found[0] if len(found) == 1 else ""


def content_type(contents: Contents, name: str) -> str:
    """Give the kind of a part, told for its name or for the ending of its name."""
    ending, told = name.rpartition(".")[2].lower(), ""
    for each in _children(contents, TYPES):
        if each.get("PartName", "").lower() == f"/{name}".lower():
            return each.get("ContentType", "")
        if each.get("Extension", "").lower() == ending:
            told = each.get("ContentType", "")
    return told


def filled_parts(contents: Contents) -> list[str]:
    """List the parts of a document that may hold tags."""
    main = main_part(contents)
    found = {main, *(name for kind in FILLED for name in related(contents, main, kind))}
    return [name for name in contents if name in found]


def running_parts(contents: Contents) -> set[str]:
    """Give the headers and footers of a document."""
    main = main_part(contents)
    return {name for kind in RUNNING for name in related(contents, main, kind)}


def related(contents: Contents, source: str, kind: str) -> list[str]:
    """List the parts to which a part is related so; `kind` is the last word of that relation."""
    found = (
        part_named(contents, source, each.get("Target", ""))
        for each in _children(contents, relations_of(source))
        if each.get("Type", "").rpartition("/")[2] == kind
    )
    return list(dict.fromkeys(filter(None, found)))


def relations_of(source: str) -> str:
    """Name the part that holds the relationships of a part."""
    folder, base = posixpath.split(source)
    return posixpath.join(folder, "_rels", f"{base}.rels")


def part_named(names: Iterable[str], source: str, target: str) -> str:
    """Find the part that a relationship of `source` targets; "" when there is none."""
    path = posixpath.join("/", posixpath.dirname(source), unquote(target))
    wanted = posixpath.normpath(path).lstrip("/").lower()
    return next((name for name in names if name.lower() == wanted), "")


def _children(contents: Contents, name: str) -> Iterator[Element]:
    """Read the elements of a list; one that cannot be read is told where the package is checked."""
    try:
        yield from fromstring(contents.get(name, b"<none/>"), forbid_dtd=True)
    except (DefusedXmlException, ParseError, ValueError, LookupError):
        return
