"""A volume of a print job: documents one after the other, each on its own sheets, in one PDF."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import BinaryIO, TypeAlias

from docgen.errors import MissingGlyph, Problem
from docgen.manifest import Manifest
from docgen.pagecode import Key, PageCode, payload
from docgen.rendering.embedding import embed_values_font
from docgen.rendering.filling import Copy, Filler, centred
from docgen.rendering.form import Form
from docgen.rendering.imposition import Imposition
from docgen.rendering.pdf import PdfStream, number, text_string
from docgen.rendering.pdfx import OutputIntent, catalog_entries
from docgen.rendering.symbols import SymbolTable
from docgen.rendering.typesetting import Typesetter

CHUNK = 500  # documents whose codes are drawn at once: memory does not grow with the volume
TOLD = 50  # documents between two words of progress
KIDS = 64  # pages under one node of the page tree

Progress: TypeAlias = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a job. `title` (the person's name) goes in the bookmarks only."""

    person: str
    division: str
    title: str
    number: bytes
    copy: Copy


@dataclass(frozen=True, slots=True)
class Bound:
    """Where a document ended up: PDF pages counted from 1, sheets, and a digest of its sides."""

    document: Document
    first: int
    last: int
    sheets: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Volume:
    """A bound volume. With values that do not fit or cannot be drawn, it must not be used."""

    documents: tuple[Bound, ...]
    sides: int
    sheets: int
    sha256: str
    separators: int
    unfit: tuple[Problem, ...]
    missing: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """What every volume of a job shares.

    `padded`: a blank verso follows an odd number of sides; a document alone has no use for it.
    """

    manifest: Manifest
    form: Form
    imposition: Imposition
    constants: Mapping[str, str]
    key: Key
    symbols: SymbolTable
    typesetter: Typesetter = field(default_factory=Typesetter)
    separators: bool = False
    by_class: bool = True
    padded: bool = True
    intent: OutputIntent | None = None


def bind(
    run: Run, documents: Sequence[Document], stream: BinaryIO, progress: Progress | None = None
) -> Volume:
    """Write a volume and say where each document is in it; `progress` is told how many are done."""
    return _Binder(run, stream, progress).bind(documents)


class _Binder:
    def __init__(self, run: Run, stream: BinaryIO, progress: Progress | None = None) -> None:
        self.run = run
        self.progress = progress
        self.setter = run.typesetter.for_file()
        self.filler = Filler(run.form, run.imposition, run.manifest, self.setter, run.constants)
        self.pdf = PdfStream(stream)
        self.pdf.embed(run.form.objects, run.form.offsets)
        self.font = self.pdf.reserve()
        self.tree = self.pdf.reserve()
        self.bases = self.pdf.reserve(len(self.filler.bases))
        self.pages: list[int] = []
        self.node = 0
        self.nodes: list[tuple[int, int]] = []
        self.labels: list[bytes] = []
        self.separators = 0
        size = (number(run.imposition.width), number(run.imposition.height))
        self.box = b"[0 0 %b %b]" % size
        self.trim = b"/TrimBox" + self.box if run.intent else b""  # PDF/X: on every page

    def bind(self, documents: Sequence[Document]) -> Volume:
        bound: list[Bound] = []
        classes: list[tuple[str, int, list[tuple[str, int]]]] = []
        by_class = self.run.by_class
        for division, group in groupby(documents, lambda each: each.division if by_class else ""):
            people = list(group)
            start = len(self.pages)
            if self.run.separators:
                self._separator(division, len(people))
            marks = []
            for document, codes in self._coded(people):
                marks.append((document.title, len(self.pages)))
                bound.append(self._document(document, codes))
                if self.progress and len(bound) % TOLD == 0:
                    self.progress(len(bound))
            classes.append((division, start, marks))
        resources = self._resources()
        embed_values_font(self.pdf, self.font, self.setter)
        named = any(document.title for document in documents)
        outlines = self._outlines(classes) if named else b""
        sha256 = self.pdf.close(self._catalog(resources, outlines))
        sheets = sum(each.sheets for each in bound) + self.separators
        sides = len(bound) * len(self.run.imposition.sides)
        unfit, missing = tuple(self.filler.unfit), tuple(self.filler.missing)
        return Volume(tuple(bound), sides, sheets, sha256, self.separators, unfit, missing)

    def _coded(self, people: list[Document]) -> Iterator[tuple[Document, list[bytes]]]:
        """Give each document with the images of its codes, side by side, corner by corner."""
        sides = len(self.run.imposition.sides)
        corners = [corner for corner, _, _ in self.run.imposition.code_corners()]
        step = sides * len(corners)
        for start in range(0, len(people), CHUNK):
            chunk = people[start : start + CHUNK]
            payloads = b"".join(
                payload(self.run.key, PageCode(document.number, side, sides, corner))
                for document in chunk
                for side in range(1, sides + 1)
                for corner in corners
            )
            images = self.run.symbols.draw(payloads)
            for index, document in enumerate(chunk):
                yield document, images[index * step : (index + 1) * step]

    def _document(self, document: Document, codes: list[bytes]) -> Bound:
        sides = len(self.run.imposition.sides)
        corners = len(codes) // sides
        digest = hashlib.sha256(self.run.form.checksum.encode())
        variant = document.copy.variant
        self._label(document.copy.reference)
        first = len(self.pages) + 1
        for side in range(sides):
            own = codes[side * corners : (side + 1) * corners]
            content = self.filler.side(document.copy, side, own)
            base = self.filler.base(variant, side)
            digest.update(self.filler.bases[base])
            digest.update(content)
            self._page(content, self.bases + base)
        self._pad()
        sheets = self.run.imposition.sheets
        return Bound(document, first, first + sides - 1, sheets, digest.hexdigest())

    def _separator(self, division: str, count: int) -> None:
        width, height = self.run.imposition.width, self.run.imposition.height
        self._label("")
        noun = "document" if count == 1 else "documents"
        try:
            title = centred(self.setter, division or "Sans classe", 60, width, height * 0.55)
        except MissingGlyph as error:
            self.filler.cannot_draw("Classe", "intercalaire", error)
            title = b""
        self._page(title + centred(self.setter, f"{count} {noun}", 20, width, height * 0.45))
        self._pad()
        self.separators += 1

    def _page(self, content: bytes | None, base: int | None = None) -> None:
        if len(self.pages) % KIDS == 0:
            self._close_node()
            self.node = self.pdf.reserve()
        page = self.pdf.reserve()
        body = b""
        if content is not None:
            contents = self.pdf.reserve()
            self.pdf.stream(contents, content)
            shared = b"%d 0 R " % base if base is not None else b""
            body = b"/Contents[%b%d 0 R]" % (shared, contents)
        self.pdf.object(page, b"<</Type/Page/Parent %d 0 R%b%b>>" % (self.node, body, self.trim))
        self.pages.append(page)

    def _pad(self) -> None:
        """Leave the verso blank, so that what follows starts on a recto."""
        if self.run.padded and len(self.pages) % 2:
            self._page(None)

    def _label(self, prefix: str) -> None:
        label = text_string(f"{prefix}/") if prefix else text_string("intercalaire ")
        self.labels.append(b"%d<</P%b/S/D>>" % (len(self.pages), label))

    def _close_node(self) -> None:
        if not self.node:
            return
        kids = self.pages[sum(count for _, count in self.nodes) :]
        references = b" ".join(b"%d 0 R" % kid for kid in kids)
        self.pdf.object(
            self.node,
            b"<</Type/Pages/Parent %d 0 R/Count %d/Kids[%b]>>" % (self.tree, len(kids), references),
        )
        self.nodes.append((self.node, len(kids)))

    def _resources(self) -> int:
        """Write the bases of sides, and the resources that all sides share."""
        for index, base in enumerate(self.filler.bases):
            self.pdf.stream(self.bases + index, base, level=9)
        variants = self.run.form.variants.values()
        statics = sorted({page.xobject for variant in variants for page in variant.pages})
        names = b"".join(b"/P%d %d 0 R" % (static, static) for static in statics)
        resources = self.pdf.reserve()
        self.pdf.object(resources, b"<</Font<</F %d 0 R>>/XObject<<%b>>>>" % (self.font, names))
        return resources

    def _outlines(self, classes: list[tuple[str, int, list[tuple[str, int]]]]) -> bytes:
        root = self.pdf.reserve()
        first = self.pdf.reserve(len(classes))
        for index, (division, page, people) in enumerate(classes):
            item = first + index
            start = self.pdf.reserve(len(people))
            for place, (title, at) in enumerate(people):
                links = _siblings(start + place, place, len(people))
                self._bookmark(start + place, item, title, at, links)
            kids = b"/First %d 0 R/Last %d 0 R/Count -%d" % (
                *(start, start + len(people) - 1),
                len(people),
            )
            links = _siblings(item, index, len(classes)) + kids
            title = division or ("Sans classe" if self.run.by_class else "Par nom")
            self._bookmark(item, root, title, page, links)
        self.pdf.object(
            root,
            b"<</Type/Outlines/First %d 0 R/Last %d 0 R/Count %d>>"
            % (first, first + len(classes) - 1, len(classes)),
        )
        return b"/Outlines %d 0 R/PageMode/UseOutlines" % root

    def _bookmark(self, item: int, parent: int, title: str, page: int, links: bytes) -> None:
        self.pdf.object(
            item,
            b"<</Title%b/Parent %d 0 R%b/Dest[%d 0 R/Fit]>>"
            % (text_string(title), parent, links, self.pages[page]),
        )

    def _catalog(self, resources: int, outlines: bytes) -> int:
        self._close_node()
        kids = b" ".join(b"%d 0 R" % node for node, _ in self.nodes)
        self.pdf.object(
            self.tree,
            b"<</Type/Pages/Count %d/Kids[%b]/MediaBox%b/Resources %d 0 R>>"
            % (len(self.pages), kids, self.box, resources),
        )
        catalog = self.pdf.reserve()
        long_edge = self.run.imposition.flip == "grand côté"
        duplex = b"DuplexFlipLongEdge" if long_edge else b"DuplexFlipShortEdge"
        press = catalog_entries(self.pdf, self.run.intent) if self.run.intent else b""
        self.pdf.object(
            catalog,
            b"<</Type/Catalog/Pages %d 0 R%b/Lang(fr)"
            b"/PageLabels<</Nums[%b]>>/ViewerPreferences<</Duplex/%b/PrintScaling/None>>%b>>"
            % (self.tree, outlines, b"".join(self.labels), duplex, press),
        )
        return catalog


def _siblings(item: int, index: int, count: int) -> bytes:
    before = b"/Prev %d 0 R" % (item - 1) if index else b""
    return before + (b"/Next %d 0 R" % (item + 1) if index + 1 < count else b"")
