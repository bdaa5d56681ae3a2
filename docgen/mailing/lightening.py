"""A PDF made light enough for a mail: its pictures of fewer points, the rest as it is.

Grey stays grey and colours stay colours. A picture that would gain nothing (black and white, as a
fax) is left alone, and so are masks: codes and letters that are drawn stay sharp.
"""

import hashlib
from collections.abc import Iterator
from io import BytesIO
from math import sqrt
from pathlib import Path
from typing import NamedTuple

import pypdfium2
from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import (
    ArrayObject,
    ByteStringObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    PdfObject,
    StreamObject,
)

from docgen.errors import InvalidInput, Problem
from docgen.files import write_whole
from docgen.mailing.joining import opened


class Step(NamedTuple):
    """How much is given up: points per inch kept, and the quality of JPEG."""

    dpi: int
    quality: int


# Down to 100 dpi, where a module of a code (18 mm / 25) still has nearly three pixels.
STEPS = (Step(200, 70), Step(150, 60), Step(120, 50), Step(100, 45))
SMALL = 100_000  # pixels of a picture that is not worth the trouble
DEEP = 8  # forms within forms that are looked into
SPACES = {"L": "/DeviceGray", "RGB": "/DeviceRGB"}
MASKED = {"/ImageMask", "/Mask", "/SMask"}


def lighten(path: Path, most: int, target: Path) -> float:
    """Write a file of at most so many bytes, and give the points per inch that its pictures keep.

    A file that is not larger is copied as it is: 0. The same file gives the same one.

    Raises:
        InvalidInput: when it is no PDF, or too large even so.
    """
    whole = path.read_bytes()
    if len(whole) <= most:
        write_whole(target, whole)
        return 0
    opened(path.name, whole)
    for step in STEPS:
        content = _lightened(whole, step)
        if len(content) <= most:
            write_whole(target, content)
            return step.dpi
    what = f"même ramené à {STEPS[-1].dpi} points par pouce, ce fichier est trop lourd."
    remedy = "Numérisez-le de nouveau en gris, relevez la limite, ou laissez-le partir en parties."
    raise InvalidInput(Problem(what, path.name, remedy))


def _lightened(whole: bytes, step: Step) -> bytes:
    writer = PdfWriter(clone_from=BytesIO(whole))
    areas: dict[int, float] = {}  # square inches of the page that shows each picture
    found: dict[int, StreamObject] = {}
    for page in writer.pages:
        area = float(page.mediabox.width) * float(page.mediabox.height) / 72**2
        for image in _images(page):
            found[id(image)] = image
            areas[id(image)] = max(area, areas.get(id(image), 0))
    for key, image in found.items():
        _reduce(image, areas[key], step)
    identity = ByteStringObject(hashlib.sha256(whole + bytes(step)).digest()[:16])
    writer._ID = ArrayObject([identity, identity])
    content = BytesIO()
    writer.write(content)
    return content.getvalue()


def _images(found: DictionaryObject, depth: int = 0) -> Iterator[StreamObject]:
    """Give the pictures that a page shows, itself or by forms."""
    resources = found.get("/Resources", DictionaryObject()).get_object()
    named = resources.get("/XObject", DictionaryObject()).get_object()
    for each in (each.get_object() for each in named.values()):
        if each.get("/Subtype") == "/Image":
            yield each
        elif depth < DEEP:
            yield from _images(each, depth + 1)


def _reduce(image: StreamObject, area: float, step: Step) -> None:
    """Give a picture fewer points and write it as JPEG, if that makes it lighter.

    It is taken for as large as its page: one that is smaller keeps more points.
    """
    width, height = int(str(image["/Width"])), int(str(image["/Height"]))
    if width * height < SMALL or MASKED & image.keys():
        return
    scale = min(1, step.dpi / sqrt(width * height / area))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    picture = _decoded(image, size)
    if picture.mode not in SPACES:
        return
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    written = BytesIO()
    picture.save(written, "JPEG", quality=step.quality, optimize=True)
    if written.tell() >= len(image._data):
        return
    facts: dict[str, PdfObject] = {
        "/Width": NumberObject(picture.width),
        "/Height": NumberObject(picture.height),
        "/BitsPerComponent": NumberObject(8),
        "/ColorSpace": NameObject(SPACES[picture.mode]),
        "/Filter": NameObject("/DCTDecode"),
    }
    for key in ("/DecodeParms", "/Decode", "/Intent"):
        image.pop(NameObject(key), None)
    image.update({NameObject(key): value for key, value in facts.items()})
    image._data = written.getvalue()


def _decoded(image: StreamObject, size: tuple[int, int]) -> Image.Image:
    """Decode a picture; a JPEG at a half or a quarter of its size, when that is enough."""
    if image.get("/Filter") == "/DCTDecode" and "/Decode" not in image:
        picture: Image.Image = Image.open(BytesIO(image._data))
        picture.draft(picture.mode, size)
        return picture
    return _drawn(image, int(str(image["/Width"])), int(str(image["/Height"])))


def _drawn(image: StreamObject, width: int, height: int) -> Image.Image:
    """Have pdfium draw a picture, each pixel a point: it knows every filter and colour space."""
    writer = PdfWriter()
    page = writer.add_blank_page(width, height)
    copied = image.clone(writer)
    content = StreamObject()
    content._data = f"{width} 0 0 {height} 0 0 cm /I Do".encode()
    named = DictionaryObject({NameObject("/I"): copied.indirect_reference or copied})
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/XObject"): named})
    page[NameObject("/Contents")] = writer._add_object(content)
    alone = BytesIO()
    writer.write(alone)
    document = pypdfium2.PdfDocument(alone.getvalue())
    try:
        is_grey = image.get("/ColorSpace", "/DeviceGray") in ("/DeviceGray", "/CalGray")
        bitmap = document[0].render(scale=1, grayscale=is_grey)
        drawn: Image.Image = bitmap.to_pil().convert("L" if is_grey else "RGB")
        return drawn
    finally:
        document.close()
