"""Files of scans, opened: the image of a page as it is, whatever it was encoded with."""

import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile, ImageOps

from docgen.errors import ScanRejected
from docgen.scanning.images import open_scan
from tests import hostile
from tests.hostile.opened import assert_shows, only, opened
from tests.hostile.scans import (
    BOX,
    DPI,
    GREY,
    HEIGHT,
    WIDTH,
    Pdf,
    dct,
    encoded,
    fax,
    greys,
    image,
    jpeg,
    scanned,
    sheet,
)


@pytest.fixture(autouse=True)
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave Pillow as WeasyPrint leaves it: taking images that are cut short."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)


def page(*images: bytes, content: bytes | None = None, **options: bytes) -> bytes:
    pdf = Pdf()
    pdf.page(images, content, **options)
    return pdf.write()


def test_the_jpeg_of_a_page_is_given_as_it_is(tmp_path: Path) -> None:
    picture = only(tmp_path, page(dct(3)))
    assert picture.jpeg == jpeg(3)
    assert (picture.width, picture.height, picture.dpi) == (WIDTH, HEIGHT, DPI)
    assert not picture.redrawn
    assert not picture.assumed


@pytest.mark.parametrize("reduce", [1, 2, 4])
def test_greys_are_reduced_by_the_jpeg_itself_and_edges_rounded_up(
    tmp_path: Path, reduce: int
) -> None:
    grey = only(tmp_path, page(dct())).grey(reduce)
    assert grey.shape == (-(-HEIGHT // reduce), -(-WIDTH // reduce))
    expected = sheet().resize((grey.shape[1], grey.shape[0]), Image.Resampling.BOX)
    assert np.abs(grey - greys(expected)).mean() < 3


def test_greys_are_decoded_once(tmp_path: Path) -> None:
    picture = only(tmp_path, page(dct()))
    assert picture.grey(2) is picture.grey(2)
    assert picture.at_hand(500) is picture.grey(2)
    assert picture.at_hand(1000).shape == (HEIGHT, WIDTH)


PAPER = sheet()
COLOURS = Image.merge("RGB", [PAPER, ImageOps.invert(PAPER), PAPER.point(lambda v: v // 2)])
BLACK = PAPER.point(lambda v: 255 if v > 128 else 0)


@pytest.mark.parametrize(
    ("kind", "options", "given"),
    [
        ("PNG", {}, PAPER),
        ("PNG", {}, COLOURS),
        ("PNG", {}, BLACK.convert("1")),
        ("PNG", {}, COLOURS.quantize(8)),
        ("JPEG", {"quality": 80}, PAPER),
        ("JPEG", {"quality": 80}, COLOURS),
        ("JPEG", {"progressive": True}, COLOURS),
        ("TIFF", {"compression": "group4"}, BLACK.convert("1")),
        ("TIFF", {"compression": "group4", "tiffinfo": {278: HEIGHT}}, BLACK.convert("1")),
        ("TIFF", {"compression": "group3"}, BLACK.convert("1")),
        ("TIFF", {"compression": "tiff_lzw"}, PAPER),
        ("TIFF", {"compression": "tiff_lzw"}, COLOURS),
        ("TIFF", {"compression": "tiff_lzw"}, COLOURS.quantize(8)),
        ("TIFF", {"compression": "tiff_deflate"}, COLOURS),
        ("TIFF", {"compression": "packbits"}, PAPER),
        ("TIFF", {"compression": "raw"}, COLOURS),
    ],
)
def test_an_image_is_decoded_as_it_was_encoded(
    tmp_path: Path, kind: str, options: dict[str, object], given: Image.Image
) -> None:
    picture = only(tmp_path, encoded(given, kind, **options))
    assert picture.dpi == pytest.approx(DPI, abs=0.1)
    lossy = kind == "JPEG"
    assert_shows(picture, given.convert("RGB"), 40 if lossy else 0)
    assert picture.bits == (1 if given.mode == "1" else 8)
    assert bool(picture.jpeg) == lossy


def test_a_part_of_a_file_is_read_alone(tmp_path: Path) -> None:
    path = tmp_path / "scan"
    path.write_bytes(scanned(7))
    with open_scan(path) as scan:
        assert (scan.kind, scan.sides) == ("pdf", 7)
        assert [picture.jpeg for picture in scan.read(3, 5)] == [jpeg(3), jpeg(4)]
        assert [picture.index for picture in scan.read(5, 99)] == [5, 6]


@pytest.mark.parametrize("name", ["upright.heic", "turned.heic"])
def test_a_heic_photo_is_opened_upright(tmp_path: Path, name: str) -> None:
    picture = only(tmp_path, (Path(hostile.__file__).parent / name).read_bytes())
    assert (picture.width, picture.height, picture.turned) == (1240, 1754, 0)
    assert picture.redrawn
    assert np.abs(picture.image().getpixel((1090, 110)) - np.array([180, 30, 30])).max() < 5


@pytest.mark.parametrize(("orientation", "turned"), [(1, 0), (3, 180), (6, 90), (8, 270), (9, 0)])
def test_the_turn_of_a_camera_is_told_and_pixels_stay(
    tmp_path: Path, orientation: int, turned: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = only(tmp_path, encoded(PAPER, "JPEG", exif=exif))
    assert picture.turned == turned
    assert_shows(picture, PAPER, 40)
    content = encoded(PAPER, "TIFF", tiffinfo={274: orientation})
    assert only(tmp_path, content).turned == turned
    if orientation != 9:
        fixed = ImageOps.exif_transpose(Image.open(BytesIO(encoded(PAPER, "JPEG", exif=exif))))
        turned_back = PAPER.rotate(-turned, expand=True)
        assert np.abs(greys(fixed) - greys(turned_back)).mean() < 2


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("drawn", [0, 90, 180, 270])
def test_turns_of_a_page_and_of_its_image_are_added(
    tmp_path: Path, rotate: int, drawn: int
) -> None:
    wide, high = BOX if drawn in (0, 180) else BOX[::-1]
    matrix = {
        0: (wide, 0, 0, high, 0, 0),
        90: (0, -high, wide, 0, 0, high),
        180: (-wide, 0, 0, -high, wide, high),
        270: (0, high, -wide, 0, wide, 0),
    }[drawn]
    content = b"q %b cm /I0 Do Q" % " ".join(map(str, matrix)).encode()
    pdf = Pdf()
    pdf.page([dct()], content, box=(wide, high), more=b"/Rotate %d" % rotate)
    picture = only(tmp_path, pdf.write())
    assert picture.jpeg
    assert picture.turned == (rotate + drawn) % 360
    # What a viewer shows is the judge: the page drawn, against the image turned.
    whole = Pdf()
    whole.page([dct()], content + b" 0 0 1 1 re f", box=(wide, high), more=b"/Rotate %d" % rotate)
    shown = Image.fromarray(only(tmp_path, whole.write()).grey())
    turned = PAPER.rotate(-picture.turned, expand=True).resize(shown.size)
    assert np.abs(greys(shown) - greys(turned)).mean() < 3


def pixels_of(given: Image.Image) -> bytes:
    return zlib.compress(given.tobytes())


FLATE = b"/Filter/FlateDecode"
LZW = encoded(PAPER, "TIFF", compression="tiff_lzw", tiffinfo={278: HEIGHT})


def lzw() -> bytes:
    with Image.open(BytesIO(LZW)) as written:
        (place,), (length,) = written.tag_v2[273], written.tag_v2[279]
    return image(LZW[place : place + length], b"/Filter/LZWDecode" + GREY)


def predicted() -> bytes:
    rows = np.asarray(PAPER).astype(np.int16)
    up = np.diff(rows, axis=0, prepend=np.zeros((1, WIDTH), np.int16)).astype(np.uint8)
    data = np.hstack([np.full((HEIGHT, 1), 2, np.uint8), up]).tobytes()
    parms = b"/DecodeParms<</Predictor 12/Columns %d>>" % WIDTH
    return image(zlib.compress(data), FLATE + parms + GREY)


def indexed() -> bytes:
    few = PAPER.quantize(4)
    table = b"".join(b"%02x%02x%02x" % tuple(few.getpalette()[3 * n : 3 * n + 3]) for n in range(4))
    entries = FLATE + b"/BitsPerComponent 8/ColorSpace[/Indexed/DeviceRGB 3<%b>]" % table
    return image(pixels_of(few), entries)


@pytest.mark.parametrize(
    ("body", "expected", "tolerance"),
    [
        (image(pixels_of(PAPER), FLATE + GREY), PAPER, 0),
        (predicted(), PAPER, 0),
        (lzw(), PAPER, 0),
        (image(*fax(BLACK)), BLACK, 0),
        (image(fax(BLACK)[0], fax(BLACK)[1].replace(b"true", b"false")), ImageOps.invert(BLACK), 0),
        (image(fax(BLACK)[0], fax(BLACK)[1] + b"/Decode[1 0]"), ImageOps.invert(BLACK), 0),
        (
            image(pixels_of(COLOURS), FLATE + b"/BitsPerComponent 8/ColorSpace/DeviceRGB"),
            COLOURS,
            1,
        ),
        (image(pixels_of(PAPER), FLATE + b"/Decode[1 0]" + GREY), ImageOps.invert(PAPER), 0),
    ],
)
def test_an_image_that_is_not_jpeg_is_decoded_at_its_own_size(
    tmp_path: Path, body: bytes, expected: Image.Image, tolerance: int
) -> None:
    picture = only(tmp_path, page(body))
    assert not picture.redrawn
    assert_shows(picture, expected, tolerance)


def mask() -> bytes:
    data, entries = fax(BLACK)
    return image(data, entries.replace(b"/ColorSpace/DeviceGray", b"/ImageMask true"))


def strips() -> bytes:
    parts = [PAPER.crop((0, top, WIDTH, top + 167)) for top in range(0, HEIGHT, 167)]
    bodies = [image(pixels_of(part), FLATE + GREY, part.size) for part in parts]
    content = b"".join(
        b"q %.2f 0 0 %.4f 0 %.4f cm /I%d Do Q " % (BOX[0], 167 * 0.72, BOX[1] - 167 * 0.72 * n, n0)
        for n0, n in enumerate(range(1, len(parts) + 1))
    )
    return page(*bodies, content=content)


@pytest.mark.parametrize(
    "content",
    [
        page(indexed()),
        page(mask()),
        strips(),
        page(dct(), content=b"q %.2f 0 0 %.2f 0 0 cm /I0 Do Q 0 0 1 1 re f" % BOX),
        page(
            image(
                encoded(PAPER.convert("CMYK"), "JPEG"),
                b"/Filter/DCTDecode/BitsPerComponent 8/ColorSpace/DeviceCMYK"
                b"/Decode[1 0 1 0 1 0 1 0]",
            )
        ),
    ],
    ids=["indexed", "mask", "strips", "with a mark", "cmyk"],
)
def test_what_is_not_one_plain_image_is_drawn(tmp_path: Path, content: bytes) -> None:
    picture = only(tmp_path, content)
    assert picture.redrawn
    small = Image.fromarray(picture.grey()).resize(PAPER.size, Image.Resampling.BOX)
    assert ((greys(small) < 128) != (greys(PAPER) < 128)).mean() < 0.01


def test_searchable_text_does_not_hide_the_image(tmp_path: Path) -> None:
    font = b"/Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>"
    content = b"BT /F 12 Tf 3 Tr (secret) Tj ET q %.2f 0 0 %.2f 0 0 cm /I0 Do Q" % BOX
    assert only(tmp_path, page(dct(), content=content, resources=font)).jpeg == jpeg()
    seen = content.replace(b"3 Tr", b"0 Tr")
    assert only(tmp_path, page(dct(), content=seen, resources=font)).redrawn


@pytest.mark.parametrize(
    ("clip", "as_it_is"),
    [
        (b"0 0 %.2f %.2f re W n" % BOX, True),
        (b"-5 -5 900 900 re W n", True),
        (b"0 0 300 900 re W n", False),
        (b"0 0 m 600 0 l 0 900 l h W n", False),
    ],
)
def test_a_clipped_image_is_drawn_as_it_is_seen(
    tmp_path: Path, clip: bytes, as_it_is: bool
) -> None:
    content = b"q %b %.2f 0 0 %.2f 0 0 cm /I0 Do Q" % (clip, *BOX)
    assert bool(only(tmp_path, page(dct(), content=content)).jpeg) == as_it_is


SOFT = FLATE + GREY
HARD = FLATE + b"/BitsPerComponent 1/ImageMask true/Decode[1 0]"


@pytest.mark.parametrize(
    ("entry", "entries", "size"),
    [(b"/SMask", SOFT, (WIDTH, HEIGHT)), (b"/Mask", HARD, (WIDTH * 8, HEIGHT))],
)
def test_an_image_that_lets_paper_through_is_drawn(
    tmp_path: Path, entry: bytes, entries: bytes, size: tuple[int, int]
) -> None:
    half = bytes(WIDTH * HEIGHT // 2).ljust(WIDTH * HEIGHT, b"\xff")
    pdf = Pdf()
    number = pdf.add(image(zlib.compress(half), entries, size))
    pdf.page([image(jpeg(), b"/Filter/DCTDecode%b %d 0 R" % (entry, number) + GREY)])
    picture = only(tmp_path, pdf.write())
    assert picture.redrawn
    top, bottom = np.split(picture.grey()[:1752], 2)
    assert top[:-2].min() == 255
    assert bottom.min() < 100


def test_an_inverted_jpeg_is_drawn(tmp_path: Path) -> None:
    picture = only(tmp_path, page(image(jpeg(), b"/Filter/DCTDecode/Decode[1 0]" + GREY)))
    assert picture.redrawn
    assert np.median(picture.grey()) == 15


def test_the_size_of_a_page_gives_the_dots_per_inch(tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.page([dct()], box=(BOX[0] / 2, BOX[1] / 2))
    assert only(tmp_path, pdf.write()).dpi == pytest.approx(2 * DPI, rel=0.001)


@pytest.mark.parametrize("claimed", [(72, 72), (1, 1), (30000, 30000), (0, 0), (100, 300)])
def test_a_size_that_cannot_be_paper_is_supposed_to_be_a4(
    tmp_path: Path, claimed: tuple[int, int]
) -> None:
    photo = sheet(width=1654, height=2339)
    picture = only(tmp_path, encoded(photo, "JPEG", dpi=claimed))
    assert picture.dpi == pytest.approx(200, rel=0.01)
    assert picture.assumed


def test_a_coarse_scan_is_told_before_it_is_decoded(tmp_path: Path) -> None:
    (picture,) = opened(tmp_path, encoded(sheet(width=496, height=701), "JPEG", dpi=(60, 60)))
    assert picture.fault == "too-coarse"


def test_a_page_without_any_image_is_told(tmp_path: Path) -> None:
    (picture,) = opened(tmp_path, page(content=b""))
    assert picture.fault == "no-image"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data[:700],
        lambda data: data[:300] + bytes(200) + data[500:900],
    ],
)
def test_a_damaged_jpeg_is_told_when_it_is_decoded(
    tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    (picture,) = opened(tmp_path, spoil(jpeg()))
    with pytest.raises(ScanRejected):
        picture.grey(2)


def test_a_damaged_side_leaves_its_neighbours(tmp_path: Path) -> None:
    pdf = Pdf()
    pdf.page([dct(0)])
    pdf.page([image(b"not a JPEG", b"/Filter/DCTDecode" + GREY)])
    pdf.page([dct(2)])
    pictures = opened(tmp_path, pdf.write())
    assert [picture.fault for picture in pictures] == ["", "damaged-image", ""]
    assert pictures[2].jpeg == jpeg(2)


def test_annotations_that_can_be_seen_are_drawn(tmp_path: Path) -> None:
    ink = b"/Annots[<</Type/Annot/Subtype/%b/Rect[0 0 9 9]>>]"
    for kind, is_drawn in ((b"Link", False), (b"Ink", True)):
        assert only(tmp_path, page(dct(), more=ink % kind)).redrawn == is_drawn
