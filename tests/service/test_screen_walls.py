"""The walls of the screens: every address, every role, one's own school and the other one's. The
addresses are those of the program itself: none can be added without its line in a table."""

import hashlib
import re
import uuid
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from django.apps import apps
from django.test import Client
from django.urls import Resolver404, resolve
from pytest_django import DjangoDbBlocker

from tests.service import page_rules
from tests.service.screen_table.rows import CALLERS
from tests.service.screen_walk import (
    GETS,
    NAMES,
    POSTS,
    ROWS,
    TABLES,
    Seen,
    ask,
    browser,
    built,
    expected,
    first,
    place,
    send,
    why,
)
from tests.service.world import Facts, World, filled, undone

pytestmark = pytest.mark.django_db
PUBLIC = {"asset"}  # a file of ours by its digest, the same for all: test_screen_frame
STRANGERS = ("berre", "shop_berre")
NUMBERS = ("person", "second", "cession", "loan", "shop")
IDS = ("job", "attestation", "convention", "scan", "side", "document", "delivery", "mail")
NUMBER = re.compile(rb"[0-9a-f]{32}")  # of a request, on a page that says what went wrong


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with built(django_db_blocker) as made:
        yield made


@pytest.fixture(scope="module")
def browsers(world: World, django_db_blocker: DjangoDbBlocker) -> dict[str, Client]:
    """Give the browser of each caller, signed in."""
    with django_db_blocker.unblock():
        return {name: browser(world.people[name]) for name in CALLERS}


@pytest.fixture(scope="module")
def changed() -> list[str]:
    """List the tables that were changed by opening pages; `opened` fills it."""
    return []


@pytest.fixture(scope="module")
def opened(
    world: World,
    browsers: dict[str, Client],
    changed: list[str],
    django_db_blocker: DjangoDbBlocker,
) -> list[Seen]:
    """Open every screen as everybody, about the school of Arles."""
    with django_db_blocker.unblock():
        before = digest()
        asked = [
            ask(browsers[caller], caller, route, row, world.arles)
            for route, row in GETS.items()
            for caller in CALLERS
        ]
        changed += [name for name, found in digest().items() if before[name] != found]
        return asked


def digest() -> dict[str, str]:
    """Give what each table holds, but for sessions: messages wait there."""
    found = {}
    for model in apps.get_models():
        if model._meta.label != "sessions.Session":
            rows = sorted(map(repr, model._default_manager.values_list()))
            found[model._meta.label] = hashlib.sha256("\n".join(rows).encode()).hexdigest()
    return found


def test_every_address_has_its_lines_and_every_line_its_address(
    world: World, browsers: dict[str, Client]
) -> None:
    """A view that answers a method has a line for it; it says 405 to any other."""
    missing = []
    for name in NAMES.keys() - PUBLIC:
        told = {route.split()[0] for route in ROWS if route.split()[1] == name}
        for method in {"GET", "POST"} - told:
            where = place(f"{method} {name}", world.arles)
            with undone():
                said = (each.generic(method, where).status_code for each in browsers.values())
                missing += [] if 405 in said else [f"{method} {name}"]
    named = {f"{method} {name}" for method in ("GET", "POST") for name in NAMES}
    assert sum(map(len, TABLES)) == len(ROWS)
    assert sorted(missing) == []
    assert sorted(ROWS.keys() - named) == []


def test_nobody_passes_a_wall(
    world: World, browsers: dict[str, Client], opened: list[Seen]
) -> None:
    wrong, leaks = [], []
    for seen in [*opened, *posted(world, browsers)]:
        if seen.status != expected(seen.row, seen.caller):
            said = f"{seen.status}, not {expected(seen.row, seen.caller)}"
            wrong.append(f"{seen}: {said} {why(seen.answer)}")
        leaks += leaked(seen, world)
    assert wrong == []
    assert leaks == []


def posted(world: World, browsers: dict[str, Client]) -> Iterator[Seen]:
    for route, row in POSTS.items():
        for caller in CALLERS:
            with undone():
                yield ask(browsers[caller], caller, route, row, world.arles)


def leaked(seen: Seen, world: World) -> list[str]:
    """Tell what of somebody else's was shown."""
    marks: list[str] = []
    if seen.caller in STRANGERS and not seen.row.is_public:
        marks = hidden(world.arles)
    elif seen.caller in ("arles", "shop_arles"):
        marks = hidden(world.berre)
    told = seen.headers.encode() + seen.content
    return [f"{seen}: {mark}" for mark in marks if mark.encode() in told]


def hidden(facts: Facts) -> list[str]:
    return [*facts["marks"], *(str(facts[name]) for name in IDS)]


def test_a_page_that_is_opened_changes_nothing(opened: list[Seen], changed: list[str]) -> None:
    assert opened
    assert changed == []


def test_what_belongs_to_others_is_answered_like_what_does_not_exist(
    world: World, browsers: dict[str, Client]
) -> None:
    nothing = {**world.arles, "uai": "0139999Z"}
    nothing |= dict.fromkeys(NUMBERS, 2**40) | {name: str(uuid.uuid4()) for name in IDS}
    different, found = [], []
    for route, row in ROWS.items():
        asked = NAMES[route.partition(" ")[2]].pattern.converters.keys()
        if row.is_public or not asked & {"uai", *IDS, *NUMBERS}:
            continue
        for caller in STRANGERS:
            answers = []
            for facts in (world.arles, nothing):
                with undone():
                    seen = ask(browsers[caller], caller, route, row, facts)
                answers.append((seen.status, NUMBER.sub(b"", seen.content)))
            if answers[0] != answers[1]:
                different.append(f"{seen}: {answers[0][0]}, {answers[1][0]}")
        caller = first(row)
        with undone():
            seen = ask(browsers[caller], caller, route, row, nothing)
        found += [f"{seen}: {seen.status}"] if seen.status != 404 else []
    assert different == []
    assert found == []


def test_a_row_of_another_school_is_not_reached_through_ones_own(
    world: World, browsers: dict[str, Client]
) -> None:
    """The school of the address is one's own; the person, the job or the file is not."""
    mixed = {**world.arles, "uai": world.berre["uai"]}
    wrong = []
    for route, row in ROWS.items():
        if expected(row, "arles") != row.good or expected(row, "berre") == row.good:
            continue
        asked = set(NAMES[route.partition(" ")[2]].pattern.converters)
        told = set(re.findall(r"\{(\w+)\}", repr(row.body) + row.query))
        theirs = {*IDS, *NUMBERS} & {*asked, *told}
        if "uai" not in asked or not theirs:
            continue
        with undone():
            seen = ask(browsers["berre"], "berre", route, row, mixed)
        # What a form names that is not one's own is refused on its page, or does not exist.
        refusals = {404} if theirs & asked else {404, 422}
        shown = [mark for mark in hidden(world.arles) if mark.encode() in seen.content]
        shown = [mark for mark in shown if mark not in map(str, filled(row.body, mixed).values())]
        if seen.status not in refusals or shown:
            wrong.append(f"{seen}: {seen.status} {shown} {why(seen.answer)}")
    assert wrong == []


def test_who_is_not_signed_in_is_led_to_the_door_and_back(world: World) -> None:
    wrong, anybody = [], browser()
    for route, row in ROWS.items():
        if row.is_public:
            continue
        where = place(route, world.arles) + str(filled(row.query, world.arles))
        plain = send(anybody, route, row, world.arles)
        back = parse_qs(urlsplit(plain.headers.get("Location", "")).query).get("next", [""])[0]
        is_door = plain.status_code == 302 and plain.headers["Location"].startswith("/connexion?")
        # A form that was sent cannot be sent again by a link: one comes back to a page.
        if not is_door or back != (where if route.startswith("GET") else "/"):
            wrong.append(f"{route}: {plain.status_code} {plain.headers.get('Location')}")
        page = {"HX-Request": "true", "HX-Current-URL": "http://testserver/prets?q=1"}
        form = {"Referer": "http://testserver/prets?q=1"}
        if route.startswith("POST"):
            asked = send(anybody, route, row, world.arles, **form)
            if asked.headers.get("Location") != "/connexion?next=/prets%3Fq%3D1":
                wrong.append(f"{route}, from a page: {asked.headers.get('Location')}")
        asked = send(anybody, route, row, world.arles, **page)
        if asked.headers.get("HX-Redirect") != "/connexion?next=/prets%3Fq%3D1":
            wrong.append(f"{route}, htmx: {asked.status_code} {asked.headers.get('HX-Redirect')}")
        told = plain.content + asked.content
        wrong += [f"{route}: {mark}" for mark in hidden(world.arles) if mark.encode() in told]
    assert wrong == []


def test_nothing_is_done_without_the_token_of_a_form(world: World) -> None:
    strict = {name: browser(world.people[name], enforce_csrf_checks=True) for name in CALLERS}
    wrong = []
    for route, row in POSTS.items():
        caller = first(row)
        with undone():
            answer = send(strict[caller], route, row, world.arles)
        if answer.status_code != 403:
            wrong.append(f"{caller}: {route}: {answer.status_code}")
    assert wrong == []


def test_every_page_is_well_made(opened: list[Seen]) -> None:
    wrong, looked_at = [], set()
    for seen in opened:
        if not seen.is_page:
            continue
        wrong += [f"{seen}: no header: {each}" for each in missing(seen)]
        if seen.status == 200 and seen.route not in looked_at:
            looked_at.add(seen.route)
            wrong += [f"{seen.route}: {each}" for each in page_rules.faults(seen.content)]
    assert sorted(set(wrong)) == []
    assert looked_at


def missing(seen: Seen) -> list[str]:
    found = page_rules.headers_missing(seen.answer.headers)
    return found if seen.status == 200 else [each for each in found if each != "not kept"]


def test_no_link_leads_where_its_reader_may_not_go(
    browsers: dict[str, Client], opened: list[Seen]
) -> None:
    ways: dict[tuple[str, str], tuple[str, str]] = {}
    for seen in opened:
        if seen.is_page and seen.status == 200:
            for link in page_rules.links(seen.content):
                ways.setdefault((seen.caller, kind(link)), (link, seen.route))
    wrong = []
    for (caller, _), (link, route) in ways.items():
        with undone():
            answer = browsers[caller].get(link)
        if answer.status_code not in (200, 302, 303):
            wrong.append(f"{caller}: {route} leads to {link}: {answer.status_code} {why(answer)}")
    assert wrong == []
    assert ways


def kind(link: str) -> str:
    """Tell links apart by where they lead, and by what they ask there: rows alike are one."""
    path, _, query = link.partition("?")
    try:
        found = resolve(path)
    except Resolver404:
        return link
    rest = {name: value for name, value in found.kwargs.items() if name == "uai"}
    return f"{found.route} {rest} {sorted(parse_qs(query))}"
