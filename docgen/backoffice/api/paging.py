"""Lists by pages: a cursor says after which row the next page starts, whatever was added since."""

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from django.core.exceptions import FieldError, ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, Q, QuerySet
from ninja import Query, Schema
from pydantic import Field

from docgen.backoffice.api.problems import Refused
from docgen.errors import Problem

MOST = 200
M = TypeVar("M", bound=Model)
T = TypeVar("T")


class Page(Schema, Generic[T]):
    """A page of a list; `next` is the cursor of the next page, null on the last."""

    items: list[T]
    next: str | None


class Paging(Schema):
    """What a caller says of the page it wants."""

    cursor: Annotated[str, Field(max_length=300)] = ""
    limit: Annotated[int, Field(ge=1, le=MOST)] = 50


Paged = Query[Paging]


def page(rows: QuerySet[M], order: Sequence[str], wanted: Paging) -> dict[str, Any]:
    """Give a page of rows in an order (`-name` for the greatest first) that tells all apart."""
    if wanted.cursor:
        rows = rows.filter(_after(rows.model, order, wanted.cursor))
    found = list(rows.order_by(*order)[: wanted.limit + 1])
    items = found[: wanted.limit]
    more = len(found) > wanted.limit
    return {"items": items, "next": _cursor(items[-1], order) if more else None}


def _cursor(row: Model, order: Sequence[str]) -> str:
    values = [getattr(row, name.removeprefix("-")) for name in order]
    content = json.dumps(values, cls=_Exact, separators=(",", ":"))
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


class _Exact(DjangoJSONEncoder):
    """Dates to the microsecond: Django's own encoder cuts them to the millisecond."""

    def default(self, o: Any) -> Any:  # noqa: ANN401 - the signature of json
        return o.isoformat() if hasattr(o, "isoformat") else super().default(o)


def _after(model: type[Model], order: Sequence[str], cursor: str) -> Q:
    """Give the condition of coming after the row that a cursor names.

    Raises:
        Refused: for a cursor that this list did not give.
    """
    try:
        content = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        given = json.loads(content)
        if not isinstance(given, list) or len(given) != len(order):
            raise ValueError
        names = [name.removeprefix("-") for name in order]
        # What the fields themselves make of the values: nothing else reaches the database.
        values = [
            model._meta.get_field(name).to_python(value)  # type: ignore[union-attr]
            for name, value in zip(names, given, strict=True)
        ]
        if any(_is_foreign(value) for value in values):
            raise ValueError
    except (ValueError, binascii.Error, ValidationError, FieldError, RecursionError) as error:
        remedy = "Donnez celui que la page précédente portait dans «\u00a0next\u00a0»."
        raise Refused(
            "invalid-request", Problem("ce curseur n’en est pas un.", "cursor", remedy)
        ) from error
    condition, equal = Q(), Q()
    for name, sign, value in zip(names, order, values, strict=True):
        side = "lt" if sign.startswith("-") else "gt"
        condition |= equal & Q(**{f"{name}__{side}": value})
        equal &= Q(**{name: value})
    return condition


def _is_foreign(value: object) -> bool:
    """Tell what no cursor of ours holds."""
    if isinstance(value, datetime) and value.tzinfo is None:
        return True
    return value is None or "\0" in str(value)
