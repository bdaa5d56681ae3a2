"""Forms made from manifests: every field of every template, checked as the press checks it."""

import re
import tomllib
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pypdf import PdfReader

from docgen import library, records, single
from docgen.backoffice import handovers, models, registers
from docgen.datafolder import data_folder
from docgen.library import Template
from docgen.single import Filled
from docgen.typography import DATE_IN_WORDS, MONTHS
from tests import helpers
from tests.service import page_rules, town

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
FILLED = [each for each in library.load_all() if each.manifest.engine in single.MAKERS]
HOSTILE = '"><script>alert(1)</script>'
MANIFEST = """slug = "bon-de-tout"
kind = "form"
title = "Bon de tout"
purpose = "Quand on essaie toutes les sortes de champs."
version = "1"
audience = "pupil"
reference = "BT"
returns = "signed"
engine = "flow"

[[layouts]]
name = "a4"
title = "A4"
pages = 0
sides = 0
sheets = 0

[[variants]]
name = "tous"
title = "Tous"
"""
TYPES = {
    "text": "Salle 12",
    "prose": "Rien à dire",
    "count": "12",
    "date": "14 septembre 2026",
    "serial": "HGA70KX3",
    "uai": "0049998W",
    "postal_code": "13001",
    "choice": "bleu",
    "tick": "",
    "rows": "",
}


@pytest.fixture
def school() -> models.School:
    row = town.school()
    people = tuple(helpers.people(2, first_name="Zoé", division="2DE 1"))
    devices = {each: records.Device(each, "Tablette d’essai") for each in ("HA200001", "HA200002")}
    registers.keep_roster(row, "pupil", records.Roster(people, "2026-2027", devices), "test")
    return row


@pytest.fixture
def person(school: models.School) -> models.Person:
    return models.Person.objects.filter(school=school).order_by("pk")[0]


@pytest.fixture
def desk(client: Client, school: models.School) -> Client:
    """Give the browser of the school."""
    client.force_login(models.User.objects.create(username="desk", role="school", school=school))
    return client


@pytest.fixture
def new_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Add a template with a field of every type: a folder, and nothing else."""
    folder = tmp_path / "forms" / "bon-de-tout"
    folder.mkdir(parents=True)
    fields = [MANIFEST]
    body = [
        "<!DOCTYPE html><html lang=fr><head><title>{{ title }}</title></head><body><h1>Bon</h1>"
    ]
    for kind, sample in TYPES.items():
        told = f'sample = "{sample}"\nlongest = "{sample}"\n' if sample else ""
        more = 'choices = ["bleu", "rouge"]\n' if kind == "choice" else ""
        fields.append(f'[[fields]]\nname = "{kind}"\nlabel = "Champ {kind}"\ntype = "{kind}"\n')
        fields.append(
            told + more + ("" if kind == "rows" else f"required = {str(bool(sample)).lower()}\n")
        )
        body.append("" if kind == "rows" else f'<p>{{{{ field("{kind}") }}}}</p>')
    column = '[[fields.columns]]\nname = "c"\nlabel = "Colonne"\nlongest = "xxxx"\nmax_length = 4\n'
    fields.append(column)
    body.append(
        '{% for row in rows("rows", blank=2) %}<p>{{ row.c }}</p>{% endfor %}</body></html>'
    )
    (folder / "manifest.toml").write_text("\n".join(fields))
    (folder / "body.html").write_text("".join(body))
    (folder / "sample.toml").write_text('text = "Salle 12"\n')
    monkeypatch.setenv("DOCGEN_TEMPLATES", str(tmp_path))
    return "bon-de-tout"


def address(school: models.School, slug: str, name: str = "form") -> str:
    return reverse(name, args=(school.pk, slug))


def typed(template: Template, given: dict[str, Any]) -> dict[str, str]:
    """Give what a browser sends of these values."""
    sent = {"etape": "telecharger", "mise-en-page": template.manifest.layouts[0].name}
    sent["variante"] = template.manifest.variants[0].name
    for field in template.manifest.fields:
        value, name = given.get(field.name, ""), f"champ-{field.name}"
        if field.type == "rows":
            lines = [
                ["oui" if cell is True else str(cell or "") for cell in row.values()]
                for row in value
            ]
            sent[f"{name}-collage"] = "\n".join("\t".join(line) for line in lines)
        elif field.type == "tick":
            sent |= {name: "on"} if value else {}
        else:
            sent[name] = in_figures(value) if field.type == "date" else str(value)
    return sent


def in_figures(words: str) -> str:
    if not DATE_IN_WORDS.fullmatch(words):
        return words
    day, month, year = words.replace("1er", "1").split()
    return date(int(year), MONTHS.index(month) + 1, int(day)).isoformat()


def test_every_template_is_a_form_and_takes_its_sample_as_it_is(
    desk: Client, school: models.School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same reading makes the same bytes: nothing need be laid out to know it."""
    read: list[single.Reading] = []

    def fill(template: Template, given: dict[str, Any], *_: object, **options: str) -> Filled:
        read.append(single.read_values(template, given, **options))
        return Filled("XX-1", b"%PDF", b"", 1, 0, 0, (), ())

    monkeypatch.setattr(single, "fill", fill)
    wrong = []
    for template in FILLED:
        where = address(school, template.manifest.slug) + "?personne=0"
        shown = desk.get(where).content
        wrong += page_rules.faults(shown)
        names = [f"champ-{field.name}" for field in template.manifest.fields]
        wrong += [name for name in names if name not in shown.decode()]
        sample = tomllib.loads(template.text("sample.toml"))
        answer = desk.post(where, typed(template, sample))
        if answer.content != b"%PDF":
            wrong.append(f"{template.manifest.slug}: {page_text(answer.content)}")
            continue
        variant = template.manifest.variants[0].name
        if read[-1] != single.read_values(template, sample, variant=variant):
            wrong.append(f"{template.manifest.slug}: {read[-1].values}")
    assert wrong == []
    assert len(read) == len(FILLED) > 10


def page_text(content: bytes) -> str:
    return " ".join(re.sub("<[^>]*>", " ", content.decode(errors="replace")).split())


def test_a_form_that_is_only_a_folder_has_a_box_for_every_type(
    desk: Client, school: models.School, new_form: str
) -> None:
    where = address(school, new_form)
    listing = desk.get(reverse("forms", args=(school.pk,))).content.decode()
    assert where in listing
    assert "Quand on essaie toutes les sortes de champs." in listing
    shown = desk.get(where).content.decode()
    for part in (
        '<textarea name="champ-prose"',
        'name="champ-date" class="form-control medium" required',
        'type="date"',
        'inputmode="numeric"',
        'autocapitalize="characters"',
        '<input type="radio" name="champ-choice" value="bleu"',
        '<input type="checkbox" name="champ-tick"',
        'name="champ-rows-1-c"',
        'name="champ-rows-collage"',
    ):
        assert part in shown
    empty = desk.post(where, {"champ-rows-total": "1", "champ-rows-1-c": "trop long"})
    assert empty.status_code == 422
    told = page_text(empty.content)
    assert told.count("Cette valeur est obligatoire et manque.") == 2 * (len(TYPES) - 2)
    assert "Ligne 1 : « Colonne » : 9 caractères, pour 4 au plus." in told
    assert page_rules.faults(empty.content) == []
    sample = TYPES | {"rows": [{"c": "un"}, {"c": "deux"}], "tick": True}
    answer = desk.post(where, typed(library.load(new_form), sample))
    assert answer["Content-Type"] == "application/pdf"
    text = PdfReader(BytesIO(answer.content)).pages[0].extract_text()
    assert "14 septembre 2026" in text
    assert "☑" in text
    assert desk.get(address(school, new_form, "form-blank"))["Content-Type"] == "application/pdf"


def test_the_person_is_chosen_first_and_what_is_known_is_written(
    desk: Client, school: models.School, person: models.Person
) -> None:
    handovers.cede(person, "HA200001", date(2026, 9, 14), "test")
    days = date(2026, 9, 15), date(2027, 6, 30)
    handovers.lend(person, "HA200002", days, "neuf", "test")
    where = address(school, "recu-retour-pret")
    asked = page_text(desk.get(f"{where}?q={person.family_name.split()[-1]}").content)
    assert f"{person.family_name} Zoé" in asked
    shown = desk.get(f"{where}?personne={person.pk}").content.decode()
    assert f'value="{person.family_name}"' in shown
    assert 'value="HA200002"' in shown  # the one that is lent: this is about a loan
    assert 'value="2027-06-30"' in shown
    other = desk.get(f"{where}?personne={person.pk}&tablette=cession-1").content.decode()
    assert 'value="2027-06-30"' not in other
    adult = desk.get(address(school, "notice-pret-continuite") + f"?personne={person.pk}")
    assert re.search('value="mineur"[^>]*checked', adult.content.decode())


def test_somebody_of_another_school_is_nobody(desk: Client, school: models.School) -> None:
    other = town.school("0130002S")
    registers.keep_roster(other, "pupil", records.Roster(tuple(helpers.people(1))), "test")
    (stranger,) = models.Person.objects.filter(school=other)
    where = address(school, "recu-retour-pret")
    assert desk.get(f"{where}?personne={stranger.pk}").status_code == 404
    office = Client()
    office.force_login(models.User.objects.create(username="office", role="back_office"))
    assert office.get(f"{where}?personne={stranger.pk}").status_code == 404
    assert desk.get(f"{where}?personne=x").status_code == 404
    assert desk.get(address(school, "rien")).status_code == 404


def test_a_field_is_checked_alone_as_it_is_typed(desk: Client, school: models.School) -> None:
    where = address(school, "declaration-tablette-hors-service") + "?personne=0"
    typed = {"champ-old_serial": "hgO70!", "champ-school_name": "", "etape": ""}
    headers = {"HX-Request": "true", "HX-Trigger": "box-champ-old_serial"}
    answer = desk.post(where, typed, headers=headers)
    assert answer.status_code == 200
    told = page_text(answer.content)
    assert "4 à 32 lettres et chiffres" in told
    assert "La lettre O est devenue le chiffre 0" in told
    assert 'value="HG070!"' in answer.content.decode()
    assert 'aria-describedby="id_champ-old_serial_helptext id_champ-old_serial_error"' in (
        answer.content.decode()
    )
    assert "obligatoire et manque" not in told


def test_what_the_press_refuses_is_told_at_its_field(desk: Client, school: models.School) -> None:
    template = library.load("recu-retour-pret")
    sample = tomllib.loads(template.text("sample.toml"))
    where = address(school, "recu-retour-pret") + "?personne=0"
    wrong = sample | {"borrower_family_name": "W" * 300, "returned_by": "日"}
    for field, told in (
        ("borrower_family_name", "300 caractères ne tiennent pas dans la place prévue"),
        ("returned_by", "U+65E5"),
    ):
        answer = desk.post(where, typed(template, sample | {field: wrong[field]}))
        assert answer.status_code == 422
        assert answer.context["form"].errors.keys() == {field}
        assert told in page_text(answer.content)


def test_the_document_is_seen_before_it_is_taken_and_nothing_of_it_is_kept(
    desk: Client, school: models.School, caplog: pytest.LogCaptureFixture
) -> None:
    template = library.load("recu-retour-pret")
    given = {"school_name": "Lycée", "borrower_family_name": "SECRET", "borrower_first_name": "Zoé"}
    sent = typed(template, given | {"state_details": HOSTILE}) | {"etape": "apercu"}
    where = address(school, "recu-retour-pret") + "?personne=0"
    seen = desk.post(where, sent)
    assert seen.status_code == 200
    assert 'src="data:image/png;base64,' in seen.content.decode()
    assert HOSTILE not in seen.content.decode()
    assert page_rules.faults(seen.content) == []
    kept = dict(hidden(seen.content.decode()))
    again = desk.post(where, kept | {"etape": "modifier"})
    assert again.status_code == 200
    assert 'value="SECRET"' in again.content.decode()
    first, second = (desk.post(where, kept | {"etape": "telecharger"}).content for _ in range(2))
    assert first == second
    assert b"%PDF" in first[:8]
    assert "SECRET" not in caplog.text
    assert "SECRET" not in str(dict(desk.session))
    assert not any(b"SECRET" in each.read_bytes() for each in files(data_folder() / "cache"))


def hidden(text: str) -> list[tuple[str, str]]:
    found = re.findall('<input type="hidden" name="(champ-[^"]*|variante)" value="([^"]*)">', text)
    return [(name, value.replace("&#x27;", "'").replace("&quot;", '"')) for name, value in found]


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_class_fills_a_list_and_lines_are_added_without_loss(
    desk: Client, school: models.School, person: models.Person
) -> None:
    where = address(school, "liste-emargement")
    shown = desk.get(f"{where}?classe=2DE 1").content.decode()
    assert f'name="champ-people-1-family_name" value="{person.family_name}"' in shown
    sent = {
        "champ-people-total": "2",
        "champ-people-2-family_name": "ESSAI",
        "champ-people-collage": "Nom\tPrénom\tNuméro de série\tCharte signée rapportée\nSUITE\tAda",
        "etape": "lignes-people",
    }
    more = desk.post(where, sent)
    assert more.status_code == 200
    text = more.content.decode()
    assert 'name="champ-people-1-family_name" value="ESSAI"' in text
    assert 'name="champ-people-2-first_name" value="Ada"' in text
    assert 'name="champ-people-10-serial"' in text
    assert 'name="champ-people-11-serial"' not in text


def test_a_long_list_stays_where_it_was_pasted(desk: Client, school: models.School) -> None:
    lines = "\n".join(f"ESSAI {n};Zoé" for n in range(60))
    where = address(school, "liste-emargement")
    answer = desk.post(where, {"champ-people-collage": lines, "etape": "lignes-people"})
    text = answer.content.decode()
    assert "ESSAI 59\tZoé" in text
    assert "champ-people-1-" not in text
    many = desk.post(where, {"champ-people-collage": lines * 8, "etape": "apercu"})
    assert many.status_code == 422
    assert "pour 400 au plus ici" in page_text(many.content)


def test_an_example_says_that_it_is_one(desk: Client, school: models.School) -> None:
    answer = desk.get(address(school, "recu-retour-pret", "form-example"))
    assert "les noms et les numéros sont inventés" in page_text(answer.content)
    assert 'alt="Page 1 de l’exemple"' in answer.content.decode()


def test_a_word_document_is_asked_for_elsewhere(desk: Client, school: models.School) -> None:
    answer = desk.get(address(school, "convention-pret-eleve"))
    assert answer.status_code == 302
    assert answer["Location"] == reverse("conventions", args=(school.pk,))
    assert desk.get(address(school, "convention-pret-eleve", "form-blank")).status_code == 404
