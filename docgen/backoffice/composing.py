"""The mails of a delivery, composed: what they say and hold, and the rows that hand them over.

What is needed is read by the parent (`begin`); the child cuts the signed file and writes the mails
(`make`), without a database; the parent keeps them (`finish`). The same delivery composed again
gives the same bytes, but for mails that came back: those have another Message-ID.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from docgen.backoffice import (
    attestations,
    claims,
    departures,
    letters,
    queue,
    registers,
    stages,
    store,
)
from docgen.backoffice.models import Delivery, Message, Return, State
from docgen.backoffice.models.deliveries import Posting
from docgen.backoffice.post import address_fault
from docgen.datafolder import data_folder
from docgen.errors import InvalidInput, Problem
from docgen.mailing import letter, words
from docgen.mailing.letter import Letter
from docgen.mailing.words import Attested
from docgen.region import read_region

OPEN_STAGES = (Return.Stage.PARTIAL, Return.Stage.EMPTY)
GONE = Problem("le document signé n’est plus gardé.", "", "Numérisez-le de nouveau.")
TOO_HEAVY = Problem(
    "ce document demande trop de temps pour être préparé.",
    "",
    "Numérisez-le à 200 points par pouce.",
)
INCOMPLETE = Problem("une face en a été retirée.", "", "Attendez qu’il soit de nouveau complet.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What composing a delivery takes; `sent_at` is when the region was sent what this copies.

    `key` names the delivery and for whom it is; `openings` tells, by part, how often a mail of that
    name was accepted already. `letter` is that of every part, but for what it says and holds.
    """

    path: Path
    told: Attested
    sent_at: datetime | None
    letter: Letter
    key: str
    openings: Mapping[int, int]
    most: int
    is_lightened: bool


def begin(row: Delivery) -> Wanted | None:
    """Give what composing a delivery takes; None when it is held, refused or put off, with why."""
    if row.back and row.back.stage in OPEN_STAGES:
        _hold(row, [INCOMPLETE])
        return None
    try:
        place, path = read_region(None, data_folder()), letters.file(row.sha256)
    except InvalidInput as error:  # that of all, not of this one: it is mended once
        problems = claims.as_lists(error.problems)
        claims.again(row, delayed_until=claims.later(departures.PATIENCE), problems=problems)
        return None
    except FileNotFoundError:
        fail(row, [GONE])
        return None
    post, school = departures.post(), registers.school(row.school)
    region = row
    if row.role == Delivery.Role.COPY:
        same = Delivery.objects.filter(attestation=row.attestation_id, version=row.version)
        region = same.get(role=Delivery.Role.REGION)
    reply_to = "" if address_fault(school.email) else school.email
    paper = row.attestation.papers.filter(is_mailed=True).order_by("created_at").last()
    back = row.back
    told = Attested(
        uai=school.uai,
        school=school.name,
        city=school.city,
        attestation=attestations.frozen(row.attestation),
        region=replace(place, mailbox=region.recipient),
        reference=back.reference if back else paper.reference if paper else "",
        sides=back.sides if back else paper.sides if paper else 0,
        sha256=row.sha256,
        reply_to=reply_to,
        replaces=_last_sent(region),
    )
    is_copy = row.role == Delivery.Role.COPY
    common = Letter(
        message_id="",
        at=row.created_at,
        sender=post.sender,
        sender_name=letters.SENDER_NAME,
        recipient=post.redirect or row.recipient,
        words=letter.Words("", ""),
        reply_to="" if is_copy else reply_to,
        redirected_from=row.recipient if post.redirect else "",
    )
    key = departures.key(row, row.recipient)
    return Wanted(
        path=path,
        told=told,
        sent_at=timezone.localtime(region.sent_at or row.created_at) if is_copy else None,
        letter=common,
        key=key,
        openings=_openings(key),
        most=post.most,
        is_lightened=post.is_lightened,
    )


def make(wanted: Wanted, folder: Path) -> list[dict[str, Any]]:
    """Write the mails of a delivery into a folder; be the child.

    Raises:
        InvalidInput: for a file that cannot be cut, or what cannot stand in a mail.
    """
    pieces, told = _pieces(wanted, folder)
    made = []
    for part, piece in enumerate(pieces, 1):
        said = replace(told, part=part, parts=len(pieces))
        at = wanted.sent_at
        spoken = words.of_copy(said, at) if at else words.of_attestation(said)
        key, opening = f"{wanted.key}.{part}", wanted.openings.get(part, 0)
        identifier = letter.message_id(key, opening, wanted.letter.sender.rpartition("@")[2])
        whole = replace(wanted.letter, message_id=identifier, words=spoken, attachment=piece)
        path = folder / f"{part}.eml"
        with path.open("wb") as stream:
            letter.write(whole, stream)
        made.append(
            {
                "key": key,
                "opening": opening,
                "message_id": identifier,
                "subject": spoken.subject,
                "part": part,
                "parts": len(pieces),
                "sent_to": whole.recipient,
                "is_test": bool(whole.redirected_from),
                "file": path.name,
                "size": path.stat().st_size,
            }
        )
    return made


def finish(row: Delivery, made: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> bool:
    """Record the mails of a delivery, which leave from now on; False when the claim was lost.

    `names` are those in the store, by file.

    Raises:
        FileNotFoundError: when one was dropped since it was kept.
    """
    with transaction.atomic():
        delivery = stages.held(row.pk)
        store.require(names.values())
        is_test = any(each["is_test"] for each in made)
        if not claims.finish(row, problems=[], stage=Posting.NEW, is_test=is_test):
            return False
        stages.mails(delivery).exclude(key__in=[each["key"] for each in made]).update(
            stage=Posting.REPLACED, state=State.CANCELLED, token=F("token") + 1
        )
        rows = [_keep(delivery, each, names[each["file"]]) for each in made]
        transaction.on_commit(lambda: queue.ring(queue.SEND, [each.pk for each in rows]))
    return True


def fail(row: Delivery, problems: list[Problem]) -> bool:
    """Record why a delivery cannot be composed."""
    with transaction.atomic():
        stages.held(row.pk)
        if not claims.fail(row, problems, stage=Posting.REFUSED):
            return False
        stages.say("delivery-refused", row, problems=len(problems))
    return True


def _hold(row: Delivery, problems: list[Problem]) -> None:
    with transaction.atomic():
        stages.held(row.pk)
        if claims.fail(row, problems, stage=Posting.HELD):
            stages.say("delivery-held", row, problems=len(problems))


def _last_sent(region: Delivery) -> Any:  # noqa: ANN401
    """Give the day when an older version reached the region; None when none did."""
    older = Delivery.objects.filter(attestation=region.attestation_id, role=region.role)
    sent = older.filter(version__lt=region.version, stage=Posting.SENT, is_test=False)
    last = sent.order_by("version").last()
    return timezone.localtime(last.sent_at).date() if last and last.sent_at else None


def _openings(key: str) -> dict[int, int]:
    """Tell the opening of each part: one more than that of a mail that was accepted already."""
    rows = Message.objects.filter(key__startswith=f"{key}.")
    return {row.part: row.opening + (row.sent_at is not None) for row in rows}


def _pieces(wanted: Wanted, folder: Path) -> tuple[list[Path], Attested]:
    most = letter.attachment_most(wanted.most)
    if wanted.path.stat().st_size <= most:
        return [wanted.path], wanted.told
    # What opens PDFs is heavy, and most files need none of it.
    from docgen.mailing import lightening, splitting

    if not wanted.is_lightened:
        return splitting.split(wanted.path, most, folder), wanted.told
    light = folder / "light.pdf"
    dpi = lightening.lighten(wanted.path, most, light)
    return [light], replace(wanted.told, dpi=dpi, light_sha256=store.digest(light))


def _keep(delivery: Delivery, made: Mapping[str, Any], name: str) -> Message:
    facts = ("part", "parts", "opening", "message_id", "subject", "size", "sent_to")
    row, _ = Message.objects.update_or_create(
        key=made["key"],
        defaults={
            **{fact: made[fact] for fact in facts},
            "kind": Message.Kind.DELIVERY,
            "school_id": delivery.school_id,
            "delivery": delivery,
            "recipient": delivery.recipient,
            "sha256": name,
            "stage": Posting.NEW,
            "state": State.WAITING,
            "delayed_until": None,
            "problems": [],
            "sent_at": None,
            **dict.fromkeys(("deaths", "lost", "delays"), 0),
        },
    )
    return row
