"""Drawing the codes that are awaited: thousands at once, as the words that a symbol holds.

With version, level and mask fixed, the words of a symbol are an affine function over GF(2) of its
data bits, check words included: fixed words XOR one table row for each pair of characters.
"""

import base64
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from docgen import pagecode
from docgen.scanning import symbol
from docgen.scanning.symbol import ALPHANUMERIC, CHECKS, EXP, HEADER, LOG, MODULES, WORDS

BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
PAIRS = 13  # of characters that vary; the first pair is the prefix
PAIR_BITS = 11
UNUSED = 9  # bits after the last pair: the end, then padding
Words: TypeAlias = NDArray[np.uint8]
Dark: TypeAlias = NDArray[np.bool_]


def words(payloads: bytes) -> Words:
    """Give the 44 words of the symbols of concatenated 16-byte payloads: a row for each."""
    fixed, rows = _tables()
    data = np.frombuffer(payloads, np.uint8).reshape(-1, 16)
    bits = np.pad(np.unpackbits(data, axis=1), ((0, 0), (0, 2)))
    indexes = bits.reshape(-1, PAIRS, 10) @ (1 << np.arange(9, -1, -1))
    drawn = np.broadcast_to(fixed, (len(data), WORDS)).copy()
    for place in range(PAIRS):
        drawn ^= rows[place, indexes[:, place]]
    return drawn


def can_be_ours(text: str) -> bool:
    """Tell whether a text is written as codes are, authentic or not."""
    wanted = text.startswith(pagecode.PREFIX) and len(text) == pagecode.LENGTH
    return wanted and all(letter in BASE32 for letter in text[len(pagecode.PREFIX) :])


def payload(text: str) -> bytes:
    """Give the 16 bytes that a text written as codes are says."""
    return base64.b32decode(text[len(pagecode.PREFIX) :] + "======")


def modules(given: Words) -> Dark:
    """Give which of the 25 x 25 modules are dark in the symbol of 44 words, but the 7 unused."""
    order, masked = symbol.places()
    dark: Dark = symbol.patterns() > 0
    flat = dark.ravel()
    flat[order] = np.unpackbits(given).astype(bool) ^ masked
    return flat.reshape(MODULES, MODULES)


@cache
def _tables() -> tuple[Words, Words]:
    """Give the words of all symbols' fixed bits, and what each pair of base32 letters changes."""
    first, second = map(ALPHANUMERIC.index, pagecode.PREFIX)
    bits = PAIRS * PAIR_BITS
    start = (HEADER << PAIR_BITS | first * 45 + second) << bits + UNUSED
    values = [start, *(1 << bit + UNUSED for bit in range(bits))]
    data = np.array([list(value.to_bytes(WORDS - CHECKS, "big")) for value in values])
    basis = np.concatenate((data, _checks(data)), axis=1).astype(np.uint8)
    digits = np.array([ALPHANUMERIC.index(letter) for letter in BASE32])
    pairs = (digits[:, None] * 45 + digits).ravel()
    rows = np.zeros((PAIRS, len(pairs), WORDS), np.uint8)
    for bit in range(bits):
        place, power = divmod(bit, PAIR_BITS)
        rows[PAIRS - 1 - place, (pairs >> power & 1).astype(bool)] ^= basis[1 + bit]
    return basis[0], rows


def _checks(data: NDArray[np.int_]) -> NDArray[np.int_]:
    """Divide words by (x - 1)(x - a)…(x - a^21): what remains are the check words."""
    factors = [1]
    for root in range(CHECKS):
        factors = [
            a ^ (EXP[LOG[b] + root] if b else 0)
            for a, b in zip([*factors, 0], [0, *factors], strict=True)
        ]
    powers, logarithms = np.array(EXP), np.array(LOG)
    weights = logarithms[factors[1:]]
    rest = np.zeros((len(data), CHECKS), np.intp)
    for word in data.T:
        lead = word ^ rest[:, 0]
        rest = np.pad(rest[:, 1:], ((0, 0), (0, 1)))
        rest ^= np.where(lead[:, None] > 0, powers[logarithms[lead][:, None] + weights], 0)
    return rest
