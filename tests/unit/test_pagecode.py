"""The code of a side and the reference of a document: nothing altered is ever taken for ours."""

import base64
import contextlib
import itertools
import random
from string import ascii_uppercase, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docgen.errors import CodeRefused, DocgenError
from docgen.pagecode import (
    ALPHABET,
    LENGTH,
    Key,
    PageCode,
    document_number,
    make,
    parse,
    parse_reference,
    payload,
    reference,
)
from tests.helpers import KEY, refusal

KEYS = {KEY.number: KEY}
CODE = PageCode(b"\x00\x01\x7f\x80\xfe\xff", 2, 5, 1)
NOT_OURS = "Ce code n’est pas un code de page de docgen."

codes = st.builds(
    lambda document, ends, corner: PageCode(document, *sorted(ends), corner),
    st.binary(min_size=6, max_size=6),
    st.tuples(st.integers(1, 255), st.integers(1, 255)),
    st.integers(0, 2),
)
keys = st.builds(Key, number=st.integers(0, 15), secret=st.binary(min_size=1, max_size=64))
numbers = st.binary(min_size=6, max_size=6)
prefixes = st.text(ascii_uppercase, min_size=2, max_size=2)


@given(codes, keys)
def test_a_code_is_read_back(code: PageCode, key: Key) -> None:
    text = make(key, code)
    assert len(text) == LENGTH
    assert text.startswith("C1")
    assert set(text) <= set(ascii_uppercase + digits)
    assert parse(text, {key.number: key}) == code


def test_a_code_never_changes_for_the_same_side_and_key() -> None:
    assert make(Key(3, b"secret"), CODE) == "C1JUAAC74A737QEBOG7ANEUMXXAI"


@pytest.mark.parametrize(
    "code", [CODE, PageCode(bytes(6), 1, 1, 0), PageCode(b"\xff" * 6, 255, 255, 2)]
)
def test_any_one_altered_character_is_refused(code: PageCode) -> None:
    text = make(KEY, code)
    altered = [
        text[:at] + letter + text[at + 1 :]
        for at in range(LENGTH)
        for letter in ascii_uppercase + digits
        if letter != text[at]
    ]
    assert len(altered) == LENGTH * 35
    for each in altered:
        with pytest.raises(CodeRefused):
            parse(each, KEYS)


def test_any_one_flipped_bit_is_refused() -> None:
    data = payload(KEY, CODE)
    for bit in range(128):
        flipped = (int.from_bytes(data, "big") ^ 1 << bit).to_bytes(16, "big")
        text = "C1" + base64.b32encode(flipped).decode().rstrip("=")
        with pytest.raises(CodeRefused):
            parse(text, dict.fromkeys(range(16), KEY))


@pytest.mark.parametrize("letter", "BCD")
def test_bits_of_padding_that_docgen_does_not_write_are_refused(letter: str) -> None:
    texts = (make(KEY, PageCode(bytes(6), side, 9, 0)) for side in range(1, 256))
    text = next(text for text in texts if text.endswith("A"))
    with pytest.raises(CodeRefused, match="il n’est pas écrit comme docgen l’écrit"):
        parse(text[:-1] + letter, KEYS)


def test_another_format_is_refused_even_with_a_good_tag() -> None:
    body = bytes([payload(KEY, CODE)[0] ^ 0b11000000, *payload(KEY, CODE)[1:]])
    text = "C1" + base64.b32encode(body).decode().rstrip("=")
    with pytest.raises(CodeRefused, match="il n’est pas écrit comme docgen l’écrit"):
        parse(text, KEYS)


@given(codes)
def test_the_code_of_another_installation_is_refused(code: PageCode) -> None:
    foreign = make(Key(KEY.number, KEY.secret + b"!"), code)
    (problem,) = refusal(lambda: parse(foreign, KEYS), CodeRefused)
    assert problem.what == ("Code de page refusé : il n’a pas été imprimé par cette installation.")


def test_a_key_that_is_not_held_is_refused_and_an_old_key_still_read() -> None:
    old = Key(2, b"the key of last year")
    text = make(old, CODE)
    with pytest.raises(CodeRefused, match="il n’a pas été imprimé par cette installation"):
        parse(text, KEYS)
    assert parse(text, {**KEYS, 2: old}) == CODE


@pytest.mark.parametrize(
    "text",
    [
        *("", "C1", "C1" + "A" * 25, "C1" + "A" * 27, "C2" + "A" * 26),
        *("c1" + "A" * 26, "https://example.org/12345678", " C1" + "A" * 25),
    ],
)
def test_what_does_not_look_like_a_code_is_not_ours(text: str) -> None:
    assert refusal(lambda: parse(text, KEYS), CodeRefused)[0].what == NOT_OURS


@pytest.mark.parametrize("letter", ["0", "1", "8", "9", "a", "é", "=", " ", "\0", "\n"])
def test_a_character_that_is_not_of_base_32_is_refused(letter: str) -> None:
    (problem,) = refusal(lambda: parse(make(KEY, CODE)[:-1] + letter, KEYS), CodeRefused)
    assert problem.what.startswith("Code de page abîmé")


@given(st.text(max_size=40))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    with pytest.raises(CodeRefused):
        parse(text, KEYS)


@pytest.mark.parametrize("bounds", [(256, 9), (9, 256), (-1, 9)])
def test_a_code_holds_255_sides_at_most(bounds: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="range"):
        make(KEY, PageCode(bytes(6), *bounds, 0))


@pytest.mark.parametrize(
    ("key", "code"),
    [
        (KEY, PageCode(bytes(6), 1, 9, 4)),
        (KEY, PageCode(bytes(6), 0, 9, 0)),
        (KEY, PageCode(bytes(6), 10, 9, 0)),
        (KEY, PageCode(bytes(5), 1, 9, 0)),
        (Key(16, b"secret"), CODE),
    ],
    ids=["corner", "side 0", "side past the last", "short number", "key number"],
)
def test_what_a_code_cannot_hold_is_refused(key: Key, code: PageCode) -> None:
    with pytest.raises((ValueError, DocgenError)):
        make(key, code)


def test_a_key_never_shows_its_secret() -> None:
    key = Key(7, b"secret")
    assert repr(key) == str(key) == f"{key}" == "Key(number=7)"
    assert "secret" not in repr([key, {"key": key}])


def test_document_numbers_are_stable() -> None:
    assert document_number(Key(1, b"secret"), "charte", "2026", "E1").hex() == "cbaf285c3a67"


def test_document_numbers_are_distinct() -> None:
    facts = [("a", "b"), ("ab",), ("a", "", "b"), ("b", "a"), ("a",), ("", "a", "b"), ()]
    assert len({document_number(KEY, *each) for each in facts}) == len(facts)
    assert len({document_number(KEY, "charte", str(n)) for n in range(20_000)}) == 20_000
    assert document_number(KEY, "a") != document_number(Key(3, b"other"), "a")


@given(prefixes, numbers)
def test_a_reference_is_read_back_as_printed(prefix: str, number: bytes) -> None:
    printed = reference(prefix, number)
    assert (len(printed), printed[:3], printed[7]) == (12, f"{prefix}-", "-")
    assert set(printed[3:].replace("-", "")) <= set(ALPHABET)
    assert parse_reference(printed) == printed


def test_a_reference_never_changes() -> None:
    assert reference("CE", bytes(6)) == "CE-0000-0024"
    assert reference("CE", b"\x12\x34\x56\x78\x9a\xbc") == "CE-28T5-CY76"


@given(prefixes, numbers)
def test_the_check_characters_make_a_reed_solomon_word(prefix: str, number: bytes) -> None:
    """Read as a polynomial over GF(32), the ten symbols vanish at 1 and at a."""

    def times(left: int, right: int) -> int:
        product = 0
        for bit in range(5):
            product ^= (left << bit) * (right >> bit & 1)
        for bit in range(8, 4, -1):
            product ^= (0b100101 << bit - 5) * (product >> bit & 1)
        return product

    printed = reference(prefix, number).replace("-", "")
    symbols = [ord(letter) - 65 for letter in printed[:2]] + [*map(ALPHABET.index, printed[2:])]
    for root in (1, 2):
        value = 0
        for symbol in symbols:
            value = times(value, root) ^ symbol
        assert value == 0


def test_a_reference_is_the_first_30_bits_of_the_number() -> None:
    assert reference("CE", b"\xff\xff\xff\xfc\0\0") == reference("CE", b"\xff\xff\xff\xff\xff\xff")
    assert reference("CE", b"\xff\xff\xff\xfc\0\0") != reference("CE", b"\xff\xff\xff\xf8\0\0")


@pytest.mark.parametrize("number", [bytes(6), b"\x12\x34\x56\x78\x9a\xbc", b"\xff" * 6])
def test_any_one_wrong_character_of_a_reference_is_found(number: bytes) -> None:
    printed = reference("CE", number).replace("-", "")
    for at in range(10):
        letters = ascii_uppercase if at < 2 else ALPHABET
        for letter in letters.replace(printed[at], ""):
            with pytest.raises(CodeRefused, match="faute de frappe"):
                parse_reference(printed[:at] + letter + printed[at + 1 :])


def test_any_two_wrong_characters_of_a_reference_are_found() -> None:
    chance = random.Random(1)  # noqa: S311
    printed = reference("CE", b"\x12\x34\x56\x78\x9a\xbc").replace("-", "")
    for first, second in itertools.combinations(range(10), 2):
        for _ in range(60):
            typed = list(printed)
            for at in (first, second):
                letters = ascii_uppercase if at < 2 else ALPHABET
                typed[at] = chance.choice(letters.replace(printed[at], ""))
            with pytest.raises(CodeRefused, match="faute de frappe"):
                parse_reference("".join(typed))


@given(prefixes, numbers)
def test_any_two_exchanged_characters_of_a_reference_are_found(prefix: str, number: bytes) -> None:
    printed = reference(prefix, number).replace("-", "")
    pairs = ((0, 1), *itertools.combinations(range(2, 10), 2))
    for first, second in pairs:
        typed = list(printed)
        typed[first], typed[second] = typed[second], typed[first]
        if "".join(typed) != printed:
            with pytest.raises(CodeRefused, match="faute de frappe"):
                parse_reference("".join(typed))


@pytest.mark.parametrize(
    "typed",
    ["CE-0000-0024", "ce0000oo24", " ce 0000.0024 ", "CE—OOOO—OO24", "Ce-oO0o-0O24"],
)
def test_a_reference_is_read_however_it_is_typed(typed: str) -> None:
    assert parse_reference(typed) == "CE-0000-0024"


def test_letters_that_look_like_figures_are_read_as_figures() -> None:
    numbers = (n.to_bytes(6, "big") for n in range(0, 1 << 48, (1 << 40) + 12_345_678_901))
    printed = next(r for r in (reference("IO", n) for n in numbers) if {"1", "0"} <= set(r[3:]))
    for one in "IL":
        typed = printed[:3] + printed[3:].replace("1", one).replace("0", "O")
        assert parse_reference(typed) == printed


@pytest.mark.parametrize(
    "typed",
    [
        *("", "CE", "CE-0000-002", "CE-0000-0024N", "C1-0000-0024", "ÉE-0000-0024"),
        *("CE-0000-002U", "CE-0000-002²", "0000-0024-CE", "CE-٠000-0024"),
    ],
)
def test_what_does_not_look_like_a_reference_is_told_its_shape(typed: str) -> None:
    (problem,) = refusal(lambda: parse_reference(typed), CodeRefused)
    assert problem.what == ("Une référence s’écrit comme CE-7K3F-92QD : deux lettres, huit signes.")


@given(st.text(max_size=20))
def test_no_typed_text_makes_the_reader_of_references_fail(text: str) -> None:
    with contextlib.suppress(CodeRefused):
        assert len(parse_reference(text)) == 12


def test_the_reference_of_another_kind_of_document_is_not_mistaken() -> None:
    with pytest.raises(CodeRefused, match="faute de frappe"):
        parse_reference("CP" + reference("CE", b"\x12\x34\x56\x78\x9a\xbc")[2:])
