"""Clean copies: a PDF written by us, that holds the images of a scan and nothing else.

No script, link, attachment, form, font or metadata of what was sent can be in it, since nothing of
it is copied but image data: those of a JPEG coefficient by coefficient, those of a fax or of a PNG
as they are when they are proven to give the same pixels. What PDF/A-2 refuses (LZW, CMYK without
its profile, transparency) is written again, without loss when the pixels were the scan's own.
Colours are those of the output intent, sRGB: profiles of scanners are not kept.
"""

import re
import struct
from io import BytesIO
from typing import BinaryIO

import deflate
import numpy as np
from PIL import Image

from docgen.scanning.picture import Own, Picture, Pixels, jpeg_header
from docgen.scanning.rasters import flate_entries

HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
A4 = 595.28, 841.89  # points: the empty page of a side that could not be opened
QUALITY = 92  # of JPEG, for colours that are not the scan's own (HEIC, CMYK, pages drawn)
EFFORT = 1  # of Flate, from 1 to 12: 0.3 s for A4 at 300 dpi in colour; 6 gains 5 %
# Frames that PDF's DCTDecode has: baseline, extended and progressive, Huffman coded.
FRAMES = {0xC0, 0xC1, 0xC2}
OTHER_FRAMES = {*range(0xC0, 0xD0)} - FRAMES - {0xC4, 0xC8}
JFIF, ADOBE, COMMENT, SCAN, END = 0xE0, 0xEE, 0xFE, 0xDA, 0xD9
# Coded data end at the first marker that is neither a stuffed zero nor a restart (ITU-T T.81, B.1).
MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
FILL = re.compile(rb"\xff*(?=\xff)")


class CleanCopy:
    """Writes a clean copy as a stream: a page a side, let go as soon as it is written."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._places = [0, 0, 0]  # of objects; 1 is the catalogue, 2 the list of pages
        self._position = 0
        self._pages: list[int] = []
        self._write(HEADER)

    def add(self, picture: Picture) -> int:
        """Add a side and give its page, from 0; a side with a fault gets an empty page.

        Raises:
            ScanRejected: when its data turn out to be damaged; nothing was written then.
        """
        if picture.fault:
            self._page(*A4, b"")
            return len(self._pages) - 1
        data, entries = encoded(picture)
        width, height = (size * 72 / picture.dpi for size in (picture.width, picture.height))
        image = self._stream_object(
            data,
            b"/Type/XObject/Subtype/Image/Width %d/Height %d%b"
            % (picture.width, picture.height, entries),
        )
        content = b"q %b 0 0 %b 0 0 cm/I Do Q" % (_number(width), _number(height))
        shown = self._stream_object(content, b"")
        resources = b"/XObject<</I %d 0 R>>" % image
        self._page(width, height, resources, b"/Contents %d 0 R" % shown)
        return len(self._pages) - 1

    def close(self) -> None:
        """Write what closes the file: its pages, and where each object stands."""
        self._object(1, b"<</Type/Catalog/Pages 2 0 R>>")
        kids = b" ".join(b"%d 0 R" % page for page in self._pages)
        self._object(2, b"<</Type/Pages/Count %d/Kids[%b]>>" % (len(self._pages), kids))
        start = self._position
        rows = b"".join(b"%010d 00000 n \n" % place for place in self._places[1:])
        size = len(self._places)
        self._write(b"xref\n0 %d\n0000000000 65535 f \n%b" % (size, rows))
        self._write(b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, start))

    def _page(self, width: float, height: float, resources: bytes, more: bytes = b"") -> None:
        box = b"[0 0 %b %b]" % (_number(width), _number(height))
        body = b"<</Type/Page/Parent 2 0 R/MediaBox%b/Resources<<%b>>%b>>" % (box, resources, more)
        self._pages.append(self._new())
        self._object(self._pages[-1], body)

    def _stream_object(self, data: bytes, entries: bytes) -> int:
        number = self._new()
        self._place(number)
        self._write(b"%d 0 obj\n<</Length %d%b>>stream\n" % (number, len(data), entries))
        self._write(data)
        self._write(b"\nendstream\nendobj\n")
        return number

    def _object(self, number: int, body: bytes) -> None:
        self._place(number)
        self._write(b"%d 0 obj\n%b\nendobj\n" % (number, body))

    def _new(self) -> int:
        self._places.append(0)
        return len(self._places) - 1

    def _place(self, number: int) -> None:
        self._places[number] = self._position

    def _write(self, data: bytes) -> None:
        self._position += len(data)
        self._stream.write(data)


def encoded(picture: Picture) -> Own:
    """Give the data of a side as a PDF image has them, and the entries that decode them.

    Raises:
        ScanRejected: when the data are damaged.
    """
    if picture.jpeg:
        return _jpeg(picture)
    assert picture.pixels is not None  # noqa: S101 - a picture without fault has one or the other
    if picture.own and picture.own.entries.startswith(b"/Filter/FlateDecode"):
        return picture.own
    if picture.bits == 1:
        fax = picture.own and _proven_fax(picture.own.data, picture.pixels)
        return fax or _fax(picture.pixels)
    if picture.redrawn and picture.pixels.ndim == 3:
        stream = BytesIO()
        Image.fromarray(picture.pixels).save(stream, "JPEG", quality=QUALITY)
        return Own(without_metadata(stream.getvalue()) or b"", _dct(3))
    return _flate(picture.pixels)


def without_metadata(jpeg: bytes) -> bytes | None:
    """Drop comments and application segments from a JPEG; its coded data are not touched.

    Kept are what tells how colours are coded: JFIF, without its thumbnail, and Adobe's segment.
    None for a JPEG that PDF cannot hold (arithmetic coding), or without an end.
    """
    parts, place = [b"\xff\xd8"], 2
    while filled := FILL.match(jpeg, place):
        start = filled.end()
        marker, length = struct.unpack(">xBH", jpeg[start : start + 4].ljust(4, b"\0"))
        if marker == END:
            return b"".join([*parts, b"\xff\xd9"])
        if marker in OTHER_FRAMES:
            return None
        place = start + 2 + length
        segment = jpeg[start:place]
        if marker == SCAN:
            following = MARKER.search(jpeg, place)
            place = following.start() if following else len(jpeg)
            parts.append(jpeg[start:place])
        elif segment[4:9] == b"JFIF\0" and marker == JFIF:
            parts.append(b"\xff\xe0\0\x10" + segment[4:16] + b"\0\0")
        elif not (JFIF <= marker <= 0xEF or marker == COMMENT) or segment[4:9] == b"Adobe":
            parts.append(segment)
    return None


def _jpeg(picture: Picture) -> Own:
    data = without_metadata(picture.jpeg)
    if data is None:
        return _flate(np.asarray(picture.image()))
    return Own(data, _dct(len(jpeg_header(data).getbands())))


def _dct(channels: int) -> bytes:
    space = b"/DeviceGray" if channels == 1 else b"/DeviceRGB"
    return b"/Filter/DCTDecode/BitsPerComponent 8/ColorSpace" + space


def _flate(pixels: Pixels) -> Own:
    """Write pixels without loss, each row told by the one above (PNG "up" prediction)."""
    height, width = pixels.shape[:2]
    rows = pixels.reshape(height, -1)
    told = np.full((height, rows.shape[1] + 1), 2, np.uint8)
    told[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=told[1:, 1:])
    data = bytes(deflate.zlib_compress(told.data, EFFORT))
    return Own(data, flate_entries(width, pixels.size // (width * height), 8))


def _proven_fax(data: bytes, pixels: Pixels) -> Own | None:
    """Give a fax as it is, when another decoder than pdfium reads the same pixels in it."""
    height, width = pixels.shape
    entries = {256: width, 257: height, 258: 1, 259: 4, 262: 0, 273: 0, 277: 1, 278: height}
    entries[279] = len(data)
    entries[273] = 8 + 2 + 12 * len(entries) + 4
    rows = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries.items())
    head = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
    try:
        with Image.open(BytesIO(head + rows + bytes(4) + data), formats=["TIFF"]) as image:
            read = np.asarray(image.convert("L"))
    except (OSError, SyntaxError, ValueError):
        return None
    if np.array_equal(read, pixels):
        return Own(data, _ccitt(width, height, black_is_one=False))
    if np.array_equal(~read, pixels):
        return Own(data, _ccitt(width, height, black_is_one=True))
    return None


def _fax(pixels: Pixels) -> Own:
    """Write black and white pixels as a fax of group 4, which has no loss."""
    height, width = pixels.shape
    stream = BytesIO()
    image = Image.fromarray(pixels).convert("1", dither=Image.Dither.NONE)
    image.save(stream, "TIFF", compression="group4", tiffinfo={278: height})
    with Image.open(stream, formats=["TIFF"]) as written:
        tags = written.tag_v2  # type: ignore[attr-defined]
        (place,), (length,), black_is_one = tags[273], tags[279], tags[262] == 1
    data = stream.getvalue()[place : place + length]
    return Own(data, _ccitt(width, height, black_is_one=black_is_one))


def _ccitt(width: int, height: int, *, black_is_one: bool) -> bytes:
    return (
        b"/Filter/CCITTFaxDecode/BitsPerComponent 1/ColorSpace/DeviceGray"
        b"/DecodeParms<</K -1/Columns %d/Rows %d%b>>"
        % (width, height, b"/BlackIs1 true" if black_is_one else b"")
    )


def _number(value: float) -> bytes:
    return f"{value:.4f}".rstrip("0").rstrip(".").encode()
