"""The shelf of templates: what is found, what is refused, when a template has changed."""

from itertools import pairwise
from pathlib import Path

import pytest

from docgen import library
from docgen.errors import TemplateRejected
from tests.helpers import SHELF, edited, refusal, small_charter


def test_a_template_is_found_by_its_name() -> None:
    template = library.load("petite-charte", SHELF)
    assert template.folder == SHELF / "charters" / "petite-charte"
    assert template.manifest.slug == "petite-charte"


def test_the_shelf_is_listed_by_name(tmp_path: Path) -> None:
    edited(tmp_path, {})
    other = tmp_path / "shelf" / "notices" / "billet"
    other.mkdir(parents=True)
    (other / "manifest.toml").touch()
    (tmp_path / "shelf" / "charters" / "_commun").mkdir()
    assert library.slugs(tmp_path / "shelf") == ["billet", "petite-charte"]


def test_an_unknown_template_is_refused_with_the_known_ones() -> None:
    (problem,) = refusal(lambda: library.load("charte", SHELF), TemplateRejected)
    assert str(problem) == (
        "templates : le modèle « charte » n’existe pas. Modèles : avis, petite-charte."
    )


def test_an_empty_shelf_says_so(tmp_path: Path) -> None:
    (problem,) = refusal(lambda: library.load("charte", tmp_path), TemplateRejected)
    assert problem.remedy == "Modèles : aucun."


@pytest.mark.parametrize(
    "slug",
    [
        "../outside/secret",
        "../../outside/kind/secret",
        "/etc",
        ".",
        "..",
        "",
        "*",
        "petite-charte/",
        "petite-charte/../petite-charte",
        "./petite-charte",
        "petite-charte\0",
    ],
)
def test_a_name_cannot_walk_out_of_the_shelf(tmp_path: Path, slug: str) -> None:
    edited(tmp_path, {})
    outside = tmp_path / "outside" / "kind" / "secret"
    outside.mkdir(parents=True)
    (outside / "manifest.toml").write_text("", encoding="utf-8")
    (problem,) = refusal(lambda: library.load(slug, tmp_path / "shelf"), TemplateRejected)
    assert "n’existe pas" in problem.what


def test_all_the_templates_are_loaded() -> None:
    assert [each.manifest.slug for each in library.load_all(SHELF)] == ["avis", "petite-charte"]


def test_style_sheets_come_shared_ones_first_and_a_reduction_has_those_of_its_base() -> None:
    template = small_charter()
    for layout in template.manifest.layouts:
        names = [path.name for path in template.styles(layout)]
        assert names == ["style.css", "entier.css"]


def test_a_copied_template_has_the_same_checksum(tmp_path: Path) -> None:
    assert edited(tmp_path, {}).checksum == small_charter().checksum


@pytest.mark.parametrize("name", ["manifest.toml", "body.html", "style.css", "entier.css"])
def test_the_checksum_changes_with_each_file_of_the_manifest(tmp_path: Path, name: str) -> None:
    template = edited(tmp_path, {})
    with (template.folder / name).open("a", encoding="utf-8") as stream:
        stream.write("\n")
    assert library.load("petite-charte", tmp_path / "shelf").checksum != small_charter().checksum


def test_the_checksum_changes_when_text_moves_from_one_file_to_the_next(tmp_path: Path) -> None:
    template = edited(tmp_path, {})
    files = sorted(path for path in template.folder.iterdir() if path.name != "sample.toml")
    sums = {template.checksum}
    for one, following in pairwise(files):
        end = one.read_bytes()[-1:]
        assert end == b"\n"  # moves harmlessly, into a manifest too
        one.write_bytes(one.read_bytes()[:-1])
        following.write_bytes(end + following.read_bytes())
        sums.add(library.load("petite-charte", tmp_path / "shelf").checksum)
    assert len(sums) == len(files) == 4


def test_the_sample_does_not_change_the_checksum(tmp_path: Path) -> None:
    assert edited(tmp_path, {"sample.toml": [("Zoé", "Léa")]}).checksum == small_charter().checksum


@pytest.mark.parametrize(
    ("name", "asked"),
    [("logo.svg", '<img src="logo.svg">'), ("more.css", '<style>@import "more.css";</style>')],
)
def test_the_checksum_changes_with_every_file_that_the_body_shows(
    tmp_path: Path, name: str, asked: str
) -> None:
    template = edited(tmp_path, {"body.html": [("<section>", f"<section>{asked}")]})
    sums = []
    for content in ("<svg xmlns='http://www.w3.org/2000/svg'/>", "p { color: red }"):
        (template.folder / name).write_text(content, encoding="utf-8")
        sums.append(library.load("petite-charte", tmp_path / "shelf").checksum)
    assert sums[0] != sums[1]


@pytest.mark.parametrize("place", ["charters/_commun", "_commun"])
def test_the_checksum_changes_with_every_file_that_is_shared(tmp_path: Path, place: str) -> None:
    edited(tmp_path, {})
    shared = tmp_path / "shelf" / place
    shared.mkdir()
    sums = []
    for content in ("p { color: red }", "p { color: blue }"):
        (shared / "papier.css").write_text(content, encoding="utf-8")
        sums.append(library.load("petite-charte", tmp_path / "shelf").checksum)
    assert sums[0] != sums[1]


def test_two_templates_of_one_name_are_refused(tmp_path: Path) -> None:
    template = edited(tmp_path, {})
    (tmp_path / "shelf" / "notices").mkdir()
    (tmp_path / "shelf" / "notices" / "petite-charte").symlink_to(template.folder)
    with pytest.raises(TemplateRejected):
        library.load("petite-charte", tmp_path / "shelf")


def test_the_checksum_changes_with_what_is_borrowed_from_another_template(tmp_path: Path) -> None:
    borrowed = ('["style.css"]', '["style.css", "../autre/autre.css"]')
    sums = []
    for content in ("p { color: red }", "p { color: blue }"):
        other = tmp_path / "shelf" / "charters" / "autre" / "autre.css"
        other.parent.mkdir(parents=True, exist_ok=True)
        other.write_text(content, encoding="utf-8")
        try:
            sums.append(edited(tmp_path, {"manifest.toml": [borrowed]}).checksum)
        except TemplateRejected:
            return  # refusing to borrow is as good
    assert sums[0] != sums[1]


def test_a_link_that_leads_out_of_the_shelf_does_no_harm_to_the_checksum(tmp_path: Path) -> None:
    template = edited(tmp_path, {})
    (tmp_path / "outside.svg").touch()
    (template.folder / "link.svg").symlink_to(tmp_path / "outside.svg")
    try:
        found = library.load("petite-charte", tmp_path / "shelf").checksum
    except TemplateRejected:
        return  # refusing it is as good
    assert len(found) == 64
