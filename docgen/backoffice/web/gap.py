"""The gap of each school: what was ceded, and what the region does not hold yet."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils import timezone
from django.views.decorators.http import require_GET

from docgen import attestations as rules
from docgen.backoffice import ledger
from docgen.backoffice.ledger import Line
from docgen.backoffice.models import Cession
from docgen.backoffice.web import departments, sheets
from docgen.backoffice.web.frame import BACK_OFFICE, REGION, Asked, page, screen, seen
from docgen.backoffice.web.lists import LONGEST, Shown

SIZE = 50
COLUMNS: dict[str, tuple[str, Callable[[Line], int]]] = {
    "ecart": ("Écart", lambda line: line.tablets.gap),
    "cedees": ("Cédées", lambda line: line.tablets.ceded),
    "attestees": ("Attestées", lambda line: line.tablets.attested),
    "revenues": ("Revenues", lambda line: line.tablets.returned),
    "envoyees": ("Envoyées", lambda line: line.tablets.mailed),
    "recues": ("Reçues", lambda line: line.tablets.received),
    "attester": ("À attester", lambda line: line.tablets.to_attest),
    "retirer": ("À retirer", lambda line: line.tablets.to_withdraw),
}
STATES = (("ecart", "Avec un écart"), ("sans", "Sans écart"), ("attester", "Cessions à attester"))


class Gaps:
    """The lines that a request asks for: as a `Listing`, of what a query counted by school.

    The count of every school is one query, whatever is shown of it.
    """

    def __init__(self, request: Asked) -> None:
        """Count, then keep, sort and cut as the address says."""
        self.asked, self.path = request.GET, request.path
        self.is_searched, self.label = True, "Établissement (nom ou UAI)"
        first = _first_day(request)
        self.text = self.asked.get("q", "").replace("\0", "").strip()[:LONGEST]
        year = self._shown("annee", "Année scolaire", years(first), "Toutes")
        every = ledger.lines(request.who, year=year.value)
        places = departments.choices(line.school for line in every)
        place = self._shown("departement", "Département", places)
        state = self._shown("etat", "État", STATES)
        self.filters = [year, place, state]
        self.found = [
            line for line in every if _is_asked(line, self.text, place.value, state.value)
        ]
        self._sort()
        self.total, self.whole = len(self.found), ledger.total(self.found)
        self.last = max(1, -(-self.total // SIZE))
        text = self.asked.get("page", "")
        wanted = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1
        self.number = min(max(wanted, 1), self.last)
        start = (self.number - 1) * SIZE
        self.rows = self.found[start : start + SIZE]
        self.first_row = start + 1 if self.rows else 0
        self.last_row = start + len(self.rows)
        self.is_more = False
        self.is_narrowed = bool(self.text) or any(each.value for each in self.filters)
        self.before = self.link(page=self.number - 1) if self.number > 1 else ""
        self.after = self.link(page=self.number + 1) if self.number < self.last else ""

    def link(self, **changes: str | int) -> str:
        """Give the address of this list with something else asked for."""
        names = ("q", "tri", *(each.name for each in self.filters))
        asked = {name: value for name in names if (value := self.asked.get(name))}
        return f"?{urlencode(asked | changes)}"

    def _shown(
        self, name: str, label: str, choices: Sequence[tuple[str, str]], every: str = "Tous"
    ) -> Shown:
        value = self.asked.get(name, "")
        known = value in {choice for choice, _ in choices}
        return Shown(name, label, choices, value if known else "", every)

    def _sort(self) -> None:
        """Sort, by the largest gap unless another order is asked for; « - » is from the largest."""
        wanted = self.asked.get("tri", "")
        known = wanted.removeprefix("-") in {"nom", *COLUMNS}
        self.sort = wanted if known else "-ecart"
        self.is_falling = self.sort.startswith("-")
        key, is_turned = self.sort.removeprefix("-"), self.sort.startswith("-")
        self.found.sort(key=lambda line: (line.name.casefold(), line.school), reverse=is_turned)
        if key in COLUMNS:
            _, count = COLUMNS[key]
            self.found.sort(key=count, reverse=is_turned)


def _is_asked(line: Line, text: str, place: str, state: str) -> bool:
    told = f"{line.name} {line.school}".casefold()
    if any(word not in told for word in text.casefold().split()):
        return False
    if place and departments.code_of(line.school) != place:
        return False
    tablets = line.tablets
    return {"": True, "ecart": tablets.gap > 0, "sans": not tablets.gap}.get(
        state, tablets.to_attest > 0
    )


def _first_day(request: Asked) -> date | None:
    rows = seen(Cession, request).filter(ceded_date__isnull=False).order_by("ceded_date")
    return rows.values_list("ceded_date", flat=True).first()


def years(first: date | None) -> list[tuple[str, str]]:
    """Give the school years from that of a day to this one, the last one first."""
    today = timezone.localdate()
    opens = [int(rules.school_year(day)[:4]) for day in (first or today, today)]
    found = range(min(opens), max(opens) + 1)
    return [(f"{year}-{year + 1}", f"{year}-{year + 1}") for year in reversed(found)]


@screen(BACK_OFFICE, REGION)
@require_GET
def show(request: Asked) -> HttpResponseBase:
    """Show the gap of each school, the largest first."""
    gaps = Gaps(request)
    columns = [(name, label) for name, (label, _) in COLUMNS.items()]
    told = {
        "listing": gaps,
        "columns": columns,
        "lines": [(line, _counts(line)) for line in gaps.rows],
        "whole": _counts(gaps.whole),
        "total": gaps.whole.tablets,
        "sheets": gaps.whole.sheets,
        "unsigned": gaps.whole.sheets.issued - gaps.whole.sheets.returned,
        "query": request.GET.urlencode(),
    }
    return page(request, "web/ledger/gap.html", told)


@screen(BACK_OFFICE, REGION)
@require_GET
def export(request: Asked, kind: str) -> HttpResponseBase:
    """Give the lines that were asked for, and their total, for a spreadsheet."""
    gaps = Gaps(request)
    heads = ("UAI", "Établissement", *(label for label, _ in COLUMNS.values()))
    rows: list[Sequence[Any]] = [
        (line.school, line.name, *_counts(line)) for line in (*gaps.found, gaps.whole)
    ]
    make = sheets.as_csv if kind == "csv" else sheets.as_xlsx
    return make("ecarts", heads, rows)


def _counts(line: Line) -> list[int]:
    return [count(line) for _, count in COLUMNS.values()]


urls: list[URLPattern] = [
    path("registre/", show, name="gap"),
    path("registre/export.csv", export, {"kind": "csv"}, name="gap-csv"),
    path("registre/export.xlsx", export, {"kind": "xlsx"}, name="gap-xlsx"),
]
