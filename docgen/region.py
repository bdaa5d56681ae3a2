"""The region that attestations go to: its name, its service, its mailbox and its two addresses.

`address` is written in sentences; `postal` shows in the window of an envelope, as NF Z 10-011
wants it: six lines of 38 characters at most, no punctuation in the last three, capitals last.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from docgen.errors import InvalidInput, Problem, reason
from docgen.fields import parse_date
from docgen.typography import DATE_IN_WORDS, date_in_words

FILE = "region.toml"
MAX_BYTES = 64 * 1024
POSTAL_LINES, POSTAL_WIDTH, BARE_LINES = 6, 38, 3  # NF Z 10-011
MAILBOX = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
PUNCTUATION = re.compile(r"[^\w ]")
LISTS = ("service", "address", "postal")
PLACE = ("name", "service", "address", "mailbox", "postal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """The settings of a region; the defaults are the customer's own (seed 000)."""

    name: str = "Conseil régional Provence-Alpes-Côte d’Azur"
    service: tuple[str, ...] = (
        "Direction des lycées",
        "Service du numérique et des actions éducatives",
    )
    address: tuple[str, ...] = ("27, place Jules-Guesde", "13481 Marseille cedex 20")
    mailbox: str = "l-ec@maregionsud.fr"
    # The long names cut to fit: the customer's own lines have 43 and 46 characters.
    postal: tuple[str, ...] = (
        "Conseil régional",
        "Provence-Alpes-Côte d’Azur",
        "Direction des lycées",
        "SERVICE NUMÉRIQUE ACTIONS ÉDUCATIVES",
        "27 PLACE JULES GUESDE",
        "13481 MARSEILLE CEDEX 20",
    )
    deliberation_number: str = ""
    deliberation_date: str = ""
    privacy_contact: str = ""


def read_region(path: Path | None, data: Path) -> Region:
    """Read the region of a file, else of the data folder, else the customer's own.

    Raises:
        InvalidInput: with every problem of the file at once.
    """
    path = path or data / FILE
    if path == data / FILE and not path.is_file():
        return Region()
    table = _toml(path)
    problems = [Problem(what, path.name, remedy) for what, remedy in _shape_problems(table)]
    if problems:
        raise InvalidInput(problems)
    region = Region(**{key: _tidied(value) for key, value in table.items()})
    problems = [Problem(what, path.name, remedy) for what, remedy in _doubts(region)]
    if problems:
        raise InvalidInput(problems)
    return region


def _toml(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidInput(Problem("ce fichier dépasse 64 ko.", path.name, "Vérifiez-le."))
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        what = f"ce fichier ne peut pas être lu ({reason(error)})."
        raise InvalidInput(Problem(what, path.name, "Vérifiez son nom.")) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        remedy = 'Écrivez chaque valeur entre guillemets : mailbox = "…".'
        raise InvalidInput(Problem("ce n’est pas du TOML en UTF-8.", path.name, remedy)) from error


def _shape_problems(table: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    known = [field.name for field in fields(Region)]
    for key in sorted(table.keys() - set(known)):
        yield f"« {key} » est inconnu.", f"Clés connues : {', '.join(known)}."
    for key, value in table.items():
        if key in LISTS:
            if not isinstance(value, list) or not all(isinstance(line, str) for line in value):
                yield f"« {key} » doit être une liste de lignes.", ""
        elif key in known and not isinstance(value, str):
            yield f"« {key} » doit être un texte entre guillemets.", ""
    # Half of one region and half of another would send signed papers astray.
    if missing := [key for key in PLACE if table.keys() & set(PLACE) and key not in table]:
        yield f"il manque {', '.join(missing)}.", "Donnez ensemble le nom et les adresses."


def _tidied(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, list):
        return tuple(filter(None, (" ".join(line.split()) for line in value)))
    return " ".join(value.split())


def _doubts(region: Region) -> Iterator[tuple[str, str]]:
    for key in PLACE:
        if not getattr(region, key):
            yield f"« {key} » est vide.", "Complétez le fichier."
    if region.mailbox and not MAILBOX.fullmatch(region.mailbox):
        yield "« mailbox » n’est pas une adresse électronique.", ""
    day = region.deliberation_date
    if day and not DATE_IN_WORDS.fullmatch(day) and parse_date(day) is None:
        yield "« deliberation_date » n’est pas une date.", "Écrivez jj/mm/aaaa."
    yield from _postal_doubts(region.postal)


def _postal_doubts(lines: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if len(lines) > POSTAL_LINES:
        yield f"« postal » a {len(lines)} lignes, pour {POSTAL_LINES} au plus.", "Regroupez-les."
    for number, line in enumerate(lines, 1):
        if len(line) > POSTAL_WIDTH:
            what = f"« postal », ligne {number} : {len(line)} caractères, pour {POSTAL_WIDTH}."
            yield what, "Abrégez."
        if number > max(1, len(lines) - BARE_LINES) and PUNCTUATION.search(line):
            what = f"« postal », ligne {number} : les dernières lignes n’ont pas de ponctuation."
            yield what, "Retirez virgules, points, tirets et apostrophes."
    if lines and lines[-1] != lines[-1].upper():
        yield "« postal » : la dernière ligne s’écrit en capitales.", ""


def deliberation_date(region: Region) -> str:
    """Give the day of the deliberation in words, "" when it is not known."""
    day = parse_date(region.deliberation_date)
    return date_in_words(day) if day else region.deliberation_date
