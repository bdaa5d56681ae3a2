"""The named styles of our Word models, their numbering and their page."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from docx.document import Document as Word
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.section import Section
from docx.shared import Mm, Pt, RGBColor
from docx.text.paragraph import Paragraph

FONT = "Arial"  # on every Windows and Mac; Liberation Sans has its widths elsewhere
INK = RGBColor(0x1F, 0x2A, 0x44)
LINE = "9AA3B5"
GREY = RGBColor(0x59, 0x59, 0x59)
KEPT = (
    *("Normal", "Header", "Footer", "Title", "Subtitle", "Heading 1", "Table Grid"),
    *("Default Paragraph Font", "Normal Table", "No List", "Strong"),
)


class Look(NamedTuple):
    """A paragraph style: what it builds on, its characters, the room around it."""

    name: str
    base: str
    size: float
    bold: bool = False
    colour: RGBColor | None = None
    before: float = 0
    after: float = 0
    kept: bool = False  # on the page of what follows


PARAGRAPHS = (
    Look("Title", "Normal", 17, True, INK, 0, 2, True),
    Look("Subtitle", "Normal", 11, False, GREY, 0, 12, True),
    Look("Heading 1", "Normal", 13, True, INK, 10, 6, True),
    # A heading of ours, for the list: LibreOffice takes Heading 1 out of any list but its own, and
    # the paragraphs of a .doc would be numbered 1.1 to 1.40 through all the articles.
    Look("Article", "Heading 1", 11, True, INK, 12, 4, True),
    Look("Alinéa", "Normal", 10, after=4),
    Look("Paragraphe numéroté", "Normal", 10, after=4),
    Look("Puce", "Normal", 10, after=2),
    Look("Cellule", "Normal", 9.5, before=2, after=2),
    Look("Intitulé", "Cellule", 9.5, True, INK, 2, 2),
    Look("Note", "Normal", 9, colour=GREY, after=2),
    Look("Balise", "Normal", 8, colour=GREY),
    Look("Espace", "Normal", 6),
    Look("Header", "Normal", 8, colour=GREY),
    Look("Footer", "Normal", 8, colour=GREY),
)


def prepare(word: Word) -> None:
    """Give a new document our styles, our lists and its language, and take the others away."""
    styles = word.styles
    for style in list(styles):
        if style.name not in KEPT:
            style.element.getparent().remove(style.element)
    normal: Any = styles["Normal"]
    normal.font.name, normal.font.size = FONT, Pt(10)
    normal.paragraph_format.space_after = Pt(6)
    normal.paragraph_format.line_spacing = 1.12
    normal.paragraph_format.widow_control = True
    for look in PARAGRAPHS:
        _paragraph_style(word, look)
    for border in styles["Table Grid"].element.iterfind(f".//{qn('w:tblBorders')}/*"):
        border.set(qn("w:color"), LINE)
    field = styles.add_style("Champ", WD_STYLE_TYPE.CHARACTER)
    field.base_style = styles["Default Paragraph Font"]
    field.quick_style = True
    _language(word)
    _lists(word)


def _paragraph_style(word: Word, look: Look) -> None:
    styles, name = word.styles, look.name
    known = name in [style.name for style in styles]
    style: Any = styles[name] if known else styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    for tag in ("w:rPr", "w:pPr", "w:link"):
        for former in style.element.findall(qn(tag)):
            style.element.remove(former)
    style.base_style = styles[look.base]
    style.quick_style, style.hidden, style.unhide_when_used = True, False, False
    style.font.name, style.font.size, style.font.bold = FONT, Pt(look.size), look.bold
    if look.colour is not None:
        style.font.color.rgb = look.colour
    shape = style.paragraph_format
    shape.space_before, shape.space_after = Pt(look.before), Pt(look.after)
    shape.keep_with_next = look.kept
    shape.keep_together = name in ("Alinéa", "Paragraphe numéroté")
    if name in ("Espace", "Balise", "Cellule", "Header", "Footer"):
        shape.line_spacing = 1.0
    if name == "Heading 1":
        _add(style.element.get_or_add_pPr(), "w:outlineLvl", val="0")
    if name in ("Heading 1", "Article"):
        style.next_paragraph_style = styles["Normal"]
    if name in ("Header", "Footer"):
        shape.tab_stops.add_tab_stop(Mm(170), WD_TAB_ALIGNMENT.RIGHT)


def _language(word: Word) -> None:
    """Say that the text is French, for spelling and for screen readers."""
    for lang in word.styles.element.iter(qn("w:lang")):
        for key in ("w:val", "w:eastAsia", "w:bidi"):
            lang.set(qn(key), "fr-FR" if key == "w:val" else lang.get(qn(key), "fr-FR"))
    for lang in word.settings.element.iter(qn("w:themeFontLang")):
        lang.set(qn("w:val"), "fr-FR")
    for fonts in word.styles.element.iter(qn("w:rFonts")):
        for key in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{key}"), None)
        for key in ("ascii", "hAnsi", "cs"):
            fonts.set(qn(f"w:{key}"), FONT)


def _lists(word: Word) -> None:
    """Number by lists of Word, through the styles: articles and theirs; items; I, II…"""
    numbering = word.part.numbering_part.element
    for child in list(numbering):
        numbering.remove(child)
    articles = (
        Level("decimal", "Article\u00a0%1\u00a0–", "Article", 0, 0, "space"),
        Level("decimal", "%1.%2", "Alinéa", 10, 10, "tab"),
    )
    items = (Level("bullet", "–", "Puce", 15, 5, "tab"),)
    alone = (Level("upperRoman", "%1.", "Paragraphe numéroté", 11, 11, "tab", bold=True),)
    lists = dict(enumerate((articles, items, alone), start=1))
    for number, levels in lists.items():
        model = _add(numbering, "w:abstractNum", abstractNumId=str(number))
        _add(model, "w:multiLevelType", val="multilevel")
        for depth, level in enumerate(levels):
            _level(word, model, depth, level)
            properties = word.styles[level.style].element.get_or_add_pPr()
            listed = properties.get_or_add_numPr()
            listed.get_or_add_ilvl().val = depth
            listed.get_or_add_numId().val = number
    for number in lists:
        listed = _add(numbering, "w:num", numId=str(number))
        _add(listed, "w:abstractNumId", val=str(number))


class Level(NamedTuple):
    """One level of a list: how it counts, what it shows, whose style it is, where it stands."""

    form: str
    text: str
    style: str
    left: int
    hanging: int
    suffix: str
    bold: bool = False


def _level(word: Word, model: Any, depth: int, wanted: Level) -> None:  # noqa: ANN401
    level = _add(model, "w:lvl", ilvl=str(depth))
    _add(level, "w:start", val="1")
    _add(level, "w:numFmt", val=wanted.form)
    _add(level, "w:pStyle", val=word.styles[wanted.style].style_id)
    _add(level, "w:suff", val=wanted.suffix)
    _add(level, "w:lvlText", val=wanted.text)
    _add(level, "w:lvlJc", val="left")
    shape = _add(level, "w:pPr")
    _add(shape, "w:ind", left=str(Mm(wanted.left).twips), hanging=str(Mm(wanted.hanging).twips))
    if wanted.bold:
        _add(_add(level, "w:rPr"), "w:b")


def set_page(section: Section) -> None:
    """Set an A4 page with room for two holes."""
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(20)
    section.top_margin, section.bottom_margin = Mm(20), Mm(18)
    section.header_distance = section.footer_distance = Mm(9)


def add_field(paragraph: Paragraph, instruction: str) -> None:
    """Add a Word field, such as the number of the page."""
    for kind in ("begin", instruction, "separate", "1", "end"):
        run = paragraph.add_run()
        if kind == "1":
            run.text = kind
        elif kind == instruction:
            text = OxmlElement("w:instrText")
            text.text = f" {instruction} "
            run._r.append(text)
        else:
            _add(run._r, "w:fldChar", fldCharType=kind)


def _add(parent: Any, tag: str, **attributes: str) -> Any:  # noqa: ANN401
    child = OxmlElement(tag)
    for key, value in attributes.items():
        child.set(qn(f"w:{key}"), value)
    parent.append(child)
    return child


def widths(total: float, shares: tuple[float, ...]) -> Iterator[Mm]:
    """Share a width (mm) between columns."""
    whole = sum(shares)
    return (Mm(total * share / whole) for share in shares)
