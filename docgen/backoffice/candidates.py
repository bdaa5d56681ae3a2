"""Where a side could go home to: what is proposed to whoever looks at it, and never applied alone.

An authentic code leaves no choice: a side that bears one is that side of that document, or nothing.
Without a code, a person chooses: by the reference that is printed on the paper, by what was scanned
before and after it, or by what is still missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from django.db.models import QuerySet, Value

from docgen.backoffice import gate, models, returns
from docgen.backoffice.gate import Actor
from docgen.errors import CodeRefused, InvalidInput, Problem
from docgen.pagecode import ALPHABET, CONFUSED, parse_reference
from docgen.typography import NBSP

MOST = 20  # proposals of a kind
PRINTS = 100  # rows of documents looked at: one may have been printed several times
AROUND = 10  # sides looked at before and after
LEAST_TYPED = 4  # characters of a reference from which documents are looked for
PARTIAL = 500  # documents that miss something, the last changed first
Outcome = models.ScannedPage.Outcome
NOTHING = (Outcome.BLANK, Outcome.DISCARDED)


@dataclass(frozen=True, slots=True)
class Target:
    """A document that sides go home to."""

    number: bytes
    reference: str
    school: str
    template: str
    person: str
    division: str
    sides: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """A place that a side may have, and why; `is_held`: another scan is there.

    `is_superseded`: the document was printed again since, and says something else now.
    """

    target: Target
    side: int
    is_held: bool
    reason: str
    is_superseded: bool = False


def proposals(page: models.ScannedPage, who: Actor, typed: str = "") -> list[Proposal]:
    """Propose places for a side among what its actor sees, the likeliest first.

    `typed` is what somebody read beside the code, whole or its beginning.

    Raises:
        CodeRefused: when a whole reference holds a mistake.
    """
    if page.outcome == Outcome.FOREIGN:
        return []
    if own := places(page):
        found = list(_by_code(page, who, own))
    else:
        found = [*_typed(page, who, typed), *_neighbours(page, who), *_lacking(page, who)]
    unique = {(each.target.number, each.side): each for each in reversed(found)}
    states = returns.expected(each.target.number.hex() for each in found)
    return [
        replace(each, is_superseded=states[each.target.number.hex()].state == "superseded")
        for each in reversed(unique.values())
        if states[each.target.number.hex()].state != "cancelled"
    ]


def places(page: models.ScannedPage) -> set[tuple[bytes, int]]:
    """Give the documents and sides that the authentic codes of a side name."""
    return {(bytes.fromhex(c["document"]), c["side"]) for c in page.reading.get("codes", ())}


def find(reference: str, who: Actor, school: str) -> Target:
    """Find the document of a reference, in one school, or in all that the actor sees.

    Raises:
        CodeRefused: for a reference that holds a mistake.
        InvalidInput: when no document has it, or several.
    """
    found = _documents(who, school, reference=parse_reference(reference))
    if len(found) == 1:
        return found[0]
    if found:
        remedy = "Comparez les deux, et cherchez par établissement."
        raise InvalidInput(
            Problem("plusieurs documents portent cette référence.", "reference", remedy)
        )
    remedy = "Vérifiez-la sur le papier\u00a0; un document d’un autre établissement n’est pas ici."
    raise InvalidInput(Problem("aucun document n’a cette référence.", "reference", remedy))


def of_number(number: bytes, who: Actor, school: str) -> Target | None:
    """Give the document of a number, if the actor sees it in that school."""
    found = _documents(who, school, number=number)
    return found[0] if found else None


def _documents(who: Actor, school: str, **facts: object) -> list[Target]:
    printed = gate.visible(models.Document, who).filter(**facts)
    papers = gate.visible(models.Paper, who).filter(**facts)
    if school:
        printed, papers = printed.filter(volume__job__school=school), papers.filter(school=school)
    job = ("volume__job__school", "volume__job__template__slug")
    rows: list[tuple[Any, ...]] = [
        *printed.values_list("number", "reference", *job, "person", "division")[:PRINTS],
        *papers.values_list("number", "reference", "school", "slug", "person", Value(""))[:PRINTS],
    ]
    known = {bytes(row[0]): row[1:] for row in rows}
    sides = {
        bytes.fromhex(n): each.sides for n, each in returns.expected(map(bytes.hex, known)).items()
    }
    return [
        Target(number, reference, uai, slug, person, division, sides[number])
        for number, (reference, uai, slug, person, division) in known.items()
    ]


def _by_code(
    page: models.ScannedPage, who: Actor, own: set[tuple[bytes, int]]
) -> Iterator[Proposal]:
    reason = {
        Outcome.DUPLICATE: "Son code le dit\u00a0; un autre scan y est.",
        Outcome.SUPERSEDED: "Son code le dit\u00a0; ce document a été réimprimé autrement depuis.",
    }.get(Outcome(page.outcome), "L’un de ses codes le dit.")
    for number, side in sorted(own):
        target = of_number(number, who, page.batch.school_id or "")
        if target and 1 <= side <= target.sides:
            yield Proposal(target, side, side in held(number), reason)


def _typed(page: models.ScannedPage, who: Actor, typed: str) -> Iterator[Proposal]:
    wanted = _beginning(typed)
    if not wanted:
        return
    school = page.batch.school_id or ""
    if len(wanted) == len("CE-7K3F-92QD"):
        wanted = parse_reference(typed)
    for target in islice(_documents(who, school, reference__startswith=wanted), MOST):
        taken = held(target.number)
        free = [side for side in range(1, target.sides + 1) if side not in taken]
        for side in free or range(1, target.sides + 1):
            reason = f"La référence {target.reference} a été tapée."
            yield Proposal(target, side, side in taken, reason)


def _beginning(typed: str) -> str:
    """Give the beginning of a reference as it is printed; "" when it is too short to tell.

    Raises:
        CodeRefused: for a sign that no reference holds.
    """
    letters = "".join(character for character in typed.upper() if character.isalnum())
    prefix, rest = letters[:2], letters[2:10].translate(CONFUSED)
    if len(letters) < LEAST_TYPED:
        return ""
    if len(letters) > 10 or not prefix.isalpha() or any(each not in ALPHABET for each in rest):
        what = "une référence s’écrit comme CE-7K3F-92QD\u00a0: deux lettres, huit signes."
        raise CodeRefused(Problem(what, "reference", "Relisez-la sur le papier, près du code."))
    return "-".join(filter(None, (prefix, rest[:4], rest[4:])))


def held(number: bytes) -> set[int]:
    """Give the sides of a document that are home."""
    rows = models.ScannedPage.objects.filter(back__number=number, outcome=Outcome.KNOWN)
    return {side for side in rows.values_list("side", flat=True) if side}


def _neighbours(page: models.ScannedPage, who: Actor) -> Iterator[Proposal]:
    """Propose what the sides scanned before and after leave open, blank backs left out."""
    rows = gate.visible(models.ScannedPage, who).filter(
        batch=page.batch_id, index__range=(page.index - AROUND, page.index + AROUND)
    )
    around = list(rows.exclude(outcome__in=NOTHING).select_related("back").order_by("index"))
    before = _nearest([each for each in reversed(around) if each.index < page.index])
    after = _nearest([each for each in around if each.index > page.index])
    if before and after and before.back == after.back:
        first, last = sorted((before.side, after.side))
        words = f"Entre les faces {first} et {last} de ce document, dans le même fichier."
        step = before.step if after.side > before.side else -before.step
        yield from _open_sides(before, before.side + step, words, range(first + 1, last))
        return
    if before:
        words = f"Après la face {before.side} de ce document, dans le même fichier."
        yield from _open_sides(before, before.side + before.step, words)
    if after:
        words = f"Avant la face {after.side} de ce document, dans le même fichier."
        yield from _open_sides(after, after.side - after.step, words)


@dataclass(frozen=True, slots=True)
class _Near:
    """A side that is known, so many sides away."""

    back: models.Return
    side: int
    step: int


def _nearest(pages: list[models.ScannedPage]) -> _Near | None:
    for step, each in enumerate(pages, 1):
        if each.outcome == Outcome.KNOWN and each.back and each.side:
            return _Near(each.back, each.side, step)
    return None


def _open_sides(
    near: _Near, likeliest: int, words: str, among: range | None = None
) -> Iterator[Proposal]:
    """Propose the sides of a document that are not home, the likeliest first."""
    target, taken = of_return(near.back), held(bytes(near.back.number))
    among = range(1, target.sides + 1) if among is None else among
    sides = sorted((each for each in among if each not in taken), key=lambda n: n != likeliest)
    yield from (Proposal(target, side, False, words) for side in sides)


def _lacking(page: models.ScannedPage, who: Actor) -> Iterator[Proposal]:
    """Propose documents that only miss one side: of the classes scanned around first."""
    near = gate.visible(models.ScannedPage, who).filter(
        batch=page.batch_id, outcome=Outcome.KNOWN, index__range=(page.index - 50, page.index + 50)
    )
    around = list(near.values_list("back__school", "back__division").distinct())
    rows: QuerySet[models.Return] = gate.visible(models.Return, who).filter(
        school__in={page.batch.school_id} if page.batch.school_id else {each[0] for each in around},
        stage=models.Return.Stage.PARTIAL,
    )
    classes = {division for _, division in around if division}
    found = [each for each in rows.order_by("-changed_at")[:PARTIAL] if len(each.missing) == 1]
    found.sort(key=lambda each: each.division not in classes)
    for each in found[:MOST]:
        (side,) = each.missing
        words = f"Il ne manque que la face{NBSP}{side} à ce document"
        words += f", de la classe {each.division}." if each.division in classes else "."
        yield Proposal(of_return(each), side, False, words)


def of_return(back: models.Return) -> Target:
    """Give a document that comes home as a target."""
    return Target(
        *(bytes(back.number), back.reference, back.school_id, back.slug),
        *(back.person, back.division, back.sides),
    )
