"""A print job in four steps: document, people, options, preview. This is the first, and the door.

`jobpeople` and `joboptions` are the steps between, `jobpreview` the last; `counter` prints for one
person at once.
"""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from django.db.models import Count, Q
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from docgen import library, single
from docgen.backoffice.models import Person, School
from docgen.backoffice.web import counter, drafts, jobpeople, jobpreview, pictures
from docgen.backoffice.web.drafts import Draft
from docgen.backoffice.web.frame import (
    BACK_OFFICE,
    SCHOOL,
    Asked,
    page,
    school_screen,
    screen,
    seen,
    warn,
)
from docgen.backoffice.web.joboptions import options
from docgen.backoffice.web.lists import Listing
from docgen.datafolder import data_folder
from docgen.errors import Problem
from docgen.files import keep, kept
from docgen.manifest import Layout, Manifest
from docgen.pagecode import Key

SMALL = 27.0  # dots an inch of a layout: twice what it is shown at, a choice has twelve
SAMPLE = Key(1, b"a sample on a screen: its codes are nobody's")
Step = Callable[[Asked, School, Draft], HttpResponseBase]
STEPS: dict[str, Step] = {
    "personnes": jobpeople.people,
    "options": options,
    "apercu": jobpreview.preview,
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A layout that can be chosen, and the people it would be printed for."""

    value: str
    manifest: Manifest
    layout: Layout
    people: int
    is_chosen: bool

    @property
    def sheets(self) -> int:
        """How many sheets it takes for everybody, in the usual number of copies."""
        return self.people * self.layout.sheets * self.manifest.default_copies


@school_screen(BACK_OFFICE, SCHOOL)
def new_job(request: Asked, school: School) -> HttpResponseBase:
    """Go to the step that the address names; without a draft, to the first."""
    if request.GET.get("personne"):
        return counter.one_now(request, school)
    draft = drafts.found(request, school)
    step = request.GET.get("etape", "")
    if step in STEPS and draft is None:
        warn(
            request, "Cette préparation n’est plus gardée\u00a0: choisissez à nouveau le document."
        )
        return redirect("new-job", school.pk)
    if step in STEPS and draft:
        return STEPS[step](request, school, draft)
    return _document(request, school, draft)


def _document(request: Asked, school: School, draft: Draft | None) -> HttpResponseBase:
    """Choose the document and its layout."""
    given = request.POST.get("choix", "")
    chosen = given or (f"{draft.slug}/{draft.layout}" if draft else "")
    counts = seen(Person, request).filter(school=school, is_present=True)
    people = dict(counts.values_list("audience").annotate(count=Count("pk")).order_by())
    choices = [
        Choice(value, manifest, layout, people.get(manifest.audience, 0), value == chosen)
        for manifest in (each.manifest for each in drafts.offered())
        for layout in manifest.layouts
        if (value := f"{manifest.slug}/{layout.name}")
    ]
    known = {choice.value for choice in choices}
    problems: list[Problem] = []
    if request.method == "POST":
        if given in known:
            slug, layout = given.split("/")
            if draft and draft.slug == slug:
                draft.layout = layout
            else:
                draft = drafts.fresh(school, slug, layout)
            drafts.keep(request, draft)
            return redirect(draft.address("personnes"))
        what = "aucun document n’est choisi."
        problems.append(Problem(what, "Document", "Choisissez une des mises en page ci-dessous."))
    facts = {
        "school": school,
        "charters": [each for each in choices if each.manifest.kind == "charter"],
        "others": [each for each in choices if each.manifest.kind != "charter"],
        "audiences": people,
        "step": 1,
        "draft": draft,
    }
    return page(request, "web/newjob/document.html", facts, problems=problems)


@require_safe
@screen(BACK_OFFICE)
def choose_school(request: Asked) -> HttpResponse:
    """Choose the school to print for."""
    here = Count("people", filter=Q(people__is_present=True))
    rows = seen(School, request)
    sorts = {"nom": ("name",), "uai": ("uai",), "ville": ("city",)}
    label = "Nom, UAI ou ville"
    listing = Listing(request, rows, search=("name", "uai", "city"), sorts=sorts, label=label)
    pupils = seen(School, request).filter(pk__in=[each.pk for each in listing.rows])
    counts = dict(pupils.annotate(here=here).values_list("pk", "here"))
    offers = [(each, counts[each.pk]) for each in listing.rows]
    return page(request, "web/newjob/school.html", {"listing": listing, "offers": offers})


@require_safe
@screen(BACK_OFFICE, SCHOOL)
def layout_picture(request: Asked, slug: str) -> HttpResponse:
    """Show the first page of a layout with the sample values of its template."""
    template = drafts.template(slug)
    names = {each.name for each in template.manifest.layouts} if template else set()
    name = request.GET.get("mise", "")
    if template is None or name not in names:
        raise Http404
    digest = sha256(f"{template.checksum}\n{name}\n{SMALL}".encode()).hexdigest()
    place = data_folder() / "cache" / "pictures" / f"{digest}.png"
    picture = kept(place)
    if picture is None:
        picture = pictures.png(_sample(template, name), dpi=SMALL)
        keep(place, picture)
    return HttpResponse(picture, content_type="image/png")


def _sample(template: library.Template, layout: str) -> bytes:
    values = tomllib.loads(template.text("sample.toml"))
    variant = template.manifest.variants[0].name
    cache = data_folder() / "cache"
    return single.fill(template, values, SAMPLE, cache, layout=layout, variant=variant).content


urls: list[URLPattern] = [
    path("etablissements/<str:uai>/impressions/nouvelle/", new_job, name="new-job"),
    path("impressions/nouvelle/", choose_school, name="new-job-school"),
    path("impressions/modeles/<slug:slug>.png", layout_picture, name="layout-picture"),
    path(
        "etablissements/<str:uai>/impressions/page.png",
        jobpreview.picture,
        name="document-picture",
    ),
]
