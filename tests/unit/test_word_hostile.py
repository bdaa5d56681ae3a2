"""Models made to harm: refused with every reason, in a child that has limits."""

import io
import os
import struct
import time
import zipfile
import zlib
from pathlib import Path

import msgspec
import pytest
from jinja2 import TemplateError
from jinja2.exceptions import SecurityError

from docgen.errors import TemplateRejected
from docgen.rendering import wordguard, wordtags
from docgen.rendering.word import check_model
from docgen.rendering.wordmodel import examine
from tests.hostile import models
from tests.unit.test_word import filling

MANIFEST = models.TEMPLATE.manifest
MACRO = "application/vnd.ms-word.document.macroEnabled.main+xml"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
LAUGHS = (
    '<!DOCTYPE w:document [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]>"
)
TAGS = {
    "code that runs a program": "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "an attribute": "{{ eleve_nom.__class__ }}",
    "an element": "{{ eleve_nom['__class__'] }}",
    "a call": "{{ lipsum() }}",
    "nested loops without end": "{% for a in range(90000) %}{% for b in range(90000) %}x"
    "{% endfor %}{% endfor %}",
    "a text of 900 MB": "{{ 'a'*900000000 }}",
    "a power": "{{ 9**9**9 }}",
    "an unsafe filter": "{{ eleve_nom|safe }}",
    "a padding filter": "{{ eleve_nom|center(900000000) }}",
    "escaping switched off": "{% autoescape false %}{{ eleve_nom }}{% endautoescape %}",
    "a variable": "{% set x = 1 %}",
    "a macro of Jinja": "{% macro m() %}x{% endmacro %}",
    "another file": "{% include '/etc/passwd' %}",
    "a parent": "{% extends 'x' %}",
    "a test": "{{ 1 if eleve_nom is string }}",
    "joined texts": "{{ eleve_nom ~ eleve_nom }}",
}


def picture(side: int) -> bytes:
    """Give the head of a square PNG: its size is told before anything is inflated."""
    head = b"IHDR" + struct.pack(">LL5B", side, side, 8, 0, 0, 0, 0)
    parts = (struct.pack(">L", 13), head, struct.pack(">L", zlib.crc32(head)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts) + b"\0\0\0\0IDAT\x35\xaf\x06\x1e"


# These reach nothing; the list of what is allowed and the child's limits are their walls.
COSTLY = {
    *("a text of 900 MB", "a power", "a variable", "a macro of Jinja", "joined texts"),
    "escaping switched off",
}
CARRIED = {
    "a macro": (models.with_part("word/vbaProject.bin", b"x"), "macros"),
    "a .docm": (models.with_type(DOCX, MACRO), "macros"),
    "a .dotx": (models.with_type("document.main+xml", "template.main+xml"), ".dotx"),
    "an OLE object": (models.with_part("word/embeddings/oleObject1.bin", b"x"), "objet OLE"),
    "an OLE element": (models.with_xml("<w:p><w:r><w:object/></w:r></w:p>"), "objet OLE"),
    "an ActiveX control": (models.with_part("word/activeX/activeX1.xml", b"<a/>"), "ActiveX"),
    "an attached template": (
        models.with_relation(
            "attachedTemplate", "http://127.0.0.1/x.dotm", name="word/_rels/settings.xml.rels"
        ),
        "modèle attaché",
    ),
    "an outside picture": (models.linked_image("http://127.0.0.1:9/x.png"), "au-dehors"),
    "an outside picture not said to be": (
        models.with_relation("image", "file:///etc/passwd", external=False),
        "au-dehors",
    ),
    "a share of Windows": (models.with_relation("image", "\\\\server\\share\\x.png"), "au-dehors"),
    "a hyperlink": (models.with_relation("hyperlink", "http://127.0.0.1/"), "lien hypertexte"),
    "a chunk of HTML": (models.with_relation("aFChunk", "x.html", external=False), "morceau"),
    "a sub-document": (models.with_relation("subDocument", "x.docx"), "sous-document"),
    "a mail merge": (
        models.with_xml("<w:p><w:mailMerge/></w:p>"),
        "publipostage",
    ),
    "a field that reads a file": (models.with_field(' INCLUDETEXT "/etc/passwd" '), "INCLUDETEXT"),
    "a field that fetches": (models.with_field(' INCLUDEPICTURE "http://x/y" '), "INCLUDEPICTURE"),
    "a field that runs": (models.with_field(' DDEAUTO c:\\\\cmd "/k" '), "DDEAUTO"),
    "a simple field": (
        models.with_xml('<w:p><w:fldSimple w:instr="DATABASE x"/></w:p>'),
        "DATABASE",
    ),
    "a field in a comment": (
        models.with_part(
            "word/comments.xml", b'<w xmlns:w="w" ><w:fldSimple w:instr="DDE x"/></w>'
        ),
        "DDE",
    ),
    "a field with a tag": (models.with_field(" REF {{ eleve_nom }} "), "une balise se trouve"),
    "a tag in an attribute": (
        models.with_xml('<w:p w:rsidR="{{ eleve_nom }}"/>'),
        "une balise se trouve",
    ),
    "an image that is no picture": (models.with_part("word/media/image1.emf", b"x"), ".emf"),
    "an EPS under another name": (models.with_part("word/media/a.png", b"%!PS-Adobe"), "pas lire"),
    "a drawing under another name": (models.with_part("word/media/a.png", b"<svg/>"), "pas lire"),
    "a picture too large": (models.with_part("word/media/a.png", picture(7000)), "millions"),
    "a picture without end": (models.with_part("word/media/a.png", picture(60_000)), "millions"),
    "a program": (models.with_part("word/x.exe", b"MZ"), "inattendu"),
    "an entity that reads a file": (
        models.with_doctype('<!DOCTYPE w:document [<!ENTITY e SYSTEM "file:///etc/hostname">]>'),
        "DTD",
    ),
    "a billion laughs": (models.with_doctype(LAUGHS, "&amp;j;"), "DTD"),
    "a zip bomb": (models.bomb(), "décompressé"),
    "a walk out of the folder": (models.with_part("../../etc/cron.d/x.xml", b"<a/>"), "sort de"),
    "XML that is not": (models.with_part("word/x.xml", b"<a>"), "pas du XML"),
    "XML too deep": (models.with_xml("<w:p>" * 400 + "</w:p>" * 400), "démesurément"),
    "XML too long": (models.with_xml("<w:p/>" * 250_000), "démesurément"),
}


def reasons(content: bytes) -> list[str]:
    return [problem.what for problem in examine(content, MANIFEST)]


def test_our_own_model_is_accepted() -> None:
    assert reasons(models.OURS) == []


def test_a_mail_address_is_no_outside_link() -> None:
    assert reasons(models.with_relation("hyperlink", "mailto:dpo@lycee.example")) == []


@pytest.mark.parametrize("name", TAGS)
def test_a_tag_does_nothing_but_show_a_value(name: str) -> None:
    assert reasons(models.with_text(TAGS[name].replace("<", "&lt;")))


@pytest.mark.parametrize("name", sorted(TAGS.keys() - COSTLY))
def test_the_sandbox_is_a_second_wall(name: str) -> None:
    """What the list of what is allowed would let through runs nothing all the same."""
    with pytest.raises((SecurityError, TemplateError, TypeError)):
        wordtags.SANDBOX.from_string(TAGS[name]).render(eleve_nom="x", range=range)


@pytest.mark.parametrize("name", CARRIED)
def test_a_model_that_carries_something_is_refused(name: str) -> None:
    content, word = CARRIED[name]
    found = reasons(content)
    assert any(word in what for what in found), found


def test_a_picture_of_the_school_is_welcome() -> None:
    assert reasons(models.with_part("word/media/logo.png", picture(600))) == []


def test_every_reason_is_told_at_once() -> None:
    def harm(parts: dict[str, bytes]) -> None:
        parts["word/vbaProject.bin"] = b"x"
        parts["word/media/image1.emf"] = b"x"
        parts[models.MAIN] = parts[models.MAIN].replace(b"{{ pret_fin }}", b"{{ pret_fini }}")

    text = " ".join(reasons(models.changed(harm)))
    for word in ("macros", ".emf", "pret_fini"):
        assert word in text


def test_an_unknown_field_is_told_with_those_known() -> None:
    (problem,) = examine(models.with_text("{{ nom_eleve }}"), MANIFEST)
    assert "nom_eleve" in problem.what
    assert "eleve_nom" in problem.remedy


def test_a_mandatory_field_may_not_be_removed() -> None:
    def harm(parts: dict[str, bytes]) -> None:
        for name in ("tablette_serie", "pret_fin"):
            parts[models.MAIN] = parts[models.MAIN].replace(b"{{ %s }}" % name.encode(), b"x")

    told = " ".join(reasons(models.changed(harm)))
    assert "Numéro de série" in told
    assert "Dernier jour" in told


def test_a_tag_cut_short_is_told_with_a_remedy() -> None:
    (problem,) = examine(models.with_text("{% if mineur %}x"), MANIFEST)
    assert "endif" in problem.remedy


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04",
        b"<html><body>x</body></html>",
        b"%PDF-1.7",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        models.OURS[:5000],
        models.OURS[:-30],
    ],
)
def test_what_is_not_a_docx_is_refused(content: bytes) -> None:
    assert reasons(content)


def test_a_spreadsheet_is_refused() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<a/>")
    assert reasons(stream.getvalue()) == ["ce fichier n’est pas un document .docx."]


def test_a_size_that_lies_is_refused() -> None:
    """zipfile stops a member at the size it declares; its checksum then fails."""
    content = bytearray(models.bomb())
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        place = 0
        while (place := content.find(mark, place)) >= 0:
            struct.pack_into("<L", content, place + offset, 10)
            place += 4
    assert reasons(bytes(content))


def test_two_parts_of_one_name_are_refused() -> None:
    stream = io.BytesIO(models.OURS)
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("WORD/document.xml", "<a/>")
    assert any("même nom" in what for what in reasons(stream.getvalue()))


def test_the_check_happens_in_a_child_and_names_the_file(tmp_path: Path) -> None:
    path = models.written(tmp_path / "notre-modele.docx", models.with_text("{{ a.b }}"))
    with pytest.raises(TemplateRejected) as refused:
        check_model(path, MANIFEST)
    assert {problem.where for problem in refused.value.problems} == {"notre-modele.docx"}
    check_model(models.written(path, models.OURS), MANIFEST)


def test_a_file_that_is_absent_is_told(tmp_path: Path) -> None:
    with pytest.raises(TemplateRejected, match="ne se laisse pas lire"):
        check_model(tmp_path / "absent.docx", MANIFEST)


def test_only_a_file_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.docx")
    for path in (tmp_path, tmp_path / "pipe.docx", Path("/dev/zero")):
        with pytest.raises(TemplateRejected, match="pas un fichier"):
            check_model(path, MANIFEST)


def test_a_model_that_costs_too_much_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Braces without end keep a reader of tags busy for minutes: it is ended, and we go on."""
    monkeypatch.setattr(wordguard, "PROCESSOR", 2)
    start = time.monotonic()
    with pytest.raises(TemplateRejected, match="trop de temps"):
        wordguard.check(models.with_text("{{ " * 200_000), MANIFEST)
    assert time.monotonic() - start < 10


def test_a_child_that_wants_too_much_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wordguard, "MEMORY", 96 * 2**20)
    with pytest.raises(TemplateRejected, match="trop de temps ou de mémoire"):
        wordguard.check(models.with_xml("<w:p><w:r><w:t>x</w:t></w:r></w:p>" * 60_000), MANIFEST)


def test_a_disk_that_is_full_is_not_the_fault_of_the_model(tmp_path: Path) -> None:
    """What the child cannot write is told as if it were written here."""
    with pytest.raises(FileNotFoundError):
        wordguard.fill(models.OURS, MANIFEST, [filling()], tmp_path / "absent")


def test_an_unforeseen_fault_is_told_by_its_kind(tmp_path: Path) -> None:
    unnamed = msgspec.structs.replace(filling(), name="\0")
    with pytest.raises(TemplateRejected, match="ValueError"):
        wordguard.fill(models.OURS, MANIFEST, [unnamed], tmp_path)
