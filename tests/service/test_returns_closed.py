"""A signed file whose scans are no longer kept could not be bound again: nothing touches it."""

from collections.abc import Callable

import pytest

from docgen.backoffice import models, reviews
from docgen.backoffice.gate import SYSTEM
from docgen.backoffice.reviews import Conflict
from tests.service import homecoming, town
from tests.service.homecoming import BARE, coded

pytestmark = pytest.mark.django_db(transaction=True)


def copies_go(batch: models.ScanBatch) -> None:
    batch.parts.update(copy="", previews="")


def batch_goes(batch: models.ScanBatch) -> None:
    batch.delete()


@pytest.mark.parametrize("goes", [copies_go, batch_goes])
def test_a_signed_file_outlives_its_scans(goes: Callable[[models.ScanBatch], None]) -> None:
    school = town.school()
    document, _ = homecoming.printed(school)
    batch = homecoming.came(school, [coded(document, side) for side in (1, 2, 3)])
    back = homecoming.back_of(document)
    sources = [
        {"side": side, "origin": "scan", "scan": str(batch.pk), "number": side}
        for side in (1, 2, 3)
    ]
    facts = {"sha256": homecoming.kept(b"signed"), "size": 6, "sources": sources}
    models.Return.objects.update(stage="bound", bound_version=back.version, **facts)
    goes(batch)
    before = models.Return.objects.values().get()
    later = homecoming.came(school, [coded(document, 3, 9.0), BARE])
    first, bare = later.pages.order_by("index")
    assert (first.outcome, first.reason) == ("duplicate", "closed")
    assert "tel qu’il est" in reviews.sentence(first)
    with pytest.raises(Conflict, match="plus gardés"):
        reviews.assign(bare, document.reference, 3, SYSTEM, replace=True)
    with pytest.raises(Conflict, match="plus gardés"):
        reviews.discard(first, "essai", SYSTEM)
    for page in models.ScannedPage.objects.filter(outcome="known"):
        with pytest.raises(Conflict, match="plus gardés"):
            reviews.discard(page, "essai", SYSTEM)
    assert models.Return.objects.values().get() == before
    assert homecoming.back_of(document).stage == "bound"


def test_a_decision_about_a_document_that_is_gone_is_not_undone() -> None:
    """Its time was up before that of its scans: what was decided of them stands."""
    school = town.school()
    document, _ = homecoming.printed(school)
    page = homecoming.came(school, [coded(document, 3)]).pages.get()
    reviews.discard(page, "essai", SYSTEM)
    models.Return.objects.all().delete()
    with pytest.raises(Conflict, match="n’est plus"):
        reviews.undo(page, SYSTEM)
    page.refresh_from_db()
    assert page.outcome == "discarded"
