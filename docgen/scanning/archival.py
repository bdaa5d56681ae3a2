"""PDF/A-2b (ISO 19005-2): what a signed file says of itself, so that it can be kept for decades.

Its images are grey or RGB and its fonts embedded, so it becomes PDF/A by its metadata, an output
intent (sRGB), an identifier made from its content, and by all that is not put into it.
"""

from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import Any
from xml.sax.saxutils import escape

from PIL import ImageCms
from pypdf import PdfWriter
from pypdf.generic import (
    ArrayObject,
    BooleanObject,
    ByteStringObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    StreamObject,
    create_string_object,
)

HEADER = "%PDF-1.7"  # ISO 32000-1, on which ISO 19005-2 stands
TOOL = "docgen"
SPACE = "sRGB IEC61966-2.1"
MADE = bytes.fromhex("07cf 000a 0012 0000 0000 0000")  # 1999-10-18, the day of IEC 61966-2-1
# A property that nobody knows must be described in the file itself (6.6.2.3).
XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
 xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:docgen="urn:docgen:return:1:"
 xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"
 xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
{claim}<dc:format>application/pdf</dc:format>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:identifier>{identifier}</dc:identifier>
<dc:language><rdf:Bag><rdf:li>fr</rdf:li></rdf:Bag></dc:language>
<xmp:CreateDate>{moment}</xmp:CreateDate><xmp:ModifyDate>{moment}</xmp:ModifyDate>
<xmp:MetadataDate>{moment}</xmp:MetadataDate><xmp:CreatorTool>{tool}</xmp:CreatorTool>
<pdf:Producer>{tool}</pdf:Producer>
<docgen:faces>{index}</docgen:faces>
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>docgen</pdfaSchema:schema>
<pdfaSchema:namespaceURI>urn:docgen:return:1:</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>docgen</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
<pdfaProperty:name>faces</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType>
<pdfaProperty:category>internal</pdfaProperty:category>
<pdfaProperty:description>JSON: where each page came from</pdfaProperty:description>
</rdf:li></rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""
CLAIM = "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>\n"


def archive(
    writer: PdfWriter,
    *,
    title: str,
    identifier: str,
    now: datetime,
    index: str,
    content: bytes,
    is_archival: bool = True,
) -> None:
    """Give a file its metadata, its output intent and its identifier.

    `index` says, as JSON, where pages came from; `content` stands for all that pages show. A file
    that is not archival does not claim to be.

    Raises:
        ValueError: when `now` does not say in which time zone it is.
    """
    if now.tzinfo is None:
        raise ValueError("a moment without its time zone is not the same moment everywhere")
    moment = now.astimezone(UTC)
    title = "".join(letter if letter.isprintable() else " " for letter in title)
    packet = XMP.format(
        claim=CLAIM if is_archival else "",
        title=escape(title),
        identifier=escape(identifier),
        moment=moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        tool=TOOL,
        index=escape(index),
    ).encode()
    metadata = stream_of(packet, Type=name("Metadata"), Subtype=name("XML"))
    catalog = writer.root_object
    writer.pdf_header = HEADER
    catalog.update(
        dictionary(
            Metadata=writer._add_object(metadata),
            OutputIntents=ArrayObject([_intent(writer)]),
            Lang=create_string_object("fr"),
            ViewerPreferences=dictionary(DisplayDocTitle=BooleanObject(True)),
        )
    )
    day = moment.strftime("D:%Y%m%d%H%M%SZ")
    told = {"Title": title, "Creator": TOOL, "Producer": TOOL, "CreationDate": day, "ModDate": day}
    writer.metadata = {f"/{key}": value for key, value in told.items()}
    identity = ByteStringObject(sha256(packet + content).digest()[:16])
    writer._ID = ArrayObject([identity, identity])


@cache
def srgb() -> bytes:
    """Give the ICC profile of sRGB as Little CMS builds it, without the moment when it did."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + MADE + profile[36:]  # ISO 15076-1, 7.2.8


def name(text: str) -> NameObject:
    """Write a name."""
    return NameObject(f"/{text}")


def dictionary(**entries: Any) -> DictionaryObject:  # noqa: ANN401
    """Write a dictionary from its keys and their values."""
    return DictionaryObject({name(key): value for key, value in entries.items()})


def inside(found: DictionaryObject, *keys: str) -> DictionaryObject:
    """Follow keys from a dictionary to one inside it; what is not there is empty."""
    for key in keys:
        inner = found.get(key, DictionaryObject()).get_object()
        found = inner if isinstance(inner, DictionaryObject) else DictionaryObject()
    return found


def stream_of(content: bytes, **entries: Any) -> StreamObject:  # noqa: ANN401
    """Write a stream as it is, with the entries of its dictionary."""
    stream = StreamObject()
    stream.update(dictionary(**entries))
    stream.set_data(content)
    return stream


def _intent(writer: PdfWriter) -> DictionaryObject:
    profile = writer._add_object(stream_of(srgb(), N=NumberObject(3)))
    return dictionary(
        Type=name("OutputIntent"),
        S=name("GTS_PDFA1"),
        OutputConditionIdentifier=create_string_object(SPACE),
        Info=create_string_object(SPACE),
        DestOutputProfile=profile,
    )
