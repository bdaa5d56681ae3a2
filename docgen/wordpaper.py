"""Loan conventions as paper: codes on each PDF, and what recognises it when it comes home."""

import hashlib
import json
from datetime import date
from itertools import count
from pathlib import Path

import msgspec

from docgen import pagecode
from docgen.manifest import Manifest
from docgen.rendering.imposition import sides_needed
from docgen.rendering.signing import signed_zones
from docgen.rendering.stamping import Pages, Stamp
from docgen.rendering.wordmodel import Filling


class Zone(msgspec.Struct, frozen=True, kw_only=True):
    """A zone that somebody signs, on a side from 1; `box` is left, bottom, width, height (pt)."""

    side: int
    name: str
    label: str
    box: tuple[float, float, float, float]
    required: bool


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """A document with page codes: its file, its number in hexadecimal, and whose it is.

    `needed` are the sides that must come home.
    """

    file: str
    number: str
    reference: str
    person: str
    sides: int
    needed: list[int]
    zones: list[Zone]


class Series:
    """Documents of one model stamped one after the other, no two with the same reference."""

    def __init__(self, manifest: Manifest, school: str, model: bytes, stamp: Stamp) -> None:
        """Take the model itself, as bytes: what it says is part of what a document says."""
        self._manifest = manifest
        self._school = school
        self._model = hashlib.sha256(model).hexdigest()
        self._stamp = stamp
        self._taken: set[str] = set()

    def stamped(self, path: Path, filling: Filling, person: str, on: date) -> Paper:
        """Put codes on a PDF, in its file.

        Raises:
            LayoutOverflows: for more sides than a page code can count.
        """
        pages = Pages(path.read_bytes(), filling.where)
        number, reference = self._numbered(filling, pages.sides)
        content = pages.stamped(self._stamp, number, reference, on)
        path.write_bytes(content)
        zones, needed = self._signed(filling.variant, content, pages.sides)
        return Paper(
            file=path.name,
            number=number.hex(),
            reference=reference,
            person=person,
            sides=pages.sides,
            needed=needed,
            zones=zones,
        )

    def _numbered(self, filling: Filling, sides: int) -> tuple[bytes, str]:
        """Number a document by all that it says: paper that says something else has another number.

        A reference already taken is drawn again, the same way.
        """
        manifest = self._manifest
        content = json.dumps(filling.values, ensure_ascii=False, sort_keys=True)
        said = hashlib.sha256(content.encode()).hexdigest()
        facts = (
            *(manifest.slug, manifest.version, self._school, self._model),
            *(filling.name, filling.variant, said, str(sides)),
        )
        for attempt in count():
            number = pagecode.document_number(self._stamp.key, *facts, str(attempt))
            reference = pagecode.reference(manifest.reference, number)
            if reference not in self._taken:
                break
        self._taken.add(reference)
        return number, reference

    def _signed(self, variant: str, content: bytes, sides: int) -> tuple[list[Zone], list[int]]:
        """Find where a document is signed, and say which of its sides must come home.

        All of them do when a signature was not found: it may be on any.
        """
        wanted = {
            each.name: each
            for each in self._manifest.signatures
            if variant in (each.variants or (variant,))
        }
        found = signed_zones(content, list(wanted.values()))
        zones = [
            Zone(
                side=zone.side,
                name=zone.name,
                label=wanted[zone.name].label,
                box=(zone.x, zone.y, zone.width, zone.height),
                required=wanted[zone.name].required,
            )
            for zone in found
        ]
        told = found if len(found) == len(wanted) else ()
        return zones, sides_needed(self._manifest, sides, told)
