"""Files of one image: JPEG, PNG, HEIC. Headers are believed for sizes, and for nothing else."""

import struct
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from docgen.errors import Problem, ScanRejected
from docgen.scanning.picture import (
    BOMBS,
    MAX_DATA,
    MAX_PIXELS,
    UNREADABLE,
    Own,
    Picture,
    fault_of,
    loaded,
    resolution,
    strictly,
)

ORIENTATION = 0x0112  # of EXIF and TIFF
TURNS = {3: 180, 6: 90, 8: 270}  # an orientation, and the degrees clockwise that undo it
FORMATS = {"jpeg": "JPEG", "png": "PNG", "heic": "HEIF"}
PNG_CHANNELS = {0: 1, 2: 3}  # colour types of PNG that PDF takes as they are: grey, RGB
TOO_BIG = Problem(
    "Cette image est trop grande pour être ouverte sans risque.",
    remedy="Numérisez de nouveau, à 300 points par pouce au plus.",
)
AGAIN = "Numérisez de nouveau, ou renvoyez l’image en JPEG, PNG ou PDF."


class OneImage:
    """A file of one image: its header is read at once, its data when they are asked for.

    Raises:
        ScanRejected: when its header is damaged, or announces more than may be opened.
    """

    sides = 1

    def __init__(self, path: Path, kind: str) -> None:
        if path.stat().st_size > MAX_DATA:
            raise ScanRejected(TOO_BIG)
        self._content, self._kind = path.read_bytes(), kind
        with _header(self._content, kind) as header:
            if header.width * header.height > MAX_PIXELS:
                raise ScanRejected(TOO_BIG)

    def close(self) -> None:
        """Let go of the data."""
        self._content = b""

    def read(self, index: int) -> Picture:
        """Read the only side."""
        with _header(self._content, self._kind) as header:
            return self._read(index, header)

    def _read(self, index: int, header: Image.Image) -> Picture:
        dpi, assumed = resolution(*header.size, claimed(header))
        picture = Picture(index, *header.size, dpi, _turned(header, self._kind), assumed=assumed)
        picture.fault = fault_of(*header.size, dpi)
        if picture.fault:
            return picture
        if self._kind == "jpeg" and header.mode in ("L", "RGB"):
            picture.jpeg = self._content
            return picture
        try:
            keep_pixels(picture, loaded(header))
        except ScanRejected:
            return Picture(index, fault="damaged-image")
        picture.redrawn = self._kind != "png"
        if self._kind == "png":
            picture.own = _png_own(self._content)
        return picture


def keep_pixels(picture: Picture, image: Image.Image) -> None:
    """Take the pixels of a decoded image: transparency over white, deep greys to 8 bits."""
    if image.mode == "1":
        picture.bits = 1
    if image.mode in ("PA", "LA", "RGBA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image).convert("RGB")
    elif image.mode.startswith(("I", "F")):
        deep = np.asarray(image).astype(np.float64)
        picture.pixels = (deep / (257 if deep.max(initial=0) > 255 else 1)).astype(np.uint8)
        return
    elif image.mode not in ("1", "L", "RGB"):
        image = image.convert("RGB")
    picture.pixels = np.array(image.convert("L") if image.mode == "1" else image)


def claimed(header: Image.Image) -> float:
    """Give the dots per inch that a header claims; 0 when it claims none."""
    try:
        across, down = (float(value) for value in header.info.get("dpi", (0, 0)))
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0
    return across if across > 0 and abs(across - down) <= 0.05 * across else 0.0


def _header(content: bytes, kind: str) -> Image.Image:
    if kind == "heic":
        import pi_heif

        # One thread, and no thumbnails: what is not asked for is not decoded.
        pi_heif.register_heif_opener(thumbnails=False, decode_threads=1)
    try:
        with strictly():
            return Image.open(BytesIO(content), formats=[FORMATS[kind]])
    except BOMBS as error:
        raise ScanRejected(TOO_BIG) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise ScanRejected(Problem(UNREADABLE, remedy=AGAIN)) from error


def _turned(header: Image.Image, kind: str) -> int:
    """Give the turn that the camera noted; the library has already applied that of HEIC."""
    if kind == "heic":
        return 0
    try:
        return TURNS.get(header.getexif().get(ORIENTATION, 1), 0)
    except (OSError, SyntaxError, ValueError, struct.error):
        return 0


def _png_own(content: bytes) -> Own | None:
    """Give the compressed data of a PNG when PDF takes them (ISO 32000-2, 7.4.4.4)."""
    width, _, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", content[16:29])
    channels = PNG_CHANNELS.get(colour)
    if channels is None or interlaced or bits > 8 or b"tRNS" in content:
        return None
    parts, place = [], 8
    while place + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, place)
        if content[place + 4 : place + 8] == b"IDAT":
            parts.append(content[place + 8 : place + 8 + length])
        place += 12 + length
    return Own(b"".join(parts), flate_entries(width, channels, bits))


def flate_entries(width: int, channels: int, bits: int) -> bytes:
    """Give what decodes the compressed data of a PNG in a PDF."""
    space = b"/DeviceGray" if channels == 1 else b"/DeviceRGB"
    return (
        b"/Filter/FlateDecode/ColorSpace%b/BitsPerComponent %d"
        b"/DecodeParms<</Predictor 15/Colors %d/BitsPerComponent %d/Columns %d>>"
        % (space, bits, channels, bits, width)
    )
