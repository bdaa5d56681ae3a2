"""Typed merge fields: what a template asks for, and the check of the values given to it."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Literal, TypeAlias

import msgspec

from docgen import identifiers
from docgen.errors import Problem, ValuesRejected
from docgen.records import RUN_SOURCES, Fact
from docgen.typography import DATE_IN_WORDS, date_in_words, french

TICKED, UNTICKED = "☑", "☐"
MOST_ROWS = 5_000  # of a list: twice a large school; 20,000 took 53 s and 920 MB to lay out
YES_AND_NO = {
    **dict.fromkeys(("oui", "x", "vrai", "1", TICKED), TICKED),
    **dict.fromkeys(("non", "", "faux", "0", UNTICKED), UNTICKED),
}

SHAPES = {  # what a value of a type looks like, and what is said of one that does not
    "count": (
        re.compile("[0-9]{1,9}"),
        "ce n’est pas un nombre entier (des chiffres seulement).",
    ),
    "date": (DATE_IN_WORDS, "ce n’est pas une date (jj/mm/aaaa)."),
    "serial": (
        identifiers.SERIAL_SHAPE,
        "ce n’est pas un numéro de série (4 à 32 lettres et chiffres, sans la lettre O).",
    ),
    "tick": (re.compile(f"[{TICKED}{UNTICKED}]"), "une case se coche par « oui » ou « non »."),
    "uai": (
        identifiers.UAI_SHAPE,
        "ce n’est pas un UAI (sept chiffres et leur lettre de contrôle).",
    ),
    "postal_code": (identifiers.POSTAL_CODE_SHAPE, "ce n’est pas un code postal (cinq chiffres)."),
}
NAME = re.compile("[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
EXPECTED = {"tick": "oui ou non (true, false)", "count": "un nombre entier"}
# Controls, zero widths, separators of lines, marks that make a name read otherwise than written.
INVISIBLE = {"Cc", "Cf", "Zl", "Zp", "Co", "Cs", "Cn"}

# Marks and letters that print as nothing (Unicode, Default_Ignorable_Code_Point).
IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)


Type: TypeAlias = Literal[
    "text", "prose", "count", "date", "serial", "uai", "postal_code", "choice", "tick", "rows"
]


class Field(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A merge field: filled when printing; left as a line to write on when `required` is false.

    `source` names the fact of the records that fills it. What fits is for the slot to say; a
    `max_length` (characters) is for what people type in a form. `longest` is the longest value
    that the template promises to hold; `docgen templates check` lays it out. A field of type
    `choice` takes one of its `choices`; one of type `rows` takes a list, each row with `columns`.
    Text of type `prose` is set by docgen.typography; a `tick` is a box, ticked or not. Neighbours
    of one `group` stand under it in a form.
    """

    name: str
    label: str
    type: Type = "text"
    source: str = ""
    required: bool = False
    max_length: int = 500
    sample: str = ""
    longest: str = ""
    help: str = ""
    group: str = ""
    choices: tuple[str, ...] = ()
    columns: tuple["Field", ...] = ()

    @property
    def is_constant(self) -> bool:
        """Tell whether it is the same for everybody in a run: the school's, or left to write."""
        return not self.source or self.source in RUN_SOURCES


Rows = list[dict[str, str]]
Value: TypeAlias = Fact | bool | int  # a fact of the records, or what a form or a file gives


def read(
    fields: Iterable[Field], given: Mapping[str, object], where: str = ""
) -> tuple[dict[str, str], dict[str, Rows]]:
    """Read values as a file gives them: those to print, and the rows of each list.

    Raises:
        ValuesRejected: with every problem at once: names that no field has, values of another
            kind than their field's, and all that `clean` and `clean_rows` refuse.
    """
    fields = tuple(fields)
    problems = list(_strangers(fields, given, where))
    values: dict[str, str] = {}
    rows: dict[str, Rows] = {}
    for field in fields:
        value = given.get(field.name)
        try:
            if field.type == "rows":
                rows[field.name] = clean_rows(field, _list_of_rows(field, value, where), where)
            else:
                values |= clean((field,), {field.name: _single(field, value, where)}, where)
        except ValuesRejected as error:
            problems += error.problems
    if problems:
        raise ValuesRejected(problems)
    return values, rows


def clean(fields: Iterable[Field], values: Mapping[str, Value], where: str = "") -> dict[str, str]:
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


def clean_rows(field: Field, rows: Sequence[Mapping[str, Value]], where: str = "") -> Rows:
    """Give the rows of a field of type `rows` as they are printed.

    Raises:
        ValuesRejected: with every problem of every row, told by the row's number from 1.
    """
    if len(rows) > MOST_ROWS:
        what = f"« {field.label} » : {len(rows)} lignes, {MOST_ROWS} au plus."
        raise ValuesRejected(Problem(what, where, "Faites plusieurs documents."))
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


def _strangers(
    fields: Iterable[Field], given: Mapping[str, object], where: str
) -> Iterator[Problem]:
    known = [field.name for field in fields]
    remedy = f"Champs : {', '.join(known)}."
    for name in given:
        if name not in known:
            shown = name if NAME.fullmatch(name) else "…"  # anything else could be a value
            yield Problem(f"le champ « {shown} » n’existe pas.", where, remedy)


def _list_of_rows(field: Field, value: object, where: str) -> list[dict[str, Value]]:
    """Check the shape of a list: rows of named values, and no name that is not a column."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise ValuesRejected(
            Problem(f"« {field.label} » : une liste de lignes est attendue.", where)
        )
    problems: list[Problem] = []
    for number, row in enumerate(value, 1):
        place = f"{where + ', ' if where else ''}{field.label}, ligne {number}"
        problems += _strangers(field.columns, row, place)
        for column in field.columns:
            try:
                _single(column, row.get(column.name), place)
            except ValuesRejected as error:
                problems += error.problems
    if problems:
        raise ValuesRejected(problems)
    return value


def _single(field: Field, value: object, where: str) -> Value:
    """Check the kind of one value: a text, or what else its type takes."""
    if value is None or isinstance(value, (str, date)):
        return value
    if field.type == "tick" and isinstance(value, bool):
        return value
    if field.type == "count" and isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValuesRejected(
        Problem(f"« {field.label} » : {EXPECTED.get(field.type, 'un texte')} est attendu.", where)
    )


def _as_printed(field: Field, value: Value) -> str:
    """Print a value; a date typed in figures is printed in words."""
    if isinstance(value, bool):
        value = "oui" if value else "non"
    elif isinstance(value, int):
        value = str(value)
    if field.type == "date" and isinstance(value, str):
        value = parse_date(value) or value
    text = printed(value)
    if field.type == "tick":
        return YES_AND_NO.get(text.lower(), text)
    return french(text) if field.type == "prose" else text


def _problem(field: Field, text: str) -> str | None:
    """Say what is wrong with a value, never showing it: it could be somebody's."""
    if not text:
        return "cette valeur est obligatoire et manque." if field.required else None
    if len(text) > field.max_length:
        return f"{len(text)} caractères, pour {field.max_length} au plus."
    if has_invisible(text):
        return "un caractère invisible (commande ou sens d’écriture) s’y trouve ; ressaisissez-la."
    return _problem_of_its_type(field, text)


def _problem_of_its_type(field: Field, text: str) -> str | None:
    shape, told = SHAPES.get(field.type, (None, ""))
    if shape and not shape.fullmatch(text):
        return told
    if field.type == "uai":
        return identifiers.uai_problem(text)
    if field.type == "choice" and text not in field.choices:
        return f"il faut choisir entre : {', '.join(field.choices)}."
    return None
