"""Scans made to harm: refused in a sentence, or unreadable sides, and the worker lives on.

Each is read in a child with the limits of the service (reliability.md, 2.2, rows 16 to 36).
"""

import io
import re
from pathlib import Path
from zipfile import ZipFile

import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter

from docgen.scanning.reading import COPY, PREVIEWS
from tests.hostile.children import outcome, reasons, refusal
from tests.hostile.scans import (
    active,
    encoded,
    scanned,
    sheet,
)


def zipped(name: str) -> bytes:
    file = io.BytesIO()
    with ZipFile(file, "w") as archive:
        archive.writestr(name, "x")
    return file.getvalue()


PDF = scanned(1)
HTML = b"<!DOCTYPE html><html><body onload=alert(1)></body></html>"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "vide"),
        (HTML, "page web"),
        (b"\xef\xbb\xbf\n  <HTML>", "page web"),
        (b"<svg onload='x'/>", "SVG"),
        (zipped("word/document.xml"), "ZIP"),
        (zipped("content.xml"), "ZIP"),
        (zipped("x") + PDF, "ZIP"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "Office"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n(%pipe%id) (r) file", "PostScript"),
        (b"\xc5\xd0\xd3\xc6" + bytes(60), "PostScript"),
        (b"GIF89a" + bytes(60), "GIF"),
        (b"\x1f\x8b" + bytes(60), "gzip"),
        (b"\n" + PDF, "pas un scan"),
        (b"MZ" + PDF, "programme"),
        (bytes(5000), "pas un scan"),
    ],
    ids=["empty", "html", "bom", "svg", "docx", "odb", "zip and pdf", "doc", "eps", "dos eps",
         "gif", "gzip", "late pdf", "program and pdf", "zeros"],
)  # fmt: skip
def test_what_is_no_scan_is_refused_by_its_content(
    tmp_path: Path, content: bytes, said: str
) -> None:
    assert said in refusal(tmp_path, content, "scan.pdf")
    assert said in refusal(tmp_path, content, "scan.png")


def encrypted() -> bytes:
    writer = PdfWriter(clone_from=io.BytesIO(PDF))
    writer.encrypt("secret", algorithm="AES-256")
    file = io.BytesIO()
    writer.write(file)
    return file.getvalue()


def test_a_protected_pdf_is_refused_with_what_to_do(tmp_path: Path) -> None:
    assert refusal(tmp_path, encrypted()) == "Ce PDF est protégé. Renvoyez-le sans mot de passe."


def test_a_pdf_that_only_forbids_printing_is_read(tmp_path: Path) -> None:
    writer = PdfWriter(clone_from=io.BytesIO(PDF))
    writer.encrypt("", "owner", algorithm="AES-128")
    file = io.BytesIO()
    writer.write(file)
    assert reasons(tmp_path, file.getvalue()) == [""]


FORBIDDEN = re.compile(
    rb"JavaScript|/JS|Launch|OpenAction|/AA|EmbeddedFile|FileAttachment|XFA|AcroForm|/URI|Annot"
    rb"|Metadata|/Info|/Font|/Encrypt|MZ hidden"
)


def test_a_clean_copy_holds_nothing_that_acts(tmp_path: Path) -> None:
    assert FORBIDDEN.search(active())
    assert reasons(tmp_path, active()) == [""]
    copy = tmp_path / "out" / COPY
    assert not FORBIDDEN.search(copy.read_bytes())
    reader = PdfReader(copy)
    assert set(reader.root_object) == {"/Type", "/Pages"}
    (page,) = reader.pages
    assert set(page) == {"/Type", "/Parent", "/MediaBox", "/Resources", "/Contents"}
    kinds = {
        type(reader.get_object(number)).__name__ for number in range(1, reader.trailer["/Size"])
    }
    assert kinds <= {
        "DictionaryObject",
        "DecodedStreamObject",
        "StreamObject",
        "EncodedStreamObject",
    }


def test_where_a_photo_was_taken_is_not_kept(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825)[1] = "N"
    exif[0x010E] = "Zoé ESSAI"
    content = encoded(sheet(), "JPEG", exif=exif, comment=b"home address")
    assert b"Exif" in content
    assert reasons(tmp_path, content) == [""]
    for name in (COPY, PREVIEWS):
        kept = (tmp_path / "out" / name).read_bytes()
        assert not re.search(rb"Exif|home address|ESSAI", kept)


@pytest.mark.parametrize(
    "name", ["..\\..\\cron.pdf", "CON.pdf", "a\r\nBcc: x@evil.pdf", "\u202efdp.exe", "n" * 200]
)
def test_the_name_of_a_file_names_nothing(tmp_path: Path, name: str) -> None:
    assert outcome(tmp_path, PDF, name).verdict == "done"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [COPY, PREVIEWS]
    kept = (tmp_path / "out" / COPY).read_bytes()
    assert name.encode() not in kept
