"""`docgen word`: the model to edit, a document for each loan, all of them or none."""

import errno
import json
import os
import re
import subprocess
import sys
import zipfile
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from docgen import library, pagecode, wording
from docgen.datafolder import data_folder, page_code_key
from docgen.rendering import office, pictures
from samples.generate import school_toml
from samples.people import school
from tests import helpers
from tests.hostile import models
from tests.unit.test_word import text_of

PUPILS = """Identifiant;Nom de famille;Prénom;Date de naissance;Classe;Représentant légal 1
E1;MARTIN;Léa;12/03/2010;2DE 1;Mme MARTIN Anne
E2;DUPONT & <b>;Zoé;12/03/2008;T G1;
"""
STAFF = "Identifiant;Civilité;Nom de famille;Prénom;Fonction\nP1;Mme;DURAND;Inès;CPE\n"
LOANS = """N° de série;Bénéficiaire;Début;Fin;État
HA16FV20;E1;14/09/2026;02/07/2027;Bon état
HA19LN20;E2;14/09/2026;02/07/2027;
"""
PUPIL = "convention-pret-eleve"
ARTICLE = "modele-article-reglement-interieur"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a school's files."""
    files = {
        "school.toml": school_toml(school()),
        "eleves.csv": PUPILS,
        "personnels.csv": STAFF,
        "prets.csv": LOANS,
        "prets-personnels.csv": LOANS.replace("E1", "P1").rsplit("HA19", 1)[0],
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def word(place: Path, *options: str, template: str = PUPIL) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from docgen.cli import main; main()", "word", template]
    given = ["--school", "school.toml", "--out", "out", "--on", "01/09/2026", *options]
    return subprocess.run(
        [*command, *given], check=False, cwd=place, capture_output=True, text=True
    )


LENT = ("--roster", "eleves.csv", "--loans", "prets.csv")


def names(place: Path) -> list[str]:
    return (
        sorted(path.name for path in (place / "out").iterdir()) if (place / "out").exists() else []
    )


def test_a_school_alone_gets_the_model_to_edit_and_blanks(place: Path) -> None:
    assert word(place).returncode == 0
    stem = f"{PUPIL}-0130010R"
    assert names(place) == [
        f"{stem}-modele.docx",
        f"{stem}-vierge-majeur.docx",
        f"{stem}-vierge-mineur.docx",
        "job.json",
    ]
    model = text_of((place / "out" / f"{stem}-modele.docx").read_bytes())
    assert school().name in model
    assert "{{ eleve_nom }}" in model
    blank = text_of((place / "out" / f"{stem}-vierge-mineur.docx").read_bytes())
    assert school().name in blank
    assert "Nom de famille\u00a0: ……" in blank
    assert "{{" not in blank


def test_each_loan_has_its_file_named_by_no_name(place: Path) -> None:
    done = word(place, *LENT, "--json")
    assert done.returncode == 0, done.stderr
    stems = ["PE-0130010R-E1-HA16FV20", "PE-0130010R-E2-HA19LN20"]
    archive = f"{PUPIL}-0130010R-docx.zip"
    assert json.loads(done.stdout)["files"] == [*(f"{stem}.docx" for stem in stems), archive]
    minor, adult = (text_of((place / "out" / f"{stem}.docx").read_bytes()) for stem in stems)
    assert "Mme MARTIN Anne" in minor
    assert "14\u00a0septembre 2026" in minor or "14 septembre 2026" in minor
    assert "DUPONT & <b>" in adult
    assert "Représentant" not in adult
    with zipfile.ZipFile(place / "out" / archive) as zipped:
        assert zipped.namelist() == [f"{stem}.docx" for stem in stems]
        assert zipped.read(f"{stems[0]}.docx") == (place / f"out/{stems[0]}.docx").read_bytes()


@pytest.mark.parametrize(
    ("start", "year"),
    [("14/09/2026", "2026-2027"), ("31/07/2026", "2025-2026"), ("01/08/2026", "2026-2027")],
)
def test_a_loan_is_of_the_school_year_that_it_starts_in(place: Path, start: str, year: str) -> None:
    """A table of people tells no year; August is for the year that opens in September."""
    lines = f"N° de série;Bénéficiaire;Début;Fin\nHA16FV20;E1;{start};02/07/2027\n"
    (place / "prets.csv").write_text(lines, encoding="utf-8")
    assert word(place, *LENT).returncode == 0
    text = text_of((place / "out" / "PE-0130010R-E1-HA16FV20.docx").read_bytes())
    assert f"année scolaire {year}\n" in text


def test_the_same_request_gives_the_same_bytes_again(place: Path) -> None:
    assert word(place, *LENT).returncode == 0
    first = {path.name: path.read_bytes() for path in (place / "out").iterdir()}
    assert word(place, *LENT).returncode == 0
    assert {path.name: path.read_bytes() for path in (place / "out").iterdir()} == first


@pytest.mark.parametrize("kind", ["doc", "odt", "pdf"])
def test_loans_come_in_the_format_asked_for(place: Path, kind: office.Kind) -> None:
    assert word(place, *LENT, "--format", kind).returncode == 0
    made = place / "out" / f"PE-0130010R-E1-HA16FV20.{kind}"
    assert made.read_bytes().startswith(office.MAGIC[kind])
    assert not list((place / "out").glob("*.docx"))
    references = json.loads((place / "out" / "job.json").read_text(encoding="utf-8"))["references"]
    if kind == "pdf":
        assert list(references) == [
            f"PE-0130010R-{each}.pdf" for each in ("E1-HA16FV20", "E2-HA19LN20")
        ]
        key = page_code_key(data_folder())
        for name, reference in references.items():
            content = (place / "out" / name).read_bytes()
            count = len(PdfReader(BytesIO(content)).pages)
            for side, picture in enumerate(pictures.greys(content, 150), 1):
                codes = helpers.codes_of(picture, key)
                assert {(each.side, each.sides) for each in codes} == {(side, count)}
                assert {pagecode.reference("PE", each.document) for each in codes} == {reference}
            with zipfile.ZipFile(place / "out" / f"{PUPIL}-0130010R-pdf.zip") as zipped:
                assert zipped.read(name) == content
    else:
        assert references == {}  # whoever prints it may have changed it


def test_the_folder_may_stand_on_another_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file moves only on its own disk, and /tmp is often a disk of its own."""
    out = tmp_path / "out"
    move = os.replace

    def within_a_disk(source: Path, target: Path) -> None:
        if out not in Path(source).parents:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        move(source, target)

    monkeypatch.setattr(os, "replace", within_a_disk)
    request = wording.Request(library.load(PUPIL), school(), date(2026, 9, 1))
    assert len(wording.write(request, out).names) == 3
    assert not list(out.glob(".*"))


def test_a_class_comes_in_one_file(place: Path) -> None:
    assert word(place, *LENT, "--merged").returncode == 0
    assert names(place) == [f"{PUPIL}-0130010R.docx", "job.json"]
    text = text_of((place / "out" / f"{PUPIL}-0130010R.docx").read_bytes())
    assert text.index("MARTIN") < text.index("DUPONT & <b>")


def test_one_file_is_made_as_docx_only(place: Path) -> None:
    done = word(place, *LENT, "--merged", "--format", "pdf")
    assert done.returncode == 2
    assert "--format docx" in done.stderr


def test_a_school_gives_its_own_model_back(place: Path) -> None:
    models.written(place / "m.docx", models.with_text("Article de la maison : {{ eleve_nom }}."))
    done = word(place, *LENT, "--model", "m.docx")
    assert done.returncode == 0, done.stderr
    text = text_of((place / "out" / "PE-0130010R-E1-HA16FV20.docx").read_bytes())
    assert "Article de la maison : MARTIN." in text


def test_a_model_refused_leaves_nothing(place: Path) -> None:
    models.written(place / "m.docx", models.with_text("{{ lipsum() }} {{ inconnu }}"))
    done = word(place, *LENT, "--model", "m.docx")
    assert done.returncode == 2
    assert done.stderr.count("m.docx") >= 2
    assert names(place) == []


def test_every_value_refused_is_told_without_a_name(place: Path) -> None:
    lines = PUPILS.replace("MARTIN;Léa", "MAR\u200bTIN;Léa").replace("Zoé", "Z\u202eoé")
    (place / "eleves.csv").write_text(lines, encoding="utf-8")
    done = word(place, *LENT)
    assert done.returncode == 2
    assert not re.search("MAR|DUPONT|Léa|Zoé", done.stderr)
    assert names(place) == []


def test_what_no_loan_fills_is_one_file_for_the_school_to_finish(place: Path) -> None:
    done = word(place, template=ARTICLE)
    assert done.returncode == 0, done.stderr
    assert "1 document(s), 1 fichier(s)" in done.stdout
    assert names(place) == ["job.json", f"{ARTICLE}-0130010R.docx"]
    text = text_of((place / "out" / f"{ARTICLE}-0130010R.docx").read_bytes())
    assert school().name in text
    assert "L’établissement fixe la règle suivante\u00a0: ……" in text
    assert "{{" not in text


@pytest.mark.parametrize("kind", ["doc", "odt", "pdf"])
def test_what_no_loan_fills_comes_in_the_format_asked_for(place: Path, kind: office.Kind) -> None:
    assert word(place, "--format", kind, template=ARTICLE).returncode == 0
    assert names(place) == ["job.json", f"{ARTICLE}-0130010R.{kind}"]
    content = (place / "out" / f"{ARTICLE}-0130010R.{kind}").read_bytes()
    assert content.startswith(office.MAGIC[kind])
    if kind == "pdf":
        assert len(PdfReader(BytesIO(content)).pages) == 1


def test_staff_have_their_convention(place: Path) -> None:
    given = ("--roster", "personnels.csv", "--loans", "prets-personnels.csv")
    done = word(place, *given, template="convention-pret-personnel")
    assert done.returncode == 0, done.stderr
    text = text_of((place / "out" / "PP-0130010R-P1-HA16FV20.docx").read_bytes())
    assert "Mme DURAND" in text
    assert "CPE" in text


@pytest.mark.parametrize(
    ("options", "template", "word_told"),
    [
        (("--loans", "prets.csv"), PUPIL, "--roster"),
        ((), "charte-cession-eleve", "docgen press"),
        (("--format", "rtf"), PUPIL, "--format"),
        (LENT, ARTICLE, "sans registre des prêts"),
    ],
)
def test_what_cannot_be_asked_is_told(
    place: Path, options: tuple[str, ...], template: str, word_told: str
) -> None:
    done = word(place, *options, template=template)
    assert done.returncode == 2
    assert word_told in done.stderr
    assert names(place) == []
