"""Screens of print jobs: prepared in four steps, watched, mended, printed again."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from docgen import records
from docgen.backoffice import models, ordering, print_jobs, registers
from docgen.datafolder import data_folder
from tests import helpers
from tests.service import town
from workers.print_jobs import print_volume

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
CHOICE = "petite-charte/entier"
HOSTILE = '<script>alert("x")</script>'


@pytest.fixture(autouse=True)
def shelf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offer the small charter besides our own templates."""
    monkeypatch.setenv("DOCGEN_TEMPLATES", str(helpers.SHELF))


@pytest.fixture
def school() -> models.School:
    """Give a school of three pupils in two classes."""
    row = town.school()
    people = [*helpers.people(2), *helpers.people(3, division="2DE 2")[2:]]
    registers.keep_roster(row, "pupil", records.Roster(tuple(people), "2026-2027"), "test")
    return row


@pytest.fixture
def desk(school: models.School) -> Client:
    """Give the school's browser."""
    return browser("school", school=school)


def browser(role: str, **bounds: object) -> Client:
    made = Client()
    made.force_login(models.User.objects.create_user(role, role=role, **bounds))
    return made


def begun(desk: Client, school: models.School) -> str:
    """Choose the document; give the address of the draft."""
    answer = desk.post(reverse("new-job", args=(school.pk,)), {"choix": CHOICE})
    assert answer.status_code == 302
    return str(answer["Location"])


def step(address: str, name: str) -> str:
    return re.sub("etape=[a-z]+", f"etape={name}", address)


def test_four_steps_make_one_job_even_when_sent_twice(desk: Client, school: models.School) -> None:
    address = begun(desk, school)
    chosen = desk.post(address, {"qui": "classes", "classe": ["2DE 1"], "agir": "suite"})
    options = {"on": "2026-09-14", "copies": "2", "ordering": "class", "separators": "on"}
    shown = desk.post(chosen["Location"], {**options, "agir": "calculer"}, follow=True)
    assert "<strong>9</strong>, recto verso" in shown.content.decode()  # 2 × 2 × 2, and one
    last = desk.post(chosen["Location"], {**options, "agir": "suite"})
    assert not models.PrintJob.objects.exists()
    seen = desk.get(last["Location"])
    (picture, *_) = re.findall(r'src="([^"]*page\.png[^"]*)"', seen.content.decode())
    assert desk.get(picture.replace("&amp;", "&")).content.startswith(b"\x89PNG")
    assert desk.post(last["Location"])["Location"] == desk.post(last["Location"])["Location"]
    job = models.PrintJob.objects.get()
    assert (job.documents, job.sheets, job.marks) == (4, 8, list(helpers.order((), copies=2).marks))
    assert {each.division for each in models.Document.objects.all()} == {"2DE 1"}
    assert parse_qs(urlsplit(last["Location"]).query).keys() == {"lot", "etape"}


def test_nothing_chosen_is_told_on_the_same_page(desk: Client, school: models.School) -> None:
    first = desk.post(reverse("new-job", args=(school.pk,)), {"choix": "inconnu/x"})
    assert first.status_code == 422
    address = begun(desk, school)
    nobody = desk.post(address, {"qui": "people", "agir": "suite"})
    assert nobody.status_code == 422
    assert "personne n’est choisi" in nobody.content.decode()
    gone = desk.get(step(address, "options").replace("lot=", "lot=x"))
    assert gone["Location"] == reverse("new-job", args=(school.pk,))
    both = {"on": "2026-09-14", "copies": "1", "ordering": "name", "separators": "on"}
    assert desk.post(step(address, "options"), both).status_code == 422


def test_people_are_searched_pasted_and_taken_away(desk: Client, school: models.School) -> None:
    address = begun(desk, school)
    first, second, third = models.Person.objects.order_by("rank")
    found = desk.post(address, {"q": "essai aab", "agir": "chercher"}).content.decode()
    assert f'id="p{second.pk}" value="{second.pk}"' in found
    assert f'id="p{first.pk}"' not in found
    pasted = {"personne": [second.pk], "identifiants": "E0002, E9999", "agir": "ajouter"}
    answer = desk.post(address, pasted)
    assert answer.status_code == 422
    assert ">E9999</textarea>" in answer.content.decode()
    kept = desk.get(address).content.decode()
    assert [f'id="p{row.pk}"' in kept for row in (first, second, third)] == [False, True, True]
    desk.post(address, {"qui": "people", "personne": [third.pk], "agir": "suite"})
    desk.post(step(address, "apercu"))
    assert models.Document.objects.get().person == "E0002"


def test_who_cannot_be_printed_is_told_and_left_out_when_asked(
    desk: Client, school: models.School
) -> None:
    models.Person.objects.filter(internal_id="E0001").update(birth_date=None, family_name=HOSTILE)
    options = step(begun(desk, school), "options")
    told = desk.get(options).content.decode()
    assert "1 personne ne peut pas être imprimée" in told
    assert HOSTILE not in told
    assert "&lt;script&gt;" in told
    sent = {"on": "2026-09-14", "copies": "1", "ordering": "class", "agir": "suite"}
    assert desk.post(options, sent).status_code == 422
    assert desk.post(options, {**sent, "sans": "oui"}).status_code == 302
    desk.post(step(options, "apercu"))
    people = models.Document.objects.values_list("person", flat=True)
    assert set(people) == {"E0000", "E0002"}


def test_somebody_at_the_table_comes_first(desk: Client, school: models.School) -> None:
    pupil = models.Person.objects.get(internal_id="E0001")
    address = f"{reverse('new-job', args=(school.pk,))}?personne={pupil.pk}"
    asked = desk.get(address)
    assert CHOICE in asked.content.decode()
    sent = {"choix": CHOICE, "jeton": "once"}
    places = {desk.post(address, sent)["Location"] for _ in range(2)}
    job = models.PrintJob.objects.get()
    assert places == {reverse("job", args=(job.pk,))}
    assert job.volumes.get().priority == print_jobs.COUNTER
    assert desk.get(f"{address}9").status_code == 404


def test_a_job_tells_whom_to_mend_and_is_cancelled_once_confirmed(
    desk: Client, school: models.School
) -> None:
    job = town.job(school, 2)
    problem = ["« Nom » : trop long.", "personne E0001", "Abrégez."]
    job.volumes.update(state="failed", problems=[problem])
    models.PrintJob.objects.update(stage="failed")
    page = desk.get(reverse("job", args=(job.pk,))).content.decode()
    assert ">ESSAI AAB Zoé</a>" in page
    assert reverse("imports", args=(school.pk,)) in page
    desk.post(reverse("job-retry", args=(job.pk,)))
    assert job.volumes.get().state == "waiting"
    cancel = reverse("job-cancel", args=(job.pk,))
    assert "effacés" in desk.get(cancel).content.decode()
    assert models.PrintJob.objects.get().stage == "accepted"
    desk.post(cancel, {"confirmed": "yes"})
    assert models.PrintJob.objects.get().stage == "cancelled"
    late = desk.post(reverse("job-retry", args=(job.pk,)), follow=True)
    assert "Rien dans ce lot n’attend" in late.content.decode()


@pytest.mark.django_db(transaction=True)
def test_documents_are_found_and_printed_again_once(desk: Client, school: models.School) -> None:
    job = town.job(school, 3)
    print_volume("1")
    place = reverse("job", args=(job.pk,))
    page = desk.get(place, {"q": "AAB"}).content.decode()
    (token,) = re.findall('name="jeton" value="([^"]+)"', page)
    (pk,) = re.findall('name="document" value="([0-9]+)"', page)
    again = reverse("job-reprint", args=(job.pk,))
    sent = {"jeton": token, "document": [pk], "quoi": "choix", "duplicata": "oui"}
    assert desk.post(again, sent)["Location"] == desk.post(again, sent)["Location"]
    new = models.PrintJob.objects.get(reprint_of=job)
    assert models.Document.objects.get(volume__job=new).mark == print_jobs.DUPLICATA
    desk.post(again, {"jeton": "y", "quoi": "choix"})
    assert models.PrintJob.objects.count() == 2
    office = browser("back_office")
    release = reverse("job-release", args=(job.pk,))
    nobody = office.post(release, follow=True).content.decode()
    assert "Choisissez d’abord un imprimeur" in nobody
    answer = office.post(release, {"nouveau": "Imprimerie d’Essai"}, follow=True)
    assert models.PrintShop.objects.get().jobs.get() == job
    assert f'action="{reverse("job-withdraw", args=(job.pk,))}"' in answer.content.decode()
    office.post(reverse("job-withdraw", args=(job.pk,)))
    job.refresh_from_db()
    assert (job.stage, job.shop) == ("ready", None)


def test_lists_are_empty_at_first_then_searched(desk: Client, school: models.School) -> None:
    place = reverse("school-jobs", args=(school.pk,))
    assert "Rien n’a encore été imprimé" in desk.get(place).content.decode()
    job = town.job(school, 1)
    assert job.name in desk.get(place, {"etape": "accepted"}).content.decode()
    assert job.name not in desk.get(place, {"q": "rien"}).content.decode()
    assert "<progress" in desk.get(reverse("jobs")).content.decode()


def test_an_estimate_counts_what_waits_and_profiles_are_those_installed(
    desk: Client, school: models.School
) -> None:
    assert ordering.seconds(10) is None
    done = town.job(school, 2)
    made = done.created_at
    models.PrintJob.objects.update(stage="ready", ready_at=made + (made - made).resolution * 10**6)
    done.volumes.update(state="done")
    assert ordering.seconds(10) == 5
    town.job(school, 2)
    assert ordering.seconds(10) == 6
    folder = data_folder() / ordering.PROFILES
    folder.mkdir()
    try:
        (folder / "presse.icc").write_bytes(b"x")
        options = desk.get(step(begun(desk, school), "options")).content.decode()
        assert "presse.icc" in options
    finally:
        (folder / "presse.icc").unlink()
        folder.rmdir()


def test_a_document_that_names_nobody_is_never_a_lot(desk: Client, school: models.School) -> None:
    """A survey or the sheet of a contact is one for the school: it is filled as a form."""
    address = reverse("new-job", args=(school.pk,))
    told = desk.get(address).content.decode()
    assert "notice-pret-continuite/a4" in told
    for slug in ("fiche-referent-logistique", "enquete-dotation"):
        assert slug not in told
        assert desk.post(address, {"choix": f"{slug}/a4"}).status_code == 422
