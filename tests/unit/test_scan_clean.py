"""Clean copies: the scan's own data, and nothing else of what was sent."""

import subprocess
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps
from pypdf import PdfReader

from docgen.scanning import clean
from docgen.scanning.clean import CleanCopy, encoded, without_metadata
from docgen.scanning.images import Picture, open_scan
from tests import hostile
from tests.hostile.scans import (
    DPI,
    GREY,
    HEIGHT,
    WIDTH,
    Pdf,
    dct,
    fax,
    image,
    jpeg,
    scanned,
    sheet,
)
from tests.hostile.scans import encoded as saved

PAPER = sheet()
COLOURS = Image.merge("RGB", [PAPER, ImageOps.invert(PAPER), PAPER.point(lambda v: v // 2)])
BLACK = PAPER.point(lambda v: 255 if v > 128 else 0)


def copied(folder: Path, content: bytes) -> tuple[PdfReader, list[Picture]]:
    """Copy a file of scans, and give the copy with the pictures that went into it."""
    source, target = folder / "scan", folder / "copy.pdf"
    source.write_bytes(content)
    with open_scan(source) as scan, target.open("wb") as file:
        pictures = list(scan.read())
        copy = CleanCopy(file)
        assert [copy.add(picture) for picture in pictures] == list(range(scan.sides))
        copy.close()
    subprocess.run(["qpdf", "--check", target], check=True, capture_output=True)
    return PdfReader(target), pictures


def stored(reader: PdfReader, page: int = 0) -> Any:  # noqa: ANN401
    return reader.pages[page]["/Resources"]["/XObject"]["/I"]


def in_pdf(body: bytes) -> bytes:
    pdf = Pdf()
    pdf.page([body])
    return pdf.write()


def coded(data: bytes) -> bytes:
    """Give a JPEG from its first scan on."""
    return data[data.index(b"\xff\xda") :]


@pytest.mark.parametrize(
    "options",
    [{}, {"progressive": True}, {"quality": 20}, {"restart_marker_blocks": 4}, {"keep_rgb": True}],
)
@pytest.mark.parametrize("given", [PAPER, COLOURS])
def test_coded_data_of_a_jpeg_are_not_touched(
    tmp_path: Path, given: Image.Image, options: dict[str, Any]
) -> None:
    if given is PAPER:
        options.pop("keep_rgb", None)
    exif = Image.Exif()
    exif[0x010E] = "told by the scanner"
    data = saved(given, "JPEG", exif=exif, comment=b"a comment", icc_profile=b"x" * 99, **options)
    reader, (picture,) = copied(tmp_path, data)
    kept = stored(reader)
    assert coded(kept._data) == coded(data)
    assert not any(word in kept._data for word in (b"told by", b"a comment", b"ICC_PROFILE"))
    with Image.open(BytesIO(kept._data)) as again, Image.open(BytesIO(data)) as before:
        assert np.array_equal(np.asarray(again), np.asarray(before))
    assert kept["/ColorSpace"] == ("/DeviceGray" if given is PAPER else "/DeviceRGB")
    assert picture.jpeg == data


def test_a_thumbnail_and_what_follows_the_end_are_dropped() -> None:
    data = jpeg()
    thumb = b"\xff\xe0\0\x13JFIF\0\1\1\1\0\x64\0\x64\1\1rgb"
    assert without_metadata(b"\xff\xd8" + thumb + data[20:] + b"another file") == data
    assert without_metadata(b"\xff\xd8\xff\xff" + data[3:]) == data


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xd8", jpeg()[:-2], jpeg()[:300], jpeg().replace(b"\xff\xc0", b"\xff\xc9")],
    ids=["nothing", "start", "no end", "cut", "arithmetic coding"],
)
def test_what_pdf_cannot_hold_is_not_given_as_jpeg(data: bytes) -> None:
    assert without_metadata(data) is None


def test_a_jpeg_that_pdf_cannot_hold_keeps_its_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = Picture(0, WIDTH, HEIGHT, DPI, jpeg=jpeg())
    assert encoded(picture).entries.startswith(b"/Filter/DCTDecode")
    monkeypatch.setattr(clean, "without_metadata", lambda data: None)
    own = encoded(picture)
    assert own.entries.startswith(b"/Filter/FlateDecode")
    assert len(zlib.decompress(own.data)) == (WIDTH + 1) * HEIGHT


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("decode", [b"", b"/Decode[1 0]"])
def test_a_fax_goes_over_as_it_is(tmp_path: Path, inverted: bool, decode: bytes) -> None:
    data, entries = fax(BLACK)
    if inverted:
        entries = entries.replace(b"/BlackIs1 true", b"")
    reader, (picture,) = copied(tmp_path, in_pdf(image(data, entries + decode)))
    kept = stored(reader)
    assert kept._data == data
    assert "/Decode" not in kept
    with open_scan(tmp_path / "copy.pdf") as scan:
        (again,) = scan.read()
        assert np.array_equal(again.grey(), picture.grey())


def test_the_fax_of_a_tiff_goes_over_as_it_is(tmp_path: Path) -> None:
    content = saved(
        BLACK.convert("1"), "TIFF", compression="group4", tiffinfo={278: HEIGHT, 262: 0}
    )
    reader, (picture,) = copied(tmp_path, content)
    assert picture.own
    assert stored(reader)._data == picture.own.data
    assert stored(reader)._data in content


def test_a_fax_of_another_kind_is_written_again_without_loss(tmp_path: Path) -> None:
    wrong = Picture(0, WIDTH, HEIGHT, DPI, pixels=np.asarray(BLACK), bits=1)
    data, _ = fax(ImageOps.mirror(BLACK))
    wrong.own = encoded(wrong)._replace(data=data)
    own = encoded(wrong)
    assert own.data != data
    with (tmp_path / "copy.pdf").open("wb") as file:
        copy = CleanCopy(file)
        copy.add(wrong)
        copy.close()
    with open_scan(tmp_path / "copy.pdf") as scan:
        (again,) = scan.read()
        assert np.array_equal(again.grey(), np.asarray(BLACK))


PNG = saved(COLOURS, "PNG")


def test_the_data_of_a_png_go_over_as_they_are(tmp_path: Path) -> None:
    reader, _ = copied(tmp_path, PNG)
    kept = stored(reader)
    assert kept._data[:1000] in PNG
    assert kept.get_data() == COLOURS.tobytes()


@pytest.mark.parametrize(
    "given",
    [
        saved(PAPER.convert("1"), "PNG"),
        saved(COLOURS.quantize(16), "PNG"),
        saved(PAPER, "TIFF", compression="tiff_lzw"),
        saved(COLOURS, "TIFF", compression="tiff_lzw"),
        saved(BLACK.convert("1"), "TIFF", compression="packbits"),
        saved(BLACK.convert("1"), "TIFF", compression="group4", tiffinfo={278: 100}),
        in_pdf(image(zlib.compress(PAPER.tobytes()), b"/Filter/FlateDecode" + GREY)),
    ],
    ids=["1 bit", "palette", "lzw", "lzw in colour", "packbits", "fax in strips", "flate"],
)
def test_what_is_written_again_has_the_same_pixels(tmp_path: Path, given: bytes) -> None:
    reader, (picture,) = copied(tmp_path, given)
    assert "LZW" not in str(stored(reader)["/Filter"])
    with open_scan(tmp_path / "copy.pdf") as scan:
        (again,) = scan.read()
    assert np.array_equal(np.asarray(again.image()), np.asarray(picture.image()))
    assert again.dpi == pytest.approx(picture.dpi, abs=0.02)


def test_transparency_lies_on_white(tmp_path: Path) -> None:
    clear = COLOURS.copy()
    clear.putalpha(0)
    reader, _ = copied(tmp_path, saved(clear, "PNG"))
    assert set(stored(reader).get_data()) == {255}
    assert "/SMask" not in stored(reader)


def test_cmyk_and_heic_become_rgb_jpeg(tmp_path: Path) -> None:
    photo = (Path(hostile.__file__).parent / "upright.heic").read_bytes()
    for content in (saved(COLOURS.convert("CMYK"), "JPEG"), photo):
        reader, (picture,) = copied(tmp_path, content)
        kept = stored(reader)
        assert picture.redrawn
        assert (kept["/Filter"], kept["/ColorSpace"]) == ("/DCTDecode", "/DeviceRGB")
        with Image.open(BytesIO(kept._data)) as again:
            apart = np.asarray(again).astype(int) - np.asarray(picture.image())
        assert np.abs(apart).mean() < 3


def test_a_side_that_cannot_be_opened_has_an_empty_page(tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.page([dct(0)])
    pdf.page([image(b"no", b"/Filter/DCTDecode" + GREY)])
    pdf.page([dct(2)])
    reader, _ = copied(tmp_path, pdf.write())
    assert len(reader.pages) == 3
    assert "/XObject" not in reader.pages[1]["/Resources"]
    assert coded(stored(reader, 2)._data) == coded(jpeg(2))


def test_a_page_has_the_size_of_its_side(tmp_path: Path) -> None:
    reader, _ = copied(tmp_path, scanned(1))
    box = reader.pages[0].mediabox
    assert (float(box.width), float(box.height)) == pytest.approx((595.44, 841.68), abs=0.01)


def test_the_same_scan_makes_the_same_copy(tmp_path: Path) -> None:
    made = set()
    for _ in range(2):
        copied(tmp_path, scanned(3))
        made.add((tmp_path / "copy.pdf").read_bytes())
    assert len(made) == 1
