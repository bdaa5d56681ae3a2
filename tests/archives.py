"""What can be checked of PDF/A-2b (ISO 19005-2) without a program made for it, clause by clause.

Signed files were also given to a validator once; these rules keep them as they were then.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring
from fontTools.ttLib import TTFont
from pypdf import PdfReader
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    IndirectObject,
    PdfObject,
    StreamObject,
)

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
DC = "{http://purl.org/dc/elements/1.1/}"
XMP = "{http://ns.adobe.com/xap/1.0/}"
PDF = "{http://ns.adobe.com/pdf/1.3/}"
PDFAID = "{http://www.aiim.org/pdfa/ns/id/}"
OWN = "{urn:docgen:return:1:}"
EXTENSION = "{http://www.aiim.org/pdfa/ns/extension/}"
SCHEMA = "{http://www.aiim.org/pdfa/ns/schema#}"
PROPERTY = "{http://www.aiim.org/pdfa/ns/property#}"
CATALOG = {
    *("/Type", "/Pages", "/Outlines", "/PageMode", "/PageLabels", "/Metadata"),
    *("/OutputIntents", "/Lang", "/ViewerPreferences"),
}
PAGE = {"/Type", "/Parent", "/MediaBox", "/Resources", "/Contents"}
FORBIDDEN = {  # 6.1.7.1, 6.2.8, 6.2.9, 6.5, 6.8, 6.10: keys that no dictionary of ours has
    *("/F", "/FFilter", "/FDecodeParms", "/Alternates", "/OPI", "/PS", "/AA", "/JS", "/EF"),
    *("/EmbeddedFiles", "/XFA", "/Annots", "/Perms", "/TR", "/HTP", "/Requirements"),
}
IDENTITY = re.compile(rb"/ID\s*\[\s*<([0-9a-f]{32})>\s*<\1>\s*\]")
FILTERS = {"/FlateDecode", "/DCTDecode", "/CCITTFaxDecode", "/ASCIIHexDecode"}


def packet(content: bytes) -> Element:
    """Give the one description of a file's metadata."""
    metadata = PdfReader(BytesIO(content)).trailer["/Root"]["/Metadata"]
    (description,) = fromstring(metadata.get_data()).iter(f"{RDF}Description")
    return description


def faults(content: bytes) -> Iterator[str]:
    """Say what a file has that PDF/A-2b forbids, or has not and should."""
    yield from _file_faults(content)
    reader = PdfReader(BytesIO(content), strict=True)
    yield from _metadata_faults(reader)
    yield from _intent_faults(reader)
    for each in _objects(reader):
        yield from _object_faults(each)
    for index, page in enumerate(reader.pages):
        if unknown := set(page) - PAGE:
            yield f"page {index}: {unknown}"


def _file_faults(content: bytes) -> Iterator[str]:
    if not re.match(rb"%PDF-1\.[0-7]\n%[\x80-\xff]{4}\n", content):  # 6.1.2
        yield "header"
    if not content.endswith(b"%%EOF\n") or content.count(b"%%EOF") != 1:  # 6.1.3
        yield "end"
    trailer = content[content.rindex(b"\ntrailer\n") :]
    if b"/Encrypt" in trailer or not IDENTITY.search(trailer):  # 6.1.3; ISO 32000-1, 14.4
        yield "trailer"


def _metadata_faults(reader: PdfReader) -> Iterator[str]:
    catalog = reader.trailer["/Root"]
    if unknown := set(catalog) - CATALOG:
        yield f"catalog: {unknown}"
    metadata = catalog["/Metadata"]
    if "/Filter" in metadata or (metadata["/Type"], metadata["/Subtype"]) != ("/Metadata", "/XML"):
        yield "metadata: dictionary"
    (told,) = fromstring(metadata.get_data()).iter(f"{RDF}Description")
    if (told.findtext(f"{PDFAID}part"), told.findtext(f"{PDFAID}conformance")) != ("2", "B"):
        yield "metadata: no claim"  # 6.6.4
    info = reader.metadata
    title = told.findtext(f"{DC}title/{RDF}Alt/{RDF}li")
    tools = (told.findtext(f"{XMP}CreatorTool"), told.findtext(f"{PDF}Producer"))
    if (info.title, info.creator, info.producer) != (title, *tools):
        yield "metadata: title or tool"
    moments = {
        datetime.fromisoformat(told.findtext(f"{XMP}{key}")).astimezone(UTC)
        for key in ("CreateDate", "ModifyDate", "MetadataDate")
    }
    if moments != {info.creation_date} or info.creation_date != info.modification_date:
        yield "metadata: dates"
    described = {each.text for each in told.iter(f"{PROPERTY}name")}
    if described != {each.tag[len(OWN) :] for each in told if each.tag.startswith(OWN)}:
        yield "metadata: a property that nobody describes"  # 6.6.2.3


def _intent_faults(reader: PdfReader) -> Iterator[str]:
    (intent,) = reader.trailer["/Root"]["/OutputIntents"]
    stored = intent["/DestOutputProfile"]
    profile = stored.get_data()
    if intent["/S"] != "/GTS_PDFA1" or stored["/N"] != 3:
        yield "intent"
    kinds = (profile[12:16], profile[16:20], profile[36:40])
    if (
        kinds != (b"mntr", b"RGB ", b"acsp")
        or profile[8] >= 5
        or len(profile) != int.from_bytes(profile[:4], "big")
    ):
        yield "intent: profile"  # 6.2.3


def _objects(reader: PdfReader) -> Iterator[DictionaryObject]:
    """Give every dictionary and stream that the catalog leads to."""
    seen: set[int] = set()
    waiting: list[PdfObject] = [reader.trailer["/Root"].get_object()]
    while waiting:
        each = waiting.pop()
        if isinstance(each, IndirectObject):
            if each.idnum in seen:
                continue
            seen.add(each.idnum)
            each = each.get_object()
        if isinstance(each, DictionaryObject):
            yield each
            waiting += [each.raw_get(key) for key in each]
        elif isinstance(each, ArrayObject):
            waiting += list(each)


def _object_faults(each: DictionaryObject) -> Iterator[str]:
    # A font's or an action's own keys are single letters too: they are no streams.
    keys = set(each) if isinstance(each, StreamObject) else set(each) - {"/F"}
    if found := FORBIDDEN & keys:
        yield f"key: {found}"
    if each.get("/S") in {"/JavaScript", "/Launch", "/URI", "/GoToR", "/SubmitForm"}:
        yield f"action: {each['/S']}"  # 6.5.1
    if isinstance(each, StreamObject):
        filters = each.get("/Filter", ArrayObject())
        if unknown := set(filters if isinstance(filters, list) else [filters]) - FILTERS:
            yield f"filter: {unknown}"  # 6.1.7.2
    if each.get("/Subtype") == "/Image":
        yield from _image_faults(each)
    if each.get("/Subtype") == "/Type0":
        yield from _font_faults(each)


def _image_faults(image: DictionaryObject) -> Iterator[str]:
    if image.get("/Interpolate"):
        yield "image: interpolated"  # 6.2.8
    if not image.get("/ImageMask") and "CMYK" in str(image["/ColorSpace"]):
        yield "image: colours without a profile"  # 6.2.4.3


def _font_faults(font: DictionaryObject) -> Iterator[str]:
    """Check a font: embedded, with the widths of its program, and every glyph has a meaning."""
    (descendant,) = font["/DescendantFonts"]
    descendant = descendant.get_object()
    descriptor = descendant["/FontDescriptor"]
    if "/FontFile2" not in descriptor or descendant.get("/CIDToGIDMap") != "/Identity":
        yield "font: program"  # 6.2.11.4.1, 6.2.11.3.2
        return
    program = TTFont(BytesIO(descriptor["/FontFile2"].get_data()))
    scale = 1000 / program["head"].unitsPerEm
    advances = [program["hmtx"][glyph][0] * scale for glyph in program.getGlyphOrder()]
    entries = iter(descendant["/W"])
    for first in entries:
        for offset, width in enumerate(next(entries).get_object()):
            if abs(advances[first + offset] - width) > 1:  # 6.2.11.5
                yield f"font: width of {first + offset}"
    if "/ToUnicode" not in font:
        yield "font: meanings"
