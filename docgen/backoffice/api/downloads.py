"""Files given out: whole or by ranges, never shown by a browser, told apart by their SHA-256."""

import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import parse_etags

from docgen.backoffice import store
from docgen.backoffice.api.problems import Refused
from docgen.errors import Problem

PDF, CSV, ZIP, JSON = "application/pdf", "text/csv", "application/zip", "application/json"
MAIL = "message/rfc822"
RANGE = re.compile(r"bytes=\s*(\d{0,18})-(\d{0,18})\s*")
EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of the store, under the name that people see."""

    name: str
    sha256: str
    content_type: str = PDF


def content(*content_types: str) -> dict[str, Any]:
    """Describe a route that gives a file, for the OpenAPI document."""
    binary = {"type": "string", "format": "binary"}
    kinds = {
        each: {"schema": {"type": "object"} if each == JSON else binary} for each in content_types
    }
    told = {"description": "Le fichier", "content": kinds}
    return {"responses": {200: told}}


def partly(content_type: str = PDF) -> dict[str, Any]:
    """Describe a route that gives a file of the store, whole, by ranges, or not again."""
    told = content(content_type)
    told["responses"][206] = {**told["responses"][200], "description": "Une partie du fichier"}
    told["responses"][304] = {"description": "Inchangé"}
    return told


def sent(request: HttpRequest, file: Kept) -> HttpResponseBase:
    """Give a file of the store as the request wants it.

    Raises:
        Refused: for a range that is not in the file, or a file that is no longer there.
    """
    etag = f'"{file.sha256}"'
    wanted = parse_etags(request.headers.get("If-None-Match", ""))
    headers = {"ETag": etag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache"}
    if "*" in wanted or any(each.removeprefix("W/") == etag for each in wanted):
        return HttpResponse(status=304, headers=headers)
    try:
        size = store.size(file.sha256)
    except FileNotFoundError as error:
        raise Refused("not-found", Problem("ce fichier n’est plus conservé.")) from error
    first, last, status = 0, size - 1, 200
    if request.headers.get("If-Range", etag) == etag:
        bounds = _range(request.headers.get("Range", ""), size)
        if bounds:
            (first, last), status = bounds, 206
            headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    headers["Content-Length"] = str(last - first + 1)
    blocks = _blocks(file.sha256, first, last)
    return given(blocks, file.name, file.content_type, status=status, headers=headers)


def given(
    blocks: Iterable[bytes],
    name: str,
    content_type: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> HttpResponseBase:
    """Give blocks as a file to keep; `name` is made of our own letters only."""
    told = {"Content-Disposition": f'attachment; filename="{name}"', **(headers or {})}
    return StreamingHttpResponse(blocks, status=status, content_type=content_type, headers=told)


def _range(header: str, size: int) -> tuple[int, int] | None:
    """Read one range (RFC 9110, 14.2); several at once are answered by the whole file."""
    found = RANGE.fullmatch(header)
    if found is None or found[0] == "bytes=-":
        return None
    start, end = found[1], found[2]
    if not start and end:
        first, last = max(size - int(end), 0), size - 1
        if int(end) == 0:
            first = size
    elif start:
        first, last = int(start), min(int(end), size - 1) if end else size - 1
        if end and int(end) < first:
            return None
    else:
        return None
    if first >= size:
        problem = Problem("cet intervalle n’est pas dans le fichier.", "Range")
        bounds = {"Content-Range": f"bytes */{size}"}
        raise Refused("range-not-satisfiable", problem, headers=bounds)
    return first, last


def _blocks(sha256: str, first: int, last: int) -> Iterator[bytes]:
    left = last - first + 1
    with store.opened(sha256) as stream:
        stream.seek(first)
        while left > 0 and (block := stream.read(min(store.BLOCK, left))):
            left -= len(block)
            yield block


class _Sink:
    """What a zip archive is written to, and taken from block by block: it cannot be rewound."""

    def __init__(self) -> None:
        self.blocks: list[bytes] = []

    def write(self, block: bytes) -> int:
        self.blocks.append(bytes(block))
        return len(block)

    def flush(self) -> None:
        """Nothing waits."""

    def taken(self) -> Iterator[bytes]:
        blocks, self.blocks = self.blocks, []
        yield from blocks


def zipped(members: Iterable[tuple[str, Callable[[], Iterable[bytes]]]]) -> Iterator[bytes]:
    """Give a zip archive of files as it is written: memory does not grow with it."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for name, blocks in members:
            with archive.open(zipfile.ZipInfo(name, EPOCH), "w", force_zip64=True) as member:
                for block in blocks():
                    member.write(block)
                    yield from sink.taken()
    yield from sink.taken()
