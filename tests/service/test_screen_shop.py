"""Screens of the print shop: what is released to it, its ticket, its sheets counted."""

import pytest
from django.test import Client
from django.urls import reverse

from docgen.backoffice import models, releases
from tests.service import town
from workers.print_jobs import print_volume

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.embedded]


@pytest.fixture
def job() -> models.PrintJob:
    """Give a job of two volumes, printed and released."""
    made = town.job(town.school(), 3, volume=2)
    print_volume("1")
    made.refresh_from_db()
    shop = models.PrintShop.objects.create(name="Imprimerie d’Essai")
    return releases.release(made, shop, "test")


@pytest.fixture
def shop(job: models.PrintJob) -> Client:
    """Give the browser of the shop."""
    user = models.User.objects.create_user("shop", role="print_shop", shop=job.shop)
    made = Client()
    made.force_login(user)
    return made


def counted(shop: Client, job: models.PrintJob, number: int, sheets: object) -> str:
    place = reverse("shop-count", args=(job.pk, number))
    return shop.post(place, {"sheets": sheets}, follow=True).content.decode()


def test_sheets_are_counted_volume_by_volume(shop: Client, job: models.PrintJob) -> None:
    assert job.school.name in shop.get(reverse("shop")).content.decode()
    place = reverse("shop-job", args=(job.pk,))
    page = shop.get(place).content.decode()
    assert f"/api/v1/print-jobs/{job.pk}/lot.zip" in page
    assert "grand côté" in page
    assert "par groupes de 2&nbsp;feuilles" in page
    assert all(each.sha256 in page for each in job.volumes.all())
    assert "Indiquez un nombre entier" in counted(shop, job, 1, "quatre")
    assert "le compte est bon" in counted(shop, job, 1, 4)
    wrong = counted(shop, job, 2, 3)
    assert "3&nbsp;feuilles comptées, 2 attendues" in wrong
    job.refresh_from_db()
    assert job.stage == "reopened"
    assert "le lot est terminé" in counted(shop, job, 2, 2)  # a slip is mended by who made it
    job.refresh_from_db()
    assert job.stage == "printed"


def test_a_right_count_ends_the_job(shop: Client, job: models.PrintJob) -> None:
    counted(shop, job, 1, 4)
    assert "le lot est terminé" in counted(shop, job, 2, 2)
    page = shop.get(reverse("shop-job", args=(job.pk,))).content.decode()
    assert "il n’y a plus rien à faire" in page
    assert "Enregistrer" not in page


def test_what_is_taken_back_does_not_exist_any_more(shop: Client, job: models.PrintJob) -> None:
    releases.withdraw(job, "test")
    assert shop.get(reverse("shop-job", args=(job.pk,))).status_code == 404
    assert shop.post(reverse("shop-count", args=(job.pk, 1)), {"sheets": 4}).status_code == 404
    assert "Aucun lot ne vous est remis" in shop.get(reverse("shop")).content.decode()
