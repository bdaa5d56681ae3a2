"""Where pages and codes stand on paper, and how sheets are turned over."""

from dataclasses import replace

import pytest

from docgen.manifest import Layout
from docgen.rendering.form import Form
from docgen.rendering.imposition import Imposition, Placement, impose

MM = 72 / 25.4
A4 = Form("", 210 * MM, 297 * MM, {}, b"", ())
QUIET = 18 / 25 * 4  # mm: four modules of a code
MARGIN = 27  # mm, left and right of a template's text
TOP = 34  # mm, above and under a template's text
Box = tuple[float, float, float, float]  # left, bottom, right, top in mm


def imposed(pages: int, of: str = "") -> Imposition:
    return impose(A4, Layout(name="x", title="X", pages=pages, sides=0, sheets=0, of=of))


def text_block(placement: Placement) -> Box:
    """Give where the text of a page comes, as templates lay it out on A4."""
    scale, x, y = placement.scale, placement.x / MM, placement.y / MM
    left, bottom, right, top = MARGIN, TOP, 210 - MARGIN, 297 - TOP
    return (x + scale * left, y + scale * bottom, x + scale * right, y + scale * top)


def code_block(x: float, y: float) -> Box:
    x, y = x / MM, y / MM
    return (x - QUIET, y - QUIET, x + 18 + QUIET, y + 18 + QUIET)


def apart(one: Box, other: Box) -> bool:
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


@pytest.mark.parametrize("pages", range(1, 10))
def test_a_page_a_side_is_left_as_it_is(pages: int) -> None:
    imposition = imposed(pages)
    assert imposition.sides == tuple((Placement(page),) for page in range(pages))
    assert (imposition.width, imposition.height) == (A4.width, A4.height)
    assert imposition.sheets == [0, 1, 1, 2, 2, 3, 3, 4, 4, 5][pages]
    assert imposition.flip == "grand côté"


@pytest.mark.parametrize("pages", range(1, 10))
def test_reduced_pages_stand_two_on_a_landscape_side_in_order(pages: int) -> None:
    imposition = imposed(pages, of="x")
    order = [[placement.page for placement in side] for side in imposition.sides]
    assert order == [
        [page for page in (first, first + 1) if page < pages] for first in range(0, pages, 2)
    ]
    assert (imposition.width, imposition.height) == (A4.height, A4.width)
    assert imposition.sheets == [0, 1, 1, 1, 1, 2, 2, 2, 2, 3][pages]
    assert imposition.flip == "petit côté"


def test_a_page_is_reduced_from_a4_to_a5() -> None:
    for placement in imposed(2, of="x").sides[0]:
        assert placement.scale == pytest.approx(0.7071, abs=1e-4)


def test_the_first_page_of_a_pair_is_at_the_left() -> None:
    left, right = imposed(2, of="x").sides[0]
    assert text_block(left)[2] < 297 / 2 < text_block(right)[0]


def test_a_last_page_alone_stands_where_the_others_do() -> None:
    sides = imposed(5, of="x").sides
    assert sides[2] == (Placement(4, sides[0][0].scale, sides[0][0].x, sides[0][0].y),)


def test_reduced_texts_are_10_mm_apart_and_as_far_from_both_edges() -> None:
    left, right = map(text_block, imposed(2, of="x").sides[0])
    assert right[0] - left[2] == pytest.approx(10)
    assert left[0] == pytest.approx(297 - right[2])
    assert left[1] == right[1] == pytest.approx(210 - left[3])


@pytest.mark.parametrize("of", ["", "x"])
@pytest.mark.parametrize("three", [False, True])
def test_codes_stand_12_mm_from_the_edges(of: str, three: bool) -> None:
    imposition = replace(imposed(2, of), codes=3 if three else 2)
    width, height = imposition.width / MM, imposition.height / MM
    found = {number: (x / MM, y / MM) for number, x, y in imposition.code_corners()}
    expected = {0: (width - 30, height - 30), 1: (12, 12), 2: (12, height - 30)}
    assert found.keys() == (expected.keys() if three else {0, 1})
    for number, place in found.items():
        assert place == pytest.approx(expected[number])


def test_the_codes_of_a_side_are_drawn_from_the_top() -> None:
    assert [number for number, _, _ in imposed(1).code_corners()] == [0, 1]


@pytest.mark.parametrize("of", ["", "x"])
def test_neither_codes_nor_their_quiet_zones_meet_a_text(of: str) -> None:
    imposition = imposed(4, of)
    for side in imposition.sides:
        boxes = [text_block(placement) for placement in side]
        boxes += [code_block(x, y) for _, x, y in imposition.code_corners()]
        for index, box in enumerate(boxes):
            assert 0 <= box[0] < box[2] <= imposition.width / MM
            assert 0 <= box[1] < box[3] <= imposition.height / MM
            assert all(apart(box, other) for other in boxes[:index])
