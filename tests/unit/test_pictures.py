"""Pages drawn as pictures: of the right size, the right way up, black where there is ink."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from docgen.rendering.pdf import PdfStream
from docgen.rendering.pictures import greys, save_png


def drawn(*contents: bytes) -> bytes:
    """Write pages of 100 by 50 points."""
    out = BytesIO()
    pdf = PdfStream(out)
    tree, root = pdf.reserve(), pdf.reserve()
    pages = []
    for content in contents:
        page, own = pdf.reserve(), pdf.reserve()
        pdf.stream(own, content)
        pdf.object(page, b"<</Type/Page/Parent %d 0 R/Contents %d 0 R>>" % (tree, own))
        pages.append(b"%d 0 R" % page)
    kids = (len(pages), b" ".join(pages))
    pdf.object(tree, b"<</Type/Pages/Count %d/Kids[%b]/MediaBox[0 0 100 50]>>" % kids)
    pdf.object(root, b"<</Type/Catalog/Pages %d 0 R>>" % tree)
    pdf.close(root)
    return out.getvalue()


BLACK_CORNER = b"0 g 0 25 50 25 re f"  # the top left quarter
FULL = b"0 g 0 0 100 50 re f"
BARE = b"% nothing"


def test_a_page_is_drawn_with_its_top_first_in_levels_of_grey() -> None:
    (picture,) = greys(drawn(BLACK_CORNER), 72)
    assert picture.shape == (50, 100)
    assert picture.dtype == np.uint8
    assert (picture[:24, :49] == 0).all()
    assert (picture[26:] == 255).all()
    assert (picture[:, 51:] == 255).all()


@pytest.mark.parametrize(("dpi", "shape"), [(144, (100, 200)), (36, (25, 50)), (73, (51, 102))])
def test_resolution_decides_the_size(dpi: int, shape: tuple[int, int]) -> None:
    (picture,) = greys(drawn(BARE), dpi)
    assert picture.shape == shape


def test_all_the_pages_are_drawn_or_those_asked_for() -> None:
    content = drawn(BARE, FULL, BLACK_CORNER)
    assert [int(page.mean()) for page in greys(content, 72)] == [255, 0, 191]
    assert [int(page.mean()) for page in greys(content, 72, [2, 1])] == [191, 0]


def test_a_page_is_saved_as_png(tmp_path: Path) -> None:
    (tmp_path / "file.pdf").write_bytes(drawn(BARE, BLACK_CORNER))
    save_png(tmp_path / "file.pdf", 1, 72, tmp_path / "page.png")
    with Image.open(tmp_path / "page.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (100, 50))
        grey = picture.convert("L")
        assert (grey.getpixel((5, 5)), grey.getpixel((95, 45))) == (0, 255)


@pytest.mark.parametrize("page", [1, -1, 2**32, 10**30])
def test_a_page_that_is_not_there_is_no_other_one(page: int) -> None:
    with pytest.raises(IndexError):
        next(greys(drawn(FULL), 72, [page]))
