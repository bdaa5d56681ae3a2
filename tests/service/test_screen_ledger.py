"""The ledger of a school and the gap of each: what became of cessions, and safe exports."""

import csv
from datetime import date
from io import BytesIO, StringIO

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from docgen.backoffice import models
from tests import helpers
from tests.service import homecoming, town
from tests.service.test_attestations import handed, issue

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
FORMULAS = ('=HYPERLINK("http://x")', "+33", "@x", "-2+3", "\t=1", "\r=1")


@pytest.fixture
def school() -> models.School:
    return town.school()


def browser(role: str, school: models.School | None = None) -> Client:
    made = Client()
    made.force_login(models.User.objects.create(username=role, role=role, school=school))
    return made


def place(school: models.School, rest: str = "") -> str:
    return f"/etablissements/{school.pk}/registre/{rest}"


def sheet(content: bytes) -> list[list[str]]:
    """Read a CSV file as a spreadsheet in French does."""
    text = content.decode("utf-8-sig")
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(StringIO(text, newline=""), delimiter=";"))


def serials(client: Client, school: models.School, **asked: str) -> list[str]:
    found = client.get(place(school), asked).context["lines"]
    return [line.cession.serial for line in found]


@pytest.mark.django_db(transaction=True)  # a worker prints, in threads of its own
def test_each_cession_is_followed_to_the_region(
    school: models.School, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCGEN_TEMPLATES", str(helpers.SHELF))
    client = browser("school", school)
    charter, _ = homecoming.printed(school)
    person = models.Person.objects.get(internal_id=charter.person)
    models.Cession.objects.create(
        school=school, person=person, serial="HA200001", ceded_date=date(2026, 9, 14)
    )
    row = issue(school)
    models.Original.objects.create(
        attestation=row, school=school, received_at="2026-10-20T09:00:00+00:00"
    )
    homecoming.came(school, [homecoming.coded(charter, 1)])
    (line,) = client.get(place(school)).context["lines"]
    assert line.printed
    assert line.is_partial
    assert line.received
    text = client.get(place(school)).content.decode()
    assert "n°&nbsp;1 de 2026-2027" in text
    assert "revenue incomplète" in text
    models.Return.objects.update(stage="bound", bound_at="2026-10-01T09:00:00+00:00")
    assert "revenue le 01/10/2026" in client.get(place(school)).content.decode()


def test_lines_are_searched_and_filtered_by_what_misses(school: models.School) -> None:
    client = browser("school", school)
    assert "Aucune tablette n’est encore cédée" in client.get(place(school)).content.decode()
    handed(school, 3)
    row = issue(school)
    handed(school, 1, first=3, day=None)
    models.Original.objects.create(attestation=row, school=school)
    assert serials(client, school, ecart="attester") == ["TE0003"]
    assert serials(client, school, ecart="date") == ["TE0003"]
    assert serials(client, school, ecart="signer") == ["TE0000", "TE0001", "TE0002"]
    assert len(serials(client, school, ecart="recevoir")) == 4
    models.Original.objects.update(received_at="2026-10-20T09:00:00+00:00")
    assert serials(client, school, ecart="recevoir") == ["TE0003"]
    assert serials(client, school, q="te0001") == ["TE0001"]
    assert serials(client, school, annee="2025-2026") == serials(client, school)
    assert serials(client, school, tri="-serie")[0] == "TE0003"


def test_exports_of_a_school_hold_no_formula(school: models.School) -> None:
    client = browser("school", school)
    handed(school, len(FORMULAS))
    for number, name in enumerate(FORMULAS):
        people = models.Person.objects.filter(internal_id=f"E{number:04}")
        people.update(family_name=name, division=name, first_name="")
    heads, *rows = sheet(client.get(place(school, "export.csv")).content)
    assert heads[0] == "Nom"
    assert sorted(row[0] for row in rows) == sorted(f"'{name}" for name in FORMULAS)
    assert not [cell for row in rows for cell in row if cell.startswith(tuple("=+-@\t\r"))]
    answer = client.get(place(school, "export.xlsx"), {"q": "HYPERLINK"})
    (only,) = list(load_workbook(BytesIO(answer.content)).active.iter_rows(min_row=2))
    assert only[0].value == FORMULAS[0]
    assert "f" not in {cell.data_type for cell in only}


def test_many_cessions_take_no_more_queries(school: models.School) -> None:
    client = browser("school", school)
    counts = []
    for number in (1, 12):
        handed(school, number, first=number)
        issue(school) if number == 1 else None
        with CaptureQueriesContext(connection) as queries:
            client.get(place(school))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_largest_gap_comes_first_and_the_total_is_of_what_is_shown(
    school: models.School,
) -> None:
    client = browser("region")
    other = town.school("0840001X")
    models.School.objects.filter(pk=other.pk).update(name="=Lycée")
    handed(school, 1)
    handed(other, 3)
    found = client.get("/registre/").context
    assert [line.school for line, _ in found["lines"]] == [other.pk, school.pk]
    assert found["total"].gap == 4
    found = client.get("/registre/", {"departement": "084"}).context
    assert ([line.school for line, _ in found["lines"]], found["total"].gap) == ([other.pk], 3)
    assert not client.get("/registre/", {"etat": "sans"}).context["lines"]
    assert client.get("/registre/", {"tri": "ecart"}).context["lines"][0][0].tablets.gap == 1
    _, *rows = sheet(client.get("/registre/export.csv", {"q": "084"}).content)
    assert [row[:3] for row in rows] == [[other.pk, "'=Lycée", "3"], ["", "Total", "3"]]
    book = load_workbook(BytesIO(client.get("/registre/export.xlsx").content))
    assert [cell.data_type for cell in list(book.active.rows)[1]].count("f") == 0
