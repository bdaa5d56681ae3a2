"""Accounts of people: opened without a password, signed in to, locked for a while, closed.

Nobody but its owner knows a password: who opens an account hands over a link, good for three days
and for once, where the owner chooses it. Events tell of accounts by number, never by a name.
"""

import ipaddress
import logging
from collections.abc import Mapping
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.tokens import default_token_generator
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from docgen.backoffice.events import tell
from docgen.backoffice.models import PrintShop, Role, School, User
from docgen.errors import InvalidInput, Problem

logger = logging.getLogger(__name__)
# Our pages load our own files, and nothing else; forms lead here, or to the provider.
_PROVIDER = urlsplit(settings.OIDC_ISSUER)
_DOOR = f" {_PROVIDER.scheme}://{_PROVIDER.netloc}" if _PROVIDER.netloc else ""
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    f"connect-src 'self'; form-action 'self'{_DOOR}; base-uri 'none'; frame-ancestors 'none'"
)


def open_account(login: str, role: str, by: str, *, uai: str = "", shop: str = "") -> User:
    """Open an account that has no password yet.

    Raises:
        InvalidInput: with all that is wrong.
    """
    school = School.objects.filter(pk=uai).first()
    printer = PrintShop.objects.filter(name=shop).first()
    if problems := [*_login_problems(login), *_role_problems(role, school, printer)]:
        raise InvalidInput(problems)
    user = User(username=login, role=role)
    user.school = school if role == Role.SCHOOL else None
    user.shop = printer if role == Role.PRINT_SHOP else None
    user.set_unusable_password()
    with transaction.atomic():
        user.save()
        tell("account-opened", str(user), school=user.school_id or "", actor=by, role=role)
    return user


def _login_problems(login: str) -> list[Problem]:
    try:
        UnicodeUsernameValidator()(login)
        User._meta.get_field("username").run_validators(login)
    except ValidationError:
        what = "l’identifiant a 150 caractères au plus\u00a0: lettres, chiffres et @ . + - _"
        return [Problem(what, "identifiant", "Choisissez-en un autre.")]
    if User.objects.filter(username__iexact=login).exists():
        what = "cet identifiant est déjà celui d’un compte."
        return [Problem(what, "identifiant", "Choisissez-en un autre.")]
    return []


def _role_problems(role: str, school: School | None, shop: PrintShop | None) -> list[Problem]:
    if role not in Role.values:
        return [Problem("ce rôle n’existe pas.", "rôle", f"Rôles\u00a0: {', '.join(Role.values)}.")]
    if role == Role.SCHOOL and school is None:
        remedy = "Donnez l’UAI d’un établissement déjà connu."
        return [Problem("il manque l’établissement de ce compte.", "UAI", remedy)]
    if role == Role.PRINT_SHOP and shop is None:
        remedy = "Donnez le nom d’un imprimeur déjà connu."
        return [Problem("il manque l’imprimeur de ce compte.", "imprimeur", remedy)]
    return []


def invitation(user: User, by: str) -> str:
    """Make the address where the owner of an account chooses a password, once, in three days."""
    number = urlsafe_base64_encode(force_bytes(user.pk))
    token = default_token_generator.make_token(user)
    tell("account-invited", str(user), school=user.school_id or "", actor=by)
    return settings.PUBLIC_URL + reverse("invitation", args=(number, token))


def close(user: User, by: str) -> None:
    """Close an account: its sessions end, and it cannot begin another."""
    user.is_active = False
    with transaction.atomic():
        end_sessions(user)
        tell("account-closed", str(user), school=user.school_id or "", actor=by)


def reopen(user: User, by: str) -> None:
    """Open an account again; its owner chooses a password by a new invitation."""
    with transaction.atomic():
        if User.objects.filter(pk=user.pk, is_active=False).update(is_active=True):
            tell("account-reopened", str(user), school=user.school_id or "", actor=by)


def end_sessions(user: User) -> None:
    """End every session of an account: they hold a digest of its password, which is thrown away."""
    user.set_unusable_password()
    user.save()


def enter(request: HttpRequest, user: User, way: str) -> None:
    """Begin a session, new in every part: nothing of the one before remains."""
    request.session.flush()
    with transaction.atomic():
        login(request, user)
        tell("signed-in", str(user), school=_school(user), actor=str(user), way=way)


def leave(request: HttpRequest) -> None:
    """End a session."""
    user = request.user
    logout(request)
    if user.is_authenticated:
        tell("signed-out", str(user), school=_school(user), actor=str(user))


def _school(user: object) -> str:
    return getattr(user, "school_id", "") or ""


def typed(request: HttpRequest, credentials: Mapping[str, str] | None = None) -> str | None:
    """Give a digest of the name that was typed: people type passwords there, too."""
    name = (credentials or request.POST).get("username")
    return None if name is None else salted_hmac("docgen.typed", name).hexdigest()


def client_address(request: HttpRequest) -> str | None:
    """Give the address that somebody calls from: behind our proxy, the one that it saw."""
    seen = request.META.get("REMOTE_ADDR") or None
    if settings.IS_HTTPS:
        seen = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip() or seen
    try:
        return str(ipaddress.ip_address(seen)) if seen else None
    except ValueError:
        return None


def locked(
    request: HttpRequest, response: HttpResponse, credentials: Mapping[str, str] | None
) -> HttpResponse:
    """Answer who failed too often, and tell it once: when the lock falls."""
    seconds = int(settings.AXES_COOLOFF_TIME * 3600)
    if failures := getattr(request, "axes_failures_since_start", None):
        name = (credentials or {}).get("username", "")
        user = User.objects.filter(username=name).first()
        subject = str(user) if user else "user:unknown"
        tell("sign-in-locked", subject, school=_school(user), actor="docgen", failures=failures)
        logger.warning("sign-in locked", extra={"subject": subject, "failures": failures})
    page = render(request, "accounts/locked.html", {"minutes": seconds // 60}, status=429)
    page["Retry-After"], page["Content-Security-Policy"] = str(seconds), POLICY
    return page
