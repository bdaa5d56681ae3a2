"""A list in a form: a small table to type in, and a place to paste one from a spreadsheet.

Nobody types in a table of hundreds of cells: a longer list stays where it was pasted.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict

from docgen import identifiers
from docgen.errors import Problem, ValuesRejected
from docgen.fields import TICKED, YES_AND_NO, Field, clean_rows, printed

MOST_CELLS = 150  # of the tables of a page
MOST_LINES = 400  # laid out while somebody waits
BLANKS = 3  # lines left to type in
MORE = 5
Row = dict[str, Any]


class RowsWidget(forms.Widget):
    """Draws a list: `champ-people-1-serial` is a cell, `champ-people-collage` what is pasted."""

    template_name = "web/filling/rows.html"
    use_fieldset = True

    def __init__(self, wanted: Field) -> None:
        self.wanted = wanted
        self.blanks = BLANKS
        super().__init__()

    def id_for_label(self, id_: str) -> str:
        """Give none: a list is a table, its cells have their own labels."""
        return ""

    def value_from_datadict(
        self, data: Mapping[str, Any], files: MultiValueDict[str, Any], name: str
    ) -> list[Row]:
        """Give the lines that hold anything, then those that were pasted."""
        count = str(data.get(f"{name}-total", "0"))
        total = min(int(count), MOST_CELLS) if count.isascii() and count.isdigit() else 0
        typed = [self._typed(data, f"{name}-{n}") for n in range(1, total + 1)]
        pasted = self._pasted(str(data.get(f"{name}-collage", "")))
        return [row for row in (*typed, *pasted) if any(row.values())]

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:  # noqa: ANN401
        """Give the table: as many lines as there are, and some more to type in."""
        context: dict[str, Any] = super().get_context(name, value, attrs)
        rows: Sequence[Row] = value or []
        columns = self.wanted.columns
        is_table = len(rows) * len(columns) <= MOST_CELLS
        room = MOST_CELLS // len(columns)
        shown = [*rows, *({} for _ in range(min(self.blanks, room - len(rows))))]
        lines = [
            [
                (column, f"{name}-{number}-{column.name}", _shown(column, row.get(column.name)))
                for column in columns
            ]
            for number, row in enumerate(shown, 1)
        ]
        return context | {
            "columns": columns,
            "lines": lines if is_table else [],
            "total": len(shown) if is_table else 0,
            "pasted": "" if is_table else self._written(rows),
            "count": len(rows),
            "name": name,
            "field_name": self.wanted.name,
            "label": self.wanted.label,
        }

    def _typed(self, data: Mapping[str, Any], start: str) -> Row:
        cells = {
            each.name: str(data.get(f"{start}-{each.name}", "")) for each in self.wanted.columns
        }
        return self._right(cells)

    def _pasted(self, text: str) -> Iterable[Row]:
        """Read lines of a spreadsheet; one that bears the names of the columns is left out."""
        labels = [each.label.casefold() for each in self.wanted.columns]
        for line in text.splitlines():
            cells = [cell.strip() for cell in line.split("\t" if "\t" in line else ";")]
            if [cell.casefold() for cell in cells] != labels:
                yield self._right(
                    {
                        each.name: cell
                        for each, cell in zip(self.wanted.columns, cells, strict=False)
                    }
                )

    def _right(self, row: Row) -> Row:
        for each in self.wanted.columns:
            if each.type == "serial" and row.get(each.name):
                row[each.name] = identifiers.serial(row[each.name])
        return {name: cell.strip() for name, cell in row.items()}

    def _written(self, rows: Iterable[Row]) -> str:
        names = [each.name for each in self.wanted.columns]
        return "\n".join("\t".join(_text(row.get(name)) for name in names) for row in rows)


class RowsField(forms.Field):
    """A list of a template, checked by its manifest alone."""

    widget: RowsWidget

    def __init__(self, wanted: Field, help_text: str) -> None:
        self.wanted = wanted
        super().__init__(
            label=wanted.label,
            required=wanted.required,
            help_text=help_text,
            widget=RowsWidget(wanted),
        )

    def clean(self, value: list[Row]) -> list[Row]:
        """Give the lines once the manifest takes them all."""
        if len(value) > MOST_LINES:
            text = (
                f"{len(value)} lignes, pour {MOST_LINES} au plus ici. Faites plusieurs documents."
            )
            raise ValidationError(text)
        try:
            clean_rows(self.wanted, value)
        except ValuesRejected as error:
            raise ValidationError(
                [told(each, self.wanted.label) for each in error.problems]
            ) from None
        return value


def told(problem: Problem, label: str) -> str:
    """Say what is wrong beside its field: its label stands there already."""
    what = problem.what.removeprefix(f"« {label} » : ")
    _, is_line, line = problem.where.rpartition(f"{label}, ligne ")
    if is_line:
        what = f"Ligne {line} : {what}"
    # What the press says speaks of files; here somebody types.
    remedy = "Abrégez." if "ne tiennent pas" in what else problem.remedy
    return f"{what[:1].upper()}{what[1:]} {remedy}".strip()


def _shown(column: Field, value: object) -> object:
    if column.type == "tick":
        return YES_AND_NO.get(_text(value).lower()) == TICKED
    return _text(value)


def _text(value: Any) -> str:  # noqa: ANN401
    return ("oui" if value else "") if isinstance(value, bool) else printed(value)
