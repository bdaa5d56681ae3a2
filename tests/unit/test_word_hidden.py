"""Hidden text is on no paper: a mandatory field may not be there only."""

import re

import pytest

from docgen.rendering.wordmodel import examine
from tests.hostile import models
from tests.unit.test_word_clumsy import replaced

MANIFEST = models.TEMPLATE.manifest
TAG = "{{ tablette_serie }}"
STYLES = "word/styles.xml"
CHARACTER = '<w:style w:type="character" w:styleId="{}">{}<w:rPr>{}</w:rPr></w:style>'
PARAGRAPH = CHARACTER.replace("character", "paragraph")


def run(properties: str, text: str = TAG) -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r>"


def paragraph(runs: str, properties: str = "") -> str:
    return f"<w:p><w:pPr>{properties}</w:pPr>{runs}</w:p>"


def table(held: str, style: str = "T") -> str:
    head = f'<w:tblPr><w:tblStyle w:val="{style}"/></w:tblPr><w:tblGrid><w:gridCol/></w:tblGrid>'
    return f"<w:tbl>{head}<w:tr><w:tc><w:tcPr/>{held}</w:tc></w:tr></w:tbl><w:p/>"


def told(held: str, styles: str = "", defaults: str = "") -> list[str]:
    """Examine a model that holds the tag there only, and has these styles."""
    content = replaced(TAG, "x")

    def change(parts: dict[str, bytes]) -> None:
        end = parts[models.MAIN].rindex(b"<w:sectPr")
        text = parts[models.MAIN]
        parts[models.MAIN] = text[:end] + held.encode() + text[end:]
        styled = parts[STYLES].decode().replace("</w:styles>", f"{styles}</w:styles>")
        if defaults:
            styled = re.sub("(<w:rPrDefault>.*?<w:rPr>)", rf"\1{defaults}", styled, flags=re.S)
        parts[STYLES] = styled.encode()

    return [str(problem) for problem in examine(models.changed(change, given=content), MANIFEST)]


HIDDEN = {
    "a run": (paragraph(run("<w:vanish/>")), ""),
    "a run that says so in full": (paragraph(run('<w:vanish w:val="true"/>')), ""),
    "a tag cut in two, its start hidden": (
        paragraph(run("<w:vanish/>", "{{ tablette_") + run("", "serie }}")),
        "",
    ),
    "a style of characters": (
        paragraph(run('<w:rStyle w:val="C"/>')),
        CHARACTER.format("C", "", "<w:vanish/>"),
    ),
    "a style that builds on another": (
        paragraph(run('<w:rStyle w:val="D"/>')),
        CHARACTER.format("C", "", "<w:vanish/>")
        + CHARACTER.format("D", '<w:basedOn w:val="C"/>', "<w:b/>"),
    ),
    "a style of paragraphs": (
        paragraph(run(""), '<w:pStyle w:val="P"/>'),
        PARAGRAPH.format("P", "", "<w:vanish/>"),
    ),
    "a style of tables": (
        table(paragraph(run(""))),
        PARAGRAPH.replace("paragraph", "table").format("T", "", "<w:vanish/>"),
    ),
    "a table within such a table": (
        table(table(paragraph(run("")), "U")),
        PARAGRAPH.replace("paragraph", "table").format("T", "", "<w:vanish/>"),
    ),
    "a control": (
        f"<w:sdt><w:sdtContent>{paragraph(run('<w:vanish/>'))}</w:sdtContent></w:sdt>",
        "",
    ),
}
SEEN = {
    "a run that shows in a hidden style": (
        paragraph(run('<w:vanish w:val="0"/>'), '<w:pStyle w:val="P"/>'),
        PARAGRAPH.format("P", "", "<w:vanish/>"),
    ),
    "a style that takes it back": (
        paragraph(run('<w:rStyle w:val="D"/>')),
        CHARACTER.format("C", "", "<w:vanish/>")
        + CHARACTER.format("D", '<w:basedOn w:val="C"/>', '<w:vanish w:val="false"/>'),
    ),
    "a hidden mark of paragraph": (paragraph(run(""), "<w:rPr><w:vanish/></w:rPr>"), ""),
    "a hidden copy": (paragraph(run("<w:vanish/>") + run("")), ""),
    "styles that build on each other": (
        paragraph(run('<w:rStyle w:val="C"/>')),
        CHARACTER.format("C", '<w:basedOn w:val="D"/>', "")
        + CHARACTER.format("D", '<w:basedOn w:val="C"/>', ""),
    ),
    "a style that does not exist": (paragraph(run('<w:rStyle w:val="absent"/>')), ""),
}


@pytest.mark.parametrize("name", HIDDEN)
def test_a_mandatory_field_may_not_be_hidden(name: str) -> None:
    (found,) = told(*HIDDEN[name])
    assert "« Numéro de série de la tablette » est en texte masqué" in found
    assert "décochez « Masqué »" in found


@pytest.mark.parametrize("name", SEEN)
def test_what_is_seen_is_not_said_to_be_hidden(name: str) -> None:
    assert told(*SEEN[name]) == []


def test_a_style_for_all_may_hide_all() -> None:
    """Every paragraph without a style of its own, or the whole document."""
    styles = PARAGRAPH.format("Z", "", "<w:vanish/>").replace("w:style ", 'w:style w:default="1" ')
    assert any("masqué" in each for each in told(paragraph(run("")), styles))
    assert any("masqué" in each for each in told(paragraph(run("")), defaults="<w:vanish/>"))


def test_conditions_may_be_hidden() -> None:
    """Somebody may hide the lines that hold {%p if … %} for comfort: they vanish anyway."""
    start, end = (
        paragraph(run("<w:vanish/>", text)) for text in ("{%p if mineur %}", "{%p endif %}")
    )
    assert told(start + paragraph(run("", "x")) + end + paragraph(run(""))) == []
