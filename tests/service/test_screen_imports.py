"""Files of a school: looked at, kept once seen, or refused with all that is to be mended."""

import csv
import os
import shutil
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from docgen.backoffice import imports, models
from docgen.backoffice.api import guard
from tests.service import town

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
UAI = "0130010R"
PLACE = f"/etablissements/{UAI}/donnees/"
TITLES = "Identifiant;Nom;Prénom;Date de naissance;Classe\n"
FIRST = "E1;CANARI;Zoé;01/03/2010;2DE 1\nE2;MESANGE;Léo;02/04/2009;2DE 2\n"
SECOND = "E1;CANARI;Zoé;01/03/2010;2DE 2\nE3;<b>PIE</b>;Ève;03/05/2010;2DE 1\n"
STOCK = "N° de série;Modèle;État\nHA100001;Tab;neuf\n"


@pytest.fixture
def browser() -> Client:
    """Give the browser of a school's secretary; nothing waits yet."""
    for folder in settings.UPLOADS.glob("import-*"):
        shutil.rmtree(folder)
    client = Client()
    school = town.school(UAI)
    client.force_login(models.User.objects.create(username="x", role="school", school=school))
    return client


def file(name: str, text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode())


def sent(browser: Client, rows: str, **more: object) -> Any:  # noqa: ANN401
    form = {"audience": "pupil", "people": file("eleves.csv", TITLES + rows), **more}
    return browser.post(PLACE, form, follow=True)


def kept(browser: Client, seen: Any) -> Any:  # noqa: ANN401
    return browser.post(f"{PLACE}enregistrer/", {"envoi": seen.context["token"]}, follow=True)


def page(answer: Any) -> str:  # noqa: ANN401
    content: str = answer.content.decode()
    return content


def waiting() -> list[str]:
    return [each.name for each in settings.UPLOADS.glob("import-*/*")]


def test_files_are_looked_at_before_they_are_kept(browser: Client) -> None:
    assert "Aucun élève ni professeur" in page(browser.get(PLACE))
    seen = sent(browser, FIRST, stock=file("stock.csv", STOCK))
    assert "Rien n’est encore enregistré" in page(seen)
    assert not models.Person.objects.exists()
    assert "2\u00a0personnes, 1\u00a0tablette en stock." in page(kept(browser, seen))
    assert waiting() == []
    again = sent(browser, SECOND)
    change = again.context["change"]
    assert (change.people, change.new, change.changed, change.gone) == (2, 1, 1, ["E2"])
    assert again.context["fields"] == [("Classe", 1)]
    assert "MESANGE" in page(again)
    kept(browser, again)
    present = models.Person.objects.filter(is_present=True).values_list("internal_id", flat=True)
    assert sorted(present) == ["E1", "E3"]
    people = page(browser.get(f"/etablissements/{UAI}/personnes/"))
    assert "&lt;b&gt;PIE" in people
    assert "parti" in people


def test_files_that_are_refused_tell_all_that_is_wrong_and_are_forgotten(browser: Client) -> None:
    rows = "".join(f"E{n};NOM;Zoé;=cmd|{n}/13/2010;2DE 1\n" for n in range(250))
    rows += "E900;;Léo;02/04/2009;2DE 1\n"
    seen = sent(browser, "", people=file("=eleves.csv", TITLES + rows))
    told = page(seen)
    assert "Rien n’a été enregistré" in told
    assert "eleves.csv" in told
    assert "ligne 2" in told
    assert (seen.context["total"], len(seen.context["faults"])) == (251, 200)
    few = browser.get(f"{PLACE}controle/", {"champ": "Nom de famille"})
    assert [each.line for each in few.context["faults"]] == ["252"]
    few = browser.get(f"{PLACE}controle/", {"q": "COMPLÉTEZ famille"})
    assert len(few.context["faults"]) == 1
    report = page(browser.get(f"{PLACE}controle/rapport.csv")).removeprefix("\ufeff")
    lines = list(csv.reader(StringIO(report), delimiter=";"))
    assert len(lines) == 252
    assert not [cell for line in lines for cell in line if cell.startswith(("=", "+", "-", "@"))]
    assert not models.Person.objects.exists()
    assert all(name.endswith(".json") for name in waiting())


def test_what_waits_is_for_who_sent_it_and_for_an_hour(browser: Client) -> None:
    seen = sent(browser, FIRST)
    other = Client()
    school = models.School.objects.get()
    other.force_login(models.User.objects.create(username="y", role="school", school=school))
    assert "n’est plus là" in page(kept(other, seen))
    wrong = browser.post(f"{PLACE}enregistrer/", {"envoi": "x" * 43}, follow=True)
    assert "n’est plus là" in page(wrong)
    (folder,) = settings.UPLOADS.glob("import-*")
    assert folder.stat().st_mode & 0o077 == 0
    os.utime(folder, (0, 0))
    assert "n’est plus là" in page(kept(browser, seen))
    imports.sweep()
    assert waiting() == []
    assert not models.Person.objects.exists()


def test_files_are_given_up(browser: Client) -> None:
    sent(browser, FIRST)
    assert "abandonné" in page(browser.post(f"{PLACE}abandonner/", follow=True))
    assert waiting() == []


def test_too_much_is_refused_before_it_is_read(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "MOST_FILES", 200)
    answer = browser.post(PLACE, {"audience": "pupil", "people": file("a.csv", "x" * 500)})
    assert answer.status_code == 413
    assert "dépasse" in page(answer)
    assert waiting() == []


def test_without_a_file_the_form_says_so(browser: Client) -> None:
    answer = browser.post(PLACE, {"audience": "pupil"})
    assert answer.status_code == 422
    assert "Choisissez au moins un fichier." in page(answer)
    empty = browser.post(PLACE, {"audience": "pupil", "people": file("vide.csv", "")})
    assert empty.status_code == 422


def test_people_and_tablets_are_listed_with_what_they_hold(browser: Client) -> None:
    ceded = "N° de série;Bénéficiaire;Date\nHA100001;E1;14/09/2026\n"
    kept(browser, sent(browser, FIRST, stock=file("s.csv", STOCK), cessions=file("c.csv", ceded)))
    people = browser.get(f"/etablissements/{UAI}/personnes/", {"tablette": "avec"})
    assert [row.ceded for row in people.context["listing"].rows] == ["HA100001"]
    held = browser.get(f"/etablissements/{UAI}/tablettes/", {"ou": "cedee"})
    assert "CANARI" in page(held)
    row = models.Person.objects.get(internal_id="E1")
    told = page(browser.get(f"/etablissements/{UAI}/personnes/{row.pk}/"))
    assert "Cédée le 14 septembre 2026" in told
    assert "CANARI" not in told.partition("</title>")[0]
