"""Signatures looked for on the sides that came home; of several scans of a side, the one to bind.

How sharp a scan is tells nothing of who signed it: a clean copy may be sharper than the signed
sheet. So the scan that is home keeps its place unless another one bears more of the signatures.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import TypeAlias

from docgen.backoffice.returns import Zone
from docgen.rendering.pictures import Grey
from docgen.scanning import signatures
from docgen.scanning.images import open_scan
from docgen.scanning.merging import SideSource

PRINT_DPI = 150  # of the sides printed empty, that ink is measured against
MOST_RIVALS = 5  # other scans of a side that are looked at
Place: TypeAlias = dict[str, int | str]


@dataclass(frozen=True, slots=True)
class Rival:
    """Another scan of a side: its row, and where its image is."""

    page: int
    source: SideSource


@dataclass(frozen=True, slots=True)
class Look:
    """The scan of a side that is to be bound, and the ink of its zones in mm² (nan: not seen).

    `page` is the row of the rival that it is, None for the scan that was home already.
    """

    source: SideSource
    page: int | None
    inks: tuple[tuple[Zone, float], ...]

    @property
    def signed(self) -> int:
        """How many zones are signed for certain."""
        return sum(not isnan(ink) and signatures.is_signed(ink) for _, ink in self.inks)


def look(
    source: SideSource, rivals: Sequence[Rival], zones: Sequence[Zone], empty: Mapping[int, Grey]
) -> Look:
    """Look for ink in the zones of a side, and at its rivals while a signature is missing."""
    mine = [zone for zone in zones if zone.side == source.side]
    best = Look(source, None, _inks(source, mine, empty))
    for rival in rivals if mine else ():
        if best.signed == len(mine):
            break
        other = Look(rival.source, rival.page, _inks(rival.source, mine, empty))
        if other.signed > best.signed:
            best = other
    return best


def told(looks: Iterable[Look]) -> tuple[list[Place], list[Place]]:
    """Give the zones that are empty, then those that could not be looked at: side and label."""
    empty, unknown = list[Place](), list[Place]()
    for zone, ink in (each for found in looks for each in found.inks):
        if isnan(ink) or not signatures.is_signed(ink):
            (unknown if isnan(ink) else empty).append({"side": zone.side, "zone": zone.label})
    return empty, unknown


def unseen(source: SideSource, empty: Mapping[int, Grey]) -> str:
    """Tell why a zone of a side was not looked at."""
    if source.matrix is None or not source.is_sure:
        return "sa place sur l’image n’est pas sûre"
    if source.side not in empty:
        return "l’impression d’origine n’est plus gardée"
    return "zone de signature hors de l’image"


def _inks(
    source: SideSource, zones: Sequence[Zone], empty: Mapping[int, Grey]
) -> tuple[tuple[Zone, float], ...]:
    if not zones or source.matrix is None or not source.is_sure or source.side not in empty:
        return tuple((zone, nan) for zone in zones)
    printed = signatures.Printed(empty[source.side], PRINT_DPI)
    with open_scan(source.copy) as scan:
        (picture,) = scan.read(source.page, source.page + 1)
        return tuple(
            (zone, signatures.measure(picture, source.matrix, zone, printed)) for zone in zones
        )
