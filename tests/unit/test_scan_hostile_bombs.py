"""Scans that announce what they are not, or more than a machine has: told, or stopped."""

import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image, ImageFile

from tests import hostile
from tests.hostile.children import GIGABYTE, outcome, reasons, refusal
from tests.hostile.scans import (
    BOX,
    GREY,
    HEIGHT,
    WIDTH,
    Pdf,
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
from workers.children import Limits

PDF = scanned(1)
FLATE = b"/Filter/FlateDecode"


@pytest.fixture(autouse=True)
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave Pillow as WeasyPrint leaves it: taking images that are cut short."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)


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
    assert outcome(tmp_path, content, limits=Limits(GIGABYTE // 4, processor=10)).verdict == "died"
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


def test_a_jpeg_of_a_thousand_scans_is_not_decoded(tmp_path: Path) -> None:
    large = Image.new("L", (5_000, 7_000), 255)
    data = encoded(large, "JPEG", progressive=True, dpi=(600, 600))
    assert reasons(tmp_path, data) == [""]
    last = data.rindex(b"\xff\xda")
    slow = data[:last] + data[last:-2] * 1_000 + b"\xff\xd9"
    assert reasons(tmp_path, slow) == ["damaged-image"]


PHOTO = (Path(hostile.__file__).parent / "upright.heic").read_bytes()
TOLD, TRUE = struct.pack(">II", 60_000, 60_000), struct.pack(">II", 1240, 1754)


def with_chunk(name: bytes) -> bytes:
    """Give a PNG with one more chunk, that holds a gigabyte when it is unpacked."""
    body = name + b"a\0\0" + zeros(1024)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    whole = png(WIDTH, HEIGHT)
    return whole[:33] + chunk + whole[33:]


@pytest.mark.parametrize(
    "content",
    [with_chunk(b"zTXt"), with_chunk(b"iCCP"), PHOTO.replace(TRUE, TOLD), PHOTO[:100]],
    ids=["text", "profile", "wall of HEIC", "start of HEIC"],
)
def test_what_a_header_hides_is_not_unpacked(tmp_path: Path, content: bytes) -> None:
    assert refusal(tmp_path, content)


def test_half_a_heic_is_an_unreadable_side(tmp_path: Path) -> None:
    assert reasons(tmp_path, PHOTO[: len(PHOTO) // 2]) == ["damaged-image"]


def test_cross_references_that_turn_in_circles_are_followed_once(tmp_path: Path) -> None:
    place = int(PDF[PDF.rindex(b"startxref") :].split()[1])
    looped = PDF.replace(b"/Root 1 0 R>>", b"/Root 1 0 R/Prev %d>>" % place)
    assert reasons(tmp_path, looped) == [""]


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
