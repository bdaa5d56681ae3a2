"""A PDF written as a stream: objects leave memory as soon as they are known.

Only what a print file needs of PDF 1.6, named here by the clauses of ISO 32000-2: streams, object
streams (7.5.7) for the many small dictionaries, and a cross-reference stream (7.5.8). Nothing
depends on the clock or on chance.
"""

import hashlib
from array import array
from collections.abc import Iterable
from typing import BinaryIO

import deflate
import numpy as np

HEADER = b"%PDF-1.6\n%\xe2\xe3\xcf\xd3\n"
PACKED = 256  # small objects in one object stream
FLUSH = 1 << 20  # bytes gathered before they are written


class PdfStream:
    """Writes numbered objects to a file, and keeps only their places."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self._position = 0
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        # For each object: kind (0 free, 1 at an offset, 2 packed), offset or stream, index.
        self._kinds = bytearray(1)
        self._places = array("Q", [0])
        self._indexes = array("H", [65535])
        self._small: list[tuple[int, bytes]] = []
        self._write(HEADER)

    def reserve(self, count: int = 1) -> int:
        """Give the first of `count` new object numbers."""
        first = len(self._kinds)
        self._kinds.extend(bytes(count))
        self._places.extend([0] * count)
        self._indexes.extend([0] * count)
        return first

    def embed(self, objects: bytes, offsets: Iterable[int]) -> None:
        """Write ready-made objects, numbered from the next number on."""
        start = self._position
        for offset in offsets:
            self._place(self.reserve(), start + offset)
        self._write(objects)

    def object(self, number: int, body: bytes) -> None:
        """Write a small object; it is packed with its neighbours."""
        self._small.append((number, body))
        if len(self._small) == PACKED:
            self._pack()

    def stream(self, number: int, content: bytes, entries: bytes = b"", level: int = 6) -> None:
        """Write a compressed stream with more dictionary entries."""
        data = bytes(deflate.zlib_compress(content, level))
        self.plain_stream(number, data, b"/Filter/FlateDecode" + entries)

    def plain_stream(self, number: int, data: bytes, entries: bytes = b"") -> None:
        """Write a stream as it is."""
        self._place(number, self._position)
        self._write(
            b"%d 0 obj<</Length %d%b>>stream\n%b\nendstream endobj\n"
            % (number, len(data), entries, data)
        )

    def close(self, root: int) -> str:
        """Write the cross-references and give the SHA-256 of the whole file."""
        self._pack()
        number = self.reserve()
        self._place(number, self._position)
        # /ID from the content, so that the same paper is the same file (ISO 32000-2, 14.4).
        self._drain()
        identity = self._hash.hexdigest()[:32].encode()
        size = len(self._kinds)
        table = np.zeros((size, 7), np.uint8)
        table[:, 0] = np.frombuffer(self._kinds, np.uint8)
        table[:, 1:5] = np.array(self._places, ">u4").view(np.uint8).reshape(size, 4)
        table[:, 5:] = np.array(self._indexes, ">u2").view(np.uint8).reshape(size, 2)
        # PNG "up" prediction: neighbours differ little, so the table shrinks to a third.
        predicted = np.zeros((size, 8), np.uint8)
        predicted[:, 0] = 2
        predicted[:, 1:] = np.diff(table, axis=0, prepend=np.zeros((1, 7), np.uint8))
        entries = (
            b"/Type/XRef/Size %d/W[1 4 2]/Root %d 0 R/ID[<%b><%b>]"
            b"/DecodeParms<</Predictor 12/Columns 7>>" % (size, root, identity, identity)
        )
        start = self._position
        self.stream(number, predicted.tobytes(), entries)
        self._write(b"startxref\n%d\n%%%%EOF\n" % start)
        self._drain()
        return self._hash.hexdigest()

    def _pack(self) -> None:
        if not self._small:
            return
        number = self.reserve()
        heads, bodies, length = [], [], 0
        for index, (small, body) in enumerate(self._small):
            self._kinds[small], self._places[small], self._indexes[small] = 2, number, index
            heads.append(b"%d %d" % (small, length))
            bodies.append(body)
            length += len(body) + 1
        head = b" ".join(heads) + b" "
        entries = b"/Type/ObjStm/N %d/First %d" % (len(heads), len(head))
        self._small.clear()
        self.stream(number, head + b"\n".join(bodies), entries, level=9)

    def _place(self, number: int, offset: int) -> None:
        self._kinds[number], self._places[number] = 1, offset

    def _write(self, data: bytes) -> None:
        self._position += len(data)
        self._pending.append(data)
        self._pending_bytes += len(data)
        if self._pending_bytes > FLUSH:
            self._drain()

    def _drain(self) -> None:
        data = b"".join(self._pending)
        self._pending.clear()
        self._pending_bytes = 0
        self._hash.update(data)
        self._stream.write(data)


def text_string(text: str) -> bytes:
    """Write a text string for a title or a label (ISO 32000-2, 7.9.2.2)."""
    if text.isascii() and text.isprintable():
        return b"(" + escaped(text.encode()) + b")"
    return b"<feff" + text.encode("utf-16-be").hex().encode() + b">"


def escaped(data: bytes) -> bytes:
    """Escape bytes for a literal string (ISO 32000-2, 7.3.4.2)."""
    for special in (b"\\", b"(", b")"):
        if special in data:
            data = data.replace(special, b"\\" + special)
    return data.replace(b"\r", b"\\r") if b"\r" in data else data


def number(value: float) -> bytes:
    """Write a length in points, to a hundredth (3.5 µm): finer than any press."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return b"0" if text == "-0" else text.encode()
