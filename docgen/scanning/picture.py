"""One side of a scan as its file holds it, and what it may weigh."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from docgen.errors import ScanRejected

Pixels = NDArray[np.uint8]
MAX_PIXELS = 40_000_000  # A4 at 600 dpi has 35 million, A3 at 300 dpi 17 million
MAX_DATA = 128 << 20  # bytes of one side as stored: 40 million pixels in colour, not compressed
MAX_SCANS = 50  # of a progressive JPEG: encoders make ten, each costs a walk over all its pixels
MIN_DPI = 80.0  # a module of a code is then 2.3 pixels; below 75 dpi nothing reads them
INCHES = (5.5, 18.0)  # of the longer edge of paper: A6 (5.8) to A3 (16.5)
A4_INCHES = 11.69
BOMBS = Image.DecompressionBombError, Image.DecompressionBombWarning
UNREADABLE = "Cette image est abîmée ou incomplète."

warnings.simplefilter("error", Image.DecompressionBombWarning)


class Own(NamedTuple):
    """Data of a file as a PDF image can take it: the stream, and the entries that decode it."""

    data: bytes
    entries: bytes


@dataclass(slots=True, eq=False)
class Picture:
    """One side: pixels are as stored; `turned` degrees clockwise make it what a viewer shows.

    `fault` is a key of `sorting.REASONS`, or "": with a fault nothing else may be asked.
    `assumed` tells that `dpi` supposes A4 paper, for want of a size that can be believed.
    `redrawn` tells that the pixels are not the file's own: a page of several pieces, HEIC, CMYK.
    Data are in `jpeg`, or in `pixels`: (H, W) greys or (H, W, 3) colours; `bits` is 1 when they
    are black and white alone. `own` is what the file held for the same pixels, when PDF has it.
    """

    index: int
    width: int = 0
    height: int = 0
    dpi: float = 0.0
    turned: int = 0
    fault: str = ""
    assumed: bool = False
    redrawn: bool = False
    jpeg: bytes = b""
    pixels: Pixels | None = None
    bits: int = 8
    own: Own | None = None
    _greys: dict[int, Pixels] = field(default_factory=dict, repr=False)

    def grey(self, reduce: int = 1) -> Pixels:
        """Give its greys, 1, 2 or 4 times smaller, edges rounded up; kept for who asks again.

        Raises:
            ScanRejected: when the data turn out to be damaged.
        """
        if reduce not in self._greys:
            self._greys[reduce] = self._decoded(reduce)
        return self._greys[reduce]

    def at_hand(self, least: int) -> Pixels:
        """Give the smallest greys that are at least so tall, and were asked for already."""
        tall = [grey for grey in self._greys.values() if grey.shape[0] >= least]
        return min(tall, key=len) if tall else self.grey()

    def image(self) -> Image.Image:
        """Give all its pixels, with their colours.

        Raises:
            ScanRejected: when the data turn out to be damaged.
        """
        if self.pixels is not None:
            return Image.fromarray(self.pixels)
        return loaded(jpeg_header(self.jpeg))

    def _decoded(self, reduce: int) -> Pixels:
        if self.pixels is not None:
            if self.pixels.ndim == 2 and reduce == 1:
                return self.pixels
            grey = Image.fromarray(self.pixels).convert("L")
            return np.asarray(grey.reduce(reduce) if reduce > 1 else grey)
        header = jpeg_header(self.jpeg)
        header.draft("L", (self.width // reduce, self.height // reduce))
        return np.asarray(loaded(header).convert("L"))


def jpeg_header(data: bytes) -> Image.Image:
    """Read the header of a JPEG.

    Raises:
        ScanRejected: when there is none, or when it announces more than may be opened.
    """
    try:
        with strictly():
            header = Image.open(BytesIO(data), formats=["JPEG"])
    except (*BOMBS, OSError, SyntaxError, ValueError) as error:
        raise ScanRejected(UNREADABLE) from error
    if "progressive" in header.info and data.count(b"\xff\xda") > MAX_SCANS:
        raise ScanRejected(UNREADABLE)
    return header


@contextmanager
def strictly() -> Iterator[None]:
    """Have Pillow refuse what is cut short: WeasyPrint, once loaded, has it take anything."""
    before = ImageFile.LOAD_TRUNCATED_IMAGES
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = before


def loaded(image: Image.Image) -> Image.Image:
    """Decode an image whose header was read.

    Raises:
        ScanRejected: when its data are damaged.
    """
    try:
        with strictly():
            image.load()
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise ScanRejected(UNREADABLE) from error
    return image


def resolution(width: int, height: int, claimed: float) -> tuple[float, bool]:
    """Give the dots per inch, and whether they had to be supposed.

    What a file claims is believed when it makes a sheet from A6 to A3; else the sheet is A4.
    """
    longest = max(width, height)
    if claimed > 0 and INCHES[0] <= longest / claimed <= INCHES[1]:
        return round(claimed, 2), False
    return round(longest / A4_INCHES, 2), True


def fault_of(width: int, height: int, dpi: float) -> str:
    """Judge a side by its header: a key of `sorting.REASONS`, or ""."""
    if width * height > MAX_PIXELS:
        return "too-big"
    return "too-coarse" if dpi < MIN_DPI else ""
