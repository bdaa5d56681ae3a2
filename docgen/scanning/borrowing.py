"""Pages of the original print, for the sides that need not come home: copied, and marked so.

The mark is one line of fixed text. It is set here, letter after letter: what shapes names and
values for print stands with rendering, which scanning does not know.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import deflate
import uharfbuzz
from pypdf import PageObject, PdfWriter
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    IndirectObject,
    NumberObject,
    StreamObject,
    TextStringObject,
)

from docgen.errors import Unavailable
from docgen.scanning.archival import dictionary, inside, name, stream_of

MARK = "Page reprise de l’impression d’origine, non numérisée"
SIZE, GREY = 7, 0.45  # pt, and a grey that a reader sees without being stopped by it
RIGHT, RISE = 34.0, 17.0  # pt from the paper's edges: 12 and 6 mm, outside codes and text
FONT = "DocgenMark"  # a name that no other resource of a page has
FILE = "SourceSansPro-Regular"
EMBEDDED = {"/FontFile", "/FontFile2", "/FontFile3"}
SYMBOLIC = 4  # font flag (ISO 32000-2, table 121)
TABLES = (b"GSUB", b"GPOS", b"GDEF", b"kern", b"name", b"post", b"OS/2", b"cmap", b"DSIG", b"gasp")
NAMES = re.compile(rb"/([^\x00-\x20()<>\[\]{}/%]+)")
CMAP = """/CIDInit/ProcSet findresource begin 12 dict begin begincmap
/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def
/CMapName/Adobe-Identity-UCS def/CMapType 2 def
1 begincodespacerange <0000><ffff> endcodespacerange
{count} beginbfchar
{lines}
endbfchar
endcmap CMapName currentdict/CMap defineresource pop end end
"""


class Lettering(NamedTuple):
    """The letters of the mark: its glyphs, their widths in 1/1000 em, and the font's program."""

    glyphs: tuple[int, ...]
    widths: dict[int, int]
    program: bytes
    ascent: int
    descent: int

    @property
    def width(self) -> float:
        """The width of the mark in points."""
        return sum(self.widths[glyph] for glyph in self.glyphs) * SIZE / 1000


def borrow(writer: PdfWriter, page: PageObject, font: IndirectObject) -> PageObject:
    """Copy what a page shows, without its links and fields, and mark it."""
    copied = writer.add_blank_page(page.mediabox.width, page.mediabox.height)
    copied.mediabox = page.mediabox
    contents = page["/Contents"].get_object() if "/Contents" in page else ArrayObject()
    streams = contents if isinstance(contents, ArrayObject) else [page.raw_get("/Contents")]
    shown = b"\n".join(each.get_object().get_data() for each in streams)
    resources = _used(inside(page, "/Resources"), shown).clone(writer)
    fonts = inside(resources, "/Font")
    fonts[name(FONT)] = font
    resources[name("Font")] = fonts
    opening, mark = stream_of(b"q"), stream_of(b"Q " + _mark(page))
    copied[name("Contents")] = ArrayObject(
        [
            writer._add_object(opening),
            *(each.clone(writer) for each in streams),
            writer._add_object(mark),
        ]
    )
    copied[name("Resources")] = resources
    for picture in _objects(resources, "/XObject", set()):
        picture.pop("/Interpolate", None)  # ISO 19005-2, 6.2.8
    return copied


def embed_mark_font(writer: PdfWriter) -> IndirectObject:
    """Embed the letters of the mark."""
    letters = lettering()
    base = name(f"DOCGEN+{FILE}")
    descriptor = dictionary(
        Type=name("FontDescriptor"),
        FontName=base,
        Flags=NumberObject(SYMBOLIC),
        FontBBox=ArrayObject(map(NumberObject, (-500, -300, 1500, 1000))),
        ItalicAngle=NumberObject(0),
        Ascent=NumberObject(letters.ascent),
        Descent=NumberObject(letters.descent),
        CapHeight=NumberObject(660),
        StemV=NumberObject(84),
        FontFile2=writer._add_object(_packed(letters.program, len(letters.program))),
    )
    widths = ArrayObject()
    for glyph, width in letters.widths.items():
        widths += [NumberObject(glyph), ArrayObject([NumberObject(width)])]
    system = dictionary(
        Registry=TextStringObject("Adobe"),
        Ordering=TextStringObject("Identity"),
        Supplement=NumberObject(0),
    )
    descendant = dictionary(
        Type=name("Font"),
        Subtype=name("CIDFontType2"),
        BaseFont=base,
        FontDescriptor=writer._add_object(descriptor),
        CIDToGIDMap=name("Identity"),
        CIDSystemInfo=system,
        W=widths,
    )
    return writer._add_object(
        dictionary(
            Type=name("Font"),
            Subtype=name("Type0"),
            BaseFont=base,
            Encoding=name("Identity-H"),
            DescendantFonts=ArrayObject([writer._add_object(descendant)]),
            ToUnicode=writer._add_object(_packed(_unicode_map(letters))),
        )
    )


@cache
def lettering() -> Lettering:
    """Take the letters of the mark from the pinned font package.

    Raises:
        Unavailable: when the font package is not installed.
    """
    spec = find_spec("font_source_sans_pro")
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable("La police Source Sans Pro n’est pas installée : relancez « make demo ».")
    path = Path(spec.submodule_search_locations[0]) / "files" / f"{FILE}.ttf"
    face = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(path)))
    font = uharfbuzz.Font(face)
    glyphs = tuple(font.get_nominal_glyph(ord(letter)) for letter in MARK)
    scale = 1000 / face.upem
    widths = {
        glyph: round(font.get_glyph_h_advance(glyph) * scale) for glyph in sorted(set(glyphs))
    }
    wanted = uharfbuzz.SubsetInput()
    wanted.glyph_set.update(widths)
    wanted.flags = (
        uharfbuzz.SubsetFlags.RETAIN_GIDS
        | uharfbuzz.SubsetFlags.NO_HINTING
        | uharfbuzz.SubsetFlags.NO_LAYOUT_CLOSURE
    )
    wanted.drop_table_tag_set.update(int.from_bytes(tag, "big") for tag in TABLES)
    program = bytes(uharfbuzz.subset(face, wanted).blob.data)
    extents = font.get_font_extents("ltr")
    ends = (round(end * scale) for end in (extents.ascender, extents.descender))
    return Lettering(glyphs, widths, program, *ends)


def faults(resources: DictionaryObject) -> Iterator[str]:
    """Say what keeps a page from being archival (ISO 19005-2, 6.1.7.2, 6.2.4.3, 6.2.11.4)."""
    for font in _objects(resources, "/Font", set()):
        (described,) = font.get("/DescendantFonts", ArrayObject([font])).get_object()
        programs = EMBEDDED & inside(described.get_object(), "/FontDescriptor").keys()
        if not programs and str(font.get("/Subtype")) != "/Type3":
            yield "font"
    for picture in _objects(resources, "/XObject", set()):
        if "CMYK" in str(picture.get("/ColorSpace", "")):
            yield "colour"
        if "LZW" in str(picture.get("/Filter", "")):
            yield "filter"


def _mark(page: PageObject) -> bytes:
    """Draw the mark in the bottom margin, on the right."""
    letters = lettering()
    x = float(page.mediabox.right) - RIGHT - letters.width
    y = float(page.mediabox.bottom) + RISE
    shown = "".join(f"{glyph:04x}" for glyph in letters.glyphs)
    return f"q BT/{FONT} {SIZE} Tf {GREY} g {x:.2f} {y:.2f} Td<{shown}>Tj ET Q".encode()


def _used(resources: DictionaryObject, shown: bytes) -> DictionaryObject:
    """Keep the resources that a content names: a volume lends all of its own to each page."""
    named = {f"/{found.decode('latin-1')}" for found in NAMES.findall(shown)}
    kept = DictionaryObject()
    for kind in resources:
        entries = resources[kind].get_object()
        if isinstance(entries, DictionaryObject) and "#" not in "".join(named):
            chosen = {name(key[1:]): entries.raw_get(key) for key in entries if key in named}
            entries = DictionaryObject(chosen)
        kept[name(kind[1:])] = entries
    return kept


def _objects(resources: DictionaryObject, kind: str, seen: set[int]) -> Iterator[DictionaryObject]:
    """Give the fonts or the drawn objects of a page, and those of what it draws."""
    for each in inside(resources, kind).values():
        if isinstance(found := each.get_object(), DictionaryObject):
            yield found
    for each in inside(resources, "/XObject").values():
        form = each.get_object()
        if id(form) not in seen and isinstance(form, DictionaryObject):
            seen.add(id(form))
            yield from _objects(inside(form, "/Resources"), kind, seen)


def _packed(content: bytes, length: int = 0) -> StreamObject:
    stream = stream_of(bytes(deflate.zlib_compress(content, 9)), Filter=name("FlateDecode"))
    if length:
        stream[name("Length1")] = NumberObject(length)
    return stream


def _unicode_map(letters: Lettering) -> bytes:
    meanings = dict(sorted(zip(letters.glyphs, MARK, strict=True)))
    lines = [f"<{glyph:04x}><{ord(letter):04x}>" for glyph, letter in meanings.items()]
    return CMAP.format(count=len(lines), lines="\n".join(lines)).encode()
