"""Documents and sides that come home, in the words of screens."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.urls import reverse

from docgen.backoffice import reviews
from docgen.backoffice.models import Person, Return, ScannedPage
from docgen.backoffice.web.frame import Asked, seen
from docgen.typography import NBSP

Outcome = ScannedPage.Outcome
# What a side is, as one says it of one and of several, and how it is coloured.
WORDS = {
    Outcome.KNOWN: ("reconnue", "reconnues", "good"),
    Outcome.DUPLICATE: ("en double", "en double", ""),
    Outcome.FOREIGN: ("étrangère", "étrangères", "bad"),
    Outcome.SUPERSEDED: ("d’une ancienne impression", "d’une ancienne impression", "wait"),
    Outcome.UNKNOWN: ("sans code", "sans code", "wait"),
    Outcome.UNREADABLE: ("illisible", "illisibles", "bad"),
    Outcome.INCONSISTENT: ("contradictoire", "contradictoires", "bad"),
    Outcome.BLANK: ("blanche", "blanches", ""),
    Outcome.DISCARDED: ("écartée", "écartées", ""),
}
TO_REVIEW = [each for each in Outcome if each not in (*reviews.SETTLED, Outcome.DUPLICATE)]
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Count:
    """How many sides of a batch are so; `is_waiting`: somebody has to look at them."""

    outcome: str
    number: int
    words: str
    tone: str
    is_waiting: bool


@dataclass(frozen=True, slots=True)
class Home:
    """A document that comes home: whose it is, what it lacks, and its signed file if there is one.

    `doubts` are the zones that could not be looked at: a person does.
    """

    row: Return
    name: str
    lacks: list[str]
    doubts: list[str]
    signed: str = ""
    problems: list[str] = field(default_factory=list)

    @property
    def state(self) -> tuple[str, str]:
        """Say how far it is, and with which colour."""
        if self.row.stage == Return.Stage.COMPLETE:
            return "reliure en cours", "busy"
        if self.row.stage == Return.Stage.EMPTY:
            return "rien de reçu", "bad"
        if self.row.stage == Return.Stage.PARTIAL:
            return "incomplet", "bad"
        if self.row.unsigned:
            return "à signer", "bad"
        return ("à vérifier", "wait") if self.doubts else ("complet", "good")


def counts(outcomes: dict[str, int]) -> list[Count]:
    """Tell sides by outcome, in words, in the order of the outcomes."""
    return [
        Count(each, number, WORDS[each][number > 1], WORDS[each][2], each in TO_REVIEW)
        for each in Outcome
        if (number := outcomes.get(each, 0))
    ]


def names(request: Asked, keys: Iterable[Key]) -> dict[Key, str]:
    """Give the names of people by school and internal identifier, in one query."""
    wanted = {(school, person) for school, person in keys if person}
    if not wanted:
        return {}
    rows = seen(Person, request).filter(
        school__in={school for school, _ in wanted}, internal_id__in={each for _, each in wanted}
    )
    facts = ("school_id", "internal_id", "family_name", "usage_name", "first_name")
    found: dict[Key, list[str]] = {}
    for school, person, family, usage, first in rows.order_by("pk").values_list(*facts):
        found.setdefault((school, person), []).append(f"{usage or family} {first}")
    return {key: " ou ".join(several) for key, several in found.items()}


def told(request: Asked, rows: Sequence[Return]) -> list[Home]:
    """Tell documents as a list shows them."""
    known = names(request, ((row.school_id, row.person) for row in rows))
    return [
        Home(
            row,
            known.get((row.school_id, row.person), row.person),
            lacks(row),
            _zones(row.unseen, "à regarder"),
            signed_file(row),
            [f"{what} {remedy}".strip() for what, _, remedy in row.problems],
        )
        for row in rows
    ]


def signed_file(row: Return) -> str:
    """Give where the signed file of a document is; "" while there is none."""
    if row.stage != Return.Stage.BOUND or not row.sha256:
        return ""
    return reverse("api:signed", args=(row.pk,))


def sides_in_words(sides: Sequence[int]) -> str:
    """Say which sides: « face 2 », « faces 2, 3 et 5 »."""
    if len(sides) == 1:
        return f"face{NBSP}{sides[0]}"
    *most, last = map(str, sides)
    return f"faces{NBSP}{', '.join(most)} et{NBSP}{last}"


def lacks(row: Return) -> list[str]:
    """Say what a document lacks: its sides, then its signatures."""
    if row.stage == Return.Stage.EMPTY:
        return ["tout le document"]
    sides = [sides_in_words(row.missing)] if row.missing else []
    return sides + _zones(row.unsigned, "vide")


def _zones(zones: Iterable[dict[str, object]], what: str) -> list[str]:
    return [
        f"case «{NBSP}{each['zone']}{NBSP}» {what} (face{NBSP}{each['side']})" for each in zones
    ]


@dataclass(frozen=True, slots=True)
class Side:
    """A scanned side: its picture ("" without one), what it is, why, and where it went."""

    row: ScannedPage
    picture: str
    state: str
    tone: str
    sentence: str

    @property
    def number(self) -> int:
        """Its place in the file, counted from 1."""
        return self.row.index + 1


def side(row: ScannedPage) -> Side:
    """Tell a scanned side."""
    one, _, tone = WORDS[Outcome(row.outcome)]
    return Side(row, picture(row), one, tone, reviews.sentence(row))


def picture(row: ScannedPage) -> str:
    """Give the address of the picture of a side; it changes when somebody turns it."""
    if not row.reading.get("preview", (0, 0))[1]:
        return ""
    return f"{reverse('side-picture', args=(row.public_id,))}?t={row.turned}"
