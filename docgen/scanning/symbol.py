"""What every code of ours has in common, and decoding one from levels rather than from bits.

Version, level and mask are fixed (docs/decisions/0004), so the function patterns, the format and
the first words are known before anything is read. 44 words of 8 modules remain, of which 22 check
the others (Reed-Solomon, ISO/IEC 18004, 8.5): 11 wrong words are put right, or 22 that are known
to be doubtful, or any mix of both (two for one).
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from docgen import pagecode

MODULES = 25
WORDS = 44
CHECKS = 22
ERASED = (0, 8, 14, 18, 21)  # words not believed: the most useful numbers of 0 to 22, measured
SURE = 8  # with more erased than that, chance alone may satisfy the check words
VERSION, LEVEL, MASK = 2, "q", 3
ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
HEADER = 0b0010_000011100  # alphanumeric mode, 28 characters
Levels: TypeAlias = NDArray[np.float64]


def _powers() -> tuple[list[int], list[int]]:
    """Tables of GF(256) by x^8 + x^4 + x^3 + x^2 + 1."""
    powers, logarithms, value = [], [0] * 256, 1
    for exponent in range(255):
        powers.append(value)
        logarithms[value] = exponent
        value <<= 1
        value ^= 0x11D if value & 256 else 0
    return powers * 3, logarithms


EXP, LOG = _powers()
_EXPONENTS, _LOGARITHMS = np.array(EXP), np.array(LOG)
_WEIGHTS = np.outer(np.arange(CHECKS), np.arange(WORDS)[::-1]) % 255  # of each word in a syndrome
_SPOTS = np.outer(np.arange(WORDS), 255 - np.arange(WORDS)) % 255  # by degree, then by spot


@cache
def patterns() -> Levels:
    """Give what each module is before anything is read: 1 dark, -1 light, 0 not known."""
    import segno

    text = pagecode.PREFIX + "A" * (pagecode.LENGTH - len(pagecode.PREFIX))
    drawn = segno.make(
        text, version=VERSION, error=LEVEL, mask=MASK, mode="alphanumeric", boost_error=False
    )
    dark = np.array([list(row) for row in drawn.matrix], np.float64) * 2 - 1
    fixed = np.zeros((MODULES, MODULES), bool)
    fixed[:9, :9] = fixed[:9, -8:] = fixed[-8:, :9] = True  # finders, format, the dark module
    fixed[16:21, 16:21] = fixed[6] = fixed[:, 6] = True  # alignment, timing
    dark[~fixed] = 0
    return dark


@cache
def places() -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Give the modules of the words, in the order of their bits, and which of them are masked."""
    free = patterns() == 0
    order, upwards = [], True
    for right in (24, 22, 20, 18, 16, 14, 12, 10, 8, 5, 3, 1):
        for row in range(MODULES)[:: -1 if upwards else 1]:
            order += [row * MODULES + column for column in (right, right - 1) if free[row, column]]
        upwards = not upwards
    taken = np.array(order[: WORDS * 8])
    return taken, (taken // MODULES + taken % MODULES) % 3 == 0


@cache
def known_words() -> dict[int, int]:
    """Give the words that every code has: its mode, length and prefix, and its padding."""
    first, second = map(ALPHANUMERIC.index, pagecode.PREFIX)
    start = HEADER << 11 | first * 45 + second
    return {0: start >> 16, 1: start >> 8 & 255, 2: start & 255, WORDS - CHECKS - 1: 0}


def texts(dark: Levels, risks: Sequence[Levels]) -> Iterator[tuple[str, bool]]:
    """Decode modules told by how dark they are: 0 to 1; 0.5 is anybody's guess.

    Each of `risks` says how likely modules are to be wrong, in any unit. The riskiest words are not
    believed, more and more of them: five tries for each, most often without any text. With each
    text comes whether it can hardly be chance.
    """
    order, masked = places()
    words = np.packbits((dark.ravel()[order] > 0.5) ^ masked).tolist()
    for place, word in known_words().items():
        words[place] = word
    syndromes = _syndromes(words)
    for risk in risks:
        each = (risk.ravel()[order].reshape(WORDS, 8) ** 2).sum(axis=1)
        each[list(known_words())] = -1.0
        doubtful = np.argsort(-each, kind="stable").tolist()
        for count in ERASED:
            right = corrected(words, doubtful[:count], syndromes)
            if right and (text := _text(right)):
                yield text, count <= SURE


def _text(words: list[int]) -> str:
    """Read the characters of right words, or nothing when they are not written as ours are."""
    if any(words[place] != word for place, word in known_words().items()):
        return ""
    bits = int.from_bytes(bytes(words[: WORDS - CHECKS]), "big") >> 9
    pairs = [bits >> 11 * place & 2047 for place in range(pagecode.LENGTH // 2 - 1, -1, -1)]
    if max(pairs) >= 45 * 45:
        return ""
    return "".join(ALPHANUMERIC[digit] for pair in pairs for digit in divmod(pair, 45))


def corrected(
    words: list[int], erased: Sequence[int], syndromes: list[int] | None = None
) -> list[int] | None:
    """Put words right by their check words, those erased not being believed; None if too many."""
    syndromes = syndromes or _syndromes(words)
    if not any(syndromes):
        return words
    spots = [WORDS - 1 - place for place in erased]
    locator = _locator(syndromes, spots)
    last = max(degree for degree, value in enumerate(locator) if value)
    if 2 * (last - len(spots)) + len(spots) > CHECKS:
        return None
    roots = [spot for spot, value in enumerate(_values(locator)) if value == 0]
    if len(roots) != last:
        return None
    product = _times(syndromes, locator)[:CHECKS]
    slopes = [value if degree % 2 else 0 for degree, value in enumerate(locator)][1:]
    right = list(words)
    under, over = _values(slopes), _values(product)
    for spot in roots:
        slope, value = under[spot], over[spot]
        if slope == 0:
            return None
        if value:
            right[WORDS - 1 - spot] ^= EXP[spot + LOG[value] - LOG[slope] + 255]
    return None if any(_syndromes(right)) else right


def _syndromes(words: Sequence[int]) -> list[int]:
    values = np.array(words)
    terms = np.where(values > 0, _EXPONENTS[_LOGARITHMS[values] + _WEIGHTS], 0)
    found: list[int] = np.bitwise_xor.reduce(terms, axis=1).tolist()
    return found


def _locator(syndromes: list[int], spots: Sequence[int]) -> list[int]:
    """Find the polynomial whose roots are the wrong words (Berlekamp and Massey, with erasures)."""
    locator = [1]
    for spot in spots:
        locator = _plus(locator, [0, *_scaled(locator, EXP[spot])])
    before, length, erased = list(locator), len(spots), len(spots)
    for step in range(erased, CHECKS):
        gap = 0
        for degree, value in enumerate(locator[: step + 1]):
            if value and syndromes[step - degree]:
                gap ^= EXP[LOG[value] + LOG[syndromes[step - degree]]]
        before = [0, *before]
        if gap:
            changed = _plus(locator, _scaled(before, gap))
            if 2 * length <= step + erased:
                before = _scaled(locator, EXP[255 - LOG[gap]])
                length = step + 1 + erased - length
            locator = changed
    return locator


def _plus(one: list[int], other: list[int]) -> list[int]:
    longer, shorter = (one, other) if len(one) >= len(other) else (other, one)
    return [*(a ^ b for a, b in zip(longer, shorter, strict=False)), *longer[len(shorter) :]]


def _scaled(values: list[int], factor: int) -> list[int]:
    shift = LOG[factor]
    return [EXP[LOG[value] + shift] if value else 0 for value in values]


def _times(one: list[int], other: list[int]) -> list[int]:
    product = [0] * (len(one) + len(other) - 1)
    for degree, value in enumerate(one):
        if value:
            for place, term in enumerate(_scaled(other, value)):
                product[degree + place] ^= term
    return product


def _values(polynomial: list[int]) -> list[int]:
    """Give the values of a polynomial (lowest degree first) at the inverse of every spot."""
    terms = np.array(polynomial)[:, None]
    spread = _EXPONENTS[_LOGARITHMS[terms] + _SPOTS[: len(terms)]]
    found: list[int] = np.bitwise_xor.reduce(np.where(terms > 0, spread, 0), axis=0).tolist()
    return found
