"""Attestations of cession, printed, signed and scanned: bound again, and told when unsigned."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import pytest

from docgen.backoffice import models, store
from docgen.datafolder import data_folder, page_code_keys
from docgen.rendering.pictures import greys
from samples.scanner import Paper, Recipe
from tests import helpers
from tests.service import town
from tests.service.test_attestations import handed, issue
from tests.service.test_conventions_home import sides
from workers.attestations import attest
from workers.scans import bind_returns, read_scan

pytestmark = pytest.mark.django_db(transaction=True)
SCANNED = Recipe("office", dpi=150)
ATTESTATION, BORDEREAU = "attestation-cession", "bordereau-envoi"


def printed(row: models.Attestation) -> dict[str, list[Paper]]:
    """Press an attestation, and give the sides of its papers, by template."""
    attest("1")
    row.refresh_from_db()
    assert (row.state, row.problems) == ("done", [])
    return {paper.slug: sides(paper) for paper in models.Paper.objects.filter(attestation=row)}


def came(
    folder: Path, school: models.School, pile: Iterable[Paper], *, is_signed: bool = True
) -> models.ScanBatch:
    path = folder / f"{models.ScanBatch.objects.count()}.pdf"
    batch = town.sent(town.pile(path, pile, recipe=SCANNED, is_signed=is_signed), school)
    read_scan("1")
    bind_returns("1")
    return batch


def back(row: models.Attestation, slug: str) -> models.Return:
    return models.Return.objects.get(paper__attestation=row, slug=slug)


def test_an_attestation_and_its_bordereau_come_home_signed(tmp_path: Path) -> None:
    school = town.school()
    handed(school, 3)
    row = issue(school)
    papers = printed(row)
    assert set(papers) == {ATTESTATION, BORDEREAU}
    pile = [*reversed(papers[BORDEREAU]), *reversed(papers[ATTESTATION])]
    batch = came(tmp_path, school, pile)
    assert {page.outcome for page in batch.pages.all()} == {"known"}
    for slug, pages in papers.items():
        home = back(row, slug)
        assert (home.stage, home.missing, home.unsigned, home.problems) == ("bound", [], [], [])
        content = b"".join(store.blocks(home.sha256))
        helpers.qpdf_check(content, tmp_path)
        keys = page_code_keys(data_folder())
        seen = [helpers.codes_of(each, keys[max(keys)]) for each in greys(content, 200)]
        assert len(seen) == home.sides == len(pages)
        for side, codes in enumerate(seen, 1):
            assert {(code.document.hex(), code.side) for code in codes} == {
                (bytes(home.number).hex(), side)
            }
    first = models.ScannedPage.objects.get(back=back(row, ATTESTATION), side=1)
    assert {code["corner"] for code in first.reading["codes"]} == {0, 1, 2}


@pytest.mark.embedded
def test_an_attestation_that_nobody_signed_is_told(tmp_path: Path) -> None:
    school = town.school()
    handed(school, 2)
    row = issue(school)
    papers = printed(row)
    came(tmp_path, school, papers[ATTESTATION], is_signed=False)
    home = back(row, ATTESTATION)
    zones = [zone for zone in home.paper.zones if zone["required"]]
    assert zones
    assert home.unsigned == [{"side": zone["side"], "zone": zone["label"]} for zone in zones]


@pytest.mark.embedded
def test_a_complementary_attestation_replaces_nothing(tmp_path: Path) -> None:
    """Both hold: each attests what the other does not."""
    school = town.school()
    handed(school, 2)
    first = issue(school)
    older = printed(first)
    handed(school, 1, first=2, day=date(2026, 10, 1))
    second = issue(school, start=date(2026, 10, 1), end=date(2026, 10, 2))
    younger = printed(second)
    batch = came(tmp_path, school, [*younger[ATTESTATION], *older[ATTESTATION]])
    assert {page.outcome for page in batch.pages.all()} == {"known"}
    assert back(first, ATTESTATION).stage == back(second, ATTESTATION).stage == "bound"


def test_another_school_s_attestation_reaches_no_document(tmp_path: Path) -> None:
    school, other = town.school(), town.school("0750001K")
    handed(school, 1)
    row = issue(school)
    papers = printed(row)
    batch = came(tmp_path, other, papers[ATTESTATION])
    assert {(page.outcome, page.reason) for page in batch.pages.all()} == {
        ("foreign", "other-school")
    }
    assert not models.Return.objects.exists()
