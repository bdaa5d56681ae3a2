"""What nobody would send: no screen answers it with a fault. Chance is seeded, so it is the same.

More of it is a matter of `ROUNDS`; with 6 it takes minutes.
"""

import random
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.test import Client
from pytest_django import DjangoDbBlocker

from tests.service.screen_table.rows import CALLERS
from tests.service.screen_walk import (
    GETS,
    NAMES,
    POSTS,
    browser,
    built,
    first,
    given,
    place,
    why,
)
from tests.service.world import World, filled, undone

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
ROUNDS = 1
JUNK = (
    *("", " ", "%", "_", "'", '"', "\\", "(((", "[a-", "*", ".*+?{9999999}", "\u202e", "\u2028"),
    *("0", "-1", "1", "007", "1e9", "+1", "1_0", "²", "٣", "１", "NaN", "inf", "0x1"),
    *("1000000000", str(2**31), str(2**63 - 1), str(2**63), str(2**64), "9" * 40, "9" * 5000),
    *("0000-01-01", "0001-01-01", "1899-12-31", "9999-12-31", "10000-01-01", "2026-02-30"),
    *("2026-09-14T00:00:00Z", "31/12/0001", "01/01/99999", "2026-W01-1", "20260914"),
    *("00000000-0000-0000-0000-000000000000", "{00000000000000000000000000000000}", "urn:uuid:x"),
    *("é" * 120, "\U0001f4a9" * 60, "e\u0301", "\r\nX: 1", "=1+1", "../../etc/passwd"),
    *("None", "null", "[]", "{}", "true", "-nom", "-", "--nom", "nom,", "pk", "password", "oui"),
    *("pret:", "pret:-1", "pret:x", f"pret:{2**70}", "a/b/c", "/", "AT-0000-0000/1", "tout"),
    *("OUI " * 30, "x" * 3000),
)
NUMBERS = (0, 2**31, 2**63, 10**30)
SCHOOLS = ("0130001a", "%00", "%0A", "%ff", "%2e", "é", "x" * 300)
SLOW = ("template-check",)  # a child lays the template out, whatever is sent
ASKED = re.compile(rb'(?:name="|[?&;])([a-z][\w-]*)["=]')


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with built(django_db_blocker) as made:
        yield made


def names(client: Client, where: str, *known: str) -> list[str]:
    """Give what a page can be asked, by its fields and its links, besides what is known."""
    answer = client.get(where)
    content = b"" if answer.streaming else answer.content
    found = {each.decode() for each in ASKED.findall(content)}
    return sorted(found.union(known) - {"csrfmiddlewaretoken", "viewport"})


def faults(told: str, answer: Any) -> list[str]:  # noqa: ANN401
    if answer.streaming:
        answer.getvalue()
    return [f"{told}: {answer.status_code} {why(answer)}"] if answer.status_code >= 500 else []


def test_no_question_is_a_fault(world: World) -> None:
    wrong, chance = [], random.Random(7)  # noqa: S311
    for route, row in GETS.items():
        client, where = browser(world.people[first(row)]), place(route, world.arles)
        usual = where + str(filled(row.query, world.arles))
        known = re.findall(r"[?&]([\w-]+)=", row.query)
        asked = names(client, usual, "page", "tri", "q", *known)
        for _ in range(ROUNDS):
            one = chance.choice(asked), chance.choice(JUNK)  # the others are as they should be
            wrong += faults(f"{route} {one!r:.300}", client.get(_with(usual, one)))
    assert wrong == []


def _with(address: str, pair: tuple[str, str]) -> str:
    return f"{address}{'&' if '?' in address else '?'}{urlencode([pair])}"


def test_no_form_is_a_fault(world: World) -> None:
    wrong, chance = [], random.Random(7)  # noqa: S311
    browsers = {name: browser(world.people[name]) for name in CALLERS}
    for route, row in POSTS.items():
        name, where = route.partition(" ")[2], place(route, world.arles)
        if name in SLOW:
            continue
        usual = where + str(filled(row.query, world.arles))
        client = browsers[first(row)]
        page = usual if f"GET {name}" in GETS else "/aide/"
        asked = names(client, page, "jeton", "q", *row.body)
        good = {each: filled(value, world.arles) for each, value in row.body.items()}
        bodies = [{**good, chance.choice(asked): chance.choice(JUNK)} for _ in range(ROUNDS)]
        bodies += [_all(asked, chance) for _ in range(ROUNDS)]
        for body in bodies:
            files = {each: given(each, "%PDF-1.7 \0\xff") for each in row.files}
            with undone():
                wrong += faults(f"{route} {body!r:.400}", client.post(usual, {**body, **files}))
    assert wrong == []


def _all(asked: list[str], chance: random.Random) -> dict[str, list[str]]:
    return {name: [chance.choice(JUNK) for _ in range(chance.randint(0, 2))] for name in asked}


def test_no_address_is_a_fault(world: World) -> None:
    """A school, a number or a name that cannot be is like one that is not."""
    wrong, seen = [], set()
    for route, row in {**GETS, **POSTS}.items():
        name = route.partition(" ")[2]
        client = browser(world.people[first(row)])
        for key, converter in NAMES[name].pattern.converters.items():
            kind = (key, name.partition("-")[0])
            values = _hostile(key, type(converter).__name__)
            if kind in seen or not values:
                continue
            seen.add(kind)
            mark = "1234512345" if values is NUMBERS else "qzmark"
            for value in values:
                where = place(route, {**world.arles, key: mark})
                where = where.replace(mark, quote(str(value), safe="%"))
                with undone():
                    answer = client.generic(route.split()[0], where)
                wrong += faults(f"{route} {where[:100]}", answer)
                if answer.status_code not in (302, 400, 404):
                    wrong.append(f"{route} {where[:100]}: {answer.status_code}")
    assert wrong == []
    assert len(seen) > len(NUMBERS)


def _hostile(key: str, converter: str) -> tuple[Any, ...]:
    if key == "uai":
        return SCHOOLS
    if converter == "IntConverter":
        return NUMBERS
    return ("x" * 300, "-", "_") if converter == "SlugConverter" else ()
