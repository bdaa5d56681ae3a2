"""What hostile words, addresses and cookies do to the screens: nothing."""

import io
import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.db import models as tables
from django.test import Client
from pytest_django import DjangoDbBlocker

from docgen.backoffice import logs, models
from tests.service import page_rules
from tests.service.screen_table.rows import CALLERS
from tests.service.screen_walk import (
    GETS,
    POSTS,
    Seen,
    ask,
    browser,
    built,
    expected,
    first,
    given,
    place,
    why,
)
from tests.service.world import World, filled, undone

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
PASSWORD = "x" * 20
NAME = "QZXNOM"  # of a person: on pages alone
HOSTILE = (
    "\"'><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "' onmouseover=alert(1) x='",
    "</textarea></title><svg onload=alert(1)>",
    "{{1111*1111}}{% now 'U' %}",
)
SHORT = "\"'><b id=x>"
SCRIPT = "javascript:alert(1)//"
ADDRESSES = ("url", "email", "recipient", "sent_to")
ELSEWHERE = (
    *("//evil.example/", "https://evil.example/", "https:evil.example", "https:///evil.example"),
    *("/\\evil.example", "\\\\evil.example", "///evil.example", "\t//evil.example"),
    *("javascript:alert(1)", "data:text/html,x", "http:\\\\evil.example"),
)
# What names a thing, or leads the program: nobody types it.
KEPT = {
    *("uai", "sha256", "checksum", "digest", "password", "session_key", "register", "ticket"),
    *("copy", "previews", "model", "slug", "layout", "variant", "kind", "format", "school_year"),
    *("version", "key", "message_id", "box", "way", "pieces", "subject", "reason", "action"),
    *("postal_code", "base", "secret", "name_of_profile", "internal_id", "person"),
}
WORDS = {"words", "label", "name", "title", "city", "family_name", "first_name", "where", "what"}


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with built(django_db_blocker) as made:
        yield made


@pytest.fixture
def said() -> Iterator[io.StringIO]:
    """Give all that the process logs, at every level, as the service writes it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.Line())
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def planted() -> None:
    """Write hostile words wherever somebody else's words are kept."""
    for model in apps.get_app_config("backoffice").get_models():
        if model is models.Event:  # the database refuses to change one
            continue
        for row in model._default_manager.all():
            values = {f.attname: _planted(f, row) for f in model._meta.concrete_fields}
            changed = {name: value for name, value in values.items() if value is not None}
            model._default_manager.filter(pk=row.pk).update(**changed)
    for person in models.Person.objects.all():
        names = {"family_name": f"{NAME}{HOSTILE[0]}", "first_name": f"{NAME}{HOSTILE[1]}"}
        models.Person.objects.filter(pk=person.pk).update(**names)


def _planted(field: Any, row: tables.Model) -> Any:  # noqa: ANN401
    value = getattr(row, field.attname)
    if field.primary_key or field.is_relation or field.choices or field.name in KEPT:
        return None
    if isinstance(field, tables.JSONField) and value:
        return _told(value)
    if not isinstance(field, tables.CharField | tables.TextField):
        return None
    if field.name in ADDRESSES:
        return SCRIPT
    text = HOSTILE[len(field.name) % len(HOSTILE)]
    if field.unique or field.name == "serial":
        text = f"{str(row.pk)[:4]}{text}"
    most = field.max_length or 1000
    return text if len(text) <= most else SHORT if len(SHORT) <= most else None


def _told(value: Any, name: str = "") -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {key: _told(each, key) for key, each in value.items()}
    if isinstance(value, list):
        is_problem = len(value) == 3 and all(isinstance(each, str) for each in value)
        return [_told(each, "what" if is_problem else name) for each in value]
    return HOSTILE[0] if isinstance(value, str) and name in WORDS else value


def harm(seen: Seen) -> Iterator[str]:
    """Tell what hostile words became on a page, in its headers, or elsewhere."""
    if seen.status >= 500:
        yield f"{seen}: {seen.status} {why(seen.answer)}"
    if seen.is_page:
        # Our pages of errors have one style written on them, which their policy names.
        own = ["inline style"] if seen.status in (400, 403, 404, 413) else []
        found = page_rules.inline(seen.content)
        yield from (f"{seen}: {each}" for each in found if each not in own)
    if b"1234321" in seen.content:
        yield f"{seen}: a word was computed"
    title = re.search(rb"<title>.*?</title>", seen.content, re.S) if seen.is_page else None
    if title and NAME.encode() in title[0]:
        yield f"{seen}: a name in the title"
    target = urlsplit(seen.answer.headers.get("Location", "/"))
    if target.netloc or target.scheme or target.path.startswith(("//", "/\\")):
        yield f"{seen}: leads to {target.geturl()}"


def test_hostile_names_stay_words(world: World, said: io.StringIO) -> None:
    planted()
    browsers = {name: browser(world.people[name]) for name in CALLERS}
    wrong, showing = [], set()
    for route, row in GETS.items():
        for caller in (each for each in CALLERS if expected(row, each) == row.good):
            with undone():
                seen = ask(browsers[caller], caller, route, row, world.arles)
            wrong += [
                *harm(seen),
                *([f"{seen}: a name in a header"] if NAME in seen.headers else []),
            ]
            if b"&lt;script&gt;alert" in seen.content or b"onerror=alert" in seen.content:
                showing.add(route)
    assert sorted(set(wrong)) == []
    assert len(showing) > len(GETS) // 4  # they are shown, as words
    logged = [word for word in (NAME, "alert(1)", "CANARI") if word in said.getvalue()]
    assert logged == []


def test_hostile_questions_are_answered_as_words(world: World, said: io.StringIO) -> None:
    """Every parameter that a page knows of, and those of redirections, with hostile values."""
    wrong = []
    for route, row in GETS.items():
        caller = first(row)
        client, where = browser(world.people[caller]), place(route, world.arles)
        usual = client.get(where + str(filled(row.query, world.arles)))
        content = b"" if usual.streaming else usual.content
        asked = {"next", "back", "retour", "suite", *parameters(content)}
        for text in (f"{NAME}{HOSTILE[0]}", "9" * 20):
            with undone():
                answer = client.get(where, dict.fromkeys(sorted(asked), text))
            content = answer.getvalue() if answer.streaming else answer.content
            headers = str(answer.headers) + answer.cookies.output()
            told = f"{route} ?{text[:12]!r}"
            seen = Seen(told, caller, row, answer.status_code, headers, content, answer)
            wrong += harm(seen)
    assert wrong == []
    assert NAME not in said.getvalue()


def parameters(content: bytes) -> set[str]:
    """Give the names of what a page can be asked, by its fields and its links."""
    found = re.findall(rb'name="([a-z][\w-]*)"', content)
    found += re.findall(rb"[?&;]([a-z][\w-]*)=", content)
    return {each.decode() for each in found} - {"csrfmiddlewaretoken", "viewport"}


def test_hostile_forms_are_given_back_as_words(world: World, said: io.StringIO) -> None:
    wrong = []
    for route, row in POSTS.items():
        caller = first(row)
        client = browser(world.people[caller])
        for text in (f"{NAME}{HOSTILE[0]}", "9" * 20):
            body = dict.fromkeys(("next", "back", "retour", *row.body), text)
            files = {name: given(name, text) for name in row.files}
            with undone():
                answer = client.post(place(route, world.arles), {**body, **files})
            content = answer.getvalue() if answer.streaming else answer.content
            told, headers = f"{route} {text[:12]!r}", str(answer.headers)
            wrong += harm(Seen(told, caller, row, answer.status_code, headers, content, answer))
    assert wrong == []
    assert NAME not in said.getvalue()


@pytest.mark.parametrize("target", ELSEWHERE)
def test_nobody_is_led_elsewhere_after_signing_in(world: World, target: str) -> None:
    form = {"username": "office", "password": PASSWORD, "next": target}
    client = browser()
    page = client.get("/connexion", {"next": target})
    assert list(page_rules.inline(page.content)) == []
    answer = client.post("/connexion", form)
    assert (answer.status_code, urlsplit(answer["Location"]).netloc) == (302, "")
    assert answer["Location"] in ("/", "/compte")
    signed_in = client.get("/connexion", {"next": target})
    assert signed_in["Location"] in ("/", "/compte")


def test_the_door_of_htmx_leads_back_to_ours_alone(world: World) -> None:
    for target in (*ELSEWHERE, "http://evil.example/x"):
        page = {"HX-Request": "true", "HX-Current-URL": target}
        answer = browser().get("/", headers={**page, "Referer": target})
        assert answer["HX-Redirect"].startswith("/connexion?next=/")
        assert "evil" not in answer["HX-Redirect"]
        sent = browser().post("/tableau/", headers={"Referer": target})
        assert sent.status_code == 405 or sent["Location"] == "/connexion?next=/"


def test_a_session_that_was_set_by_somebody_else_is_not_taken(world: World) -> None:
    known, unknown = Client().session, "a" * 32
    known.create()
    for planted_id in (known.session_key, unknown):
        client = Client()
        client.cookies["sessionid"] = planted_id
        answer = client.post("/connexion", {"username": "office", "password": PASSWORD})
        cookie = answer.cookies["sessionid"]
        assert cookie.value not in ("", planted_id)
        assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
        stranger = Client()
        stranger.cookies["sessionid"] = planted_id
        assert stranger.get("/").headers["Location"].startswith("/connexion")
    token = Client().get("/connexion").cookies["csrftoken"]
    assert token["samesite"] == "Lax"


def test_what_is_too_large_is_refused_before_any_of_it_is_read(world: World) -> None:
    """A page that takes no file would have it written to disk, from anybody, to find the token."""
    stranger = browser(enforce_csrf_checks=True)
    school = browser(world.people["arles"], enforce_csrf_checks=True)
    for client, where in ((stranger, "/connexion"), (school, place("POST handover", world.arles))):
        form = {"CONTENT_TYPE": "multipart/form-data; boundary=x", "CONTENT_LENGTH": str(3 << 20)}
        answer = client.generic("POST", where, **form)
        assert (answer.status_code, page_rules.headers_missing(answer.headers)) == (413, [])
        assert "Rien n’a été enregistré" in answer.content.decode()


def test_a_null_character_is_nowhere(world: World) -> None:
    client = browser(world.people["office"])
    for where in ("/etablissements/0130001A%00/", "/etablissements/?q=%00", "/connexion?next=%00"):
        assert client.get(where).status_code == 400
    sent = client.post(place("POST mail-take", world.arles), {"school": "\0"})
    assert sent.status_code == 400


def test_as_many_are_ticked_as_a_school_has(world: World) -> None:
    client, where = browser(world.people["arles"]), place("POST new-job", world.arles)
    draft = client.post(where, {"choix": "petite-charte/entier"})["Location"]
    ticked = {"qui": "people", "personne": [world.arles["person"], *range(10**6, 10**6 + 3000)]}
    assert client.post(draft, {**ticked, "agir": "suite"}).status_code == 302
