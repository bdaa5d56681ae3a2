"""Tables typed by people, CSV or XLSX alike: titles matched freely, cells by what they mean."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from docgen.errors import Problem, RosterRejected
from docgen.rosters.archives import is_workbook
from docgen.rosters.csvfile import TITLE_ROWS, read_csv
from docgen.rosters.gathering import Findings
from docgen.rosters.opening import kind, refusal
from docgen.rosters.text import fold, tidy
from docgen.rosters.workbook import read_workbook

MAX_ROWS = 50_000  # the largest lycées have about 3,000 pupils
SHEET_ROWS = 1_048_576  # what Excel holds, blank rows included
FORCED_TEXT = re.compile('="([^"]*)"')
SHEET_ERROR = re.compile("#([A-Z0-9/]+[!?]|N/A|#*)")


class Column(NamedTuple):
    """A column that is read: its key, its title, and other titles folded by `text.fold`."""

    key: str
    title: str
    others: tuple[str, ...] = ()
    needed: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The folded titles that are recognised, the best first."""
        return fold(self.title), *self.others


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table: where it stands, its tidied cells by column key, those refused."""

    where: str
    cells: dict[str, str]
    refused: Collection[str] = ()

    def __getitem__(self, key: str) -> str:
        return self.cells.get(key, "")

    def is_empty(self, key: str) -> bool:
        """Tell a cell where nothing was typed; one that was refused is told already."""
        return not self[key] and key not in self.refused


def read_table(path: Path, columns: Sequence[Column], findings: Findings) -> list[Line]:
    """Read the lines of a table, blank rows left out.

    Raises:
        RosterRejected: when the table cannot be read at all; what is wrong with one cell goes to
            the findings.
    """
    known = {name for column in columns for name in column.names}
    rows = _rows(path, known)
    first = list(islice(rows, TITLE_ROWS))
    start = max(range(len(first)), key=lambda n: _promise(first[n], known), default=0)
    titles = first[start] if first else []
    table = _Table(path.name, _places(path.name, titles, columns), len(titles), findings)
    lines = []
    for number, row in enumerate(chain(first[start + 1 :], rows), start + 2):
        # Blank rows are not counted: Excel often formats a million of them.
        if any(row) and any(map(str.strip, row)):
            lines.append(table.line(number, row))
        if len(lines) > MAX_ROWS or number > SHEET_ROWS:
            remedy = "Donnez un fichier par établissement."
            raise refusal(path.name, f"plus de {MAX_ROWS} lignes.", remedy)
    return lines


def is_table(path: Path) -> bool:
    """Tell a CSV file or a workbook from an export of SIECLE, by its bytes.

    Raises:
        RosterRejected: when the file cannot be read at all.
    """
    what = kind(path)
    return what == "text" or (what == "zip" and is_workbook(path))


def _rows(path: Path, known: set[str]) -> Iterator[list[str]]:
    if not is_table(path):
        raise refusal(path.name, "ce fichier n’est pas un tableur.", "Donnez un .csv ou un .xlsx.")
    read = read_csv if kind(path) == "text" else read_workbook
    return read(path, lambda row: _promise(row, known))


def _promise(row: list[str], known: set[str]) -> int:
    return sum(fold(cell) in known for cell in row)


def _places(name: str, titles: list[str], columns: Sequence[Column]) -> dict[str, int]:
    """Find where each column stands; every one missing or twice there is told at once."""
    folded = [fold(title) for title in titles]
    places: dict[str, int] = {}
    problems = []
    for column in columns:
        found = next((name for name in column.names if name in folded), None)
        if found is not None:
            places[column.key] = folded.index(found)
            if folded.count(found) > 1:
                what = f"la colonne « {column.title} » s’y trouve deux fois."
                problems.append(Problem(what, name, "Gardez la bonne."))
        elif column.needed:
            remedy = "Ajoutez-la : la première ligne porte les titres des colonnes."
            problems.append(Problem(f"la colonne « {column.title} » manque.", name, remedy))
    if problems:
        raise RosterRejected(problems)
    return places


@dataclass(frozen=True, slots=True)
class _Table:
    """What is known of a table once its titles are read."""

    name: str
    places: dict[str, int]
    width: int
    findings: Findings

    def line(self, number: int, row: list[str]) -> Line:
        where = f"{self.name}, ligne {number}"
        if len(row) > self.width and any(map(str.strip, row[self.width :])):
            # A delimiter in an unquoted cell shifts every cell after it: none can be trusted.
            what = f"{len(row)} cellules pour {self.width} titres de colonne."
            remedy = "Mettez entre guillemets la cellule qui contient le séparateur."
            self.findings.problem(what, where, remedy)
            return Line(where, {})
        cells, refused = {}, set()
        for key, place in self.places.items():
            text = tidy(row[place]) if place < len(row) else ""
            if text and text[0] in "=#":
                text = self.value(text, where, f"{column_letters(place)}{number}")
                if not text:
                    refused.add(key)
            cells[key] = text
        return Line(where, cells, refused)

    def value(self, text: str, where: str, cell: str) -> str:
        """Undo Excel's way of forcing text (="0123"); a formula or an error has no value."""
        if forced := FORCED_TEXT.fullmatch(text):
            return tidy(forced[1])
        if text[0] == "=" or SHEET_ERROR.fullmatch(text):
            what = f"la cellule {cell} contient une formule ou une erreur de calcul."
            remedy = "Remplacez-la par sa valeur (copier, puis collage spécial : valeurs)."
            self.findings.problem(what, where, remedy)
            return ""
        return text


def column_letters(place: int) -> str:
    """Name a column as spreadsheets do: 0 is A, 26 is AA."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
