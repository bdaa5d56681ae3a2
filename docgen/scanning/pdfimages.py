"""The sides of a PDF of scans, by pdfium: the page's own image, or the page drawn."""

import ctypes
from pathlib import Path

import numpy as np
import pypdfium2
from PIL import Image
from pypdfium2 import raw

from docgen.errors import Problem, ScanRejected
from docgen.scanning.picture import (
    A4_INCHES,
    INCHES,
    MAX_DATA,
    MAX_PIXELS,
    Own,
    Picture,
    Pixels,
    fault_of,
    jpeg_header,
    resolution,
)

SLACK = 0.02  # of the page: how far an image may stand out of it, and be whole
LEAST = 0.5  # of the page: an image alone, but smaller, is not the scan
DRAWN_DPI = 150.0, 300.0  # at least, and at most; between, as fine as its images
WIDEST = 3_000.0  # points: what is larger is not compared but drawn
THUMB, ALIKE = (12, 16), 5.0  # pixels, and levels of grey on average: two ways of reducing
BLACK_OR_WHITE = ["CCITTFaxDecode"], ["JBIG2Decode"]
BLANK_JBIG2 = 500  # bytes: with more, a page that shows nothing was not decoded
MAX_OBJECTS = 20_000  # on a page: an office scan with its recognised text has some 2,000
DEEPEST = 4  # forms in forms
PLAIN_SPACES = {
    raw.FPDF_COLORSPACE_DEVICEGRAY,
    raw.FPDF_COLORSPACE_DEVICERGB,
    raw.FPDF_COLORSPACE_CALGRAY,
    raw.FPDF_COLORSPACE_CALRGB,
    raw.FPDF_COLORSPACE_ICCBASED,
}
MOST_HELD, DRAWN_HELD = 24 << 20, 2 << 20  # bytes of streams; of a page drawn, as a guess
UNSEEN = {raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP, raw.FPDF_ANNOT_FILEATTACHMENT}
PROTECTED = Problem("Ce PDF est protégé.", remedy="Renvoyez-le sans mot de passe.")
DAMAGED = Problem(
    "Ce PDF est abîmé ou incomplet.", remedy="Envoyez-le de nouveau, ou numérisez de nouveau."
)


class PdfSides:
    """A PDF, opened; sides are read one by one, and nothing of them is kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._document = _opened(path)
        self.sides = len(self._document)
        self._proven: set[tuple[bool, bool]] = set()
        self._held = 0

    def close(self) -> None:
        """Close the file."""
        self._document.close()

    def read(self, index: int) -> Picture:
        """Read one side; what cannot be opened is told by its fault."""
        if self._held > MOST_HELD:  # pdfium keeps every stream that it has read
            self._document.close()
            self._document, self._held = _opened(self._path), 0
        try:
            page = self._document[index]
        except pypdfium2.PdfiumError:
            return Picture(index, fault="damaged-image")
        try:
            return self._read(page, index)
        except (pypdfium2.PdfiumError, ScanRejected):
            return Picture(index, fault="damaged-image")
        finally:
            page.close()

    def _read(self, page: pypdfium2.PdfPage, index: int) -> Picture:
        """Take the image of a page, if it is what a reader shows.

        pdfium does not tell of masks, nor of inverted values. Files are made by one program, in
        one way: the first JPEG, fax or other image that is shown as stored speaks for the next.
        """
        item = _sole_image(page)
        picture = _own_image(page, index, item)
        self._held += raw.FPDFImageObj_GetImageDataRaw(item, None, 0) if item else DRAWN_HELD
        if picture is None:
            return _drawn(page, index)
        kind = bool(picture.jpeg), bool(picture.own)
        if not picture.fault and kind not in self._proven:
            if not _is_shown_so(page, item, picture):
                return _drawn(page, index)
            self._proven.add(kind)
        return picture


def _opened(path: Path) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        is_locked = error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY)
        raise ScanRejected(PROTECTED if is_locked else DAMAGED) from error


def _own_image(
    page: pypdfium2.PdfPage, index: int, item: raw.FPDF_PAGEOBJECT | None
) -> Picture | None:
    """Read the image that is all there is on a page; None when there is more, or less."""
    matrix = raw.FS_MATRIX()
    if item is None or not raw.FPDFPageObj_GetMatrix(item, matrix):
        return None
    turned = _turn(matrix)
    if turned is None or not _is_whole(page, item):
        return None
    width, height = _size(item)
    across, down = np.hypot(matrix.a, matrix.b) / 72, np.hypot(matrix.c, matrix.d) / 72
    claimed = width / across
    if not width or not height or abs(height / down - claimed) > 0.05 * claimed:
        return None
    dpi, assumed = resolution(width, height, float(claimed))
    turned = (turned + 90 * raw.FPDFPage_GetRotation(page)) % 360
    picture = Picture(index, width, height, dpi, turned, assumed=assumed)
    picture.fault = fault_of(width, height, dpi)
    if picture.fault or _take_jpeg(picture, page, item) or _take_pixels(picture, page, item):
        return picture
    return None


def _sole_image(page: pypdfium2.PdfPage) -> raw.FPDF_PAGEOBJECT | None:
    """Find the only thing drawn on a page, but for text that is there to be searched."""
    found = None
    count = raw.FPDFPage_CountObjects(page)
    if count > MAX_OBJECTS or _has_drawn_annotations(page):
        return None
    for number in range(count):
        item = raw.FPDFPage_GetObject(page, number)
        kind = raw.FPDFPageObj_GetType(item)
        if kind == raw.FPDF_PAGEOBJ_IMAGE and found is None:
            found = item
        elif (
            kind != raw.FPDF_PAGEOBJ_TEXT
            or raw.FPDFTextObj_GetTextRenderMode(item) != raw.FPDF_TEXTRENDERMODE_INVISIBLE
        ):
            return None
    return found


def _has_drawn_annotations(page: pypdfium2.PdfPage) -> bool:
    for number in range(min(raw.FPDFPage_GetAnnotCount(page), MAX_OBJECTS)):
        annotation = raw.FPDFPage_GetAnnot(page, number)
        if annotation:
            kind = raw.FPDFAnnot_GetSubtype(annotation)
            raw.FPDFPage_CloseAnnot(annotation)
            if kind not in UNSEEN:
                return True
    return False


def _turn(matrix: raw.FS_MATRIX) -> int | None:
    """Give by how many degrees clockwise an image is drawn turned; None when it is otherwise."""
    straight, crossed = abs(matrix.a) + abs(matrix.d), abs(matrix.b) + abs(matrix.c)
    if crossed < 0.001 * straight and matrix.a * matrix.d > 0:
        return 0 if matrix.a > 0 else 180
    if straight < 0.001 * crossed and matrix.b * matrix.c < 0:
        return 90 if matrix.c > 0 else 270
    return None


def _is_whole(page: pypdfium2.PdfPage, item: raw.FPDF_PAGEOBJECT) -> bool:
    """Tell whether an image is most of its page, opaque, and nowhere cut."""
    box = raw.FS_RECTF()
    edges = [ctypes.c_float() for _ in range(4)]
    if not raw.FPDF_GetPageBoundingBox(page, box) or not raw.FPDFPageObj_GetBounds(item, *edges):
        return False
    left, bottom, right, top = (edge.value for edge in edges)
    width, height = box.right - box.left, box.top - box.bottom
    if width <= 0 or height <= 0 or raw.FPDFPageObj_HasTransparency(item):
        return False
    out = max(box.left - left, right - box.right) / width
    over = max(box.bottom - bottom, top - box.top) / height
    is_large = (right - left) * (top - bottom) >= LEAST * width * height
    return max(out, over) <= SLACK and is_large and not _is_clipped(item, left, bottom, right, top)


def _is_clipped(
    item: raw.FPDF_PAGEOBJECT, left: float, bottom: float, right: float, top: float
) -> bool:
    """Tell whether a clipping path may cut an image: all but a rectangle around it may."""
    clip = raw.FPDFPageObj_GetClipPath(item)
    across, up = SLACK * (right - left), SLACK * (top - bottom)
    for path in range(max(raw.FPDFClipPath_CountPaths(clip), 0) if clip else 0):
        count = raw.FPDFClipPath_CountPathSegments(clip, path)
        points = {_point(clip, path, number) for number in range(min(count, 6))}
        xs, ys = {x for x, _ in points}, {y for _, y in points}
        if (count > 5, len(points), len(xs), len(ys)) != (False, 4, 2, 2):
            return True
        if min(xs) > left + across or max(xs) < right - across:
            return True
        if min(ys) > bottom + up or max(ys) < top - up:
            return True
    return False


def _point(clip: raw.FPDF_CLIPPATH, path: int, number: int) -> tuple[float, float]:
    x, y = ctypes.c_float(), ctypes.c_float()
    segment = raw.FPDFClipPath_GetPathSegment(clip, path, number)
    raw.FPDFPathSegment_GetPoint(segment, x, y)
    return x.value, y.value


def _size(item: raw.FPDF_PAGEOBJECT) -> tuple[int, int]:
    width, height = ctypes.c_uint(), ctypes.c_uint()
    raw.FPDFImageObj_GetImagePixelSize(item, width, height)
    return width.value, height.value


def _filters(item: raw.FPDF_PAGEOBJECT) -> list[str]:
    names = []
    for number in range(raw.FPDFImageObj_GetImageFilterCount(item)):
        buffer = ctypes.create_string_buffer(32)
        raw.FPDFImageObj_GetImageFilter(item, number, buffer, len(buffer))
        names.append(buffer.value.decode("ascii", "replace"))
    return names


def _data(item: raw.FPDF_PAGEOBJECT) -> bytes:
    size = raw.FPDFImageObj_GetImageDataRaw(item, None, 0)
    if not 0 < size <= MAX_DATA:
        raise ScanRejected(DAMAGED)
    buffer = (ctypes.c_char * size)()
    raw.FPDFImageObj_GetImageDataRaw(item, buffer, size)
    return bytes(buffer)


def _metadata(
    page: pypdfium2.PdfPage, item: raw.FPDF_PAGEOBJECT
) -> raw.FPDF_IMAGEOBJ_METADATA | None:
    metadata = raw.FPDF_IMAGEOBJ_METADATA()
    is_known = raw.FPDFImageObj_GetImageMetadata(item, page, metadata)
    return metadata if is_known and metadata.colorspace in PLAIN_SPACES else None


def _take_jpeg(picture: Picture, page: pypdfium2.PdfPage, item: raw.FPDF_PAGEOBJECT) -> bool:
    if _filters(item) != ["DCTDecode"]:
        return False
    data = _data(item)
    header = jpeg_header(data)
    if header.size != (picture.width, picture.height) or header.mode not in ("L", "RGB"):
        return False
    metadata = _metadata(page, item)
    if metadata is None or metadata.bits_per_pixel != 8 * len(header.getbands()):
        return False
    picture.jpeg = data
    return True


def _take_pixels(picture: Picture, page: pypdfium2.PdfPage, item: raw.FPDF_PAGEOBJECT) -> bool:
    metadata = _metadata(page, item)
    if metadata is None:
        return False
    bitmap = raw.FPDFImageObj_GetBitmap(item)
    if not bitmap:
        raise ScanRejected(DAMAGED)
    picture.pixels = _pixels(pypdfium2.PdfBitmap.from_raw(bitmap))
    if metadata.bits_per_pixel <= 8:
        picture.pixels = _greyed(picture.pixels)
    filters, data = _filters(item), _data(item)
    if picture.pixels.ndim == 2 and (
        metadata.bits_per_pixel == 1 or filters[-1:] in BLACK_OR_WHITE
    ):
        picture.bits = 1
    if filters == ["CCITTFaxDecode"]:
        picture.own = Own(data, b"/Filter/CCITTFaxDecode")
    if filters == ["JBIG2Decode"] and len(data) > BLANK_JBIG2 and picture.pixels.min() == 255:
        raise ScanRejected(DAMAGED)
    return picture.pixels.shape[:2] == (picture.height, picture.width)


def _pixels(bitmap: pypdfium2.PdfBitmap) -> Pixels:
    """Copy a bitmap: greys, or red, green and blue."""
    pixels = bitmap.to_numpy()
    return np.array(pixels if pixels.ndim == 2 else pixels[:, :, 2::-1])


def _greyed(pixels: Pixels) -> Pixels:
    """Give colours that are all greys as greys."""
    if pixels.ndim == 2 or not (pixels[..., :1] == pixels[..., 1:]).all():
        return pixels
    return np.array(pixels[..., 0])


def _is_shown_so(page: pypdfium2.PdfPage, item: raw.FPDF_PAGEOBJECT, picture: Picture) -> bool:
    """Tell whether an image is shown as it is stored: not masked, not inverted."""
    matrix = raw.FS_MATRIX()
    raw.FPDFPageObj_GetMatrix(item, matrix)
    spans = max(map(abs, (matrix.a, matrix.b, matrix.c, matrix.d)))
    bitmap = spans < WIDEST and raw.FPDFImageObj_GetRenderedBitmap(page.pdf, page, item)
    if not bitmap:
        return False
    rendered = pypdfium2.PdfBitmap.from_raw(bitmap).to_pil()
    paper = Image.new("RGBA", rendered.size, "white")
    shown = Image.alpha_composite(paper, rendered.convert("RGBA")).convert("L").resize(THUMB)
    grey = np.rot90(picture.grey(2), -(_turn(matrix) or 0) // 90)
    stored = Image.fromarray(grey).resize(THUMB, Image.Resampling.BOX)
    apart = np.abs(np.asarray(shown).astype(np.int16) - np.asarray(stored))
    return float(apart.mean()) < ALIKE


def _drawn(page: pypdfium2.PdfPage, index: int) -> Picture:
    """Draw a page as a reader sees it, upright."""
    count = raw.FPDFPage_CountObjects(page)
    if count <= 0 and not _has_drawn_annotations(page):
        return Picture(index, fault="no-image")
    if count > MAX_OBJECTS:
        return Picture(index, fault="too-heavy")
    pixels_of_one, dpi = _finest(page)
    if pixels_of_one > MAX_PIXELS:
        return Picture(index, fault="too-big")
    width, height = page.get_size()
    longest = max(width, height) / 72
    assumed = not INCHES[0] <= longest <= INCHES[1]
    scale = dpi / 72 * (A4_INCHES / longest if assumed else 1)
    bitmap = page.render(scale=scale, may_draw_forms=False, rev_byteorder=False)
    pixels = _pixels(bitmap)
    if pixels.min() == pixels.max():  # pdfium shows nothing where it cannot decode
        return Picture(index, fault="damaged-image")
    pixels = _greyed(pixels)
    shape = pixels.shape[1], pixels.shape[0]
    return Picture(index, *shape, dpi, assumed=assumed, redrawn=True, pixels=pixels)


def _finest(page: pypdfium2.PdfPage) -> tuple[int, float]:
    """Give the pixels of the largest image of a page, by its header, and the dpi to draw at."""
    most, finest = 0, DRAWN_DPI[0]
    for item in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=DEEPEST):
        width, height = _size(item)
        most = max(most, width * height)
        matrix = item.get_matrix()
        across = float(np.hypot(matrix.a, matrix.b)) / 72
        finest = max(finest, width / across if across else 0)
    return most, min(finest, DRAWN_DPI[1])
