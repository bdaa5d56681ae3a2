"""What people decide about scanned sides: assigned, turned, discarded, undone, each step kept.

Everything here is done once, in one transaction, on rows that are locked: of two people who decide
at the same moment, one is refused. `after` is the number of the last step that somebody saw when
deciding; without it, only what would harm is refused.
"""

from collections.abc import Iterable
from io import BytesIO
from typing import Any, TypeAlias

from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.db.models.functions import Now

from docgen.backoffice import candidates, gate, models, returns, store
from docgen.backoffice.candidates import proposals
from docgen.backoffice.events import tell
from docgen.backoffice.gate import Actor
from docgen.errors import DocgenError, InvalidInput, Problem
from docgen.scanning.sorting import REASONS
from docgen.typography import NBSP

__all__ = ["Conflict", "assign", "discard", "picture", "proposals", "queue", "sentence", "turn"]
Outcome = models.ScannedPage.Outcome
SETTLED = (Outcome.KNOWN, Outcome.BLANK, Outcome.DISCARDED)
IN_A_DOCUMENT = (Outcome.KNOWN, Outcome.DUPLICATE)
ASSIGN, DISPLACE, TURN, DISCARD = "assign", "displace", "turn", "discard"
Facts: TypeAlias = dict[str, Any]
GONE = Problem(
    "l’image de cette face n’est plus conservée.", "", "Numérisez de nouveau la feuille."
)
OWN_REASONS = {
    "displaced": "Quelqu’un a choisi un autre scan de cette face\u00a0: celui-ci est gardé.",
}


class Conflict(DocgenError):
    """Somebody else decided first, or what was decided no longer stands."""

    code = "conflict"


def queue(who: Actor, *, duplicates: bool = False) -> QuerySet[models.ScannedPage]:
    """Give the sides that somebody has to look at, among those that an actor sees."""
    done = SETTLED if duplicates else (*SETTLED, Outcome.DUPLICATE)
    wanted = [each for each in Outcome if each not in done]  # by name, as their index has them
    return gate.visible(models.ScannedPage, who).filter(outcome__in=wanted)


def documents_of(batch: models.ScanBatch, who: Actor) -> QuerySet[models.Return]:
    """Give the documents that sides of a batch went home to, among those that an actor sees."""
    here = models.ScannedPage.objects.filter(batch=batch, outcome__in=IN_A_DOCUMENT)
    rows = gate.visible(models.Return, who).filter(pk__in=here.values("back"))
    return with_sides(rows).order_by("reference")


def with_sides(rows: QuerySet[models.Return]) -> QuerySet[models.Return]:
    """Give documents with their sides, but for all that was read there: a thousand bytes each."""
    return rows.prefetch_related(Prefetch("pages", models.ScannedPage.objects.defer("reading")))


def is_binding(documents: Iterable[models.Return]) -> bool:
    """Tell whether any of these documents is still to be bound, or looked at for signatures."""
    wanted = {str(each.pk): each.school_id for each in documents}
    rows = models.Binding.objects.filter(
        school__in=set(wanted.values()), state__in=(models.State.WAITING, models.State.CLAIMED)
    )
    return any(each in wanted for row in rows for each, _ in row.returns)


def sentence(page: models.ScannedPage) -> str:
    """Say why a side is what it is, and what to do; "" when there is nothing to say."""
    return OWN_REASONS.get(page.reason) or REASONS.get(page.reason, "")


def last_step(page: models.ScannedPage) -> models.ReviewStep | None:
    """Give the last thing that was decided about a side, and not undone."""
    return page.steps.filter(undone_at=None).order_by("-pk").first()


@transaction.atomic
def assign(
    page: models.ScannedPage,
    reference: str,
    side: int,
    by: Actor,
    *,
    replace: bool = False,
    after: int | None = None,
) -> models.ScannedPage | None:
    """Send a side home by hand; give the scan that was there, now a duplicate, if there was one.

    Raises:
        InvalidInput: for a document or a side that it cannot be.
        Conflict: when another scan holds that side (unless it is to be replaced), or others
            decided meanwhile.
    """
    page = _fresh(page)
    target = candidates.find(reference, by, page.batch.school_id or "")
    number = target.number.hex()
    if returns.expected([number])[number].state == "cancelled":
        what = "le lot de ce document a été annulé."
        raise InvalidInput(Problem(what, "reference", "Faites-le refaire, ou écartez la face."))
    # Both at once, in their order: what somebody else holds is never waited for the wrong way.
    back = returns.awaited([number, *_numbers([page.back])])[number]
    page = _locked(page, [back, page.back], after)
    _require_place(page, target, side)
    holder = models.ScannedPage.objects.filter(back=back, side=side, outcome=Outcome.KNOWN).first()
    if holder and not replace:
        what = f"un autre scan tient déjà la face{NBSP}{side} de ce document."
        raise Conflict(Problem(what, "side", "Comparez-les, puis demandez à le remplacer."))
    displaced = None
    if holder:
        displaced = _changed(
            holder, DISPLACE, by, outcome=Outcome.DUPLICATE, reason="displaced", is_by_hand=False
        )
    facts: Facts = {"outcome": Outcome.KNOWN, "reason": "by-hand", "back_id": back.pk}
    step = _changed(page, ASSIGN, by, **facts, side=side, is_by_hand=True)
    if displaced:
        step.after["displaced"] = displaced.pk
        step.save(update_fields=["after"])
    tell(
        *("scan-assigned", str(page.public_id)),
        school=back.school_id,
        actor=by.label,
        side=side,
        document=str(back.pk),
    )
    returns.gather([back.pk])
    return holder


@transaction.atomic
def turn(page: models.ScannedPage, degrees: int, by: Actor, *, after: int | None = None) -> None:
    """Turn a side clockwise, by a quarter, half or three quarters.

    Raises:
        InvalidInput: for another angle.
        Conflict: when others decided meanwhile.
    """
    if degrees not in (90, 180, 270):
        what = "une face se tourne de 90, 180 ou 270 degrés."
        raise InvalidInput(Problem(what, "degrees", "Choisissez l’un des trois."))
    page = _fresh(page)
    page = _locked(page, [page.back], after)
    _changed(page, TURN, by, turned=(page.turned + degrees) % 360)
    _tell(page, "scan-turned", by, degrees=degrees)
    _touch(page)


@transaction.atomic
def discard(page: models.ScannedPage, note: str, by: Actor, *, after: int | None = None) -> None:
    """Set a side aside, for a reason; it is kept, and `undo` brings it back.

    Raises:
        InvalidInput: without a reason.
        Conflict: when it is discarded already, or others decided meanwhile.
    """
    if not note.strip():
        raise InvalidInput(Problem("la raison manque.", "note", "Dites pourquoi en quelques mots."))
    back = _fresh(page).back
    page = _locked(page, [back], after)
    if page.outcome == Outcome.DISCARDED:
        raise Conflict(Problem("cette face est déjà écartée.", "", "Rechargez la page."))
    facts: Facts = {
        "outcome": Outcome.DISCARDED,
        "back_id": None,
        "side": None,
        "is_by_hand": False,
    }
    _changed(page, DISCARD, by, note=note.strip()[:200], **facts)
    _tell(page, "scan-discarded", by)
    if back:
        returns.gather([back.pk])


@transaction.atomic
def undo(page: models.ScannedPage, by: Actor, *, after: int | None = None) -> None:
    """Undo the last step about a side, and what it did to another one.

    Raises:
        Conflict: when there is none, when another scan has the place by now, or others decided
            meanwhile.
    """
    page, step = _fresh(page), last_step(page)
    if step is None:
        raise Conflict(Problem("il n’y a rien à annuler sur cette face.", "", "Rechargez la page."))
    wanted = {step.before["back"], page.back_id} - {None}
    touched = list(models.Return.objects.filter(pk__in=wanted))
    page = _locked(page, touched, step.pk if after is None else after)
    _restore(page, step)
    displaced = models.ReviewStep.objects.filter(
        pk=step.after.get("displaced"), undone_at=None, page__outcome=Outcome.DUPLICATE
    ).first()
    if displaced and last_step(displaced.page) == displaced:
        _restore(displaced.page, displaced)
    _tell(page, "scan-undone", by, step=step.action)
    returns.gather(row.pk for row in touched)


def picture(page: models.ScannedPage) -> bytes:
    """Give the picture of a side, upright, turned as somebody turned it: a JPEG; b"" without one.

    Raises:
        FileNotFoundError: when the pictures of its batch are no longer kept.
    """
    start, length = page.reading.get("preview", (0, 0))
    if not length:
        return b""
    if not page.part.previews:
        raise FileNotFoundError("not kept")
    with store.opened(page.part.previews) as stream:
        stream.seek(start)
        content: bytes = stream.read(length)
    return _turned(content, page.turned) if page.turned else content


def _turned(content: bytes, degrees: int) -> bytes:
    from PIL import Image

    quarter = {
        90: Image.Transpose.ROTATE_270,  # Pillow counts the other way round
        180: Image.Transpose.ROTATE_180,
        270: Image.Transpose.ROTATE_90,
    }[degrees]
    made = BytesIO()
    with Image.open(BytesIO(content)) as image:
        image.transpose(quarter).save(made, "JPEG", quality=80)
    return made.getvalue()


def _fresh(page: models.ScannedPage) -> models.ScannedPage:
    return models.ScannedPage.objects.select_related("batch", "back").get(pk=page.pk)


def _locked(
    page: models.ScannedPage, backs: Iterable[models.Return | None], after: int | None
) -> models.ScannedPage:
    """Lock the documents, then the side: always in that order; give the side as it is now."""
    held = returns.awaited(_numbers(backs)).values()
    wanted = {back.pk for back in held}
    rows = models.ScannedPage.objects.select_for_update(of=("self",))
    now = rows.select_related("batch", "back", "part").get(pk=page.pk)
    step = last_step(now)
    is_stale = after is not None and after != (step.pk if step else 0)
    if is_stale or (now.back_id and now.back_id not in wanted):
        what = "quelqu’un d’autre a décidé de cette face entre-temps."
        raise Conflict(Problem(what, "", "Rechargez-la, puis recommencez."))
    if returns.closed(held):
        what = "ce document est relié, et ses scans ne sont plus gardés\u00a0: il reste tel quel."
        raise Conflict(Problem(what, "", "Gardez le papier, s’il dit autre chose."))
    return now


def _numbers(backs: Iterable[models.Return | None]) -> list[str]:
    return [bytes(back.number).hex() for back in backs if back]


def _require_place(page: models.ScannedPage, target: candidates.Target, side: int) -> None:
    """Refuse a place that a side cannot have: its own code, its image or the document says no."""
    problems = []
    if page.outcome in (Outcome.KNOWN, Outcome.DISCARDED):
        what = "cette face est déjà rangée, ou écartée."
        raise Conflict(Problem(what, "", "Annulez d’abord ce qui a été décidé."))
    if not 1 <= side <= target.sides:
        what = f"ce document a {target.sides} faces."
        problems.append(Problem(what, "side", f"Donnez une face de 1 à {target.sides}."))
    if not page.reading.get("preview", (0, 0))[1]:
        what = "l’image de cette face n’a pas pu être ouverte."
        problems.append(Problem(what, "", "Numérisez de nouveau la feuille."))
    elif not page.part.copy:
        problems.append(GONE)
    own = candidates.places(page)
    if page.outcome == Outcome.FOREIGN or (own and (target.number, side) not in own):
        what = "le code de cette face dit autre chose\u00a0: elle n’ira pas dans ce document."
        problems.append(Problem(what, "reference", sentence(page) or "Regardez la feuille."))
    if problems:
        raise InvalidInput(problems)


def _changed(
    page: models.ScannedPage, action: str, by: Actor, *, note: str = "", **facts: object
) -> models.ReviewStep:
    """Change a side, and keep what it was."""
    before = _state(page)
    for name, value in facts.items():
        setattr(page, name, value)
    page.save(update_fields=[name.removesuffix("_id") for name in facts])
    return models.ReviewStep.objects.create(
        page=page, action=action, before=before, after=_state(page), note=note, by=by.label
    )


def _state(page: models.ScannedPage) -> dict[str, Any]:
    return {
        "outcome": str(page.outcome),
        "reason": page.reason,
        "back": str(page.back_id) if page.back_id else None,
        "side": page.side,
        "turned": page.turned,
        "is_by_hand": page.is_by_hand,
    }


def _restore(page: models.ScannedPage, step: models.ReviewStep) -> None:
    """Make a side what it was before a step, unless another scan has its place by now."""
    facts = dict(step.before)
    back = facts.pop("back")
    if back and not models.Return.objects.filter(pk=back).exists():
        what = "le document où était cette face n’est plus conservé."
        raise Conflict(Problem(what, "", "Ce qui a été décidé reste ainsi."))
    if facts["outcome"] == Outcome.KNOWN:
        if not page.part.copy:
            raise InvalidInput(GONE)
        rivals = models.ScannedPage.objects.filter(
            back=back, side=facts["side"], outcome=Outcome.KNOWN
        )
        if rivals.exclude(pk=page.pk).exists():
            what = "un autre scan tient maintenant cette place."
            raise Conflict(Problem(what, "", "Annulez d’abord ce qui l’y a mis."))
    models.ScannedPage.objects.filter(pk=page.pk).update(back=back, **facts)
    models.ReviewStep.objects.filter(pk=step.pk).update(undone_at=Now())


def _tell(page: models.ScannedPage, kind: str, by: Actor, **facts: object) -> None:
    school = page.batch.school_id or (page.back.school_id if page.back else "")
    tell(kind, str(page.public_id), school=school, actor=by.label, **facts)


def _touch(page: models.ScannedPage) -> None:
    if page.back and page.outcome == Outcome.KNOWN:
        returns.gather([page.back.pk])
