"""Somebody found among the people of a school, by two letters of their name or an identifier."""

import re
from collections.abc import Sequence

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from docgen.backoffice.models import Cession, Person, School, folded
from docgen.backoffice.web.frame import Asked, seen
from docgen.identifiers import normalise

MOST_FOUND = 12
MOST_MATCHED = 200
LEAST = 2  # letters of a name
NAMES = ("family_name", "first_name", "usage_name")
APART = re.compile(r"[\s'’-]+")


def is_enough(text: str, division: str) -> bool:
    """Tell whether enough was typed, or a class chosen, to look for somebody."""
    return len(text) >= LEAST or bool(division)


def find(request: Asked, school: School, text: str, division: str) -> list[Person]:
    """Find people by the beginnings of their names, or by an identifier; who has none comes first.

    An identifier is looked for in every class: whoever scans a card does not think of a filter.
    """
    if not is_enough(text, division):
        return []
    rows = seen(Person, request).filter(school=school, is_present=True)
    if len(text) >= LEAST:
        wanted = _bearers(rows, text) or _named(rows, text, division)
        rows = rows.filter(pk__in=wanted)
    else:
        rows = rows.filter(division=division)
    held = Cession.objects.filter(person=OuterRef("pk"), cancelled_at=None).order_by("-pk")
    rows = rows.annotate(held=Subquery(held.values("serial")[:1]))
    order = F("held").asc(nulls_first=True), "family_name", "first_name", "pk"
    return list(rows.order_by(*order)[: MOST_FOUND + 1])


def _bearers(rows: QuerySet[Person], text: str) -> list[int]:
    same = Q(internal_id__iexact=text) | Q(ine=normalise(text))
    return list(rows.filter(same).values_list("pk", flat=True)[: MOST_FOUND + 1])


def _named(rows: QuerySet[Person], text: str, division: str) -> list[int]:
    """Give those whose names begin so, whatever the accents and the capitals.

    Databases do not agree on accents: the names of one school are compared here.
    """
    words, found = _words(text), []
    rows = rows.filter(division=division) if division else rows
    for number, *names in rows.order_by("family_name").values_list("pk", *NAMES):
        theirs = _words(" ".join(names))
        if words and all(any(each.startswith(word) for each in theirs) for word in words):
            found.append(number)
    return found[:MOST_MATCHED]


def _words(text: str) -> list[str]:
    return [plain for each in APART.split(text) if (plain := folded(each))]


def classes(people: QuerySet[Person]) -> Sequence[tuple[str, str]]:
    """Give the classes of people, as choices."""
    found = people.filter(is_present=True).exclude(division="").order_by("division")
    return [(name, name) for name in found.values_list("division", flat=True).distinct()]
