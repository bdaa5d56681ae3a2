"""Pages as pictures, drawn by pdfium: for previews, and to look where nothing may stand."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pypdfium2
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
FINER = 3  # drawn finer, then reduced: at 100 dpi pdfium moves letters to whole pixels


def greys(pdf: bytes | Path, dpi: float, pages: list[int] | None = None) -> Iterator[Grey]:
    """Draw pages (all of them, or those numbers from 0) as arrays of grey levels.

    Raises:
        IndexError: for a page that the file does not have.
    """
    document = pypdfium2.PdfDocument(pdf)
    there = range(len(document))
    try:
        for index in there if pages is None else pages:
            if index not in there:  # pdfium takes a number for another one past 32 bits
                raise IndexError(index)
            bitmap = document[index].render(scale=dpi / 72, grayscale=True)
            yield bitmap.to_numpy().reshape(bitmap.height, -1)[:, : bitmap.width].copy()
    finally:
        document.close()


def save_png(pdf: Path, page: int, dpi: float, target: Path) -> None:
    """Draw one page, counted from 0, into a PNG file of 16 greys."""
    from PIL import Image

    (picture,) = greys(pdf, dpi * FINER, [page])
    Image.fromarray(picture).reduce(FINER).quantize(16).save(target, optimize=True)
