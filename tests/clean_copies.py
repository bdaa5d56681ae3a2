"""Scans of printed sides and clean copies of them, for tests of what is bound from them."""

import math
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, TiffTags
from pypdf import PdfWriter
from pypdf.generic import (
    BooleanObject,
    DictionaryObject,
    EncodedStreamObject,
    NameObject,
    NumberObject,
    StreamObject,
)

from docgen.rendering import pictures
from docgen.scanning.findings import Matrix

ROWS_PER_STRIP = next(tag for tag, name in TiffTags.TAGS_V2.items() if name.name == "RowsPerStrip")


class Scan(NamedTuple):
    """A scanned side: the image as a scanner gives it, its resolution, and where its pixels lie."""

    image: Image.Image
    dpi: int
    matrix: Matrix


class Stored(NamedTuple):
    """An image as a PDF stores it: its encoded bytes and what its dictionary says."""

    data: bytes
    entries: dict[str, object]


def scanned(side: pictures.Grey, dpi: int, turned: int = 0, skew: float = 0.0) -> Scan:
    """Scan a side: turned clockwise by `turned` + `skew` degrees, its image is upright.

    Where pixels lie on the side is known here by construction.
    """
    upright = Image.fromarray(np.ascontiguousarray(side))
    width, height = upright.size
    size = (height, width) if turned % 180 else (width, height)
    angle = math.radians(turned + skew)
    cos, sin = math.cos(angle), math.sin(angle)
    x = width / 2 - cos * size[0] / 2 + sin * size[1] / 2
    y = height / 2 - sin * size[0] / 2 - cos * size[1] / 2
    image = upright.transform(
        size,
        Image.Transform.AFFINE,
        (cos, -sin, x, sin, cos, y),
        Image.Resampling.BICUBIC,
        fillcolor=255,
    )
    scale = 72 / dpi
    matrix = (cos, -sin, -sin, -cos, x, height - y)
    return Scan(image, dpi, Matrix(*(value * scale for value in matrix)))


def jpeg(image: Image.Image, mode: str = "L", quality: int = 75) -> Stored:
    """Store an image as JPEG, grey (L) or in colour (RGB)."""
    stream = BytesIO()
    image.convert(mode).save(stream, "JPEG", quality=quality)
    space = "/DeviceGray" if mode == "L" else "/DeviceRGB"
    return _stored(image, stream.getvalue(), "/DCTDecode", space, 8)


def flate(image: Image.Image) -> Stored:
    """Store an image in grey, without loss."""
    import zlib

    data = zlib.compress(image.convert("L").tobytes())
    return _stored(image, data, "/FlateDecode", "/DeviceGray", 8)


def fax(image: Image.Image) -> Stored:
    """Store an image as a fax does (ITU-T T.6), black and white."""
    stream = BytesIO()
    black = image.convert("1", dither=Image.Dither.NONE)
    rows = {ROWS_PER_STRIP: image.height}
    black.save(stream, "TIFF", compression="group4", tiffinfo=rows)
    tags = Image.open(stream).tag_v2  # type: ignore[attr-defined]
    ((start,), (length,)) = tags[273], tags[279]
    stored = _stored(image, stream.getvalue()[start : start + length], "/CCITTFaxDecode", "", 1)
    parameters = {
        "/K": NumberObject(-1),
        "/Columns": NumberObject(image.width),
        "/Rows": NumberObject(image.height),
        "/BlackIs1": BooleanObject(True),
    }
    named = {NameObject(key): value for key, value in parameters.items()}
    return Stored(stored.data, {**stored.entries, "/DecodeParms": DictionaryObject(named)})


def write_copy(path: Path, sides: Iterable[tuple[Stored | None, int]]) -> Path:
    """Write a clean copy: a page for each image and its resolution; no image is an empty page."""
    writer = PdfWriter()
    for stored, dpi in sides:
        if stored is None:
            writer.add_blank_page(595, 842)
            continue
        width, height = stored.entries["/Width"], stored.entries["/Height"]
        page = writer.add_blank_page(float(str(width)) * 72 / dpi, float(str(height)) * 72 / dpi)
        image = EncodedStreamObject()
        image.update({NameObject(key): value for key, value in stored.entries.items()})
        image._data = stored.data
        named = DictionaryObject({NameObject("/I0"): writer._add_object(image)})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/XObject"): named})
        contents = StreamObject()
        contents.set_data(f"{page.mediabox.width} 0 0 {page.mediabox.height} 0 0 cm/I0 Do".encode())
        page[NameObject("/Contents")] = writer._add_object(contents)
    writer.write(path)
    return path


def _stored(image: Image.Image, data: bytes, form: str, space: str, bits: int) -> Stored:
    entries: dict[str, object] = {
        "/Type": NameObject("/XObject"),
        "/Subtype": NameObject("/Image"),
        "/Width": NumberObject(image.width),
        "/Height": NumberObject(image.height),
        "/BitsPerComponent": NumberObject(bits),
        "/ColorSpace": NameObject(space or "/DeviceGray"),
        "/Filter": NameObject(form),
    }
    return Stored(data, entries)
