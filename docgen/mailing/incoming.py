"""A mail that came, from its bytes to what it is: scans, a notice, an automatic answer, or none.

A mail is a stranger's file: it is read in a child with limits. What could wear a reader out is
counted before anything is parsed, and nothing inside a mail is opened: archives and mails in mails
are refused with a sentence.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email import policy
from email.errors import MessageError
from email.message import Message
from email.parser import BytesParser
from pathlib import Path
from typing import TypeAlias

from docgen.mailing import believing, bounces, parts, senders
from docgen.mailing.believing import Belief
from docgen.mailing.bounces import Bounce
from docgen.mailing.parts import Attached, TooMuch
from docgen.mailing.senders import House
from docgen.typography import french

__all__ = ["REASONS", "Attached", "House", "Incoming", "read"]
MOST = 100 << 20  # bytes of a mail that is read: 70 MB of files, which takes some 700 MB
MOST_OF_HEADERS, MOST_HEADERS = 256 << 10, 500  # bytes and lines before the text
MOST_OF_A_FIELD = 4 << 10  # characters of a type or a name, which take time by their square
MOST_LINES = 3 << 20  # more than twice those of the largest mail, in base64
MOST_NESTED = 40  # parts that hold parts, anywhere in a mail
BLOCK = 1 << 20
HOLDS_PARTS = re.compile(rb"content-type\s{0,80}:\s{0,80}(?:multipart|message)/")
REASONS: Mapping[str, str] = {
    key: french(text)
    for key, text in {
        # Why a mail is put aside: who sent it, or how it is made.
        "no-sender": "ce message ne dit pas qui l'envoie.",
        "many-senders": "ce message se dit de plusieurs expéditeurs.",
        "strange-sender": "l'expéditeur de ce message n'est pas une adresse.",
        "unknown-sender": "cet expéditeur n'est pas de ceux qui peuvent envoyer.",
        "not-authentic": "notre serveur dit que ce message n'est pas de qui il se dit.",
        "too-large": "ce message est trop lourd : il est resté dans la boîte.",
        "too-heavy": "ce message demande trop de mémoire ou de temps pour être lu.",
        "too-many-parts": "ce message est fait de trop de parties.",
        "too-deep": "les parties de ce message s'emboîtent trop.",
        "too-many-headers": "les en-têtes de ce message sont démesurés.",
        "broken": "ce message est mal formé.",
        "partial": "ce message n'est qu'un morceau d'un autre.",
        "never-read": "personne n'a pu lire ce message à temps.",
        "dismissed": "quelqu'un a regardé ce message et l'a écarté.",
        # Why a file is not taken.
        "archive": "c'est une archive : envoyez les fichiers eux-mêmes.",
        "mail-inside": "c'est un message joint : envoyez les fichiers eux-mêmes.",
        "winmail": "c'est un winmail.dat : envoyez le message au format texte ou HTML.",
        "encrypted": "c'est chiffré : envoyez les fichiers en clair.",
        "uuencoded": "ce fichier est dans le texte (uuencode) : envoyez-le en pièce jointe.",
        "wrong-type": "ce n'est pas une numérisation : PDF, TIFF, JPEG, PNG ou HEIC.",
        "empty-file": "ce fichier est vide : numérisez de nouveau.",
        "cut": "ce fichier est incomplet : renvoyez-le.",
        "refused-file": "ce fichier ne peut pas être lu.",
        "decoration": "c'est une image du texte, ou une signature.",
        # What a mail is.
        "no-file": "ce message ne porte aucun fichier.",
        "answer": "c'est une réponse à un de nos messages, sans fichier.",
        "own-mail": "c'est un de nos propres messages.",
        "automatic-answer": "c'est une réponse automatique.",
        "mailing-list": "ce message vient d'une liste de diffusion.",
        "notice-of-others": "cet avis ne dit rien d'un message de nous.",
        "by-hand": "quelqu'un a regardé ce message et l'a fait prendre.",
    }.items()
}
# Of several reasons why nothing was taken, the one that a mail is put aside for.
GRAVEST = (*("encrypted", "archive", "mail-inside", "winmail", "uuencoded", "wrong-type"),)
# Put aside for its files alone: its sender can do better, and may be told so.
OF_FILES = frozenset((*GRAVEST, "empty-file", "cut", "refused-file"))
Parsed: TypeAlias = "Message[str, str]"


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a mail is: `verdict` and the key of its reason, as tables name them.

    `sender` is its one address, in lower case; `is_believed`: our own mail server vouches for it.
    `is_answerable`: it was not sent by a machine, and answers nothing of ours.
    """

    verdict: str
    reason: str = ""
    sender: str = ""
    message_id: str = ""
    attachments: list[Attached] = field(default_factory=list)
    bounces: list[Bounce] = field(default_factory=list)
    is_believed: bool = False
    is_answerable: bool = False


class Weighed(policy.Compat32):
    """How the library reads a mail, which takes a type apart while it reads."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """Read a header.

        Raises:
            TooMuch: for one about what a part holds that is too long to be taken apart.
        """
        name = sourcelines[0][:8].lower()
        if name == "content-" and sum(map(len, sourcelines)) > MOST_OF_A_FIELD:
            raise TooMuch("too-many-headers")
        return super().header_source_parse(sourcelines)


def read(path: Path, folder: Path, house: House) -> Incoming:
    """Read a mail, and write its scans into a folder, under numbers."""
    try:
        _weigh(path)
        with path.open("rb") as stream:
            message = BytesParser(policy=Weighed()).parse(stream)
        return _judged(message, folder, house)
    except TooMuch as error:
        return Incoming("quarantine", str(error))
    except RecursionError:
        return Incoming("quarantine", "too-deep")
    except (MessageError, ValueError, LookupError, TypeError, AssertionError, AttributeError):
        return Incoming("quarantine", "broken")  # the library's ways to fail on what is no mail


def _judged(message: Parsed, folder: Path, house: House) -> Incoming:
    sender, fault = senders.sender(message)
    trust = believing.belief(message, sender, house.authserv)
    known = Incoming("", sender=sender, message_id=senders.message_id(message))
    if not house.is_taken and (found := _before_files(message, known, fault, trust, house)):
        return found
    attachments = parts.take(message, folder)
    is_machine = senders.is_machine(message, sender)
    verdict, reason = _verdict(attachments)
    if verdict != "scans" and not house.is_taken:
        if senders.is_daemon(message, sender):
            return replace(known, verdict="automatic", reason="notice-of-others")
        if is_machine:
            return replace(known, verdict="automatic", reason="automatic-answer")
        if verdict == "empty" and senders.answers_us(message, house):
            return replace(known, verdict="empty", reason="answer")
    return replace(
        known,
        verdict=verdict,
        reason=reason,
        attachments=attachments,
        is_believed=trust == "pass" and not house.is_taken,
        is_answerable=bool(sender) and not is_machine and not house.is_taken,
    )


def _before_files(
    message: Parsed, known: Incoming, fault: str, trust: Belief, house: House
) -> Incoming | None:
    """Say what a mail is whose files are not looked at; None when they are to be."""
    if trust == "fail":
        return replace(known, verdict="quarantine", reason="not-authentic")
    if found := bounces.read_bounce(message, known.sender, house.domain):
        return replace(known, verdict="bounce", bounces=found)
    if message.get_content_type() == "multipart/report":
        return replace(known, verdict="automatic", reason="notice-of-others")
    if reason := senders.loop(message, known.sender, house):
        return replace(known, verdict="automatic", reason=reason)
    if fault:
        return replace(known, verdict="quarantine", reason=fault)
    is_stranger = not senders.may_send(known.sender, house)
    if is_stranger and not senders.is_daemon(message, known.sender):
        return replace(known, verdict="quarantine", reason="unknown-sender")
    return None


def _verdict(attachments: list[Attached]) -> tuple[str, str]:
    if any(each.file for each in attachments):
        return "scans", ""
    reasons = {each.reason for each in attachments} - {"decoration"}
    if not reasons:
        return "empty", "no-file"
    return "quarantine", next((each for each in GRAVEST if each in reasons), min(reasons))


def _weigh(path: Path) -> None:
    """Look at what would wear a parser out: headers without end, parts in parts in parts.

    Raises:
        TooMuch: for a mail made so.
    """
    if path.stat().st_size > MOST:
        raise TooMuch("too-large")
    with path.open("rb") as stream:
        head = stream.read(MOST_OF_HEADERS)
        end = re.search(rb"\r?\n\r?\n", head)
        if end is None and len(head) == MOST_OF_HEADERS:
            raise TooMuch("too-many-headers")
        if head[: end.start() if end else None].count(b"\n") > MOST_HEADERS:
            raise TooMuch("too-many-headers")
        stream.seek(0)
        blocks = iter(lambda: stream.read(BLOCK).lower(), b"")
        nested, lines, tail = 0, 0, b""
        for block in blocks:
            lines += max(block.count(b"\n"), block.count(b"\r"))
            if lines > MOST_LINES:
                raise TooMuch("too-heavy")
            nested += len(HOLDS_PARTS.findall(tail + block))
            if nested > MOST_NESTED:
                raise TooMuch("too-deep")
            tail = block[-200:] if not HOLDS_PARTS.search(block[-400:]) else b""
