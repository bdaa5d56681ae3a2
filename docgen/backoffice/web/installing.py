"""A new version of a template: sent, its check shown, put in service, taken back."""

from pathlib import Path
from uuid import UUID

from django import forms
from django.core.exceptions import BadRequest
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from docgen import library
from docgen.backoffice import installing
from docgen.backoffice.templatezip import MOST_SENT
from docgen.backoffice.web.frame import BACK_OFFICE, Asked, page, say, screen
from docgen.backoffice.web.inputs import Form
from docgen.backoffice.web.uploads import bounded
from docgen.errors import InvalidInput

ENVELOPE = 64 * 2**10  # bytes of a form around its file


class SendForm(Form):
    """The .zip of a template."""

    file = forms.FileField(
        label="Fichier .zip du modèle",
        help_text=(
            f"Le dossier du modèle, compressé\u00a0: {MOST_SENT >> 20}\u00a0Mo au plus. "
            "Le contrôle prend jusqu’à une minute."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".zip,application/zip"}),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@screen(BACK_OFFICE)
@bounded(lambda: MOST_SENT + ENVELOPE)
def send(request: Asked) -> HttpResponseBase:
    """Take a template that somebody sends, and check it before it can serve."""
    is_sent = request.method == "POST"
    form = SendForm(request.POST, request.FILES) if is_sent else SendForm()
    if is_sent and form.is_valid():
        try:
            sent = Path(form.cleaned_data["file"].temporary_file_path())
            return redirect("template-trial", installing.receive(sent))
        except InvalidInput as error:
            return page(request, "web/templates/send.html", {"form": SendForm()}, problems=error)
    status = 422 if form.errors else 0
    return page(request, "web/templates/send.html", {"form": form}, status=status)


@require_safe
@screen(BACK_OFFICE)
def trial(request: Asked, trial: UUID) -> HttpResponse:
    """Show what the check of a template that was sent found, and offer to put it in service."""
    return _shown(request, trial)


def _shown(request: Asked, identifier: UUID, error: InvalidInput | None = None) -> HttpResponse:
    found = installing.trial(identifier)
    if found is None:
        raise Http404
    known = found.slug in library.slugs()
    facts = {
        "trial": found,
        "identifier": identifier,
        "report": found.told(),
        "serving": library.load(found.slug).manifest if known else None,
    }
    return page(request, "web/templates/trial.html", facts, problems=error)


@require_http_methods(["GET", "HEAD", "POST"])
@screen(BACK_OFFICE)
def install(request: Asked, trial: UUID) -> HttpResponseBase:
    """Put a template that was tried in service, once asked."""
    found = installing.trial(trial)
    if found is None:
        raise Http404
    if request.method == "POST":
        if request.POST.get("confirmed") != "yes":
            raise BadRequest
        before = next((v.name for v in installing.installed(found.slug) if v.is_serving), "")
        try:
            slug = installing.install(trial, request.who.label)
        except InvalidInput as error:
            return _shown(request, trial, error)
        undo = reverse("template-serve", args=(slug, before)) if before else ""
        say(
            request, "Nouvelle version en service\u00a0: les prochains lots l’emploient.", undo=undo
        )
        return redirect("template", slug)
    facts = {
        "title": "Mettre cette version en service\u202f?",
        "consequence": (
            "Tous les établissements l’emploieront dès leur prochain document. Les lots déjà "
            "demandés gardent la leur. Vous pourrez revenir à la version d’avant."
        ),
        "button": "Mettre en service",
        "back": reverse("template-trial", args=(trial,)),
    }
    return page(request, "web/parts/confirm.html", facts)


@require_POST
@screen(BACK_OFFICE)
def forget(request: Asked, trial: UUID) -> HttpResponseBase:
    """Drop a template that was sent."""
    installing.forget(trial)
    say(request, "Le modèle envoyé est abandonné\u00a0: rien n’a changé.")
    return redirect("templates")


@require_POST
@screen(BACK_OFFICE)
def serve(request: Asked, slug: str, version: str) -> HttpResponseBase:
    """Put another version of a template in service: a newer one, or the one before."""
    if slug not in library.slugs():
        raise Http404
    try:
        before = installing.serve(slug, version, request.who.label)
    except InvalidInput as error:
        raise Http404 from error
    undo = reverse("template-serve", args=(slug, before))
    say(request, "Version mise en service\u00a0: les prochains lots l’emploient.", undo=undo)
    return redirect("template", slug)


urls: list[URLPattern] = [
    path("nouveau-modele/", send, name="template-send"),
    path("nouveau-modele/<uuid:trial>/", trial, name="template-trial"),
    path("nouveau-modele/<uuid:trial>/installation/", install, name="template-install"),
    path("nouveau-modele/<uuid:trial>/abandon/", forget, name="template-forget"),
    path(
        "modeles/<slug:slug>/versions/<slug:version>/",
        serve,
        name="template-serve",
    ),
]
