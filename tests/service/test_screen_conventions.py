"""Screens of conventions: what is ordered, for which loans, and the models that schools give."""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from docgen import library
from docgen.backoffice import conventions, models
from docgen.rendering import wordpackage
from tests.hostile import models as hostile
from tests.service import town
from tests.service.test_conventions import PUPIL, lent

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
TEACHER = "convention-pret-personnel"
ORDER = {"modele": PUPIL, "prets": "tous", "format": "docx", "regroupe": "non"}


@pytest.fixture
def school() -> models.School:
    return town.school()


@pytest.fixture
def browser(school: models.School) -> Client:
    made = Client()
    made.force_login(models.User.objects.create(username="s", role="school", school=school))
    return made


def place(school: models.School, rest: str = "") -> str:
    return f"/etablissements/{school.pk}/conventions/{rest}"


def given(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("mon modèle.docx", content)


def body() -> bytes:
    return (library.load(PUPIL).folder / "body.docx").read_bytes()


def test_a_class_or_one_loan_is_ordered(school: models.School, browser: Client) -> None:
    loans = lent(school, 3)
    models.Person.objects.filter(pk=loans[2].person_id).update(division="2DE 9")
    models.Person.objects.filter(pk=loans[1].person_id).update(audience="teacher")
    for wanted, expected in (
        ("tous", [loans[0], loans[2]]),  # the one of a teacher has a convention of its own
        ("classe:2DE 9", [loans[2]]),
        (f"pret:{loans[0].pk}", [loans[0]]),
    ):
        answer = browser.post(place(school), {**ORDER, "prets": wanted})
        assert answer["Location"].endswith("#demandes")
        row = models.Conversion.objects.order_by("pk").last()
        assert row is not None
        assert [each["loan"]["serial"] for each in row.loans] == [each.serial for each in expected]
    page = browser.get(place(school)).content.decode()
    assert "En préparation" in page
    assert 'hx-trigger="every 2s"' in page


def test_an_order_that_cannot_be_is_told_beside_its_field(
    school: models.School, browser: Client
) -> None:
    (loan,) = lent(school, 1)
    merged = browser.post(place(school), {**ORDER, "format": "pdf", "regroupe": "oui"})
    assert merged.status_code == 422
    assert "regroupe" in merged.context["form"].errors
    other = browser.post(place(school), {**ORDER, "modele": TEACHER})
    assert "prets" in other.context["form"].errors
    stranger = browser.post(place(school), {**ORDER, "prets": f"pret:{loan.pk + 1}"})
    assert "prets" in stranger.context["form"].errors
    assert not models.Conversion.objects.exists()


def test_nothing_lent_says_what_to_do(school: models.School, browser: Client) -> None:
    page = browser.get(place(school)).content.decode()
    assert "Aucun prêt en cours" in page
    assert f"/etablissements/{school.pk}/prets/" in page


def test_the_model_of_the_school_is_accepted_then_forgotten(
    school: models.School, browser: Client
) -> None:
    where = place(school, f"modeles/{PUPIL}/")
    assert browser.post(where, {"fichier": given(body())}).status_code == 302
    row = models.SchoolModel.objects.get()
    assert (row.school, row.slug) == (school, PUPIL)
    page = browser.get(place(school)).content.decode()
    assert "donné par vous" in page
    assert f"/api/v1/schools/{school.pk}/models/{PUPIL}" in page
    asked = browser.get(f"{where}oublier/").content.decode()
    assert "Téléchargez-le d’abord" in asked
    browser.post(f"{where}oublier/")
    assert models.SchoolModel.objects.exists()
    browser.post(f"{where}oublier/", {"confirmed": "yes"})
    assert not models.SchoolModel.objects.exists()


def test_every_reason_to_refuse_a_model_is_told(school: models.School, browser: Client) -> None:
    where = place(school, f"modeles/{PUPIL}/")
    for content in (b"", b"not a document", macros()):
        answer = browser.post(where, {"fichier": given(content)})
        assert answer.status_code == 422
        assert answer.context["problems"]
    page = answer.content.decode()
    assert all(each.remedy in page for each in answer.context["problems"])
    nothing = browser.post(where, {})
    assert "fichier" in nothing.context["form"].errors
    assert not models.SchoolModel.objects.exists()


def macros() -> bytes:
    """Give the model with a macro in it, and a field that does not exist."""
    return hostile.with_part("word/vbaProject.bin", b"\xd0\xcf\x11\xe0")


def test_a_model_too_large_is_refused_before_it_is_read(
    school: models.School, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*given: object, **named: object) -> None:
        raise AssertionError("it was read")

    monkeypatch.setattr(conventions, "accept_model", never)
    large = given(bytes(wordpackage.MAX_FILE + 1))
    where = place(school, f"modeles/{PUPIL}/")
    answer = browser.post(where, {"fichier": large})
    assert answer.status_code == 422
    assert "dépasse 20\u00a0Mo" in answer.content.decode()
    huge = browser.post(where, {"fichier": given(bytes(wordpackage.MAX_FILE + (2 << 20)))})
    assert huge.status_code == 413


def test_blanks_are_ordered_and_a_refusal_is_tried_again(
    school: models.School, browser: Client
) -> None:
    browser.post(place(school, f"modeles/{PUPIL}/vierge/"))
    row = models.Conversion.objects.get()
    assert (row.loans, row.model, row.format) == ([], "", "docx")
    problems = [["LibreOffice ne répond pas.", "", "Prévenez l’exploitant."]]
    models.Conversion.objects.update(state="failed", problems=problems)
    assert "Prévenez l’exploitant." in browser.get(place(school)).content.decode()
    browser.post(place(school, f"{row.public_id}/relancer/"))
    row.refresh_from_db()
    assert row.state == "waiting"


def test_many_orders_take_no_more_queries(school: models.School, browser: Client) -> None:
    loans = lent(school, 2)
    counts = []
    for _ in range(4):
        conventions.order(school, PUPIL, "test", date(2026, 9, 14), loans=loans)
        with CaptureQueriesContext(connection) as queries:
            browser.get(place(school))
        counts.append(len(queries))
    assert counts[0] == counts[-1]
