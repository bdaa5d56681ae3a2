"""What a school is answered when it mails scans: what was recognised, and what it has to do."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from docgen.errors import Problem
from docgen.mailing.letter import Words
from docgen.mailing.phrases import (
    AUTOMATIC,
    SHOWN,
    day_of,
    grouped,
    hour_of,
    listed,
    many,
    sentence,
    text_of,
)
from docgen.typography import NBSP

LINK = re.compile(r"://|www\.|@", re.IGNORECASE)
LONGEST = 60  # characters of a name


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedFile:
    """A file of scans that came by mail: its label as sent, and what became of its sides.

    `to_review` are the sides that await somebody: their number, from 1, and why. `problems` say why
    a file is refused. Without `is_read`, it is kept and not read yet.
    """

    label: str
    sides: int = 0
    known: int = 0
    blank: int = 0
    duplicates: int = 0
    to_review: tuple[tuple[int, str], ...] = ()
    problems: tuple[Problem, ...] = ()
    is_read: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedDocument:
    """A document that sides came home of: what it still wants, all of it empty when nothing.

    `missing` are sides, `unsigned` empty signature zones and `unseen` those that could not be
    looked at: side and label.
    """

    title: str
    reference: str
    missing: tuple[int, ...] = ()
    unsigned: tuple[tuple[int, str], ...] = ()
    unseen: tuple[tuple[int, str], ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Tell whether it wants nothing."""
        return not (self.missing or self.unsigned or self.unseen or self.problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A mail of scans that came, at what moment (in local time), and what was made of it.

    `refused` are attachments that were not taken: `where` is the label, `what` and `remedy` why.
    """

    uai: str
    school: str
    received_at: datetime
    files: tuple[ReceivedFile, ...] = ()
    documents: tuple[ReceivedDocument, ...] = ()
    refused: tuple[Problem, ...] = ()


def of_receipt(told: Received) -> Words:
    """Tell a school what was recognised in the scans it mailed, and what it has to do."""
    wanting = [each for each in told.documents if not each.is_complete]
    awaited = sum(len(each.to_review) for each in told.files)
    points = len(wanting) + awaited + len(told.refused)
    points += sum(bool(each.problems) for each in told.files)
    is_read = all(each.is_read for each in told.files)
    is_empty = not (told.files or told.refused)
    state = f"{many(points, 'point')} à traiter" if points else "rien à faire"
    if not is_read or is_empty:
        state = "aucun fichier" if is_empty else "lecture en cours"
    at = f"{day_of(told.received_at)} à {hour_of(told.received_at)}"
    subject = f"[{told.uai}] Numérisations reçues{NBSP}: {state} ({at})"
    complete = len(told.documents) - len(wanting)
    lines = [f"  • {line}" for each in wanting[:SHOWN] for line in _wants(each)]
    if len(wanting) > SHOWN:
        lines.append(f"  • … et {many(len(wanting) - SHOWN, 'autre document')} à compléter.")
    paragraphs = [
        "Bonjour,",
        f"Votre message du {day_of(told.received_at)} à {hour_of(told.received_at)} est arrivé.",
        *("\n".join(_of_file(each)) for each in told.files[:SHOWN]),
        *(f"{named(each.where)}{NBSP}: refusé. {sentence(each)}" for each in told.refused[:SHOWN]),
    ]
    if more := sum(max(0, len(each) - SHOWN) for each in (told.files, told.refused)):
        paragraphs.append(f"… et {many(more, 'autre fichier')}.")
    if told.documents:
        paragraphs.append(f"Documents complets{NBSP}: {complete} sur {len(told.documents)}.")
    if lines:
        paragraphs.append("\n".join((f"À compléter{NBSP}:", *lines)))
    if awaited:
        paragraphs.append("Les faces à regarder attendent dans docgen que quelqu’un les identifie.")
    if is_empty:
        paragraphs.append("Il ne contient aucun fichier. Joignez vos numérisations, en PDF.")
    elif not points and is_read:
        paragraphs.append("Tout est reconnu. Vous n’avez rien à faire.")
    return Words(subject, text_of([*paragraphs, AUTOMATIC]))


def named(label: str) -> str:
    """Give the name of a file as it may be told: anybody can write mails in a school's name.

    One that leads somewhere is not repeated: it would come from us.
    """
    if not label or LINK.search(label):
        return "Un fichier sans nom"
    return label if len(label) <= LONGEST else f"{label[: LONGEST - 1]}…"


def _of_file(told: ReceivedFile) -> Iterator[str]:
    label = named(told.label)
    if told.problems:
        yield f"{label}{NBSP}: refusé. {' '.join(map(sentence, told.problems))}"
        return
    if not told.is_read:
        yield f"{label}{NBSP}: bien reçu, lecture en cours."
        return
    counts = (
        (told.known, "reconnue"),
        (told.duplicates, "en double"),
        (told.blank, "blanche"),
    )
    parts = [many(number, what) for number, what in counts if number]
    if told.to_review:
        parts.append(f"{grouped(len(told.to_review))} à regarder")
    found = f", dont {', '.join(parts)}" if parts else ""
    if told.sides and told.known == told.sides:
        found = ", toutes reconnues" if told.sides > 1 else ", reconnue"
    if told.sides and told.duplicates == told.sides:
        found = ", toutes déjà reçues" if told.sides > 1 else ", déjà reçue"
    yield f"{label}{NBSP}: {many(told.sides, 'face')}{found}."
    for number, why in told.to_review[:SHOWN]:
        yield f"  • face{NBSP}{number}{NBSP}: {why or 'elle n’est pas reconnue.'}"
    if len(told.to_review) > SHOWN:
        yield f"  • … et {many(len(told.to_review) - SHOWN, 'autre face')}."


def _wants(told: ReceivedDocument) -> Iterator[str]:
    """Say what a document still wants, and what to do."""
    name = f"{told.title}, {told.reference}"
    if told.missing:
        faces = listed(told.missing)
        them = "les" if len(told.missing) > 1 else "la"
        yield f"{name}{NBSP}: il manque {faces}. Numérisez-{them}, et envoyez-{them} de même."
    for side, label in told.unsigned:
        zone = f"la case de signature «{NBSP}{label}{NBSP}», face{NBSP}{side}, est vide."
        yield f"{name}{NBSP}: {zone} Faites signer, puis renvoyez cette face."
    for side, label in told.unseen:
        zone = f"la case de signature «{NBSP}{label}{NBSP}», face{NBSP}{side}"
        yield f"{name}{NBSP}: {zone}, n’a pas pu être examinée. Regardez-la dans docgen."
    for problem in told.problems:
        yield f"{name}{NBSP}: {problem.what} {problem.remedy}".rstrip()
