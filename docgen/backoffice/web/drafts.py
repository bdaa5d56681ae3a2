"""Jobs that somebody prepares: kept in their session, step after step, until they are launched.

Nothing of it is in the addresses but the draft's own name, and nothing is made before the end.
"""

import hashlib
import secrets
from datetime import date
from typing import Literal

import msgspec
from django.urls import reverse
from django.utils import timezone

from docgen import library, press
from docgen.backoffice import ordering, prefilling, registers
from docgen.backoffice.models import Person, School
from docgen.backoffice.web.frame import Asked, seen
from docgen.records import Roster

KEY, MOST = "drafts", 5  # in a session; the oldest goes
STEPS = ("document", "personnes", "options", "apercu")
Whom = Literal["all", "classes", "people"]


class Draft(msgspec.Struct):
    """What was chosen so far; `people` are rows, `without` leaves out who cannot be printed."""

    token: str
    uai: str
    slug: str
    layout: str
    whom: Whom = "all"
    classes: list[str] = []
    people: list[int] = []
    on: date | None = None
    copies: int = 0
    separators: bool = False
    ordering: press.Ordering = "class"
    profile: str = ""
    without: bool = False

    @property
    def day(self) -> date:
        """The day on which people are minors or adults."""
        return self.on or timezone.localdate()

    @property
    def digest(self) -> str:
        """What the same choices give again."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()

    def address(self, step: str) -> str:
        """Give where a step of this draft is."""
        return f"{reverse('new-job', args=(self.uai,))}?lot={self.token}&etape={step}"

    @property
    def addresses(self) -> dict[str, str]:
        """Where each step is, by name."""
        return {step: self.address(step) for step in STEPS}


def template(slug: str) -> library.Template | None:
    """Give a template that jobs print, if it is on the shelf."""
    found = library.load(slug) if slug in library.slugs() else None
    return found if found and found.manifest.engine == "press" else None


def offered(audience: str = "") -> list[library.Template]:
    """List the templates that jobs print, charters first: most of what is printed are charters.

    A document that names nobody is one for the whole school: it is a form, never a lot.
    """
    pressed = (each for each in library.load_all() if each.manifest.engine == "press")
    found = [each for each in pressed if prefilling.is_about_somebody(each)]
    found = [each for each in found if audience in ("", each.manifest.audience)]

    def rank(each: library.Template) -> tuple[bool, str, str]:
        return each.manifest.kind != "charter", each.manifest.audience, each.manifest.title

    return sorted(found, key=rank)


def fresh(school: School, slug: str, layout: str) -> Draft:
    """Begin a draft."""
    return Draft(secrets.token_urlsafe(12), school.pk, slug, layout)


def found(request: Asked, school: School) -> Draft | None:
    """Give the draft that an address names; None when it is gone, or another school's."""
    kept = request.session.get(KEY, {}).get(request.GET.get("lot", ""))
    draft = msgspec.convert(kept, Draft) if kept else None
    return draft if draft and draft.uai == school.pk and template(draft.slug) else None


def keep(request: Asked, draft: Draft) -> None:
    """Keep a draft as it is now."""
    drafts = request.session.get(KEY, {})
    drafts.pop(draft.token, None)
    drafts[draft.token] = msgspec.to_builtins(draft)
    request.session[KEY] = dict(list(drafts.items())[-MOST:])


def job(request: Asked, school: School, draft: Draft) -> tuple[press.Job, Roster]:
    """Make a draft ready to print, with the people of the school who may receive it.

    Raises:
        InvalidInput: when nobody is chosen, or the school's own values are refused.
    """
    chosen = library.load(draft.slug)
    roster = registers.roster(school, chosen.manifest.audience)
    if draft.whom == "people":
        rows = seen(Person, request).filter(school=school, pk__in=draft.people)
        present = {person.id for person in roster.people}
        roster = ordering.only(roster, present & set(rows.values_list("internal_id", flat=True)))
    return ordering.of_roster(school, wanted(chosen, draft), roster), roster


def wanted(chosen: library.Template, draft: Draft) -> ordering.Wanted:
    """Give the order that a draft amounts to."""
    return ordering.Wanted(
        *(chosen, draft.layout, draft.day),
        classes=tuple(draft.classes) if draft.whom == "classes" else (),
        copies=draft.copies,
        separators=draft.separators,
        ordering=draft.ordering,
        profile=draft.profile,
    )
