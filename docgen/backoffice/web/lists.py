"""Lists that search, filter, sort and page in the database; the address says which part is shown.

    listing = Listing(request, rows, search=("name", "uai"), sorts={"nom": ("name",)},
                      filters=(Filter("etat", "État", choices, "stage"),))

A template includes `web/parts/filters.html` above its table, `web/parts/pager.html` below, both
inside `<div id="list">`, and heads its columns with `{% sorted_by listing "nom" "Nom" %}`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from docgen.backoffice.models import folded

SIZE = 50
MOST_COUNTED = (
    10_000  # past that, "plus de": counting all of a large table takes longer than a page
)
LAST_PAGE = MOST_COUNTED // SIZE
LONGEST = 100  # characters of a search
NAMES = ("family_name", "first_name", "usage_name", "name", "city")  # found without accents


@dataclass(frozen=True, slots=True)
class Filter:
    """A choice that narrows a list: `choices` are values and what people read.

    `field` is a look-up of the query, or a function that gives the rows of a value; `every` is
    what not narrowing is called: « Toutes » where the label is feminine.
    """

    name: str
    label: str
    choices: Sequence[tuple[str, str]]
    field: str | Callable[[QuerySet[Any], str], QuerySet[Any]]
    every: str = "Tous"


@dataclass(frozen=True, slots=True)
class Shown:
    """A filter as it is on the page."""

    name: str
    label: str
    choices: Sequence[tuple[str, str]]
    value: str
    every: str = "Tous"


class Listing:
    """The part of a list that a request asks for; `found` is all of what it asks for, unpaged."""

    def __init__(
        self,
        request: HttpRequest,
        rows: QuerySet[Any],
        *,
        search: Sequence[str] = (),
        sorts: Mapping[str, Sequence[str]],
        filters: Sequence[Filter] = (),
        size: int = SIZE,
        label: str = "Rechercher",
    ) -> None:
        """Take a query and the ways to look at it; the first of `sorts` is the usual one.

        A sort starting with "-" in its fields is the other way round; `tri=-nom` turns it.
        """
        self.asked, self.size, self.label = request.GET, size, label
        self.path, self.is_searched = request.path, bool(search)
        self.text = self.asked.get("q", "").replace("\0", "").strip()[:LONGEST]
        self.filters = [self._shown(each) for each in filters]
        values = {each.name: each.value for each in self.filters}
        for each in filters:
            if value := values[each.name]:
                rows = _narrowed(rows, each, value)
        for word in self.text.split():
            found = Q()
            for field in search:
                found |= _holding(field, word)
            rows = rows.filter(found)
        wanted = self.asked.get("tri", "")
        key = wanted.removeprefix("-")
        self.sort = wanted if key in sorts else next(iter(sorts))
        order = sorts[self.sort.removeprefix("-")]
        self.is_falling = self.sort.startswith("-") != order[0].startswith("-")
        rows = rows.order_by(*(_turned(order) if self.sort.startswith("-") else order), "pk")
        self.found = rows
        self.total = rows.values("pk").order_by()[: MOST_COUNTED + 1].count()
        last = max(1, -(-min(self.total, MOST_COUNTED) // size))
        self.number = min(max(_whole(self.asked.get("page", "")), 1), last)
        self.last = last
        start = (self.number - 1) * size
        self.rows = list(rows[start : start + size])
        self.first_row = start + 1 if self.rows else 0
        self.last_row = start + len(self.rows)

    @property
    def is_more(self) -> bool:
        """Tell whether there are more rows than are counted."""
        return self.total > MOST_COUNTED

    @property
    def is_narrowed(self) -> bool:
        """Tell whether somebody searched or filtered: an empty list then has another reason."""
        return bool(self.text) or any(each.value for each in self.filters)

    @property
    def before(self) -> str:
        """Give the address of the page before this one; "" when there is none."""
        return self.link(page=self.number - 1) if self.number > 1 else ""

    @property
    def after(self) -> str:
        """Give the address of the page after this one; "" when there is none."""
        return self.link(page=self.number + 1) if self.number < self.last else ""

    def link(self, **changes: str | int) -> str:
        """Give the address of this list with something else asked for."""
        names = ("q", "tri", *(each.name for each in self.filters))
        asked = {name: value for name in names if (value := self.asked.get(name))}
        return f"?{urlencode(asked | changes)}"

    def _shown(self, each: Filter) -> Shown:
        value = self.asked.get(each.name, "")
        known = value in {choice for choice, _ in each.choices}
        return Shown(each.name, each.label, each.choices, value if known else "", each.every)


def _holding(field: str, word: str) -> Q:
    if (plain := folded(word)) and field.rpartition("__")[2] in NAMES:
        return Q(**{f"{field}__folded__contains": plain})
    return Q(**{f"{field}__icontains": word})


def _narrowed(rows: QuerySet[Any], each: Filter, value: str) -> QuerySet[Any]:
    if callable(each.field):
        return each.field(rows, value)
    return rows.filter(**{each.field: value})


def _turned(fields: Sequence[str]) -> list[str]:
    return [name[1:] if name.startswith("-") else f"-{name}" for name in fields]


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1
