"""XLSX workbooks: the one sheet that holds the titles looked for, its cells as text."""

import warnings
from collections.abc import Callable, Iterator
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from docgen.errors import RosterRejected
from docgen.rosters.archives import opened
from docgen.rosters.csvfile import TITLE_ROWS
from docgen.rosters.opening import refusal

Sheet: TypeAlias = Any  # the stubs of openpyxl do not know its read-only sheets

# Shared texts are held in memory whole: 20,000 rows of 15 columns inflate to some 15 MB.
MAX_INFLATED = 96 * 2**20
MAX_COLUMNS = 1_000
AS_NEW = "Recopiez les cellules dans un classeur neuf, au format .xlsx."
UNKNOWABLE = "="  # what a formula looks like to the tables: a cell without a value of its own


def read_workbook(path: Path, promise: Callable[[list[str]], int]) -> Iterator[list[str]]:
    """Yield the rows of the sheet that holds the titles, blank ones included.

    Raises:
        RosterRejected: when the workbook is damaged, or several sheets hold the titles.
    """
    with opened(path, MAX_INFLATED) as archive:
        if "xl/workbook.xml" not in archive.namelist():
            raise refusal(path.name, "ce document n’est pas un classeur Excel.", AS_NEW)
    # openpyxl warns of what it does not keep (drop-down lists, styles), which no reader needs.
    with warnings.catch_warnings(), path.open("rb") as stream:
        warnings.simplefilter("ignore")
        try:
            from openpyxl import load_workbook

            book = load_workbook(stream, read_only=True, keep_links=False)
            yield from _rows(_sheet(path, book.worksheets, promise), path)
        except RosterRejected:
            raise
        except Exception as error:  # whatever a hostile workbook makes openpyxl stumble on
            raise refusal(path.name, "ce classeur est abîmé.", AS_NEW) from error


def _sheet(path: Path, sheets: list[Sheet], promise: Callable[[list[str]], int]) -> Sheet:
    """Find the sheet; two that fit would make a silent choice, of last year's pupils perhaps."""
    visible = [sheet for sheet in sheets if sheet.sheet_state == "visible"]
    scores = {}
    for sheet in visible:
        scores[sheet.title] = max(map(promise, islice(_rows(sheet, path), TITLE_ROWS)), default=0)
    fitting = [sheet for sheet in visible if scores[sheet.title] > 1]
    if len(fitting) > 1:
        count = f"{len(fitting)} feuilles de ce classeur portent ces titres."
        raise refusal(path.name, count, "Gardez une seule feuille par classeur.")
    if not visible:
        raise refusal(path.name, "ce classeur n’a aucune feuille visible.", AS_NEW)
    return fitting[0] if fitting else max(visible, key=lambda sheet: scores[sheet.title])


def _rows(sheet: Sheet, path: Path) -> Iterator[list[str]]:
    sheet.reset_dimensions()  # the size that a sheet declares may be false
    for row in sheet.iter_rows(values_only=True):
        if len(row) > MAX_COLUMNS:
            raise refusal(path.name, f"plus de {MAX_COLUMNS} colonnes.", AS_NEW)
        yield [_text(value) for value in row]


def _text(value: object) -> str:
    """Give a cell as its reader would type it; identifiers are often stored as numbers."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    # Excel keeps fifteen digits: beyond, repr writes an exponent, which no identifier accepts.
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value) if isinstance(value, int) else UNKNOWABLE
