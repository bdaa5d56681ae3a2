"""Write the Word models of templates from their texts: `python -m samples.conventions`.

`texte.md` is what a lawyer reads and a change shows; `body.docx` is made of it, the same bytes
every time. Marks of a line: `@entete` running title, `#` title, `=` subtitle, `>` note to whoever
edits the model, `##` numbered article, `###` heading without a number, `+` paragraph numbered I,
II…, `-` item, `@table NAME`, `@lignes TITLE` and its lines `| label | value | least height |`,
`@page`, `@si VARIANT` … `@fin`; any other line is a paragraph, numbered once the articles have
begun. Within a line, `**strong**`.
"""

import io
import re

from docx import Document
from docx.document import Document as Word
from docx.enum.text import WD_BREAK
from docx.text.paragraph import Paragraph

from docgen.library import SHELF
from docgen.rendering.wordpackage import read_package, write_parts
from docgen.rendering.wordparts import TYPES
from samples import conventionstyles as styles
from samples import conventiontables as tables

TEXTS = sorted(SHELF.glob("*/*/texte.md"))
STYLES = {
    "#": "Title",
    "=": "Subtitle",
    ">": "Note",
    "##": "Article",
    "###": "Heading 1",
    "+": "Paragraphe numéroté",
    "-": "Puce",
}
LEFT_OUT = ("docProps/thumbnail.jpeg", "customXml", "word/stylesWithEffects.xml")
APP = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<Properties xmlns="http://schemas.'
    b'openxmlformats.org/officeDocument/2006/extended-properties"><Application>docgen</Application>'
    b"</Properties>"
)


def build(text: str, title: str, version: str) -> bytes:
    """Give the Word model of a text."""
    word = Document()
    styles.prepare(word)
    for former in list(word.element.body.iterchildren("{*}p")):
        word.element.body.remove(former)
    _running(word, version)
    numbered = False
    for line in filter(None, map(str.strip, text.splitlines())):
        mark, _, rest = line.partition(" ")
        numbered = mark == "##" or (numbered and mark != "###")
        _line(word, mark, rest, line, numbered=numbered)
    for name in ("author", "comments", "keywords", "last_modified_by", "category"):
        setattr(word.core_properties, name, "")
    word.core_properties.title = title
    word.core_properties.language = "fr-FR"
    return _same_bytes(word)


def _line(word: Word, mark: str, rest: str, line: str, *, numbered: bool) -> None:
    if mark in STYLES:
        _written(word.add_paragraph(style=STYLES[mark]), rest)
    elif mark == "@entete":
        word.sections[0].header.paragraphs[0].add_run(rest)
    elif mark == "@table":
        tables.TABLES[rest](word)
        word.add_paragraph(style="Espace")
    elif mark == "@lignes":
        word.add_paragraph(style="Espace")
        tables.start_lines(word, rest)
        word.add_paragraph(style="Espace")
    elif mark == "|":
        tables.add_line(word, line)
    elif mark == "@page":
        word.add_paragraph(style="Espace").add_run().add_break(WD_BREAK.PAGE)
    elif mark == "@si":
        word.add_paragraph(f"{{%p if {rest} %}}", style="Balise")
    elif mark == "@fin":
        word.add_paragraph("{%p endif %}", style="Balise")
    else:
        _written(word.add_paragraph(style="Alinéa" if numbered else "Normal"), line)


def _written(paragraph: Paragraph, text: str) -> None:
    """Write a text; each field is a run of its own, so that a person can format it apart."""
    for piece in re.split(r"(\{\{.*?\}\}|\*\*.*?\*\*)", text):
        if piece.startswith("{{"):
            paragraph.add_run(piece, style="Champ")
        elif piece.startswith("**"):
            paragraph.add_run(piece.strip("*"), style="Strong")
        elif piece:
            paragraph.add_run(piece)


def _running(word: Word, version: str) -> None:
    section = word.sections[0]
    styles.set_page(section)
    header = section.header.paragraphs[0]
    header.text = "{{ etablissement_nom }}\t"
    footer = section.footer.paragraphs[0]
    footer.add_run(f"Version\u00a0{version}\tPage\u00a0")
    styles.add_field(footer, "PAGE")
    footer.add_run("/")
    styles.add_field(footer, "NUMPAGES")


def _same_bytes(word: Word) -> bytes:
    stream = io.BytesIO()
    word.save(stream)
    contents = read_package(stream.getvalue())
    kept = {
        name: re.sub(rb"\d{4}-\d\d-\d\dT[\d:]+Z", b"2026-09-01T00:00:00Z", content)
        for name, content in contents.items()
        if not name.startswith(LEFT_OUT)
    }
    # What points at the parts left out.
    for name in (TYPES, "_rels/.rels", "word/_rels/document.xml.rels"):
        kept[name] = re.sub(
            rb"<(?:Relationship|Override) [^>]*(?:thumbnail|customXml|stylesWithEffects)[^>]*/>",
            b"",
            kept[name],
        )
    kept["docProps/app.xml"] = APP
    return write_parts(kept)


def main() -> None:
    """Write body.docx beside each text."""
    import tomllib

    for path in TEXTS:
        manifest = tomllib.loads(path.with_name("manifest.toml").read_text(encoding="utf-8"))
        model = build(path.read_text(encoding="utf-8"), manifest["title"], manifest["version"])
        path.with_name("body.docx").write_bytes(model)


if __name__ == "__main__":
    main()
