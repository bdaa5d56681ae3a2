"""Where a side lies: from codes read on known sheets, in mm."""

import pytest

from docgen.rendering import imposition
from docgen.scanning import codes, geometry
from docgen.scanning.findings import Matrix
from tests.unit.drawn_sides import KEYS, laid, master, said, worst

TWO = {0: said(0), 1: said(1)}


def test_codes_stand_where_they_are_printed() -> None:
    for size in (geometry.A4, geometry.A4[::-1]):
        printed = imposition.Imposition(((),), *size, flip="", codes=3)
        for corner, x, y in printed.code_corners():
            left, bottom = geometry.code_box(corner, size)[3]
            assert (left, bottom) == pytest.approx((x, y))
            assert geometry.code_box(corner, size)[1] == pytest.approx(
                (x + imposition.CODE_SIZE, y + imposition.CODE_SIZE)
            )


@pytest.mark.parametrize("landscape", [False, True])
@pytest.mark.parametrize(
    ("dpi", "turns", "skew", "shift"),
    [
        (100, 0, 0.0, (0.0, 0.0)),
        (200, 1, 0.4, (2.0, -3.0)),
        (200, 2, -1.3, (0.0, 1.0)),
        (100, 3, 2.6, (-1.0, 0.5)),
    ],
)
def test_two_codes_place_a_side_within_a_third_of_a_millimetre(
    dpi: int, turns: int, skew: float, shift: tuple[float, float], landscape: bool
) -> None:
    drawn = master(TWO, landscape=landscape)
    sheet, true = laid(drawn, dpi, turns=turns, skew=skew, shift=shift)
    reading = codes.read(sheet, KEYS)
    assert reading.matrix is not None
    assert worst(reading.matrix, true, sheet) <= 0.3
    assert reading.rotation == -turns * 90 % 360
    assert reading.skew == pytest.approx(-skew, abs=0.1)


@pytest.mark.parametrize("corner", [0, 1, 2])
@pytest.mark.parametrize(
    ("dpi", "turns", "skew"), [(200, 0, 0.0), (100, 1, 1.7), (100, 2, -0.6), (200, 3, -2.3)]
)
def test_one_code_places_a_side_within_two_millimetres(
    dpi: int, turns: int, skew: float, corner: int
) -> None:
    sheet, true = laid(master({corner: said(corner)}), dpi, turns=turns, skew=skew)
    reading = codes.read(sheet, KEYS)
    assert reading.matrix is not None
    assert worst(reading.matrix, true, sheet) <= 2.0


@pytest.mark.parametrize("stretch", [0.98, 1.02])
def test_a_sheet_drawn_too_fast_through_the_feeder_is_recognised(stretch: float) -> None:
    sheet, true = laid(master(TWO), 200, skew=0.5, stretch=stretch)
    reading = codes.read(sheet, KEYS)
    assert reading.matrix is not None
    assert worst(reading.matrix, true, sheet) <= 1.0


def test_a_matrix_and_its_inverse_undo_each_other() -> None:
    matrix = Matrix(0.35, 0.01, 0.02, -0.36, -12.0, 850.0)
    there = matrix.point(120.0, 340.0)
    assert matrix.inverse().point(*there) == pytest.approx((120.0, 340.0))
