"""A document bound again from its scanned sides: upright, in order, the scans' own images in it.

Nothing is resampled or compressed again: an image's bytes are copied from the clean copy, and the
page alone lays it straight. The file is PDF/A-2b (`archival`) and says where each side came from.
"""

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self

import msgspec
from msgspec import to_builtins
from pypdf import PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    EncodedStreamObject,
    NumberObject,
    StreamObject,
    TextStringObject,
)

from docgen.errors import InvalidInput, Problem
from docgen.scanning import borrowing, placing
from docgen.scanning.archival import archive, dictionary, inside, name, stream_of
from docgen.scanning.findings import Matrix
from docgen.scanning.placing import Size
from docgen.typography import NBSP

OPENED = 32  # clean copies kept open: the parts that a group of documents came from
IMAGE_KEYS = (  # all that an image of ours has; anything else is left where it is
    *("/Type", "/Subtype", "/Width", "/Height", "/BitsPerComponent", "/ColorSpace"),
    *("/Filter", "/DecodeParms", "/Decode"),
)


@dataclass(frozen=True, slots=True)
class SideSource:
    """A side that came home: its image in a clean copy, and how it lies on its paper.

    `page` counts from 0. `matrix` goes from pixels to points of the side; None when somebody filed
    it by hand. `turned` is by how many degrees, clockwise, the image is to be turned to stand
    upright: asked only without a matrix, or with one that cannot be true. `label` and `place` say
    which scan it was, and which side of it, from 1: they are written in the index of the file.
    Without `is_sure`, far from its codes the matrix may be wrong by centimetres.
    """

    side: int
    copy: Path
    page: int
    matrix: Matrix | None = None
    turned: int = 0
    label: str = ""
    place: int = 0
    is_sure: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """What a signed file is: its title, its sides and their size in points, and the moment.

    `needed` are the sides that paper alone may give: the original print stands for the others.
    """

    title: str
    reference: str
    sides: int
    needed: tuple[int, ...]
    width: float
    height: float
    now: datetime


class Face(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a page of a signed file came from.

    `label` and `place` name a side of a scan; `sha256` is of the image's own bytes, or of the
    original print. `fitted`: laid in the middle of its paper, for want of codes to lay it by.
    """

    side: int
    origin: Literal["scan", "original"]
    sha256: str
    label: str = ""
    place: int = 0
    fitted: bool = False


@dataclass(frozen=True, slots=True)
class Bound:
    """A signed file: where each of its pages came from, and the sides that it does not have.

    `is_archival` tells whether it is PDF/A: not with a font that is not embedded, nor with CMYK.
    """

    faces: tuple[Face, ...]
    left_out: tuple[int, ...]
    is_archival: bool

    @property
    def pages(self) -> int:
        """How many pages it has."""
        return len(self.faces)


def bind(
    sources: Sequence[SideSource], facts: Facts, original: Path | None, stream: IO[bytes]
) -> Bound:
    """Bind one document; for several out of the same clean copies, keep a `Binder`."""
    with Binder() as binder:
        return binder.bind(sources, facts, original, stream)


class Binder:
    """Binds documents one after the other, and keeps open the clean copies that they share."""

    def __init__(self) -> None:
        self._opened: OrderedDict[Path, tuple[IO[bytes], PdfReader]] = OrderedDict()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the clean copies."""
        while self._opened:
            self._opened.popitem()[1][0].close()

    def bind(
        self,
        sources: Sequence[SideSource],
        facts: Facts,
        original: Path | None,
        stream: IO[bytes],
    ) -> Bound:
        """Write the signed file of a document, and say where its pages came from.

        Raises:
            InvalidInput: when scans hold no image, each of them.
            ValueError: when the sides given are not those that the document must have.
        """
        by_side = _by_side(sources, facts)
        binding = _Binding(PdfWriter(), facts)
        empty = []
        for side in range(1, facts.sides + 1):
            if source := by_side.get(side):
                if found := self._image(source):
                    binding.scan(source, *found)
                else:
                    empty.append(side)
            elif original is not None:
                binding.borrow(side, original)
        if empty:
            raise InvalidInput(map(_without_image, empty))
        held = {face.side for face in binding.faces}
        left_out = tuple(side for side in range(1, facts.sides + 1) if side not in held)
        binding.close(stream)
        return Bound(tuple(binding.faces), left_out, not binding.faults)

    def _image(self, source: SideSource) -> tuple[StreamObject, Size] | None:
        """Read the image of a page of a clean copy, if it has one, and the size of that page."""
        reader = self._reader(source.copy)
        page = reader.pages[source.page]
        images = inside(page, "/Resources", "/XObject")
        if not images:
            return None
        (reference,) = (images.raw_get(key) for key in images)
        image = reference.get_object()
        # The reader would keep every image that it has ever read.
        reader.resolved_objects.pop((reference.generation, reference.idnum), None)
        return image, Size(float(page.mediabox.width), float(page.mediabox.height))

    def _reader(self, path: Path) -> PdfReader:
        if path in self._opened:
            self._opened.move_to_end(path)
            return self._opened[path][1]
        if len(self._opened) == OPENED:
            self._opened.popitem(last=False)[1][0].close()
        file = path.open("rb")
        self._opened[path] = file, PdfReader(file)
        return self._opened[path][1]


class _Binding:
    """One document being bound."""

    def __init__(self, writer: PdfWriter, facts: Facts) -> None:
        self.writer = writer
        self.facts = facts
        self.faces: list[Face] = []
        self.faults: set[str] = set()
        self._paper = Size(facts.width, facts.height)
        self._contents: list[bytes] = []
        self._original: PdfReader | None = None

    def scan(self, source: SideSource, image: StreamObject, natural: Size) -> None:
        """Add a side that came home: its image, laid on its paper."""
        pixels = Size(*(float(str(image[key])) for key in ("/Width", "/Height")))
        laid, is_fitted = source.matrix, False
        if laid is None or not placing.believable(laid, pixels, self._paper):
            laid, is_fitted = placing.fitted(pixels, natural, source.turned, self._paper), True
        place = " ".join(f"{value:.4f}" for value in placing.drawing(laid, pixels))
        box = f"{self._paper.width:.2f} {self._paper.height:.2f}"
        content = f"q 0 0 {box} re W n {place} cm/I Do Q".encode()
        self._contents.append(content)
        writer = self.writer
        page = writer.add_blank_page(*(round(length, 2) for length in self._paper))
        named = dictionary(I=writer._add_object(_copied(image, writer)))
        page.update(
            dictionary(
                Resources=dictionary(XObject=named),
                Contents=writer._add_object(stream_of(content)),
            )
        )
        self.faults |= set(borrowing.faults(inside(page, "/Resources")))
        self.faces.append(
            Face(
                side=source.side,
                origin="scan",
                sha256=sha256(image._data).hexdigest(),
                label=source.label,
                place=source.place,
                fitted=is_fitted,
            )
        )

    def borrow(self, side: int, original: Path) -> None:
        """Add a side of the original print, if it has it."""
        if self._original is None:
            content = original.read_bytes()
            self._digest = sha256(content).hexdigest()
            self._original = PdfReader(BytesIO(content))
            self._font = borrowing.embed_mark_font(self.writer)
        if side <= len(self._original.pages):
            page = borrowing.borrow(self.writer, self._original.pages[side - 1], self._font)
            self.faults |= set(borrowing.faults(inside(page, "/Resources")))
            self.faces.append(Face(side=side, origin="original", sha256=self._digest))

    def close(self, stream: IO[bytes]) -> None:
        """Say where pages came from, in bookmarks, labels and metadata, and write the file."""
        facts = self.facts
        labels = ArrayObject()
        for index, face in enumerate(self.faces):
            origin = ", impression d’origine" if face.origin == "original" else ""
            title = f"Face {face.side}/{facts.sides}{origin}"
            self.writer.add_outline_item(title=title, page_number=index)
            prefix = TextStringObject(f"{facts.reference}/")
            label = dictionary(P=prefix, S=name("D"), St=NumberObject(face.side))
            labels += [NumberObject(index), label]
        root = self.writer.root_object
        root[name("PageLabels")] = dictionary(Nums=labels)
        root[name("PageMode")] = name("UseOutlines")
        archive(
            self.writer,
            title=facts.title,
            identifier=facts.reference,
            now=facts.now,
            index=json.dumps([to_builtins(face) for face in self.faces]),
            content=b"\n".join(self._contents),
            is_archival=not self.faults,
        )
        self.writer.write(stream)
        # Writer and objects know each other: the images would wait for Python to notice.
        self.writer._objects.clear()


def _by_side(sources: Sequence[SideSource], facts: Facts) -> dict[int, SideSource]:
    by_side = {source.side: source for source in sources}
    if len(by_side) != len(sources) or not by_side.keys() <= set(range(1, facts.sides + 1)):
        raise ValueError("a side is given twice, or is not of this document")
    if missing := set(facts.needed) - by_side.keys():
        raise ValueError(f"sides {sorted(missing)} must come home before the document is bound")
    return by_side


def _without_image(side: int) -> Problem:
    what = "cette face n’a pas pu être ouverte : elle n’a pas d’image."
    return Problem(what, f"face{NBSP}{side}", "Numérisez-la à nouveau.")


def _copied(image: StreamObject, writer: PdfWriter) -> StreamObject:
    copied = EncodedStreamObject()
    for key in IMAGE_KEYS:
        if key in image:
            copied[name(key[1:])] = image.raw_get(key).clone(writer)
    copied._data = image._data
    return copied
