"""Screens of the review queue: a side beside its places, decided, told and undone."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from docgen.backoffice import models, reviews
from docgen.backoffice.gate import SYSTEM
from tests import helpers
from tests.service import homecoming, town
from tests.service.homecoming import BARE, FORGED, came, coded, pages

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


@pytest.fixture(autouse=True)
def shelf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Print from the templates of the tests."""
    monkeypatch.setenv("DOCGEN_TEMPLATES", str(helpers.SHELF))


@pytest.fixture
def school() -> models.School:
    return town.school()


@pytest.fixture
def desk(school: models.School) -> Client:
    """Give the school's browser."""
    made = Client()
    user = models.User.objects.create_user("desk", role="school", school=school)
    made.force_login(user)
    return made


@pytest.fixture
def document(school: models.School) -> models.Document:
    (found,) = homecoming.printed(school, 1)
    return found


@pytest.fixture
def batch(school: models.School, document: models.Document) -> models.ScanBatch:
    """Give a pile of one side that is known, and two that nothing tells."""
    return came(school, [coded(document, 1), BARE, BARE])


def at(name: str, side: models.ScannedPage, more: str = "") -> str:
    return reverse(name, args=(side.public_id,)) + more


def undo_of(shown: str) -> str:
    (found,) = re.findall(r'action="(/relecture/[^"]+/annuler/[^"]*)">.*?Annuler cette', shown)
    return str(found).replace("&amp;", "&")


def test_a_side_is_filed_the_next_one_comes_and_it_is_undone(
    desk: Client, document: models.Document, batch: models.ScanBatch
) -> None:
    _, first, second = pages(batch)
    lot = f"?lot={batch.pk}"
    shown = desk.get(at("review", first, lot)).content.decode()
    assert "1 sur 2" in shown
    assert f'value="{document.reference}/2"' in shown
    assert at("side-picture", second) in shown  # asked for while this one is looked at
    facts = {"place": f"{document.reference}/2", "after": "0"}
    answer = desk.post(at("review-assign", first, lot), facts)
    assert (answer.status_code, answer["Location"]) == (302, at("review", second, lot))
    told = desk.get(answer["Location"]).content.decode()
    assert f"document {document.reference}, face\u00a02" in told
    assert "1 sur 1" in told
    back = desk.post(undo_of(told))
    assert back["Location"] == at("review", first, lot)
    first.refresh_from_db()
    assert first.outcome == "unknown"


def test_what_somebody_decided_meanwhile_is_told_on_a_fresh_page(
    desk: Client, document: models.Document, batch: models.ScanBatch
) -> None:
    _, first, second = pages(batch)
    reviews.turn(first, 90, SYSTEM)
    facts = {"place": f"{document.reference}/2", "after": "0"}
    answer = desk.post(at("review-assign", first), facts)
    step = reviews.last_step(first)
    assert step
    assert answer.status_code == 409
    assert "quelqu’un d’autre a décidé" in answer.content.decode()
    assert f'name="after" value="{step.pk}"' in answer.content.decode()
    assert desk.post(at("review-undo", first, "?pas=0")).status_code == 409
    assert desk.post(at("review-undo", second)).status_code == 409  # nothing was decided


def test_another_scan_gives_its_place_up_only_when_asked_to(
    desk: Client, document: models.Document, batch: models.ScanBatch
) -> None:
    known, first, _ = pages(batch)
    typed = {"place": "autre", "reference": document.reference, "face": "1", "after": "0"}
    refused = desk.post(at("review-assign", first), typed)
    assert refused.status_code == 409
    assert "un autre scan tient déjà" in refused.content.decode()
    told = desk.post(at("review-assign", first), {**typed, "replace": "on"}, follow=True)
    assert "L’ancien scan de cette face est gardé" in told.content.decode()
    known.refresh_from_db()
    assert known.outcome == "duplicate"
    doubles = desk.get(reverse("reviews") + "?issue=duplicate").content.decode()
    assert at("review", known, "?issue=duplicate") in doubles


def test_a_reference_is_searched_for_and_a_wrong_one_is_told(
    desk: Client, document: models.Document, batch: models.ScanBatch
) -> None:
    _, first, _ = pages(batch)
    found = desk.get(at("review", first), {"reference": document.reference[:7]})
    assert "a été tapée" in found.content.decode()
    wrong = desk.get(at("review", first), {"reference": "CE-!!!!-UUUUU"})
    assert wrong.status_code == 200
    assert 'class="wrong"' in wrong.content.decode()
    nothing = desk.post(at("review-assign", first), {"place": "", "after": "0"})
    assert nothing.status_code == 422
    assert "aucune place" in nothing.content.decode()
    odd = desk.post(at("review-assign", first), {"place": "CE-1/²"})
    assert odd.status_code == 422


def test_a_side_is_discarded_with_its_reason_and_turned(
    desk: Client, batch: models.ScanBatch
) -> None:
    _, first, second = pages(batch)
    assert desk.post(at("review-discard", first), {"note": " "}).status_code == 422
    note = "<b>intercalaire</b>"
    desk.post(at("review-discard", first), {"note": note})
    shown = desk.get(at("review", first)).content.decode()
    assert "écartée" in shown
    assert note not in shown
    stays = desk.post(at("review-turn", second), {"degrees": "90"})
    assert stays["Location"] == at("review", second)
    assert f"{at('side-picture', second)}?t=90" in desk.get(stays["Location"]).content.decode()
    assert desk.post(at("review-turn", second), {"degrees": "45"}).status_code == 422
    last = desk.post(at("review-discard", second), {"note": "vide"})
    assert last["Location"] == reverse("reviews")
    assert "Plus rien à relire" in desk.get(last["Location"]).content.decode()


def test_a_foreign_side_has_no_place_and_filters_that_mean_nothing_are_left_out(
    desk: Client, school: models.School, batch: models.ScanBatch
) -> None:
    (foreign,) = pages(came(school, [FORGED], "autre.pdf"))
    shown = desk.get(at("review", foreign, "?lot=x&lycee='&issue=known")).content.decode()
    assert "Où la ranger" not in shown
    assert "3 sur 3" in shown
    assert "Écarter cette face" in shown
    listed = desk.get(reverse("reviews") + f"?lot={batch.pk}").content.decode()
    assert "autre.pdf" not in listed


def test_a_picture_is_kept_by_no_browser_and_one_that_is_gone_does_not_exist(
    desk: Client, batch: models.ScanBatch
) -> None:
    _, first, _ = pages(batch)
    answer = desk.get(at("side-picture", first))
    assert answer["Content-Type"] == "image/jpeg"
    assert "no-store" in answer["Cache-Control"]
    models.ScanPart.objects.update(previews="")
    assert desk.get(at("side-picture", first)).status_code == 404
