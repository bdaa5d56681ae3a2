"""Many new rows at once: PostgreSQL reads them as a stream, three times faster than as SQL."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from django.db import connection, models

ROWS = 1000  # of one statement, where there is no COPY
T = TypeVar("T")


def chunks(items: Sequence[T], size: int = ROWS) -> Iterator[Sequence[T]]:
    """Cut what is asked of the database at once into pieces that a statement bears."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def insert(rows: Sequence[models.Model]) -> None:
    """Write new rows of one table; they are not told their identifiers."""
    if not rows:
        return
    model = type(rows[0])
    if connection.vendor != "postgresql":
        model._default_manager.bulk_create(rows, batch_size=ROWS)
        return
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    quote = connection.ops.quote_name
    columns = ", ".join(quote(str(field.column)) for field in fields)
    command = f"COPY {quote(model._meta.db_table)} ({columns}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(command) as copy:
        for row in rows:
            copy.write_row([_given(field, row) for field in fields])


def _given(field: "models.Field[Any, Any]", row: models.Model) -> object:
    return field.get_db_prep_save(field.pre_save(row, add=True), connection)
