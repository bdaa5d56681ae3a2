"""What somebody does to a model in good faith: refused in words that say how to mend it."""

import re

import pytest

from docgen.rendering import wordguard
from docgen.rendering.wordmodel import Model, examine
from tests.hostile import models
from tests.unit.test_word import filling, text_of

MANIFEST = models.TEMPLATE.manifest
STRICT = (
    b"http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    b"http://purl.oclc.org/ooxml/wordprocessingml/main",
)


def paragraph(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def table(*rows: str) -> str:
    made = "".join(f"<w:tr><w:tc><w:tcPr/>{row}</w:tc></w:tr>" for row in rows)
    return f"<w:tbl><w:tblPr/><w:tblGrid><w:gridCol/></w:tblGrid>{made}</w:tbl><w:p/>"


def replaced(former: str, new: str) -> bytes:
    def change(parts: dict[str, bytes]) -> None:
        text = parts[models.MAIN].decode()
        assert former in text
        parts[models.MAIN] = text.replace(former, new).encode()

    return models.changed(change)


def told(content: bytes) -> str:
    return "\n".join(map(str, examine(content, MANIFEST)))


TAGS = {
    "a filter given too much": ("{{ eleve_nom|upper('x') }}", "comme un texte"),
    "a condition made capital": ("{{ mineur|upper }}", "comme un texte"),
    "a condition written": ("{{ mineur }}", "comme un texte"),
    "a name compared with a number": ("{% if eleve_nom &gt; 5 %}x{% endif %}", "comme un texte"),
    "a hyphen for an underscore": ("{{ eleve-nom }}", "« eleve » est inconnu"),
    "a letter mistyped": ("{{ eleve_prenon }}", "Écrivez « eleve_prenom »"),
    "quotes of French typography": ("{{ eleve_nom|default(« x ») }}", "default(« x »)"),
    "a tag left open": ("{{ eleve_nom }", "{{ eleve_nom }"),
    "a formatted value": ("{{r eleve_nom }}", "{{r"),
    "a value for a paragraph": ("{{p eleve_nom }}", "{{p"),
    "a value for a width": ("{% colspan eleve_nom %}", "{% colspan"),
    "a brace too few": ("{ eleve_classe }", "deux accolades"),
    "a tag never opened": ("eleve_classe }}", "{{ et }}"),
}
WHOLE = {
    "text before a condition": paragraph("Perdu {%p if mineur %}")
    + paragraph("x")
    + paragraph("{%p endif %}"),
    "text after a condition": paragraph("{%p if mineur %}")
    + paragraph("x")
    + paragraph("{%p endif %} Fait à Marseille"),
    "text after a note": paragraph("{#p une note #} Perdu"),
    "a whole condition in one paragraph": paragraph("{%p if mineur %}x{%p endif %}"),
    "text in another cell of the row": table(paragraph("{%tr if mineur %}"))[: -len("<w:p/>")]
    .replace("</w:tc>", "</w:tc><w:tc><w:tcPr/>" + paragraph("perdu") + "</w:tc>")
    .replace("</w:tbl>", "")
    + "<w:tr><w:tc>"
    + paragraph("{%tr endif %}")
    + "</w:tc></w:tr></w:tbl><w:p/>",
    "a picture beside a condition": "<w:p><w:r><w:drawing/><w:t>{%p if mineur %}</w:t></w:r></w:p>"
    + paragraph("x")
    + paragraph("{%p endif %}"),
}
EMPTIED = {
    "a cell": table(paragraph("{%p if mineur %}") + paragraph("x") + paragraph("{%p endif %}")),
    "a table": table(paragraph("{%tr if mineur %}"), paragraph("x"), paragraph("{%tr endif %}")),
}
ASTRIDE = {
    "a paragraph": paragraph("{{ eleve") + paragraph("_nom }}"),
    "a cell": table(paragraph("{{ eleve")).replace(
        "</w:tr>", f"<w:tc><w:tcPr/>{paragraph('_nom }}')}</w:tc></w:tr>"
    ),
    "a table": paragraph("{{ eleve") + table(paragraph("_nom }}")),
    "a link": "<w:p><w:r><w:t>{{ eleve</w:t></w:r><w:hyperlink w:anchor='x'><w:r><w:t>_nom }}</w:t>"
    "</w:r></w:hyperlink></w:p>",
}
REVISED = {
    "a text put in": "<w:p><w:ins w:id='1' w:author='x'><w:r><w:t>x</w:t></w:r></w:ins></w:p>",
    "a field struck out": "<w:p><w:del w:id='1' w:author='x'><w:r>"
    "<w:delText>{{ eleve_nom }}</w:delText></w:r></w:del></w:p>",
    "a paragraph put in": "<w:p><w:pPr><w:rPr><w:ins w:id='1' w:author='x'/></w:rPr></w:pPr></w:p>",
}


@pytest.mark.parametrize("name", TAGS)
def test_a_tag_that_cannot_be_filled_is_shown(name: str) -> None:
    tag, word = TAGS[name]
    assert word in told(models.with_text(tag))


@pytest.mark.parametrize("name", [*TAGS, *ASTRIDE])
def test_a_mistake_in_a_tag_is_not_said_to_cost_too_much(name: str) -> None:
    content = models.with_text(TAGS[name][0]) if name in TAGS else models.with_xml(ASTRIDE[name])
    with pytest.raises(Exception, match=r"balise|champ|accolades") as refused:
        wordguard.check(content, MANIFEST)
    assert "trop de temps" not in str(refused.value)


@pytest.mark.parametrize("name", WHOLE)
def test_a_tag_that_takes_its_paragraph_stands_alone_in_it(name: str) -> None:
    """What stands beside it would vanish from every document."""
    assert "seule dans" in told(models.with_xml(WHOLE[name]))


@pytest.mark.parametrize("name", EMPTIED)
def test_a_condition_may_not_empty(name: str) -> None:
    """Word opens neither a cell without a paragraph nor a table without a row."""
    assert "vide" in told(models.with_xml(EMPTIED[name]))


def test_a_cell_may_end_with_a_bookmark_or_a_control() -> None:
    control = f"<w:sdt><w:sdtContent>{paragraph('x')}</w:sdtContent></w:sdt>"
    marked = paragraph("x") + '<w:bookmarkEnd w:id="7"/>'
    assert told(models.with_xml(table(control, marked))) == ""


@pytest.mark.parametrize("name", ASTRIDE)
def test_a_tag_astride_is_told(name: str) -> None:
    assert re.search("à cheval|même paragraphe", told(models.with_xml(ASTRIDE[name])))


@pytest.mark.parametrize("name", REVISED)
def test_tracked_changes_are_to_be_accepted_first(name: str) -> None:
    assert "Accepter toutes les modifications" in told(models.with_xml(REVISED[name]))


def test_comments_are_to_be_taken_away_first() -> None:
    content = models.with_xml("<w:p><w:r><w:commentReference w:id='0'/></w:r></w:p>")
    assert "Supprimer tous les commentaires" in told(content)


@pytest.mark.parametrize(("text", "word"), [("{{ eleve_nom }}", "contrôle lié"), ("Titre", "")])
def test_a_tag_in_a_control_bound_to_a_property_is_told(text: str, word: str) -> None:
    """Word puts the property in its place when it opens the document."""
    control = f"<w:sdtPr><w:dataBinding/></w:sdtPr><w:sdtContent>{paragraph(text)}</w:sdtContent>"
    found = told(models.with_xml(f"<w:sdt>{control}</w:sdt>"))
    assert (word in found) if word else not found


def test_a_mandatory_field_is_shown_to_everybody() -> None:
    """A field that only minors see is no field of the convention."""
    tag = "{{ tablette_serie }}"
    found = told(replaced(tag, f"{{% if mineur %}}{tag}{{% endif %}}"))
    assert re.search("Numéro de série.*ne paraît pas pour.*Élève majeur", found)
    assert "mineur »" not in found


def test_a_tag_where_nothing_is_filled_is_told() -> None:
    part = b'<a:t xmlns:a="x">{{ eleve_<a:b/>nom }}</a:t>'
    assert "une balise se trouve" in told(models.with_part("word/diagrams/data1.xml", part))


def test_a_title_of_the_file_may_look_like_a_tag() -> None:
    """Word takes the title of a file from its first line; ours takes its place."""
    part = b"<Properties><TitlesOfParts>{{ annee_scolaire }}</TitlesOfParts></Properties>"
    assert told(models.with_part("docProps/app.xml", part)) == ""


def test_a_file_with_a_password_is_told_from_another_kind() -> None:
    """Word keeps a locked .docx in the container of its former .doc."""
    assert "mot de passe" in told(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))


def test_the_strict_kind_of_docx_is_told() -> None:
    def change(parts: dict[str, bytes]) -> None:
        for name, content in parts.items():
            parts[name] = content.replace(*STRICT)

    assert "strict" in told(models.changed(change)).lower()


def test_no_word_of_english_reaches_the_school() -> None:
    tags = ("{{ (eleve_nom, 1) }}", "{{ 1 + 1 }}", "{% filter upper %}x{% endfilter %}")
    for tag in tags:
        found = told(models.with_text(tag))
        assert "admis" not in found  # « une boucle n’est pas admis »
        assert not re.search("Tuple|Add|FilterBlock", found)


def test_a_condition_may_be_compared() -> None:
    text = "{% if mineur == true %}A{% endif %}{% if not majeur %}B{% endif %}"
    model = Model(models.with_text(text), MANIFEST)
    assert "\nAB\n" in text_of(model.fill(filling(variant="mineur")))
