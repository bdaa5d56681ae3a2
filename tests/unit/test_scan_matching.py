"""Codes compared with those that are awaited: what was printed is known, nothing else ever is."""

import numpy as np
import pytest

from docgen.scanning import codes
from docgen.scanning.findings import Reading
from docgen.scanning.matching import Awaited
from tests.unit.drawn_sides import DOCUMENT, KEYS, Grey, laid, master, said

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
