"""Typed merge fields: what a template asks for, and the check of the values given to it."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Literal

import msgspec

from docgen import identifiers
from docgen.errors import Problem, ValuesRejected
from docgen.records import RUN_SOURCES, Fact

MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin", "juillet"),
    *("août", "septembre", "octobre", "novembre", "décembre"),
)
DATE_IN_WORDS = re.compile(rf"(1er|[2-9]|[12]\d|3[01]) ({'|'.join(MONTHS)}) \d{{4}}")
# Controls, zero widths, separators of lines, marks that make a name read otherwise than written.
INVISIBLE = {"Cc", "Cf", "Zl", "Zp", "Co", "Cs", "Cn"}

# Marks and letters that print as nothing (Unicode, Default_Ignorable_Code_Point).
IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)


class Field(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A merge field: filled when printing; left as a line to write on when `required` is false.

    `source` names the fact of the records that fills it. What fits is for the slot to say; a
    `max_length` (characters) is for what people type in a form. `longest` is the longest value
    that the template promises to hold; `docgen templates check` lays it out. A field of type
    `choice` takes one of its `choices`; one of type `rows` takes a list, each row with `columns`.
    """

    name: str
    label: str
    type: Literal["text", "date", "serial", "uai", "postal_code", "choice", "rows"] = "text"
    source: str = ""
    required: bool = False
    max_length: int = 500
    sample: str = ""
    longest: str = ""
    help: str = ""
    choices: tuple[str, ...] = ()
    columns: tuple["Field", ...] = ()

    @property
    def is_constant(self) -> bool:
        """Tell whether it is the same for everybody in a run: the school's, or left to write."""
        return not self.source or self.source in RUN_SOURCES


Rows = list[dict[str, str]]


def clean(fields: Iterable[Field], values: Mapping[str, Fact], where: str = "") -> dict[str, str]:
    """Give the values as they are printed, "" for a blank to write on.

    `where` names the person by an internal identifier in the problems reported.

    Raises:
        ValuesRejected: with every problem of these values at once.
    """
    cleaned: dict[str, str] = {}
    problems: list[Problem] = []
    for field in fields:
        if field.type == "rows":
            continue
        text = _as_printed(field, values.get(field.name))
        if problem := _problem(field, text):
            problems.append(Problem(f"« {field.label} » : {problem}", where))
        cleaned[field.name] = text
    if problems:
        raise ValuesRejected(problems)
    return cleaned


def clean_rows(field: Field, rows: Sequence[Mapping[str, Fact]], where: str = "") -> Rows:
    """Give the rows of a field of type `rows` as they are printed.

    Raises:
        ValuesRejected: with every problem of every row, told by the row's number from 1.
    """
    cleaned: Rows = []
    problems: list[Problem] = []
    for number, row in enumerate(rows, 1):
        place = f"{where}, " if where else ""
        try:
            cleaned.append(clean(field.columns, row, f"{place}{field.label}, ligne {number}"))
        except ValuesRejected as error:
            problems += error.problems
    if field.required and not rows:
        problems.append(Problem(f"« {field.label} » : il faut au moins une ligne.", where))
    if problems:
        raise ValuesRejected(problems)
    return cleaned


def printed(value: Fact) -> str:
    """Give a fact as French text: composed accents, single spaces, dates in words."""
    if value is None:
        return ""
    if isinstance(value, date):
        return date_in_words(value)
    text = value if value.isascii() else unicodedata.normalize("NFC", value)
    if "  " in text:
        text = re.sub(" {2,}", " ", text)
    return text.strip()


def date_in_words(day: date) -> str:
    """Write a date as French usage wants it: « 1er septembre 2026 »."""
    number = "1er" if day.day == 1 else str(day.day)
    return f"{number} {MONTHS[day.month - 1]} {day.year}"


def parse_date(text: str) -> date | None:
    """Read a date typed as jj/mm/aaaa or aaaa-mm-jj; None when it is neither."""
    for shape in ("%d/%m/%Y", "%Y-%m-%d"):
        try:
            return datetime.strptime(text.strip(), shape).date()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    return None


def has_invisible(text: str) -> bool:
    """Tell whether a text holds a character that prints as nothing, or turns the reading."""
    if text.isascii():
        return not text.isprintable()
    return IGNORABLE.search(text) is not None or (
        not text.isprintable() and any(unicodedata.category(c) in INVISIBLE for c in text)
    )


def _as_printed(field: Field, value: Fact) -> str:
    """Print a value; a date typed in figures is printed in words."""
    if field.type == "date" and isinstance(value, str):
        value = parse_date(value) or value
    return printed(value)


def _problem(field: Field, text: str) -> str | None:
    """Say what is wrong with a value, never showing it: it could be somebody's."""
    if not text:
        return "cette valeur est obligatoire et manque." if field.required else None
    if len(text) > field.max_length:
        return f"{len(text)} caractères, pour {field.max_length} au plus."
    if has_invisible(text):
        return "un caractère invisible (commande ou sens d’écriture) s’y trouve ; ressaisissez-la."
    if field.type == "serial" and identifiers.serial_problem(text):
        return "ce n’est pas un numéro de série (4 à 32 lettres et chiffres, sans la lettre O)."
    if field.type == "uai":
        if not identifiers.UAI_SHAPE.fullmatch(text):
            return "ce n’est pas un UAI (sept chiffres et leur lettre de contrôle)."
        return identifiers.uai_problem(text)
    if field.type == "postal_code" and identifiers.postal_code_problem(text):
        return "ce n’est pas un code postal (cinq chiffres)."
    if field.type == "choice" and text not in field.choices:
        return f"il faut choisir entre : {', '.join(field.choices)}."
    if field.type == "date" and not DATE_IN_WORDS.fullmatch(text):
        return "ce n’est pas une date (jj/mm/aaaa)."
    return None
