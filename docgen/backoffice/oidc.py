"""Sign-in with OpenID Connect: who somebody is, and what they may see, told by a provider we chose.

mozilla-django-oidc carries the flow (state, nonce, PKCE, code against tokens). What decides is
here: what a token must say to be believed, whose account it opens, and the rights that its claims
give, read again at each sign-in. Nobody is known by an e-mail address.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt
import requests
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.utils import import_from_settings
from mozilla_django_oidc.views import (
    OIDCAuthenticationCallbackView,
    OIDCAuthenticationRequestView,
)

from docgen.backoffice import accounts, gate
from docgen.backoffice.events import tell
from docgen.backoffice.models import Role, School, User
from docgen.identifiers import normalise

logger = logging.getLogger(__name__)
BACKEND = "docgen.backoffice.oidc.ProviderBackend"
ROLES = {Role.BACK_OFFICE, Role.SCHOOL, Role.REGION}  # print shops have no provider
ENDPOINTS = {
    "OIDC_OP_AUTHORIZATION_ENDPOINT": "authorization_endpoint",
    "OIDC_OP_TOKEN_ENDPOINT": "token_endpoint",
    "OIDC_OP_JWKS_ENDPOINT": "jwks_uri",
    "OIDC_OP_USER_ENDPOINT": "userinfo_endpoint",
}
LEEWAY = 30  # seconds between two clocks
DISCOVERY = "oidc-provider"
REFUSALS = {
    "provider": (
        503,
        "Le service d’identification ne répond pas",
        "Réessayez dans quelques minutes.",
    ),
    "request": (
        400,
        "Cette connexion n’a pas abouti",
        "Elle a expiré, a déjà servi ou n’a pas commencé ici\u00a0: recommencez-la.",
    ),
    "token": (
        403,
        "La réponse du service d’identification n’est pas valable",
        "Recommencez\u00a0; si cela se répète, prévenez le gestionnaire de docgen.",
    ),
    "role": (
        403,
        "Votre compte n’a pas de rôle dans docgen",
        "Demandez au gestionnaire de docgen lequel il vous faut\u00a0: rien n’a été créé.",
    ),
    "uai": (
        403,
        "Votre établissement n’est pas connu de docgen",
        "Votre compte doit porter l’UAI d’un seul établissement déjà connu\u00a0: "
        "rien n’a été créé. Voyez le gestionnaire de docgen.",
    ),
    "closed": (403, "Votre compte est fermé", "Voyez le gestionnaire de docgen."),
}
View = Callable[[HttpRequest], HttpResponse]


class Refused(Exception):
    """A sign-in that is refused; the reason is one of `REFUSALS`."""


def is_set() -> bool:
    """Tell whether a provider is set.

    Raises:
        ImproperlyConfigured: when the settings would let anybody in between, or give unknown roles.
    """
    if not settings.OIDC_ISSUER:
        return False
    issuer = urlsplit(settings.OIDC_ISSUER)
    if issuer.scheme != "https" and issuer.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise ImproperlyConfigured("DOCGEN_OIDC_ISSUER : une adresse https:// est nécessaire.")
    if unknown := set(settings.OIDC_ROLES.values()) - ROLES:
        raise ImproperlyConfigured(f"DOCGEN_OIDC_ROLES : rôles inconnus, {sorted(unknown)}.")
    return True


def discovered() -> dict[str, Any]:
    """Give what the provider says of itself, asked again every hour."""
    return cache.get_or_set(DISCOVERY, _discover, 3600) or {}


def _discover() -> dict[str, Any]:
    address = settings.OIDC_ISSUER.rstrip("/") + "/.well-known/openid-configuration"
    try:
        answer = requests.get(address, timeout=settings.OIDC_TIMEOUT, allow_redirects=False)
        answer.raise_for_status()
        facts: dict[str, Any] = answer.json()
    except requests.RequestException as error:
        raise Refused("provider") from error
    if facts.get("issuer") != settings.OIDC_ISSUER:
        raise Refused("provider")
    return facts


def setting(name: str, *default: object) -> Any:  # noqa: ANN401 - as the library asks for them
    """Give a setting of the library; those of the provider come from the provider."""
    if name in ENDPOINTS:
        return discovered().get(ENDPOINTS[name])
    if name == "OIDC_TOKEN_USE_BASIC_AUTH":
        ways = discovered().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return "client_secret_post" not in ways
    return import_from_settings(name, *default)


class ProviderBackend(OIDCAuthenticationBackend):  # type: ignore[misc] # it has no types
    """Believes a token of our provider, for us, of now, and asked for here."""

    get_settings = staticmethod(setting)

    def __init__(self) -> None:
        self.UserModel = User  # the provider is asked for nothing before somebody signs in

    def authenticate(self, request: HttpRequest, *, nonce: str, code_verifier: str) -> User | None:
        """Turn a code into an account; passwords never come here.

        Raises:
            Refused: with the reason.
        """
        super().__init__()
        try:
            user: User | None = super().authenticate(
                request, nonce=nonce, code_verifier=code_verifier
            )
        except requests.HTTPError as error:
            is_down = error.response is not None and error.response.status_code >= 500
            raise Refused("provider" if is_down else "token") from None
        except requests.RequestException:
            raise Refused("provider") from None
        except (jwt.PyJWTError, SuspiciousOperation, LookupError, TypeError, ValueError):
            raise Refused("token") from None
        return user

    def get_token(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Give a code back for tokens."""
        tokens = super().get_token(payload)
        if not isinstance(tokens, dict):
            raise Refused("token")
        return tokens

    def verify_token(self, token: str, *, nonce: str | None = None) -> dict[str, Any]:
        """Check a token of the provider: an ID token when there is a nonce, else what it tells."""
        required = ["iss", "aud", "sub"] if nonce is None else ["iss", "aud", "sub", "exp", "iat"]
        claims: dict[str, Any] = jwt.decode(
            token,
            self.retrieve_matching_jwk(token),
            algorithms=[self.OIDC_RP_SIGN_ALGO],
            audience=self.OIDC_RP_CLIENT_ID,
            issuer=settings.OIDC_ISSUER,
            leeway=LEEWAY,
            options={"require": required},
        )
        if nonce is not None and claims.get("nonce") != nonce:
            raise Refused("token")
        others = claims["aud"] if isinstance(claims["aud"], list) else []
        if claims.get("azp", self.OIDC_RP_CLIENT_ID) != self.OIDC_RP_CLIENT_ID or len(others) > 1:
            raise Refused("token")
        return claims

    def get_or_create_user(self, access: str, token: str, payload: dict[str, Any]) -> User:
        """Give the account of a subject, with the rights that the provider tells now."""
        told = self.get_userinfo(access, token, payload) if self.OIDC_OP_USER_ENDPOINT else {}
        if not isinstance(told, dict) or told.get("sub", payload["sub"]) != payload["sub"]:
            raise Refused("token")
        subject = subject_of(settings.OIDC_ISSUER, payload["sub"])
        try:
            role, school = rights({**told, **payload})
        except Refused:
            _withdraw(subject)
            raise
        return _account(subject, role, school)

    def get_user(self, user_id: int) -> User | None:
        """Give the account of a session, unless it was closed."""
        return User.objects.filter(pk=user_id, is_active=True).first()


def subject_of(issuer: str, sub: str) -> str:
    """Give what we know somebody by."""
    return hashlib.sha256(f"{issuer} {sub}".encode()).hexdigest()


def rights(claims: Mapping[str, Any]) -> tuple[str, School | None]:
    """Read the role, and the school of a school's role, from claims.

    Raises:
        Refused: when there is none of them that we know, or more than one.
    """
    values = _values(claims.get(settings.OIDC_ROLE_CLAIM))
    roles = {settings.OIDC_ROLES[value] for value in values if value in settings.OIDC_ROLES}
    if len(roles) != 1:
        raise Refused("role")
    role = roles.pop()
    if role != Role.SCHOOL:
        return role, None
    uais = {normalise(value) for value in _values(claims.get(settings.OIDC_UAI_CLAIM))}
    schools = gate.visible(School, gate.SYSTEM).filter(pk__in=uais)[:2]
    if len(schools) != 1:
        raise Refused("uai")
    return role, schools[0]


def _values(claim: object) -> list[str]:
    listed = claim if isinstance(claim, list) else [claim]
    return [value for value in listed if isinstance(value, str)]


def _account(subject: str, role: str, school: School | None) -> User:
    with transaction.atomic():
        user, made = User.objects.select_for_update().get_or_create(
            subject=subject,
            defaults={
                "username": f"oidc-{subject[:32]}",
                "password": make_password(None),
                "role": role,
                "school": school,
            },
        )
        if not user.is_active:
            raise Refused("closed")
        uai = school.pk if school else ""
        if made:
            tell("account-opened", str(user), school=uai, role=role)
        elif (user.role, user.school_id, user.shop_id) != (role, uai or None, None):
            user.role, user.school, user.shop = role, school, None
            user.save(update_fields=("role", "school", "shop"))
            tell("rights-changed", str(user), school=uai, role=role)
    return user


def _withdraw(subject: str) -> None:
    """End the sessions of somebody who has no rights any more."""
    for user in User.objects.filter(subject=subject):
        with transaction.atomic():
            accounts.end_sessions(user)
            tell("rights-withdrawn", str(user), school=user.school_id or "")


def _refusing(view: View) -> View:
    """Show a refusal as a page."""

    @wraps(view)
    def shown(request: HttpRequest) -> HttpResponse:
        try:
            return view(request)
        except Refused as refused:
            return refusal(request, str(refused))

    return shown


def refusal(request: HttpRequest, reason: str) -> HttpResponse:
    """Give the page of a refusal."""
    status, title, remedy = REFUSALS[reason]
    logger.warning("sign-in refused", extra={"reason": reason})
    page = {"title": title, "remedy": remedy}
    return render(request, "accounts/refused.html", page, status=status)


class Start(OIDCAuthenticationRequestView):  # type: ignore[misc] # it has no types
    """The way to the provider."""

    get_settings = staticmethod(setting)


class Back(OIDCAuthenticationCallbackView):  # type: ignore[misc] # it has no types
    """The way back from it."""

    get_settings = staticmethod(setting)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Take an answer of our provider (RFC 9207) to a question that this session asked."""
        issuer = request.GET.get("iss")
        must_tell = discovered().get("authorization_response_iss_parameter_supported") is True
        if issuer != settings.OIDC_ISSUER and (must_tell or issuer is not None):
            raise Refused("token")
        if "error" in request.GET:
            raise Refused("request")
        try:
            response: HttpResponse = super().get(request)
        except SuspiciousOperation:
            raise Refused("request") from None
        return response

    def login_failure(self) -> HttpResponse:
        """Refuse: there was no question, or no code."""
        raise Refused("request")

    def login_success(self) -> HttpResponse:
        """Begin the session."""
        target = self.success_url
        accounts.enter(self.request, self.user, "provider")
        return HttpResponseRedirect(target)


start = _refusing(Start.as_view())
back = _refusing(Back.as_view())


def way_out(request: HttpRequest) -> str:
    """Give the address where the provider ends its own session; "" for who has a password here."""
    if request.session.get(BACKEND_SESSION_KEY) != BACKEND:
        return ""
    try:
        address = discovered().get("end_session_endpoint")
    except Refused:
        return ""
    home = request.build_absolute_uri(reverse("signed-out"))
    asked = {"client_id": settings.OIDC_RP_CLIENT_ID, "post_logout_redirect_uri": home}
    return f"{address}?{urlencode(asked)}" if address else ""
