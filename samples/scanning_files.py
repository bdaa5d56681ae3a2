"""Scanned images into files, as scanners and phones store them; see also `samples.scanning_heic`.

Files of many sides are written image by image: memory does not grow with their number.
"""

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import deflate
from PIL import Image, ImageChops
from PIL.TiffImagePlugin import AppendingTiffWriter

from docgen.rendering.pdf import PdfStream, number
from samples.scanner import Scan

ORIENTATION = 0x0112  # EXIF tag
ROWS_PER_STRIP, STRIP_OFFSETS, STRIP_BYTES = 278, 273, 279  # TIFF tags
MIDDLE = 140  # level that tells black from white in a fax
SPACES = {"1": b"/DeviceGray", "L": b"/DeviceGray", "RGB": b"/DeviceRGB"}


def write_pdf(stream: BinaryIO, scans: Iterable[Scan], *, lossless: bool = False) -> int:
    """Write a PDF of one image a page, and give how many: G4 for 1-bit, else JPEG, or Flate."""
    pdf = PdfStream(stream)
    tree = pdf.reserve()
    pages = []
    for scan in scans:
        page, contents, picture = pdf.reserve(), pdf.reserve(), pdf.reserve()
        width, height = (number(length * 72 / scan.dpi) for length in scan.image.size)
        data, entries = _image_data(scan, lossless=lossless)
        pdf.plain_stream(picture, data, _image_entries(scan.image) + entries)
        pdf.plain_stream(contents, b"q %b 0 0 %b 0 0 cm/I Do Q" % (width, height))
        pdf.object(
            page,
            b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 %b %b]/Contents %d 0 R"
            b"/Resources<</XObject<</I %d 0 R>>>>>>" % (tree, width, height, contents, picture),
        )
        pages.append(page)
    kids = b" ".join(b"%d 0 R" % page for page in pages)
    pdf.object(tree, b"<</Type/Pages/Count %d/Kids[%b]>>" % (len(pages), kids))
    catalog = pdf.reserve()
    pdf.object(catalog, b"<</Type/Catalog/Pages %d 0 R>>" % tree)
    pdf.close(catalog)
    return len(pages)


def _image_data(scan: Scan, *, lossless: bool) -> tuple[bytes, bytes]:
    """Give the data of an image as a PDF stores it, and the entries that tell how."""
    if scan.image.mode == "1":
        size = b"/Columns %d/Rows %d" % scan.image.size
        return fax_data(scan.image), b"/Filter/CCITTFaxDecode/DecodeParms<</K -1%b>>" % size
    if lossless:
        return bytes(deflate.zlib_compress(scan.image.tobytes(), 1)), b"/Filter/FlateDecode"
    return jpeg_data(scan, orientation=False), b"/Filter/DCTDecode"


def _image_entries(image: Image.Image) -> bytes:
    bits = 1 if image.mode == "1" else 8
    return b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent %d/ColorSpace%b" % (
        *image.size,
        bits,
        SPACES[image.mode],
    )


def fax_data(image: Image.Image) -> bytes:
    """Give the G4 data (ITU-T T.6) of a 1-bit image, in one piece."""
    content = BytesIO()
    # In a TIFF of Pillow black is 0, which T.6 takes for white: black must be black in a PDF.
    image = ImageChops.invert(image)
    image.save(content, "TIFF", compression="group4", tiffinfo={ROWS_PER_STRIP: image.height})
    with Image.open(content) as tiff:
        tags = tiff.tag_v2  # type: ignore[attr-defined] # of a TIFF image alone
        (start,), (length,) = tags[STRIP_OFFSETS], tags[STRIP_BYTES]
    return content.getvalue()[start : start + length]


def jpeg_data(scan: Scan, *, orientation: bool = True) -> bytes:
    """Give the JPEG file of a scan; a photograph's orientation goes in its EXIF."""
    content = BytesIO()
    exif = Image.Exif()
    if orientation and scan.orientation != 1:
        exif[ORIENTATION] = scan.orientation
    image = scan.image.convert("L") if scan.image.mode == "1" else scan.image
    density = (scan.dpi, scan.dpi)
    image.save(content, "JPEG", quality=scan.quality, dpi=density, exif=exif.tobytes())
    return content.getvalue()


def write_jpeg(path: Path, scan: Scan) -> None:
    """Write one JPEG file."""
    path.write_bytes(jpeg_data(scan))


def write_png(path: Path, scan: Scan) -> None:
    """Write one PNG file."""
    scan.image.save(path, "PNG", dpi=(scan.dpi, scan.dpi), compress_level=1)


def write_tiff(path: Path, scans: Iterable[Scan], compression: str = "tiff_lzw") -> int:
    """Write a TIFF of one page an image, and give how many.

    `compression` as Pillow names it: tiff_lzw, jpeg, or group4, for which all are made 1-bit.
    """
    pages = 0
    with AppendingTiffWriter(path, new=True) as tiff:
        for scan in scans:
            image = scan.image
            if compression == "group4":
                image = image.convert("L").point([0] * MIDDLE + [255] * (256 - MIDDLE), "1")
            elif image.mode == "1":
                image = image.convert("L")
            quality = {"quality": scan.quality} if compression == "jpeg" else {}
            density = (scan.dpi, scan.dpi)
            image.save(tiff, "TIFF", compression=compression, dpi=density, **quality)
            tiff.newFrame()
            pages += 1
    return pages
