"""Accounts: the door, the lock, passwords, sessions, and what is not told of anybody."""

import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.auth.password_validation import validate_password
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client, override_settings

from docgen.backoffice import accounts, models
from docgen.backoffice.passwords import bits
from docgen.errors import InvalidInput
from tests.service import town

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "Un mot de passe du lycée 12"  # noqa: S105 - made up
CANARY = "Zéphyrine-Quatrepoint"
OTHER = "Un autre mot de passe, 34 !"
pytestmark = pytest.mark.django_db


@pytest.fixture
def user() -> models.User:
    """Give a school's account with a password."""
    made = accounts.open_account("proviseur", "school", "test", uai=town.school().uai)
    made.set_password(PASSWORD)
    made.save()
    return made


def sign_in(browser: Client, password: str = PASSWORD, **values: str) -> object:
    return browser.post("/connexion", {"username": "proviseur", "password": password, **values})


def kinds() -> list[str]:
    return list(models.Event.objects.order_by("pk").values_list("kind", flat=True))


def words(response: object) -> str:
    """Give a page without what changes at each request."""
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())


def test_a_session_begins_anew_and_ends(user: models.User, client: Client) -> None:
    before = client.session
    before["left"] = "of somebody before"
    before.save()
    client.cookies["sessionid"] = before.session_key
    response = sign_in(client)
    assert (response.status_code, response.url) == (302, "/")
    cookie = response.cookies["sessionid"]
    assert cookie.value != before.session_key
    assert (cookie["httponly"], cookie["samesite"], cookie["max-age"]) == (True, "Lax", "")
    assert not Session.objects.filter(session_key=before.session_key).exists()
    assert "left" not in client.session
    assert 8 * 3600 - 60 < client.session.get_expiry_age() <= 8 * 3600
    assert "Établissement" in client.get("/compte").content.decode()
    client.post("/deconnexion")
    assert client.get("/compte").status_code == 302
    assert not Session.objects.filter(session_key=cookie.value).exists()
    assert kinds()[-2:] == ["signed-in", "signed-out"]
    told = models.Event.objects.get(kind="signed-in")
    assert (told.subject, told.school) == (f"user:{user.pk}", user.school_id)


@pytest.mark.parametrize(("https", "is_secure"), [("1", True), ("", False)])
def test_cookies_are_secure_behind_https(tmp_path: Path, https: str, is_secure: bool) -> None:
    asked = (
        "from docgen.backoffice import settings as s\n"
        "print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS > 0)"
    )
    env = os.environ | {"DOCGEN_HTTPS": https, "DOCGEN_DATA": str(tmp_path)}
    command = [sys.executable, "-c", asked]
    told = subprocess.run(command, env=env, cwd=ROOT, check=True, capture_output=True, text=True)
    assert told.stdout.split() == [str(is_secure)] * 3


def test_signing_in_or_out_asks_for_the_forms_token(user: models.User) -> None:
    browser = Client(enforce_csrf_checks=True)
    assert sign_in(browser).status_code == 403
    token = re.search('value="(.+?)"', browser.get("/connexion").content.decode())[1]
    assert sign_in(browser, csrfmiddlewaretoken=token).status_code == 302
    assert browser.post("/deconnexion").status_code == 403
    assert browser.get("/deconnexion").status_code == 405
    assert browser.get("/compte").status_code == 200


@pytest.mark.parametrize("target", ["https://elsewhere.example/", "//elsewhere.example", "/\\x"])
def test_one_is_not_sent_elsewhere(user: models.User, client: Client, target: str) -> None:
    assert sign_in(client, next=target).url == "/"


def test_an_unknown_account_and_a_wrong_password_are_answered_alike(
    user: models.User, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = accounts.open_account("ferme", "region", "test")
    accounts.close(closed, "test")
    hashed: list[str] = []
    encode = Argon2PasswordHasher.encode
    verify = Argon2PasswordHasher.verify
    monkeypatch.setattr(
        Argon2PasswordHasher, "encode", lambda *a, **k: hashed.append("") or encode(*a, **k)
    )
    monkeypatch.setattr(
        Argon2PasswordHasher, "verify", lambda *a, **k: hashed.append("") or verify(*a, **k)
    )
    answers = []
    for name in ("proviseur", "personne", "ferme"):
        hashed.clear()
        form = {"username": name, "password": "faux"}
        response = Client().post("/connexion", form)
        page = words(response).replace(name, "X")
        answers.append((response.status_code, page, len(hashed)))
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][2] == 1  # one hash each: the same time
    assert "Identifiant ou mot de passe incorrect" in answers[0][1]


def test_five_failures_lock_for_a_quarter_of_an_hour(user: models.User) -> None:
    browser = Client()
    answers = [sign_in(browser, "faux").status_code for _ in range(4)]
    assert answers == [200] * 4
    for password in ("faux", "faux", PASSWORD):
        locked = sign_in(browser, password)
        assert (locked.status_code, locked["Retry-After"]) == (429, "900")
        assert "15&nbsp;minutes" in locked.content.decode()
    assert kinds().count("sign-in-locked") == 1
    told = models.Event.objects.get(kind="sign-in-locked")
    assert (told.subject, told.facts) == (f"user:{user.pk}", {"failures": 5})
    assert sign_in(Client(REMOTE_ADDR="192.0.2.7")).status_code == 302  # from its usual place
    attempt = AccessAttempt.objects.get()
    attempt.attempt_time = attempt.attempt_time.replace(year=2020)
    attempt.save()
    assert sign_in(browser).status_code == 302


def test_an_unknown_name_locks_alike(user: models.User, client: Client) -> None:
    for _ in range(5):
        answer = client.post("/connexion", {"username": CANARY, "password": "faux"})
    assert answer.status_code == 429
    assert CANARY not in answer.content.decode()
    assert models.Event.objects.get(kind="sign-in-locked").subject == "user:unknown"


def test_nothing_typed_is_kept_or_logged(
    user: models.User, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for _ in range(6):
        client.post(f"/connexion?next=/{CANARY}", {"username": CANARY, "password": CANARY})
    sign_in(client)
    change = {"old_password": CANARY, "new_password1": CANARY, "new_password2": CANARY}
    client.post("/compte/mot-de-passe", change)
    kept = [*AccessAttempt.objects.values(), *models.Event.objects.values()]
    assert len(kept) > 4
    for row in kept:
        row.pop("get_data", None)  # an address of ours
        assert CANARY not in str(row)
        assert "proviseur" not in str(row)
    assert not AccessLog.objects.exists()
    ours = [record for record in caplog.records if record.name.startswith(("axes", "docgen"))]
    assert ours
    assert CANARY not in "\n".join(f"{record.getMessage()} {vars(record)}" for record in ours)


def test_behind_a_proxy_the_lock_is_for_whom_the_proxy_saw(user: models.User) -> None:
    with override_settings(IS_HTTPS=True):
        for forged in range(5):
            browser = Client(headers={"x-forwarded-for": f"198.51.100.{forged}, 192.0.2.1"})
            answer = sign_in(browser, "faux")
        assert answer.status_code == 429
        elsewhere = Client(headers={"x-forwarded-for": "192.0.2.1, 192.0.2.2"})
        assert sign_in(elsewhere).status_code == 302


def test_changing_a_password_ends_the_other_sessions(user: models.User) -> None:
    here, there = Client(), Client()
    sign_in(here), sign_in(there)
    form = {"old_password": PASSWORD, "new_password1": OTHER, "new_password2": OTHER}
    assert here.post("/compte/mot-de-passe", form).url == "/compte/modifie"
    assert "est changé" in here.get("/compte/modifie").content.decode()
    assert there.get("/compte").status_code == 302
    assert kinds()[-1] == "password-changed"
    assert sign_in(Client()).status_code == 200
    assert sign_in(Client(), OTHER).status_code == 302


def test_a_stolen_session_cannot_guess_the_password(user: models.User, client: Client) -> None:
    sign_in(client)
    form = {"old_password": "faux", "new_password1": OTHER, "new_password2": OTHER}
    answers = [client.post("/compte/mot-de-passe", form).status_code for _ in range(5)]
    assert answers == [200] * 4 + [429]
    form["old_password"] = PASSWORD
    assert client.post("/compte/mot-de-passe", form).status_code == 429


def test_errors_stand_by_their_fields(user: models.User, client: Client) -> None:
    sign_in(client)
    form = {"old_password": "faux", "new_password1": "court", "new_password2": "autre"}
    page = client.post("/compte/mot-de-passe", form).content.decode()
    for field in ("old_password", "new_password1", "new_password2"):
        (tag,) = re.findall(f'<input[^>]*name="{field}"[^>]*>', page)
        assert 'aria-invalid="true"' in tag
        assert f"id_{field}_error" in re.search('aria-describedby="(.+?)"', tag)[1]
        assert f'id="id_{field}_error"' in page
        assert f' for="id_{field}">' in page
    assert "<title>Erreur – " in page


@pytest.mark.parametrize(
    "weak",
    ["Court1!", "azertyuiop12", "motdepassefacile", "0" * 40, "a" * 40, "12345678901234567890", ""],
)
def test_a_weak_password_is_refused(weak: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(weak)


@pytest.mark.parametrize(
    "good", ["kX7!vQz#2mLp", "kX7rvQzb2mLpTd", "le cheval mange une pomme verte"]
)
def test_the_cnils_examples_are_accepted(good: str) -> None:
    """Twelve characters of four kinds, fourteen of three, a phrase."""
    validate_password(good)
    assert bits(good) >= 80


def test_a_password_like_its_owner_is_refused(user: models.User) -> None:
    with pytest.raises(ValidationError):
        validate_password("Proviseur-2026", user)


def test_an_account_opens_by_a_link_that_is_good_once(client: Client) -> None:
    user = accounts.open_account("gestion", "back_office", "test")
    link = accounts.invitation(user, "test").removeprefix("http://127.0.0.1:8000")
    page = client.get(link, follow=True)
    (form,) = page.redirect_chain
    assert form[0].endswith("/set-password")
    assert "<strong>gestion</strong>" in page.content.decode()
    passwords = {"new_password1": "court", "new_password2": "court"}
    assert "trop facile à deviner" in client.post(form[0], passwords).content.decode()
    passwords = {"new_password1": OTHER, "new_password2": OTHER}
    assert client.post(form[0], passwords).url == "/connexion"
    for browser in (client, Client()):
        assert "ne sert plus" in browser.get(link, follow=True).content.decode()
    answer = client.post("/connexion", {"username": "gestion", "password": OTHER})
    assert answer.status_code == 302
    assert kinds()[:3] == ["account-opened", "account-invited", "password-chosen"]


@pytest.mark.parametrize("change", [{"is_active": False}, {"subject": "0" * 64}])
def test_a_link_opens_no_account_that_is_closed_or_a_providers(
    user: models.User, client: Client, change: dict[str, object]
) -> None:
    link = accounts.invitation(user, "test").removeprefix("http://127.0.0.1:8000")
    models.User.objects.update(**change)
    assert "ne sert plus" in client.get(link, follow=True).content.decode()


def test_closing_an_account_ends_its_sessions(user: models.User, client: Client) -> None:
    sign_in(client)
    kept = client.cookies["sessionid"].value
    accounts.close(user, "test")
    assert client.get("/compte").status_code == 302
    assert sign_in(client).status_code == 200
    models.User.objects.update(is_active=True)  # opened again, it has a link to wait for
    client.cookies["sessionid"] = kept
    assert client.get("/compte").status_code == 302
    assert sign_in(client).status_code == 200


def test_an_account_without_its_bounds_is_refused_with_all_that_is_wrong(
    user: models.User,
) -> None:
    for values, count in (
        ({"login": "Proviseur", "role": "school", "uai": "0999999Z"}, 2),
        ({"login": "a b", "role": "king"}, 2),
        ({"login": "x" * 151, "role": "print_shop", "shop": "?"}, 2),
        ({"login": "", "role": "region"}, 1),
    ):
        with pytest.raises(InvalidInput) as refused:
            accounts.open_account(by="test", **values)
        assert len(refused.value.problems) == count
    assert models.User.objects.count() == 1


def test_the_command_opens_links_and_closes(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("account", "open", "region", "--role", "region")
    assert "/compte/invitation/" in capsys.readouterr().out
    call_command("account", "link", "region")
    assert "/compte/invitation/" in capsys.readouterr().out
    call_command("account", "close", "region")
    for arguments in (["link", "region"], ["link", "x"], ["open", "region", "--role", "region"]):
        with pytest.raises(CommandError):
            call_command("account", *arguments)


def test_the_way_in_leads_to_the_door(client: Client) -> None:
    assert client.get("/").url == "/connexion?next=/"
    assert client.get("/compte").url == "/connexion?next=/compte"


def test_pages_load_nothing_from_elsewhere(client: Client) -> None:
    for address in ("/connexion", "/deconnexion/faite", "/compte/invitation/x/y"):
        response = client.get(address)
        assert response["Content-Security-Policy"] == accounts.POLICY
        assert "://" not in response.content.decode()
