"""Parts of a PDF, as `splitting` makes them, joined into the very file that they are of."""

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
from pypdf import PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import IndirectObject, StreamObject

from docgen.errors import InvalidInput, Problem
from docgen.files import write_whole
from docgen.typography import NBSP

BIGGEST = 1 << 30  # bytes of a file that is joined again: what a part claims is checked
FORMAT = 1
OWN = "/docgen"  # our name in the dictionary of private data (ISO 32000-1, 14.5)


class Label(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a part says of itself: the whole that it is of, and what it carries.

    `sha256` and `size` are those of the whole file, `frame` the length of its compressed frame, of
    which this part has what begins at `start`: its digest is `share`. `streams` are digests too.
    """

    format: int
    sha256: str
    size: int
    part: int
    parts: int
    frame: int
    start: int
    share: str
    streams: list[str]

    @property
    def whole(self) -> tuple[object, ...]:
        """What all the parts of one file say alike."""
        return (self.sha256, self.size, self.parts, self.frame)


@dataclass(slots=True)
class Found:
    """The parts that were found of one file: the names, shares and streams of its parts."""

    label: Label
    names: list[str] = field(default_factory=list)
    shares: dict[int, tuple[int, bytes]] = field(default_factory=dict)
    streams: dict[str, bytes] = field(default_factory=dict)


def join(paths: Iterable[Path], target: Path) -> str:
    """Join parts into the file that they were split from, and give its SHA-256.

    Parts come in any order, and twice if need be. Nothing is written but the very file.

    Raises:
        InvalidInput: with each file that is no part, or of another file, and what is missing.
    """
    problems: list[Problem] = []
    found: dict[tuple[object, ...], Found] = {}
    for path in paths:
        try:
            _gather(path, found)
        except InvalidInput as error:
            problems += error.problems
    ordered = sorted(found.values(), key=lambda each: -len(each.shares))
    for other in ordered[1:]:
        what = "cette partie est celle d’un autre fichier."
        problems += [Problem(what, each, "Retirez-la.") for each in other.names]
    problems += [each for parts in ordered[:1] for each in _missing(parts)]
    if not ordered and not problems:
        problems.append(Problem("aucune partie n’est donnée.", "", "Donnez-les toutes."))
    if problems:
        raise InvalidInput(problems)
    write_whole(target, _bound(ordered[0]))
    return ordered[0].label.sha256


def opened(name: str, content: bytes) -> PdfReader:
    """Open a PDF that has pages.

    Raises:
        InvalidInput: when it does not open.
    """
    try:
        reader = PdfReader(BytesIO(content))
        if reader.is_encrypted:
            what = "ce PDF est protégé par un mot de passe."
            raise InvalidInput(Problem(what, name, "Enregistrez-le sans protection."))
        count = len(reader.pages)
    except (PyPdfError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InvalidInput(_no_pdf(name)) from error
    if not count:
        raise InvalidInput(_no_pdf(name))
    return reader


def _no_pdf(name: str) -> Problem:
    return Problem("ce n’est pas un PDF qui s’ouvre.", name, "Enregistrez de nouveau le fichier.")


def _gather(path: Path, found: dict[tuple[object, ...], Found]) -> None:
    """Read a part, and put what it carries with what other parts of the same file carry.

    Raises:
        InvalidInput: when it is no part, or was changed since.
    """
    reader = opened(path.name, path.read_bytes())
    label, share = _label(path.name, reader)
    wanted, streams = set(label.streams), dict[str, bytes]()
    for each in _streams(reader):
        digest = hashlib.sha256(each).hexdigest()
        if digest in wanted:
            streams[digest] = each
    if wanted - streams.keys() or hashlib.sha256(share).hexdigest() != label.share:
        what = "cette partie a été modifiée depuis son envoi."
        raise InvalidInput(Problem(what, path.name, "Reprenez celle du message."))
    parts = found.setdefault(label.whole, Found(label))
    parts.names.append(path.name)
    parts.shares[label.part] = label.start, share
    parts.streams |= streams


def _label(name: str, reader: PdfReader) -> tuple[Label, bytes]:
    try:
        root: Any = reader.root_object
        told, _, share = root["/PieceInfo"][OWN]["/Private"]._data.partition(b"\n")
        label = msgspec.json.decode(told, type=Label)
    except (KeyError, TypeError, AttributeError, PyPdfError, msgspec.MsgspecError) as error:
        what = "ce n’est pas une partie d’un envoi."
        raise InvalidInput(Problem(what, name, "Donnez les fichiers reçus, tels quels.")) from error
    if label.format != FORMAT or label.size > BIGGEST:
        what = "cette partie vient d’une autre version de docgen."
        raise InvalidInput(Problem(what, name, "Mettez docgen à jour."))
    return label, share


def _streams(reader: PdfReader) -> Iterator[bytes]:
    """Give the streams of a file as they are encoded, whatever they are for."""
    for generation, table in reader.xref.items():
        for number in table:
            each = reader.get_object(IndirectObject(number, generation, reader))
            if isinstance(each, StreamObject):
                yield each._data


def _missing(parts: Found) -> Iterator[Problem]:
    total = parts.label.parts
    missing = [str(n) for n in range(1, total + 1) if n not in parts.shares]
    if len(missing) == 1:
        what = f"il manque la partie {missing[0]} sur {total}."
        yield Problem(what, "", "Ajoutez-la.")
    elif missing:
        what = f"il manque les parties {', '.join(missing[:-1])} et {missing[-1]} sur {total}."
        yield Problem(what, "", "Ajoutez-les.")


def _bound(parts: Found) -> bytes:
    """Put streams back in the frame.

    Raises:
        InvalidInput: when that is not the file that parts say they are of.
    """
    label = parts.label
    frame = b"".join(share for _, share in sorted(parts.shares.values()))
    try:
        # Naming a stream takes less than the stream: twice the size is more than there can be.
        opened_frame = zlib.decompressobj().decompress(frame, 2 * label.size + 2)
        told, _, rest = opened_frame.partition(b"\n")
        pieces, end, taken = [], 0, 0
        for start, length, digest in msgspec.json.decode(told, type=list[tuple[int, int, str]]):
            pieces += [rest[taken : taken + start - end], parts.streams[digest]]
            taken, end = taken + start - end, start + length
        whole = b"".join((*pieces, rest[taken:]))
    except (zlib.error, KeyError, msgspec.MsgspecError) as error:
        raise InvalidInput(_altered()) from error
    if hashlib.sha256(whole).hexdigest() != label.sha256:
        raise InvalidInput(_altered())
    return whole


def _altered() -> Problem:
    what = "ces parties ne redonnent pas le fichier : l’une d’elles a été modifiée."
    return Problem(what.replace(" :", f"{NBSP}:"), "", "Reprenez celles des messages.")
