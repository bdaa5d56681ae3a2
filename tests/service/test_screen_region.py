"""What the region sees: what came, beside its data, and as tables for a spreadsheet."""

import csv
from datetime import datetime, timedelta
from io import BytesIO, StringIO

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from docgen.backoffice import models, originals
from docgen.backoffice.web import departments, region
from tests.service import mailroom, town
from tests.service.test_originals import NUMBER, printed

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
HOSTILE = "=cmd|' /C calc'!A0 <script>alert(1)</script>"


def browser(role: str = "region") -> Client:
    client = Client()
    user = models.User.objects.create_user(role, password="x" * 20, role=role)
    client.force_login(user)
    return client


@pytest.fixture
def client() -> Client:
    return browser()


@pytest.fixture
def school() -> models.School:
    return town.school()


@pytest.fixture
def delivery(school: models.School) -> models.Delivery:
    """Mail the region an attestation, whose paper has a reference."""
    made = mailroom.delivery(school)
    paper = printed(made.attestation, NUMBER)
    references = {originals.MAILED: paper.reference}
    models.Attestation.objects.filter(pk=made.attestation_id).update(references=references)
    return made


def text(client: Client, name: str, *args: object, query: str = "") -> str:
    answer = client.get(reverse(name, args=args) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_empty_region_is_told_what_will_come(client: Client) -> None:
    assert "Aucune attestation n’est encore arrivée" in text(client, "region")
    assert "Aucune attestation n’est encore arrivée" in text(client, "received")
    assert "Rien ne correspond" in text(client, "received", query="?q=rien")


def test_what_came_is_listed_counted_and_searched(
    client: Client, delivery: models.Delivery
) -> None:
    overview = text(client, "region")
    assert "attestation reçue cette semaine" in overview
    link = reverse("received-one", args=(delivery.attestation.public_id,))
    assert link in overview
    assert link in text(client, "received", query=f"?q={delivery.school_id}&etat=attendu&recue=7")
    for query in ("?etat=recu", "?etat=poste", "?dep=013", "?recue=2020-01", "?q=ailleurs"):
        page = text(client, "received", query=query)
        assert (link in page) == (
            query in ("?dep=013", "?recue=2020-01")
        )  # no such month to choose


def test_what_came_back_or_went_astray_is_not_received(
    client: Client, delivery: models.Delivery
) -> None:
    link = reverse("received-one", args=(delivery.attestation.public_id,))
    for change in ({"is_test": True}, {"bounced_at": timezone.now() + timedelta(hours=1)}):
        models.Delivery.objects.update(is_test=False, bounced_at=None)
        assert link in text(client, "received")
        models.Delivery.objects.update(**change)
        assert link not in text(client, "received")
        page = text(client, "received-one", delivery.attestation.public_id)
        assert "pas encore reçue par courriel" in page


def test_the_signed_file_stands_beside_its_data(client: Client, delivery: models.Delivery) -> None:
    row = delivery.attestation
    page = text(client, "received-one", row.public_id)
    person, serial = row.cessions.values_list("person", "serial").get()
    name = models.Person.objects.get(internal_id=person).family_name
    told = (serial, name, "Face 1 sur 1", "AT-", "du 1er septembre 2026 au")
    assert all(each in page for each in told)
    picture = client.get(reverse("received-picture", args=(row.public_id, 1)))
    assert picture.content.startswith(b"\x89PNG")
    assert client.get(reverse("received-picture", args=(row.public_id, 2))).status_code == 404
    file = client.get(reverse("received-file", args=(row.public_id,)))
    assert file.getvalue().startswith(b"%PDF")
    assert "attachment" in file["Content-Disposition"]
    other = mailroom.delivery(town.school("0130002G"))
    strange = reverse("received-version", args=(row.public_id, other.pk))
    assert client.get(strange).status_code == 404
    assert serial in text(client, "received-one", row.public_id, query=f"?q={name[:4].lower()}")
    assert serial not in text(client, "received-one", row.public_id, query="?q=ZZZZ")


def test_a_version_that_waits_does_not_hide_what_came(
    client: Client, delivery: models.Delivery
) -> None:
    younger = mailroom.delivery(delivery.school, "held")
    page = text(client, "received-one", delivery.attestation.public_id)
    assert "Une version plus récente existe" in page
    file = client.get(reverse("received-file", args=(delivery.attestation.public_id,)))
    assert file["ETag"] == f'"{delivery.sha256}"' != f'"{younger.sha256}"'


def test_an_original_is_received_and_taken_back(client: Client, delivery: models.Delivery) -> None:
    row = delivery.attestation
    answer = client.post(reverse("received-original", args=(row.public_id,)), follow=True)
    assert "Annuler cette action" in answer.content.decode()
    assert models.Original.objects.get().received_at is not None
    client.post(reverse("received-undo", args=(row.public_id,)))
    assert models.Original.objects.get().received_at is None
    again = client.post(reverse("received-undo", args=(row.public_id,)), follow=True)
    assert "Il n’y a rien à annuler" in again.content.decode()


def test_doubts_are_told(client: Client, delivery: models.Delivery) -> None:
    paper = delivery.attestation.papers.get()
    facts = {"number": NUMBER, "school": delivery.school, "reference": paper.reference, "sides": 2}
    models.Return.objects.create(
        paper=paper, stage="bound", unsigned=[{"side": 1, "zone": "<i>Cachet"}], **facts
    )
    page = text(client, "received-one", delivery.attestation.public_id)
    assert "la case «\u00a0&lt;i&gt;Cachet\u00a0» est vide" in page


def test_tables_hold_what_was_asked_for_and_no_formula(
    client: Client, delivery: models.Delivery
) -> None:
    models.School.objects.update(name=HOSTILE, city="-1+1")
    assert "<script>alert" not in text(client, "received")
    content = client.get(reverse("received-csv")).content.decode("utf-8-sig")
    (row,) = csv.DictReader(StringIO(content), delimiter=";")
    assert row["Établissement"] == f"'{HOSTILE}"
    assert row["Commune"] == "'-1+1"
    assert (row["Cessions"], row["Original reçu le"]) == ("1", "")
    book = load_workbook(BytesIO(client.get(reverse("received-xlsx")).content))
    heads, cells = book.active.iter_rows()
    assert cells[1].value == HOSTILE
    assert cells[1].data_type == "s"
    assert [each.value for each in heads] == list(row)
    empty = client.get(reverse("received-csv") + "?q=ailleurs").content.decode("utf-8-sig")
    assert len(empty.splitlines()) == 1


def test_bars_and_places_add_up() -> None:
    monday = timezone.make_aware(datetime.fromisoformat("2026-03-30"))
    since = monday - timedelta(weeks=region.WEEKS - 1) + timedelta(hours=1)  # winter time by then
    drawn = region.bars({monday: 4}, since)
    assert (len(drawn), drawn[-1].count, sum(each.count for each in drawn)) == (12, 4, 4)
    assert departments.name("006") == "Alpes-Maritimes (06)"
    assert departments.name("972") == "Département 972"
