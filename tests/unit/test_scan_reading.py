"""A part of a file of scans, read: every side told, one page of copy and one picture each."""

from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import segno
from PIL import Image
from pypdf import PdfReader

from docgen.errors import ScanRejected
from docgen.pagecode import Key, PageCode, make
from docgen.scanning.findings import Reading
from docgen.scanning.images import Picture
from docgen.scanning.reading import COPY, PART, PREVIEWS, PartRead, read_part
from tests.helpers import KEY
from tests.hostile.scans import BOX, GREY, HEIGHT, WIDTH, Pdf, dct, encoded, image, scanned, sheet
from workers import children
from workers.children import Limits

KEYS = {KEY.number: KEY}


def as_read(picture: Picture, keys: Mapping[int, Key], **more: Any) -> Reading:  # noqa: ANN401
    """Read nothing, but decode."""
    told = {"width": picture.width, "height": picture.height, "dpi": picture.dpi, **more}
    if picture.fault:
        told |= {"verdict": "unreadable", "reason": picture.fault}
    else:
        picture.grey(2)
    return Reading(**{"index": picture.index, "verdict": "bare", **told})


def part(folder: Path, content: bytes, first: int = 0, last: int | None = None,
         **options: Any) -> PartRead:  # noqa: ANN401  # fmt: skip
    (folder / "scan").write_bytes(content)
    options = {"read": as_read, **options}
    return read_part(folder / "scan", first, last, KEYS, folder / "out", **options)


def preview(folder: Path, reading: Reading) -> Image.Image:
    start, length = reading.preview
    data = (folder / "out" / PREVIEWS).read_bytes()[start : start + length]
    return Image.open(BytesIO(data))


def test_a_part_tells_of_the_whole_file(tmp_path: Path) -> None:
    read = part(tmp_path, scanned(30))
    assert (read.kind, read.sides, read.last) == ("pdf", 30, PART)
    assert [reading.index for reading in read.readings] == list(range(PART))
    read = part(tmp_path, scanned(30), PART)
    assert (read.last, [reading.index for reading in read.readings]) == (30, [25, 26, 27, 28, 29])
    read = part(tmp_path, scanned(30), 3, 5)
    assert (read.last, [reading.clean_page for reading in read.readings]) == (5, [0, 1])


def test_what_was_read_survives_the_way_to_its_parent(tmp_path: Path) -> None:
    read = part(tmp_path, scanned(2))
    assert msgspec.json.decode(msgspec.json.encode(read), type=PartRead) == read


def test_each_side_has_its_page_in_the_copy(tmp_path: Path) -> None:
    part(tmp_path, scanned(5), 2, 4)
    pages = PdfReader(tmp_path / "out" / COPY).pages
    images = [page["/Resources"]["/XObject"]["/I"]._data for page in pages]
    expected = [encoded(sheet(number), "JPEG") for number in (2, 3)]
    assert [data[-900:] for data in images] == [data[-900:] for data in expected]


def broken() -> bytes:
    """Write sides of which the second has no image, and the fourth a damaged one."""
    pdf = Pdf()
    pdf.page([dct(0)])
    pdf.page(content=b"")
    pdf.page([dct(2)])
    pdf.page([image(encoded(sheet(3), "JPEG")[:9_000], b"/Filter/DCTDecode" + GREY)])
    pdf.page([dct(4)])
    return pdf.write()


def test_a_side_that_cannot_be_opened_leaves_its_neighbours(tmp_path: Path) -> None:
    read = part(tmp_path, broken())
    reasons = [reading.reason for reading in read.readings]
    assert reasons == ["", "no-image", "", "damaged-image", ""]
    assert [reading.clean_page for reading in read.readings] == [0, 1, 2, 3, 4]
    assert [reading.preview[1] > 0 for reading in read.readings] == [True, False] * 2 + [True]
    pages = PdfReader(tmp_path / "out" / COPY).pages
    assert ["/XObject" in page["/Resources"] for page in pages] == [True, False] * 2 + [True]


def test_skipped_sides_are_not_touched_and_others_are_announced(tmp_path: Path) -> None:
    said: list[int] = []
    opened: list[int] = []

    def read(picture: Picture, keys: Mapping[int, Key]) -> Reading:
        opened.append(picture.index)
        return as_read(picture, keys)

    done = part(tmp_path, scanned(8), 3, 8, skipped=(4, 6), say=said.append, read=read)
    assert said == [0, 2, 4]
    told = [(reading.index, reading.verdict, reading.reason) for reading in done.readings]
    unread = "unreadable", "too-heavy"
    assert told == [(3, "bare", ""), (4, *unread), (5, "bare", ""), (6, *unread), (7, "bare", "")]


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScanRejected):
        part(tmp_path, b"<html>")


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_pictures_are_grey_and_upright(tmp_path: Path, rotation: int) -> None:
    def read(picture: Picture, keys: Mapping[int, Key]) -> Reading:
        verdict = "coded" if picture.index else "bare"
        return as_read(picture, keys, rotation=rotation, verdict=verdict)

    large, small = part(tmp_path, scanned(2), read=read).readings
    with preview(tmp_path, large) as shown:
        assert (shown.mode, shown.height) == ("L", 1000 if rotation % 180 == 0 else WIDTH)
        expected = sheet(0).rotate(-rotation, expand=True).resize(shown.size)
        assert np.abs(np.asarray(shown).astype(int) - np.asarray(expected)).mean() < 5
    with preview(tmp_path, small) as shown:
        assert shown.height == 240


def test_a_printed_code_is_read(tmp_path: Path) -> None:
    side = sheet().resize((WIDTH * 2, HEIGHT * 2))
    code = segno.make(make(KEY, PageCode(b"sixsix", 2, 5, 0)), version=2, error="Q")
    symbol = Image.new("L", (33, 33), 255)
    for y, row in enumerate(code.matrix):
        for x, dark in enumerate(row):
            symbol.putpixel((x + 4, y + 4), 255 * (1 - dark))
    scale = 6  # pixels a module of 0.72 mm, at 200 dpi
    mark = symbol.resize((33 * scale, 33 * scale), Image.Resampling.NEAREST)
    side.paste(mark, (side.width - mark.width - 70, 70))
    content = encoded(side, "JPEG", dpi=(200, 200))
    (reading,) = read_part(_saved(tmp_path, content), 0, None, KEYS, tmp_path / "out").readings
    assert reading.verdict == "coded"
    assert [(seen.document, seen.side, seen.sides) for seen in reading.codes] == [
        (b"sixsix".hex(), 2, 5)
    ]


def _saved(folder: Path, content: bytes) -> Path:
    (folder / "scan").write_bytes(content)
    return folder / "scan"


def test_memory_does_not_grow_with_the_sides(tmp_path: Path) -> None:
    noise = np.random.default_rng(5).integers(0, 255, (1169, 827), dtype=np.uint8)
    data = encoded(Image.fromarray(noise), "JPEG", quality=90)
    pdf = Pdf()
    for _ in range(75):
        pdf.page([image(data, b"/Filter/DCTDecode" + GREY)], box=BOX)
    content = pdf.write()

    def read(picture: Picture, keys: Mapping[int, Key]) -> Reading:
        return as_read(picture, keys, verdict="coded")

    def work(say: Callable[[int], None]) -> list[int]:
        held: list[int] = []

        def watch(side: int) -> None:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            held.append(pages * 4096)

        part(tmp_path, content, 0, 75, say=watch, read=read)
        return held

    done = children.run(work, lambda _: True, Limits())
    assert done.verdict == "done"
    # pdfium is let keep 24 MB, here 33 sides; all of them would be 30 MB more.
    assert max(done.result[36:]) - max(done.result[:36]) < 10 << 20
    assert len(data) * 40 > 25 << 20
