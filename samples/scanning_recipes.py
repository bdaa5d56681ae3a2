"""How scans are treated and made: recipes, the families they come from, and two populations."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator

from samples import scanning_glass as glass

TURNS = (0, 90, 180, 270)


class Damage(NamedTuple):
    """A mark on paper: which of `paperwork.DAMAGES`, over which code, in which ink."""

    what: str
    corner: int
    ink: str = "black"


@dataclass(frozen=True)
class Recipe:
    """How one side is treated and scanned. Levels are of 255; see the functions for the rest.

    `mode`: grey, colour, bitonal (one threshold), dithered, or phone. `turn` is by how many
    degrees, clockwise, the paper lies turned; `cut` the edge that is cut and by how many mm;
    `orientation` the EXIF tag of a photograph.
    """

    family: str
    dpi: int = 200
    mode: str = "grey"
    quality: int = 75
    turn: int = 0
    skew: float = 0.0
    noise: float = 2.5
    blur: float = 0.0
    black: float = 18.0
    white: float = 250.0
    threshold: float = 150.0
    copies: int = 0
    through: float = 0.0
    damages: tuple[Damage, ...] = ()
    cut: tuple[str, float] | None = None
    tilt: float = 0.03
    shadow: float = 0.25
    orientation: int = 1


def office(rng: Generator) -> Recipe:
    """Draw an ordinary office scanner: 100 to 300 dpi, undamaged, any way up."""
    common: dict[str, Any] = {
        "dpi": int(rng.choice([100, 150, 200, 240, 300], p=[0.05, 0.15, 0.4, 0.1, 0.3])),
        "turn": int(rng.choice(TURNS, p=[0.82, 0.04, 0.1, 0.04])),
        "skew": float(np.clip(rng.normal(0, 0.8), -2.5, 2.5)) * (rng.random() < 0.75),
        "noise": rng.uniform(1, 4),
        "blur": rng.uniform(0, 0.5),
        "black": rng.uniform(0, 45),
        "white": rng.uniform(232, 255),
    }
    mode = str(rng.choice(["grey", "colour", "bitonal"], p=[0.6, 0.15, 0.25]))
    quality = int(rng.integers(55, 91))
    return Recipe("office", mode=mode, quality=quality, threshold=rng.uniform(115, 175), **common)


def mixed(rng: Generator) -> Recipe:
    """Draw from the mixed population of reference/scanning.md, “One code or two”."""
    kind = rng.random()
    recipe = office(rng)
    if kind < 0.5:
        recipe = replace(recipe, mode="grey")
    elif kind < 0.75:
        recipe = replace(recipe, mode="bitonal")
    elif kind < 0.875:
        recipe = low_quality(rng)
    else:
        recipe = phone(rng)
    damages = [mark for corner in (0, 1, 2) for mark in _marks(corner, rng)]
    cut_edge = cut(rng).cut if rng.random() < 0.03 and recipe.mode != "phone" else None
    return replace(recipe, family="mixed", damages=tuple(damages), cut=cut_edge)


def _marks(corner: int, rng: Generator) -> Iterator[Damage]:
    """Draw what befalls one corner; the bottom left, near the signatures, has more of it."""
    worse = corner == 1
    for what, share in (
        *(("stamp", 0.08 if worse else 0.05), ("pen", 0.06 if worse else 0.04)),
        *(("stroke", 0.05 if worse else 0.03), ("torn", 0.015), ("staple", 0.02), ("fold", 0.02)),
    ):
        if rng.random() < share:
            yield Damage(what, corner, _ink(what, rng))


def _ink(what: str, rng: Generator) -> str:
    if what == "stamp":
        return str(rng.choice(["blue", "red", "violet", "black"], p=[0.4, 0.25, 0.15, 0.2]))
    return str(rng.choice(["black", "blue"]))


def low_quality(rng: Generator) -> Recipe:
    """Draw an old copier: coarse, dirty, hard compression, copied before."""
    return Recipe(
        "low quality",
        dpi=int(rng.choice([100, 120, 150])),
        quality=int(rng.integers(20, 45)),
        turn=int(rng.choice(TURNS)),
        skew=rng.uniform(-4, 4),
        noise=rng.uniform(4, 12),
        blur=rng.uniform(0.3, 0.9),
        black=rng.uniform(20, 90),
        white=rng.uniform(190, 245),
        copies=int(rng.integers(0, 3)),
    )


def phone(rng: Generator) -> Recipe:
    """Draw a photograph taken by hand over a table."""
    return Recipe(
        "phone",
        dpi=int(rng.choice([150, 170, 200])),
        mode="phone",
        quality=int(rng.integers(55, 92)),
        turn=int(rng.choice(TURNS, p=[0.7, 0.1, 0.1, 0.1])),
        noise=rng.uniform(2, 7),
        blur=rng.uniform(0.3, 1.2),
        black=rng.uniform(15, 45),
        white=rng.uniform(225, 250),
        tilt=rng.uniform(0.005, 0.06),
        shadow=rng.uniform(0.1, 0.5),
        orientation=int(rng.choice([1, 6, 3, 8], p=[0.5, 0.3, 0.1, 0.1])),
    )


def cut(rng: Generator) -> Recipe:
    """Draw a sheet whose edge the feeder cut."""
    edge = str(rng.choice(list(glass.TO_TOP)))
    return replace(office(rng), family="cut edge", cut=(edge, rng.uniform(4, 22)))


def _plain(family: str, **changes: Any) -> Callable[[Generator], Recipe]:  # noqa: ANN401
    """Give a family that differs from a good scan by fixed settings."""
    return lambda rng: replace(Recipe(family), skew=float(rng.normal(0, 0.4)), **changes)


def _over(what: str, ink: str) -> Callable[[Generator], Recipe]:
    """Give a family with one code damaged, in turn at one corner or the other."""

    def draw(rng: Generator) -> Recipe:
        name = f"{what}, {ink}" if what in ("stamp", "pen") else what
        skew, corner = float(rng.normal(0, 0.4)), int(rng.integers(0, 2))
        return Recipe(name, skew=skew, damages=(Damage(what, corner, ink),))

    return draw


def _both(what: str, ink: str) -> Callable[[Generator], Recipe]:
    """Give a family with every code of the side damaged."""

    def draw(rng: Generator) -> Recipe:
        damages = tuple(Damage(what, corner, ink) for corner in (0, 1))
        return Recipe(f"{what} on both, {ink}", skew=float(rng.normal(0, 0.4)), damages=damages)

    return draw


FAMILIES: tuple[Callable[[Generator], Recipe], ...] = (
    *(_plain(f"grey {dpi} dpi", dpi=dpi) for dpi in (100, 150, 200, 300)),
    *(_plain(f"JPEG quality {quality}", quality=quality) for quality in (20, 40, 60, 90)),
    *(_plain(f"1-bit {dpi} dpi", dpi=dpi, mode="bitonal") for dpi in (100, 200, 300)),
    _plain("1-bit, dithered", mode="dithered"),
    _plain("colour", mode="colour"),
    *(_plain(f"turned {turn}", turn=turn) for turn in (90, 180, 270)),
    lambda rng: Recipe("skew 1 to 4", skew=float(rng.choice([-1, 1]) * rng.uniform(1, 4))),
    lambda rng: Recipe("noise", noise=rng.uniform(8, 30)),
    lambda rng: Recipe("blur", blur=rng.uniform(1, 3)),
    lambda rng: Recipe("low contrast", black=rng.uniform(110, 150), white=rng.uniform(180, 225)),
    lambda rng: Recipe("photocopies", copies=int(rng.integers(1, 6))),
    *(_over("stamp", ink) for ink in ("blue", "red", "violet", "black")),
    *(_over("pen", ink) for ink in ("black", "blue")),
    *(_over(what, "black") for what in ("stroke", "staple", "torn", "fold")),
    *(_both("stamp", ink) for ink in ("blue", "black")),
    *(_both("pen", ink) for ink in ("black", "blue")),
    cut,
    low_quality,
    phone,
)
