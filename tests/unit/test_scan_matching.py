"""Codes compared with those that are awaited: what was printed is known, nothing else ever is."""

from typing import Any

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray

from docgen.pagecode import Key
from docgen.scanning import codes, encoding, matching
from docgen.scanning.cascade import Grey, Window
from docgen.scanning.findings import Reading
from docgen.scanning.matching import Awaited
from docgen.scanning.repair import Place
from tests.unit.drawn_sides import DOCUMENT, KEY, KEYS, laid, master, said, symbol

OWN = (DOCUMENT.hex(), 5)
MODULE = 8  # pixels
QUIET = 4  # modules


def others(count: int, seed: int = 3) -> list[tuple[str, int]]:
    chance = np.random.default_rng(seed)
    return [(chance.bytes(6).hex(), 5) for _ in range(count)]


def drawn(texts: dict[int, str]) -> Grey:
    """Draw a side both codes of which are under a broad black stroke: half of the words."""
    side = master(texts).copy()
    for place in (side[130:370, 2110:2360], side[3140:3380, 130:370]):
        place[60:160, 60:] = 0
    return side


BOTH = {0: said(0), 1: said(1)}


def read(texts: dict[int, str], awaited: list[tuple[str, int]], **laying: float) -> Reading:
    sheet, _ = laid(drawn(texts), **laying)  # type: ignore[arg-type]
    return codes.read(sheet, KEYS, Awaited(KEYS, awaited) if awaited else None)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_side_is_known_among_those_awaited(turns: int) -> None:
    awaited = [*others(300), OWN, *others(300, 4)]
    reading = read(BOTH, awaited, turns=turns, skew=1.2)
    assert (reading.verdict, reading.step) == ("coded", "matched")
    said_there = {(code.document, code.side, code.sides) for code in reading.codes}
    assert said_there == {(DOCUMENT.hex(), 2, 5)}
    assert reading.rotation == -turns * 90 % 360
    assert reading.skew == pytest.approx(-1.2, abs=0.3)
    assert reading.matrix is not None


@pytest.mark.parametrize("awaited", [[], others(600), [(DOCUMENT.hex(), 1)], [(DOCUMENT.hex(), 6)]])
def test_a_side_that_is_not_awaited_is_not_known(awaited: list[tuple[str, int]]) -> None:
    reading = read(BOTH, awaited)
    assert (reading.verdict, reading.reason) == ("unreadable", "code-damaged")
    assert reading.codes == ()


def damaged(words: NDArray[np.uint8], chance: Generator) -> NDArray[np.float64]:
    """Give chances of modules of a symbol of which some are seen, and one in 20 of them wrongly."""
    dark = encoding.modules(words) ^ (chance.random((25, 25)) < 0.05)
    seen = chance.random((25, 25)) < chance.uniform(0.2, 1)
    return np.where(seen, np.where(dark, matching.SURE, 1 - matching.SURE), 0.5)


def test_thousands_of_damaged_sides_are_none_of_those_awaited() -> None:
    chance = np.random.default_rng(11)
    printed = Awaited(KEYS, others(300, 6)).drawn(0)
    awaited = Awaited(KEYS, others(400, 7))
    sides = [[damaged(printed[at % len(printed)], chance)] for at in range(2_000)]
    own, shared = awaited.evidence(0, sides)
    assert own.shape == (2_000, 2_000)
    assert (own + shared).max() < matching.ENOUGH
    assert own.max() < matching.AHEAD
    true = np.add(*Awaited(KEYS, others(300, 6)).evidence(0, sides[:1_500])).argmax(axis=0)
    assert (true == np.arange(1_500)).mean() > 0.99


def window(text: str, seed: int) -> tuple[Window, Place]:
    """Draw a symbol under strokes of ink, and say where it is."""
    chance = np.random.default_rng(seed)
    wide = 25 * MODULE
    pixels = np.pad(symbol(text, wide), QUIET * MODULE, constant_values=255).copy()
    for _ in range(int(chance.integers(1, 5))):
        first, end = np.sort(chance.integers(0, len(pixels), 2))
        pixels[first : first + (end - first) // 2, int(chance.integers(0, wide)) :] = 0
    at, end = QUIET * MODULE, QUIET * MODULE + wide
    return Window(pixels, 0, 0, 1), Place(
        np.array([(at, at), (end, at), (end, end), (at, end)], np.float64), 1.0
    )


def found(seed: int, **code: Any) -> dict[int, list[tuple[Window, Place]]]:  # noqa: ANN401
    return {at: [window(said(at, **code), seed * 2 + at)] for at in (0, 1)}


def test_no_side_is_known_by_the_number_of_its_document_alone() -> None:
    own, longer = Awaited(KEYS, [OWN]), Awaited(KEYS, [(DOCUMENT.hex(), 6)])
    single = Awaited(KEYS, [(DOCUMENT.hex(), 1)])
    known = 0
    for seed in range(30):
        side = seed % 5 + 1
        match = matching.match(own, found(seed, side=side))
        assert match is None or (match.document, match.side) == (DOCUMENT.hex(), side)
        known += match is not None
        assert matching.match(longer, found(seed, side=side)) is None
        assert matching.match(single, found(seed, side=1)) is None
    assert known > 15


def test_a_code_made_with_another_key_is_never_known() -> None:
    other = Key(KEY.number, b"another installation's key......")
    for awaited in (Awaited(KEYS, [OWN]), Awaited(KEYS, [(DOCUMENT.hex(), 1)])):
        sides = awaited.documents[0][1]
        for seed in range(20):
            foreign = found(seed, side=1, sides=sides, key=other)
            assert matching.match(awaited, foreign) is None


def test_nothing_is_known_when_nothing_is_awaited_or_found() -> None:
    assert matching.match(Awaited(KEYS, []), found(1)) is None
    assert matching.match(Awaited(KEYS, [OWN]), {}) is None
