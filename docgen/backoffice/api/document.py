"""The OpenAPI document: each route with its scope, and problem details for every refusal."""

from typing import Any

from ninja import NinjaAPI
from ninja.errors import ConfigError
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from docgen.backoffice.api.problems import MEDIA_TYPE
from docgen.backoffice.api.repeating import HEADER

TEXT = {"type": "string"}
PROBLEM = {
    "type": "object",
    "title": "Refusal",
    "description": "RFC 9457. `code` est stable, `problems` dit tout ce qui est à corriger.",
    "required": ["type", "title", "status", "code", "detail", "problems"],
    "properties": {
        "type": TEXT,
        "title": TEXT,
        "status": {"type": "integer"},
        "code": TEXT,
        "detail": TEXT,
        "problems": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["what", "where", "remedy"],
                "properties": {"what": TEXT, "where": TEXT, "remedy": TEXT},
            },
        },
    },
}
REFUSAL = {
    "description": "Refus (RFC 9457)",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Refusal"}}},
}
KEY = {
    "in": "header",
    "name": HEADER,
    "required": False,
    "description": "La même clé et le même contenu donnent la même réponse, et un seul effet.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


class Document(OpenAPISchema):
    """What the framework writes, and what it does not know of our routes."""

    def operation_details(self, operation: Operation) -> dict[str, Any]:
        """Describe a route: every refusal is a problem, and every POST can be repeated."""
        told: dict[str, Any] = super().operation_details(operation)
        told["responses"]["default"] = REFUSAL
        if "POST" in operation.methods:
            told["parameters"].append(KEY)
        return told

    def operation_security(self, operation: Operation) -> list[dict[str, Any]] | None:
        """Name the scope that a token must hold."""
        super().operation_security(operation)
        scopes = {getattr(each, "scope", "") for each in operation.auth_callbacks} - {""}
        return [{type(each).__name__: sorted(scopes)} for each in operation.auth_callbacks] or None

    def add_schema_definitions(self, definitions: dict[str, Any]) -> None:
        """Add the forms that a route uses; a name stands for one form in the whole document.

        Raises:
            ConfigError: for two forms of one name: the framework would keep the last.
        """
        for name, form in definitions.items():
            if self.schemas.setdefault(name, form) != form:
                raise ConfigError(f"two forms are called {name}")

    def get_components(self) -> dict[str, Any]:
        """Add the form of problems.

        Raises:
            ConfigError: for another form of that name.
        """
        told: dict[str, Any] = super().get_components()
        if "Refusal" in told["schemas"]:
            raise ConfigError("two forms are called Refusal")
        told["schemas"]["Refusal"] = PROBLEM
        return told


class Api(NinjaAPI):
    """Our API: it writes its own document, and names a route by what its function is called."""

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """Give the OpenAPI document."""
        prefix = self.get_root_path(path_params or {}) if path_prefix is None else path_prefix
        return Document(self, prefix)

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Name a route by its module and its function: `print_jobs_cancel`."""
        function = operation.view_func
        return f"{function.__module__.rpartition('.')[2]}_{function.__name__}"
