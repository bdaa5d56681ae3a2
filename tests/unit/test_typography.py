"""French typography: each rule, what it leaves alone, and that it is done once for all."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from docgen.rendering import flow
from docgen.typography import DATE_IN_WORDS, date_in_words, french
from tests.helpers import with_body

PIECES = [
    *"aàLRDMnN°º'\"«».,:;!?()%€hé- \u00a0\u202f\n/",
    *("...", "…", "n°", "1er", "2ème", "1ère", "12", "345", "0", "h", "15", "Go", "Mme", "M."),
    *("article", "page", "www.", "http://", "@", "mai", "élève", "L.", "’", "ans", "XXème"),
]


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("l'élève qu'on aide", "l’élève qu’on aide"),
        ('dit "oui" et "non"', "dit «\u00a0oui\u00a0» et «\u00a0non\u00a0»"),
        ("«oui» « non »", "«\u00a0oui\u00a0» «\u00a0non\u00a0»"),
        ("Quoi? Non !", "Quoi\u202f? Non\u202f!"),
        ("un;deux ; trois", "un;deux\u202f; trois"),
        ("Motif: panne : écran", "Motif\u00a0: panne\u00a0: écran"),
        ("attendre...", "attendre…"),
        ("un , deux .", "un, deux."),
        ("n° 12, N°7, nº 3", "n°\u00a012, N°\u00a07, n°\u00a03"),
        ("1ère et 2ème années, 3emes", "1re et 2e années, 3es"),
        ("XIXème siècle", "XIXe siècle"),
        ("à 16h15 ou 9 h 05, 8h", "à 16\u00a0h\u00a015 ou 9\u00a0h\u00a005, 8\u00a0h"),
        ("1 200 élèves", "1\u202f200 élèves"),
        ("64 Go, 30 %, 12 ans", "64\u00a0Go, 30\u00a0%, 12\u00a0ans"),
        ("Mme Dupont et M. Éon", "Mme\u00a0Dupont et M.\u00a0Éon"),
        ("article 4, article L. 214-6", "article\u00a04, article\u00a0L.\u00a0214-6"),
        ("le 1er mai, le 12 juin", "le 1er\u00a0mai, le 12\u00a0juin"),
    ],
)
def test_each_rule(typed: str, printed: str) -> None:
    assert french(typed) == printed
    assert french(printed) == printed


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/a?b=c;d!e: f",
        "dpo@region.example?",
        "www.example.org/l'a ou \u00e9cran 10\"",
        "12:30, 1:2",
        "01 99 00 13 10",
        "13481 Marseille cedex 20",
        "O'",
        "a.b , 3.5",
        "",
    ],
)
def test_addresses_hours_and_numbers_by_twos_are_left_alone(text: str) -> None:
    assert french(text).replace("a.b, ", "a.b , ") == text


def test_tags_and_entities_are_left_whole() -> None:
    html = Markup('<b title="l\'un">l&#39;un &amp; "deux" ?</b>')
    assert french(html) == Markup('<b title="l\'un">l’un &amp; «\u00a0deux\u00a0»\u202f?</b>')
    assert isinstance(french(html), Markup)


@given(st.lists(st.sampled_from(PIECES)).map("".join) | st.text())
def test_what_is_set_is_not_set_again(text: str) -> None:
    assert french(french(text)) == french(text)


@given(st.text())
def test_letters_and_figures_are_never_lost(text: str) -> None:
    def kept(value: str) -> list[str]:
        return [c for c in value if c.isalnum() and c not in "iIèeÈEmMrR"]

    assert kept(french(text)) == kept(text)


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)))
def test_a_date_in_words_is_known_again(day: date) -> None:
    assert DATE_IN_WORDS.fullmatch(date_in_words(day))


def test_a_body_sets_what_it_gives_to_the_filter_and_nothing_else(tmp_path: Path) -> None:
    inner = (
        '<p class="note">{{ "l\'un ?" | typo }} {{ "l\'autre ?" }} {{ field("name") | typo }}</p>'
    )
    template = with_body(tmp_path, inner)
    manifest = template.manifest
    pen = flow.TextPen({"name": "D'ESSAI", "function": "D'ESSAI"}, {})
    html = flow.body_html(template, manifest.layouts[0], manifest.variants[0], pen)
    assert "l’un\u202f? l&#39;autre ?" in html
    assert '<span class="value">D’ESSAI</span></p>' in html
    assert '<span class="value">D&#39;ESSAI</span></p>' in html
