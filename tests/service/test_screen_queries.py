"""How often a screen asks the database does not depend on how much it holds."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoDbBlocker

from tests.service import crowd
from tests.service.crowd_rows import Crowd, Sizes
from tests.service.screen_table.rows import CALLERS
from tests.service.screen_walk import GETS, browser, built, expected, send, why
from tests.service.world import World

pytestmark = pytest.mark.django_db
FEW = Sizes()
MORE = Sizes(
    people=9, cessions=6, loans=6, jobs=6, volumes=6, documents=6, attestations=6, scans=6,
    sides=12, papers=6, mails=6, reminders=6, events=12, accounts=6,
)  # fmt: skip


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with built(django_db_blocker) as made:
        yield made


def asked(world: World, failed: list[str]) -> dict[str, list[str]]:
    """Open every screen as the first who may, and as a school; give what each asked."""
    browsers = {name: browser(world.people[name]) for name in CALLERS}
    found = {}
    for route, row in GETS.items():
        may = [each for each in CALLERS if expected(row, each) == row.good]
        for caller in {*may[:1], *({"arles"} & {*may})}:
            with CaptureQueriesContext(connection) as queries:
                answer = send(browsers[caller], route, row, world.arles)
                if answer.streaming:
                    answer.getvalue()
            failed += [f"{caller}: {route}: {why(answer)}"] * (answer.status_code >= 400)
            found[f"{caller}: {route}"] = [each["sql"] for each in queries]
    return found


def test_no_screen_asks_more_often_when_there_is_more(world: World) -> None:
    many, failed = Crowd(world.arles), []
    for sizes in (FEW, MORE):
        crowd.region(many, 1 if sizes is FEW else 3, sizes)
        crowd.of_facts(many, sizes)
        if sizes is FEW:
            asked(world, failed)  # what is read once and kept
            few = asked(world, failed)
    more = asked(world, failed)
    grown = {
        name: f"{len(few[name])} then {len(more[name])}: {new(few[name], more[name])}"
        for name in few
        if len(few[name]) < len(more[name])
    }
    assert few
    assert failed == []
    assert grown == {}


def new(few: list[str], more: list[str]) -> str:
    """Give the query that is asked more often, without its values."""
    counts = {text[:90]: 0 for text in more}
    for text in more:
        counts[text[:90]] += 1
    for text in few:
        counts[text[:90]] = counts.get(text[:90], 0) - 1
    return max(counts, key=lambda text: counts[text])
