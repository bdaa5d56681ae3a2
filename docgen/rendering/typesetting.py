"""A value set in its slot: shaped by HarfBuzz, shrunk, broken into lines, never cut."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import uharfbuzz

from docgen.errors import MissingGlyph, Problem
from docgen.rendering.fonts import VALUES_FACE, font_file
from docgen.rendering.pdf import escaped, number

SMALLEST = 0.8  # share of a slot's size below which a value no longer looks printed with care
STEPS = (1.0, 0.95, 0.9, 0.85, SMALLEST)  # sizes tried once a value takes several lines
REMEMBERED = 20_000  # shaped texts kept: classes, dates and names come back


class Run(NamedTuple):
    """A shaped text: its width in em, and the operators that show it at size 1."""

    width: float
    shown: bytes


class Setting(NamedTuple):
    """A value as it is set in a slot: the share of the slot's size, and its lines."""

    share: float
    lines: tuple[str, ...]


class Typesetter:
    """Shapes and fits texts in the face of the values, and knows which glyphs were used."""

    def __init__(self, face: str = VALUES_FACE) -> None:
        blob = uharfbuzz.Blob.from_file_path(str(font_file(face)))
        self.face = uharfbuzz.Face(blob)
        self.font = uharfbuzz.Font(self.face)
        self.units = self.face.upem
        self.glyphs: dict[int, str] = {}
        self._advances: dict[int, int] = {}
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
        return run

    def fit(self, text: str, width: float, lines: int) -> Setting | None:
        """Fit a text in `width` em on so many lines; None when it does not fit at 80 %."""
        key = (text, width, lines)
        if key not in self._settings:
            if len(self._settings) >= REMEMBERED:
                self._settings.clear()
            self._settings[key] = self._fit(text, width, lines)
        return self._settings[key]

    def forget_glyphs(self) -> None:
        """Start the glyphs of a new file."""
        self.glyphs.clear()
        self._runs.clear()

    def _shape(self, text: str) -> Run:
        buffer = uharfbuzz.Buffer()
        buffer.add_str(text)
        buffer.guess_segment_properties()
        uharfbuzz.shape(self.font, buffer)
        infos, positions = buffer.glyph_infos, buffer.glyph_positions
        missing = sorted({text[info.cluster] for info in infos if info.codepoint == 0})
        if missing:
            names = ", ".join(f"« {character} » (U+{ord(character):04X})" for character in missing)
            raise MissingGlyph(f"la police ne sait pas écrire {names}.")
        self._remember(text, [(info.codepoint, info.cluster) for info in infos])
        writer = _Shower(1000 / self.units)
        for info, position in zip(infos, positions, strict=True):
            writer.show(info.codepoint, position, self._advance(info.codepoint))
        width = sum(position.x_advance for position in positions)
        return Run(width / self.units, writer.close())

    def _remember(self, text: str, clusters: list[tuple[int, int]]) -> None:
        ends = [*(cluster for _, cluster in clusters[1:]), len(text)]
        for (glyph, start), end in zip(clusters, ends, strict=True):
            self.glyphs.setdefault(glyph, text[start:end])

    def _advance(self, glyph: int) -> int:
        if glyph not in self._advances:
            self._advances[glyph] = self.font.get_glyph_h_advance(glyph)
        return self._advances[glyph]

    def _fit(self, text: str, width: float, lines: int) -> Setting | None:
        natural = self.shape(text).width
        if natural <= width:
            return Setting(1.0, (text,))
        if natural * SMALLEST <= width:
            return Setting(width / natural, (text,))
        for share in STEPS if lines > 1 else ():
            pieces = tuple(self._broken(text, width / share))
            if len(pieces) <= lines and all(self.shape(p).width * share <= width for p in pieces):
                return Setting(share, pieces)
        return None

    def _broken(self, text: str, width: float) -> Iterator[str]:
        """Break a text at its spaces and after its hyphens, as full as each line allows."""
        line = ""
        for word in text.replace("-", "-\0").replace(" ", " \0").split("\0"):
            if line and self.shape((line + word).strip()).width > width:
                yield line.strip()
                line = ""
            line += word
        yield line.strip()


class _Shower:
    """Writes shaped glyphs as the operators that show them at size 1 (ISO 32000-2, 9.4.3)."""

    def __init__(self, scale: float) -> None:
        self._scale = scale  # font units to thousandths of an em
        self._pieces = [b"["]
        self._glyphs = bytearray()

    def show(self, glyph: int, position: Any, advance: int) -> None:  # noqa: ANN401
        """Show one glyph where HarfBuzz put it; `advance` is the font's own, in font units."""
        if position.x_offset or position.y_offset:
            self._raise(position.y_offset)
            self._move(-position.x_offset)
            self._glyphs += glyph.to_bytes(2, "big")
            self._move(position.x_offset)
            self._raise(0)
        else:
            self._glyphs += glyph.to_bytes(2, "big")
        self._move(advance - position.x_advance)

    def close(self) -> bytes:
        """Give the operators."""
        self._flush()
        return b"".join(self._pieces) + b"]TJ\n"

    def _move(self, distance: int) -> None:
        if distance:
            self._flush()
            self._pieces.append(number(distance * self._scale))

    def _raise(self, height: int) -> None:
        self._flush()
        self._pieces.append(b"]TJ " + number(height * self._scale / 1000) + b" Ts[")

    def _flush(self) -> None:
        if self._glyphs:
            self._pieces.append(b"(" + escaped(bytes(self._glyphs)) + b")")
            self._glyphs.clear()


def does_not_fit(label: str, text: str, where: str) -> Problem:
    """Say that a value does not fit, naming the field and the person, never the value."""
    what = (
        f"« {label} » : {len(text)} caractères ne tiennent pas dans la place prévue, même à 80 %."
    )
    return Problem(what, where, "Abrégez cette valeur dans le fichier de l’établissement.")
