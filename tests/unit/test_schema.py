"""The JSON Schema of values: every sample obeys it, and what it refuses, filling refuses."""

import re
import tomllib
from typing import Any

import pytest

from docgen.errors import ValuesRejected
from docgen.fields import Field, read
from docgen.library import load, slugs
from docgen.schema import _property, values_schema

KINDS = {"string": str, "boolean": bool, "integer": int, "array": list, "object": dict}


def faults(schema: dict[str, Any], value: Any, place: str = "") -> list[str]:  # noqa: ANN401
    """Check a value against the words of JSON Schema that we write (2020-12)."""
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(type(value) is KINDS[kind] for kind in kinds):
        return [f"{place} type"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{place} enum"]
    found = []
    if isinstance(value, dict):
        found += [f"{place}.{name} missing" for name in schema["required"] if name not in value]
        for name, inner in value.items():
            if name in schema["properties"]:
                found += faults(schema["properties"][name], inner, f"{place}.{name}")
            else:
                found.append(f"{place}.{name} unknown")
    elif isinstance(value, list):
        found += [f"{place} minItems"] * (len(value) < schema.get("minItems", 0))
        for number, row in enumerate(value):
            found += faults(schema["items"], row, f"{place}[{number}]")
    elif isinstance(value, str):
        found += [f"{place} maxLength"] * (len(value) > schema.get("maxLength", 500))
        found += [f"{place} minLength"] * (len(value) < schema.get("minLength", 0))
        found += [f"{place} pattern"] * (not re.search(schema.get("pattern", ""), value))
    elif isinstance(value, int) and not isinstance(value, bool):
        found += [f"{place} minimum"] * (value < schema.get("minimum", 0))
    return found


@pytest.mark.parametrize("slug", slugs())
def test_every_sample_obeys_the_schema_of_its_template(slug: str) -> None:
    template = load(slug)
    schema = values_schema(template)
    sample = tomllib.loads(template.text("sample.toml"))
    assert faults(schema, sample) == []
    assert schema["examples"] == [sample]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert faults(schema, sample | {"stranger": "x"}) == [".stranger unknown"]


def test_a_field_is_told_by_its_label_its_help_and_its_sample() -> None:
    field = Field(name="name", label="Nom", help="En capitales.", required=True, sample="ESSAI")
    assert _property(field) == {
        "title": "Nom",
        "description": "En capitales.",
        "type": "string",
        "maxLength": 500,
        "minLength": 1,
        "examples": ["ESSAI"],
    }


TEXT = Field(name="v", label="V", max_length=5)
NEEDED = Field(name="v", label="V", required=True)
DATE = Field(name="v", label="V", type="date")
CHOICE = Field(name="v", label="V", type="choice", choices=("un", "deux"))
ROWS = Field(name="v", label="V", type="rows", required=True, columns=(NEEDED,))


@pytest.mark.parametrize(
    ("field", "value", "holds"),
    [
        (TEXT, "abcde", True),
        (TEXT, "abcdef", False),
        (TEXT, 3, False),
        (NEEDED, "a", True),
        (NEEDED, "", False),
        (DATE, "2026-09-14", True),
        (DATE, "14/09/2026", True),
        (DATE, "1er septembre 2026", True),
        (DATE, "", True),
        (DATE, "bientôt", False),
        (CHOICE, "un", True),
        (CHOICE, "", True),
        (CHOICE, "trois", False),
        (Field(name="v", label="V", type="count"), 12, True),
        (Field(name="v", label="V", type="count"), "12", True),
        (Field(name="v", label="V", type="count"), -1, False),
        (Field(name="v", label="V", type="count"), True, False),
        (Field(name="v", label="V", type="count"), "douze", False),
        (Field(name="v", label="V", type="tick"), True, True),
        (Field(name="v", label="V", type="tick"), 1, False),
        (Field(name="v", label="V", type="serial"), "HGA70KX3", True),
        (Field(name="v", label="V", type="serial"), "HGAO", False),
        (Field(name="v", label="V", type="postal_code"), "13010", True),
        (Field(name="v", label="V", type="postal_code"), "1301", False),
        (ROWS, [{"v": "a"}], True),
        (ROWS, [], False),
        (ROWS, [{}], False),
        (ROWS, [{"v": "a", "w": "b"}], False),
        (ROWS, {"v": "a"}, False),
        (ROWS, ["a"], False),
    ],
)
def test_the_schema_and_the_reading_agree(field: Field, value: object, holds: bool) -> None:
    assert (faults(_property(field), value) == []) is holds
    if holds:
        read([field], {"v": value})
    else:
        with pytest.raises(ValuesRejected):
            read([field], {"v": value})
