"""What a person is shown when a page cannot be: plain, in French, without any value.

One page of text, no script, no picture, no other file: it must come out when nothing else does.
Programs that call the API are answered in their own words.
"""

import base64
import hashlib
import html

from django.http import HttpRequest, HttpResponse, JsonResponse

from docgen.backoffice.logs import request_id

API = "/api/"
STYLE = """
body { margin: 0 auto; max-width: 40rem; padding: 3rem 1rem;
font: 1.125rem/1.6 system-ui, sans-serif; color: #161616; background: #fff; }
h1 { font-size: 1.75rem; line-height: 1.3; }
a { color: #000091; }
p.number { color: #3a3a3a; font-size: 1rem; }
"""
# The one style that is written on a page: browsers are told its digest, and take no other.
_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
PAGE = """<!DOCTYPE html>
<html lang="fr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} – docgen</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{what}</p>
<p>{remedy}</p>
<p class="number">Erreur {status}. Numéro de la demande\u00a0: {number}</p>
<p><a href="/">Retour à l’accueil</a></p>
</main>
</body>
</html>
"""
# status: code of the API, title, what happened, what to do
TEXTS = {
    400: (
        "malformed-request",
        "Cette demande n’a pas été comprise",
        "Le navigateur a envoyé une demande incomplète ou mal formée. Rien n’a été fait.",
        "Revenez à la page précédente et recommencez.",
    ),
    403: (
        "forbidden",
        "Cette demande est refusée",
        "Votre compte n’a pas ce droit, ou la page est restée ouverte trop longtemps.",
        "Identifiez-vous de nouveau, puis recommencez.",
    ),
    404: (
        "not-found",
        "Cette page n’existe pas",
        "L’adresse est fausse, ou ce document n’est pas de ceux que vous pouvez voir.",
        "Vérifiez l’adresse, ou repartez de l’accueil.",
    ),
    500: (
        "internal",
        "Le service a rencontré une erreur",
        "Rien de ce que vous aviez enregistré n’est perdu. L’erreur est notée.",
        "Recommencez dans un moment\u00a0; si elle revient, signalez-la avec le numéro ci-dessous.",
    ),
}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400."""
    return _answer(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Answer 403."""
    return _answer(request, 403)


def no_token(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer 403 to a form without its token (CSRF)."""
    return _answer(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404; the address is not repeated, it could hold anything."""
    return _answer(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500."""
    return _answer(request, 500)


def _answer(request: HttpRequest, status: int) -> HttpResponse:
    code, title, what, remedy = TEXTS[status]
    if request.path.startswith(API):
        content = {"type": "about:blank", "title": title, "status": status, "code": code}
        problem = "application/problem+json"
        return JsonResponse({**content, "detail": what}, status=status, content_type=problem)
    texts = {"title": title, "what": what, "remedy": remedy, "number": request_id.get()}
    shown = {key: html.escape(text) for key, text in texts.items()}
    page = PAGE.format(**shown, status=status, style=STYLE)
    return HttpResponse(page, status=status, headers={"Content-Security-Policy": POLICY})
