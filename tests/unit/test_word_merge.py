"""A class in one file: whatever model a school gives back, nobody reads another's words."""

import io
import re
import subprocess
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from docx import Document

from docgen import library, wording
from docgen.errors import InvalidInput, TemplateRejected
from docgen.records import Loan, Person, Roster
from docgen.rendering import office, wordmerge
from docgen.rendering.wordmodel import Model
from docgen.rendering.wordpackage import read_package
from samples.people import school
from tests.hostile import models
from tests.unit.test_word import filling, text_of

NAMES = ("ALPHA", "BETA", "GAMMA")
NUMBERING = "word/numbering.xml"


def merged(content: bytes, names: tuple[str, ...] = NAMES, **values: str) -> bytes:
    model = Model(content, models.TEMPLATE.manifest)
    fillings = [filling(eleve_nom=name, **values) for name in names]
    return wordmerge.merge([{p.name: p for p in model.filled_parts(each)} for each in fillings])


def changed(name: str, change: Callable[[str], str]) -> bytes:
    def apply(parts: dict[str, bytes]) -> None:
        former = parts[name].decode()
        parts[name] = change(former).encode()
        assert parts[name].decode() != former

    return models.changed(apply)


def test_a_header_found_by_its_whole_path_is_its_own_documents() -> None:
    """Some programs write /word/header1.xml where Word writes header1.xml."""

    def change(parts: dict[str, bytes]) -> None:
        links = parts[models.RELATIONS].decode()
        parts[models.RELATIONS] = re.sub(
            r'Target="(header\d\.xml)"', r'Target="/word/\1"', links
        ).encode()
        parts["word/header1.xml"] = parts["word/header1.xml"].replace(
            b"{{ etablissement_nom }}", b"{{ eleve_nom }}"
        )

    document = Document(io.BytesIO(merged(models.changed(change))))
    heads = [section.header.paragraphs[0].text.split("\t")[0] for section in document.sections]
    assert heads == list(NAMES)


SIMPLE = '<w:fldSimple w:instr=" NUMPAGES "><w:r><w:t>1</w:t></w:r></w:fldSimple>'


@pytest.mark.parametrize("simple", [False, True])
def test_libreoffice_counts_the_pages_of_each_document(tmp_path: Path, simple: bool) -> None:
    """Word counts those of a section, by a field that LibreOffice does not know."""
    end = '<w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText> NUMPAGES .*(?=</w:p>)'
    content = models.OURS
    if simple:
        content = changed("word/footer1.xml", lambda xml: re.sub(f"<w:r>{end}", SIMPLE, xml))
    path = models.written(tmp_path / "all.docx", merged(content))
    (made,) = office.convert([path], "pdf", tmp_path)
    text = subprocess.run(["pdftotext", made, "-"], capture_output=True, text=True, check=True)
    pages = re.findall(r"Page\s(\d+/\d+)", text.stdout)
    assert pages == ["1/4", "2/4", "3/4", "4/4"] * len(NAMES)
    assert read_package(path.read_bytes())["word/footer1.xml"].count(b"SECTIONPAGES") == 1


def test_a_model_without_a_section_of_its_own_is_put_in_one() -> None:
    content = changed(models.MAIN, lambda xml: re.sub("<w:sectPr.*?</w:sectPr>", "", xml))
    text = text_of(merged(content))
    assert [name in text for name in NAMES] == [True] * 3


@pytest.mark.parametrize("note", ["footnoteReference", "endnoteReference"])
def test_notes_are_refused_wherever_they_stand(note: str) -> None:
    xml = f"{{% if eleve_nom == 'GAMMA' %}}</w:t><w:{note} w:id='2'/><w:t>{{% endif %}}"
    with pytest.raises(TemplateRejected, match="notes"):
        merged(models.with_text(xml))


def test_a_list_that_does_not_exist_stays_as_it_is() -> None:
    """Word forgives it."""
    xml = '<w:p><w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="77"/></w:numPr></w:pPr></w:p>'
    assert b"word/document.xml" in merged(models.with_xml(xml))


def test_a_list_with_a_large_number_is_not_taken_for_that_of_another() -> None:
    last = '<w:num w:numId="1001"><w:abstractNumId w:val="2"/></w:num></w:numbering>'
    content = merged(changed(NUMBERING, lambda xml: xml.replace("</w:numbering>", last)))
    numbering = Document(io.BytesIO(content)).part.numbering_part.element
    numbers = [each.numId for each in numbering.num_lst]
    own = numbers.index(1001) + 1
    assert len(numbers) == len(set(numbers)) == own + 2 * 2  # articles and items, twice
    assert all(each.findall("{*}lvlOverride") for each in numbering.num_lst[own:])


def test_time_grows_with_the_class_and_no_faster() -> None:
    """Ten times the documents in no more than twenty times the time."""

    def spent(count: int) -> float:
        names = tuple(f"N{number}" for number in range(count))
        start = time.monotonic()
        merged(models.OURS, names)
        return time.monotonic() - start

    spent(2)
    assert spent(200) < 20 * spent(20)


def test_one_file_has_a_limit(tmp_path: Path) -> None:
    count = wordmerge.MOST + 1
    people = tuple(Person(f"E{n}", "X", "Y", birth_date=date(2010, 1, 1)) for n in range(count))
    days = (date(2026, 9, 1), date(2027, 7, 1))
    loans = [Loan(f"HA{n:06}", f"E{n}", *days) for n in range(count)]
    request = wording.Request(
        library.load("convention-pret-eleve"),
        school(),
        date(2026, 9, 1),
        merged=True,
        loans=loans,
        roster=Roster(people),
    )
    with pytest.raises(InvalidInput, match=f"{wordmerge.MOST} conventions"):
        wording.write(request, tmp_path / "out")
