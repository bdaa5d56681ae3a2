"""Files of scans, opened: a PDF, a TIFF, or one image, told by their content alone."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self, TypeAlias

from docgen.errors import Problem, ScanRejected, reason
from docgen.scanning.picture import Picture
from docgen.typography import french

__all__ = ["MAX_SIDES", "Kind", "Picture", "Scan", "open_scan"]

Kind: TypeAlias = Literal["pdf", "tiff", "jpeg", "png", "heic"]
MAX_BYTES = 2 << 30  # 2,000 sides of 300 dpi colour are some 1.6 GB
MAX_SIDES = 3_000
SNIFFED = 64  # bytes
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1"}
SEND = "Envoyez le PDF, le TIFF ou les images (JPEG, PNG, HEIC) que le scanner a faits."
# What else is sent, by its first bytes; the longest first.
STRANGERS = {
    b"PK\x03\x04": "C’est une archive ZIP ou un document bureautique (.docx, .odt).",
    b"PK\x05\x06": "C’est une archive ZIP vide.",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "C’est un document Office ancien (.doc, .xls).",
    b"%!PS": "C’est du PostScript, qui est un programme et non une image.",
    b"\xc5\xd0\xd3\xc6": "C’est du PostScript (EPS), qui est un programme et non une image.",
    b"GIF8": "C’est une image GIF.",
    b"BM": "C’est une image BMP.",
    b"RIFF": "C’est une image WebP ou un enregistrement.",
    b"{\\rtf": "C’est un document RTF.",
    b"\x1f\x8b": "C’est une archive gzip.",
    b"7z\xbc\xaf": "C’est une archive 7z.",
    b"Rar!": "C’est une archive RAR.",
    b"\x7fELF": "C’est un programme.",
    b"MZ": "C’est un programme.",
}


class _Sides(Protocol):
    """What opens the sides of one kind of file."""

    sides: int

    def read(self, index: int) -> Picture: ...

    def close(self) -> None: ...


class Scan:
    """A file of scans, opened."""

    def __init__(self, kind: Kind, sides: _Sides) -> None:
        self.kind = kind
        self.sides = sides.sides
        self._sides = sides

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sides.close()

    def read(self, first: int = 0, last: int | None = None) -> Iterator[Picture]:
        """Read sides from `first`, `last` not among them; each is let go before the next."""
        for index in range(first, self.sides if last is None else min(last, self.sides)):
            yield self._sides.read(index)


def open_scan(path: Path) -> Scan:
    """Open a file of scans, by its content and never by its name.

    Raises:
        ScanRejected: when it is not one, or is more than may be opened.
    """
    kind = _kind(path)
    sides = _opened(path, kind)
    if sides.sides > MAX_SIDES:
        sides.close()
        raise _rejected(
            f"Ce fichier contient plus de {MAX_SIDES} faces.", "Envoyez-le en plusieurs fichiers."
        )
    return Scan(kind, sides)


def _opened(path: Path, kind: Kind) -> _Sides:
    if kind == "pdf":
        from docgen.scanning.pdfimages import PdfSides

        return PdfSides(path)
    if kind == "tiff":
        from docgen.scanning.tiff import TiffSides

        return TiffSides(path, MAX_SIDES)
    from docgen.scanning.rasters import OneImage

    return OneImage(path, kind)


def _kind(path: Path) -> Kind:
    try:
        with path.open("rb") as stream:
            head = stream.read(SNIFFED)
        size = path.stat().st_size
    except OSError as error:
        raise _rejected(
            f"Ce fichier ne peut pas être lu ({reason(error)}).", "Envoyez-le de nouveau."
        ) from error
    if not size:
        raise _rejected("Ce fichier est vide.", "Numérisez et envoyez de nouveau.")
    if size > MAX_BYTES:
        raise _rejected("Ce fichier dépasse 2 Go.", "Envoyez-le en plusieurs fichiers.")
    if head.startswith(b"%PDF-"):
        return "pdf"
    if head[:4] in (b"II*\0", b"MM\0*"):
        return "tiff"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head[4:8] == b"ftyp" and head[8:12] in HEIC_BRANDS:
        return "heic"
    raise _rejected(_described(head), SEND)


def _described(head: bytes) -> str:
    """Say what a file is, when it is none that we take."""
    for start, sentence in STRANGERS.items():
        if head.startswith(start):
            return sentence
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<script")):
        return "C’est une page web, et non un scan."
    if text.startswith((b"<?xml", b"<svg")):
        return "C’est un fichier XML ou un dessin SVG."
    return "Ce fichier n’est pas un scan que docgen sait lire."


def _rejected(what: str, remedy: str) -> ScanRejected:
    return ScanRejected(Problem(french(what), remedy=french(remedy)))
