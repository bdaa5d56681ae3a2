"""What a school does next: computed from its registers, in their order, until nothing is left."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from docgen.backoffice import handovers, models, registers
from tests.service import homecoming, mailroom, town

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
UAI = "0130010R"
PLACE = f"/etablissements/{UAI}/"
DAY = date(2026, 9, 14)


@pytest.fixture
def school() -> models.School:
    return town.school(UAI)


@pytest.fixture
def browser(school: models.School) -> Client:
    client = Client()
    client.force_login(models.User.objects.create(username="x", role="school", school=school))
    return client


def told(browser: Client) -> list[tuple[int, str]]:
    answer: Any = browser.get(PLACE)
    assert answer.status_code == 200
    return [(task.count, task.what) for task in answer.context["tasks"]]


def test_a_school_is_led_from_its_files_to_its_original(
    school: models.School, browser: Client
) -> None:
    assert told(browser) == [(0, "Aucun élève connu")]
    town.people(school, 2)
    assert told(browser) == [(2, "élèves sans tablette")]
    first, second = models.Person.objects.order_by("rank")
    handovers.cede(first, "HA100001", DAY, "test")
    handovers.cede(second, "HA100002", None, "test")
    assert told(browser) == [(1, "cession à attester"), (1, "cession sans date")]
    registers.cancel_cession(models.Cession.objects.get(serial="HA100002"), "test")
    handovers.lend(second, "HA100002", (DAY, DAY), "", "test")
    row = mailroom.attestation(school)
    models.Attestation.objects.update(state="done")
    name = f"Attestation n°\u00a01 ({row.school_year})"
    assert told(browser) == [(0, name), (1, "prêt en retard")]
    reminder = {"attestation": row, "kind": "not-returned", "subject": "x", "due_date": DAY}
    models.Reminder.objects.create(school=school, **reminder)
    assert b"rappel du" in browser.get(PLACE).content
    mailroom.delivery(school)
    assert "Postez l’original" in browser.get(PLACE).content.decode()
    today = timezone.localdate()
    models.Original.objects.create(attestation=row, school=school, posted_date=today)
    models.Loan.objects.update(end_date=today + timedelta(days=1))
    assert told(browser) == []
    assert "Tout est à jour" in browser.get(PLACE).content.decode()


def test_scans_that_wait_for_somebody_are_told(school: models.School, browser: Client) -> None:
    first, *_ = homecoming.printed(school)
    homecoming.came(school, [homecoming.coded(first, 1), homecoming.BARE])
    found = told(browser)
    assert (1, "document incomplet") in found
    assert (1, "page à relire") in found


def test_the_home_page_asks_as_often_whatever_there_is(
    school: models.School, browser: Client
) -> None:
    town.people(school, 1)
    mailroom.delivery(school)
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            browser.get(PLACE)
        counts.append(len(asked))
        town.people(school, 9)
        mailroom.delivery(school)
    assert counts[0] == counts[1] <= 20


def test_another_school_is_not_there(browser: Client) -> None:
    town.school("0130011S")
    assert browser.get("/etablissements/0130011S/").status_code == 404
    assert browser.get("/").url == PLACE


@pytest.mark.parametrize(
    ("name", "entry"), [("missing", "scans"), ("returns", "scans"), ("people", "people")]
)
def test_the_menu_says_where_one_is(browser: Client, name: str, entry: str) -> None:
    answer: Any = browser.get(reverse(name, args=(UAI,)))
    here = [each.address for each in answer.context["menu"] if each.is_here]
    assert here == [reverse(entry, args=(UAI,))]
