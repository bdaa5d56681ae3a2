"""A loan convention, ordered, printed, signed and scanned: bound again, its signatures seen."""

from pathlib import Path

import pytest

from docgen.backoffice import models, store
from docgen.rendering.imposition import SideZone
from docgen.rendering.pictures import greys
from samples.scanner import PRINT_DPI, Paper, Recipe
from tests import helpers
from tests.service import town
from tests.service.test_conventions import lent, made, order
from workers.scans import bind_returns, read_scan

pytestmark = pytest.mark.django_db(transaction=True)
SCANNED = Recipe("office", dpi=150)


def sides(known: models.Paper) -> list[Paper]:
    """Print a convention: its sides, and where they are signed."""
    content = b"".join(store.blocks(known.sha256))
    printed = []
    for side, picture in enumerate(greys(content, PRINT_DPI), 1):
        zones = tuple(
            SideZone(zone["name"], side, *zone["box"])
            for zone in known.zones
            if zone["side"] == side
        )
        number = bytes(known.number).hex()
        printed.append(Paper(picture, number, side, known.sides, zones=zones))
    return printed


def test_a_signed_convention_comes_home(tmp_path: Path) -> None:
    """All of one, dropped and picked up; of another the side that nobody signed."""
    school = town.school()
    made(order(school, loans=lent(school), kind="pdf"))
    signed, unsigned = models.Paper.objects.order_by("person")
    first, second = sides(signed), sides(unsigned)
    shuffled = [first[each] for each in (2, 0, 3, 1)]
    town.sent(town.pile(tmp_path / "a.pdf", shuffled, recipe=SCANNED), school)
    (bare,) = (each for each in second if each.zones)
    town.sent(town.pile(tmp_path / "b.pdf", [bare], recipe=SCANNED, is_signed=False), school)
    read_scan("1")
    bind_returns("1")
    assert {str(page.outcome) for page in models.ScannedPage.objects.all()} == {"known"}
    home, other = models.Return.objects.order_by("person")
    assert (home.reference, home.paper, home.person) == (signed.reference, signed, "E0000")
    assert (home.stage, home.missing, home.unsigned) == ("bound", [], [])
    assert {each["origin"] for each in home.sources} == {"scan"}
    helpers.qpdf_check(b"".join(store.blocks(home.sha256)), tmp_path)
    assert (other.stage, other.missing) == ("partial", [1, 2, 4])
    empty = [zone["label"] for zone in unsigned.zones if zone["required"]]
    assert len(empty) >= 2
    assert sorted(each["zone"] for each in other.unsigned) == sorted(empty)


def test_a_convention_is_known_after_its_files_are_gone(tmp_path: Path) -> None:
    """A pupil brings it in the spring; its order was purged in the autumn."""
    school = town.school()
    row = order(school, loans=lent(school, 1), kind="pdf")
    made(row)
    (known,) = models.Paper.objects.all()
    printed = [each for each in sides(known) if each.zones]
    models.Paper.objects.update(sha256="", conversion=None)
    models.Conversion.objects.all().delete()
    town.sent(town.pile(tmp_path / "a.pdf", printed, recipe=SCANNED), school)
    read_scan("1")
    bind_returns("1")
    home = models.Return.objects.get()
    assert (home.reference, home.stage, home.missing) == (known.reference, "partial", [1, 2, 4])
