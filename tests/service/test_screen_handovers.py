"""Hand-over at the table: a serial, a pupil, done, undone; and what is refused at once."""

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from docgen import records
from docgen.backoffice import attestations, handovers, models, registers
from tests.service import town

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
UAI = "0130010R"
PLACE = f"/etablissements/{UAI}/remise/"
NAMES = (("E1", "MÉLAND", "Zoé", "2DE 1"), ("E2", "MELIN", "Léo-Paul", "2DE 2"))
SERIALS = ("HA100001", "HA100002", "HAB00008")


@pytest.fixture
def school() -> models.School:
    """Give a school with two pupils and three tablets."""
    row = town.school(UAI)
    people = tuple(
        records.Person(key, family, first, division=division, ine=f"12345678{key[1]}AB")
        for key, family, first, division in NAMES
    )
    devices = {serial: records.Device(serial, "Tab") for serial in SERIALS}
    registers.keep_roster(row, "pupil", records.Roster(people, "2026-2027", devices), "test")
    return row


@pytest.fixture
def browser(school: models.School) -> Client:
    """Give the browser of the school's secretary."""
    client = Client()
    client.force_login(models.User.objects.create(username="x", role="school", school=school))
    return client


def page(answer: Any) -> str:  # noqa: ANN401
    content: str = answer.content.decode()
    return content


def person(key: str) -> models.Person:
    return models.Person.objects.get(internal_id=key)


def cessions() -> list[tuple[str, str]]:
    rows = models.Cession.objects.filter(cancelled_at=None).order_by("pk")
    return list(rows.values_list("serial", "person__internal_id"))


def test_two_letters_and_enter_hand_a_tablet_over_and_it_is_undone(browser: Client) -> None:
    told = page(browser.get(PLACE, {"serie": "ha1o0001"}))
    assert "La lettre O" in told
    assert 'value="HA100001"' in told
    done = browser.post(PLACE, {"serie": "HA100001", "q": "zo", "classe": ""}, follow=True)
    assert cessions() == [("HA100001", "E1")]
    row = models.Cession.objects.get()
    assert row.ceded_date == timezone.localdate()
    message, *_ = list(done.context["messages"])
    assert "ZOÉ" not in str(message).upper()
    assert "MÉLAND" in page(done)
    assert 'name="serie" value=""' in page(done)
    browser.post(f"{PLACE}{row.pk}/annuler/")
    assert cessions() == []


def test_accents_and_capitals_do_not_hide_anybody(browser: Client) -> None:
    found = {
        text: sorted(
            row.internal_id
            for row in browser.get(PLACE, {"serie": "HA100001", "q": text}).context["found"]
        )
        for text in ("mel", "MÉLA", "paul me", "e2", "123456781ab", "z", "xy")
    }
    assert found == {
        "mel": ["E1", "E2"],
        "MÉLA": ["E1"],
        "paul me": ["E2"],
        "e2": ["E2"],
        "123456781ab": ["E1"],
        "z": [],
        "xy": [],
    }
    asked = {"serie": "HA100001", "q": "mel", "classe": "2DE 2"}
    assert [row.internal_id for row in browser.get(PLACE, asked).context["found"]] == ["E2"]
    browser.post(PLACE, asked)
    assert cessions() == [("HA100001", "E2")]
    assert browser.get(PLACE, {"serie": "HA100002"}).context["division"] == "2DE 2"


def test_nobody_is_taken_while_one_types_nor_when_several_are_found(browser: Client) -> None:
    answer = browser.post(PLACE, {"serie": "HA100001", "q": "mel"})
    assert len(answer.context["found"]) == 2
    asked = {"serie": "HA100001", "q": "zo"}
    for typing in (
        browser.post(PLACE, asked, headers={"HX-Request": "true"}),
        browser.post(PLACE, asked | {"chercher": "oui"}),
    ):
        assert len(typing.context["found"]) == 1
    assert cessions() == []


def test_a_tablet_that_cannot_be_handed_over_is_told_at_once(
    school: models.School, browser: Client
) -> None:
    handovers.cede(person("E1"), "HA100001", date(2026, 9, 14), "test")
    told = page(browser.get(PLACE, {"serie": "HA100001"}))
    assert "elle est déjà cédée" in told
    assert "MÉLAND" in told
    near = browser.get(PLACE, {"serie": "HA800008"})
    assert near.context["label"].near == ("HAB00008",)
    assert "pas dans le stock" in page(near)
    assert browser.get(PLACE, {"serie": "HAI00002"}).context["label"].serial == "HA100002"
    assert browser.get(PLACE, {"serie": "SHA100002"}).context["label"].serial == "HA100002"
    hostile = page(browser.get(PLACE, {"serie": "<b>x</b>"}))
    assert "<b>x" not in hostile.lower()
    twice = browser.post(PLACE, {"serie": "HA100002", "personne": person("E1").pk})
    assert twice.status_code == 422
    assert "cette personne a déjà reçu une tablette" in page(twice)


def test_the_day_is_kept_for_the_next_hand_overs(browser: Client) -> None:
    browser.post(PLACE, {"date": "2026-09-14"})
    browser.post(PLACE, {"serie": "HA100001", "personne": person("E1").pk})
    assert models.Cession.objects.get().ceded_date == date(2026, 9, 14)
    assert "Remises du 14 septembre 2026" in page(browser.get(PLACE))
    browser.post(PLACE, {"date": "0026-09-14"})
    assert browser.get(PLACE).context["day"] == date(2026, 9, 14)


def test_an_attested_cession_is_taken_back_only_when_its_consequence_was_read(
    school: models.School, browser: Client
) -> None:
    row = handovers.cede(person("E1"), "HA100001", date(2026, 9, 14), "test")
    period = date(2026, 9, 1), date(2026, 9, 30), date(2026, 10, 1)
    attestations.issue(school, *period, "test")
    asked = browser.post(f"{PLACE}{row.pk}/annuler/")
    assert "la prochaine attestation la retirera" in page(asked)
    assert cessions() == [("HA100001", "E1")]
    browser.post(f"{PLACE}{row.pk}/annuler/", {"confirmed": "yes"})
    assert cessions() == []


def test_without_people_the_table_says_what_to_do(browser: Client) -> None:
    models.Person.objects.all().delete()
    assert "Envoyer les fichiers" in page(browser.get(PLACE))


def test_names_that_are_markup_are_only_text(browser: Client) -> None:
    models.Person.objects.update(family_name="<script>MELI</script>")
    told = page(browser.get(PLACE, {"serie": "HA100001", "classe": "2DE 1"}))
    assert "&lt;script&gt;MELI" in told
    assert "<script>MELI" not in told


def test_a_cession_without_a_date_is_given_one_once(browser: Client) -> None:
    row = handovers.cede(person("E1"), "HA100001", None, "test")
    place = f"/etablissements/{UAI}/personnes/{row.person_id}/"
    assert f"{PLACE}{row.pk}/date/" in page(browser.get(place))
    assert "n’en est pas une" in page(browser.post(f"{PLACE}{row.pk}/date/", {}, follow=True))
    browser.post(f"{PLACE}{row.pk}/date/", {"date": "2026-09-14"})
    told = browser.post(f"{PLACE}{row.pk}/date/", {"date": "2026-09-15"}, follow=True)
    assert "a déjà une date" in page(told)
    row.refresh_from_db()
    assert row.ceded_date == date(2026, 9, 14)


def test_whom_a_class_lacks_is_shown_from_another_and_never_taken_by_enter(browser: Client) -> None:
    asked = {"serie": "HA100001", "q": "zoé", "classe": "2DE 2"}
    told = browser.post(PLACE, asked)
    assert (told.context["found"], cessions()) == ([], [])
    assert [row.internal_id for row in told.context["elsewhere"]] == ["E1"]
    assert "mais dans une autre" in page(told)


def test_a_tablet_scanned_for_a_person_is_told(browser: Client) -> None:
    again = page(browser.post(PLACE, {"serie": "HA100001", "q": "ha100001"}))
    assert "la tablette que vous tenez" in again
    other = page(browser.post(PLACE, {"serie": "HA100001", "q": "HA100002"}))
    assert "?serie=HA100002" in other
    assert cessions() == []
