"""JSON Schema of the values that a template takes: for those who fill it by program."""

import tomllib
from contextlib import suppress
from typing import Any

from docgen.fields import SHAPES, Field
from docgen.library import Template
from docgen.typography import DATE_IN_WORDS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
DATES = (
    r"\d{4}-\d{2}-\d{2}",
    r"\d{1,2}/\d{1,2}/\d{4}",
    DATE_IN_WORDS.pattern,
)


def values_schema(template: Template) -> dict[str, Any]:
    """Describe the object that `docgen fill` reads for a template; its sample is the example."""
    manifest = template.manifest
    schema = {
        "$schema": DIALECT,
        "$id": f"urn:docgen:{manifest.slug}:{manifest.version}",
        "title": manifest.title,
        **_object(manifest.fields),
    }
    with suppress(OSError, ValueError):  # `docgen templates check` says what is wrong with it
        schema["examples"] = [tomllib.loads(template.text("sample.toml"))]
    return schema


def _object(fields: tuple[Field, ...]) -> dict[str, Any]:
    """Describe an object with a property for each field, and no other."""
    return {
        "type": "object",
        "properties": {field.name: _property(field) for field in fields},
        "required": [field.name for field in fields if field.required],
        "additionalProperties": False,
    }


def _property(field: Field) -> dict[str, Any]:
    told = {"title": field.label}
    if field.help:
        told["description"] = field.help
    example = {"examples": [field.sample]} if field.sample else {}
    return told | _kind(field) | example


def _kind(field: Field) -> dict[str, Any]:
    if field.type == "rows":
        least = {"minItems": 1} if field.required else {}
        return {"type": "array", "items": _object(field.columns), **least}
    if field.type == "tick":
        return {"type": "boolean", "default": False}
    if field.type == "choice":
        return {"enum": list(field.choices) if field.required else ["", *field.choices]}
    text: dict[str, Any] = {"type": "string", "maxLength": field.max_length}
    if field.type == "count":
        text |= {"type": ["integer", "string"], "minimum": 0, "maximum": 999_999_999}
    if pattern := _pattern(field):
        text["pattern"] = f"^({pattern})$" if field.required else f"^({pattern})?$"
    elif field.required:
        text["minLength"] = 1
    return text


def _pattern(field: Field) -> str:
    if field.type == "date":
        return "|".join(DATES)
    shape, _ = SHAPES.get(field.type, (None, ""))
    return shape.pattern if shape else ""
