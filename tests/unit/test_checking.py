"""Templates are proved before they print: each fault is caught, and none is seen in a good one."""

from pathlib import Path

import pytest

from docgen.errors import Problem, TemplateRejected
from docgen.rendering.checking import check_template
from tests.helpers import edited, small_charter, with_body


def told(folder: Path, name: str, *changes: tuple[str, str]) -> list[str]:
    """Check the small template with texts replaced, and give what is said."""
    return [str(each) for each in check_template(edited(folder, {name: changes}))]


def placed(left: float, bottom: float) -> str:
    """Draw a square of 3 mm at a place of the first page, in mm from the bottom left."""
    style = (
        f"position: absolute; left: {left - 27}mm; top: {297 - bottom - 3 - 34}mm;"
        "width: 3mm; height: 3mm; background: black"
    )
    return f'<div style="{style}"></div>'


def test_nothing_is_said_of_a_good_template() -> None:
    assert check_template(small_charter()) == []


def test_a_page_too_many_is_told(tmp_path: Path) -> None:
    assert told(tmp_path, "body.html", ("</body>", "<section>De trop.</section></body>")) == [
        f"petite-charte, entier, {variant} : 4 pages au lieu de 3. "
        "Revoyez le texte ou la feuille de style."
        for variant in ("mineur", "majeur")
    ]


def test_a_longest_value_that_does_not_fit_is_told_for_each_layout_and_variant(
    tmp_path: Path,
) -> None:
    changes = ('longest = "T STMG 12"', f'longest = "{"W" * 80}"')
    problems = check_template(edited(tmp_path, {"manifest.toml": [changes]}))
    assert [each.where for each in problems] == [
        f"petite-charte, {layout}, {variant}"
        for layout in ("entier", "reduction")
        for variant in ("mineur", "majeur")
    ]
    assert {each.what for each in problems} == {
        "« Classe » : 80 caractères ne tiennent pas dans la place prévue, même à 80 %."
    }


def test_a_longest_value_of_the_school_that_does_not_fit_is_told_in_its_place(
    tmp_path: Path,
) -> None:
    changes = ('longest = "Rentrée scolaire"', f'longest = "{"W" * 40}"')
    problems = check_template(edited(tmp_path, {"manifest.toml": [changes]}))
    assert problems
    assert all(each.where.startswith("petite-charte, ") for each in problems)


def test_a_longest_value_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    problems = told(tmp_path, "manifest.toml", ('longest = "Marie-Antoinette"', 'longest = "日"'))
    assert len(problems) == 4
    assert all("la police ne sait pas écrire « 日 » (U+65E5)" in each for each in problems)


@pytest.mark.parametrize(
    ("left", "bottom", "seen"),
    [
        (190, 275, True),  # on the top right code
        (176.5, 262, True),  # in its quiet zone
        (15, 15, True),  # on the bottom left code
        (31, 20, True),  # in its quiet zone
        (100, 12, True),  # where the reference goes
        (170, 275, False),  # beside the code
        (15, 40, False),
        (100, 17, False),
        (15, 275, False),  # the third corner is free
        pytest.param(
            *(38, 12, True),
        ),
    ],
)
def test_ink_where_the_press_writes_is_told(
    tmp_path: Path, left: float, bottom: float, seen: bool
) -> None:
    problems = check_template(with_body(tmp_path, placed(left, bottom)))
    assert [(each.where, each.what) for each in problems] == [
        ("avis, entier, tous", "de l’encre à la place d’un code ou de la référence, face 1.")
    ] * seen


def test_ink_is_looked_for_on_every_side_also_once_reduced(tmp_path: Path) -> None:
    black = "position: absolute; left: -27mm; bottom: -30mm; width: 60mm; height: 60mm"
    last = f'<p class="serial"><span style="{black}; background: black"></span>'
    template = edited(tmp_path, {"body.html": [('<p class="serial">', last)]})
    found = [(each.where, each.what[-7:]) for each in check_template(template)]
    assert set(found) == {
        (f"petite-charte, {layout}, {variant}", face)
        for layout, face in (("entier", "face 3."), ("reduction", "face 2."))
        for variant in ("mineur", "majeur")
    }


def test_a_field_shown_nowhere_is_told(tmp_path: Path) -> None:
    assert told(tmp_path, "body.html", ('{{ field("serial") }}', "")) == [
        f"petite-charte, {layout} : le champ « serial » n’est montré nulle part."
        for layout in ("entier", "reduction")
    ]


def test_a_zone_that_is_missing_in_one_of_its_variants_is_told(tmp_path: Path) -> None:
    assert told(tmp_path, "body.html", ('{{ signature("guardian") }}', "")) == [
        f"petite-charte, {layout} : la zone de signature « guardian » manque dans « mineur »."
        for layout in ("entier", "reduction")
    ]


def test_a_zone_for_everybody_is_looked_for_in_every_variant(tmp_path: Path) -> None:
    one = '{% if variant == "mineur" %}{{ signature("pupil") }}{% endif %}'
    problems = told(tmp_path, "body.html", ('{{ signature("pupil") }}', one))
    assert problems[0].endswith("la zone de signature « pupil » manque dans « majeur ».")
    assert len(problems) == 2


def test_another_font_is_told(tmp_path: Path) -> None:
    changes = {"style.css": [('"Source Sans Pro"', "monospace")]}
    problems = check_template(edited(tmp_path, changes, "avis"))
    assert problems
    assert all(each.what.startswith("police étrangère : ") for each in problems)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('function = "Prof', 'nickname = "Prof', "champ « nickname » inconnu."),
        ('name = "ESSAI Zoé"', "", "« Nom » : cette valeur est obligatoire et manque."),
        ('"ESSAI Zoé"', f'"{"W" * 121}"', "« Nom » : 121 caractères, pour 120 au plus."),
        ('name = "ESSAI Zoé"', "name = ", "exemple illisible ("),
    ],
)
def test_a_bad_sample_is_told(tmp_path: Path, old: str, new: str, expected: str) -> None:
    (problem,) = check_template(edited(tmp_path, {"sample.toml": [(old, new)]}, "avis"))
    assert problem.what.startswith(expected)
    assert problem.where == "avis/sample.toml"


def test_a_sample_that_is_absent_is_told(tmp_path: Path) -> None:
    template = edited(tmp_path, {}, "avis")
    (template.folder / "sample.toml").unlink()
    (problem,) = check_template(template)
    assert problem.what.startswith("exemple illisible (")


@pytest.mark.parametrize("content", ["é = 1".encode("latin-1"), b"name = 3", b"name = [1]"])
def test_a_sample_of_another_kind_is_told(tmp_path: Path, content: bytes) -> None:
    template = edited(tmp_path, {}, "avis")
    (template.folder / "sample.toml").write_bytes(content)
    assert any(each.where == "avis/sample.toml" for each in check_template(template))


def test_a_longest_value_that_its_own_field_refuses_is_told_with_the_rest(tmp_path: Path) -> None:
    template = edited(
        tmp_path,
        {
            "manifest.toml": [('longest = "HA10000123456789"', 'longest = "?"')],
            "body.html": [('{{ field("division") }}', "")],
        },
    )
    whats = [each.what for each in check_template(template)]
    assert "le champ « division » n’est montré nulle part." in whats
    assert any("Numéro de série" in what for what in whats)


def test_a_zone_of_an_unknown_variant_is_told(tmp_path: Path) -> None:
    with pytest.raises(TemplateRejected, match="la variante « adulte » n’existe pas"):
        told(tmp_path, "manifest.toml", ('variants = ["mineur"]', 'variants = ["adulte"]'))


@pytest.mark.parametrize("size", ["letter", "A5", "A4 landscape"])
def test_paper_that_is_not_a4_is_told(tmp_path: Path, size: str) -> None:
    changes = {"style.css": [("size: A4", f"size: {size}")]}
    problems = check_template(edited(tmp_path, changes, "avis"))
    assert any("A4" in each.what for each in problems)


def test_all_the_faults_are_told_at_once(tmp_path: Path) -> None:
    template = edited(
        tmp_path,
        {
            "body.html": [('{{ field("serial") }}', ""), ('{{ field("division") }}', "")],
            "sample.toml": [('first_name = "Zoé"', 'nickname = "Zoé"')],
        },
    )
    found = [each.what for each in check_template(template)]
    assert found[0] == "champ « nickname » inconnu."
    assert found.count("le champ « serial » n’est montré nulle part.") == 2
    assert found.count("le champ « division » n’est montré nulle part.") == 2
    assert all(isinstance(each, Problem) for each in check_template(template))
