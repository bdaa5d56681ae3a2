"""A package's parts are where its relationships say, whatever the program that wrote it."""

import io
import subprocess
from pathlib import Path

import pytest
from docx import Document

from docgen.rendering import office, wordmerge
from docgen.rendering.wordmodel import Model, examine
from docgen.rendering.wordpackage import read_package
from docgen.rendering.wordparts import filled_parts, main_part, part_named, related
from tests.hostile import models
from tests.unit.test_word import filling

MANIFEST = models.TEMPLATE.manifest
ONLINE = {
    "word/document.xml": "word/document2.xml",
    "word/styles.xml": "word/styles2.xml",
    "word/numbering.xml": "word/numbering2.xml",
    "word/header1.xml": "word/header12.xml",
}
ELSEWHERE = {
    "word/document.xml": "texte/principal.xml",
    "word/header1.xml": "texte/haut.xml",
    "word/footer1.xml": "pieds/bas.xml",
    "docProps/core.xml": "docProps/core0.xml",
}
NAMES = ("ALPHA", "BETA")


def told(content: bytes) -> str:
    return "\n".join(map(str, examine(content, MANIFEST)))


def harmed(names: dict[str, str], part: str, former: str, new: str) -> bytes:
    """Give a model under other names, with a change in one of its parts."""

    def change(parts: dict[str, bytes]) -> None:
        assert former in parts[part].decode()
        parts[part] = parts[part].decode().replace(former, new).encode()

    return models.renamed(names, models.changed(change))


@pytest.mark.parametrize("names", [ONLINE, ELSEWHERE])
def test_a_model_is_read_whatever_its_parts_are_called(names: dict[str, str]) -> None:
    content = models.renamed(names)
    assert told(content) == ""
    made = Document(io.BytesIO(Model(content, MANIFEST).fill(filling(eleve_nom="ALPHA"))))
    assert any("ALPHA" in cell.text for table in made.tables for cell in table._cells)
    assert "{{" not in made.sections[0].header.paragraphs[0].text
    assert made.core_properties.author == "Lycée & Cie"


@pytest.mark.parametrize("names", [ONLINE, ELSEWHERE])
def test_a_class_in_one_file_follows_the_names_too(names: dict[str, str]) -> None:
    header = "word/header1.xml"
    content = harmed(names, header, "{{ etablissement_nom }}", "{{ eleve_nom }}")
    model = Model(content, MANIFEST)
    fillings = [filling(eleve_nom=name) for name in NAMES]
    parts = [{each.name: each for each in model.filled_parts(one)} for one in fillings]
    made = Document(io.BytesIO(wordmerge.merge(parts)))
    heads = [section.header.paragraphs[0].text.split("\t")[0] for section in made.sections]
    assert heads == list(NAMES)
    lists = made.part.numbering_part.element.num_lst
    assert len(lists) == 3 + 2  # those of the model, then articles and items again


def test_libreoffice_opens_what_was_filled(tmp_path: Path) -> None:
    content = Model(models.renamed(ONLINE), MANIFEST).fill(filling(eleve_nom="ALPHA"))
    path = models.written(tmp_path / "PE-1.docx", content)
    (made,) = office.convert([path], "pdf", tmp_path)
    text = subprocess.run(["pdftotext", made, "-"], capture_output=True, text=True, check=True)
    assert "ALPHA" in text.stdout


def test_what_is_checked_is_what_is_opened() -> None:
    """A sound part under the usual name, and another that the package shows in its place."""
    content = harmed(ONLINE, models.MAIN, "{{ tablette_serie }}", "x")
    contents = read_package(content)
    contents[models.MAIN] = read_package(models.OURS)[models.MAIN]
    assert "Numéro de série" in told(models.write_parts(contents))


@pytest.mark.parametrize("names", [{}, ELSEWHERE])
def test_a_field_that_reads_a_file_is_found_in_any_folder(names: dict[str, str]) -> None:
    field = '<w:fldSimple w:instr="INCLUDETEXT x"/></w:p>'
    assert "INCLUDETEXT" in told(harmed(names, "word/footer1.xml", "</w:p>", field))


@pytest.mark.parametrize(
    ("name", "former", "new"),
    [
        ("_rels/.rels", '/officeDocument"', '/autre"'),
        ("_rels/.rels", "word/document.xml", "word/absent.xml"),
        ("_rels/.rels", "</Relationships>", "<x</Relationships>"),
        (
            "_rels/.rels",
            "</Relationships>",
            f'<Relationship Id="rId9" Type="{models.REL}officeDocument" Target="word/styles.xml"/>'
            "</Relationships>",
        ),
        (models.TYPES, "document.main+xml", "styles+xml"),
    ],
)
def test_a_package_without_one_main_part_is_no_document(name: str, former: str, new: str) -> None:
    assert "n’est pas un document .docx" in told(harmed({}, name, former, new))


def test_the_kind_of_the_main_part_may_be_that_of_its_ending() -> None:
    """[Content_Types].xml names a part, or the ending of its name."""
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    own = f'<Override PartName="/word/document.xml" ContentType="{kind}"/>'
    content = harmed({}, models.TYPES, own, "")
    assert "n’est pas un document .docx" in told(content)
    contents = read_package(content)
    contents[models.TYPES] = contents[models.TYPES].replace(
        b'"application/xml"', f'"{kind}"'.encode()
    )
    assert told(models.write_parts(contents)) == ""


def test_a_part_is_found_by_its_relationship() -> None:
    contents = read_package(models.renamed(ELSEWHERE))
    assert main_part(contents) == "texte/principal.xml"
    assert related(contents, "texte/principal.xml", "footer") == ["pieds/bas.xml"]
    assert filled_parts(contents) == ["texte/principal.xml", "texte/haut.xml", "pieds/bas.xml"]
    assert main_part({}) == ""


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("header1.xml", "word/header1.xml"),
        ("/word/header1.xml", "word/header1.xml"),
        ("./Header1.xml", "word/header1.xml"),
        ("../word/header%31.xml", "word/header1.xml"),
        ("../header1.xml", ""),
        ("../../etc/passwd", ""),
    ],
)
def test_a_target_is_read_as_the_standard_says(target: str, found: str) -> None:
    """Relative to the part, or whole; capitals are the same; percent signs are read."""
    assert part_named(["word/header1.xml"], "word/document.xml", target) == found
