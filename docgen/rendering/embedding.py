"""The face of the values, embedded in a print file with only the glyphs that were used."""

import uharfbuzz

from docgen.rendering.pdf import PdfStream
from docgen.rendering.typesetting import Typesetter

UNUSED_TABLES = (
    *(b"GSUB", b"GPOS", b"GDEF", b"kern", b"name", b"post", b"OS/2"),
    *(b"cmap", b"DSIG", b"gasp"),
)
SYMBOLIC = 4  # font flag (ISO 32000-2, table 121)
CMAP = """/CIDInit/ProcSet findresource begin 12 dict begin begincmap
/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def
/CMapName/Adobe-Identity-UCS def/CMapType 2 def
1 begincodespacerange <0000><ffff> endcodespacerange
{}
endcmap CMapName currentdict/CMap defineresource pop end end
"""


def embed_values_font(pdf: PdfStream, number: int, setter: Typesetter) -> None:
    """Write the font under its number, with the glyphs that the typesetter has used."""
    glyphs = dict(sorted(setter.glyphs.items()))
    descendant, descriptor, program, unicode_map = (pdf.reserve() for _ in range(4))
    data = _subset(setter.face, set(glyphs))
    pdf.stream(program, data, b"/Length1 %d" % len(data), level=9)
    pdf.stream(unicode_map, _unicode_map(glyphs), level=9)
    name = b"DOCGEN+SourceSansPro-Semibold"
    scale = 1000 / setter.units
    extents = setter.font.get_font_extents("ltr")
    pdf.object(
        descriptor,
        b"<</Type/FontDescriptor/FontName/%b/Flags %d/FontBBox[-500 -300 1500 1000]"
        b"/ItalicAngle 0/Ascent %d/Descent %d/CapHeight 660/StemV 110/FontFile2 %d 0 R>>"
        % (name, SYMBOLIC, extents.ascender * scale, extents.descender * scale, program),
    )
    widths = b" ".join(
        b"%d[%d]" % (glyph, round(setter.font.get_glyph_h_advance(glyph) * scale))
        for glyph in glyphs
    )
    pdf.object(
        descendant,
        b"<</Type/Font/Subtype/CIDFontType2/BaseFont/%b/FontDescriptor %d 0 R/CIDToGIDMap/Identity"
        b"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/W[%b]>>"
        % (name, descriptor, widths),
    )
    pdf.object(
        number,
        b"<</Type/Font/Subtype/Type0/BaseFont/%b/Encoding/Identity-H"
        b"/DescendantFonts[%d 0 R]/ToUnicode %d 0 R>>" % (name, descendant, unicode_map),
    )


def _subset(face: uharfbuzz.Face, glyphs: set[int]) -> bytes:
    """Keep the outlines of some glyphs, under their own numbers."""
    wanted = uharfbuzz.SubsetInput()
    wanted.glyph_set.update(glyphs)
    wanted.flags = (
        uharfbuzz.SubsetFlags.RETAIN_GIDS
        | uharfbuzz.SubsetFlags.NO_HINTING
        | uharfbuzz.SubsetFlags.NO_LAYOUT_CLOSURE
    )
    wanted.drop_table_tag_set.update(int.from_bytes(tag, "big") for tag in UNUSED_TABLES)
    return bytes(uharfbuzz.subset(face, wanted).blob.data)


def _unicode_map(glyphs: dict[int, str]) -> bytes:
    """Say which characters each glyph stands for, so that text can be found and copied."""
    lines = [
        f"<{glyph:04x}><{text.encode('utf-16-be').hex()}>" for glyph, text in glyphs.items() if text
    ]
    blocks = [lines[start : start + 100] for start in range(0, len(lines), 100)]
    body = "\n".join(
        f"{len(block)} beginbfchar\n{chr(10).join(block)}\nendbfchar" for block in blocks
    )
    return CMAP.format(body).encode()
