"""What reading files gathers: people, tablets handed over, problems to mend, notices to read.

Problems and notices say where, never who: a file and a line, or an internal number.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

from docgen.errors import Problem, RosterRejected
from docgen.identifiers import ine_problem
from docgen.records import Person

DISCREET = re.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,31}")


class Findings:
    """Problems and notices of all the files given; nothing is refused before all are read."""

    def __init__(self) -> None:
        """Start with nothing found."""
        self.problems: list[Problem] = []
        self.notices: list[str] = []
        self.has_unread = False  # a file was refused: what is missing may stand in it

    def problem(self, what: str, where: str = "", remedy: str = "") -> None:
        """Add one thing to mend before the import can be made."""
        self.problems.append(Problem(what, where, remedy))

    def notice(self, sentence: str, where: str = "") -> None:
        """Add one thing that was corrected or set aside."""
        self.notices.append(f"{where} : {sentence}" if where else sentence)

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Keep what one file is refused for, so that the next files are read too."""
        try:
            yield
        except RosterRejected as refused:
            self.has_unread = True
            self.problems.extend(refused.problems)

    def refuse_if_any(self) -> None:
        """Refuse the whole import when anything is to be mended.

        Raises:
            RosterRejected: with every problem found.
        """
        if self.problems:
            raise RosterRejected(self.problems)


@dataclass(frozen=True, slots=True)
class Handover:
    """A tablet said to be handed over: the serial number as typed, by whom it is held, and when."""

    where: str
    typed: str
    person_id: str
    ceded_date: date | None = None


@dataclass(slots=True)
class Gathered:
    """The people of the files, and the names that the register of cessions may give them.

    `keys` leads from an internal id or an INE to `Person.id`; `aside` holds the keys of the people
    who are set aside, whose cessions are no mistake. Not complete: some could not be read.
    """

    people: list[Person] = field(default_factory=list)
    school_year: str = ""
    keys: dict[str, str] = field(default_factory=dict)
    aside: set[str] = field(default_factory=set)
    handovers: list[Handover] = field(default_factory=list)
    is_complete: bool = True


def is_discreet(identifier: str) -> bool:
    """Tell whether an identifier may be an internal id, which is printed and names files.

    An INE may not: it is private, and it follows a pupil for life.
    """
    return DISCREET.fullmatch(identifier) is not None and bool(ine_problem(identifier.upper()))


def enumeration(items: list[str], link: str = "et") -> str:
    """Write a list in a sentence: « 1, 2 et 3 »."""
    *head, last = items
    return f"{', '.join(head)} {link} {last}" if head else last
