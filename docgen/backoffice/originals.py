"""The paper original of an attestation, on its way: fetched to print, posted, received.

What is received is told by the paper itself: the code of any of its sides, or the reference printed
beside it. Every step has a way back, and done twice it is done once.
"""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone

from docgen import pagecode
from docgen.backoffice import gate
from docgen.backoffice.events import tell
from docgen.backoffice.gate import Actor
from docgen.backoffice.models import Attestation, Document, Original, Paper, State
from docgen.datafolder import data_folder, page_code_keys
from docgen.errors import CodeRefused, InvalidInput, Problem
from docgen.typography import date_in_words, french

MAILED = "attestation-cession"  # the paper of an attestation that the region wants
TYPED = "Tapez la référence imprimée à côté du code\u00a0: AT-XXXX-XXXX."
T = TypeVar("T")


def fetched(attestation: Attestation, by: str) -> None:
    """Record that somebody fetched the file of an attestation to print it; the first time counts.

    A download changes nothing when it is not the first: it writes nothing then.
    """
    if Original.objects.filter(pk=attestation.pk, fetched_at__isnull=False).exists():
        return
    with transaction.atomic():
        row = _held(attestation)
        if row.fetched_at is None:
            row.fetched_at, row.fetched_by = timezone.now(), by
            _keep(row, "original-fetched", by)


def posted(attestation: Attestation, on: date, by: str, today: date) -> Original:
    """Record the day when a school put an original in the post; a second day corrects the first.

    Raises:
        InvalidInput: for a day before the attestation was issued, or one to come.
    """
    issued_date = date.fromisoformat(attestation.record["issued_date"])
    if on > today:
        what = "ce jour n’est pas encore venu."
        raise InvalidInput(Problem(what, "on", "Indiquez le jour où l’original est parti."))
    if on < issued_date:
        what = f"l’attestation n’a été éditée que le {date_in_words(issued_date)}."
        raise InvalidInput(Problem(what, "on", "Indiquez le jour où l’original est parti."))
    with transaction.atomic():
        row = _held(attestation)
        if row.posted_date != on:
            row.posted_date, row.posted_by = on, by
            _keep(row, "original-posted", by)
    return row


def not_posted(attestation: Attestation, by: str) -> Original:
    """Take back that an original was posted.

    Raises:
        InvalidInput: when nobody said that it was.
    """
    with transaction.atomic():
        row = _held(attestation)
        if row.posted_date is None:
            what = "cet original n’est pas indiqué posté."
            raise InvalidInput(Problem(what, "", "Il n’y a rien à annuler."))
        row.posted_date, row.posted_by = None, ""
        _keep(row, "original-post-undone", by)
    return row


def received(code_or_reference: str, who: Actor, now: datetime) -> Original:
    """Record that the region has an original, by the code of one of its sides or its reference.

    Received before, it stays received then: its `received_at` is not `now`.

    Raises:
        InvalidInput: when the paper is not that of an attestation, or is not the last print of it.
    """
    attestation = find(code_or_reference, who)
    with transaction.atomic():
        row = _held(attestation)
        if row.received_at is None:
            row.received_at, row.received_by = now, who.label
            _keep(row, "original-received", who.label)
    return row


def not_received(attestation: Attestation, by: str) -> Original:
    """Take back that an original was received.

    Raises:
        InvalidInput: when it was not.
    """
    with transaction.atomic():
        row = _held(attestation)
        if row.received_at is None:
            what = "cet original n’est pas enregistré comme reçu."
            raise InvalidInput(Problem(what, "", "Il n’y a rien à annuler."))
        row.received_at, row.received_by = None, ""
        _keep(row, "original-receipt-undone", by)
    return row


def find(code_or_reference: str, who: Actor) -> Attestation:
    """Give the attestation of a paper, among those that somebody sees.

    Raises:
        InvalidInput: for what is not its code nor its reference, or is those of an older print.
    """
    text = "".join(code_or_reference.split()).upper()
    facts: dict[str, object]
    if text.startswith(pagecode.PREFIX):
        code = _read(lambda: pagecode.parse(text, page_code_keys(data_folder())))
        facts = {"number": code.document}
    else:
        facts = {"reference": _read(lambda: pagecode.parse_reference(text))}
    rows = gate.visible(Paper, who).filter(**facts).select_related("attestation")
    paper = rows.order_by("-is_mailed", "-created_at", "-pk").first()
    if paper is None or not paper.is_mailed or paper.attestation is None:
        raise InvalidInput(_not_an_attestation(paper, facts, who))
    attestation = paper.attestation
    if attestation.state == State.CANCELLED:
        raise _refused("cette attestation a été annulée.", "Demandez celle qui la remplace.")
    prints = Paper.objects.filter(attestation=attestation, slug=paper.slug)
    if prints.filter(created_at__gt=paper.created_at).exists():
        what = "c’est une impression que l’établissement a remplacée depuis."
        raise _refused(what, "Demandez-lui l’original de la dernière.")
    return attestation


def facts(attestation: Attestation) -> dict[str, Any]:
    """Tell where the original of an attestation is."""
    row = getattr(attestation, "original", None)
    steps = ("fetched_at", "posted_date", "received_at")
    return {
        "attestation": attestation.public_id,
        "school": attestation.school_id,
        "school_year": attestation.school_year,
        "number": attestation.number,
        "reference": attestation.references.get(MAILED, ""),
        **{name: getattr(row, name, None) for name in steps},
    }


def _read(read: Callable[[], T]) -> T:
    try:
        return read()
    except CodeRefused as error:
        problems = [Problem(french(each.what), "code", TYPED) for each in error.problems]
        raise InvalidInput(problems) from error


def _not_an_attestation(paper: Paper | None, facts: dict[str, object], who: Actor) -> Problem:
    """Say what a paper is, when it is not an attestation."""
    title = paper.title if paper else ""
    if paper is None:
        found = gate.visible(Document, who).filter(**facts)
        names = found.values_list("volume__job__template__slug", flat=True)
        title = names.first() or ""
    if title:
        what = f"c’est le code d’un autre document («\u00a0{title}\u00a0»)."
        return Problem(what, "code", "Prenez une face de l’attestation elle-même.")
    what = "aucune attestation connue ne porte ce code ou cette référence."
    return Problem(what, "code", "Vérifiez que la feuille est une attestation de cession.")


def _refused(what: str, remedy: str) -> InvalidInput:
    return InvalidInput(Problem(what, "code", remedy))


def _held(attestation: Attestation) -> Original:
    """Hold the row of an original until the transaction ends; make it when there is none."""
    facts = {"school_id": attestation.school_id}
    Original.objects.get_or_create(attestation=attestation, defaults=facts)
    return Original.objects.select_for_update().get(pk=attestation.pk)


def _keep(row: Original, kind: str, by: str) -> None:
    row.save()
    tell(kind, str(row.attestation.public_id), school=row.school_id, actor=by)
