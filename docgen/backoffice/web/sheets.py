"""Tables given out for a spreadsheet: CSV as French Excel opens it, and XLSX.

Nothing in them can be taken for a formula: in CSV a text that starts like one is quoted, in XLSX
texts are written as texts.
"""

import csv
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from io import BytesIO, StringIO
from typing import Any, TypeAlias

from django.http import HttpResponse
from django.utils import timezone

from docgen.jobfolder import cell

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BOM = "\ufeff"
DAY, MOMENT = "dd/mm/yyyy", "dd/mm/yyyy hh:mm"
WIDTH = 18  # of a column, in characters
Value: TypeAlias = str | int | date | datetime | None
Rows: TypeAlias = Iterable[Sequence[Value]]


def as_csv(name: str, heads: Sequence[str], rows: Rows) -> HttpResponse:
    """Give a table as CSV; `name` is made of our own letters only."""
    stream = StringIO()
    sheet = csv.writer(stream, delimiter=";", lineterminator="\r\n")
    sheet.writerow(heads)
    for row in rows:
        sheet.writerow([_text(each) for each in row])
    return _given((BOM + stream.getvalue()).encode(), f"{name}.csv", CSV)


def as_xlsx(name: str, heads: Sequence[str], rows: Rows) -> HttpResponse:
    """Give a table as XLSX, written row after row."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.utils import get_column_letter

    book = Workbook(write_only=True)
    sheet = book.create_sheet(name[:31])
    sheet.freeze_panes = "A2"
    for index in range(len(heads)):
        sheet.column_dimensions[get_column_letter(index + 1)].width = WIDTH

    def written(value: Value) -> Any:  # noqa: ANN401 - a cell of openpyxl's
        if isinstance(value, str):
            made = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value))
            made.data_type = "s"  # whatever it starts with
            return made
        if isinstance(value, datetime):
            value = timezone.localtime(value).replace(tzinfo=None)
        made = WriteOnlyCell(sheet, value)  # type: ignore[arg-type] # a day too
        if isinstance(value, date):
            made.number_format = MOMENT if isinstance(value, datetime) else DAY
        return made

    for row in (heads, *rows):
        sheet.append([written(each) for each in row])
    stream = BytesIO()
    book.save(stream)
    return _given(stream.getvalue(), f"{name}.xlsx", XLSX)


def _text(value: Value) -> str | int:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{timezone.localtime(value):%d/%m/%Y %H:%M}"
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    return cell(value) if isinstance(value, str) else value


def _given(content: bytes, name: str, content_type: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type=content_type, headers=headers)
