"""A value set in its slot: shaped by HarfBuzz, shrunk, broken into lines, never cut."""

import unicodedata
from collections.abc import Iterator
from copy import copy
from typing import Any, NamedTuple

import uharfbuzz

from docgen.errors import MissingGlyph, Problem
from docgen.rendering.fonts import VALUES_FACE, font_file
from docgen.rendering.pdf import escaped, number

SMALLEST = 0.8  # share of a slot's size below which a value no longer looks printed with care
STEPS = (1.0, 0.95, 0.9, 0.85, SMALLEST)  # sizes tried once a value takes several lines
REMEMBERED = 4_000  # shaped texts kept: classes, dates and first names come back


class Run(NamedTuple):
    """A shaped text, its width in em, and the operators that show it at size 1.

    `glyphs` pairs each glyph with the characters that it stands for.
    """

    text: str
    width: float
    shown: bytes
    glyphs: tuple[tuple[int, str], ...]


class Setting(NamedTuple):
    """A value as it is set in a slot: the share of the slot's size, and its lines."""

    share: float
    lines: tuple[Run, ...]


class Typesetter:
    """Shapes and fits texts in the face of the values, and knows which glyphs were used.

    What was shaped is remembered for the whole run; `glyphs` is of one file (see `for_file`).
    """

    def __init__(self, face: str = VALUES_FACE) -> None:
        blob = uharfbuzz.Blob.from_file_path(str(font_file(face)))
        self.face = uharfbuzz.Face(blob)
        self.font = uharfbuzz.Font(self.face)
        self.units = self.face.upem
        self.glyphs: dict[int, str] = {}
        self._noted: set[str] = set()
        self._drawn: dict[int, tuple[bytes, int]] = {}
        self._runs: dict[str, Run] = {}
        self._settings: dict[tuple[str, float, int], Setting | None] = {}

    def shape(self, text: str) -> Run:
        """Shape a text.

        Raises:
            MissingGlyph: when the font has no glyph for one of its characters.
        """
        run = self._runs.get(text)
        if run is None:
            if len(self._runs) >= REMEMBERED:
                self._runs.clear()
            run = self._runs[text] = self._shape(text)
        return self._note(run)

    def for_file(self) -> "Typesetter":
        """Give a typesetter that remembers the same texts, for a file with glyphs of its own."""
        other = copy(self)
        other.glyphs, other._noted = {}, set()
        return other

    def fit(self, text: str, width: float, lines: int) -> Setting | None:
        """Fit a text in `width` em on so many lines; None when it does not fit at 80 %."""
        key = (text, width, lines)
        if key not in self._settings:
            if len(self._settings) >= REMEMBERED:
                self._settings.clear()
            self._settings[key] = self._fit(text, width, lines)
        setting = self._settings[key]
        for run in setting.lines if setting else ():
            self._note(run)
        return setting

    def _note(self, run: Run) -> Run:
        """Note the glyphs of a text that goes into the file."""
        if run.text not in self._noted:
            self._noted.add(run.text)
            for glyph, characters in run.glyphs:
                self.glyphs[glyph] = self.glyphs.get(glyph) or characters
        return run

    def _shape(self, text: str) -> Run:
        buffer = uharfbuzz.Buffer()
        buffer.add_str(text)
        buffer.guess_segment_properties()
        uharfbuzz.shape(self.font, buffer)
        # HarfBuzz has no positions, not an empty list of them, for an empty text.
        infos, positions = buffer.glyph_infos or [], buffer.glyph_positions or []
        glyphs = [info.codepoint for info in infos]
        if 0 in glyphs:
            raise MissingGlyph(f"la police ne sait pas écrire {self._missing(text)}.")
        parts = [b"[("]
        width = 0
        for glyph, position in zip(glyphs, positions, strict=True):
            shown, natural = self._drawn.get(glyph) or self._learn(glyph)
            advance = position.x_advance
            width += advance
            if position.x_offset or position.y_offset:
                shown = self._shifted(shown, position)
            parts.append(shown)
            if advance != natural:
                parts.append(b")%b(" % number((natural - advance) * 1000 / self.units))
        parts.append(b")]TJ\n")
        meanings = tuple(_meanings(text, glyphs, [info.cluster for info in infos]))
        return Run(text, width / self.units, b"".join(parts), meanings)

    def _missing(self, text: str) -> str:
        absent = sorted({c for c in text if not (self._has(c) or all(map(self._has, apart(c))))})
        return ", ".join(f"« {character} » (U+{ord(character):04X})" for character in absent)

    def _has(self, character: str) -> bool:
        return self.font.get_nominal_glyph(ord(character)) is not None

    def _learn(self, glyph: int) -> tuple[bytes, int]:
        """Note how a glyph is written, and its own advance in font units."""
        shown = escaped(glyph.to_bytes(2, "big"))
        self._drawn[glyph] = shown, self.font.get_glyph_h_advance(glyph)
        return self._drawn[glyph]

    def _shifted(self, shown: bytes, position: Any) -> bytes:  # noqa: ANN401
        """Put an accent where HarfBuzz wants it: raised and moved aside, then back."""
        aside = position.x_offset * 1000 / self.units
        rise = number(position.y_offset / self.units)
        there, back = number(-aside), number(aside)
        return b")]TJ %b Ts[%b(%b)%b]TJ 0 Ts[(" % (rise, there, shown, back)

    def _fit(self, text: str, width: float, lines: int) -> Setting | None:
        whole = self.shape(text)
        if whole.width <= width:
            return Setting(1.0, (whole,))
        if whole.width * SMALLEST <= width:
            return Setting(width / whole.width, (whole,))
        for share in STEPS if lines > 1 else ():
            pieces = tuple(self.shape(piece) for piece in self.broken(text, width / share))
            if len(pieces) <= lines and all(piece.width * share <= width for piece in pieces):
                return Setting(share, pieces)
        return None

    def broken(self, text: str, width: float) -> Iterator[str]:
        """Break a text at its spaces and after its hyphens, as full as each line allows."""
        line = ""
        for word in text.replace("-", "-\0").replace(" ", " \0").split("\0"):
            if line and self.shape((line + word).strip()).width > width:
                yield line.strip()
                line = ""
            line += word
        yield line.strip()


def _meanings(text: str, glyphs: list[int], clusters: list[int]) -> Iterator[tuple[int, str]]:
    """Say which characters each glyph stands for."""
    if clusters == list(range(len(text))):
        yield from zip(glyphs, text, strict=True)
        return
    starts = sorted(set(clusters))
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        own = [glyph for glyph, at in zip(glyphs, clusters, strict=True) if at == start]
        # A letter and its accent share a cluster: each glyph is one of the characters.
        characters = text[start:end]
        each = next(
            (list(form) for form in (characters, apart(characters)) if len(form) == len(own)),
            [characters, *[""] * (len(own) - 1)],
        )
        yield from zip(own, each, strict=True)


def apart(characters: str) -> str:
    """Take letters and their accents apart, as a font may draw them."""
    return unicodedata.normalize("NFD", characters)


def does_not_fit(label: str, text: str, where: str) -> Problem:
    """Say that a value does not fit, naming the field and the person, never the value."""
    what = (
        f"« {label} » : {len(text)} caractères ne tiennent pas dans la place prévue, même à 80 %."
    )
    return Problem(what, where, "Abrégez cette valeur dans le fichier de l’établissement.")
