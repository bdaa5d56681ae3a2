"""The sides of a TIFF: each directory becomes a small TIFF of its own, with its data alone.

So a file of 2,000 faxes costs no more memory than one side, what is announced is compared with
what the file holds before anything is decoded, and only the tags below are ever looked at.
"""

import struct
from io import SEEK_END, BytesIO
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from docgen.errors import Problem, ScanRejected
from docgen.scanning.picture import (
    MAX_DATA,
    Own,
    Picture,
    fault_of,
    jpeg_header,
    loaded,
    resolution,
    strictly,
)
from docgen.scanning.rasters import TURNS, keep_pixels

# Bytes of a value, by its type (TIFF 6.0, section 2): byte, ASCII, short, long, rational.
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER = 256, 257, 258, 259, 262, 266
STRIPS, ORIENTATION, SAMPLES, STRIP_BYTES, ACROSS, DOWN = 273, 274, 277, 279, 282, 283
UNIT, TILES, TILE_BYTES, TABLES = 296, 324, 325, 347
KEPT = {
    *(WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, FILL_ORDER, STRIPS, SAMPLES, STRIP_BYTES),
    *(278, 284, 292, 293, 317, 320, 322, 323, TILES, TILE_BYTES, 338, 339, TABLES, 530, 532),
}
FAX4, JPEG = 4, 7
CENTIMETRES = 3
MAX_TAGS = 200
MAX_VALUES = 1 << 20  # bytes of one value: the largest are offsets, of a strip a row
DAMAGED = Problem(
    "Ce TIFF est abîmé ou incomplet.", remedy="Envoyez-le de nouveau, ou numérisez de nouveau."
)
Tags = dict[int, tuple[int, bytes]]  # a tag, and the type and bytes of its values


class TiffSides:
    """A TIFF, opened: where its directories stand."""

    def __init__(self, path: Path, most: int) -> None:
        self._stream: BinaryIO = path.open("rb")
        head = self._stream.read(8)
        self._order = "<" if head[:2] == b"II" else ">"
        try:
            self._places = self._directories(head, most)
        except (struct.error, ScanRejected) as error:
            self._stream.close()
            raise ScanRejected(DAMAGED) from error
        self.sides = len(self._places)

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def read(self, index: int) -> Picture:
        """Read one side; what cannot be opened is told by its fault."""
        try:
            tags = self._tags(self._places[index])
            picture = self._picture(index, tags)
            if not picture.fault:
                self._decode(picture, tags)
        except (ScanRejected, struct.error):
            return Picture(index, fault="damaged-image")
        return picture

    def _unpack(self, form: str, data: bytes) -> tuple[int, ...]:
        return struct.unpack(self._order + form, data)

    def _directories(self, head: bytes, most: int) -> list[int]:
        """Follow the chain of directories; one side more than allowed is enough to tell."""
        (place,) = self._unpack("I", head[4:])
        places: list[int] = []
        seen: set[int] = set()
        while place and len(places) <= most:
            if place in seen:
                raise ScanRejected(DAMAGED)
            seen.add(place)
            places.append(place)
            self._stream.seek(place)
            (count,) = self._unpack("H", self._stream.read(2))
            self._stream.seek(12 * count, 1)
            (place,) = self._unpack("I", self._stream.read(4))
        if not places:
            raise ScanRejected(DAMAGED)
        return places

    def _tags(self, place: int) -> Tags:
        self._stream.seek(place)
        (count,) = self._unpack("H", self._stream.read(2))
        entries = self._stream.read(12 * min(count, MAX_TAGS))
        tags: Tags = {}
        for start in range(0, len(entries), 12):
            tag, kind, many = self._unpack("HHI", entries[start : start + 8])
            size = SIZES.get(kind, 0) * many
            if not 0 < size <= MAX_VALUES:
                continue
            value = entries[start + 8 : start + 12][:size]
            if size > 4:
                (where,) = self._unpack("I", entries[start + 8 : start + 12])
                value = self._at(where, size)
            tags[tag] = kind, value
        return tags

    def _at(self, place: int, size: int) -> bytes:
        self._stream.seek(place)
        data = self._stream.read(size)
        if len(data) != size:
            raise ScanRejected(DAMAGED)
        return data

    def _values(self, tags: Tags, tag: int, default: int = 0) -> list[int]:
        kind, value = tags.get(tag, (0, b""))
        form = {1: "B", 3: "H", 4: "I", 5: "I"}.get(kind)
        if form is None:
            return [default]
        return list(self._unpack(f"{len(value) // struct.calcsize('=' + form)}{form}", value))

    def _picture(self, index: int, tags: Tags) -> Picture:
        (width, *_), (height, *_) = self._values(tags, WIDTH), self._values(tags, HEIGHT)
        if not width or not height:
            raise ScanRejected(DAMAGED)
        across, down = self._claimed(tags, ACROSS), self._claimed(tags, DOWN)
        claimed = across if across and abs(across - down) <= 0.05 * across else 0.0
        dpi, assumed = resolution(width, height, claimed)
        turned = TURNS.get(self._values(tags, ORIENTATION)[0], 0)
        picture = Picture(index, width, height, dpi, turned, assumed=assumed)
        picture.fault = fault_of(width, height, dpi)
        return picture

    def _claimed(self, tags: Tags, tag: int) -> float:
        top, *bottom = self._values(tags, tag)
        scale = 2.54 if self._values(tags, UNIT)[0] == CENTIMETRES else 1.0
        return top / bottom[0] * scale if bottom and bottom[0] else 0.0

    def _decode(self, picture: Picture, tags: Tags) -> None:
        strips = self._strips(tags)
        is_single = len(strips) == 1 and TILES not in tags
        compression = self._values(tags, COMPRESSION)[0]
        if compression == JPEG and is_single and self._values(tags, PHOTOMETRIC)[0] in (1, 6):
            data = _joined(tags.get(TABLES, (0, b""))[1], self._at(*strips[0]))
            header = jpeg_header(data)
            if header.size == (picture.width, picture.height) and header.mode in ("L", "RGB"):
                picture.jpeg = data
                return
        try:
            with strictly():
                image = Image.open(self._alone(tags, strips), formats=["TIFF"])
        except (OSError, SyntaxError, ValueError, KeyError) as error:
            raise ScanRejected(DAMAGED) from error
        if image.size != (picture.width, picture.height):
            raise ScanRejected(DAMAGED)
        keep_pixels(picture, loaded(image))
        if compression == FAX4 and is_single and self._values(tags, FILL_ORDER, 1)[0] == 1:
            picture.own = Own(self._at(*strips[0]), b"/Filter/CCITTFaxDecode")
        self._square(picture, self._claimed(tags, ACROSS), self._claimed(tags, DOWN))

    def _square(self, picture: Picture, across: float, down: float) -> None:
        """Stretch a fax whose pixels are not square (204 by 98 dots per inch, ITU-T T.4)."""
        finest, coarsest = max(across, down), min(across, down)
        if not 0 < coarsest < finest * 0.95 <= 3 * coarsest or picture.pixels is None:
            return
        width, height = picture.width * finest / across, picture.height * finest / down
        picture.width, picture.height = round(width), round(height)
        picture.dpi, picture.assumed = resolution(picture.width, picture.height, finest)
        picture.fault = fault_of(picture.width, picture.height, picture.dpi)
        if not picture.fault:
            stored = Image.fromarray(picture.pixels)
            size = picture.width, picture.height
            picture.pixels = np.asarray(stored.resize(size, Image.Resampling.NEAREST))
            picture.own, picture.redrawn = None, True

    def _strips(self, tags: Tags) -> list[tuple[int, int]]:
        """Give where the data of a side stand, and their lengths in bytes."""
        tiled = TILES in tags
        places = self._values(tags, TILES if tiled else STRIPS)
        sizes = self._values(tags, TILE_BYTES if tiled else STRIP_BYTES)
        if len(places) != len(sizes) or not 0 < sum(sizes) <= MAX_DATA:
            raise ScanRejected(DAMAGED)
        return list(zip(places, sizes, strict=True))

    def _alone(self, tags: Tags, strips: list[tuple[int, int]]) -> BytesIO:
        """Write a TIFF of one side, with the tags that decoding needs."""
        kept = {tag: value for tag, value in sorted(tags.items()) if tag in KEPT}
        where = TILES if TILES in kept else STRIPS
        kept[where] = 4, bytes(4 * len(strips))
        start = 8 + 2 + 12 * len(kept) + 4
        first = start + sum(len(value) for _, value in kept.values() if len(value) > 4)
        offsets = [first, *(first + end for end in accumulate(size for _, size in strips))][:-1]
        kept[where] = 4, struct.pack(f"{self._order}{len(offsets)}I", *offsets)
        mark = b"II" if self._order == "<" else b"MM"
        entries, values = struct.pack(f"{self._order}2sHIH", mark, 42, 8, len(kept)), b""
        for tag, (kind, value) in kept.items():
            inline = value.ljust(4, b"\0")
            if len(value) > 4:
                inline = struct.pack(f"{self._order}I", start + len(values))
                values += value
            head = struct.pack(f"{self._order}HHI", tag, kind, len(value) // SIZES[kind])
            entries += head + inline
        alone = BytesIO(entries + bytes(4) + values)
        alone.seek(0, SEEK_END)
        for place, size in strips:
            alone.write(self._at(place, size))
        return alone


def _joined(tables: bytes, strip: bytes) -> bytes:
    """Put the tables that a TIFF shares between strips back into the strip's JPEG."""
    if not tables.startswith(b"\xff\xd8") or not tables.endswith(b"\xff\xd9"):
        return strip
    return tables[:-2] + strip[2:]
