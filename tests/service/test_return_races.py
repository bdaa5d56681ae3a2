"""Sorting, people and binding at the same moment: none waits for ever, and no side is lost."""

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.db import connections, transaction

from docgen.backoffice import bindings, bulk, claims, models, returns, reviews
from docgen.backoffice.gate import SYSTEM
from docgen.errors import InvalidInput
from tests.service import homecoming, town
from tests.service.homecoming import BARE, coded

pytestmark = pytest.mark.django_db(transaction=True)
DOCUMENTS = 6


def decide(seed: int, pages: list[int], references: list[str]) -> int:
    """Decide about sides, one after the other, as somebody in a hurry."""
    chance, done = random.Random(seed), 0  # noqa: S311
    try:
        for _ in range(12):
            page = models.ScannedPage.objects.get(pk=chance.choice(pages))
            with suppress(reviews.Conflict, InvalidInput):
                match chance.randrange(4):
                    case 0 | 1:
                        place = chance.choice(references), chance.randint(1, 3)
                        reviews.assign(page, *place, SYSTEM, replace=True)
                    case 2:
                        reviews.discard(page, "essai", SYSTEM)
                    case _:
                        reviews.undo(page, SYSTEM)
                done += 1
    finally:
        connections.close_all()
    return done


def bind(rounds: int) -> int:
    """Record bindings as their workers do: every version is said to be unsigned."""
    done = 0
    try:
        for _ in range(rounds):
            work = claims.claim(models.Binding)
            if work:
                unsigned = {"unsigned": [{"side": 3, "zone": "x"}], "unseen": []}
                unsigned |= {"problems": [], "sources": []}
                made = [
                    {"id": key, "version": version, "chosen": [], **unsigned}
                    for key, version in work.returns
                ]
                done += bindings.finish(work, made, {})
    finally:
        connections.close_all()
    return done


def settle(batch: models.ScanBatch) -> int:
    try:
        homecoming.settled(batch)
    finally:
        connections.close_all()
    return 1


def test_sorting_deciding_and_binding_at_once_lose_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    school = town.school()
    documents = homecoming.printed(school, DOCUMENTS)
    seen = homecoming.came(school, [*(coded(each, 1) for each in documents), *[BARE] * 8])
    real = bulk.chunks
    monkeypatch.setattr(bulk, "chunks", lambda items, size=1: real(items, 1))
    pages = list(seen.pages.values_list("pk", flat=True))
    references = [each.reference for each in documents]
    batches = []
    for number in range(3):
        sides = [coded(each, side, 2.0**number) for each in documents for side in (1, 2, 3)]
        batches.append(homecoming.read(school, sides[:: 1 if number % 2 else -1]))
    with ThreadPoolExecutor(7) as pool:
        acts = [pool.submit(settle, batch) for batch in batches]
        acts += [pool.submit(decide, seed, pages, references) for seed in range(2)]
        acts += [pool.submit(bind, 12) for _ in range(2)]
        done = [act.result(timeout=120) for act in acts]
    assert done[:3] == [1, 1, 1]
    assert models.ScannedPage.objects.count() == len(pages) + 3 * 3 * DOCUMENTS
    for row in models.Return.objects.all():
        home = list(row.pages.filter(outcome="known").values_list("side", flat=True))
        assert len(home) == len(set(home))
        assert row.missing == sorted(set(row.needed) - set(home))


def test_nobody_waits_the_wrong_way_for_two_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who assigns a side that is in a document already holds both, the lower number first."""
    school = town.school()
    first, second = sorted(homecoming.printed(school), key=lambda each: bytes(each.number))
    batch = homecoming.came(school, [coded(first, 1), coded(first, 1), coded(second, 1)])
    asked, real = [], returns.awaited

    def awaited(numbers: object) -> dict[str, models.Return]:
        asked.append(set(found := list(numbers)))  # type: ignore[call-overload]
        return real(found)

    monkeypatch.setattr(returns, "awaited", awaited)
    page = batch.pages.get(outcome="duplicate")
    with pytest.raises(InvalidInput), transaction.atomic():
        reviews.assign(page, second.reference, 1, SYSTEM)
    assert asked[0] == {bytes(each.number).hex() for each in (first, second)}
