"""Scans made to harm: refused in a sentence, or unreadable sides, and the worker lives on.

Each is read in a child with the limits of the service (reliability.md, 2.2, rows 16 to 36).
"""

import faulthandler
import io
import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import msgspec
import pytest
from PIL import Image
from pypdf import PdfReader, PdfWriter

from docgen.scanning.findings import Reading
from docgen.scanning.reading import COPY, PREVIEWS, read_part
from tests.helpers import KEY
from tests.hostile.scans import (
    BOX,
    GREY,
    HEIGHT,
    WIDTH,
    Pdf,
    active,
    dct,
    encoded,
    image,
    jbig2,
    jpeg,
    png,
    scanned,
    sheet,
    stream,
    tiff,
    zeros,
)
from workers import children
from workers.children import Limits, Outcome

GIGABYTE = 2**30
LIMITS = Limits(memory=GIGABYTE, processor=10, wall=60)
FLATE = b"/Filter/FlateDecode"


def as_read(picture: Any, keys: object) -> Reading:  # noqa: ANN401
    """Read nothing, but decode everything."""
    told = {"width": picture.width, "height": picture.height, "dpi": picture.dpi}
    if picture.fault:
        return Reading(index=picture.index, verdict="unreadable", reason=picture.fault, **told)
    picture.grey(2)
    picture.grey(1)
    return Reading(index=picture.index, verdict="bare", **told)


def outcome(folder: Path, content: bytes, name: str = "scan", limits: Limits = LIMITS) -> Outcome:
    path = folder / name
    path.write_bytes(content)

    def work(say: Callable[[int], None]) -> object:
        faulthandler.disable()  # that a child aborts is expected, and needs no report
        part = read_part(path, 0, None, {KEY.number: KEY}, folder / "out", say=say, read=as_read)
        return msgspec.to_builtins(part)

    return children.run(work, lambda done: True, limits)


def refusal(folder: Path, content: bytes, name: str = "scan") -> str:
    """Give the sentence of a refusal: what is wrong, and what to do."""
    done = outcome(folder, content, name)
    assert done.verdict == "refused"
    (problem,) = done.problems
    assert problem.remedy
    return str(problem)


def reasons(folder: Path, content: bytes) -> list[str]:
    """Give why each side cannot be read, "" for those that can."""
    done = outcome(folder, content)
    assert done.verdict == "done", done
    return [reading.get("reason", "") for reading in done.result["readings"]]


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


def looping() -> bytes:
    """Write a list of pages whose child is itself."""
    return Pdf().write(kids=[2], count=5)


def deep(levels: int = 3000) -> bytes:
    """Write lists of pages in lists of pages."""
    pdf = Pdf()
    page = pdf.page([dct()])
    for _ in range(levels):
        page = pdf.add(b"<</Type/Pages/Count 1/Kids[%d 0 R]>>" % page)
    return pdf.write(kids=[page])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (PDF[: len(PDF) // 2], "abîmé"),
        (b"%PDF-1.7\n", "abîmé"),
        (b"%PDF-1.7\n" + bytes(10_000), "abîmé"),
        (Pdf().write(), "abîmé"),
        (Pdf().write(kids=[9] * 200_000), "plus de 3000 faces"),
        (Pdf().write(kids=[1], count=200_000), "plus de 3000 faces"),
        (tiff([{}] * 3_001), "plus de 3000 faces"),
        (tiff([{}], then=8), "abîmé"),
        (tiff([{}], then=10**9), "abîmé"),
        (b"II*\0\x08", "abîmé"),
        (b"MM\0*\xff\xff\xff\xff", "abîmé"),
        (png(9_000, 9_000), "trop grande"),
        (png(13_000, 13_000), "trop grande"),
        (png(20_000, 20_000), "trop grande"),
        (png(2**31 - 1, 2**31 - 1, b""), "trop grande"),
        (png(0, 0, b""), "abîmée"),
        (b"\x89PNG\r\n\x1a\n", "abîmée"),
        (b"\xff\xd8\xff\xe0", "abîmée"),
        (b"\0\0\0\x18ftypheic" + bytes(500), "abîmée"),
    ],
    ids=["half", "header", "zeros", "no page", "200k", "says 200k", "frames", "loop", "nowhere",
         "short", "far", "81 MP", "169 MP", "400 MP", "4 EP", "no pixel", "png", "jpeg", "heic"],
)  # fmt: skip
def test_a_broken_or_bloated_file_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    assert len(content) < 4 << 20
    assert said in refusal(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "expected"),
    [(looping(), ["damaged-image"] * 5), (deep(3_000), ["damaged-image"]), (deep(20), [""])],
    ids=["loop", "too deep", "deep"],
)
def test_a_tree_of_pages_that_never_ends_is_left(
    tmp_path: Path, content: bytes, expected: list[str]
) -> None:
    assert reasons(tmp_path, content) == expected


def of(body: bytes, content: bytes | None = None) -> bytes:
    """Write a PDF of one side."""
    pdf = Pdf()
    pdf.page([body], content)
    return pdf.write()


GIGABYTE_PACKED = zeros(1024)
HUGE = (32_000, 32_000)
MARKED = b"q %.2f 0 0 %.2f 0 0 cm /I0 Do Q 0 0 1 1 re f" % BOX
TWICE = b"/Filter[/FlateDecode/DCTDecode]" + GREY


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (of(image(GIGABYTE_PACKED, FLATE + GREY, HUGE)), "too-big"),
        (of(image(GIGABYTE_PACKED, FLATE + GREY, HUGE), MARKED), "too-big"),
        (of(image(GIGABYTE_PACKED, FLATE + GREY)), ""),
        (of(dct(), b"q " * 3_000_000), "no-image"),
    ],
    ids=["announced", "in a drawing", "more than announced", "operators"],
)
def test_what_a_bomb_announces_is_not_unpacked(tmp_path: Path, content: bytes, reason: str) -> None:
    assert reasons(tmp_path, content) == [reason]


def nested() -> bytes:
    """Write a form that draws itself three times."""
    pdf = Pdf()
    number = len(pdf.objects) + 1
    again = b"/Resources<</XObject<</F %d 0 R>>>>" % number
    entries = b"/Type/XObject/Subtype/Form/BBox[0 0 900 900]" + again
    pdf.add(stream(b"/F Do " * 3, entries))
    pdf.page(content=b"/F Do")
    page = pdf.objects[pdf.pages[0] - 1]
    pdf.objects[pdf.pages[0] - 1] = page.replace(b"/Resources<</XObject<<>>>>", again)
    return pdf.write()


@pytest.mark.parametrize(
    "content", [of(image(GIGABYTE_PACKED, TWICE)), nested()], ids=["packed twice", "nested"]
)
def test_a_bomb_that_goes_off_ends_a_child_and_its_neighbours_are_read(
    tmp_path: Path, content: bytes
) -> None:
    assert outcome(tmp_path, content).verdict == "died"
    assert reasons(tmp_path, scanned(3)) == ["", "", ""]


def test_a_side_that_takes_too_long_ends_a_child(tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.page([dct()])
    pdf.objects[pdf.pages[0] - 2] = stream(zlib.compress(b"0 0 1 1 re f " * 5_000_000, 1), FLATE)
    assert outcome(tmp_path, pdf.write(), limits=Limits(GIGABYTE, processor=1)).verdict == "died"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({256: 60_000, 257: 60_000, 278: 60_000}, "too-big"),
        ({256: 5_000, 257: 7_000, 278: 7_000}, "damaged-image"),
        ({259: 5}, "damaged-image"),
        ({259: 7}, "damaged-image"),
        ({258: 64}, "damaged-image"),
        ({277: 60_000}, "damaged-image"),
        ({259: 34_712}, "damaged-image"),
    ],
    ids=["too big", "too little", "not LZW", "not JPEG", "64 bits", "60,000 samples", "unknown"],
)
def test_a_tiff_that_lies_is_an_unreadable_side(
    tmp_path: Path, changes: dict[int, int], reason: str
) -> None:
    content = tiff([changes, {}], sheet().tobytes())
    assert reasons(tmp_path, content) == [reason, ""]


def spoiled_jpeg(width: int, height: int) -> bytes:
    """Give a JPEG that announces another size than that of its data."""
    data = bytearray(jpeg())
    place = data.index(b"\xff\xc0") + 5
    data[place : place + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def test_a_jpeg_that_announces_a_wall_is_refused(tmp_path: Path) -> None:
    assert "trop grande" in refusal(tmp_path, spoiled_jpeg(65_500, 65_500))


def test_a_jpeg_shorter_than_it_says_is_an_unreadable_side(tmp_path: Path) -> None:
    assert reasons(tmp_path, jpeg()[:9_000]) == ["damaged-image"]


def test_a_jpeg_of_a_page_is_judged_by_its_own_header(tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.page([image(spoiled_jpeg(65_500, 65_500), b"/Filter/DCTDecode" + GREY)])
    assert reasons(tmp_path, pdf.write()) == ["damaged-image"]


def in_pdf(data: bytes, filtered: bytes, space: bytes) -> bytes:
    pdf = Pdf()
    pdf.page([image(data, b"/Filter/" + filtered + space)])
    return pdf.write()


BLACK = sheet().point(lambda value: 255 if value > 128 else 0)
ONE_BIT = b"/BitsPerComponent 1/ColorSpace/DeviceGray"


NOTHING = jbig2(sheet().convert("1")).replace(b"\0\0\0\1\x26", b"\0\0\0\1\x3e")  # a comment
WAVE = encoded(sheet(), "JPEG2000")
ANNOUNCED = struct.pack(">II", WIDTH, HEIGHT)
WALL = WAVE.replace(ANNOUNCED, struct.pack(">II", 60_000, 60_000))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (in_pdf(jbig2(BLACK), b"JBIG2Decode", ONE_BIT), ""),
        (in_pdf(jbig2(BLACK, (65_000, 65_000)), b"JBIG2Decode", ONE_BIT), ""),
        (in_pdf(NOTHING, b"JBIG2Decode", ONE_BIT), "damaged-image"),
        (in_pdf(WAVE, b"JPXDecode", b""), ""),
        (in_pdf(WALL, b"JPXDecode", b""), "damaged-image"),
        (in_pdf(WAVE[: len(WAVE) // 2], b"JPXDecode", b""), "damaged-image"),
        (in_pdf(b"", b"JBIG2Decode", ONE_BIT), "damaged-image"),
    ],
    ids=["jbig2", "its lie", "no region", "jpeg 2000", "its lie", "its half", "nothing"],
)
def test_jbig2_and_jpeg_2000_are_read_or_told(tmp_path: Path, content: bytes, reason: str) -> None:
    assert reasons(tmp_path, content) == [reason]


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
