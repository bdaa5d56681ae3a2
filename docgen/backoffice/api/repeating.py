"""Idempotency-Key on every POST of the API: a decorator that no route can forget."""

import hashlib
import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja.responses import NinjaJSONEncoder, Status

from docgen.backoffice import idempotency
from docgen.backoffice.api.access import Request
from docgen.backoffice.api.problems import Refused
from docgen.errors import Problem

HEADER = "Idempotency-Key"
SHAPE = re.compile(r"[\x21-\x7e]{1,255}")
View = Callable[..., Any]


def same_twice(view: View) -> View:
    """Mark a POST that does the same thing once or twice: only its answer is kept with its key."""
    view.is_same_twice = True  # type: ignore[attr-defined]
    return view


def repeatable(view: View) -> View:
    """Answer a POST as it was answered before, when its key and its content are the same."""

    @wraps(view)
    def answered(request: Request, *args: object, **values: object) -> object:
        key = request.headers.get(HEADER)
        if request.method != "POST" or key is None:
            return view(request, *args, **values)
        if not SHAPE.fullmatch(key):
            what = "cette clé doit compter 1 à 255 caractères visibles, sans accent."
            raise Refused("invalid-request", Problem(what, HEADER))

        def act() -> idempotency.Answer:
            return _written(view(request, *args, **values))

        once = idempotency.once
        if getattr(view, "is_same_twice", False):
            once = idempotency.answered_once
        try:
            status, answer = once(request.auth.label, key, digest(request), act)
        except idempotency.KeyReused as error:
            what = "cette clé a déjà servi à une autre demande."
            remedy = "Prenez une clé neuve pour chaque nouvelle demande."
            raise Refused("idempotency-conflict", Problem(what, HEADER, remedy)) from error
        # As it was written then, to the byte: a database may keep an object in another order.
        return HttpResponse(answer, status=status, content_type="application/json; charset=utf-8")

    return answered


def digest(request: HttpRequest) -> str:
    """Give the SHA-256 of all that a request asks: where, what, and its files."""
    made = hashlib.sha256()

    def add(*parts: str | bytes) -> None:
        for part in parts:
            content = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
            made.update(str(len(content)).encode() + b":" + content)

    add(request.path, request.META.get("QUERY_STRING", ""))
    if request.content_type != "multipart/form-data":
        add(request.body)
        return made.hexdigest()
    for name, values in sorted(request.POST.lists()):
        add(name, *map(str, values))
    for name, files in sorted(request.FILES.lists()):
        for file in files:
            file.seek(0)
            add(name, file.name or "", hashlib.file_digest(file, "sha256").digest())
            file.seek(0)
    return made.hexdigest()


def _written(result: object) -> idempotency.Answer:
    """Give what a view answers as the text that is sent and kept."""
    if isinstance(result, HttpResponseBase):
        raise TypeError("a POST answers with data, so that its answer can be repeated")
    status, value = (
        (result.status_code, result.value) if isinstance(result, Status) else (200, result)
    )
    return status, "" if value is None else json.dumps(value, cls=NinjaJSONEncoder)
