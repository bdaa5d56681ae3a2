"""Codes that cannot be read, compared with those that are awaited on paper.

What is left of a symbol gives each module a chance of being dark. A candidate is a side of an
awaited document, and its symbol is drawn as it was printed, tag included. Its evidence, in bits, is
the sum over modules of log2(2 p), p the chance given to what the candidate has there.

Whatever lies on the paper, and however wrong these chances are, a symbol that is not there has
modules that are heads or tails for it: 2 to the power of its evidence is then 1 on average, so that
evidence of b bits or more comes up less than once in 2^b candidates (Markov's inequality). The
number of a document and the tag of each code are 104 bits of HMAC, which Reed-Solomon spreads over
the 312 modules compared: those that are alike in all codes are left out. That any of n candidates
compared in t ways is taken for a side that is not awaited has odds under n t / 2^b; b must be 60
more than log2(n t), which makes it less than once in 10^18.

Both codes of a side say its number: that counts once. Each has a tag of its own, of 56 bits: tags
and check words add up, and must give 40 bits more than log2(n t) by themselves. A side is then not
known by its number alone, nor an altered code by what was left of the true one; nor is a side taken
for another of its document, ahead of which it must be by 40 bits.
"""

from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from docgen import pagecode
from docgen.scanning import encoding, geometry, repair, symbol
from docgen.scanning.cascade import Grey, Window
from docgen.scanning.repair import RING, Floats, Place
from docgen.scanning.symbol import MODULES, WORDS

ENOUGH = 60.0  # bits beyond the logarithm of what was tried
AHEAD = 40.0  # bits between the best side and the next
SHOWN = 20.0  # bits of its own with which a code tells where the side lies
SURE = 0.98  # no module is believed more than that
REACH = 3  # modules around one that tell how far it is to be believed
ROWS = 8192  # compared at once
BITS = np.arange(WORDS * 8)  # of a code's words: 32 that are alike, the number, the rest
SHARED = (BITS >= 32) & (BITS < 112)  # number of the document, side and sides
OWN = (BITS >= 112) & (BITS // 8 != WORDS - symbol.CHECKS - 1)  # tag and check words
FAINT = 0.2  # of 1: places less like a symbol are not compared
WAYS = 8  # up: four, at two sets of sizes
MAPS = 6  # ways of telling dark from light
CORNERS = (0, 1)  # where every side has a code
Found: TypeAlias = dict[int, list[tuple[Window, Place]]]


class Match(NamedTuple):
    """A side that was recognised, and where its codes are: by corner, the window and the place."""

    document: str
    side: int
    sides: int
    places: dict[int, tuple[Window, Place]]


class Awaited:
    """The sides that may come home, and their codes, drawn when they are first asked for."""

    def __init__(
        self, keys: Mapping[int, pagecode.Key], documents: Sequence[tuple[str, int]]
    ) -> None:
        """Take the keys of the installation, and documents: number in hexadecimal, sides."""
        self.keys = keys
        self.documents = documents
        self._drawn: dict[int, encoding.Words] = {}

    @cached_property
    def sides(self) -> list[tuple[bytes, int, int]]:
        """List the sides: number of the document, side, sides."""
        return [
            (bytes.fromhex(document), side, sides)
            for document, sides in self.documents
            for side in range(1, sides + 1)
        ]

    def drawn(self, corner: int) -> encoding.Words:
        """Give the words of the codes of a corner: all sides with one key, then with the next."""
        if corner not in self._drawn:
            payloads = b"".join(
                pagecode.payload(key, pagecode.PageCode(document, side, sides, corner))
                for key in self.keys.values()
                for document, side, sides in self.sides
            )
            self._drawn[corner] = encoding.words(payloads)
        return self._drawn[corner]

    def evidence(self, corner: int, places: Sequence[Sequence[Floats]]) -> tuple[Floats, Floats]:
        """Give the evidence of every side at each place, in bits, by the best of its chances.

        First that of its tag and check words, which are of one code alone, then that of its
        number, which all codes of a side share.
        """
        drawn, (order, masked) = self.drawn(corner), symbol.places()
        flat = np.array(places).reshape(len(places), -1, MODULES * MODULES)[..., order]
        flat = np.where(masked, 1 - flat, flat)
        dark, light = np.log2(2 * flat), np.log2(2 - 2 * flat)
        kinds = np.stack((OWN, SHARED))[:, None, None]
        weights, base = ((dark - light) * kinds).astype(np.float32), (light * kinds).sum(axis=-1)
        found = np.empty((2, len(drawn), len(places)))
        for first in range(0, len(drawn), ROWS):
            bits = np.unpackbits(drawn[first : first + ROWS], axis=1).astype(np.float32)
            sums = (bits @ weights.reshape(-1, weights.shape[-1]).T).reshape(-1, *base.shape) + base
            best = sums.sum(axis=1).argmax(axis=-1)[:, None, :, None]
            taken = np.take_along_axis(sums, best, axis=-1)[..., 0]
            found[:, first : first + ROWS] = taken.swapaxes(0, 1)
        return found[0], found[1]


def match(awaited: Awaited, found: Found) -> Match | None:
    """Recognise a side by the places where its codes may be, by corner; None when in doubt."""
    count, rows = len(awaited.sides), np.arange(len(awaited.sides) * len(awaited.keys))
    if not rows.size or not found:
        return None
    tries, own, shared = float(rows.size * WAYS), np.zeros(rows.size), np.full(rows.size, -np.inf)
    told: dict[int, Floats] = {}
    for corner, places in found.items():
        chances = [_chances(window.pixels, place.quad) for window, place in places]
        alone, common = awaited.evidence(corner, chances)
        told[corner] = alone + common
        best = told[corner].argmax(axis=1)
        own += alone[rows, best]
        shared = np.maximum(shared, common[rows, best])
        tries *= MAPS * len(places)
    total = own + shared
    top = int(np.argmax(total))
    others = np.delete(total, np.arange(top % count, rows.size, count))
    chance = np.log2(tries)
    if total[top] < ENOUGH + chance or own[top] < AHEAD + chance:
        return None
    if others.size and total[top] - others.max() < AHEAD:
        return None
    shown = {}
    for corner, each in told.items():
        if each[top].max() >= SHOWN:
            shown[corner] = found[corner][int(np.argmax(each[top]))]
    document, side, sides = awaited.sides[top % count]
    return Match(document.hex(), side, sides, shown)


def search(
    windows: Sequence[Window], dpi: float, scales: tuple[float, ...], size: tuple[int, int]
) -> list[Found]:
    """Find where the codes of a side may be, for each way up, by their corners.

    `dpi` is that of the windows, `size` the pixels of the stored image across and down.
    """
    ways: list[Found] = [{} for _ in range(4)]
    for window in windows:
        places = repair.find(window, dpi, scales, FAINT)
        for turns, found in enumerate(ways):
            mine = [place for place in places if geometry.quarter_turns(_points(place)) == turns]
            for place in repair.apart(mine):
                points = window.quad(_points(place))
                for corner in CORNERS:
                    if geometry.fits(corner, points, *size):
                        found.setdefault(corner, []).append((window, place))
    for found in ways:
        for corner, places_there in found.items():
            likely = sorted(places_there, key=lambda each: -each[1].score)[: repair.PLACES]
            found[corner] = [(window, repair.settle(window, place)) for window, place in likely]
    return [found for found in ways if found]


def _points(place: Place) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in place.quad]


@cache
def _known() -> Floats:
    """Give the modules that are alike in all codes, quiet zone included: 1 dark, -1 light."""
    known = symbol.patterns().copy()
    order, _ = symbol.places()
    alike = np.zeros((WORDS, 8), bool)
    alike[list(symbol.known_words())] = True
    spots = order[alike.ravel()]
    drawn = np.where(encoding.modules(encoding.words(bytes(16))[0]), 1.0, -1.0)
    known.ravel()[spots] = drawn.ravel()[spots]
    return np.pad(known, RING, constant_values=-1.0)


def _chances(grey: Grey, quad: Floats) -> list[Floats]:
    """Give the chances of modules being dark, by each way of telling dark from light."""
    inner = (slice(RING, -RING),) * 2
    outside = _outside(grey, quad)
    found = []
    for dark in repair.judged(repair.levels_of(grey, quad)):
        stained, faded = _rates(dark, -1), _rates(1 - dark, 1)
        if_dark = dark * (1 - faded) + (1 - dark) * faded
        if_light = dark * stained + (1 - dark) * (1 - stained)
        chance = np.clip(if_dark / (if_dark + if_light), 1 - SURE, SURE)[inner]
        found.append(np.where(outside, 0.5, chance))
    return found


def _rates(wrong: Floats, colour: int) -> Floats:
    """Give how often modules of a colour are seen as the other, around each module."""
    known, near = _near(colour)
    overall = ((known * wrong).sum() + 1) / (known.sum() + 4)
    rates: Floats = (repair.near_sum(known * wrong, REACH) + 6 * overall) / (near + 6)
    return rates


@cache
def _near(colour: int) -> tuple[Floats, Floats]:
    """Give which modules are always of a colour, and how many of them are around each."""
    known = (_known() == colour).astype(np.float64)
    return known, repair.near_sum(known, REACH)


def _outside(grey: Grey, quad: Floats) -> NDArray[np.bool_]:
    """Tell which modules are out of the picture."""
    middles = np.stack(np.meshgrid(*[np.arange(MODULES) + 0.5] * 2), axis=-1).reshape(-1, 2)
    points = repair.projected(quad[None], middles)[0].reshape(MODULES, MODULES, 2)
    size = np.array([grey.shape[1], grey.shape[0]])
    out: NDArray[np.bool_] = ((points < 0) | (points > size)).any(axis=-1)
    return out
