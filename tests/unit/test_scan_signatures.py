"""Signatures: ink in a zone is found on any scan, and print, specks and lines are no ink."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from math import isnan
from typing import Any

import numpy as np
import pytest
from PIL import Image

from docgen.rendering.imposition import SideZone
from docgen.scanning import codes
from docgen.scanning.findings import Matrix
from docgen.scanning.picture import Picture
from docgen.scanning.signatures import Printed, Zone, is_signed, is_sure, measure, printed
from samples import scanner, scanning_files
from samples import scanning_paper as paperwork
from samples.scanner import Paper, Recipe
from tests.helpers import KEY, PERSON, bound, job

SIGNED_SIDE = 3
DPI = 150
RECIPES = {
    "office": Recipe("office"),
    "100 dpi": Recipe("100 dpi", dpi=100),
    "300 dpi, upside down": Recipe("300 dpi", dpi=300, turn=180),
    "1-bit": Recipe("1-bit", mode="bitonal", threshold=160),
    "JPEG 20": Recipe("JPEG 20", quality=20),
    "low contrast": Recipe("low contrast", black=120, white=200),
    "skew 3": Recipe("skew 3", skew=3.0),
    "noise": Recipe("noise", noise=12.0),
    "blur": Recipe("blur", blur=1.5),
    "photocopied": Recipe("photocopied", copies=2),
    "shining through": Recipe("shining through", through=40.0),
    "phone": Recipe("phone", mode="phone", tilt=0.02, shadow=0.4),
}


@dataclass
class Side:
    """A printed side, and the same as the service draws it again."""

    paper: Paper
    printed: Printed


@pytest.fixture(scope="module")
def side() -> Side:
    made = job([PERSON])
    documents = list(made.documents())
    content, _ = bound(made, documents)
    *_, paper = scanner.print_out(made.run, documents)
    assert paper.side == SIGNED_SIDE
    return Side(paper, printed(content, SIGNED_SIDE - 1, DPI))


def back_of(paper: Paper) -> Paper:
    """Give another side whose text shines through; its codes are another matter."""
    picture = paper.picture.copy()
    picture[:500] = picture[-500:] = 255
    return replace(paper, picture=picture, _sizes={})


def zone_of(zone: SideZone) -> Zone:
    box = (zone.x, zone.y, zone.width, zone.height)
    return Zone(name=zone.name, label=zone.name, side=zone.side, box=box)


def inks(
    side: Side,
    recipe: Recipe,
    rng: np.random.Generator,
    **options: Any,  # noqa: ANN401
) -> Iterator[tuple[str, float]]:
    """Scan a side and give the ink of each of its zones."""
    paper = options.pop("paper", side.paper)
    scan = scanner.scan(paper, recipe, rng, **options)
    picture = picture_of(scan)
    reading = codes.read(picture, {KEY.number: KEY})
    assert reading.verdict == "coded"
    assert reading.matrix
    for zone in side.paper.zones:
        yield zone.name, measure(picture, reading.matrix, zone_of(zone), side.printed)


def picture_of(scan: scanner.Scan) -> Picture:
    width, height = scan.image.size
    if scan.image.mode == "1":
        pixels = np.asarray(scan.image.convert("L"))
        return Picture(0, width, height, float(scan.dpi), pixels=pixels, bits=1)
    return Picture(0, width, height, float(scan.dpi), jpeg=scanning_files.jpeg_data(scan))


@pytest.mark.parametrize("name", RECIPES)
def test_signed_zones_are_told_from_empty_ones_however_they_are_scanned(
    side: Side, name: str
) -> None:
    rng = np.random.default_rng(list(RECIPES).index(name))
    names = [zone.name for zone in side.paper.zones]
    for signed in (names[:1], names[1:], []):
        options = {"signed": signed, "marks": 3, "behind": back_of(side.paper)}
        for zone, ink in inks(side, RECIPES[name], rng, **options):
            assert is_signed(ink) == (zone in signed), (zone, ink)


@pytest.mark.parametrize("what", ["stroke", "stamp", "fold", "staple"])
def test_what_befalls_a_corner_is_no_signature(side: Side, what: str) -> None:
    rng = np.random.default_rng(5)
    recipe = Recipe(what, damages=(scanner.Damage(what, 1, "black"),))
    found = [ink for _ in range(3) for _, ink in inks(side, recipe, rng)]
    assert sum(map(is_signed, found)) == 0


def test_small_initials_of_a_thin_pen_are_a_signature(side: Side) -> None:
    rng = np.random.default_rng(9)
    for _ in range(5):
        picture = side.paper.picture
        for zone in side.paper.zones:
            left, top = side.paper.place(zone.x, zone.y + zone.height)
            curve = paperwork.signature_curve(rng, 8.0, 5.0) + np.array((left + 10, top + 5))
            picture = paperwork.stroke(picture, 300, [curve], 0.25, rng, ink="blue")
        paper = replace(side.paper, picture=picture, _sizes={})
        assert all(is_signed(ink) for _, ink in inks(side, Recipe("thin"), rng, paper=paper))


def test_ink_of_the_neighbours_is_not_counted(side: Side) -> None:
    """A date written above a zone, over its edge by little, leaves it empty."""
    rng = np.random.default_rng(3)
    zone = side.paper.zones[0]
    left, top = side.paper.place(zone.x, zone.y + zone.height)
    place = np.array((left + 5, top - 4.5))
    lines = [line + place for line in paperwork.written_line(rng, 40, 5.0)]
    picture = paperwork.stroke(side.paper.picture, 300, lines, 0.4, rng, ink="black")
    paper = replace(side.paper, picture=picture, _sizes={})
    found = dict(inks(side, Recipe("date"), rng, paper=paper))
    assert not is_signed(found[zone.name])


@pytest.mark.parametrize("shift", [(2.0, 0.0), (-1.5, 2.0), (0.0, -2.0)])
def test_codes_that_mislead_by_two_millimetres_do_no_harm(
    side: Side, shift: tuple[float, float]
) -> None:
    rng = np.random.default_rng(11)
    name = side.paper.zones[0].name
    picture = picture_of(scanner.scan(side.paper, Recipe("office"), rng, signed=[name]))
    reading = codes.read(picture, {KEY.number: KEY})
    assert reading.matrix
    a, b, c, d, e, f = reading.matrix
    wrong = Matrix(a, b, c, d, e + shift[0] * 72 / 25.4, f + shift[1] * 72 / 25.4)
    for zone in side.paper.zones:
        ink = measure(picture, wrong, zone_of(zone), side.printed)
        assert is_signed(ink) == (zone.name == name), (zone.name, ink)


def test_a_zone_that_the_picture_cuts_off_is_told_and_is_not_signed(side: Side) -> None:
    whole = Image.fromarray(side.paper.picture)
    zone = side.paper.zones[0]
    low = round((1 - (zone.y + zone.height / 2) / 841.89) * whole.height)
    half = np.asarray(whole.crop((0, 0, whole.width, low)))
    picture = Picture(0, whole.width, low, 300.0, pixels=half)
    scale = 72 / 300
    matrix = Matrix(scale, 0, 0, -scale, 0, whole.height * scale)
    ink = measure(picture, matrix, zone_of(zone), side.printed)
    assert isnan(ink)
    assert not is_signed(ink)


def test_ink_is_measured_in_square_millimetres(side: Side) -> None:
    zone = side.paper.zones[0]
    left, top = side.paper.place(zone.x, zone.y + zone.height)
    ring = np.linspace(0, 2 * np.pi, 80)
    circle = np.column_stack((np.cos(ring), np.sin(ring))) * 5 + (left + 15, top + 9)
    rng = np.random.default_rng(0)
    picture = paperwork.stroke(side.paper.picture, 300, [circle], 1.0, rng, ink="black")
    drawn = Picture(0, picture.shape[1], picture.shape[0], 300.0, pixels=picture)
    matrix = Matrix(0.24, 0, 0, -0.24, 0, picture.shape[0] * 0.24)
    ink = measure(drawn, matrix, zone_of(zone), side.printed)
    assert ink == pytest.approx(2 * np.pi * 5, rel=0.25)


def test_an_empty_side_is_drawn_whole_and_upright() -> None:
    content = BytesIO()
    Image.new("L", (100, 200), 255).save(content, "PDF", resolution=72)
    assert printed(content.getvalue(), 0, 144).picture.shape == (400, 200)


@pytest.mark.parametrize(
    ("codes", "size", "scale", "sure"),
    [
        (2, (1860, 2480), 0.41, True),
        (1, (1654, 2339), 0.36, True),
        (1, (2339, 1654), 0.36, True),
        (1, (1860, 2480), 0.36, False),  # 4:3, as photographs are
        (1, (1654, 2339), 0.41, False),
        (1, (1654, 2200), 0.36, False),
    ],
)
def test_one_code_is_enough_on_a_whole_scan_alone(
    codes: int, size: tuple[int, int], scale: float, sure: bool
) -> None:
    assert is_sure(codes, Matrix(scale, 0, 0, -scale, 0, 842), size, 200) is sure
