"""Schools copied inside the database: a region is filled in a minute, whatever Python takes.

Each copy is a whole school with identifiers of its own: nothing is shared but templates and shops.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.models import Field, Model, UUIDField

from docgen.backoffice import models
from docgen.backoffice.gate import WALLS
from docgen.identifiers import uai_letter

FIRST = 20_000  # of the numbers in a UAI: far from those of the schools that are made
# In the order in which they refer to one another, with the references that stay in a school.
COPIED: tuple[tuple[type[Model], tuple[str, ...]], ...] = (
    (models.Person, ()),
    (models.Guardian, ("person",)),
    (models.Device, ()),
    (models.Cession, ("person",)),
    (models.Loan, ("person",)),
    (models.User, ()),
    (models.Client, ()),
    (models.PrintJob, ()),
    (models.Volume, ("job",)),
    (models.Document, ("volume",)),
    (models.Attestation, ()),
    (models.AttestedCession, ("attestation",)),
    (models.SchoolModel, ()),
    (models.Conversion, ()),
    (models.Paper, ("attestation",)),
    (models.ScanBatch, ()),
    (models.ScanPart, ("batch",)),
    (models.Return, ("document", "paper")),
    (models.ScannedPage, ("batch", "part", "back")),
    (models.ReviewStep, ("page",)),
    (models.Delivery, ("attestation",)),
    (models.Message, ("delivery",)),
    (models.Mail, ()),
    (models.Original, ("attestation",)),
    (models.Reminder, ()),
    (models.Event, ()),
)
TWIN = "CREATE TEMPORARY TABLE twin (old text, new text, turn int) ON COMMIT DROP"
UNBOUND = "SET LOCAL session_replication_role = replica"  # keys that hold there hold here
NEXT = "SELECT setval(pg_get_serial_sequence(%s, 'id'), (SELECT MAX(id) FROM {}))"


@transaction.atomic
def copy(schools: Sequence[str], turns: int) -> None:
    """Copy schools so many times, on PostgreSQL."""
    with connection.cursor() as cursor:
        cursor.execute(UNBOUND)
        cursor.execute(TWIN)
        cursor.executemany("INSERT INTO twin VALUES (%s, %s, %s)", list(_twins(schools, turns)))
        steps = {model: _step(cursor, model) for model, _ in COPIED}
        _schools()
        for model, moved in COPIED:
            fields = model._meta.concrete_fields
            columns = ", ".join(f'"{field.column}"' for field in fields)
            values = ", ".join(_value(field, steps, moved) for field in fields)
            path = WALLS[model].school if model in WALLS else ""
            rows = model._default_manager.filter(**{f"{path or 'school'}__in": schools})
            source, known = rows.order_by().values("pk").query.sql_with_params()
            table = model._meta.db_table
            is_own = any(field.name == "school" for field in fields)
            school = "school" if model is models.Event else "school_id"
            turn = f"JOIN twin ON t.{school} = twin.old" if is_own else "CROSS JOIN turns AS twin"
            cursor.execute(
                f"WITH turns AS (SELECT DISTINCT turn FROM twin) "  # noqa: S608 - text of ours
                f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table} t {turn} "
                f"WHERE t.{model._meta.pk.column} IN ({source})",
                known,
            )
            if steps.get(model):
                cursor.execute(NEXT.format(table), [table])


def _twins(schools: Sequence[str], turns: int) -> Iterator[tuple[str, str, int]]:
    number = FIRST
    for turn in range(1, turns + 1):
        for school in schools:
            digits = f"01{number:05}"
            yield school, digits + uai_letter(digits), turn
            number += 1


def _step(cursor: Any, model: type[Model]) -> int:  # noqa: ANN401 - of Django
    """Give how far the identifiers of a copy are from those of what is copied; 0: not numbers."""
    if isinstance(model._meta.pk, UUIDField) or model is models.Original:
        return 0
    cursor.execute(f"SELECT COALESCE(MAX(id), 1) FROM {model._meta.db_table}")  # noqa: S608
    step: int = cursor.fetchone()[0]
    return step


def _schools() -> None:
    fields = models.School._meta.concrete_fields
    told = {"uai": "twin.new", "name": "t.name || ' ' || twin.turn"}
    columns = ", ".join(f'"{field.column}"' for field in fields)
    values = ", ".join(told.get(field.name, f't."{field.column}"') for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO backoffice_school ({columns}) SELECT {values} "  # noqa: S608
            "FROM backoffice_school t JOIN twin ON t.uai = twin.old"
        )


def _value(field: "Field[Any, Any]", steps: dict[type[Model], int], moved: Sequence[str]) -> str:
    """Give what a column of a copy holds."""
    column, model = f't."{field.column}"', field.model
    if field.name == "school":
        return "twin.new"
    if model is models.Event and field.name == "subject":
        return f"CASE WHEN {column} = twin.old THEN twin.new ELSE {_uuid(column)}::text END"
    if field.name == "reference":
        return f"{column} || '-' || twin.turn"
    if field.name == "number" and field.get_internal_type() == "BinaryField":
        return f"decode(left(md5(encode({column}, 'hex') || twin.turn), 12), 'hex')"
    if field.name in moved or (field.primary_key and not field.related_model):
        of = field.related_model if field.related_model else model
        return f"{column} + twin.turn * {steps[of]}" if steps[of] else _uuid(column)
    if field.unique and field.get_internal_type() == "UUIDField":
        return _uuid(column)
    return f"{column} || '-' || twin.turn" if field.unique else column


def _uuid(column: str) -> str:
    return f"md5({column}::text || twin.turn)::uuid"
