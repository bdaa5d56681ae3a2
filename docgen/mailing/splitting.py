"""A PDF in parts that mails can carry: each opens by itself, and together they are the very file.

A part holds whole pages, whose large streams (images, fonts) are copied as they are encoded. What
is left of the file, without those streams, is its *frame*: compressed, it is shared out among the
parts, in a private stream of each (ISO 32000-1, 14.5). Joining puts the streams back in the frame
by their SHA-256. Nothing is split that was not joined again for a proof.
"""

import hashlib
import json
import tempfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import msgspec
from pypdf import PageObject, PdfReader, PdfWriter
from pypdf.generic import (
    ArrayObject,
    ByteStringObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    PdfObject,
    StreamObject,
    TextStringObject,
)

from docgen.errors import InvalidInput, Problem
from docgen.mailing.joining import FORMAT, OWN, Label, join, opened
from docgen.typography import NBSP

__all__ = ("join", "split")

LARGE = 1024  # bytes of a stream that is taken out of the frame: naming it takes a tenth of that
ROOM = 4096  # bytes of a part that are neither pages nor its share of the frame, at the most
LONGEST = 100  # characters of a title, of a label of a page
EACH_OBJECT, EACH_PAGE = 64, 512  # bytes of a part beside what is in an object, and for a page
# Left behind when a page is copied: ways to other pages, which would come along whole.
WAYS = (
    *("/A", "/AA", "/Annots", "/B", "/Dest", "/IRT", "/P", "/Parent", "/PieceInfo", "/Popup"),
    *("/StructParent", "/StructParents", "/Thumb"),
)
DAY = "D:19700101000000Z"  # PieceInfo wants a moment; the same file is to give the same parts
Frame = bytes


class Stream(NamedTuple):
    """A large stream of a file, as it is encoded: its digest, and its bytes."""

    sha256: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """What a page needs: its large streams, by object number, and the bytes of all the rest."""

    streams: Mapping[int, Stream]
    rest: int


def split(path: Path, most: int, folder: Path) -> list[Path]:
    """Split a PDF into parts of at most so many bytes, « 1.pdf », « 2.pdf », …, in a folder.

    A file that is not larger is its only part, as it is. The same file gives the same parts.

    Raises:
        InvalidInput: when a page alone is too large, each of them, or what is no PDF of pages.
    """
    whole = path.read_bytes()
    if len(whole) <= most:
        return [path]
    reader = opened(path.name, whole)
    pages = _weighed(reader)
    too_large = [n for n, page in enumerate(pages, 1) if _weight([page]) + ROOM > most]
    if too_large:
        raise InvalidInput(_too_large(n) for n in too_large)
    frame = _framed(whole, _cuts(whole, reader, pages))
    groups = _grouped(pages, most - ROOM, len(frame))
    writing = _Writing(reader, whole, frame, len(groups))
    parts, first = [], 0
    for number, group in enumerate(groups, 1):
        slack = most - ROOM - _weight(group)
        content = writing.part(number, range(first, first + len(group)), group, slack)
        if len(content) > most:
            raise ValueError(f"part {number} weighs {len(content)} bytes, more than was reckoned")
        first += len(group)
        parts.append(folder / f"{number}.pdf")
        parts[-1].write_bytes(content)
    with tempfile.TemporaryDirectory(dir=folder) as proof:
        join(parts, Path(proof) / "whole.pdf")
    return parts


def _too_large(page: int) -> Problem:
    what = "cette page est à elle seule trop lourde pour un message."
    remedy = "Numérisez-la de nouveau, à 200 points par pouce et en gris, ou relevez la limite."
    return Problem(what, f"page{NBSP}{page}", remedy)


def _weighed(reader: PdfReader) -> list[Page]:
    """Weigh each page: copied alone, as it will be in a part."""
    digests: dict[int, Stream] = {}
    pages = []
    for page in reader.pages:
        writer = PdfWriter()
        _copy(page, writer)
        own = {new: old for old, new in _numbers(writer, reader).items()}
        streams, rest = dict[int, Stream](), EACH_PAGE
        for number, each in enumerate(writer._objects, 1):
            written = BytesIO()
            if number in own and isinstance(each, StreamObject) and len(each._data) >= LARGE:
                # Bytes shared by pages are hashed once; they live as long as their reader.
                stream = digests.get(own[number])
                stream = stream or Stream(hashlib.sha256(each._data).hexdigest(), each._data)
                digests[own[number]] = streams[own[number]] = stream
                DictionaryObject(each).write_to_stream(written)
                rest += 2 * len(stream.sha256)
            elif each is not None:
                each.write_to_stream(written)
            rest += EACH_OBJECT + written.tell()
        pages.append(Page(streams, rest))
    return pages


def _numbers(writer: PdfWriter, reader: PdfReader) -> dict[int, int]:
    """Give the numbers of copied objects by those that they have in their reader."""
    found: dict[int, int] = writer._id_translated.get(id(reader), {})  # type: ignore[assignment]
    return found


def _copy(page: PageObject, writer: PdfWriter) -> None:
    """Copy a page with all that it shows, but no way to another page."""
    copied = writer.add_page(page, WAYS)
    drawn = [each.get_object() for each in page.get("/Annots", ArrayObject()).get_object()]
    kept = [each.clone(writer, False, WAYS) for each in drawn if each["/Subtype"] != "/Link"]
    if kept:
        copied[NameObject("/Annots")] = ArrayObject(
            each.indirect_reference or writer._add_object(each) for each in kept
        )


def _weight(pages: Iterable[Page]) -> int:
    """Give how many bytes pages take in one part, at the most; what they share counts once."""
    pages = list(pages)
    streams = {number: len(each.data) for page in pages for number, each in page.streams.items()}
    return sum(streams.values()) + sum(page.rest for page in pages)


def _cuts(whole: bytes, reader: PdfReader, pages: Iterable[Page]) -> list[tuple[int, Stream]]:
    """Find where the large streams of pages stand in their file; what is not found stays in it."""
    streams = dict(chain.from_iterable(page.streams.items() for page in pages))
    places = {number: at for table in reader.xref.values() for number, at in table.items()}
    found = {
        whole.find(stream.data, places[number]): stream
        for number, stream in streams.items()
        if number in places
    }
    cuts: list[tuple[int, Stream]] = []
    end = 0
    for start, stream in sorted(found.items()):
        if start >= end:
            cuts.append((start, stream))
            end = start + len(stream.data)
    return cuts


def _framed(whole: bytes, cuts: Sequence[tuple[int, Stream]]) -> Frame:
    """Compress what is left of a file once its large streams are taken out, and where they were."""
    kept, end = [], 0
    for start, stream in cuts:
        kept.append(whole[end:start])
        end = start + len(stream.data)
    kept.append(whole[end:])
    layout = [(start, len(stream.data), stream.sha256) for start, stream in cuts]
    return zlib.compress(b"".join((json.dumps(layout).encode(), b"\n", *kept)), 9)


def _grouped(pages: Sequence[Page], room: int, frame: int) -> list[list[Page]]:
    """Group pages that follow one another, so that they and the frame fit in parts of that room.

    Raises:
        InvalidInput: when even a part for each page has no room left for the frame.
    """
    least = max(_weight([page]) for page in pages)
    given = room
    while True:
        groups: list[list[Page]] = [[]]
        for page in pages:
            if groups[-1] and _weight([*groups[-1], page]) > given:
                groups.append([])
            groups[-1].append(page)
        lacking = frame - sum(room - _weight(group) for group in groups)
        if lacking <= 0:
            return groups
        if given == least:
            heaviest = max(range(len(pages)), key=lambda place: _weight([pages[place]]))
            raise InvalidInput(_too_large(heaviest + 1))
        given = max(least, given - lacking // len(groups) - 1)


class _Writing:
    """The parts of one file being written, one after the other."""

    def __init__(self, reader: PdfReader, whole: bytes, frame: Frame, parts: int) -> None:
        self._reader = reader
        self._frame = frame
        self._sha256 = hashlib.sha256(whole).hexdigest()
        self._size = len(whole)
        self._parts = parts
        self._start = 0
        title = reader.metadata.title if reader.metadata else None
        self._title = (title or "Document")[:LONGEST]
        self._labels = [label[:LONGEST] for label in reader.page_labels]

    def part(self, number: int, places: range, pages: Sequence[Page], slack: int) -> bytes:
        """Write a part: some pages, and a share of the frame that has so many bytes at most."""
        writer = PdfWriter()
        for place in places:
            _copy(self._reader.pages[place], writer)
        share = self._frame[self._start : self._start + slack]
        label = Label(
            format=FORMAT,
            sha256=self._sha256,
            size=self._size,
            part=number,
            parts=self._parts,
            frame=len(self._frame),
            start=self._start,
            share=hashlib.sha256(share).hexdigest(),
            streams=sorted({each.sha256 for page in pages for each in page.streams.values()}),
        )
        self._start += len(share)
        self._close(writer, label, share, [self._labels[place] for place in places])
        content = BytesIO()
        writer.write(content)
        return content.getvalue()

    def _close(self, writer: PdfWriter, label: Label, share: bytes, labels: list[str]) -> None:
        told = msgspec.json.encode(label)
        private = StreamObject()
        private._data = told + b"\n" + share
        own = _dictionary(LastModified=TextStringObject(DAY), Private=writer._add_object(private))
        numbers = ArrayObject(
            chain.from_iterable(
                (NumberObject(place), _dictionary(P=TextStringObject(text)))
                for place, text in enumerate(labels)
            )
        )
        root, layers = writer.root_object, self._reader.root_object.get("/OCProperties")
        root[NameObject("/PieceInfo")] = DictionaryObject({NameObject(OWN): own})
        root[NameObject("/PageLabels")] = _dictionary(Nums=numbers)
        if layers is not None:
            root[NameObject("/OCProperties")] = layers.get_object().clone(writer)
        writer.pdf_header = "%PDF-1.7"
        part = f"partie {label.part} sur {label.parts}"
        writer.metadata = {"/Title": f"{self._title} ({part})", "/Producer": "docgen"}
        identity = ByteStringObject(hashlib.sha256(told).digest()[:16])
        writer._ID = ArrayObject([identity, identity])


def _dictionary(**entries: PdfObject) -> DictionaryObject:
    return DictionaryObject({NameObject(f"/{key}"): value for key, value in entries.items()})
