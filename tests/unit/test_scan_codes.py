"""Reading the codes of a side: what is ours is found, and nothing else is ever taken for it."""

import random

import numpy as np
import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st

from docgen import pagecode
from docgen.pagecode import Key
from docgen.scanning import codes
from docgen.scanning.findings import Reading
from docgen.scanning.sorting import REASONS
from tests.unit.drawn_sides import DOCUMENT, KEY, KEYS, Sheet, laid, master, said

OTHER = Key(5, b"another installation's key......")
ELSEWHERE = Key(6, b"another installation's key......")
BOTH = {0: said(0), 1: said(1)}


def read(sheet: Sheet, keys: dict[int, Key] = KEYS) -> Reading:
    reading = codes.read(sheet, keys)
    assert reading.reason == "" or reading.reason in REASONS
    assert (reading.index, reading.width, reading.height) == (0, sheet.width, sheet.height)
    return reading


@pytest.mark.parametrize("landscape", [False, True])
@pytest.mark.parametrize(
    ("dpi", "turns"),
    [(100, 0), (100, 1), (150, 2), (150, 3), (200, 1), (200, 2), (300, 0), (300, 3)],
)
def test_a_side_is_read_whichever_way_it_lies(dpi: int, turns: int, landscape: bool) -> None:
    sheet, _ = laid(master(BOTH, landscape=landscape), dpi, turns=turns, skew=1.5)
    reading = read(sheet)
    assert (reading.verdict, reading.reason, reading.step) == ("coded", "", "corners")
    assert {code.corner for code in reading.codes} == {0, 1}
    assert {(code.document, code.side, code.sides) for code in reading.codes} == {
        (DOCUMENT.hex(), 2, 5)
    }
    assert reading.rotation == -turns * 90 % 360
    assert reading.skew == pytest.approx(-1.5, abs=0.1)


@pytest.mark.parametrize("corner", [0, 1, 2])
def test_one_code_is_enough_and_said_to_be_alone(corner: int) -> None:
    reading = read(laid(master({corner: said(corner)}))[0])
    assert (reading.verdict, reading.reason) == ("coded", "one-code")
    assert [code.corner for code in reading.codes] == [corner]


@pytest.mark.parametrize(("level", "turns"), [(0, 0), (150, 1), (210, 0)])
def test_what_shines_through_from_the_other_side_is_not_heard(level: int, turns: int) -> None:
    front = master(BOTH)[:, ::-1].astype(np.uint16)
    shining = (255 - (255 - front) * (255 - level) // 255).astype(np.uint8)
    alone = read(laid(shining, turns=turns)[0])
    assert (alone.codes, alone.strangers) == ((), 0)
    assert alone.verdict not in ("coded", "inconsistent", "foreign")
    back = np.minimum(shining, master({0: said(0, side=3)}))
    reading = read(laid(back, turns=turns)[0])
    assert {(code.side, code.corner) for code in reading.codes} == {(3, 0)}


def test_three_codes_are_read() -> None:
    reading = read(laid(master({corner: said(corner) for corner in range(3)}), skew=-2.0)[0])
    assert (reading.verdict, len(reading.codes)) == ("coded", 3)


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        ({0: said(0), 1: said(1, side=3)}, "codes-disagree"),
        ({0: said(0), 1: said(1, sides=6)}, "codes-disagree"),
        ({0: said(0), 1: said(1, key=OTHER)}, "codes-disagree"),
        ({0: said(0), 1: said(0)}, "code-misplaced"),
        ({0: said(1), 1: said(0)}, "code-misplaced"),
        ({0: said(1)}, "code-misplaced"),
        ({2: said(0)}, "code-misplaced"),
    ],
)
def test_codes_that_contradict_are_reported(texts: dict[int, str], reason: str) -> None:
    reading = read(laid(master(texts))[0])
    assert (reading.verdict, reading.reason) == ("inconsistent", reason)


@pytest.mark.parametrize(("key", "reason"), [(OTHER, "code-refused"), (ELSEWHERE, "other-key")])
def test_another_installations_side_is_foreign(key: Key, reason: str) -> None:
    reading = read(laid(master({0: said(0, key=key), 1: said(1, key=key)}))[0])
    assert (reading.verdict, reading.reason, reading.codes) == ("foreign", reason, ())
    assert reading.matrix is None


def test_an_altered_code_is_foreign() -> None:
    text = said(0)
    altered = text[:6] + ("A" if text[6] != "A" else "B") + text[7:]
    assert read(laid(master({0: altered}))[0]).verdict == "foreign"


def test_other_symbols_are_counted_and_never_used() -> None:
    drawn = master({}).copy()
    label = np.kron(
        np.array(segno.make("https://example.org/a/label", micro=False).matrix), np.ones((8, 8))
    )
    side = len(label)
    drawn[200 : 200 + side, 200 : 200 + side] = 255 - label * 255
    reading = read(laid(drawn)[0])
    assert (reading.verdict, reading.reason, reading.strangers) == ("bare", "other-code", 1)


def test_a_side_without_codes_is_bare_and_an_empty_one_blank() -> None:
    bare = read(laid(master({}))[0])
    assert (bare.verdict, bare.reason, bare.codes, bare.matrix) == ("bare", "", (), None)
    assert read(laid(master({}, lines=0))[0]).verdict == "blank"


def test_a_picture_that_cannot_be_opened_is_unreadable() -> None:
    reading = read(Sheet(np.zeros((9, 9), np.uint8), fault="damaged-image", turned=90))
    assert (reading.verdict, reading.reason) == ("unreadable", "damaged-image")
    assert reading.rotation == 90


def test_a_code_blotted_out_is_unreadable_and_a_coarse_picture_too() -> None:
    drawn = master(BOTH).copy()
    for place in (drawn[130:370, 2110:2360], drawn[3140:3380, 130:370]):
        place[72:152, 72:] = 0  # a broad stroke: half of the words
    blotted = read(laid(drawn)[0])
    assert (blotted.verdict, blotted.reason) == ("unreadable", "code-damaged")
    coarse = read(laid(master(BOTH), 25)[0])
    assert (coarse.verdict, coarse.reason) == ("unreadable", "too-coarse")


def test_the_better_scan_has_the_better_quality() -> None:
    drawn = master(BOTH)
    good, coarse = (read(laid(drawn, dpi)[0]).quality for dpi in (200, 100))
    pale = read(laid((drawn // 3 + 150).astype(np.uint8))[0]).quality
    alone = read(laid(master({0: said(0)}))[0]).quality
    cut = read(laid(drawn, shift=(0, 12))[0]).quality
    assert min(good / coarse, good / pale, good / alone) > 1.25
    assert good > cut > 0


@given(seed=st.integers(0, 2**32), coarse=st.integers(1, 12))
@settings(max_examples=8, deadline=None)
def test_nothing_is_ever_read_out_of_noise(seed: int, coarse: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 2, (900 // coarse, 640 // coarse), np.uint8)
    pixels = np.kron(noise * np.uint8(255), np.ones((coarse, coarse), np.uint8))
    reading = codes.read(Sheet(pixels, 76), KEYS)
    assert reading.codes == ()
    assert reading.verdict in ("bare", "unreadable")


def test_no_altered_character_is_ever_accepted() -> None:
    chance = random.Random(5)  # noqa: S311
    judge = codes.Judge(KEYS)
    for _ in range(2_500):
        letters = list(said(chance.randrange(3), chance.randrange(1, 6)))
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(letters))
            others = set(pagecode.ALPHABET + "ILOU") - {letters[at]}
            letters[at] = chance.choice(sorted(others))
        if "".join(letters) not in {said(c, s) for c in range(3) for s in range(1, 6)}:
            judge.take("".join(letters), ((0, 0), (9, 0), (9, 9), (0, 9)))
    assert judge.seen == []
    assert judge.refused


def test_the_same_side_read_twice_is_read_the_same() -> None:
    sheet, _ = laid(master(BOTH), skew=0.7)
    assert read(sheet) == read(sheet)
    assert KEY.number in KEYS


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (3, 3), (9, 2000), (40, 40), (5000, 30)])
@pytest.mark.parametrize("dpi", [0.0, 200.0])
@pytest.mark.parametrize("level", [0, 255])
def test_pictures_of_no_size_are_read_too(size: tuple[int, int], dpi: float, level: int) -> None:
    reading = codes.read(Sheet(np.full(size, level, np.uint8), dpi), KEYS)
    assert reading.codes == ()
    assert reading.verdict in ("unreadable", "bare", "blank")
    assert np.isfinite(reading.ink)
    assert max(size) > 1000 or reading.reason == "too-coarse"
