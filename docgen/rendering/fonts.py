"""The pinned font files: the same bytes for WeasyPrint and for the press, on every machine."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from docgen.errors import Unavailable

FAMILY = "Source Sans Pro"
VALUES_FAMILY = "docgen values"  # its own family: the press embeds it apart from the static text
VALUES_FACE = "Semibold"
FACES = {  # file suffix: (weight, style)
    "Regular": (400, "normal"),
    "It": (400, "italic"),
    "Semibold": (600, "normal"),
    "SemiboldIt": (600, "italic"),
    "Bold": (700, "normal"),
    "BoldIt": (700, "italic"),
}


@cache
def font_file(face: str) -> Path:
    """Find the file of a face in the installed font package.

    Raises:
        Unavailable: when the font package is not installed.
    """
    spec = find_spec("font_source_sans_pro")
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable("La police Source Sans Pro n’est pas installée : relancez « make demo ».")
    return Path(spec.submodule_search_locations[0]) / "files" / f"SourceSansPro-{face}.ttf"


@cache
def line_metrics(face: str) -> tuple[float, float]:
    """Give the ascent and the descent of a face in em, as the layout engine reads them (hhea)."""
    import uharfbuzz

    font = uharfbuzz.Font(uharfbuzz.Face(uharfbuzz.Blob.from_file_path(str(font_file(face)))))
    extents = font.get_font_extents("ltr")
    units = font.face.upem
    return extents.ascender / units, -extents.descender / units


def above_baseline(size: float, leading: float) -> float:
    """Give the distance from the top of a line of values to its baseline (CSS 2.2, 10.8.1)."""
    ascent, descent = line_metrics(VALUES_FACE)
    return (leading - (ascent + descent) * size) / 2 + ascent * size


def font_css() -> str:
    """Declare the pinned faces to WeasyPrint."""
    rules = [_rule(FAMILY, weight, style, face) for face, (weight, style) in FACES.items()]
    rules.append(_rule(VALUES_FAMILY, 400, "normal", VALUES_FACE))
    return "\n".join(rules)


def _rule(family: str, weight: int, style: str, face: str) -> str:
    return (
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; font-style: {style}; '
        f'src: url("{font_file(face).as_uri()}") }}'
    )
