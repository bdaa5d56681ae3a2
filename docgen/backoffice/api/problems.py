"""Refusals as RFC 9457 problem details: a stable code for programs, French for people.

Nothing that was sent is sent back, and the text of an exception is never shown: it could hold a
name. What can be mended is told as docgen tells it everywhere: what, where, remedy.
"""

import logging
import traceback
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from django.core import exceptions
from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import RawPostDataException, UnreadablePostError
from ninja.errors import HttpError, Throttled, ValidationError

from docgen.backoffice import store
from docgen.errors import DocgenError, Problem, Unavailable

MEDIA_TYPE = "application/problem+json"
logger = logging.getLogger(__name__)
# code: status, title. A code never changes its meaning; programs may rely on it.
CODES: dict[str, tuple[int, str]] = {
    "malformed-request": (400, "Requête mal formée"),
    "unauthenticated": (401, "Identification nécessaire"),
    "token-refused": (401, "Jeton refusé"),
    "csrf-refused": (403, "Requête refusée"),
    "scope-missing": (403, "Droit absent du jeton"),
    "role-forbidden": (403, "Action fermée à ce rôle"),
    "link-refused": (403, "Lien refusé"),
    "not-found": (404, "Introuvable"),
    "method-not-allowed": (405, "Méthode refusée"),
    "conflict": (409, "Conflit"),
    "idempotency-conflict": (409, "Clé d’idempotence déjà employée"),
    "job-not-ready": (409, "Lot pas encore prêt"),
    "paper-not-ready": (409, "Document pas encore prêt"),
    "stage-conflict": (409, "Étape du lot incompatible"),
    "length-required": (411, "Taille à annoncer"),
    "too-large": (413, "Envoi trop volumineux"),
    "media-type": (415, "Type de contenu refusé"),
    "range-not-satisfiable": (416, "Intervalle impossible"),
    "invalid-request": (422, "Demande à corriger"),
    "too-many-requests": (429, "Trop de demandes"),
    "internal": (500, "Erreur interne"),
    "unavailable": (503, "Service momentanément indisponible"),
}
BY_STATUS = {status: code for code, (status, _) in reversed(CODES.items())}
WAIT = {"Retry-After": "5"}


class Refused(Exception):
    """A refusal that has its own code; `problems` say what is wrong and what to do."""

    def __init__(
        self, code: str, *problems: Problem, headers: Mapping[str, str] | None = None
    ) -> None:
        self.code = code
        self.problems = problems
        self.headers = dict(headers or {})
        super().__init__(code)


class Told(JsonResponse):
    """A refusal in our form: the guard leaves it as it is."""


def answer(
    code: str,
    problems: Iterable[Problem] = (),
    *,
    status: int = 0,
    headers: Mapping[str, str] | None = None,
) -> Told:
    """Make the answer that tells a refusal."""
    known, title = CODES.get(code, (422, "Demande à corriger"))
    told = [{"what": each.what, "where": each.where, "remedy": each.remedy} for each in problems]
    body = {
        "type": f"urn:docgen:problem:{code}",
        "title": title,
        "status": status or known,
        "code": code,
        "detail": told[0]["what"] if told else f"{title}.",
        "problems": told,
    }
    made = Told(body, status=status or known, json_dumps_params={"ensure_ascii": False})
    made["Content-Type"] = MEDIA_TYPE
    for name, value in (headers or {}).items():
        made[name] = value
    return made


def of_exception(request: HttpRequest, raised: Exception | type[Exception]) -> HttpResponse:
    """Tell any exception as a refusal; what nobody expected is logged by its place alone."""
    error = _unwrapped(raised if isinstance(raised, Exception) else raised())
    if isinstance(error, Refused):
        return answer(error.code, error.problems, headers=error.headers)
    if isinstance(error, DocgenError):
        known = CODES.get(error.code, (422, ""))[0]
        status = 503 if isinstance(error, Unavailable) else known
        return answer(error.code, error.problems, status=status)
    if isinstance(error, ValidationError):
        return answer("invalid-request", [_sentence(each) for each in error.errors])
    if isinstance(error, Throttled):
        return answer("too-many-requests", headers={"Retry-After": str(error.wait or 1)})
    if code := _expected(error):
        return answer(code, headers=WAIT if code == "unavailable" else None)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(frame.filename).name}:{frame.lineno}"
    logger.error("request failed", extra={"error": type(error).__name__, "place": place})
    return answer(
        "internal", [Problem("une erreur inattendue a eu lieu\u00a0; elle est consignée.")]
    )


def of_status(status: int) -> HttpResponse:
    """Tell a status that something else than the API gave: an unknown address, a method."""
    known = status if status in BY_STATUS else (500 if status >= HTTPStatus(500) else 400)
    return answer(BY_STATUS[known], status=status)


def _unwrapped(error: Exception) -> Exception:
    """Give our refusal back when the framework made its own of it, as it does for parsers."""
    cause = error.__cause__
    is_ours = isinstance(error, HttpError) and isinstance(cause, Refused | DocgenError)
    return cause if is_ours and isinstance(cause, Exception) else error


def _expected(error: Exception) -> str:
    """Give the code of an error that Django, the store or the database raise; '' for others."""
    if isinstance(error, HttpError):
        return BY_STATUS.get(error.status_code, "malformed-request")
    if isinstance(error, Http404 | exceptions.ObjectDoesNotExist):
        return "not-found"
    if isinstance(error, exceptions.RequestDataTooBig | exceptions.TooManyFilesSent):
        return "too-large"
    if isinstance(
        error,
        MultiPartParserError
        | UnreadablePostError
        | RawPostDataException
        | exceptions.BadRequest
        | exceptions.SuspiciousOperation,
    ):
        return "malformed-request"
    if isinstance(error, OperationalError | InterfaceError):
        return "unavailable"
    if isinstance(error, store.FAULTS) and not isinstance(error, DatabaseError):
        return "unavailable"
    return ""


# pydantic's own words are English and may repeat what was sent: these are the ones for people.
SENTENCES = {
    "missing": "ce champ manque.",
    "extra_forbidden": "ce champ n’existe pas.",
    "string_too_short": "ce texte est trop court.",
    "string_too_long": "ce texte est trop long.",
    "string_pattern_mismatch": "ce texte n’a pas la forme attendue.",
    "string_type": "un texte est attendu.",
    "int_type": "un nombre entier est attendu.",
    "int_parsing": "un nombre entier est attendu.",
    "int_from_float": "un nombre entier est attendu.",
    "bool_type": "true ou false est attendu.",
    "bool_parsing": "true ou false est attendu.",
    "list_type": "une liste est attendue.",
    "too_long": "cette liste est trop longue.",
    "too_short": "cette liste est trop courte.",
    "dict_type": "un objet JSON est attendu.",
    "model_attributes_type": "un objet JSON est attendu.",
    "model_type": "un objet JSON est attendu.",
    "greater_than_equal": "cette valeur est trop petite.",
    "less_than_equal": "cette valeur est trop grande.",
    "literal_error": "cette valeur n’est pas de celles qui existent.",
    "enum": "cette valeur n’est pas de celles qui existent.",
}
DATE_TYPES = ("date_", "datetime_")


def _sentence(error: dict[str, Any]) -> Problem:
    kind = str(error["type"])
    what = SENTENCES.get(kind, "cette valeur n’est pas acceptée.")
    if kind.startswith(DATE_TYPES):
        what = "une date est attendue (aaaa-mm-jj)."
    if kind.startswith("uuid_"):
        what = "cet identifiant n’a pas la forme attendue."
    remedy = "Voyez /api/v1/openapi.json."
    context = error.get("ctx", {})
    if isinstance(context, dict) and (expected := context.get("expected")):
        remedy = f"Valeurs possibles : {expected}."
    # The names of unknown fields are what somebody typed: only ours are told.
    path = [str(part) for part in error["loc"] if part not in ("body", "query", "path", "form")]
    where = ".".join(path[:-1] if kind == "extra_forbidden" else path)
    return Problem(what, where, remedy)
