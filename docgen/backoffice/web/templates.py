"""Templates: what exists, its versions, fields, pictures with sample values, and check."""

import tomllib
from collections.abc import Sequence
from hashlib import sha256
from itertools import groupby
from threading import Lock
from typing import Any

from django.db.models import Count
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST, require_safe

from docgen import library, single
from docgen.backoffice import installing
from docgen.backoffice.models import PrintJob, TemplateVersion
from docgen.backoffice.web import pictures
from docgen.backoffice.web.frame import BACK_OFFICE, Asked, page, say, screen, seen, warn
from docgen.datafolder import data_folder
from docgen.errors import DocgenError
from docgen.files import keep, kept
from docgen.library import Template
from docgen.manifest import Layout
from docgen.pagecode import Key

SAMPLE = Key(1, b"a sample on a screen: its codes are nobody's")
SHOWN = 2  # pages of a layout that are drawn; a reader sees how it begins
KINDS = {
    "charter": "Chartes",
    "convention": "Conventions",
    "attestation": "Attestations",
    "notice": "Notices",
    "form": "Formulaires",
}
AUDIENCES = {"pupil": "élèves", "teacher": "professeurs"}
ENGINES = {
    "press": "imprimé par lots",
    "flow": "rempli un par un",
    "word": "document Word que chaque établissement adapte",
}
TYPES = {
    "text": "texte",
    "prose": "texte",
    "count": "nombre",
    "date": "date",
    "serial": "n° de série",
    "uai": "UAI",
    "postal_code": "code postal",
    "choice": "choix",
    "tick": "case à cocher",
    "rows": "liste",
}
_MAKING = Lock()  # a sample takes seconds to lay out: the pages of one are asked for together


@require_safe
@screen(BACK_OFFICE)
def templates(request: Asked) -> HttpResponse:
    """List the templates by what they are, with how often each was printed."""
    jobs = seen(PrintJob, request).order_by().values_list("template__slug")
    printed = dict(jobs.annotate(count=Count("pk")))
    manifests = [each.manifest for each in library.load_all()]
    order = list(KINDS)
    manifests.sort(key=lambda each: (order.index(each.kind), each.title))
    groups = [
        (KINDS[kind], [_told(each, printed.get(each.slug, 0)) for each in found])
        for kind, found in groupby(manifests, key=lambda each: each.kind)
    ]
    return page(request, "web/templates/templates.html", {"groups": groups})


def _told(manifest: Any, printed: int) -> dict[str, object]:  # noqa: ANN401
    return {
        "manifest": manifest,
        "audience": AUDIENCES[manifest.audience],
        "engine": ENGINES[manifest.engine],
        "printed": printed,
    }


@require_safe
@screen(BACK_OFFICE)
def template(request: Asked, slug: str) -> HttpResponse:
    """Show all of a template: fields, layouts, versions, and its last check."""
    found = _found(slug)
    manifest = found.manifest
    rows = seen(TemplateVersion, request).filter(slug=slug).defer("archive")
    versions = rows.annotate(count=Count("jobs")).order_by("-seen_at", "-pk")
    facts = {
        **_told(manifest, 0),
        "kind": KINDS[manifest.kind],
        "fields": [(each, TYPES[each.type]) for each in manifest.fields],
        "layouts": [(each, _shown(manifest.engine, each)) for each in manifest.layouts],
        "versions": versions,
        "checksum": found.checksum,
        "installed": installing.installed(slug),
        "report": installing.report(found),
        "has_pictures": manifest.engine != "word",
    }
    return page(request, "web/templates/template.html", facts)


def _shown(engine: str, layout: Layout) -> Sequence[int]:
    """Give the pages of a layout that are drawn; only its first is known of a free length."""
    return range(1, min(SHOWN, layout.sides) + 1) if engine == "press" else (1,)


def _found(slug: str) -> Template:
    if slug not in library.slugs():
        raise Http404
    return library.load(slug)


@require_safe
@screen(BACK_OFFICE)
def picture(request: Asked, slug: str) -> HttpResponse:
    """Draw a page of a layout with sample values; it costs once."""
    found = _found(slug)
    manifest = found.manifest
    name = request.GET.get("mise", manifest.layouts[0].name)
    number = request.GET.get("page", "1")
    if name not in {each.name for each in manifest.layouts} or manifest.engine == "word":
        raise Http404
    if number not in map(str, range(1, SHOWN + 1)):
        raise Http404
    facts = f"{found.checksum}\n{name}\n{number}\n{pictures.DPI}"
    place = data_folder() / "cache" / "pictures" / f"{sha256(facts.encode()).hexdigest()}.png"
    drawn = kept(place)
    if drawn is None:
        drawn = _drawn(found, name, int(number))
        keep(place, drawn)
    return HttpResponse(drawn, content_type="image/png")


def _drawn(found: Template, layout: str, number: int) -> bytes:
    """Draw a page of the sample.

    Raises:
        Http404: when the sample has no such page, or does not hold: the check says why.
    """
    try:
        with _MAKING:
            filled = _sample(found, layout)
    except (DocgenError, OSError, ValueError) as error:
        raise Http404 from error
    if number > filled.sides:
        raise Http404
    return pictures.png(filled.content, number - 1)


def _sample(found: Template, layout: str) -> single.Filled:
    values = tomllib.loads(found.text("sample.toml"))
    variant = found.manifest.variants[0].name
    cache = data_folder() / "cache"
    return single.fill(found, values, SAMPLE, cache, layout=layout, variant=variant)


@require_POST
@screen(BACK_OFFICE)
def check(request: Asked, slug: str) -> HttpResponseBase:
    """Prove a template again: every layout, every variant, the longest values."""
    found = _found(slug)
    if problems := installing.check(found):
        warn(request, f"Contrôle fait\u00a0: {len(problems)} point(s) ne tiennent pas.")
    else:
        say(request, "Contrôle fait\u00a0: tout tient.")
    return redirect("template", slug)


urls: list[URLPattern] = [
    path("modeles/", templates, name="templates"),
    path("modeles/<slug:slug>/", template, name="template"),
    path("modeles/<slug:slug>/page.png", picture, name="template-picture"),
    path("modeles/<slug:slug>/controle/", check, name="template-check"),
]
