"""Identifiers of the school world: what is accepted, what is corrected, what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docgen import identifiers

REAL_UAIS = ("0752387M", "0660864F", "0750680G", "0140070A", "0130010R")
DIGITS = st.text("0123456789", min_size=7, max_size=7)


@pytest.mark.parametrize("uai", REAL_UAIS)
def test_a_real_uai_is_accepted(uai: str) -> None:
    assert identifiers.uai_problem(uai) is None


@pytest.mark.parametrize(
    ("uai", "letter"), [("0750001A", "U"), ("9999999Z", "P"), ("0690000X", "A"), ("0131323P", "T")]
)
def test_a_wrong_letter_is_refused_with_the_expected_one(uai: str, letter: str) -> None:
    assert (identifiers.uai_problem(uai) or "").endswith(f"appelle {letter}.")


@pytest.mark.parametrize("uai", ["", "013001R", "0130010r", "0130010", "01300100R", "013 010R"])
def test_a_uai_of_another_shape_is_refused(uai: str) -> None:
    assert "sept chiffres" in (identifiers.uai_problem(uai) or "")


@given(digits=DIGITS, place=st.integers(0, 6), digit=st.sampled_from("0123456789"))
def test_a_mistyped_digit_of_a_uai_is_always_caught(digits: str, place: int, digit: str) -> None:
    letter = identifiers.uai_letter(digits)
    typed = digits[:place] + digit + digits[place + 1 :]
    assert (identifiers.uai_problem(typed + letter) is None) == (typed == digits)


@given(digits=DIGITS, place=st.integers(0, 5))
def test_two_swapped_digits_of_a_uai_are_always_caught(digits: str, place: int) -> None:
    letter = identifiers.uai_letter(digits)
    typed = digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
    assert (identifiers.uai_problem(typed + letter) is None) == (typed == digits)


@pytest.mark.parametrize("ine", ["070876696HA", "0113014881M", "1234A56789B"])
def test_the_three_shapes_of_an_ine_are_accepted(ine: str) -> None:
    assert identifiers.ine_problem(ine) is None


@pytest.mark.parametrize("ine", ["", "070876696H", "070876696ha", "07087669601", "ABCDEFGHIJK"])
def test_another_shape_of_ine_is_refused_unrepeated(ine: str) -> None:
    problem = identifiers.ine_problem(ine)
    assert problem
    assert not ine or ine not in problem


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("4000", "04000"),
        ("06000", "06000"),
        (" 13 010 ", "13010"),
        ("400", "400"),
        ("2A004", "2A004"),
    ],
)
def test_a_postcode_gets_back_the_zero_that_a_spreadsheet_took(typed: str, code: str) -> None:
    assert identifiers.postal_code(typed) == code


@pytest.mark.parametrize(("code", "good"), [("04000", True), ("400", False), ("2A004", False)])
def test_a_postcode_counts_five_digits(code: str, good: bool) -> None:
    assert (identifiers.postal_code_problem(code) is None) is good


@pytest.mark.parametrize(
    ("typed", "number"), [("ha 1o-5", "HA105"), ("OOOO", "0000"), ("HA\u00a0105", "HA105")]
)
def test_a_serial_number_is_written_as_on_the_label(typed: str, number: str) -> None:
    assert identifiers.serial(typed) == number


@given(st.text(max_size=40))
def test_a_serial_number_never_holds_the_letter_o(typed: str) -> None:
    number = identifiers.serial(typed)
    assert "O" not in number
    assert identifiers.serial(number) == number


@pytest.mark.parametrize("number", ["", "HA1", "H" * 33, "HA_105", "ÉA105", "HAO105"])
def test_what_no_label_carries_is_refused(number: str) -> None:
    assert identifiers.serial_problem(number)
