"""What goes wrong with a mail that is tried: drawn for each connection, or for good.

An address without a mailbox and a mail that is not wanted are refused at every try, in words of
their own: these must be shown, and nothing else may ever be.
"""

import asyncio
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Self

from tests.service.mailservers import Dovecot
from tests.service.smtpd import Attempt, Fault, SmtpServer

SLOW = 2.0  # seconds before an answer
# After the final dot, seconds until the connection is lost, and until a mail kept late is there:
# within the grace, which begins when the connection is lost or when the worker is killed before.
LOST, LATE = 4.0, 6.0
KEPT_LATE = "dot: dropped slowly, kept late"
# What may happen to a connection. « Kept »: the mail is in the mailbox, whatever was answered.
PASSING = {
    "greeting: 421": Fault("connect", "421 4.3.2 trop de connexions"),
    "greeting: dropped": Fault("connect"),
    "greeting: slow": Fault("connect", None, SLOW),
    "EHLO: 421": Fault("ehlo", "421 4.3.2 maintenance"),
    "MAIL: 4xx": Fault("mail", "451 4.3.0 panne passagere"),
    "RCPT: 4xx": Fault("rcpt", "450 4.2.1 boite occupee, revenez"),
    "RCPT: slow": Fault("rcpt", None, SLOW),
    "DATA: 4xx": Fault("data", "452 4.3.1 disque plein"),
    "DATA: dropped": Fault("data"),
    "body: dropped": Fault("body", after=300),
    "dot: 4xx": Fault("dot", "451 4.3.0 file d'attente pleine"),
    "dot: slow 4xx": Fault("dot", "451 4.3.0 analyse trop longue", SLOW),
    "dot: slow, kept": Fault("dot", None, SLOW),
    "dot: dropped, kept": Fault("dot", is_kept=True),
    "dot: dropped slowly, kept": Fault("dot", "", SLOW, is_kept=True),
    KEPT_LATE: Fault("dot", "", LOST, is_kept=True),
    "dot: dropped, not kept": Fault("dot"),
}
# One school in so many has no mailbox, the third first; one mail in so many is refused for what it
# holds.
NO_MAILBOX, THIRD, NOT_WANTED = 20, 3, 40


class Draw:
    """The script of the server: a share of connections goes wrong, and some mails always do."""

    def __init__(self, share: float, seed: int) -> None:
        self.share = share
        self.chance = random.Random(seed)  # noqa: S311 - a draw that can be drawn again
        self.drawn: dict[int, str] = {}
        self.met: Counter[str] = Counter()
        self.refusals: dict[str, str] = {}  # words, by Message-ID or address

    def __call__(self, step: str, attempt: Attempt) -> Fault | None:
        """Say what goes wrong at this step of a connection."""
        if step == "connect" and self.chance.random() < self.share:
            self.drawn[attempt.number] = self.chance.choice(list(PASSING))
        if self.share and step == "rcpt" and lacks_mailbox(attempt.recipient):
            words = f"550 5.1.1 {attempt.recipient} inconnu ici"
            return self._refused(step, attempt.recipient, words)
        if self.share and step == "dot" and is_unwanted(attempt.message_id):
            words = f"554 5.7.1 contenu refuse, dossier {attempt.message_id[1:9]}"
            return self._refused(step, attempt.message_id, words)
        name = self.drawn.get(attempt.number, "")
        if not name or PASSING[name].at != step:
            return None
        self.met[name] += 1
        return PASSING[name]

    def is_kept_late(self, attempt: Attempt) -> bool:
        """Tell whether a mail is there only some time after its connection was lost."""
        return self.drawn.get(attempt.number) == KEPT_LATE

    def _refused(self, step: str, who: str, words: str) -> Fault:
        self.met[f"{step}: 5xx"] += 1
        self.refusals[who] = words
        return Fault(step, words)


def lacks_mailbox(address: str) -> bool:
    """Tell whether an address is one of those that nobody reads."""
    number = address.partition("@")[0].rpartition("-")[2]
    return number.isdigit() and int(number) % NO_MAILBOX == THIRD


def is_unwanted(message_id: str) -> bool:
    """Tell whether a mail is one of those that the server never takes."""
    return int(message_id[1:9], 16) % NOT_WANTED == 0


class House(SmtpServer):
    """The server, which keeps mails in the boxes of Dovecot, some of them late."""

    def __init__(self, folder: Path, draw: Draw, dovecot: Dovecot) -> None:
        super().__init__(folder, script=draw, deliver=dovecot.deliver)
        self.weather = draw

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def keep(self, attempt: Attempt, body: bytes) -> None:
        """Accept a message."""
        if self.weather.is_kept_late(attempt):
            loop = asyncio.get_running_loop()
            loop.call_later(LATE, super().keep, replace(attempt), body)
        else:
            super().keep(attempt, body)
