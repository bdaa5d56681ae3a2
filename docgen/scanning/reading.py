"""One part of a file of scans, read: what each side says, its clean copy, its small pictures."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, TypeAlias

import msgspec
from PIL import Image

from docgen.errors import ScanRejected
from docgen.pagecode import Key
from docgen.scanning import codes
from docgen.scanning.clean import CleanCopy
from docgen.scanning.findings import Reading
from docgen.scanning.images import Kind, Picture, open_scan
from docgen.scanning.matching import Awaited

PART = 25  # sides read together
COPY, PREVIEWS = "copy.pdf", "previews.bin"
SMALL, LARGE = 240, 1000  # pixels high: to recognise a side, and to read what is on it
QUALITY = 70  # of JPEG
Reader: TypeAlias = Callable[[Picture, Mapping[int, Key]], Reading]


class PartRead(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a part: `last` is the side after its last one, `sides` those of the file."""

    kind: Kind
    sides: int
    last: int
    readings: tuple[Reading, ...]


def read_part(
    path: Path,
    first: int,
    last: int | None,
    keys: Mapping[int, Key],
    folder: Path,
    *,
    skipped: Collection[int] = (),
    say: Callable[[int], None] | None = None,
    awaited: Sequence[tuple[str, int]] = (),
    read: Reader | None = None,
) -> PartRead:
    """Read sides of a file, from `first`, `last` not among them; `PART` of them when it is None.

    Written into `folder`: the clean copy, with a page a side, and the pictures one after the
    other. Sides in `skipped`, by their number in the file, are not touched. `say` is told the
    number in the part, from 0, of each side that is about to be opened. `awaited` are documents
    that may come home, by number and sides: codes that cannot be read are compared with theirs.

    Raises:
        ScanRejected: when the file itself cannot be opened.
    """
    readings = []
    read = read or partial(codes.read, awaited=Awaited(keys, awaited) if awaited else None)
    folder.mkdir(parents=True, exist_ok=True)
    with (
        open_scan(path) as scan,
        (folder / COPY).open("wb") as copied,
        (folder / PREVIEWS).open("wb") as previews,
    ):
        end = min(first + PART if last is None else last, scan.sides)
        copy = CleanCopy(copied)
        for index in range(first, end):
            if index in skipped:
                picture = Picture(index, fault="too-heavy")
            else:
                if say:
                    say(index - first)
                (picture,) = scan.read(index, index + 1)
            readings.append(_side(picture, keys, read, copy, previews))
        copy.close()
        return PartRead(kind=scan.kind, sides=scan.sides, last=end, readings=tuple(readings))


def _side(
    picture: Picture,
    keys: Mapping[int, Key],
    read: Reader,
    copy: CleanCopy,
    previews: BinaryIO,
) -> Reading:
    """Read one side; one whose data turn out to be damaged has an empty page, and no picture."""
    try:
        reading = read(picture, keys)
        page = copy.add(picture)
    except ScanRejected:
        picture = Picture(picture.index, picture.width, picture.height, fault="damaged-image")
        reading, page = read(picture, keys), copy.add(picture)
    start = previews.tell()
    if not picture.fault:
        height = SMALL if reading.verdict == "coded" else LARGE
        previews.write(_preview(picture, reading.rotation, height))
    shown = start, previews.tell() - start
    return msgspec.structs.replace(reading, clean_page=page, preview=shown)


def _preview(picture: Picture, rotation: int, height: int) -> bytes:
    """Draw a side small, grey and upright."""
    tall = rotation % 180 == 0
    upright = picture.height if tall else picture.width
    scale = min(1.0, height / upright)
    grey = Image.fromarray(picture.at_hand(round(picture.height * scale)))
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    small = grey.resize(size, Image.Resampling.BOX).rotate(-rotation, expand=True)
    stream = BytesIO()
    small.save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()
