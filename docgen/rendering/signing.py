"""Where a document that another program laid out is signed: in the frames that labels head.

A label of the manifest that stands once in the text is looked at: what is signed is the bare foot
of the frame around it, or of the frame right under it. What is not as plain as that is not told.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pypdfium2

from docgen.manifest import Signature
from docgen.rendering import pictures
from docgen.rendering.imposition import MM, SideZone

DPI = 200
DOT = 72 / DPI  # points
LINE = 215  # grey level: a thin line is drawn over two dots, the shade of a heading is lighter
WHOLE = 0.98  # of a line that is one
NEAR = round(0.5 * MM / DOT)  # dots that a line, or the edge of a letter, may take
LEAST, MOST = round(10 * MM / DOT), round(80 * MM / DOT)  # height of what is signed
BELOW = round(2 * MM / DOT)  # what is written by hand on a printed line (a date) goes under it


class Spot(NamedTuple):
    """A rectangle of a side drawn at `DPI`: dots from the top left."""

    left: int
    top: int
    right: int
    bottom: int


def signed_zones(content: bytes, signatures: Sequence[Signature]) -> list[SideZone]:
    """Give the zones of these signatures that are plain to see in a PDF."""
    zones = []
    for signature, side, label, height in _labels(content, signatures):
        (picture,) = pictures.greys(content, DPI, [side])
        if spot := _bare(picture < LINE, label):
            left, foot = spot.left * DOT, height - spot.bottom * DOT
            size = (spot.right - spot.left) * DOT, (spot.bottom - spot.top) * DOT
            box = (round(each, 2) for each in (left, foot, *size))
            zones.append(SideZone(signature.name, side + 1, *box))
    return zones


def _labels(
    content: bytes, signatures: Sequence[Signature]
) -> list[tuple[Signature, int, Spot, float]]:
    """Give each label that stands once: its side from 0, its place, the height of the side."""
    found: dict[str, list[tuple[Signature, int, Spot, float]]] = {}
    document = pypdfium2.PdfDocument(content)
    try:
        for side in range(len(document)):
            page = document[side]
            text, height = page.get_textpage(), page.get_height()
            for signature in signatures:
                places = found.setdefault(signature.name, [])
                label = signature.label.replace("\u00a0", " ")
                searched = text.search(label, match_case=True, match_whole_word=True)
                while hit := searched.get_next():
                    index, count = hit
                    places.append((signature, side, _spot(text, index, count, height), height))
    finally:
        document.close()
    return [places[0] for places in found.values() if len(places) == 1]


def _spot(text: Any, index: int, count: int, height: float) -> Spot:  # noqa: ANN401
    boxes = [text.get_charbox(each) for each in range(index, index + count)]
    left, right = min(box[0] for box in boxes), max(box[2] for box in boxes)
    bottom, top = min(box[1] for box in boxes), max(box[3] for box in boxes)
    edges = (left, height - top, right, height - bottom)
    return Spot(*(round(edge / DOT) for edge in edges))


def _bare(dark: "np.ndarray[Any, np.dtype[np.bool_]]", label: Spot) -> Spot | None:
    """Find the frame of a label, and what of it is bare under all that is printed in it."""
    lines = np.flatnonzero(dark[label.bottom :, label.left : label.right].mean(1) > WHOLE)
    top = label.bottom
    for bottom in lines + label.bottom:
        if bottom - top >= LEAST:
            break
        top = int(bottom)
    else:
        return None
    rows = slice(top + NEAR, bottom - NEAR)
    walls = np.flatnonzero(dark[rows].mean(0) > WHOLE)
    lefts, rights = walls[walls < label.left], walls[walls > label.right]
    if bottom - top > MOST or not lefts.size or not rights.size:
        return None
    left, right = int(lefts[-1]) + NEAR, int(rights[0]) - NEAR
    if dark[bottom, left:right].mean() < WHOLE:
        return None
    printed = np.flatnonzero(dark[rows, left:right].any(1))
    if printed.size:
        top = rows.start + int(printed[-1]) + BELOW
    spot = Spot(left, top + NEAR, right, int(bottom) - NEAR)
    return spot if spot.bottom - spot.top >= LEAST else None
