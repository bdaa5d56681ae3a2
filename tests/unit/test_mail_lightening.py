"""A file made light enough for a mail still shows what it showed, and its codes are still read."""

import zlib
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    BooleanObject,
    ByteStringObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    StreamObject,
)

from docgen.errors import InvalidInput
from docgen.mailing.lightening import STEPS, _lightened, lighten
from docgen.rendering.pictures import greys
from docgen.scanning import codes, images
from docgen.scanning.findings import Matrix
from docgen.scanning.merging import SideSource, bind
from tests import archives
from tests.clean_copies import Stored, fax, flate, jpeg, scanned, write_copy
from tests.helpers import qpdf_check, refusal
from tests.unit.drawn_sides import KEYS, master, said
from tests.unit.test_merging import FACTS

DPI = 150
LOWEST = STEPS[-1].dpi
SIDES = 3
LIKE = 6.0  # of 255: the mean difference that fewer points make, the sides of a scan being noisy


@cache
def paper(side: int) -> tuple[Image.Image, Matrix]:
    """Scan a printed side, askew and noisy as scanners give it."""
    drawn = master({corner: said(corner, side, SIDES) for corner in (0, 1)})
    scan = scanned(drawn, DPI, skew=0.7)
    noise = np.random.default_rng(side).normal(0, 6, (scan.image.height, scan.image.width))
    pixels = np.clip(np.asarray(scan.image) * 0.95 + noise, 0, 255).astype(np.uint8)
    return Image.fromarray(pixels), scan.matrix


def tinted(image: Image.Image) -> Image.Image:
    """Give a side in colour: its ink is blue."""
    return Image.merge("RGB", (image, image, Image.new("L", image.size, 230)))


def entries(stored: Stored, **more: object) -> Stored:
    return Stored(
        stored.data, {**stored.entries, **{f"/{key}": each for key, each in more.items()}}
    )


def inverted(image: Image.Image) -> Stored:
    """Store a side as a JPEG of its negative, which its dictionary turns back."""
    negative = Image.eval(image, lambda level: 255 - level)
    back = ArrayObject([NumberObject(1), NumberObject(0)])
    return entries(jpeg(negative, quality=90), Decode=back)


def indexed(image: Image.Image) -> Stored:
    """Store a side in 16 colours."""
    few = tinted(image).quantize(16)
    palette = bytes(few.getpalette() or [])[:48].ljust(48, b"\0")
    space = [NameObject("/Indexed"), NameObject("/DeviceRGB"), NumberObject(15)]
    colours = ArrayObject([*space, ByteStringObject(palette)])
    stored = entries(flate(image), ColorSpace=colours)
    return Stored(zlib.compress(few.tobytes()), stored.entries)


STORED = {
    "grey": lambda image: jpeg(image, quality=90),
    "colour": lambda image: jpeg(tinted(image), "RGB", 90),
    "lossless": flate,
    "fax": fax,
    "dithered": lambda image: fax(image.convert("1").convert("L")),
    "inverted": inverted,
    "indexed": indexed,
}


def signed(folder: Path, *kinds: str) -> Path:
    """Bind a signed file whose sides are stored so."""
    sides = [(STORED[kind](paper(n)[0]), DPI) for n, kind in enumerate(kinds, 1)]
    copy = write_copy(folder / "copy.pdf", sides)
    sources = [SideSource(n, copy, n - 1, paper(n)[1]) for n in range(1, len(sides) + 1)]
    facts = replace(FACTS, sides=len(sides), needed=tuple(range(1, len(sides) + 1)))
    path = folder / "signed.pdf"
    with path.open("wb") as stream:
        bind(sources, facts, None, stream)
    return path


def descent(whole: Path, folder: Path) -> list[tuple[float, Path]]:
    """Make a file lighter step by step, until nothing more can be done."""
    made: list[tuple[float, Path]] = []
    most = whole.stat().st_size - 1
    while True:
        target = folder / f"light-{len(made)}.pdf"
        try:
            dpi = lighten(whole, most, target)
        except InvalidInput:
            assert not target.exists()
            return made
        assert target.stat().st_size <= most
        made.append((dpi, target))
        most = target.stat().st_size - 1


def lowest(whole: Path, folder: Path) -> Path:
    """Give the file at its lightest."""
    path = folder / "lowest.pdf"
    path.write_bytes(_lightened(whole.read_bytes(), STEPS[-1]))
    assert path.stat().st_size <= whole.stat().st_size
    return path


def image_of(path: Path, page: int = 0) -> StreamObject:
    found = PdfReader(path).pages[page]["/Resources"]["/XObject"]["/I"]
    assert isinstance(found, StreamObject)
    return found


def shown(path: Path) -> list[NDArray[np.int16]]:
    """Draw the pages of a file, coarsely."""
    return [each.astype(np.int16) for each in greys(path, 50)]


def test_no_more_points_are_given_up_than_needed(tmp_path: Path) -> None:
    steps = descent(signed(tmp_path, "grey"), tmp_path)
    assert [dpi for dpi, _ in steps] == [step.dpi for step in STEPS]
    sizes = [path.stat().st_size for _, path in steps]
    assert sizes == sorted(sizes, reverse=True)


def test_the_codes_of_every_side_are_read_at_the_lowest_step(tmp_path: Path) -> None:
    whole = signed(tmp_path, "grey", "colour", "lossless")
    with images.open_scan(lowest(whole, tmp_path)) as scan:
        readings = [codes.read(picture, KEYS) for picture in scan.read()]
    assert [each.verdict for each in readings] == ["coded"] * SIDES
    assert [{(code.side, code.corner) for code in each.codes} for each in readings] == [
        {(side, 0), (side, 1)} for side in (1, 2, 3)
    ]


@pytest.mark.parametrize("kind", STORED)
def test_a_side_looks_the_same_from_afar_however_it_was_stored(tmp_path: Path, kind: str) -> None:
    whole = signed(tmp_path, kind)
    light = lowest(whole, tmp_path)
    (before,), (after,) = shown(whole), shown(light)
    assert np.abs(after - before).mean() < LIKE
    qpdf_check(light.read_bytes(), tmp_path)


@pytest.mark.parametrize(
    ("kind", "space"),
    [
        *(("grey", "/DeviceGray"), ("lossless", "/DeviceGray"), ("dithered", "/DeviceGray")),
        ("colour", "/DeviceRGB"),
    ],
)
def test_grey_stays_grey_and_colours_stay_colours(tmp_path: Path, kind: str, space: str) -> None:
    image = image_of(lowest(signed(tmp_path, kind), tmp_path))
    assert (image["/ColorSpace"], image["/Filter"]) == (space, "/DCTDecode")
    inches = 595.28 / 72, 841.89 / 72
    assert image["/Width"] == pytest.approx(inches[0] * LOWEST, rel=0.02)
    assert image["/Height"] == pytest.approx(inches[1] * LOWEST, rel=0.02)


def test_a_fax_that_would_only_grow_is_left_as_sharp_as_it_is(tmp_path: Path) -> None:
    clean = scanned(master({0: said(0, 1, SIDES)}), 200).image
    stored = [(fax(clean), 200), (STORED["grey"](paper(1)[0]), DPI)]
    copy = write_copy(tmp_path / "copy.pdf", stored)
    sources = [SideSource(1, copy, 0), SideSource(2, copy, 1, paper(1)[1])]
    whole = tmp_path / "signed.pdf"
    with whole.open("wb") as stream:
        bind(sources, replace(FACTS, sides=2, needed=(1, 2)), None, stream)
    light = lowest(whole, tmp_path)
    assert image_of(light)._data == image_of(whole)._data == stored[0][0].data
    assert image_of(light, 1)["/Width"] < image_of(whole, 1)["/Width"]


def test_masks_and_small_pictures_are_left_alone(tmp_path: Path) -> None:
    writer = PdfWriter(clone_from=signed(tmp_path, "grey"))
    (page,) = writer.pages
    named = page["/Resources"]["/XObject"]
    image = named["/I"]
    mask = StreamObject()
    for key in ("/Type", "/Subtype", "/Width", "/Height"):
        mask[NameObject(key)] = image[key]
    mask.update({NameObject("/ImageMask"): BooleanObject(True)})
    mask.update({NameObject("/BitsPerComponent"): NumberObject(1)})
    mask._data = bytes((image["/Width"] + 7) // 8 * image["/Height"])
    small = Image.effect_noise((300, 300), 50)
    logo = StreamObject()
    logo.update({NameObject(key): each for key, each in flate(small).entries.items()})
    logo._data = flate(small).data
    named[NameObject("/M")], named[NameObject("/L")] = map(writer._add_object, (mask, logo))
    whole = tmp_path / "masked.pdf"
    writer.write(whole)
    kept = PdfReader(lowest(whole, tmp_path)).pages[0]["/Resources"]["/XObject"]
    assert kept["/M"]._data == mask._data
    assert kept["/L"]._data == logo._data


def test_pictures_within_forms_are_found_and_shared_ones_reduced_once(tmp_path: Path) -> None:
    writer = PdfWriter(clone_from=signed(tmp_path, "grey"))
    (page,) = writer.pages
    inner = DictionaryObject({NameObject("/XObject"): page["/Resources"]["/XObject"]})
    form = StreamObject()
    form.update({NameObject("/Subtype"): NameObject("/Form"), NameObject("/Resources"): inner})
    form[NameObject("/BBox")] = page.mediabox
    form._data = page.get_contents().get_data()
    outer = DictionaryObject({NameObject("/I"): writer._add_object(form)})
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/XObject"): outer})
    content = StreamObject()
    content._data = b"/I Do"
    page[NameObject("/Contents")] = writer._add_object(content)
    writer.add_page(page)
    whole = tmp_path / "forms.pdf"
    writer.write(whole)
    light = lowest(whole, tmp_path)
    (before, _), (after, again) = shown(whole), shown(light)
    assert np.abs(after - before).mean() < LIKE
    assert (after == again).all()


def test_a_lightened_file_is_still_archival_and_says_what_it_is(tmp_path: Path) -> None:
    whole = signed(tmp_path, "grey", "colour")
    light = lowest(whole, tmp_path)
    assert list(archives.faults(light.read_bytes())) == []
    before, after = PdfReader(whole), PdfReader(light)
    assert after.metadata == before.metadata
    assert after.page_labels == before.page_labels
    assert after.trailer["/ID"][0] != before.trailer["/ID"][0]


def test_the_same_file_gives_the_same_lightened_one(tmp_path: Path) -> None:
    whole = signed(tmp_path, "grey", "colour")
    most = whole.stat().st_size // 2
    targets = [tmp_path / name for name in ("first.pdf", "second.pdf")]
    assert lighten(whole, most, targets[0]) == lighten(whole, most, targets[1]) > 0
    assert targets[0].read_bytes() == targets[1].read_bytes()


def test_a_file_that_is_small_enough_is_copied_as_it_is(tmp_path: Path) -> None:
    whole, target = signed(tmp_path, "grey"), tmp_path / "light.pdf"
    assert lighten(whole, whole.stat().st_size, target) == 0
    assert target.read_bytes() == whole.read_bytes()


def test_what_cannot_be_made_light_enough_is_told_with_what_to_do(tmp_path: Path) -> None:
    whole = signed(tmp_path, "fax")
    (told,) = refusal(lambda: lighten(whole, 5000, tmp_path / "light.pdf"), InvalidInput)
    assert told.what == f"même ramené à {LOWEST} points par pouce, ce fichier est trop lourd."
    assert told.remedy
    assert not (tmp_path / "light.pdf").exists()


def test_what_is_no_pdf_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "given.pdf"
    path.write_bytes(BytesIO(b"no PDF" * 100).getvalue())
    (told,) = refusal(lambda: lighten(path, 100, tmp_path / "light.pdf"), InvalidInput)
    assert told.what == "ce n’est pas un PDF qui s’ouvre."
