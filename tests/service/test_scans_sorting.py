"""Sides that came home, sorted against what is expected: whose they are, and which one is kept."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from django.db import connections

from docgen import records
from docgen.backoffice import bulk, models, print_jobs, registers, returns, scans
from docgen.datafolder import data_folder, page_code_key
from docgen.press import prepare
from docgen.scanning.findings import Seen
from tests import helpers
from tests.service import homecoming, town
from tests.service.homecoming import coded, outcomes, pages

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def school() -> models.School:
    return town.school()


def reasons(batch: models.ScanBatch) -> list[tuple[str, str]]:
    return [(str(page.outcome), page.reason) for page in pages(batch)]


def state_of(document: models.Document) -> str:
    number = bytes(document.number).hex()
    return returns.expected([number])[number].state


def test_sides_go_to_their_document_and_what_is_missing_is_told(school: models.School) -> None:
    first, second = homecoming.printed(school)
    batch = homecoming.came(school, [coded(second, 3), coded(first, 1), homecoming.BLANK])
    assert outcomes(batch) == ["known", "known", "blank"]
    back = homecoming.back_of(first)
    assert (back.stage, back.needed, back.missing) == ("partial", [3], [3])
    assert (back.school_id, back.reference, back.person) == (
        school.pk,
        first.reference,
        first.person,
    )
    assert (back.sides, back.version, back.division) == (3, 1, "2DE 1")
    assert homecoming.back_of(second).stage == "complete"
    (binding,) = models.Binding.objects.all()
    assert {each[0] for each in binding.returns} == {
        str(homecoming.back_of(each).pk) for each in (first, second)
    }
    later = homecoming.came(school, [coded(first, 3)])
    assert outcomes(later) == ["known"]
    back.refresh_from_db()
    assert (back.stage, back.missing, back.version) == ("complete", [], 2)


def test_of_two_scans_of_a_side_the_better_stays_and_both_are_kept(school: models.School) -> None:
    document, _ = homecoming.printed(school)
    first = homecoming.came(school, [coded(document, 1, 2.0), coded(document, 1, 3.0)])
    assert reasons(first) == [("duplicate", "twice"), ("known", "")]
    worse = homecoming.came(school, [coded(document, 1, 1.0)])
    assert reasons(worse) == [("duplicate", "already-home")]
    assert homecoming.back_of(document).version == 1
    better = homecoming.came(school, [coded(document, 1, 9.0)])
    assert reasons(better) == [("known", "")]
    assert reasons(first) == [("duplicate", "twice"), ("duplicate", "better-came")]
    assert homecoming.back_of(document).version == 2
    kept = models.ScannedPage.objects.filter(back=homecoming.back_of(document), side=1)
    assert kept.count() == 4


def test_what_somebody_filed_stays_where_it_is(school: models.School) -> None:
    document, _ = homecoming.printed(school)
    first = homecoming.came(school, [coded(document, 1, 1.0)])
    first.pages.update(is_by_hand=True)
    assert reasons(homecoming.came(school, [coded(document, 1, 9.0)])) == [
        ("duplicate", "already-home")
    ]


def test_strangers_never_reach_a_document(school: models.School) -> None:
    neighbour = town.school("0750001K")
    theirs, _ = homecoming.printed(neighbour)
    ours, _ = homecoming.printed(school)
    unknown = coded(ours, 1)
    unknown["codes"] = tuple(
        Seen(document="00" * 6, side=1, sides=3, corner=corner, quad=()) for corner in (0, 1)
    )
    batch = homecoming.came(school, [coded(theirs, 1), homecoming.FORGED, unknown])
    assert reasons(batch) == [
        ("foreign", "other-school"),
        ("foreign", "code-refused"),
        ("foreign", "document-unknown"),
    ]
    assert not models.Return.objects.exists()
    told = scans.report(batch)
    assert [side.reference for side in told.sides] == ["", "", ""]
    pile = homecoming.came(None, [coded(theirs, 1), coded(ours, 1)])
    assert outcomes(pile) == ["known", "known"]
    assert {row.school_id for row in models.Return.objects.all()} == {school.pk, neighbour.pk}
    assert {each.school_id for each in models.Binding.objects.all()} == {school.pk, neighbour.pk}


def test_paper_printed_again_with_other_values_replaces_the_older(school: models.School) -> None:
    older, same = homecoming.printed(school)
    assert state_of(older) == "current"
    job = older.volume.job
    print_jobs.reprint(job, "test", is_duplicata=True)
    assert state_of(older) == "current"  # the same number, whatever its mark
    people = list(helpers.people(2, first_name="Zoé"))
    moved = [replace(people[0], division="2DE 2"), people[1]]
    registers.keep_roster(school, "pupil", records.Roster(tuple(moved), "2026-2027"), "test")
    again = ordered(school)
    younger = models.Document.objects.get(volume__job=again, person=older.person)
    assert younger.number != older.number
    assert (state_of(older), state_of(younger), state_of(same)) == (
        "superseded",
        "current",
        "current",
    )
    batch = homecoming.came(school, [coded(older, 3), coded(younger, 3), coded(same, 3)])
    assert reasons(batch)[0] == ("superseded", "superseded")
    assert outcomes(batch) == ["superseded", "known", "known"]
    assert scans.report(batch).sides[0].reference == older.reference
    print_jobs.cancel(again, "test")  # then nothing replaces the older one
    assert (state_of(older), state_of(younger)) == ("current", "cancelled")
    assert state_of(same) == "current"


def test_another_year_or_another_copy_replaces_nothing(school: models.School) -> None:
    older, _ = homecoming.printed(school)
    roster = records.Roster(tuple(helpers.people(2, first_name="Zoé")), "2027-2028")
    registers.keep_roster(school, "pupil", roster, "test")
    ordered(school)
    assert state_of(older) == "current"
    roster = replace(roster, school_year="2026-2027")
    registers.keep_roster(school, "pupil", roster, "test")
    ordered(school, copies=2)
    assert state_of(older) == "current"


def ordered(school: models.School, **options: Any) -> models.PrintJob:  # noqa: ANN401
    """Order the small charter for the pupils as they are now."""
    place, roster = registers.school(school), registers.roster(school, "pupil")
    order = helpers.order((), school=place, roster=roster, **{"copies": 1, **options})
    made = prepare(order, page_code_key(data_folder()), data_folder() / "cache")
    return print_jobs.create(made, "test")


def test_the_paper_of_a_cancelled_job_is_told_from_a_strangers(school: models.School) -> None:
    document, _ = homecoming.printed(school)
    print_jobs.cancel(document.volume.job, "test")
    batch = homecoming.came(school, [coded(document, 1)])
    assert reasons(batch) == [("superseded", "cancelled")]
    assert scans.report(batch).sides[0].reference == document.reference
    assert not models.Return.objects.exists()


def test_batches_sorted_at_once_keep_one_scan_a_side(
    school: models.School, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = bulk.chunks  # one row after the other: who does not keep the order meets others
    monkeypatch.setattr(bulk, "chunks", lambda items, size=1: real(items, 1))
    documents = homecoming.printed(school, 12)
    sides = [(document, side) for document in documents for side in (1, 2, 3)]

    batches = []
    for number in range(4):  # each begins elsewhere, and two of them go backwards
        order = (sides[number * 9 :] + sides[: number * 9])[:: 1 if number % 2 else -1]
        told = [coded(*place, quality=2.0**number) for place in order]
        batches.append(homecoming.read(school, told))

    def settle(batch: models.ScanBatch) -> list[str]:
        try:
            return outcomes(homecoming.settled(batch))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(settle, batches))
    assert all(set(each) <= {"known", "duplicate"} for each in found)
    known = models.ScannedPage.objects.filter(outcome="known")
    assert known.count() == len(sides)
    assert len(set(known.values_list("back", "side"))) == len(sides)
    assert models.ScannedPage.objects.count() == 4 * len(sides)
    for document in documents:
        back = homecoming.back_of(document)
        assert (back.stage, back.missing) == ("complete", [])
    bound = [tuple(each) for row in models.Binding.objects.all() for each in row.returns]
    latest = {(str(row.pk), row.version) for row in models.Return.objects.all()}
    assert latest <= set(bound)  # each version that stands is bound by somebody
