"""What requests hold: JSON and forms read strictly, texts without characters that harm."""

import json
from datetime import date
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from ninja import Path, Schema
from ninja.parser import Parser
from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints

from docgen.backoffice.api.guard import FORM, JSON
from docgen.backoffice.api.problems import Refused
from docgen.errors import Problem
from docgen.identifiers import normalise

# No control character, whatever its block: a database refuses some, a page none should hold.
PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"


class Body(Schema):
    """What a request's body holds: a field that does not exist is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


def today() -> date:
    """Give the day that it is where the schools are."""
    return timezone.localdate()


def _code(value: object) -> object:
    return normalise(value) if isinstance(value, str) else value


def text(most: int, least: int = 0) -> StringConstraints:
    """Bound a text: so many characters, all of them printable."""
    return StringConstraints(
        strip_whitespace=True, min_length=least, max_length=most, pattern=PRINTABLE
    )


PART = r"[^@\s\x00-\x1f\x7f-\x9f]+"
Email = Annotated[str, Field(max_length=254, pattern=rf"^({PART}@{PART}\.{PART})?$")]
Name = Annotated[str, text(100, 1)]
Label = Annotated[str, text(200, 1)]
Remark = Annotated[str, text(200)]
Slug = Annotated[str, Field(min_length=1, max_length=100, pattern="^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
RowId = Annotated[int, Field(ge=1, lt=2**63)]
Id = Path[RowId]
Uai = Annotated[str, Field(pattern=r"^[0-9]{7}[A-Z]$")]
Serial = Annotated[
    str, BeforeValidator(_code), Field(min_length=4, max_length=32, pattern="^[0-9A-NP-Z]+$")
]


class StrictParser(Parser):
    """Refuses a body of another kind than the route reads, and JSON that is not JSON."""

    def parse_body(self, request: HttpRequest) -> Any:  # noqa: ANN401 - whatever JSON holds
        """Read a JSON body; NaN and its like are none."""
        content_type = getattr(request, "content_type", None)
        if content_type is not None and content_type != JSON:
            raise _refused(f"cette adresse attend du JSON ({JSON}).")
        try:
            return json.loads(request.body, parse_constant=_no_constant)
        except (ValueError, RecursionError) as error:
            remedy = "Vérifiez les guillemets, les virgules et l’encodage (UTF-8)."
            problem = Problem("ce contenu n’est pas du JSON.", "", remedy)
            raise Refused("malformed-request", problem) from error

    def parse_querydict(
        self, data: MultiValueDict[str, Any], list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        """Read a form or a query."""
        if data is not request.GET and request.content_type != FORM:
            raise _refused(f"cette adresse attend des fichiers ({FORM}).")
        return dict(super().parse_querydict(data, list_fields, request))


def _no_constant(name: str) -> None:
    raise ValueError(name)


def _refused(what: str) -> Refused:
    return Refused("media-type", Problem(what, "Content-Type"))
