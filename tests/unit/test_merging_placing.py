"""Images of scans are laid straight on their paper by a matrix alone."""

import math

import pytest

from docgen.scanning.findings import Matrix
from docgen.scanning.placing import Size, believable, drawing, fitted

A4 = Size(595.28, 841.89)
PIXELS = Size(1240, 1754)  # A4 at 150 dpi
SCALE = 72 / 150


def lying(
    askew: float = 0.0, scale: float = SCALE, stretch: float = 1.0, at: tuple[float, float] = (0, 0)
) -> Matrix:
    """Give the matrix of an image whose middle is so far from the middle of its side."""
    cos, sin = math.cos(math.radians(askew)) * scale, math.sin(math.radians(askew)) * scale
    a, b, c, d = cos, -sin, -sin * stretch, -cos * stretch
    x, y = PIXELS.width / 2, PIXELS.height / 2
    e = A4.width / 2 + at[0] - a * x - c * y
    return Matrix(a, b, c, d, e, A4.height / 2 + at[1] - b * x - d * y)


@pytest.mark.parametrize("askew", [0, 7.9, -7.9, 90, 180, 270, 172.5, -97])
@pytest.mark.parametrize("scale", [SCALE, SCALE / 3, SCALE * 3])
def test_an_image_as_feeders_and_telephones_give_it_is_believed(askew: float, scale: float) -> None:
    assert believable(lying(askew, scale), PIXELS, A4)


def test_a_fax_has_pixels_higher_than_wide() -> None:
    assert believable(lying(1, SCALE * 0.8, 204 / 98), PIXELS, A4)


@pytest.mark.parametrize(
    "matrix",
    [
        lying(8.5),
        lying(45),
        lying(0, SCALE / 5),
        lying(0, SCALE * 5),
        lying(0, SCALE, 3),
        lying(at=(400, 0)),
        lying(at=(0, -600)),
        lying()._replace(a=-SCALE),
        lying()._replace(c=SCALE / 2),
        lying()._replace(a=math.nan),
        lying()._replace(e=math.inf),
        Matrix(0, 0, 0, 0, 0, 0),
    ],
    ids=str,
)
def test_what_no_scanner_does_is_not_believed(matrix: Matrix) -> None:
    assert not believable(matrix, PIXELS, A4)


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
@pytest.mark.parametrize("paper", [A4, Size(A4.height, A4.width)])
def test_an_image_is_turned_by_quarters_and_as_large_as_its_paper_allows(
    turned: int, paper: Size
) -> None:
    pixels = Size(2000, 1000)
    matrix = fitted(pixels, Size(400, 400), turned, paper)  # pixels higher than wide
    corners = [matrix.point(x, y) for x in (0, pixels.width) for y in (0, pixels.height)]
    left, right = (end(x for x, _ in corners) for end in (min, max))
    low, high = (end(y for _, y in corners) for end in (min, max))
    shorter = min(paper)
    assert (right - left, high - low) == pytest.approx((shorter, shorter))
    assert (left + right, low + high) == pytest.approx(paper)
    up = matrix.point(1000, 0)[1] - matrix.point(1000, 1000)[1]
    across = matrix.point(0, 500)[1] - matrix.point(2000, 500)[1]
    # Turned clockwise by 90 degrees, what was on the left is on top.
    assert (round(up / shorter), round(across / shorter)) == {
        0: (1, 0),
        90: (0, 1),
        180: (-1, 0),
        270: (0, -1),
    }[turned]


def test_the_unit_square_of_an_image_is_drawn_where_its_pixels_lie() -> None:
    matrix = lying(3)
    a, b, c, d, e, f = drawing(matrix, PIXELS)
    for x, y in [(0, 0), (PIXELS.width, 0), (0, PIXELS.height), (300, 400)]:
        u, v = x / PIXELS.width, 1 - y / PIXELS.height
        assert (a * u + c * v + e, b * u + d * v + f) == pytest.approx(matrix.point(x, y))
