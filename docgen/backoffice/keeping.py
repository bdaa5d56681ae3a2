"""How long what is kept: days for each kind, from the environment or from docgen.toml.

`DOCGEN_KEEP_VALUES=200`, or in the data folder, `docgen.toml`:

    [keep]
    values = 200
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeAlias

from docgen.errors import InvalidInput, Problem, reason

FILE, TABLE, PREFIX = "docgen.toml", "keep", "DOCGEN_KEEP_"
Given: TypeAlias = dict[str, tuple[str, object]]
LONGEST = 36_500  # days: a century
# The database refuses to lose an event before a year (366 days at most), whatever is set here.
LEAST = {"events": 366}


@dataclass(frozen=True, slots=True)
class Periods:
    """Days that each kind is kept. The files of a job hold its values: they never stay longer."""

    volumes: int = 90  # files of print jobs
    values: int = 400  # what documents say: a school year, and the summer that follows
    documents: int = 1_100  # what recognises the paper that comes back: number, person's identifier
    attestations: int = 3_650  # their papers; what they say is a register, sealed
    messages: int = 400  # receipts and reminders; mails of attestations are kept as they are
    conversions: int = 30
    scans: int = 90  # files of scans and mails as they came: nobody opens them again
    copies: int = 400  # clean copies and pictures of their sides: as long as values
    # Signed files: five years, after which what they prove is barred (Code civil, article 2224).
    # Those of attestations are kept as attestations are.
    returns: int = 1_830
    answers: int = 2  # to requests that may be repeated
    calls: int = 30  # of hooks
    events: int = 1_100
    access: int = 180  # refused sign-ins and ended sessions; CNIL: six months to a year
    temporary: int = 1
    orphans: int = 2  # files of the store that no row names


NAMES = tuple(field.name for field in fields(Periods))


def read_periods(data: Path) -> Periods:
    """Read the periods; the environment comes before the file, the file before our own.

    Raises:
        InvalidInput: with every problem at once.
    """
    given, problems = settings_of(data, TABLE, PREFIX)
    days: dict[str, int] = {}
    for name, (where, value) in given.items():
        if name not in NAMES:
            known = f"Durées connues\u00a0: {', '.join(NAMES)}."
            problems.append(Problem("cette durée est inconnue.", where, known))
        elif (number := whole(value)) is None or not LEAST.get(name, 1) <= number <= LONGEST:
            what = f"un nombre de jours est attendu, de {LEAST.get(name, 1)} à {LONGEST}."
            problems.append(Problem(what, where, "Corrigez-le."))
        else:
            days[name] = number
    periods = Periods(**days)
    if problems := [*problems, *_contradictions(periods)]:
        raise InvalidInput(problems)
    return periods


def settings_of(data: Path, table: str, prefix: str) -> tuple[Given, list[Problem]]:
    """Give what a table of docgen.toml and the environment say: by name, where and what."""
    given, problems = _of_file(data / FILE, table)
    for variable, text in sorted(os.environ.items()):
        if variable.startswith(prefix):
            given[variable.removeprefix(prefix).lower()] = (variable, text)
    return given, problems


def whole(value: object) -> int | None:
    """Read a whole number from TOML or from a variable; None when it is none."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _of_file(path: Path, name: str) -> tuple[Given, list[Problem]]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get(name, {})
    except FileNotFoundError:
        return {}, []
    except OSError as error:
        what = f"ce fichier ne peut pas être lu ({reason(error)})."
        return {}, [Problem(what, FILE, "Vérifiez ses droits.")]
    except ValueError:  # not UTF-8, or not TOML
        return {}, [Problem("ce n’est pas du TOML en UTF-8.", FILE, "Corrigez-le.")]
    if not isinstance(table, Mapping):
        return {}, [Problem(f"[{name}] n’est pas une table.", FILE, "Corrigez-le.")]
    return {each: (f"{FILE}, {each}", value) for each, value in table.items()}, []


def _contradictions(periods: Periods) -> Iterator[Problem]:
    if periods.volumes > periods.values:
        what = "les fichiers d’un lot contiennent ses valeurs, et seraient gardés plus longtemps."
        yield Problem(what, "volumes", "Donnez à volumes au plus les jours de values.")
    if periods.scans > periods.copies:
        what = "les fichiers reçus montrent ce que montrent leurs copies, et resteraient après."
        yield Problem(what, "scans", "Donnez à scans au plus les jours de copies.")
    if periods.copies > periods.documents:
        what = "les copies des scans resteraient après les envois dont elles sont."
        yield Problem(what, "copies", "Donnez à copies au plus les jours de documents.")
    if periods.values > periods.documents:
        what = "les valeurs d’un document seraient gardées plus longtemps que lui."
        yield Problem(what, "values", "Donnez à values au plus les jours de documents.")
