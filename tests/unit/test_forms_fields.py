"""Fields that forms brought: prose, counts, boxes to tick, lists; whatever JSON may hold."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docgen import single
from docgen.errors import DocgenError, Problem, ValuesRejected
from docgen.fields import MOST_ROWS, Field, Value, clean, read
from docgen.library import load
from tests.helpers import refusal

LIST = load("liste-emargement")
PROSE = Field(name="v", label="V", type="prose", max_length=20)
COUNT = Field(name="v", label="V", type="count")
TICK = Field(name="v", label="V", type="tick")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("field", "value", "printed"),
    [
        (PROSE, "l'essai : 9h30", "l’essai\u00a0: 9\u00a0h\u00a030"),
        (Field(name="v", label="V"), "l'essai : 9h30", "l'essai : 9h30"),
        (COUNT, 12, "12"),
        (COUNT, " 12 ", "12"),
        (COUNT, None, ""),
        (TICK, True, "☑"),
        (TICK, False, "☐"),
        (TICK, None, "☐"),
        (TICK, "Oui", "☑"),
        (TICK, "X", "☑"),
        (TICK, "non", "☐"),
        (TICK, "☑", "☑"),
    ],
)
def test_a_value_is_printed_as_its_type_wants(field: Field, value: Value, printed: str) -> None:
    assert clean([field], {"v": value}) == {"v": printed}
    assert read([field], {"v": value}) == ({"v": printed}, {})


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        (PROSE, "x" * 21, "21 caractères, pour 20 au plus."),
        (COUNT, "douze", "ce n’est pas un nombre entier (des chiffres seulement)."),
        (COUNT, -1, "ce n’est pas un nombre entier (des chiffres seulement)."),
        (COUNT, True, "un nombre entier est attendu."),
        (COUNT, 1.5, "un nombre entier est attendu."),
        (TICK, "peut-être", "une case se coche par « oui » ou « non »."),
        (TICK, 1, "oui ou non (true, false) est attendu."),
        (PROSE, 3, "un texte est attendu."),
        (PROSE, ["x"], "un texte est attendu."),
    ],
)
def test_a_value_of_another_kind_is_refused(field: Field, value: Any, told: str) -> None:  # noqa: ANN401
    problems = refusal(lambda: read([field], {"v": value}, "ici"), ValuesRejected)
    assert problems == (Problem(f"« V » : {told}", "ici"),)


def test_a_list_that_is_absent_is_empty_unless_it_is_required() -> None:
    columns = (Field(name="c", label="C"),)
    rows = Field(name="v", label="V", type="rows", columns=columns)
    assert read([rows], {}) == ({}, {"v": []})
    assert read([rows], {"v": [{}]}) == ({}, {"v": [{"c": ""}]})
    needed = Field(name="v", label="V", type="rows", columns=columns, required=True)
    (problem,) = refusal(lambda: read([needed], {}), ValuesRejected)
    assert problem.what == "« V » : il faut au moins une ligne."


@given(values=st.dictionaries(st.sampled_from(["people", "school_name", "x"]) | st.text(), JSON))
def test_whatever_json_holds_is_read_or_refused_with_sentences(values: dict[str, Any]) -> None:
    with suppress(DocgenError):
        reading = single.read_values(LIST, values)
        assert all(isinstance(value, str) for value in reading.values.values())


@given(content=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_whatever_a_file_holds_is_read_or_refused(content: bytes) -> None:
    with suppress(ValuesRejected):
        assert isinstance(single.parse_values(content), dict)


def test_a_list_too_long_to_lay_out_is_refused_before_its_rows_are_read() -> None:
    columns = (Field(name="c", label="C", type="text"),)
    rows = Field(name="v", label="V", type="rows", columns=columns)
    assert len(read([rows], {"v": [{}] * MOST_ROWS})[1]["v"]) == MOST_ROWS
    (problem,) = refusal(lambda: read([rows], {"v": [{}] * (MOST_ROWS + 1)}), ValuesRejected)
    assert problem.what == "« V » : 5001 lignes, 5000 au plus."
