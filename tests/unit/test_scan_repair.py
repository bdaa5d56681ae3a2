"""Codes of which much is gone: what is left is enough, and what is not there is not made up."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docgen import pagecode
from docgen.errors import CodeRefused
from docgen.pagecode import PageCode
from docgen.rendering import symbols
from docgen.scanning import codes, encoding, symbol
from docgen.scanning.symbol import CHECKS, WORDS, corrected
from tests.unit.drawn_sides import KEY, KEYS, laid, master, said

STROKE = (slice(0, 240), slice(95, 125))  # down the middle: the decoder may manage


def words_of(text: str) -> list[int]:
    bits = np.frombuffer(symbols.segno_image(text), np.uint8).reshape(-1, 4)
    dark = 1 - np.unpackbits(bits, axis=1)[:, : symbol.MODULES]
    order, masked = symbol.places()
    return np.packbits(dark.ravel()[order].astype(bool) ^ masked).tolist()


def test_words_are_those_that_segno_draws() -> None:
    for side in range(1, 6):
        words = words_of(said(0, side))
        assert symbol._text(words) == said(0, side)
        assert {place: words[place] for place in symbol.known_words()} == symbol.known_words()
        assert corrected(words, []) == words


def test_codes_drawn_at_once_are_those_that_segno_draws() -> None:
    codes_of = [PageCode(bytes([n * 37 % 256] * 6), n % 5 + 1, 5, n % 3) for n in range(40)]
    drawn = encoding.words(b"".join(pagecode.payload(KEY, code) for code in codes_of))
    assert drawn.tolist() == [words_of(pagecode.make(KEY, code)) for code in codes_of]
    order, _ = symbol.places()
    for row, code in zip(drawn, codes_of, strict=True):
        bits = np.frombuffer(symbols.segno_image(pagecode.make(KEY, code)), np.uint8)
        dark = np.unpackbits(bits.reshape(-1, 4), axis=1)[:, : symbol.MODULES] == 0
        assert encoding.modules(row).ravel()[order].tolist() == dark.ravel()[order].tolist()


@given(data=st.data(), seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_wrong_and_doubtful_words_are_put_right(data: st.DataObject, seed: int) -> None:
    erased = data.draw(st.integers(0, CHECKS))
    wrong = data.draw(st.integers(0, (CHECKS - erased) // 2))
    chance = random.Random(seed)  # noqa: S311
    right = words_of(said(1, 3))
    places = chance.sample(range(WORDS), erased + wrong)
    words = list(right)
    for place in places[:wrong]:
        words[place] ^= chance.randrange(1, 256)
    for place in places[wrong:]:
        words[place] = chance.randrange(256)
    assert corrected(words, places[wrong:]) == right


def test_too_many_wrong_words_are_told_or_refused_by_the_tag() -> None:
    chance = random.Random(7)  # noqa: S311
    for _ in range(200):
        words = [chance.randrange(256) for _ in range(WORDS)]
        for place, word in symbol.known_words().items():
            words[place] = word
        right = corrected(words, chance.sample(range(3, 21), chance.choice([0, 8, 14, 18])))
        text = right and symbol._text(right)
        if text:
            with pytest.raises(CodeRefused):
                pagecode.parse(text, KEYS)


@pytest.mark.parametrize(
    "gone",
    [
        (slice(0, 80), slice(0, 80)),  # a finder
        (slice(0, 60), slice(0, 240)),  # the upper quarter
        STROKE,
    ],
)
@pytest.mark.parametrize("level", [0, 255])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_code_with_much_of_it_gone_is_read(
    gone: tuple[slice, slice], level: int, turns: int
) -> None:
    drawn = master({0: said(0)}).copy()
    drawn[130:370, 2115:2355][gone] = level
    reading = codes.read(laid(drawn, 200, turns=turns, skew=1.0)[0], KEYS)
    assert reading.verdict == "coded"
    assert reading.step == "repair" or gone == STROKE
    assert (reading.codes[0].corner, reading.codes[0].side) == (0, 2)
    assert reading.rotation == -turns * 90 % 360


def test_a_foreign_code_with_a_part_gone_is_still_foreign() -> None:
    other = pagecode.Key(5, b"another installation's key......")
    drawn = master({0: said(0, key=other)}).copy()
    drawn[130:210, 2115:2195] = 255
    reading = codes.read(laid(drawn)[0], KEYS)
    assert (reading.verdict, reading.codes) == ("foreign", ())
