"""Documents that came home, bound again: what is needed of each, and what became of it.

What is needed is read by the parent (`begin`); the child looks for signatures and writes the signed
files (`make`), without a database; the parent keeps them (`finish`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from io import BytesIO
from math import isnan
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch, Q
from django.utils import timezone

from docgen.backoffice import claims, deliveries, looking, pressing, returns, store
from docgen.backoffice.events import tell
from docgen.backoffice.looking import PRINT_DPI, Look, Rival
from docgen.backoffice.models import Binding, Paper, PrintJob, Return, ReviewStep, ScannedPage
from docgen.backoffice.returns import Zone
from docgen.datafolder import data_folder, page_code_keys
from docgen.errors import DocgenError, InvalidInput, Problem
from docgen.rendering import printfile
from docgen.rendering.filling import Copy
from docgen.rendering.pictures import Grey, greys
from docgen.scanning import signatures
from docgen.scanning.findings import Matrix
from docgen.scanning.merging import Binder, Facts, SideSource
from docgen.typography import NBSP, french

TOO_HEAVY = Problem(
    "ce document demande trop de mémoire ou de temps pour être relié.",
    "",
    "Numérisez-le de nouveau, à 200 points par pouce.",
)
GONE = Problem(
    "les scans de ce document ne sont plus gardés.", "", "Numérisez de nouveau ses feuilles."
)
NOT_ARCHIVAL = Problem(
    "ce fichier signé n’est pas un PDF/A, faute d’une police ou de couleurs décrites.",
    "",
    "Il s’ouvre partout. Pour l’archiver, numérisez toutes ses faces, en gris ou en couleur RVB.",
)
UNSIGNED = "signed-instead"  # why a scan left its place to one that is signed
A4 = 595.28, 841.89  # points: of paper whose print is known no more
Say: TypeAlias = Callable[[int], None]
Outcome = ScannedPage.Outcome


@dataclass(frozen=True, slots=True)
class Print:
    """A document to print alone: its sides that need not come home are taken from it."""

    run: printfile.Run
    document: printfile.Document


@dataclass(frozen=True, slots=True)
class Wanted:
    """A document to bind: what came home of it, where it is signed, its original print.

    `place` is its own in the binding, `empty` its sides that are signed before anybody wrote on
    them, `rivals` other scans of the sides that are signed. Without `is_whole`, signatures are
    looked for and nothing is bound.
    """

    id: str
    place: int
    version: int
    facts: Facts
    sources: tuple[SideSource, ...]
    rivals: Mapping[int, Sequence[Rival]]
    zones: tuple[Zone, ...]
    empty: Mapping[int, Grey]
    original: Print | Path | None
    is_whole: bool
    problems: tuple[Problem, ...]


def begin(binding: Binding) -> list[Wanted]:
    """Give what is needed of each document, but for those that changed since.

    Raises:
        Unavailable: without a key that documents were numbered with.
    """
    ids = [identifier for identifier, _ in binding.returns]
    pages = ScannedPage.objects.select_related("part")
    home = Prefetch("pages", pages.filter(outcome=Outcome.KNOWN).order_by("side"), "home")
    # What somebody decided about a scan is not decided again.
    steps = ReviewStep.objects.filter(page=OuterRef("pk"), undone_at=None)
    free = pages.filter(~Exists(steps), ~Q(part__copy=""), outcome=Outcome.DUPLICATE)
    rivals = Prefetch("pages", free.order_by("-quality", "pk"), "rivals")
    found = Return.objects.filter(pk__in=ids).prefetch_related(home, rivals)
    rows = {str(row.pk): row for row in found}
    told = returns.printed(bytes(row.number).hex() for row in rows.values())
    return [
        _wanted(place, rows[identifier], told.get(bytes(rows[identifier].number).hex()))
        for place, (identifier, version) in enumerate(binding.returns)
        if identifier in rows and rows[identifier].version == version
    ]


def make(wanted: Sequence[Wanted], folder: Path, say: Say) -> list[dict[str, Any]]:
    """Look for signatures and bind documents into a folder; `say` is told the place of each."""
    made = []
    with Binder() as binder:
        for each in wanted:
            say(each.place)
            made.append(_made(each, binder, folder / f"{each.place}.pdf"))
    return made


def finish(
    binding: Binding, made: Sequence[Mapping[str, Any]], files: Mapping[str, tuple[str, int]]
) -> bool:
    """Record what became of documents; False when the claim was lost.

    `files` are the names in the store and the sizes of signed files, by the id of their document.
    A document that changed meanwhile is left to its younger binding.

    Raises:
        FileNotFoundError: when a file was dropped since it was kept.
    """
    with transaction.atomic():
        store.require(name for name, _ in files.values())
        rows = _held(binding)
        if not claims.finish(binding, problems=[]):
            return False
        unused = {name for name, _ in files.values()}
        for each in made:
            row = rows.get(each["id"])
            if row and row.version == each["version"]:
                unused.add(row.sha256)
                for side, page in each["chosen"]:
                    _choose(row, side, page)
                _record(row, each, files.get(each["id"]))
        transaction.on_commit(lambda: store.drop_unused(unused - {""}))
    return True


def fail(binding: Binding, problems: list[Problem]) -> bool:
    """Record why documents cannot be bound."""
    with transaction.atomic():
        rows = _held(binding)
        if not claims.fail(binding, problems):
            return False
        for identifier, version in binding.returns:
            _blame(rows.get(identifier), version, problems)
    return True


def skip(binding: Binding, place: int | None) -> bool:
    """Put a binding whose worker died back in the line, without the document that it was at."""
    if place is None:
        return claims.release(binding, is_own_fault=True)
    identifier, version = binding.returns[place]
    rest = [each for each in binding.returns if each[0] != identifier]
    with transaction.atomic():
        rows = _held(binding)
        if not claims.again(binding, returns=rest):
            return False
        _blame(rows.get(identifier), version, [TOO_HEAVY])
    return True


def _held(binding: Binding) -> dict[str, Return]:
    """Hold the rows of documents, in the order in which all hold them."""
    rows = Return.objects.filter(pk__in=[identifier for identifier, _ in binding.returns])
    return {str(row.pk): row for row in rows.select_for_update().order_by("number")}


def _choose(row: Return, side: int, page: int) -> None:
    """Give a side the scan of it that is signed; the one that had it is kept."""
    pages = ScannedPage.objects.filter(back=row, side=side)
    chosen = pages.filter(pk=page, outcome=Outcome.DUPLICATE).first()
    if chosen:
        pages.filter(outcome=Outcome.KNOWN).update(outcome=Outcome.DUPLICATE, reason=UNSIGNED)
        chosen.outcome, chosen.reason = Outcome.KNOWN, chosen.reading["reason"]
        chosen.save(update_fields=["outcome", "reason"])


def _record(row: Return, made: Mapping[str, Any], file: tuple[str, int] | None) -> None:
    row.unsigned, row.unseen = made["unsigned"], made["unseen"]
    row.problems = made["problems"]
    if file:
        row.sha256, row.size = file
        row.sources, row.bound_version = made["sources"], row.version
        row.stage, row.bound_at = Return.Stage.BOUND, timezone.now()
    row.save()
    facts: dict[str, Any] = {
        "sides": row.sides,
        "missing": len(row.missing),
        "unsigned": len(row.unsigned),
    }
    kind = "return-bound" if file else "return-incomplete"
    if row.stage == Return.Stage.COMPLETE:
        kind, facts = "return-failed", {"problems": len(row.problems)}
    if row.stage != Return.Stage.EMPTY:
        tell(kind, str(row.pk), school=row.school_id, **facts)
    if kind == "return-bound" and row.paper and row.paper.is_mailed:
        deliveries.plan(row)


def _blame(row: Return | None, version: int, problems: Sequence[Problem]) -> None:
    if row and row.version == version:
        row.problems = claims.as_lists(problems)
        row.save(update_fields=("problems", "changed_at"))
        tell("return-failed", str(row.pk), school=row.school_id, problems=len(problems))


def _wanted(place: int, row: Return, told: returns.Printed | None) -> Wanted:
    """Give what binding a document takes; `told` is None when its print is known no more."""
    pages = [page for page in row.home if page.part.copy]  # type: ignore[attr-defined]
    is_gone = len(pages) < len(row.home)  # type: ignore[attr-defined]
    sides = {page.side for page in pages}
    rule = (
        returns.rule(told)
        if told
        else returns.Rule(row.title, row.sides, *A4, tuple(row.needed), ())
    )
    zones = tuple(zone for zone in rule.zones if zone.required and zone.side in sides)
    is_whole = bool(sides) and not (is_gone or set(row.needed) - sides)
    is_partly_printed = is_whole and len(sides) < row.sides
    return Wanted(
        id=str(row.pk),
        place=place,
        version=row.version,
        facts=Facts(
            *(row.title, row.reference, row.sides, tuple(row.needed)),
            *(rule.width, rule.height, timezone.now()),
        ),
        sources=tuple(_source(page) for page in pages),
        rivals=_rivals(row, zones),
        zones=zones,
        empty=_empty(told, zones) if told else {},
        original=_original(told) if told and is_partly_printed else None,
        is_whole=is_whole,
        problems=(GONE,) if is_gone else (),
    )


def _source(page: ScannedPage) -> SideSource:
    reading = page.reading
    found = reading.get("matrix")
    matrix = Matrix(*found) if found and not page.is_by_hand else None
    size = reading["width"], reading["height"]
    return SideSource(
        side=page.side or 0,
        copy=store.borrowed(page.part.copy),
        page=reading["clean_page"],
        matrix=matrix,
        turned=(reading["rotation"] + page.turned) % 360,
        label=str(page.batch_id),
        place=page.index + 1,
        is_sure=matrix is not None
        and signatures.is_sure(len(reading["codes"]), matrix, size, reading["dpi"]),
    )


def _rivals(row: Return, zones: Sequence[Zone]) -> dict[int, list[Rival]]:
    """Give the other scans of the sides that are signed, but for those that somebody filed."""
    signed = {zone.side for zone in zones}
    free = {page.side for page in row.home if not page.is_by_hand}  # type: ignore[attr-defined]
    found: dict[int, list[Rival]] = {side: [] for side in signed & free}
    for page in row.rivals:  # type: ignore[attr-defined]
        if page.side in found and len(found[page.side]) < looking.MOST_RIVALS:
            found[page.side].append(Rival(page.pk, _source(page)))
    return found


def _original(told: returns.Printed) -> Print | Path | None:
    """Give the original print of a document, as long as what it says is kept."""
    if isinstance(told, Paper):
        return store.borrowed(told.sha256) if told.sha256 else None
    job = told.volume.job
    if not job.letterhead or not told.person:
        return None
    return Print(_run(job.pk), replace(pressing.document_of(told), title=""))


def _empty(told: returns.Printed, zones: Sequence[Zone]) -> Mapping[int, Grey]:
    """Give the sides that are signed as they were before anybody wrote on them."""
    sides = tuple(sorted({zone.side for zone in zones}))
    if not sides:
        return {}
    if isinstance(told, Paper):
        return _drawn(told.sha256, sides) if told.sha256 else {}
    return _drawn_empty(told.volume.job_id, told.variant, sides)


@lru_cache(maxsize=16)
def _drawn(sha256: str, sides: tuple[int, ...]) -> Mapping[int, Grey]:
    pages = greys(store.borrowed(sha256), PRINT_DPI, [side - 1 for side in sides])
    return dict(zip(sides, pages, strict=True))


@lru_cache(maxsize=16)
def _drawn_empty(job: UUID, variant: str, sides: tuple[int, ...]) -> Mapping[int, Grey]:
    """Draw sides without anybody's values: the same for all the documents of a job."""
    nobody = printfile.Document("", "", "", bytes(6), Copy("", variant, {}, ""))
    content = BytesIO()
    _print(Print(_run(job), nobody), content)
    pages = greys(content.getvalue(), PRINT_DPI, [side - 1 for side in sides])
    return dict(zip(sides, pages, strict=True))


@lru_cache(maxsize=8)
def _run(job: UUID) -> printfile.Run:
    row = PrintJob.objects.select_related("template").get(pk=job)
    row.profile = b""  # a press's: the signed file has a profile of its own
    run = pressing.run_of(row, page_code_keys(data_folder()))
    return replace(run, padded=False, separators=False)


def _print(original: Print, stream: BinaryIO) -> None:
    volume = printfile.bind(original.run, [original.document], stream)
    if problems := volume.missing + volume.unfit:
        raise InvalidInput(problems)


def _made(wanted: Wanted, binder: Binder, path: Path) -> dict[str, Any]:
    """Be the child, for one document."""
    problems, sources = list(wanted.problems), list[dict[str, Any]]()
    unsigned, unseen = looking.told(())
    looks = list[Look]()
    try:
        for source in wanted.sources:
            rivals = wanted.rivals.get(source.side, ())
            looks.append(looking.look(source, rivals, wanted.zones, wanted.empty))
        unsigned, unseen = looking.told(looks)
        problems += [
            _not_looked_at(zone, looking.unseen(each.source, wanted.empty))
            for each in looks
            for zone, ink in each.inks
            if isnan(ink)
        ]
        if wanted.is_whole:
            wanted = replace(wanted, sources=tuple(each.source for each in looks))
            sources = _bound(wanted, binder, path, problems)
    except DocgenError as error:
        problems += error.problems
    return {
        "id": wanted.id,
        "version": wanted.version,
        "unsigned": unsigned,
        "unseen": unseen,
        "chosen": [[each.source.side, each.page] for each in looks if each.page is not None],
        "problems": claims.as_lists(problems),
        "sources": sources,
        "file": path.name if sources else "",
    }


def _bound(
    wanted: Wanted, binder: Binder, path: Path, problems: list[Problem]
) -> list[dict[str, Any]]:
    """Bind a document; give the index of its file."""
    original = wanted.original
    if isinstance(original, Print):
        printed = path.with_suffix(".print.pdf")
        with printed.open("wb") as stream:
            _print(original, stream)
        original = printed
    with path.open("wb") as stream:
        bound = binder.bind(wanted.sources, wanted.facts, original, stream)
    turned = {source.side: source.turned for source in wanted.sources}
    if bound.left_out:
        problems.append(_left_out(bound.left_out))
    if not bound.is_archival:
        problems.append(NOT_ARCHIVAL)
    return [
        {
            "side": face.side,
            "origin": "scan" if face.origin == "scan" else "print",
            "scan": face.label or None,
            "number": face.place or None,
            "turned": turned.get(face.side, 0),
            "sha256": face.sha256,
            "is_fitted": face.fitted,
        }
        for face in bound.faces
    ]


def _not_looked_at(zone: Zone, why: str) -> Problem:
    what = f"la case « {zone.label} » n’a pas pu être regardée : {why}."
    return Problem(french(what), f"face{NBSP}{zone.side}", "Regardez-la vous-même.")


def _left_out(sides: Sequence[int]) -> Problem:
    what = "cette face n’est pas revenue, et son impression d’origine n’est plus gardée."
    if len(sides) > 1:
        what = "ces faces ne sont pas revenues, et leur impression d’origine n’est plus gardée."
    where = f"face{'s' if len(sides) > 1 else ''}{NBSP}{', '.join(map(str, sides))}"
    return Problem(what, where, "Numérisez-les si vous les avez.")
