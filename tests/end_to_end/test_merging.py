"""Signed files as four other programs read them: upright, in order, the scans' own images."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import zxingcpp
from PIL import Image
from pypdf import PdfReader

from docgen.pagecode import parse
from docgen.rendering.imposition import CODE_SIZE, MM, Imposition
from docgen.rendering.pictures import Grey, greys
from docgen.scanning import codes
from docgen.scanning.borrowing import MARK
from docgen.scanning.clean import CleanCopy
from docgen.scanning.images import open_scan
from docgen.scanning.merging import Bound, Facts, SideSource, bind
from tests import archives
from tests.clean_copies import Scan, flate, scanned, write_copy
from tests.helpers import KEY, bound, job, people, poppler, qpdf_check, text_of

DPI = 200
READ = 150  # dpi at which signed files are looked at
# mm; pdfium alone draws an image that is turned up to four pixels beside its place
NEAR = {"pdfium": 0.8, "poppler": 0.2, "ghostscript": 0.2}
NOW = datetime(2026, 9, 14, 8, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Printed:
    """A document as it was printed."""

    path: Path
    number: bytes
    imposition: Imposition
    sides: list[Grey]

    def facts(self, *needed: int) -> Facts:
        size = (self.imposition.width, self.imposition.height)
        return Facts("Petite charte", "PC-0000-0000", len(self.sides), needed, *size, NOW)


def print_one(layout: str, folder: Path) -> Printed:
    made = job(people(1), layout)
    content, volume = bound(made)
    path = folder / "printed.pdf"
    path.write_bytes(content)
    imposition = made.run.imposition
    sides = list(greys(path, DPI, list(range(len(imposition.sides)))))
    return Printed(path, volume.documents[0].document.number, imposition, sides)


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Printed:
    return print_one("entier", tmp_path_factory.mktemp("printed"))


@pytest.fixture(scope="module")
def reduced(tmp_path_factory: pytest.TempPathFactory) -> Printed:
    return print_one("reduction", tmp_path_factory.mktemp("reduced"))


def save(scan: Scan, kind: str, folder: Path, number: int = 0) -> Path:
    """Write a scan as scanners do: a JPEG tells its maker, a fax is black and white."""
    path = folder / f"{kind}-{number}.{'tif' if kind == 'fax' else kind[:3]}"
    dpi = (scan.dpi, scan.dpi)
    if kind == "fax":
        black = scan.image.convert("1", dither=Image.Dither.NONE)
        black.save(path, "TIFF", compression="group4", dpi=dpi)
    elif kind == "png":
        scan.image.save(path, "PNG", dpi=dpi)
    else:
        tint = Image.new("L", scan.image.size, 205)
        colours = Image.merge("RGB", (scan.image, scan.image, Image.blend(scan.image, tint, 0.5)))
        image = colours if kind == "jpeg-colour" else scan.image
        exif = Image.Exif()
        exif[271] = "Un scanner"
        image.save(path, "JPEG", quality=60, dpi=dpi, exif=exif, comment=b"Bureau 12")
    return path


def clean_copy(files: list[Path], folder: Path) -> Path:
    path = folder / "copy.pdf"
    with path.open("wb") as stream:
        copy = CleanCopy(stream)
        for file in files:
            with open_scan(file) as scan:
                for picture in scan.read():
                    copy.add(picture)
        copy.close()
    return path


def bind_to(path: Path, given: list[SideSource], facts: Facts, original: Path | None) -> Bound:
    with path.open("wb") as stream:
        return bind(given, facts, original, stream)


def pictures(path: Path, folder: Path) -> Iterator[tuple[str, list[Grey]]]:
    """Draw a file with pdfium, poppler and Ghostscript, of whom none may say a word."""
    yield "pdfium", list(greys(path, READ))
    for program, command in {
        "poppler": ["pdftoppm", "-gray", "-r", f"{READ}", path, folder / "poppler"],
        "ghostscript": [
            *("gs", "-q", "-dNOPAUSE", "-dBATCH", "-dSAFER", "-dPDFSTOPONWARNING"),
            *("-sDEVICE=pgmraw", f"-r{READ}", f"-sOutputFile={folder}/ghostscript-%d.pgm", path),
        ],
    }.items():
        done = subprocess.run(command, check=False, capture_output=True)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b""), program
        yield program, [np.array(Image.open(file)) for file in sorted(folder.glob(f"{program}-*"))]


def look(drawn: list[Grey], document: Printed, near: float = NEAR["pdfium"]) -> list[int]:
    """Read the codes again: each must be upright, at its place. Give the sides that were seen."""
    seen = []
    places = {
        corner: (x + CODE_SIZE / 2, y + CODE_SIZE / 2)
        for corner, x, y in document.imposition.code_corners()
    }
    for picture in drawn:
        found = zxingcpp.read_barcodes(
            np.ascontiguousarray(picture), formats=zxingcpp.BarcodeFormat.QRCodeModel2
        )
        read = [(parse(each.text, {KEY.number: KEY}), each) for each in found]
        assert {code.corner for code, _ in read} == set(places)
        for code, each in read:
            assert code.document == document.number
            assert abs(each.orientation) <= 1
            spot = each.position
            ends = (spot.top_left, spot.top_right, spot.bottom_left, spot.bottom_right)
            x = np.mean([end.x for end in ends]) * 72 / READ
            y = document.imposition.height - np.mean([end.y for end in ends]) * 72 / READ
            assert np.hypot(*(np.array((x, y)) - places[code.corner])) < near * MM
        (side,) = {code.side for code, _ in read}
        seen.append(side)
    return seen


def images(path: Path) -> list[bytes]:
    reader = PdfReader(path)
    found = [page["/Resources"].get("/XObject", {}).get("/I") for page in reader.pages]
    return [each.get_object()._data for each in found if each is not None]


def coded(jpeg: bytes) -> bytes:
    """Give the tables and the coded data of a JPEG: what its pixels are made from."""
    segments, place = [], 2
    while jpeg[place + 1] != 0xDA:  # start of scan (ITU-T T.81, B.2.3)
        end = place + 2 + int.from_bytes(jpeg[place + 2 : place + 4], "big")
        if not (0xE0 <= jpeg[place + 1] <= 0xEF or jpeg[place + 1] == 0xFE):
            segments.append(jpeg[place:end])
        place = end
    return b"".join([*segments, jpeg[place:]])


@pytest.mark.parametrize(
    ("kinds", "turns"),
    [
        (("jpeg-grey", "fax", "jpeg-colour"), ((90, 2.0), (180, -1.5), (270, 0.4))),
        (("png", "jpeg-colour", "fax"), ((0, -2.0), (270, 1.0), (90, -0.7))),
    ],
)
@pytest.mark.parametrize("layout", ["printed", "reduced"])
def test_scans_turned_and_askew_are_bound_upright_and_in_order(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    layout: str,
    kinds: tuple[str, ...],
    turns: tuple[tuple[int, float], ...],
) -> None:
    document: Printed = request.getfixturevalue(layout)
    count = len(document.sides)
    scans = [scanned(side, DPI, *turn) for side, turn in zip(document.sides, turns, strict=False)]
    files = [save(scan, kind, tmp_path) for scan, kind in zip(scans, kinds, strict=False)]
    copy = clean_copy(files[::-1], tmp_path)  # they come home in another order
    given = [
        SideSource(side, copy, count - side, scan.matrix, label="pile.pdf", place=count - side + 1)
        for side, scan in enumerate(scans, 1)
    ]
    path = tmp_path / "signed.pdf"
    told = bind_to(path, given[::-1], document.facts(*range(1, count + 1)), None)
    assert [(face.origin, face.fitted) for face in told.faces] == [("scan", False)] * count
    for program, drawn in pictures(path, tmp_path):
        assert look(drawn, document, NEAR[program]) == list(range(1, count + 1))
    assert images(path) == images(copy)[::-1]
    for file, image in zip(files, images(path), strict=True):
        if file.suffix == ".jpe":
            assert coded(image) == coded(file.read_bytes())
    qpdf_check(path.read_bytes(), tmp_path)
    assert list(archives.faults(path.read_bytes())) == []


def test_images_come_out_of_a_signed_file_as_they_were_sent(
    printed: Printed, tmp_path: Path
) -> None:
    """What another program takes out of the file has the scan's own pixels, none drawn again."""
    scans = [scanned(side, DPI, 90, 2.0) for side in printed.sides]
    kinds = ("png", "fax", "jpeg-grey")
    files = [save(scan, kind, tmp_path) for scan, kind in zip(scans, kinds, strict=True)]
    copy = clean_copy(files, tmp_path)
    given = [SideSource(n + 1, copy, n, scan.matrix) for n, scan in enumerate(scans)]
    path = tmp_path / "signed.pdf"
    bind_to(path, given, printed.facts(1, 2, 3), None)
    done = subprocess.run(
        ["pdfimages", "-png", path, tmp_path / "out"], check=True, capture_output=True
    )
    assert not done.stderr
    for file, out in zip(files, sorted(tmp_path.glob("out-*")), strict=True):
        sent, taken = (np.array(Image.open(each).convert("L")) for each in (file, out))
        assert np.array_equal(sent, taken), file.name


def test_the_signed_side_alone_comes_home_and_the_others_are_those_of_the_print(
    printed: Printed, tmp_path: Path
) -> None:
    scan = scanned(printed.sides[2], DPI, 180, -2.0)
    copy = clean_copy([save(scan, "jpeg-grey", tmp_path)], tmp_path)
    path = tmp_path / "signed.pdf"
    given = [SideSource(3, copy, 0, scan.matrix, label="pile.pdf", place=7)]
    told = bind_to(path, given, printed.facts(3), printed.path)
    assert [face.origin for face in told.faces] == ["original", "original", "scan"]
    for program, drawn in pictures(path, tmp_path):
        assert look(drawn, printed, NEAR[program]) == [1, 2, 3]
    content = path.read_bytes()
    texts = [text_of(content, page) for page in (1, 2, 3)]
    assert [MARK in text for text in texts] == [True, True, False]
    assert "Petite charte" in texts[0]
    assert not texts[2].strip()
    clean = greys(printed.path, READ, [0, 1])
    for page, original in zip(greys(path, READ, [0, 1]), clean, strict=True):
        rows, _ = np.nonzero(page != original)  # the mark, in the bottom margin, and nothing else
        assert rows.min() > page.shape[0] - 9 * MM * READ / 72
    qpdf_check(content, tmp_path)
    assert list(archives.faults(content)) == []
    fonts = poppler("pdffonts", content).splitlines()[2:]
    assert fonts
    assert all(line.split()[-5:-2] == ["yes", "yes", "yes"] for line in fonts)


@pytest.mark.parametrize("layout", ["printed", "reduced"])
def test_sides_are_laid_straight_by_what_their_codes_say(
    request: pytest.FixtureRequest, tmp_path: Path, layout: str
) -> None:
    document: Printed = request.getfixturevalue(layout)
    scans = [scanned(side, DPI, 90 * n, 1.5 - n) for n, side in enumerate(document.sides, 1)]
    copy = clean_copy([save(scan, "png", tmp_path, n) for n, scan in enumerate(scans)], tmp_path)
    given = []
    with open_scan(copy) as opened:
        for page, picture in enumerate(opened.read()):
            reading = codes.read(picture, {KEY.number: KEY})
            given.append(SideSource(reading.codes[0].side, copy, page, reading.matrix))
    path = tmp_path / "signed.pdf"
    told = bind_to(path, given, document.facts(), None)
    assert not any(face.fitted for face in told.faces)
    *_, (program, drawn) = pictures(path, tmp_path)
    assert look(drawn, document, NEAR[program]) == list(range(1, len(scans) + 1))


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_a_side_filed_by_hand_is_turned_as_somebody_said(
    printed: Printed, tmp_path: Path, turned: int
) -> None:
    """Without codes to lay it by, a straight scan of the whole sheet is where it was printed."""
    scan = scanned(printed.sides[0], DPI, turned)
    copy = clean_copy([save(scan, "png", tmp_path)], tmp_path)
    path = tmp_path / "signed.pdf"
    given = [SideSource(1, copy, 0, None, turned)]
    told = bind_to(path, given, printed.facts(1), None)
    assert told.faces[0].fitted
    assert told.left_out == (2, 3)
    assert look(list(greys(path, READ)), printed) == [1]


HUNDRED = """
import sys
from datetime import datetime, UTC
from io import BytesIO
from pathlib import Path
from docgen.scanning.merging import Binder, Facts, SideSource

class Nowhere(BytesIO):
    length = 0

    def write(self, data):
        self.length += len(data)

    def tell(self):
        return self.length

copies = [Path(name) for name in sys.argv[1:]]
facts = Facts("Charte", "CE-1", 6, (), 595.28, 841.89, datetime(2026, 1, 1, tzinfo=UTC))
with Binder() as binder:
    for document in range(100):
        sides = [
            SideSource(n + 1, copies[(document + n) % 4], (document * 6 + n) % 25)
            for n in range(6)
        ]
        binder.bind(sides, facts, None, Nowhere())
        if document in (4, 99):
            status = Path("/proc/self/status").read_text()
            print(status.split("VmHWM:")[1].split()[0])
"""


def test_a_hundred_documents_out_of_the_same_copies_weigh_little_more_than_five(
    tmp_path: Path,
) -> None:
    """Images are let go with the document that they are bound in: 100 of them weigh 64 MB."""
    noise = np.random.default_rng(5).integers(0, 256, (800, 800), np.uint8)
    side = flate(Image.fromarray(noise))
    assert len(side.data) > 600_000
    copies = [write_copy(tmp_path / f"{n}.pdf", [(side, DPI)] * 25) for n in range(4)]
    command = [sys.executable, "-c", HUNDRED, *copies]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    five, hundred = (int(peak) / 1024 for peak in done.stdout.split())
    assert hundred - five < 16, f"{five:.0f} MB, then {hundred:.0f} MB"
