"""Files of scans made piece by piece: as scanners write them, and as they are made to harm."""

import struct
import zlib
from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

DPI = 100
WIDTH, HEIGHT = 827, 1169  # A4 at 100 dpi, in pixels
BOX = 595.44, 841.68  # the same, in points
GREY = b"/BitsPerComponent 8/ColorSpace/DeviceGray"


def sheet(number: int = 0, width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """Draw a side with something in each corner, and a mark of its own."""
    image = Image.new("L", (width, height), 240)
    draw = ImageDraw.Draw(image)
    draw.rectangle((40, 60, 40 + width // 3, 90), fill=20)
    draw.rectangle((width - 120, 40, width - 60, 100), fill=60)
    draw.ellipse((60, height - 200, 160, height - 100), outline=0, width=5)
    draw.text((width // 3, height // 2), f"face {number}", fill=0, font_size=60)
    return image


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:  # noqa: ANN401
    """Encode an image, at 100 dpi unless told otherwise."""
    stream = BytesIO()
    image.save(stream, kind, **{"dpi": (DPI, DPI), **options})
    return stream.getvalue()


def jpeg(number: int = 0, **options: Any) -> bytes:  # noqa: ANN401
    """Encode a side as a grey JPEG."""
    return encoded(sheet(number), "JPEG", **options)


def fax(image: Image.Image) -> tuple[bytes, bytes]:
    """Encode a black and white image as a PDF image: data of group 4, and entries."""
    data = encoded(image.convert("1"), "TIFF", compression="group4", tiffinfo={278: image.height})
    with Image.open(BytesIO(data)) as written:
        (place,), (length,) = written.tag_v2[273], written.tag_v2[279]
        inverted = b"/BlackIs1 true" if written.tag_v2[262] == 1 else b""
    parms = b"/K -1/Columns %d/Rows %d%b" % (*image.size, inverted)
    entries = b"/Filter/CCITTFaxDecode/DecodeParms<<%b>>/BitsPerComponent 1/ColorSpace/DeviceGray"
    return data[place : place + length], entries % parms


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """Write the body of a PDF stream."""
    return b"<<%b/Length %d>>stream\n%b\nendstream" % (entries, len(data), data)


def image(data: bytes, entries: bytes, size: tuple[int, int] = (WIDTH, HEIGHT)) -> bytes:
    """Write the body of a PDF image."""
    head = b"/Type/XObject/Subtype/Image/Width %d/Height %d%b" % (*size, entries)
    return stream(data, head)


def dct(number: int = 0) -> bytes:
    """Write the PDF image of a side, as a grey JPEG."""
    return image(jpeg(number), b"/Filter/DCTDecode" + GREY)


class Pdf:
    """A PDF written object by object; 1 is its catalogue and 2 its list of pages."""

    def __init__(self, catalogue: bytes = b"", version: bytes = b"1.7") -> None:
        self.objects: list[bytes] = [b"", b""]
        self.pages: list[int] = []
        self.catalogue = catalogue
        self.version = version

    def add(self, body: bytes) -> int:
        """Add an object and give its number."""
        self.objects.append(body)
        return len(self.objects)

    def page(
        self,
        images: Sequence[bytes] = (),
        content: bytes | None = None,
        *,
        box: tuple[float, float] = BOX,
        resources: bytes = b"",
        more: bytes = b"",
    ) -> int:
        """Add a page; its first image fills it, unless its content says otherwise."""
        names = b"".join(b"/I%d %d 0 R" % (n, self.add(body)) for n, body in enumerate(images))
        if content is None:
            content = b"q %.2f 0 0 %.2f 0 0 cm /I0 Do Q" % box
        shown = self.add(stream(content))
        body = (
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %.2f %.2f]/Contents %d 0 R"
            b"/Resources<</XObject<<%b>>%b>>%b>>" % (*box, shown, names, resources, more)
        )
        self.pages.append(self.add(body))
        return self.pages[-1]

    def write(self, kids: Iterable[int] | None = None, count: int | None = None) -> bytes:
        """Write the file, with other pages than its own when told so."""
        kids = self.pages if kids is None else list(kids)
        self.objects[0] = b"<</Type/Catalog/Pages 2 0 R%b>>" % self.catalogue
        self.objects[1] = b"<</Type/Pages/Count %d/Kids[%b]>>" % (
            len(kids) if count is None else count,
            b" ".join(b"%d 0 R" % kid for kid in kids),
        )
        out, places = bytearray(b"%%PDF-%b\n" % self.version), []
        for number, body in enumerate(self.objects, 1):
            places.append(len(out))
            out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
        start, size = len(out), len(self.objects) + 1
        out += b"xref\n0 %d\n0000000000 65535 f \n" % size
        out += b"".join(b"%010d 00000 n \n" % place for place in places)
        out += b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, start)
        return bytes(out)


def scanned(sides: int) -> bytes:
    """Write a PDF of grey JPEG scans."""
    pdf = Pdf()
    for number in range(sides):
        pdf.page([dct(number)])
    return pdf.write()


def zeros(megabytes: int) -> bytes:
    """Give that many megabytes of zeros, compressed, without ever holding them."""
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = struct.pack(">I", (megabytes << 20) % 65521 << 16 | 1)  # Adler-32 of zeros
    return b"x\xda" + block * megabytes + packer.flush() + checksum


def png(width: int, height: int, data: bytes | None = None) -> bytes:
    """Write a grey PNG of any size, all black."""
    if data is None:
        data = zeros(((width + 1) * height >> 20) + 1)
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def tiff(frames: Sequence[dict[int, int]], strip: bytes = b"", then: int = 0) -> bytes:
    """Write a TIFF of grey frames whose tags say anything; `then` is what the last one leads to."""
    out = bytearray(struct.pack("<2sHI", b"II", 42, 8 + len(strip)) + strip)
    for number, changes in enumerate(frames):
        tags = {256: 827, 257: 1169, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 1169}
        tags = {**tags, 279: len(strip), **changes}
        rows = b"".join(struct.pack("<HHII", tag, 4, 1, tags[tag]) for tag in sorted(tags))
        following = len(out) + 2 + len(rows) + 4
        last = number == len(frames) - 1
        out += struct.pack("<H", len(tags)) + rows + struct.pack("<I", then if last else following)
    return bytes(out)


def greys(content: Image.Image) -> NDArray[np.int16]:
    """Give the greys of an image, to be subtracted from others."""
    return np.asarray(content.convert("L")).astype(np.int16)


def jbig2(black: Image.Image, claims: tuple[int, int] | None = None) -> bytes:
    """Write the data of a JBIG2 image (ITU-T T.88): a page and one region, coded as a fax.

    `claims` is the size that its page announces, when it is not the true one.
    """
    data, entries = fax(black)
    if b"BlackIs1" in entries:
        data, _ = fax(black.convert("L").point(lambda value: 255 - value))
    wide, high = claims or black.size
    page = struct.pack(">IIIIBH", wide, high, 0, 0, 0, 0)
    region = struct.pack(">IIIIBB", *black.size, 0, 0, 0, 1) + data
    return b"".join(
        struct.pack(">IBBBI", number, kind, 0, 1, len(body)) + body
        for number, (kind, body) in enumerate(((48, page), (38, region)))
    )


def active() -> bytes:
    """Write a PDF of one scan that also runs, opens, sends and hides things."""
    script = b"<</S/JavaScript/JS(app.alert\\(1\\))>>"
    launch = b"<</S/Launch/F(calc.exe)>>"
    pdf = Pdf(
        b"/OpenAction%b/AA<</WC%b>>/Names<</JavaScript<</Names[(a)%b]>>"
        b"/EmbeddedFiles<</Names[(f)4 0 R]>>>>/AcroForm<</XFA 5 0 R/Fields[]>>"
        % (script, script, script)
    )
    file = pdf.add(stream(b"MZ hidden program", b"/Type/EmbeddedFile"))
    pdf.add(b"<</Type/Filespec/F(evil.exe)/EF<</F %d 0 R>>>>" % file)
    pdf.add(stream(b"<xdp:xdp xmlns:xdp='http://ns.adobe.com/xdp/'/>"))
    links = (
        b"/Subtype/Link/A<</S/URI/URI(http://127.0.0.1/x)>>",
        b"/Subtype/Link/A" + launch,
        b"/Subtype/FileAttachment/FS 4 0 R",
    )
    annotations = b"".join(b"<</Type/Annot/Rect[0 0 9 9]%b>>" % link for link in links)
    pdf.page([dct()], more=b"/Annots[%b]/AA<</O%b>>" % (annotations, launch))
    return pdf.write()
