"""OpenID Connect, against a real provider: two processes on loopback, a browser between them."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.contrib.auth import authenticate
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory, override_settings

from docgen.backoffice import models, oidc
from tests.service import oidc_town
from tests.service.oidc_town import CANARY, MAIL, PEOPLE, SPOILT, UAI, Browser, Place, free_port

WAYS = "token_endpoint_auth_methods_supported"
pytestmark = [pytest.mark.slow, pytest.mark.embedded]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Start both, once for all tests."""
    with oidc_town.started(tmp_path_factory.mktemp("oidc")) as both:
        yield both


@pytest.fixture
def browser(place: Place) -> Browser:
    """Give a browser of its own."""
    return Browser(place)


def accounts(place: Place) -> list[tuple[Any, ...]]:
    return place.rows("SELECT id, role, school_id, email, first_name FROM backoffice_user")


def test_what_is_asked_of_the_provider(place: Place, browser: Browser) -> None:
    asked = browser.see(f"{place.docgen}/connexion/fournisseur").headers["Location"]
    assert asked.startswith(f"{place.provider}/authorize/?")
    query = {name: value for name, (value,) in parse_qs(urlsplit(asked).query).items()}
    assert query["response_type"] == "code"
    assert query["code_challenge_method"] == "S256"
    assert all(len(query[name]) >= 32 for name in ("state", "nonce", "code_challenge"))
    again = browser.see(f"{place.docgen}/connexion/fournisseur").headers["Location"]
    other = {name: value for name, (value,) in parse_qs(urlsplit(again).query).items()}
    assert all(query[name] != other[name] for name in ("state", "nonce", "code_challenge"))
    page = browser.see(f"{place.docgen}/connexion").text
    assert 'href="/connexion/fournisseur"' in page


def test_somebody_signs_in_and_out(place: Place, browser: Browser) -> None:
    back = browser.start("head", "?next=/compte/modifie")
    before = browser.cookies["sessionid"]
    answer = browser.see(back)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/compte/modifie")
    assert browser.cookies["sessionid"] != before
    page = browser.account()
    assert page.status_code == 200
    assert f"Lycée {UAI} ({UAI})" in page.text
    assert browser.see(f"{place.docgen}/compte/mot-de-passe").status_code == 404
    form = {"csrfmiddlewaretoken": page.text.split('csrfmiddlewaretoken" value="')[1][:64]}
    out = browser.post(f"{place.docgen}/deconnexion", form, allow_redirects=False, timeout=20)
    assert out.headers["Location"].startswith(f"{place.provider}/logout/?")
    asked = out.headers["Location"]  # the provider asks whether its session should end too
    assert browser.see(asked).status_code == 200
    answer = parse_qs(urlsplit(asked).query) | {"allow": ["yes"]}
    goodbye = browser.post(asked, answer, allow_redirects=False, timeout=20)
    assert goodbye.headers["Location"] == f"{place.docgen}/deconnexion/faite"
    assert browser.see(goodbye.headers["Location"]).status_code == 200
    assert browser.account().status_code == 302


def test_an_account_is_a_subject_not_an_address(place: Place) -> None:
    for name in ("head", "head", "namesake"):
        assert Browser(place).sign_in(name).status_code == 302
    kept = place.rows("SELECT subject, email, first_name, last_name, username FROM backoffice_user")
    subjects = {oidc.subject_of(place.provider, str(pk)) for pk in (1, 2)}
    assert [row[0] for row in kept if row[0] in subjects] == sorted(
        subjects, key=[r[0] for r in kept].index
    )
    assert CANARY not in str(kept)
    assert MAIL not in str(kept)


def test_rights_are_read_again_at_each_sign_in(place: Place, browser: Browser) -> None:
    browser.sign_in("moving")
    assert "établissement" in browser.account().text
    place.people(moving={"claims": {"role": "agent"}})
    other = Browser(place)
    other.sign_in("moving")
    for each in (browser, other):
        page = each.account().text
        assert "région" in page
        assert UAI not in page
    (facts,) = place.rows("SELECT facts FROM backoffice_event WHERE kind = 'rights-changed'")
    assert json.loads(facts[0]) == {"role": "region"}


def test_who_has_no_rights_any_more_is_out_everywhere(place: Place, browser: Browser) -> None:
    browser.sign_in("leaving")
    assert browser.account().status_code == 200
    place.people(leaving={"claims": {"role": "professeur"}})
    assert Browser(place).sign_in("leaving").status_code == 403
    assert browser.account().status_code == 302
    place.people()
    assert Browser(place).sign_in("leaving").status_code == 302


def test_a_closed_account_stays_closed(place: Place, browser: Browser) -> None:
    browser.sign_in("closing")
    subject = oidc.subject_of(place.provider, str(list(PEOPLE).index("closing") + 1))
    with sqlite3.connect(place.folder / "data" / "docgen.sqlite3") as base:
        base.execute("UPDATE backoffice_user SET is_active = 0 WHERE subject = ?", (subject,))
    assert browser.account().status_code == 302
    refused = Browser(place).sign_in("closing")
    assert (refused.status_code, "Votre compte est fermé" in refused.text) == (403, True)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        *((name, "pas de rôle") for name in ("norole", "tworoles", "claimless", "shop")),
        *((name, "pas connu de docgen") for name in ("elsewhere", "nowhere", "everywhere")),
    ],
)
def test_unknown_rights_are_refused_and_nothing_is_made(
    place: Place, browser: Browser, name: str, words: str
) -> None:
    before = accounts(place)
    refused = browser.sign_in(name)
    assert refused.status_code == 403
    assert words in refused.text
    assert accounts(place) == before
    assert browser.account().status_code == 302


def test_a_role_among_others_is_enough(browser: Browser) -> None:
    assert browser.sign_in("region").status_code == 302
    assert "région" in browser.account().text


@pytest.mark.parametrize("name", ["plain", "signed"])
def test_rights_may_be_told_by_userinfo_alone(browser: Browser, name: str) -> None:
    assert browser.sign_in(name).status_code == 302
    assert UAI in browser.account().text


@pytest.mark.parametrize("spoilt", [*SPOILT, "missigned"])
def test_a_spoilt_token_is_refused(place: Place, browser: Browser, spoilt: str) -> None:
    before = accounts(place)
    refused = browser.sign_in(spoilt)
    assert refused.status_code == 403
    assert "pas valable" in refused.text
    assert accounts(place) == before
    assert browser.account().status_code == 302


def changed(address: str, **values: str | None) -> str:
    query = {name: value for name, (value,) in parse_qs(urlsplit(address).query).items()} | values
    kept = {name: value for name, value in query.items() if value is not None}
    return f"{address.partition('?')[0]}?{urlencode(kept)}"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda back: changed(back, state="another"), 400),
        (lambda back: changed(back, state=None), 400),
        (lambda back: changed(back, code=None), 400),
        (lambda back: changed(back, code="another"), 403),
        (lambda back: changed(back, iss="https://another.example/o"), 403),
        (lambda back: changed(back, iss=None), 403),
        (lambda back: changed(back, code=None, error="access_denied"), 400),
    ],
    ids=("state", "no-state", "no-code", "code", "iss", "no-iss", "error"),
)
def test_a_spoilt_answer_is_refused(
    place: Place, browser: Browser, change: Callable[[str], str], status: int
) -> None:
    before = accounts(place)
    refused = browser.see(change(browser.start("head")))
    assert refused.status_code == status
    assert "Revenir à la connexion" in refused.text
    assert accounts(place) == before
    assert browser.account().status_code == 302


def test_an_answer_serves_once_and_in_its_own_browser(place: Place, browser: Browser) -> None:
    back = browser.start("head")
    stranger = Browser(place)
    assert stranger.see(back).status_code == 400
    assert browser.see(back).status_code == 302
    assert browser.see(back).status_code == 400
    # A used code, and a stolen one, under a state that is the stranger's own.
    stolen = browser.start("head")
    for answer in (back, stolen):
        mine = stranger.start("region")
        (code,) = parse_qs(urlsplit(answer).query)["code"]
        assert stranger.see(changed(mine, code=code)).status_code == 403
    assert stranger.account().status_code == 302


def test_one_is_not_sent_elsewhere(browser: Browser) -> None:
    answer = browser.sign_in("head", "?next=https://another.example/")
    assert answer.headers["Location"] == "/"


def test_refusals_do_not_lock_the_others_out(place: Place) -> None:
    for _ in range(6):
        Browser(place).sign_in("norole")
    assert Browser(place).sign_in("head").status_code == 302


def test_logs_and_events_name_nobody(place: Place) -> None:
    assert Browser(place).sign_in("head").status_code == 302
    assert Browser(place).sign_in("norole").status_code == 403
    log = (place.folder / "log").read_text("utf-8", "replace")
    events = str(place.rows("SELECT * FROM backoffice_event"))
    assert "signed-in" in events
    assert "sign-in refused" in log
    for told in (log, events):
        assert CANARY not in told
        assert MAIL not in told
        assert "quatrepoint" not in told.lower()
    codes = [line for line in log.splitlines() if "code=" in line and '"level"' in line]
    assert codes == []


def test_a_provider_that_is_down_is_said_to_be() -> None:
    cache.clear()
    with (
        override_settings(OIDC_ISSUER=f"http://127.0.0.1:{free_port()}", OIDC_TIMEOUT=2),
        pytest.raises(oidc.Refused, match="provider"),
    ):
        oidc.discovered()
    page = oidc.refusal(RequestFactory().get("/"), "provider")
    assert (page.status_code, "ne répond pas" in page.content.decode()) == (503, True)


def test_a_provider_under_another_name_is_not_ours(place: Place) -> None:
    cache.clear()
    with (
        override_settings(OIDC_ISSUER=place.provider.replace("127.0.0.1", "localhost")),
        pytest.raises(oidc.Refused, match="provider"),
    ):
        oidc.discovered()


@pytest.mark.parametrize(
    ("ways", "is_basic"),
    [
        ({}, True),
        ({"token_endpoint_auth_methods_supported": ["client_secret_basic"]}, True),
        (
            {"token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_post"]},
            False,
        ),
    ],
)
def test_our_secret_is_given_as_the_provider_takes_it(ways: dict[str, Any], is_basic: bool) -> None:
    cache.set(oidc.DISCOVERY, {"issuer": "x"} | ways)
    assert oidc.setting("OIDC_TOKEN_USE_BASIC_AUTH") is is_basic
    cache.clear()


@pytest.mark.django_db
@override_settings(AUTHENTICATION_BACKENDS=[oidc.BACKEND], AXES_ENABLED=False)
def test_a_password_never_goes_to_the_provider() -> None:
    """A form with a code in its address is a form."""
    request = RequestFactory().post("/connexion?code=x&state=y")
    assert authenticate(request, username="x", password="y") is None  # noqa: S106


@pytest.mark.parametrize(
    "wrong",
    [
        {"OIDC_ISSUER": "http://provider.example"},
        {"OIDC_ISSUER": "https://provider.example", "OIDC_ROLES": {"chef": "king"}},
        {"OIDC_ISSUER": "https://provider.example", "OIDC_ROLES": {"chef": "print_shop"}},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with override_settings(**wrong), pytest.raises(ImproperlyConfigured):
        oidc.is_set()


def test_without_settings_there_is_no_provider() -> None:
    assert not oidc.is_set()
    assert models.Role.PRINT_SHOP not in oidc.ROLES
