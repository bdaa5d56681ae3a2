"""PDF/X-4 (ISO 15930-7): what a print file says of the press it is made for.

Our pages hold greys, embedded fonts and masks only, so a file becomes PDF/X-4 by its output
intent, its metadata and its trim boxes. The profile is the print shop's own.
"""

from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path
from uuid import UUID
from xml.sax.saxutils import escape

from docgen.errors import InvalidInput, Problem, reason
from docgen.rendering.pdf import PdfStream, text_string

COMPONENTS = {b"GRAY": 1, b"CMYK": 4}  # spaces in which DeviceGray is allowed (6.2.4.3)
REMEDY = "Demandez à l’imprimeur le profil ICC de sa presse."
LARGEST = 16 << 20  # bytes; profiles of presses have one to three million
XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"
 xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/" xmlns:pdfxid="http://www.npes.org/pdfx/ns/id/">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<xmp:CreateDate>{day}</xmp:CreateDate><xmp:ModifyDate>{day}</xmp:ModifyDate>
<xmp:MetadataDate>{day}</xmp:MetadataDate><xmp:CreatorTool>docgen</xmp:CreatorTool>
<xmpMM:DocumentID>uuid:{identity}</xmpMM:DocumentID><xmpMM:VersionID>1</xmpMM:VersionID>
<xmpMM:RenditionClass>default</xmpMM:RenditionClass>
<pdf:Trapped>False</pdf:Trapped><pdfxid:GTS_PDFXVersion>PDF/X-4</pdfxid:GTS_PDFXVersion>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


@dataclass(frozen=True, slots=True)
class OutputIntent:
    """The press: its ICC profile, and the title and day that the file's metadata give."""

    name: str
    profile: bytes
    components: int
    title: str
    on: date


def read_intent(path: Path, title: str, on: date) -> OutputIntent:
    """Read the ICC profile of a press (ISO 15076-1, 7.2).

    Raises:
        InvalidInput: when it is not the profile of a printer in grey or CMYK.
    """
    try:
        profile = path.read_bytes() if path.stat().st_size <= LARGEST else b""
    except OSError as error:
        what = f"ce profil ne peut pas être lu ({reason(error)})."
        raise InvalidInput(Problem(what, path.name, REMEDY)) from error
    return intent_of(profile, path.name, title, on)


def intent_of(profile: bytes, name: str, title: str, on: date) -> OutputIntent:
    """Check the ICC profile of a press; `name` is that of its file.

    Raises:
        InvalidInput: when it is not the profile of a printer in grey or CMYK.
    """
    if profile[36:40] != b"acsp" or int.from_bytes(profile[:4], "big") != len(profile):
        raise InvalidInput(Problem("ce n’est pas un profil ICC.", name, REMEDY))
    components = COMPONENTS.get(profile[16:20])
    if profile[12:16] != b"prtr" or components is None:
        what = "ce profil n’est pas celui d’une presse en noir ou en CMJN."
        raise InvalidInput(Problem(what, name, REMEDY))
    return OutputIntent(Path(name).stem, profile, components, title, on)


def catalog_entries(pdf: PdfStream, intent: OutputIntent) -> bytes:
    """Write the profile and the metadata, and give what the catalog says of them."""
    profile, metadata = pdf.reserve(), pdf.reserve()
    pdf.stream(profile, intent.profile, b"/N %d" % intent.components, level=9)
    digest = sha256(f"{intent.title}\0{intent.on}\0{intent.name}".encode()).digest()
    packet = XMP.format(
        title=escape(intent.title), day=f"{intent.on}T00:00:00Z", identity=UUID(bytes=digest[:16])
    )
    pdf.plain_stream(metadata, packet.encode(), b"/Type/Metadata/Subtype/XML")
    return (
        b"/Metadata %d 0 R/OutputIntents[<</Type/OutputIntent/S/GTS_PDFX"
        b"/OutputConditionIdentifier%b/Info%b/DestOutputProfile %d 0 R>>]"
        % (metadata, text_string(intent.name), text_string(intent.name), profile)
    )
