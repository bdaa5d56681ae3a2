"""Every error that docgen raises on purpose.

DocgenError                    code, exit_code, problems
├── InvalidInput               what was given cannot be used; nothing was made
│   ├── RosterRejected         a school's file: unreadable, incomplete, contradictory
│   ├── ValuesRejected         values that a template's fields refuse
│   ├── TemplateRejected       a template folder that does not hold together
│   ├── ScanRejected           a file of scans that cannot be opened, or not safely
│   └── MissingGlyph           a character that the pinned font cannot draw
├── PromiseBroken              the paper would not be what the layout promises
│   ├── FieldDoesNotFit        a value too long for its slot, even at 80 % of its size
│   └── LayoutOverflows        more pages, sides or sheets than promised
├── CodeRefused                a page code that is damaged, altered or not ours
└── Unavailable                a key, a font, a program or a folder that cannot be reached

Messages are in French: a person reads them. They never hold a person's name.
"""

import errno
from collections.abc import Iterable
from dataclasses import dataclass

# What the system answers is in English; these are the answers that a school may meet.
REASONS = {
    errno.ENOENT: "il n’existe pas",
    errno.EACCES: "accès refusé",
    errno.EPERM: "accès refusé",
    errno.EISDIR: "c’est un dossier",
    errno.ENOTDIR: "un fichier est sur le chemin",
    errno.EEXIST: "un fichier porte ce nom",
    errno.ENAMETOOLONG: "nom trop long",
    errno.EFBIG: "fichier trop gros",
    errno.ENOSPC: "le disque est plein",
    errno.EDQUOT: "la place accordée est pleine",
    errno.EROFS: "disque en lecture seule",
    errno.EIO: "panne du disque",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: what is wrong, where, and what to do about it."""

    what: str
    where: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        start = f"{self.where} : {self.what}" if self.where else self.what
        return f"{start} {self.remedy}" if self.remedy else start


class DocgenError(Exception):
    """Base of every error raised on purpose; carries all the problems found at once."""

    code = "error"
    exit_code = 1

    def __init__(self, problems: Iterable[Problem] | Problem | str) -> None:
        """Take one sentence, one problem or all of them."""
        if isinstance(problems, str):
            problems = Problem(problems)
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class InvalidInput(DocgenError):
    """What was given cannot be used; nothing was made from it."""

    code = "invalid-input"
    exit_code = 2


class RosterRejected(InvalidInput):
    """A school's file is unreadable, incomplete or contradictory."""

    code = "roster-rejected"


class ValuesRejected(InvalidInput):
    """Values that a template's fields refuse."""

    code = "values-rejected"


class TemplateRejected(InvalidInput):
    """A template folder that does not hold together."""

    code = "template-rejected"


class ScanRejected(InvalidInput):
    """A file of scans that cannot be opened, or not safely."""

    code = "scan-rejected"


class MissingGlyph(InvalidInput):
    """A character that the pinned font cannot draw."""

    code = "missing-glyph"


class PromiseBroken(DocgenError):
    """The paper would not be what the layout promises."""

    code = "promise-broken"
    exit_code = 3


class FieldDoesNotFit(PromiseBroken):
    """A value too long for its slot, even shrunk to 80 % and on all its lines."""

    code = "field-does-not-fit"


class LayoutOverflows(PromiseBroken):
    """A layout that makes more or fewer pages, sides or sheets than promised."""

    code = "layout-overflows"


class CodeRefused(DocgenError):
    """A page code that is damaged, altered or made with another key."""

    code = "code-refused"


class Unavailable(DocgenError):
    """A key, a font, a program or a folder that cannot be reached."""

    code = "unavailable"


def reason(error: OSError) -> str:
    """Say in French why the system refused; by the system's own code when it is a rare reason."""
    code = error.errno or 0
    return REASONS.get(code) or f"erreur {errno.errorcode.get(code, code)}"
