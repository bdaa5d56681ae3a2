"""QR symbols at print speed: one version, level and mask, so drawing is a few XORs.

With these three fixed, a QR symbol (ISO/IEC 18004) is an affine function over GF(2) of its data
bits: a fixed pattern XOR one table row for each pair of characters. The tables are built once
from segno's symbols, and a test proves them equal to segno's on random codes.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from docgen import pagecode
from docgen.files import keep, kept

VERSION, LEVEL, MASK = 2, "q", 3
MODULES = 25  # version 2: 25 x 25 modules
QUIET = 4  # modules of quiet zone on every side (ISO/IEC 18004, 5.3.8)
ROW_BYTES = 4  # a row of 25 bits, padded to bytes as a PDF image wants
PAIRS = 13  # pairs of characters that vary; the first pair is "C1"
ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
Bits = NDArray[np.uint8]


class SymbolTable:
    """Draws codes as 1-bit images, thousands at a time."""

    def __init__(self, basis: Bits) -> None:
        """Take 1 + 13 x 11 rows of 100 bytes: the fixed pattern, then one row for each bit."""
        self.fixed = basis[0]
        values = np.array([ALPHANUMERIC.index(letter) for letter in BASE32])
        pairs = (values[:, None] * 45 + values).ravel()  # value of each pair of base32 letters
        rows = np.zeros((PAIRS, 1024, basis.shape[1]), np.uint8)
        for bit in range(11):
            chosen = (pairs >> bit & 1).astype(bool)
            rows[:, chosen] ^= basis[1:].reshape(PAIRS, 11, -1)[:, bit, None]
        self.rows = rows

    def draw(self, payloads: bytes) -> list[bytes]:
        """Draw the codes of concatenated 16-byte payloads: 100 bytes each, 0 bits are dark."""
        data = np.frombuffer(payloads, np.uint8).reshape(-1, 16)
        bits = np.pad(np.unpackbits(data, axis=1), ((0, 0), (0, 2)))
        weights = 1 << np.arange(9, -1, -1)
        indexes = bits.reshape(-1, PAIRS, 10) @ weights
        images = np.broadcast_to(self.fixed, (len(data), len(self.fixed))).copy()
        for position in range(PAIRS):
            images ^= self.rows[position, indexes[:, position]]
        drawn = images.tobytes()
        size = len(self.fixed)
        return [drawn[start : start + size] for start in range(0, len(drawn), size)]


def load_table(cache: Path) -> SymbolTable:
    """Load the table from the cache folder, or build it there."""
    path = cache / f"qr-{VERSION}{LEVEL}{MASK}.table"
    if content := kept(path):
        return SymbolTable(np.frombuffer(content, np.uint8).reshape(-1, MODULES * ROW_BYTES))
    basis = build_basis()
    keep(path, basis.tobytes())
    return SymbolTable(basis)


def build_basis() -> Bits:
    """Take the fixed pattern and the effect of each bit from segno's symbols."""
    zero = pagecode.PREFIX + "00" * PAIRS
    fixed = segno_image(zero)
    rows = [fixed]
    for position in range(PAIRS):
        for bit in range(11):
            pair = "".join(ALPHANUMERIC[digit] for digit in divmod(1 << bit, 45))
            at = 2 + 2 * position
            rows.append(segno_image(zero[:at] + pair + zero[at + 2 :]) ^ fixed)
    return np.array(rows)


def segno_image(text: str) -> Bits:
    """Draw one code with segno, as 100 bytes whose 0 bits are dark."""
    import segno

    symbol: Any = segno.make(
        text, version=VERSION, error=LEVEL, mask=MASK, mode="alphanumeric", boost_error=False
    )
    dark = np.array([list(row) for row in symbol.matrix], np.uint8)
    light = 1 - np.pad(dark, ((0, 0), (0, ROW_BYTES * 8 - MODULES)), constant_values=1)
    return np.packbits(light, axis=1).ravel()
