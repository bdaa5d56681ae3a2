"""PDF/X-4 is made for the press whose profile is given, and for no other kind of device."""

import struct
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from docgen.errors import InvalidInput
from docgen.rendering.pdfx import read_intent
from tests.helpers import bound, edited, job, people, refusal

ON = date(2026, 9, 14)


def profile(kind: bytes = b"prtr", space: bytes = b"CMYK", size: int = 200) -> bytes:
    """Make the header of an ICC profile (ISO 15076-1, 7.2), without tables."""
    head = struct.pack(">I4s4s4s4s4s", size, b"test", b"\2\x10\0\0", kind, space, b"Lab ")
    return head.ljust(36, b"\0") + b"acsp".ljust(size - 36, b"\0")


def written(folder: Path, content: bytes) -> Path:
    path = folder / "presse.icc"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "ce n’est pas un profil ICC."),
        (b"%PDF-1.6", "ce n’est pas un profil ICC."),
        (profile()[:-1], "ce n’est pas un profil ICC."),
        (profile(kind=b"mntr"), "ce profil n’est pas celui d’une presse en noir ou en CMJN."),
        (profile(space=b"RGB "), "ce profil n’est pas celui d’une presse en noir ou en CMJN."),
    ],
)
def test_what_is_not_the_profile_of_a_press_is_refused(
    tmp_path: Path, content: bytes, what: str
) -> None:
    path = written(tmp_path, content)
    (problem,) = refusal(lambda: read_intent(path, "Charte", ON), InvalidInput)
    assert (problem.where, problem.what) == ("presse.icc", what)


def test_a_profile_that_is_not_there_is_told(tmp_path: Path) -> None:
    (problem,) = refusal(lambda: read_intent(tmp_path / "no.icc", "Charte", ON), InvalidInput)
    assert problem.where == "no.icc"


@pytest.mark.parametrize(("space", "components"), [(b"CMYK", 4), (b"GRAY", 1)])
def test_a_file_for_a_press_names_it_and_trims_every_page(
    tmp_path: Path, space: bytes, components: int
) -> None:
    path = written(tmp_path, profile(space=space))
    content, _ = bound(job(people(3), profile=path))
    reader = PdfReader(BytesIO(content), strict=True)
    assert reader.pdf_header == "%PDF-1.6"
    (intent,) = reader.trailer["/Root"]["/OutputIntents"]
    assert intent["/S"] == "/GTS_PDFX"
    assert intent["/OutputConditionIdentifier"] == "presse"
    embedded = intent["/DestOutputProfile"].get_object()
    assert embedded["/N"] == components
    assert embedded.get_data() == path.read_bytes()
    packet = reader.trailer["/Root"]["/Metadata"].get_object().get_data().decode()
    assert "<pdfxid:GTS_PDFXVersion>PDF/X-4</pdfxid:GTS_PDFXVersion>" in packet
    assert "<xmp:CreateDate>2026-09-14T00:00:00Z</xmp:CreateDate>" in packet
    assert len(reader.pages) == 12
    assert all(page["/TrimBox"] == page.mediabox for page in reader.pages)


def test_a_file_for_no_press_in_particular_says_nothing_of_one() -> None:
    content, _ = bound(job(people(1)))
    reader = PdfReader(BytesIO(content), strict=True)
    assert not {"/OutputIntents", "/Metadata"} & set(reader.trailer["/Root"])
    assert not any("/TrimBox" in page for page in reader.pages)


def test_a_template_in_colour_is_refused_for_a_press_and_pressed_otherwise(tmp_path: Path) -> None:
    template = edited(tmp_path, {"style.css": [("size: A4", "size: A4; background: red")]})
    path = written(tmp_path, profile())
    (problem,) = refusal(lambda: job(people(1), template=template, profile=path).run, InvalidInput)
    assert problem.what.startswith("ce modèle a des couleurs")
    assert job(people(1), template=template).count == 1
    assert job(people(1), template=template).run.intent is None


def test_no_page_asks_for_colour() -> None:
    content, _ = bound(job(people(1)))
    objects = PdfReader(BytesIO(content)).pages[0]["/Resources"]["/XObject"]
    for name in objects:
        words = objects[name].get_data().split()
        assert not {b"rg", b"RG", b"k", b"K"} & set(words)
