"""What mails say, in French, when an attestation leaves; receipts and reminders have their own.

Facts are told, nothing else, and no person is named.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from docgen.attestations import Attestation, Period, count
from docgen.mailing.lateness import Late, of_reminder
from docgen.mailing.letter import Words
from docgen.mailing.phrases import (
    AUTOMATIC,
    INDENT,
    day_of,
    days,
    grouped,
    hour_of,
    many,
    postal,
    text_of,
)
from docgen.mailing.receiving import Received, ReceivedDocument, ReceivedFile, of_receipt
from docgen.region import Region
from docgen.typography import NBSP

__all__ = (
    "Attested",
    "Late",
    "Received",
    "ReceivedDocument",
    "ReceivedFile",
    "file_name",
    "of_attestation",
    "of_copy",
    "of_receipt",
    "of_reminder",
)


NAMED = 40  # characters of a school's name in a file name
TITLED = 100  # the same, in a subject
PROOF = ", qui permet de vérifier qu’il est intact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """A signed attestation that is mailed.

    `school` and `city` are names of places, `reply_to` the school's address. `reference` is printed
    on the `sides` of the paper, `sha256` is that of the whole signed file. `replaces` is the day
    when an earlier version was sent. This mail is `part` of `parts`. Lightened to `dpi` points per
    inch, the file attached has another digest, `light_sha256`.
    """

    uai: str
    school: str
    city: str
    attestation: Attestation
    region: Region
    reference: str
    sides: int
    sha256: str
    reply_to: str = ""
    replaces: date | None = None
    part: int = 1
    parts: int = 1
    dpi: float = 0
    light_sha256: str = ""


def of_attestation(told: Attested) -> Words:
    """Tell the region what it receives, and what will follow by post."""
    about = told.attestation
    # What tells mails apart comes first: lists cut subjects short.
    facts = [f"Attestation de cession n°{NBSP}{about.number}", about.school_year]
    if told.replaces:
        facts.append(f"remplace l’envoi du {day_of(told.replaces)}")
    place = f"{_shortened(told.school)} ({days(about.period)})"
    subject = f"[{told.uai}] {', '.join((*facts, *_part(told), place))}"
    paragraphs = [
        "Bonjour,",
        "Veuillez trouver ci-joint l’attestation de cession signée de l’établissement suivant.",
        "\n".join(_facts(told)),
        "\n".join(_enclosed(told)),
        *_notes(told),
        "L’original signé est adressé ensuite à la Région par la poste, avec son bordereau "
        "d’envoi.",
        _answer(told),
        AUTOMATIC,
    ]
    return Words(subject, text_of(paragraphs), file_name(told))


def of_copy(told: Attested, sent_at: datetime) -> Words:
    """Tell a school that its attestation was sent, in local time, and to post the original."""
    about = told.attestation
    facts = (
        f"Original à poster{NBSP}: attestation de cession n°{NBSP}{about.number}",
        about.school_year,
        *_part(told),
        f"envoyée à la Région le {day_of(sent_at)}",
    )
    subject = f"[{told.uai}] {', '.join(facts)}"
    paragraphs = [
        "Bonjour,",
        f"L’attestation de cession signée n°{NBSP}{about.number} de {about.school_year} "
        f"({days(about.period)}) a été envoyée par courriel à la Région le {day_of(sent_at)} à "
        f"{hour_of(sent_at)}, à l’adresse {told.region.mailbox}. En voici une copie.",
        f"Il vous reste à envoyer l’original par la poste, avec son bordereau d’envoi, édité en "
        f"même temps que l’attestation, à l’adresse suivante{NBSP}:",
        postal(told.region),
        "Puis indiquez dans docgen le jour où il est parti.",
        "\n".join(_enclosed(told)),
        *_notes(told),
        AUTOMATIC,
    ]
    return Words(subject, text_of(paragraphs), file_name(told))


def file_name(told: Attested) -> str:
    """Name the file attached, in ASCII: school, year, number, period, reference, then part."""
    about = told.attestation
    plain = unicodedata.normalize("NFKD", told.school).encode("ascii", "ignore").decode().lower()
    school = "-".join(re.findall("[a-z0-9]+", plain))[:NAMED].strip("-")
    facts = (told.uai, school, about.school_year, f"n{about.number}", *_ends(about.period))
    part = f"{told.part}sur{told.parts}" if told.parts > 1 else ""
    name = "-".join(filter(None, ("attestation", *facts, told.reference, part)))
    return f"{name}.pdf"


def _part(told: Attested) -> Iterator[str]:
    if told.parts > 1:
        yield f"partie {told.part} sur {told.parts}"


def _ends(period: Period) -> tuple[str, str]:
    return f"{period.start:%Y%m%d}", f"{period.end:%Y%m%d}"


def _shortened(school: str) -> str:
    return school if len(school) <= TITLED else f"{school[: TITLED - 1].rstrip()}…"


def _facts(told: Attested) -> Iterator[str]:
    about = told.attestation
    pupils, teachers = count(about.rows)
    rank = "complémentaire" if about.is_complementary else "la première de l’année scolaire"
    yield f"Établissement{NBSP}: {told.school}, {told.city}"
    yield f"UAI{NBSP}: {told.uai}"
    yield f"Année scolaire{NBSP}: {about.school_year}"
    yield f"Attestation{NBSP}: n°{NBSP}{about.number}, {rank}"
    yield f"Distribution{NBSP}: {days(about.period)}"
    people = f"{many(pupils, 'élève')}, {many(teachers, 'professeur')}"
    yield f"Cessions{NBSP}: {grouped(pupils + teachers)} ({people})"
    if late := len(about.late):
        yield f"Dont saisies tardives, de périodes déjà attestées{NBSP}: {grouped(late)}"
    if gone := len(about.withdrawn):
        yield f"Cessions retirées, annulées ou corrigées depuis{NBSP}: {grouped(gone)}"
    if told.reference:
        yield f"Référence{NBSP}: {told.reference}, {many(told.sides, 'face')}"


def _enclosed(told: Attested) -> Iterator[str]:
    """Say what the attachment is, and its digest."""
    yield f"Pièce jointe{NBSP}: {file_name(told)}"
    if told.parts > 1:
        yield f"C’est la partie {told.part} sur {told.parts} du fichier signé (PDF)."
        yield f"Empreinte SHA-256 du fichier entier{PROOF}{NBSP}:"
        yield told.sha256
    elif told.dpi:
        yield "C’est le document signé numérisé (PDF), allégé."
        yield f"Son empreinte SHA-256{PROOF}{NBSP}:"
        yield told.light_sha256
        yield f"Empreinte SHA-256 du fichier d’origine, gardé par docgen{NBSP}:"
        yield told.sha256
    else:
        yield "C’est le document signé numérisé (PDF)."
        yield f"Son empreinte SHA-256{PROOF}{NBSP}:"
        yield told.sha256


def _notes(told: Attested) -> Iterator[str]:
    if told.replaces:
        yield (
            f"Cet envoi remplace celui du {day_of(told.replaces)}{NBSP}: le fichier a été relié de "
            "nouveau, à partir d’autres numérisations."
        )
    if told.dpi:
        yield (
            f"Pour que le message passe, les images ont été ramenées à {told.dpi:.0f} points par "
            "pouce."
        )
    if told.parts > 1:
        yield (
            f"Le fichier est trop grand pour un seul message{NBSP}: il vient en {told.parts} "
            "parties. Chacune s’ouvre seule et contient des pages entières. Réunies dans un "
            f"dossier, elles redonnent le fichier entier, identique, par la commande{NBSP}:"
        )
        about = told.attestation
        which = f"{told.uai}-*-{about.school_year}-n{about.number}"
        yield f"{INDENT}docgen join attestation-{which}-*sur{told.parts}.pdf"


def _answer(told: Attested) -> str:
    if told.reply_to:
        return f"Votre réponse à ce message ira à l’établissement{NBSP}: {told.reply_to}."
    return "L’établissement n’a pas donné d’adresse électronique à docgen."
