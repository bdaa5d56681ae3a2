"""The review queue: what is proposed, what people decide, and what no decision can do."""

import random
from contextlib import suppress
from functools import partial
from io import BytesIO

import pytest
from PIL import Image

from docgen.backoffice import gate, models, reviews
from docgen.backoffice.candidates import Proposal
from docgen.backoffice.gate import SYSTEM, Actor
from docgen.backoffice.reviews import Conflict
from docgen.errors import CodeRefused, InvalidInput
from docgen.identifiers import uai_letter
from tests import helpers
from tests.service import homecoming, town
from tests.service.homecoming import BARE, BLANK, BROKEN, FORGED, came, coded, pages
from tests.service.moments import at_once

pytestmark = pytest.mark.django_db(transaction=True)
OTHER = "0130002" + uai_letter("0130002")


@pytest.fixture
def school(monkeypatch: pytest.MonkeyPatch) -> models.School:
    monkeypatch.setenv("DOCGEN_TEMPLATES", str(helpers.SHELF))
    return town.school()


@pytest.fixture
def documents(school: models.School) -> list[models.Document]:
    """Give two documents of three sides."""
    found = homecoming.printed(school, 2)
    assert [homecoming.sides_of(each) for each in found] == [3, 3]
    return found


def places(found: list[Proposal]) -> list[tuple[str, int]]:
    return [(each.target.reference, each.side) for each in found]


def state(document: models.Document) -> tuple[str, list[int], int]:
    back = homecoming.back_of(document)
    return back.stage, back.missing, back.version


def actor(school: models.School) -> Actor:
    return Actor("somebody", "school", school.pk)


def test_the_queue_holds_what_somebody_has_to_look_at(
    school: models.School, documents: list[models.Document]
) -> None:
    first, _ = documents
    other = town.school(OTHER)
    (strange,) = homecoming.printed(other, 1)
    sides = [coded(first, 1), coded(first, 1), BARE, BLANK, FORGED, BROKEN, coded(strange, 1)]
    batch = came(school, sides)
    assert homecoming.outcomes(batch) == [
        *("known", "duplicate", "unknown", "blank", "foreign", "unreadable", "foreign")
    ]
    for who in (SYSTEM, actor(school), Actor("region", "region")):
        assert [page.index for page in reviews.queue(who).order_by("index")] == [2, 4, 5, 6]
    assert reviews.queue(SYSTEM, duplicates=True).count() == 5
    assert not reviews.queue(actor(other)).exists()
    assert not reviews.queue(Actor("shop", "print_shop", shop=1)).exists()
    for page in reviews.queue(SYSTEM):
        assert len(reviews.sentence(page)) > 20


def test_what_lies_between_two_sides_is_proposed_and_never_applied(
    school: models.School, documents: list[models.Document]
) -> None:
    first, second = documents
    batch = came(school, [coded(first, 1), BLANK, BARE, coded(first, 3), coded(second, 1), BARE])
    between, after = (page for page in pages(batch) if page.outcome == "unknown")
    assert places(reviews.proposals(between, SYSTEM))[0] == (first.reference, 2)
    assert places(reviews.proposals(after, SYSTEM))[:2] == [
        (second.reference, 2),
        (second.reference, 3),
    ]
    assert "Entre les faces 1 et 3" in reviews.proposals(between, SYSTEM)[0].reason
    assert between.back_id is None
    assert state(first) == ("complete", [], 1)  # side 3 alone is signed, and so needed


def test_a_document_that_misses_one_side_is_proposed_with_its_class(
    school: models.School, documents: list[models.Document]
) -> None:
    first, second = documents
    came(school, [coded(first, 1), coded(first, 2)])
    batch = came(school, [*(coded(second, n) for n in (1, 2, 3)), BARE])
    found = reviews.proposals(pages(batch)[-1], SYSTEM)
    assert places(found) == [(first.reference, 3)]
    assert "de la classe 2DE 1" in found[0].reason


def test_a_reference_is_typed_whole_or_in_part(
    school: models.School, documents: list[models.Document]
) -> None:
    first, _ = documents
    (page,) = pages(came(school, [BARE]))
    reference = first.reference
    for typed in (reference, reference.lower().replace("-", " "), reference[:7]):
        found = reviews.proposals(page, SYSTEM, typed)
        assert places(found) == [(reference, side) for side in (1, 2, 3)]
    assert reviews.proposals(page, SYSTEM, reference[:3]) == []
    wrong = reference[:-1] + ("0" if reference[-1] != "0" else "1")
    for typed in (wrong, "?" * 12 + "ÉÉÉÉÉÉ", f"{reference}7"):
        with pytest.raises(CodeRefused):
            reviews.proposals(page, SYSTEM, typed)
    with pytest.raises(CodeRefused):
        reviews.assign(page, wrong, 2, SYSTEM)


def test_a_side_goes_home_by_hand_and_comes_back(
    school: models.School, documents: list[models.Document]
) -> None:
    first, _ = documents
    batch = came(school, [coded(first, 1), BARE])
    page = pages(batch)[1]
    assert reviews.assign(page, first.reference, 3, actor(school)) is None
    page.refresh_from_db()
    assert (page.outcome, page.side, page.is_by_hand) == ("known", 3, True)
    assert reviews.sentence(page)
    assert state(first) == ("complete", [], 2)
    assert models.Binding.objects.count() == 2
    event = models.Event.objects.get(kind="scan-assigned")
    assert (event.actor, event.school, event.facts["side"]) == ("somebody", school.pk, 3)
    reviews.undo(page, actor(school))
    page.refresh_from_db()
    assert (page.outcome, page.reason, page.side, page.back_id) == (
        "unknown",
        "no-code",
        None,
        None,
    )
    assert state(first) == ("partial", [3], 3)
    assert [step.undone_at is None for step in page.steps.all()] == [False]
    with pytest.raises(Conflict):
        reviews.undo(page, SYSTEM)


def test_a_scan_that_is_replaced_is_kept_and_comes_back(
    school: models.School, documents: list[models.Document]
) -> None:
    first, _ = documents
    batch = came(school, [coded(first, 1), BARE])
    there, better = pages(batch)
    with pytest.raises(Conflict, match="tient déjà"):
        reviews.assign(better, first.reference, 1, SYSTEM)
    displaced = reviews.assign(better, first.reference, 1, SYSTEM, replace=True)
    assert displaced == there
    assert homecoming.outcomes(batch) == ["duplicate", "known"]
    there.refresh_from_db()
    assert "choisi un autre scan" in reviews.sentence(there)
    with pytest.raises(Conflict):
        reviews.undo(there, SYSTEM)  # its place is taken
    reviews.undo(better, SYSTEM)
    assert homecoming.outcomes(batch) == ["known", "unknown"]
    there.refresh_from_db()
    assert (there.reason, there.is_by_hand) == ("", False)
    assert all(step.undone_at for step in models.ReviewStep.objects.all())


def test_of_two_scans_of_a_side_somebody_chooses(
    school: models.School, documents: list[models.Document]
) -> None:
    first, second = documents
    batch = came(school, [coded(first, 1, 2.0), coded(first, 1, 1.0)])
    better, worse = pages(batch)
    (only,) = reviews.proposals(worse, SYSTEM)
    assert places([only]) == [(first.reference, 1)]
    assert only.is_held
    for reference, side in ((first.reference, 2), (second.reference, 1)):
        with pytest.raises(InvalidInput, match="dit autre chose"):
            reviews.assign(worse, reference, side, SYSTEM, replace=True)
    assert reviews.assign(worse, first.reference, 1, SYSTEM, replace=True) == better
    assert homecoming.outcomes(batch) == ["duplicate", "known"]
    came(school, [coded(first, 1, 9.0)])  # what somebody chose stays
    assert homecoming.outcomes(batch) == ["duplicate", "known"]


def test_a_side_is_discarded_for_a_reason_and_comes_back(
    school: models.School, documents: list[models.Document]
) -> None:
    first, _ = documents
    (page,) = pages(came(school, [coded(first, 1)]))
    with pytest.raises(InvalidInput):
        reviews.discard(page, "  ", SYSTEM)
    reviews.discard(page, "photocopie", SYSTEM)
    page.refresh_from_db()
    assert (page.outcome, page.back_id) == ("discarded", None)
    assert state(first) == ("empty", [3], 2)
    with pytest.raises(Conflict):
        reviews.discard(page, "encore", SYSTEM)
    with pytest.raises(Conflict):
        reviews.assign(page, first.reference, 2, SYSTEM)
    assert not reviews.queue(SYSTEM).exists()
    reviews.undo(page, SYSTEM)
    page.refresh_from_db()
    assert (page.outcome, page.side) == ("known", 1)
    assert state(first) == ("partial", [3], 3)
    assert "photocopie" not in str(list(models.Event.objects.values()))


def test_a_place_taken_meanwhile_is_not_given_back(
    school: models.School, documents: list[models.Document]
) -> None:
    first, _ = documents
    (page,) = pages(came(school, [coded(first, 1)]))
    reviews.discard(page, "floue", SYSTEM)
    came(school, [coded(first, 1)])
    with pytest.raises(Conflict, match="tient maintenant"):
        reviews.undo(page, SYSTEM)
    page.refresh_from_db()
    assert page.outcome == "discarded"


def test_a_side_is_turned_and_its_picture_with_it(
    school: models.School, documents: list[models.Document]
) -> None:
    first, _ = documents
    bare, known, broken = pages(came(school, [BARE, coded(first, 1), BROKEN]))
    corners = []
    for _ in range(4):
        with Image.open(BytesIO(reviews.picture(bare))) as image:
            width, height = image.size
            dark = [
                image.getpixel(at) < 60
                for at in ((3, 3), (width - 4, 3), (width - 4, height - 4), (3, height - 4))
            ]
        corners.append((width > height, dark.index(True), sum(dark)))
        reviews.turn(bare, 90, SYSTEM)
        bare.refresh_from_db()
    assert corners == [(False, 0, 1), (True, 1, 1), (False, 2, 1), (True, 3, 1)]
    assert bare.turned == 0
    before = state(first)[2]
    reviews.turn(known, 180, SYSTEM)
    assert state(first)[2] == before + 1
    with pytest.raises(InvalidInput):
        reviews.turn(bare, 45, SYSTEM)
    assert reviews.picture(broken) == b""


def test_a_forged_code_another_school_and_a_broken_image_never_reach_a_document(
    school: models.School, documents: list[models.Document]
) -> None:
    first, second = documents
    other = town.school(OTHER)
    (strange,) = homecoming.printed(other, 1)
    mixed = {
        **coded(first, 1),
        "codes": (*coded(first, 1)["codes"][:1], *coded(second, 2)["codes"]),
    }
    sides = [FORGED, coded(strange, 1), BROKEN, mixed]
    forged, foreign, broken, torn = pages(came(school, sides))
    tries = [
        (each.reference, side) for each in (first, second, strange) for side in (0, 1, 2, 3, 4)
    ]
    before = models.Return.objects.count()
    for page in (forged, foreign, broken):
        assert reviews.proposals(page, SYSTEM, first.reference) == [] or page == broken
        for reference, side in tries:
            with pytest.raises(InvalidInput):
                reviews.assign(page, reference, side, SYSTEM, replace=True)
    assert models.Return.objects.count() == before
    # Of two codes that disagree, a person may believe one; nothing else.
    allowed = {(first.reference, 1), (second.reference, 2)}
    assert set(places(reviews.proposals(torn, SYSTEM))) == allowed
    for place in tries:
        if place not in allowed:
            with pytest.raises(InvalidInput):
                reviews.assign(torn, *place, SYSTEM, replace=True)
    (unknown,) = pages(came(school, [BARE]))
    for who in (SYSTEM, actor(school)):
        with pytest.raises(InvalidInput, match="aucun document"):
            reviews.assign(unknown, strange.reference, 1, who)


def test_a_side_whose_image_is_gone_is_put_in_no_document(
    school: models.School, documents: list[models.Document]
) -> None:
    first, _ = documents
    batch = came(school, [BARE])
    batch.parts.update(copy="", previews="")  # as housekeeping does in the end
    (page,) = pages(batch)
    with pytest.raises(InvalidInput, match="plus conservée"):
        reviews.assign(page, first.reference, 1, SYSTEM)
    with pytest.raises(FileNotFoundError):
        reviews.picture(page)
    reviews.discard(page, "trop tard", SYSTEM)


def test_a_pile_of_several_schools_goes_home_to_each(
    school: models.School, documents: list[models.Document]
) -> None:
    first, _ = documents
    (strange,) = homecoming.printed(town.school(OTHER), 1)
    batch = came(None, [coded(first, 1), coded(strange, 1), BARE])
    page = pages(batch)[2]
    assert not gate.visible(models.ScannedPage, actor(school)).exists()
    assert places(reviews.proposals(page, SYSTEM))[0] == (strange.reference, 2)
    reviews.assign(page, strange.reference, 2, SYSTEM)
    assert homecoming.back_of(strange).missing == [3]


def test_an_older_print_is_accepted_as_it_is_or_not_at_all(
    school: models.School, documents: list[models.Document]
) -> None:
    first, _ = documents
    newer = homecoming.printed(school, 2, "Autre")
    assert newer[0].reference != first.reference
    (page,) = pages(came(school, [coded(first, 3)]))
    assert page.outcome == "superseded"
    (only,) = reviews.proposals(page, SYSTEM)
    assert (places([only]), only.is_superseded) == ([(first.reference, 3)], True)
    with pytest.raises(InvalidInput, match="dit autre chose"):
        reviews.assign(page, newer[0].reference, 3, SYSTEM)
    reviews.assign(page, first.reference, 3, SYSTEM)
    assert homecoming.back_of(first).missing == []


def test_of_two_people_at_once_one_is_refused(
    school: models.School, documents: list[models.Document]
) -> None:
    first, _ = documents
    one, two, three = pages(came(school, [BARE, BARE, BARE]))

    def both(*calls: object) -> None:
        found = at_once(*calls)  # type: ignore[arg-type]
        refused = [each for each in found if isinstance(each, Exception)]
        assert [type(each) for each in refused] == [Conflict], found

    place = (first.reference, 2, SYSTEM)
    both(lambda: reviews.assign(one, *place), lambda: reviews.assign(two, *place))
    assert models.ScannedPage.objects.filter(outcome="known").count() == 1
    both(
        lambda: reviews.discard(three, "vide", SYSTEM, after=0),
        lambda: reviews.assign(three, first.reference, 3, SYSTEM, after=0),
    )
    for act in (
        lambda seen: reviews.turn(three, 90, SYSTEM, after=seen),
        lambda seen: reviews.undo(three, SYSTEM, after=seen),
    ):
        step = reviews.last_step(three)
        assert step
        both(*(partial(act, step.pk),) * 2)


def decide(chance: random.Random, page: models.ScannedPage, document: models.Document) -> bool:
    """Decide something about a side, at random; tell whether it was done."""
    try:
        match chance.randrange(4):
            case 0:
                place, may = (document.reference, chance.randint(1, 3)), chance.random() < 0.5
                reviews.assign(page, *place, SYSTEM, replace=may)
            case 1:
                reviews.discard(page, "essai", SYSTEM)
            case 2:
                reviews.turn(page, 90, SYSTEM)
            case _:
                reviews.undo(page, SYSTEM)
    except (Conflict, InvalidInput):
        return False
    return True


def require_truth(documents: list[models.Document]) -> None:
    for each in documents:
        back = homecoming.back_of(each)
        there = list(back.pages.filter(outcome="known").values_list("side", flat=True))
        assert len(there) == len(set(there))
        assert back.missing == sorted(set(back.needed) - set(there))


def undo_one() -> bool:
    """Undo the youngest step that can be; tell whether there was one."""
    for step in models.ReviewStep.objects.filter(undone_at=None).order_by("-pk"):
        with suppress(Conflict):
            reviews.undo(step.page, SYSTEM)
            return True
    return False


def test_whatever_people_do_documents_stay_true(
    school: models.School, documents: list[models.Document]
) -> None:
    """At random: a side of a document comes from one scan, and undoing all brings all back."""
    chance = random.Random(5)  # noqa: S311
    sides = [coded(each, n) for each in documents for n in (1, 2)]
    batch = came(school, [*sides, BARE, BARE, BARE, BARE, coded(documents[0], 1)])
    facts = ("outcome", "reason", "back", "side", "turned", "is_by_hand")
    beginning = list(batch.pages.order_by("index").values(*facts))
    done = 0
    for _ in range(100):
        done += decide(chance, chance.choice(pages(batch)), chance.choice(documents))
        require_truth(documents)
    assert done > 40
    while undo_one():
        require_truth(documents)
    assert not models.ReviewStep.objects.filter(undone_at=None).exists()
    assert list(batch.pages.order_by("index").values(*facts)) == beginning
