"""What was said of a mail, by servers and by people: kept with it, and never logged."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models.functions import Now

from docgen.backoffice.models import Message
from docgen.errors import Problem
from docgen.typography import NBSP, french

MOST = 30  # kept of a mail: the first ones and the last ones
FIRST = 5
LONGEST = 500  # characters of what a server says
LOOKS = {
    "found": "Retrouvé à destination.",
    "absent": "Introuvable à destination.",
    "unknown": "N’a pas pu être cherché.",
}
DOUBTS = {"uncertain", "absent", "unknown"}  # that leave open whether it was accepted
TRIED = {"later", *DOUBTS}  # that end no series of tries
NOTICES = {"delayed", "delivered", "relayed", "expanded"}  # of servers that had accepted it
ENDS = {"bounced", "not-arrived"}  # what is sent afterwards is another mail
SAID = {
    **LOOKS,
    "uncertain": "Remis ; la réponse n’est pas venue.",
    "retried": "Relancé.",
    "arrived": "Quelqu’un dit qu’il est arrivé.",
    "not-arrived": "Quelqu’un dit qu’il n’est pas arrivé.",
}
Talk = list[dict[str, Any]]


def told(row: Message, verdict: str, code: int = 0, words: str = "", *, by: str = "") -> Talk:
    """Give what was said of a mail, with what has just been said; `code` 0: no server's answer.

    `since` is when a series of tries began, `first` when it was first handed over with a doubt;
    looks that follow one another are counted, and the same one is kept once.
    """
    here = Message.objects.filter(pk=row.pk)  # the database's clock, as for all that is due
    now = here.annotate(now=Now()).values_list("now", flat=True).get().isoformat(timespec="seconds")
    last = row.answers[-1] if row.answers else {}
    before = row.answers
    words = " ".join(words.split())[:LONGEST] or french(SAID.get(verdict, ""))
    new = {"at": now, "verdict": verdict, "code": code, "words": words}
    if by:
        new["by"] = by
    if verdict in TRIED:
        new["since"] = last.get("since", now)
    first = first_try(row) if verdict in DOUBTS else last.get("first")
    if first and verdict not in ENDS:
        new["first"] = str(first)
    if verdict in LOOKS:
        new["looks"] = looks(before) + 1
        before = before[:-1] if last.get("verdict") == verdict else before
    answers = [*before, new]
    return answers if len(answers) <= MOST else [*answers[:FIRST], *answers[FIRST + 1 :]]


def looks(answers: Talk) -> int:
    """Count how often a mail was looked for since it was last handed over."""
    count: int = answers[-1].get("looks", 0) if answers else 0
    return count


def first_try(row: Message) -> datetime | None:
    """Give when a mail was first handed over of which nobody knows whether it was accepted."""
    told = row.answers[-1].get("first") if row.answers else None
    return datetime.fromisoformat(told) if told else row.tried_at


def is_over(answers: Talk, seconds: int) -> bool:
    """Tell whether a series of tries has lasted that long."""
    now, since = (datetime.fromisoformat(answers[-1][name]) for name in ("at", "since"))
    return now - since >= timedelta(seconds=seconds)


def quoted(code: int | str, words: str) -> str:
    """Give what was said between quotation marks, as it was said."""
    said = " ".join(f"{code or ''} {words}".split())[:LONGEST].removesuffix(".")
    return f"«{NBSP}{said}{NBSP}»"


def refusal(answers: Talk) -> Problem:
    """Say that a mail is given up, in the last words that were said of it."""
    last = answers[-1]
    what = f"le serveur a refusé ce message{NBSP}: "
    if last["verdict"] in TRIED:
        what = f"aucun essai n’a abouti{NBSP}; pour finir{NBSP}: "
    said = quoted(last["code"], last["words"])
    return Problem(f"{what}{said}.", "", "Corrigez ce qu’il dit, puis relancez l’envoi.")


def return_of(status: str, words: str) -> Problem:
    """Say that a mail came back, in the words of who sends it back."""
    what = f"ce message est revenu{NBSP}: {quoted(status, words)}."
    return Problem(what, "", "Corrigez ce qu’il dit, puis relancez l’envoi.")
