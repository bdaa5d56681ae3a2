"""CSV files of any spreadsheet program: encoding and delimiter are found, not asked."""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

from docgen.rosters.opening import refusal
from docgen.rosters.text import Codec, sniff

DELIMITERS = ";,\t"
# Excel writes this line of its own before the titles; it counts as a row of the sheet.
SEPARATOR_LINE = "sep="
TITLE_ROWS = 10
# A line of millions of delimiters, or a row of as many quoted line ends, would fill the memory.
MAX_LINE = 1 << 17
MAX_LINES_A_ROW = 1_000

Rows = Iterator[list[str]]


def read_csv(path: Path, promise: Callable[[list[str]], int]) -> Rows:
    """Yield the rows of a CSV file as a spreadsheet program numbers them, blank ones included.

    `promise` counts the titles that a row holds: the delimiter that yields most is the right one.

    Raises:
        RosterRejected: when the file is no text, or its quotes do not match.
    """
    with path.open("rb") as stream:
        codec = sniff(stream)
        stream.seek(0)
        # An 8-bit file of a spreadsheet program is in Windows-1252, even with no such letter in it.
        codec = "cp1252" if codec == "iso8859-15" else codec
        text = io.TextIOWrapper(stream, codec, newline="")
        try:
            delimiter = _delimiter(text, promise)
            text.seek(0)
            yield from _rows(path, text, delimiter)
        except UnicodeError as error:
            raise _unreadable(path, codec) from error


def _rows(path: Path, text: io.TextIOWrapper, delimiter: str) -> Rows:
    lines = _Lines(text)
    # strict: without it a quote left open swallows the rest of the file into one cell.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    number = 1
    try:
        for number, row in enumerate(reader, 2):
            lines.in_row = 0
            yield [] if number == 2 and "".join(row).startswith(SEPARATOR_LINE) else row
    except csv.Error as error:
        where = f"{path.name}, ligne {number}"
        remedy = "Fermez le guillemet, ou doublez-le s’il fait partie du texte."
        raise refusal(where, "les guillemets de cette ligne sont mal placés.", remedy) from error
    except _TooLong as error:
        what = "cette ligne est trop longue pour celle d’un tableur."
        raise refusal(f"{path.name}, ligne {number}", what, "Vérifiez le fichier.") from error


class _TooLong(Exception):
    """A line, or a row of lines, longer than any that a person made."""


class _Lines:
    """The lines of a text, counted within one row."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self.text, self.in_row = text, 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self.text.readline(MAX_LINE)
        self.in_row += 1
        if len(line) == MAX_LINE or self.in_row > MAX_LINES_A_ROW:
            raise _TooLong
        if not line:
            raise StopIteration
        return line


def _delimiter(text: io.TextIOWrapper, promise: Callable[[list[str]], int]) -> str:
    # Short enough together for a quote left open to stay under the csv module's limit (128 ko).
    lines = [text.readline(1 << 13) for _ in range(TITLE_ROWS)]

    def score(delimiter: str) -> tuple[int, int]:
        rows = list(csv.reader(lines, delimiter=delimiter))
        return max(map(promise, rows), default=0), max(map(len, rows), default=0)

    return max(DELIMITERS, key=score)


def _unreadable(path: Path, codec: Codec) -> Exception:
    what = f"ce fichier n’est pas un texte ({codec})."
    return refusal(path.name, what, "Enregistrez la feuille au format .xlsx ou CSV UTF-8.")
