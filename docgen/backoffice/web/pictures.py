"""Pages as pictures for the screens: pdfium draws one at a time, whoever asks."""

from io import BytesIO
from pathlib import Path
from threading import Lock

from docgen.rendering import pictures

DPI = 80  # A4 is 660 pixels wide
LEVELS = [round(level / 17) * 17 for level in range(256)]
_DRAWING = Lock()  # pdfium is not made for threads, and the server answers in several


def png(pdf: bytes | Path, page: int = 0, dpi: float = DPI) -> bytes:
    """Draw one page that the file has, counted from 0, as a PNG file of 16 greys."""
    from PIL import Image

    with _DRAWING:
        (grey,) = pictures.greys(pdf, dpi * pictures.FINER, [page])
    picture = BytesIO()
    # Levels that are fixed take a fifth of the time of those that are chosen, and no more bytes.
    Image.fromarray(grey).reduce(pictures.FINER).point(LEVELS).save(picture, "PNG")
    return picture.getvalue()
