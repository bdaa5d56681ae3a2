"""Loans: lent, late, returned with a receipt, and taken back when it was a mistake."""

from datetime import date
from typing import Any

import pytest
from django.test import Client

from docgen.backoffice import handovers, models
from docgen.errors import InvalidInput
from tests.service import town

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
UAI = "0130010R"
PLACE = f"/etablissements/{UAI}/prets/"
DAYS = date(2026, 9, 14), date(2026, 10, 14)
BACK = {"returned_date": "2026-10-02", "state": "damaged", "note": "Vitre fendue & housse"}


@pytest.fixture
def school() -> models.School:
    """Give a school with two pupils and three tablets."""
    row = town.school(UAI)
    town.people(row, 2)
    for serial in ("HA100001", "HA100002", "HA100003"):
        models.Device.objects.create(school=row, serial=serial, model="Tab")
    return row


@pytest.fixture
def browser(school: models.School) -> Client:
    client = Client()
    client.force_login(models.User.objects.create(username="x", role="school", school=school))
    return client


def page(answer: Any) -> str:  # noqa: ANN401
    content: str = answer.content.decode()
    return content


def somebody(rank: int = 0) -> models.Person:
    return models.Person.objects.order_by("rank")[rank]


def lent(serial: str = "HA100001", rank: int = 0) -> models.Loan:
    return handovers.lend(somebody(rank), serial, DAYS, "neuve", "test")


def test_a_tablet_is_lent_in_three_steps_and_the_loan_is_undone(browser: Client) -> None:
    assert "N° de série" in page(browser.get(f"{PLACE}nouveau/"))
    found = browser.get(f"{PLACE}nouveau/", {"serie": "HA1OOOO1", "q": "essai"})
    assert len(found.context["found"]) == 2
    where = f"{PLACE}nouveau/?serie=HA100001&personne={somebody().pk}"
    assert browser.get(where).context["form"]["end_date"].value()
    wrong = browser.post(where, {"start_date": "2026-10-14", "end_date": "2026-09-14"})
    assert wrong.status_code == 422
    assert "finit avant de commencer" in page(wrong)
    told = {"start_date": "2026-09-14", "end_date": "2026-10-14", "state": "neuve"}
    done = browser.post(where, told, follow=True)
    row = models.Loan.objects.get()
    assert (row.serial, row.person, row.state) == ("HA100001", somebody(), "neuve")
    assert "Annuler cette action" in page(done)
    browser.post(f"{PLACE}{row.pk}/annuler/")
    assert not models.Loan.objects.exists()
    assert models.Event.objects.filter(kind="loan-dropped").count() == 1


def test_a_return_gives_its_receipt_and_is_undone(browser: Client) -> None:
    row = lent()
    early = browser.post(f"{PLACE}{row.pk}/retour/", {**BACK, "returned_date": "2026-09-01"})
    assert early.status_code == 422
    browser.post(f"{PLACE}{row.pk}/retour/", BACK)
    row.refresh_from_db()
    assert (row.returned_date, row.returned_state) == (date(2026, 10, 2), "damaged")
    assert "Vitre fendue &amp; housse" in page(browser.get(f"{PLACE}{row.pk}/"))
    paper = browser.get(f"{PLACE}{row.pk}/recu.pdf")
    assert paper.content.startswith(b"%PDF")
    assert "ESSAI" not in paper["Content-Disposition"]
    browser.post(f"{PLACE}{row.pk}/retour/annuler/")
    row.refresh_from_db()
    assert (row.returned_date, row.returned_state, row.returned_note) == (None, "", "")


def test_a_return_is_not_undone_once_the_tablet_is_elsewhere(browser: Client) -> None:
    row = lent()
    handovers.take_back(row, date(2026, 10, 2), "test")
    lent(rank=1)
    told = browser.post(f"{PLACE}{row.pk}/retour/annuler/", follow=True)
    assert "ne peut plus être annulé" in page(told)
    row.refresh_from_db()
    assert row.returned_date == date(2026, 10, 2)
    with pytest.raises(InvalidInput, match="terminé"):
        handovers.drop_loan(row, "test")


def test_loans_are_listed_by_where_they_are_the_late_ones_first(browser: Client) -> None:
    assert "Aucune tablette n’est en prêt" in page(browser.get(PLACE))
    late = lent()
    later = handovers.lend(
        somebody(1), "HA100002", (date(2026, 9, 14), date(2099, 1, 1)), "", "test"
    )
    rows = {
        tab: browser.get(PLACE, {"etat": tab}).context["listing"].rows
        for tab in ("pretees", "retard", "rendues", "stock")
    }
    assert rows["pretees"] == [late, later]
    assert rows["retard"] == [late]
    assert rows["rendues"] == []
    assert [row.serial for row in rows["stock"]] == ["HA100003"]
    found = browser.get(PLACE, {"etat": "pretees", "q": "HA100002"})
    assert found.context["listing"].rows == [later]
    assert "etat=pretees" in found.context["listing"].link(page=2)


def test_before_its_return_a_loan_has_no_receipt(browser: Client) -> None:
    row = lent()
    assert browser.get(f"{PLACE}{row.pk}/recu.pdf").url == f"{PLACE}{row.pk}/retour/"
