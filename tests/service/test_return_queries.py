"""What is asked of the database does not grow with what came home."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from docgen.backoffice import models, returns, reviews, scans, settling
from docgen.backoffice.gate import SYSTEM
from tests.service import callers, homecoming, town
from tests.service.homecoming import BARE, coded

pytestmark = pytest.mark.django_db(transaction=True)
FEW, MANY = 2, 24  # documents of three sides; a page of the API holds them all


def queries(act: Callable[[], object]) -> list[str]:
    with CaptureQueriesContext(connection) as found:
        act()
    return [each["sql"] for each in found.captured_queries]


def pile(documents: list[models.Document]) -> list[dict[str, Any]]:
    """Tell two sides of each document, one of them twice, and one that nobody knows."""
    sides = [side for each in documents for side in (coded(each, 1), coded(each, 3))]
    return [*sides, *(coded(each, 3, 0.5) for each in documents), *[BARE] * len(documents)]


@pytest.fixture
def piles() -> list[models.ScanBatch]:
    """Have a small pile and a larger one come home."""
    school = town.school()
    documents = homecoming.printed(school, FEW + MANY)
    return [homecoming.came(school, pile(few)) for few in (documents[:FEW], documents[FEW:])]


def test_what_is_told_of_scans_takes_as_many_queries_for_few_sides_as_for_many(
    piles: list[models.ScanBatch],
) -> None:
    cache.clear()
    caller = Client(headers=callers.token("school", models.School.objects.get()))

    def counts(batch: models.ScanBatch) -> dict[str, int]:
        paths = {
            "report": f"/scans/{batch.pk}/report",
            "sides": f"/scans/{batch.pk}/pages?limit=100",
            "reviews": f"/reviews?scan={batch.pk}&duplicates=true&limit=100",
        }
        found = {name: queries(lambda path=path: got(caller, path)) for name, path in paths.items()}
        found["told"] = queries(lambda: scans.report(batch))
        return {name: len(each) for name, each in found.items()}

    few, many = map(counts, piles)
    assert few == many
    assert max(many.values()) < 20
    short, long = (queries(lambda n=n: got(caller, f"/returns?limit={n}")) for n in (2, 20))
    assert len(short) == len(long)


def got(caller: Client, path: str) -> None:
    answer = caller.get(f"/api/v1{path}")
    assert answer.status_code == 200, answer.content


def test_what_lists_read_of_a_side_is_not_all_that_was_found_there(
    piles: list[models.ScanBatch],
) -> None:
    """A reading is a thousand bytes or more: a pile of 3,000 sides would hold them all at once."""
    cache.clear()
    caller = Client(headers=callers.token("school", models.School.objects.get()))
    for act in (
        lambda: got(caller, f"/scans/{piles[1].pk}/report"),
        lambda: got(caller, "/returns"),
        lambda: scans.report(piles[1]),
    ):
        assert [sql for sql in queries(act) if '"reading"' in sql and "superseded" not in sql] == []


def test_a_pile_is_sorted_in_as_many_queries_whatever_it_holds() -> None:
    school = town.school()
    documents = homecoming.printed(school, FEW + MANY)

    def settle(few: list[models.Document]) -> int:
        batch = homecoming.read(school, pile(few))
        with transaction.atomic():
            return len(queries(lambda: settling.settle(batch)))

    few, many = settle(documents[:FEW]), settle(documents[FEW:])
    # Each document that changed is saved once.
    assert many - few <= MANY - FEW


def test_papers_are_told_all_at_once() -> None:
    school = town.school()
    row = models.Attestation.objects.create(
        school=school, rank=1, number=1, record={}, region={}, letterhead={},
        start_date="2026-09-01", end_date="2026-09-02",
    )  # fmt: skip
    numbers = [bytes([each]) * 6 for each in range(20)]
    for number in numbers:
        facts = {"slug": f"s{number[0] // 2}", "sides": 1, "width": 1.0, "height": 1.0}
        models.Paper.objects.create(number=number, school=school, attestation=row, **facts)
    few, many = (
        queries(lambda n=n: returns.expected(each.hex() for each in numbers[:n])) for n in (2, 20)
    )
    assert len(few) == len(many)
    told = returns.expected(number.hex() for number in numbers)
    assert [told[number.hex()].state for number in numbers] == [
        "superseded",
        "current",
    ] * 10  # the younger of two that say the same thing


def test_what_waits_is_found_without_reading_all_that_came(
    piles: list[models.ScanBatch],
) -> None:
    """Of 100,000 sides some hundreds wait: their index gives them."""
    assert piles
    rows = reviews.queue(SYSTEM).order_by().values("pk")
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # which reads a table as small as this one whole
            cursor.execute("SET LOCAL enable_seqscan = off")
        plan = rows.explain()
    assert "pages_by_outcome" in plan
    assert "outcome=?" in plan or "Index Cond" in plan, plan
