"""Who asks, and what for: a token or a session becomes the gate's actor.

A route names its scope (`read:schools`, `write:print-jobs`): a token must hold it, and a role must
be one of those that may write that family. Which rows are seen is the gate's business alone.
"""

from typing import TypeVar

from django.conf import settings
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from ninja.security.base import AuthBase
from ninja.throttling import SimpleRateThrottle
from ninja.utils import check_csrf

from docgen.backoffice import gate, tokens
from docgen.backoffice.api.problems import Refused
from docgen.backoffice.gate import Actor
from docgen.backoffice.models import Role, User
from docgen.errors import Problem

FAMILIES = (
    *("schools", "rosters", "people", "devices", "cessions", "loans", "templates"),
    *("print-jobs", "releases", "counts", "attestations", "conventions", "hooks", "scans"),
    *("mails", "originals", "receptions"),
    "deliveries",
)
SCOPES = tuple(f"{verb}:{family}" for family in FAMILIES for verb in ("read", "write"))
# Who may write what; a family that is not here is written by the back office and by schools.
WRITERS = {
    "releases": {Role.BACK_OFFICE},
    "deliveries": {Role.BACK_OFFICE},
    "counts": {Role.BACK_OFFICE, Role.PRINT_SHOP},
    "hooks": set(Role),
    "mails": {Role.BACK_OFFICE},
    "receptions": {Role.BACK_OFFICE, Role.REGION},
}
USUAL_WRITERS = {Role.BACK_OFFICE, Role.SCHOOL}
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="docgen"'}
M = TypeVar("M", bound=Model)


class Request(HttpRequest):
    """A request whose sender is known: `auth` is the gate's actor."""

    auth: Actor


class Token(AuthBase):
    """A program's token, in the Authorization header."""

    openapi_type = "http"
    openapi_scheme = "bearer"

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def __call__(self, request: HttpRequest) -> Actor | None:
        """Give the actor of a token; None when there is none in the request."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        client = tokens.find(token.strip())
        if client is None:
            what = "ce jeton est inconnu, expiré ou révoqué."
            challenge = {"WWW-Authenticate": 'Bearer realm="docgen", error="invalid_token"'}
            problem = Problem(what, "Authorization", "Demandez-en un autre au gestionnaire.")
            raise Refused("token-refused", problem, headers=challenge)
        actor = gate.actor(client)
        if self.scope and self.scope not in actor.scopes:
            problem = Problem(
                f"ce jeton n’a pas le droit «\u00a0{self.scope}\u00a0».", "Authorization"
            )
            raise Refused("scope-missing", problem)
        return _allowed(actor, self.scope)


class Session(AuthBase):
    """A person's session, in the cookie; what changes anything needs the CSRF token."""

    openapi_type = "apiKey"
    openapi_in = "cookie"
    openapi_name = settings.SESSION_COOKIE_NAME

    def __init__(self, scope: str) -> None:
        super().__init__()
        self.scope = scope

    def __call__(self, request: HttpRequest) -> Actor | None:
        """Give the actor of a session; refuse when there is none either."""
        user = getattr(request, "user", None)
        if not isinstance(user, User):
            problem = Problem("cette adresse demande un jeton.", "Authorization")
            raise Refused("unauthenticated", problem, headers=CHALLENGE)
        if check_csrf(request):
            remedy = "Envoyez l’en-tête X-CSRFToken."
            raise Refused("csrf-refused", Problem("le jeton CSRF manque.", "X-CSRFToken", remedy))
        return _allowed(gate.actor(user), self.scope)


class Pace(SimpleRateThrottle):
    """How many requests a minute one actor may send to one server process."""

    def get_cache_key(self, request: HttpRequest) -> str | None:
        """Count by actor; who is not known was refused before."""
        actor = getattr(request, "auth", None)
        return f"pace:{actor.label}" if isinstance(actor, Actor) else None


def scope(name: str) -> list[AuthBase]:
    """Give what a route's `auth` is, for the scope of that name; "" asks only who it is.

    Raises:
        ValueError: for a scope that is not listed.
    """
    if name and name not in SCOPES:
        raise ValueError(name)
    return [Token(name), Session(name)]


def scopes_of(role: str) -> list[str]:
    """Give all the scopes that a role may use."""
    return [
        name
        for name in SCOPES
        for verb, _, family in (name.partition(":"),)
        if verb == "read" or role in WRITERS.get(family, USUAL_WRITERS)
    ]


def _allowed(actor: Actor, name: str) -> Actor:
    verb, _, family = name.partition(":")
    if verb == "write" and actor.role not in WRITERS.get(family, USUAL_WRITERS):
        raise Refused("role-forbidden", Problem("votre rôle ne permet pas cette action."))
    return actor


def seen(model: type[M], request: Request) -> QuerySet[M]:
    """Give the rows of a table that the sender sees: the start of every query of a request."""
    return gate.visible(model, request.auth)


def one(rows: QuerySet[M], **facts: object) -> M:
    """Give the one row that has these facts, among those that are seen.

    Raises:
        Refused: when there is none; whether it exists for somebody else is not told.
    """
    row = rows.filter(**facts).first()
    if row is None:
        raise Refused("not-found", Problem("rien ne porte cet identifiant.", "", ""))
    return row
