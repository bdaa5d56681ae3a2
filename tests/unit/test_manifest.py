"""manifest.toml: every rule refuses what breaks it, and says so."""

from pathlib import Path

import pytest

from docgen.errors import TemplateRejected
from docgen.manifest import Layout, Manifest, read_manifest
from tests.helpers import SHELF, edited, refusal, small_charter

MANIFEST = "manifest.toml"


def told(folder: Path, old: str, new: str) -> list[str]:
    """Give what is wrong once a text of the small template's manifest is replaced."""
    problems = refusal(lambda: edited(folder, {MANIFEST: [(old, new)]}), TemplateRejected)
    assert {each.where for each in problems} == {"petite-charte/manifest.toml"}
    return [each.what for each in problems]


def test_the_manifest_is_read_whole() -> None:
    manifest = small_charter().manifest
    assert (manifest.slug, manifest.kind, manifest.version) == ("petite-charte", "charter", "1")
    assert manifest.layout("reduction") == Layout(
        name="reduction", title="Réduction", pages=3, sides=2, sheets=1, of="entier"
    )
    assert [field.name for field in manifest.fields if field.required] == [
        "school_name",
        "family_name",
    ]
    assert manifest.signatures[1].variants == ("mineur",)
    assert manifest.default_copies == 1


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('reference = "PC"', 'reference = "P"', "« P » : la référence s’ouvre par deux lettres"),
        ('reference = "PC"', 'reference = "pc"', "« pc » : la référence s’ouvre par deux lettres"),
        ('reference = "PC"', 'reference = "P1"', "« P1 » : la référence s’ouvre par deux lettres"),
        ('version = "1"', 'version = "1"\ndefault_copies = 0', "« default_copies » doit aller"),
        ('version = "1"', 'version = "1"\nmailed = true', "« mailed » : seule une attestation"),
        ('version = "1"', 'version = "1"\ndefault_copies = 10', "« default_copies » doit aller"),
        ('version = "1"', f'version = "{"1" * 21}"', "« version » : de 1 à 20 caractères."),
        ('version = "1"', 'version = ""', "« version » : de 1 à 20 caractères."),
        ("Exemplaire famille", "E" * 46, "« copies » : 45 caractères au plus pour chacune."),
        ('name = "campaign"', f'name = "{"c" * 51}"', "« ccccc"),
        ('name = "campaign"', 'name = "serial"', "« serial » est déclaré 2 fois."),
        ('name = "majeur"', 'name = "mineur"', "« mineur » est déclaré 2 fois."),
        ('name = "guardian"\nlabel = "Sig', 'name = "pupil"\nlabel = "Sig', "« pupil » est décl"),
        ('when = "adult"', 'when = "minor"', "les variantes doivent couvrir les mineurs et"),
        ('"person.class"', '"person.klass"', "champ « division » : la source « person.klass »"),
        ('sample = "Rentrée"\n', "", "champ « campaign » : il faut un exemple"),
        ('longest = "T STMG 12"\n', "", "champ « division » : il faut un exemple"),
        ('of = "entier"', 'of = "absent"', "« reduction » : « absent » n’est pas une mise en"),
        ('of = "entier"', 'of = "reduction"', "« reduction » : « reduction » n’est pas une mise"),
        ("sides = 2", "sides = 3", "« reduction » : pages, faces et feuilles promises se con"),
        ("sheets = 2", "sheets = 3", "« entier » : pages, faces et feuilles promises se con"),
        ('["style.css"]', '["absent.css"]', "le fichier « absent.css » manque."),
        ('["entier.css"]', '["absent.css"]', "le fichier « absent.css » manque."),
        ('version = "1"', 'version = "1"\nbody = "absent.html"', "le fichier « absent.html » man"),
    ],
)
def test_each_rule_is_held(tmp_path: Path, old: str, new: str, expected: str) -> None:
    (what,) = told(tmp_path, old, new)
    assert what.startswith(expected)


def test_the_folder_bears_the_name_of_the_template(tmp_path: Path) -> None:
    assert told(tmp_path, 'slug = "petite-charte"', 'slug = "autre"') == [
        "le dossier doit porter le nom du modèle, « autre »."
    ]


def test_all_the_broken_rules_are_told_at_once(tmp_path: Path) -> None:
    changes = [
        ('slug = "petite-charte"', 'slug = "autre"'),
        ('reference = "PC"', 'reference = "?"'),
        ('["style.css"]', '["absent.css"]'),
    ]
    problems = refusal(lambda: edited(tmp_path, {MANIFEST: changes}), TemplateRejected)
    assert len(problems) == 3


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('slug = "petite-charte"', "slug = "),
        ('slug = "petite-charte"', "slug = 3"),
        ('kind = "charter"', 'kind = "poem"'),
        ('kind = "charter"\n', ""),
        ('version = "1"', 'version = "1"\nsurprise = true'),
        ('type = "serial"', 'type = "number"'),
        ('title = "Entier"', 'title = "Entier"\nsurprise = 1'),
    ],
)
def test_an_unknown_or_mistyped_entry_makes_it_unreadable(
    tmp_path: Path, old: str, new: str
) -> None:
    (problem,) = refusal(lambda: edited(tmp_path, {MANIFEST: [(old, new)]}), TemplateRejected)
    assert problem.what.startswith("manifeste illisible (")


@pytest.mark.parametrize("content", [None, b"slug = \xe9"])
def test_a_file_that_is_absent_or_not_utf_8_is_told(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / MANIFEST
    if content:
        path.write_bytes(content)
    (problem,) = refusal(lambda: read_manifest(path), TemplateRejected)
    assert problem.what.startswith("manifeste illisible (")


def test_an_unknown_layout_is_refused_with_the_known_ones() -> None:
    (problem,) = refusal(lambda: small_charter().manifest.layout("a4"), TemplateRejected)
    assert str(problem) == (
        "petite-charte : la mise en page « a4 » n’existe pas. Choisissez : entier, reduction."
    )


def test_age_chooses_the_variant() -> None:
    manifest = small_charter().manifest
    assert manifest.variant(is_adult=True).name == "majeur"
    assert manifest.variant(is_adult=False).name == "mineur"


def test_a_reduced_layout_stands_on_its_base_two_pages_a_side() -> None:
    manifest: Manifest = read_manifest(SHELF / "charters" / "petite-charte" / MANIFEST)
    whole, reduced = manifest.layouts
    assert (whole.base, whole.per_side, reduced.base, reduced.per_side) == (
        "entier",
        1,
        "entier",
        2,
    )


FAULTS = {
    "a reference of letters that codes cannot hold": ('reference = "PC"', 'reference = "ÉÀ"'),
    "a colon, which tells signature zones": ('name = "campaign"', 'name = "a:b"'),
    "a layout whose name is a path": ('name = "entier"', 'name = "../entier"'),
    "a signature of a variant that does not exist": ('["mineur"]', '["adulte"]'),
    "a body outside the shelf": ('version = "1"', 'version = "1"\nbody = "/etc/hostname"'),
    "a style outside the shelf": ('["style.css"]', '["../../../../../../etc/hostname"]'),
    "no page at all": ("pages = 3\nsides = 3\nsheets = 2", "pages = 0\nsides = 0\nsheets = 0"),
    "more sides than a code counts": (
        "pages = 3\nsides = 3\nsheets = 2",
        "pages = 256\nsides = 256\nsheets = 128",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_would_break_later_is_refused_at_once(tmp_path: Path, fault: str) -> None:
    if fault == "a style outside the shelf":
        deep = "../" * len((tmp_path / "shelf" / "charters" / "petite-charte").parts)
        change = ('["style.css"]', f'["{deep}etc/hostname"]')
    else:
        change = FAULTS[fault]
    changes = [change]
    if "name" in fault:
        changes.append(('of = "entier"', 'of = "../entier"'))
    with pytest.raises(TemplateRejected):
        edited(tmp_path, {MANIFEST: changes})


@pytest.mark.parametrize("place", ["../_commun", "../../_commun"])
def test_a_style_may_be_shared_by_a_kind_or_by_the_shelf(tmp_path: Path, place: str) -> None:
    shared = tmp_path / "shelf" / "charters" / "petite-charte" / place
    shared.mkdir(parents=True)
    (shared / "feuille.css").touch()
    template = edited(
        tmp_path, {MANIFEST: [('"style.css"', f'"{place}/feuille.css", "style.css"')]}
    )
    path = template.styles(template.manifest.layouts[0])[0]
    assert path.resolve() == (shared / "feuille.css").resolve()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../../notices/feuille.css", "another kind"),
        ("../../feuille.css", "the shelf, but no folder that it shares"),
        ("../../../_commun/feuille.css", "beside the shelf"),
        ("../../_lien/feuille.css", "a link that leads out of the shelf"),
        ("../../_commun/lien.css", "a link within a shared folder that leads out of the shelf"),
        ("../../_commun/../notices/feuille.css", "through a shared folder"),
    ],
)
def test_a_style_of_elsewhere_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    shelf = tmp_path / "shelf"
    for folder in (shelf, shelf / "notices", shelf / "_commun", tmp_path / "_commun"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "feuille.css").touch()
    (shelf / "_lien").symlink_to(tmp_path / "_commun")
    (shelf / "_commun" / "lien.css").symlink_to(tmp_path / "_commun" / "feuille.css")
    assert told(tmp_path, '"style.css"', f'"{name}"') == [
        f"le fichier « {name} » est hors des modèles."
    ], reason


def test_a_template_has_a_layout(tmp_path: Path) -> None:
    text = (SHELF / "charters" / "petite-charte" / MANIFEST).read_text(encoding="utf-8")
    start, end = text.index("[[layouts]]"), text.index("[[variants]]")
    with pytest.raises(TemplateRejected):
        edited(tmp_path, {MANIFEST: [(text[start:end], ""), ("styles", "layouts = []\nstyles")]})
