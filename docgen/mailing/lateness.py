"""What a school is reminded of, and what it has to do about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

from docgen.attestations import Period
from docgen.mailing.letter import Words
from docgen.mailing.phrases import AUTOMATIC, day_of, days, many, postal, text_of
from docgen.region import Region
from docgen.typography import NBSP

Kind: TypeAlias = Literal["not-returned", "not-attested", "year-ends", "not-received"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """Something late at a school. What is told of it depends on its kind.

    - not-returned: `number`, `period`, `reference`, `since` the day of issue;
    - not-attested: `pupils`, `teachers`, `since` the day of the oldest cession;
    - year-ends: `pupils`, `teachers`, `last_day` of the school year;
    - not-received: `number`, `period`, `reference`, `since` the day of the mail, `posted_date`.

    `scans_to` is the address that takes scans, when there is one.
    """

    kind: Kind
    uai: str
    school: str
    school_year: str
    region: Region
    number: int = 0
    period: Period | None = None
    reference: str = ""
    since: date | None = None
    pupils: int = 0
    teachers: int = 0
    last_day: date | None = None
    posted_date: date | None = None
    scans_to: str = ""


def of_reminder(told: Late) -> Words:
    """Remind a school of what is late, and of what to do."""
    which = f"attestation de cession n°{NBSP}{told.number}, {told.school_year}"
    titles = {
        "not-returned": f"{which}, à renvoyer signée",
        "not-attested": f"{_cessions(told)} à attester, {told.school_year}",
        "year-ends": f"attestation complémentaire à établir, {told.school_year}",
        "not-received": f"{which}, original non reçu",
    }
    texts = {
        "not-returned": _not_returned,
        "not-attested": _not_attested,
        "year-ends": _year_ends,
        "not-received": _not_received,
    }
    subject = f"[{told.uai}] Rappel{NBSP}: {titles[told.kind]}"
    return Words(subject, text_of(["Bonjour,", *texts[told.kind](told), AUTOMATIC]))


def _not_returned(told: Late) -> Iterator[str]:
    yield (
        f"L’attestation de cession n°{NBSP}{told.number} de {told.school_year}{_period(told)} a "
        f"été éditée{_since(told)}. Elle n’est pas encore revenue signée."
    )
    way = f" ou envoyez-la par courriel à {told.scans_to}" if told.scans_to else ""
    yield (
        "Faites-la signer par le chef d’établissement, numérisez toutes ses faces (référence "
        f"{told.reference}), puis déposez la numérisation dans docgen{way}. Elle partira alors "
        "pour la Région."
    )


def _not_attested(told: Late) -> Iterator[str]:
    oldest = f" La plus ancienne date du {day_of(told.since)}." if told.since else ""
    yield f"{_cessions(told, is_first=True)} {_are(told)} sur aucune attestation.{oldest}"
    yield (
        "Éditez dans docgen l’attestation de la période de distribution, faites-la signer par le "
        "chef d’établissement, et numérisez-la."
    )


def _year_ends(told: Late) -> Iterator[str]:
    end = f" le {day_of(told.last_day)}" if told.last_day else " bientôt"
    yield (
        f"L’année scolaire {told.school_year} se termine{end}. "
        f"{_cessions(told, is_first=True)} {_are(told)} sur aucune attestation."
    )
    yield (
        "La Région demande, avant la fin de l’année scolaire, une attestation complémentaire pour "
        "les cessions faites après la période déjà attestée. Éditez-la dans docgen, faites-la "
        "signer par le chef d’établissement, et numérisez-la."
    )


def _not_received(told: Late) -> Iterator[str]:
    mailed = f" Sa copie numérisée est partie{_since(told)}." if told.since else ""
    yield (
        f"La Région n’a pas encore reçu l’original de l’attestation de cession n°{NBSP}"
        f"{told.number} de {told.school_year}{_period(told)}, référence {told.reference}.{mailed}"
    )
    if told.posted_date:
        yield (
            f"Vous l’avez indiqué posté le {day_of(told.posted_date)}. Vérifiez son envoi, et "
            f"l’adresse{NBSP}:"
        )
    else:
        yield (
            "S’il est parti, indiquez dans docgen quel jour. Sinon, envoyez-le par la poste, avec "
            f"son bordereau d’envoi, à l’adresse suivante{NBSP}:"
        )
    yield postal(told.region)


def _cessions(told: Late, *, is_first: bool = False) -> str:
    """Count cessions and their people; where they are first told of, say of what they are."""
    number = told.pupils + told.teachers
    what = many(number, "cession")
    if is_first:
        what += " de tablettes" if number > 1 else " de tablette"
    people = [
        many(count, who)
        for count, who in ((told.pupils, "élève"), (told.teachers, "professeur"))
        if count
    ]
    return f"{what} ({', '.join(people)})" if people else what


def _are(told: Late) -> str:
    return "ne sont" if told.pupils + told.teachers > 1 else "n’est"


def _period(told: Late) -> str:
    return f" ({days(told.period)})" if told.period else ""


def _since(told: Late) -> str:
    return f" le {day_of(told.since)}" if told.since else ""
