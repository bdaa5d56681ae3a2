"""A value set in its slot: as HarfBuzz shapes it, shrunk or broken as promised, never cut."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import pytest
import uharfbuzz
from hypothesis import given
from hypothesis import strategies as st

from docgen.errors import MissingGlyph, Problem
from docgen.rendering import typesetting
from docgen.rendering.fonts import VALUES_FACE, font_file
from docgen.rendering.typesetting import Typesetter, does_not_fit
from tests.helpers import refusal

# Every letter that French schools write, and the marks that NFC cannot always compose.
LETTERS = "ABCEFILMNOSTVYZabcefilmnostvyz-'’ ÉÈÀÇŒŸéèàçœÿłŞțğ" + "\u0303\u0301\u0323\u0308"
SETTER = Typesetter()

ACCENTED = [letter + mark for letter in "tlfMOx" for mark in "\u0303\u0301\u0323\u0308"]

clusters = st.lists(st.sampled_from([*LETTERS, *ACCENTED]), min_size=1, max_size=25)
texts = clusters.map("".join).map(str.strip).filter(bool)


class Glyph(NamedTuple):
    """A glyph where it is drawn: em from the start of the line and above the baseline."""

    number: int
    x: float
    y: float


def shaped(text: str) -> tuple[list[Glyph], float]:
    """Ask HarfBuzz itself, with no help of ours, where glyphs go; and for the whole width."""
    font = uharfbuzz.Font(uharfbuzz.Face(font_file(VALUES_FACE).read_bytes()))
    buffer = uharfbuzz.Buffer()
    buffer.add_str(text)
    buffer.direction, buffer.script, buffer.language = "ltr", "Latn", "fr"
    uharfbuzz.shape(font, buffer)
    glyphs, x = [], 0
    for info, at in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        glyphs.append(Glyph(info.codepoint, (x + at.x_offset) / 1000, at.y_offset / 1000))
        x += at.x_advance
    return glyphs, x / 1000


def shown(operators: bytes) -> Iterator[Glyph]:
    """Read text operators as a PDF reader does (ISO 32000-2, 9.4.3) at size 1."""
    font = uharfbuzz.Font(uharfbuzz.Face(font_file(VALUES_FACE).read_bytes()))
    tokens = re.compile(rb"\(((?:[^\\()]|\\.)*)\)|(-?[\d.]+) Ts|(-?[\d.]+)|\]TJ|\[|\s+", re.DOTALL)
    x = rise = 0.0
    end = 0
    for found in tokens.finditer(operators):
        assert found.start() == end, operators[end : found.start()]
        end = found.end()
        if found[1] is not None:
            data = re.sub(
                rb"\\(.)", lambda e: b"\r" if e[1] == b"r" else e[1], found[1], flags=re.S
            )
            for at in range(0, len(data), 2):
                number = int.from_bytes(data[at : at + 2], "big")
                yield Glyph(number, x, rise)
                x += font.get_glyph_h_advance(number) / 1000
        elif found[2] is not None:
            rise = float(found[2])
        elif found[3] is not None:
            x -= float(found[3]) / 1000
    assert end == len(operators)
    assert rise == 0.0
    yield Glyph(-1, x, 0.0)


@given(texts)
def test_glyphs_stand_where_harfbuzz_puts_them(text: str) -> None:
    run = SETTER.shape(text)
    expected, width = shaped(text)
    *drawn, end = shown(run.shown)
    assert run.width == pytest.approx(width)
    assert end.x == pytest.approx(width, abs=1e-4)
    assert [glyph.number for glyph in drawn] == [glyph.number for glyph in expected]
    for ours, theirs in zip(drawn, expected, strict=True):
        assert ours.x == pytest.approx(theirs.x, abs=1e-4)
        assert ours.y == pytest.approx(theirs.y, abs=0.0051)  # written to a hundredth of an em


@pytest.mark.parametrize("text", ["AVATAR", "To", "L’Y", "Te V."])
def test_kerned_pairs_are_kerned(text: str) -> None:
    width = SETTER.shape(text).width
    assert width == shaped(text)[1]
    assert width < sum(SETTER.shape(letter).width for letter in text)


@pytest.mark.parametrize("text", ["M\u0303", "O\u0323\u0301", "x\u0308", "q\u0301", "t\u0301"])
def test_an_accent_that_does_not_compose_is_put_over_its_letter(text: str) -> None:
    letter, *accents = shaped(text)[0]
    drawn = list(shown(SETTER.shape(text).shown))[:-1]
    assert len(drawn) >= 2
    for accent, expected in zip(drawn[1:], accents, strict=True):
        assert accent.x == pytest.approx(expected.x, abs=1e-4)
        assert accent.y == pytest.approx(expected.y, abs=0.0051)
    assert drawn[0].x == letter.x == 0
    assert SETTER.shape(text).width == SETTER.shape(unicodedata.normalize("NFC", text)[0]).width


def test_a_text_is_set_at_its_full_size_when_it_fits() -> None:
    run = SETTER.shape("DUPONT")
    assert SETTER.fit("DUPONT", run.width, 1) == (1.0, (run,))
    assert SETTER.fit("DUPONT", run.width * 3, 2) == (1.0, (run,))


@pytest.mark.parametrize("share", [0.999, 0.9, 0.81, 0.8])
def test_a_text_that_is_too_long_is_shrunk_to_the_very_width(share: float) -> None:
    run = SETTER.shape("DUPONT")
    setting = SETTER.fit("DUPONT", run.width * share, 1)
    assert setting is not None
    assert setting.share == pytest.approx(share)
    assert setting.share * run.width == pytest.approx(run.width * share)
    assert setting.lines == (run,)


@pytest.mark.parametrize("share", [0.799, 0.5, 0.01, 0.0])
def test_a_text_is_refused_below_80_percent(share: float) -> None:
    run = SETTER.shape("DUPONT")
    assert SETTER.fit("DUPONT", run.width * share, 1) is None


def test_a_text_takes_a_second_line_only_when_shrinking_is_not_enough() -> None:
    run = SETTER.shape("DUPONT LAVIGNE")
    one = SETTER.fit("DUPONT LAVIGNE", run.width * 0.8, 2)
    two = SETTER.fit("DUPONT LAVIGNE", run.width * 0.79, 2)
    assert one is not None
    assert two is not None
    assert [line.text for line in one.lines] == ["DUPONT LAVIGNE"]
    assert [line.text for line in two.lines] == ["DUPONT", "LAVIGNE"]
    assert two.share == 1.0


def test_lines_are_shrunk_by_steps_and_not_below_80_percent() -> None:
    width = SETTER.shape("LAVIGNE").width
    shares = []
    for room in (1.0, 0.96, 0.95, 0.9, 0.86, 0.81, 0.8, 0.79):
        setting = SETTER.fit("LAVIGNE LAVIGNE LAVIGNE", width * room + 1e-9, 3)
        shares.append(setting and setting.share)
    assert shares == [1.0, 0.95, 0.95, 0.9, 0.85, 0.8, 0.8, None]


def test_lines_are_no_more_than_the_slot_holds() -> None:
    width = SETTER.shape("LAVIGNE").width
    assert SETTER.fit("LAVIGNE LAVIGNE LAVIGNE", width, 2) is None
    assert SETTER.fit("LAVIGNE LAVIGNE LAVIGNE", width, 1) is None


def test_a_compound_name_is_broken_after_its_hyphen() -> None:
    width = SETTER.shape("EXEMPLE").width
    setting = SETTER.fit("SAINT-EXEMPLE", width, 2)
    assert setting is not None
    assert [line.text for line in setting.lines] == ["SAINT-", "EXEMPLE"]


def test_a_line_neither_starts_nor_ends_with_a_space() -> None:
    text = "DE LA ROCHE - ESSAI DE SAINT-EXEMPLE-SUR - MER"
    for tenth in range(30, 200):
        lines = list(SETTER.broken(text, tenth / 10))
        assert [line.strip() for line in lines] == lines
        assert "" not in lines


def test_a_non_breaking_space_holds_a_line_together() -> None:
    width = SETTER.shape("M.\u00a0DUPONT").width
    setting = SETTER.fit("M.\u00a0DUPONT Léa", width, 2)
    assert setting is not None
    assert [line.text for line in setting.lines] == ["M.\u00a0DUPONT", "Léa"]
    assert SETTER.fit("Léa M.\u00a0DUPONT", width * 0.7, 5) is None


@pytest.mark.parametrize("lines", [1, 2, 9])
def test_a_word_longer_than_the_line_is_refused_not_cut(lines: int) -> None:
    word = "ANDRIANTSIMITOVIAMINANDRIANA"
    width = SETTER.shape(word).width
    assert SETTER.fit(word, width * 0.79, lines) is None
    assert SETTER.fit(f"DE {word}", width * 0.79, lines) is None


@given(texts, st.floats(0.5, 20), st.integers(1, 4))
def test_a_text_that_is_set_is_whole_and_inside_its_slot(
    text: str, width: float, lines: int
) -> None:
    setting = SETTER.fit(text, width, lines)
    if setting is None:
        assert SETTER.shape(text).width * 0.8 > width
        return
    assert 0.8 <= setting.share <= 1
    assert len(setting.lines) <= lines
    assert all(line.width * setting.share <= width * (1 + 1e-12) for line in setting.lines)
    assert "".join(line.text for line in setting.lines).replace(" ", "") == text.replace(" ", "")


def test_a_text_that_ends_with_a_hyphen_is_set_as_any_other() -> None:
    width = max(SETTER.shape(text).width for text in ("ROCHE-", "ESSAI-"))
    setting = SETTER.fit("ROCHE-ESSAI-", width * 0.9, 2)
    assert setting is not None
    assert (setting.share, [line.text for line in setting.lines]) == (0.9, ["ROCHE-", "ESSAI-"])


@given(texts, st.floats(0.5, 20))
def test_lines_are_as_full_as_they_can_be(text: str, width: float) -> None:
    lines = list(SETTER.broken(text, width))
    for line, following in pairwise(lines):
        word = re.match(r"[^ -]*-?", following)
        assert word is not None
        joined = {line + word[0], f"{line} {word[0]}"}
        assert max(SETTER.shape(each).width for each in joined) > width


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("日", "« 日 » (U+65E5)"),
        ("Léa 🎓 🎓", "« 🎓 » (U+1F393)"),
        ("日本日", "« 日 » (U+65E5), « 本 » (U+672C)"),
        ("א", "« א » (U+05D0)"),
        pytest.param(
            "Ǩ日",
            "« 日 » (U+65E5)",
        ),
        pytest.param(
            "DUPO\u0360NT",
            "« \u0360 » (U+0360)",
        ),
    ],
)
def test_a_missing_glyph_is_told_by_its_character_and_number(text: str, told: str) -> None:
    (problem,) = refusal(lambda: Typesetter().shape(text), MissingGlyph)
    assert problem.what == f"la police ne sait pas écrire {told}."


def test_a_missing_glyph_is_told_each_time() -> None:
    setter = Typesetter()
    for _ in range(2):
        with pytest.raises(MissingGlyph):
            setter.fit("日", 10, 1)


def test_an_empty_text_is_shaped_to_nothing() -> None:
    run = Typesetter().shape("")
    assert (run.width, list(shown(run.shown))) == (0, [Glyph(-1, 0, 0)])


def test_each_glyph_is_known_by_its_characters() -> None:
    setter = Typesetter()
    setter.shape("office É")
    assert sorted(setter.glyphs.values()) == [" ", "c", "e", "ff", "i", "o", "É"]


@pytest.mark.parametrize("first", ["M\u0303", "M"])
def test_a_letter_is_known_even_when_it_first_comes_under_an_accent(first: str) -> None:
    setter = Typesetter()
    for text in (first, "M\u0303", "M"):
        setter.shape(text)
    assert sorted(setter.glyphs.values()) == ["M", "\u0303"]


@pytest.mark.parametrize("letter", ["Ǩ", "Ȧ", "ǰ", "Ṽ", "ḱ"])
def test_a_letter_that_the_font_builds_of_two_is_known_by_both(letter: str) -> None:
    setter = Typesetter()
    base, mark = unicodedata.normalize("NFD", letter)
    assert [glyph.number for glyph in shown(setter.shape(letter).shown)][:-1] == [*setter.glyphs]
    setter.shape(base)
    assert sorted(setter.glyphs.values()) == sorted([base, mark])


def test_only_so_many_texts_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typesetting, "REMEMBERED", 10)
    setter = Typesetter()
    sizes = set()
    for number in range(50):
        setter.fit(f"DUPONT {number}", 20, 1)
        sizes.add((len(setter._runs), len(setter._settings)))
    assert max(sizes) == (10, 10)
    assert setter.fit("DUPONT 0", 20, 1) == Typesetter().fit("DUPONT 0", 20, 1)


def test_a_value_that_does_not_fit_is_told_by_its_length_alone() -> None:
    assert does_not_fit("Nom", "DUPONT", "personne 7") == Problem(
        "« Nom » : 6 caractères ne tiennent pas dans la place prévue, même à 80 %.",
        "personne 7",
        "Abrégez cette valeur dans le fichier de l’établissement.",
    )
