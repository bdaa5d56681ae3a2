"""A school's files, people and tablets over the API."""

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from docgen.backoffice import models
from tests.service import callers, town
from tests.service.test_api_frame import problem

pytestmark = pytest.mark.django_db
UAI = "0130010R"
PLACE = f"/api/v1/schools/{UAI}"
PEOPLE = "Identifiant;Nom;Prénom;Date de naissance;Classe\n{}"
ROWS = "E1;CANARI;Zoé;01/03/2010;2DE 1\nE2;MESANGE;Léo;02/04/2009;2DE 2\n"
STOCK = "N° de série;Modèle;État\nHA100001;Tab;neuf\nHA100002;Tab;neuf\n"
CEDED = "N° de série;Bénéficiaire;Date\nHA100001;E1;14/09/2026\n"


@pytest.fixture
def caller() -> Client:
    cache.clear()
    return Client(headers=callers.token("school", town.school(UAI)))


def file(name: str, text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode())


def sent(caller: Client, rows: str = ROWS, **more: object) -> Any:  # noqa: ANN401
    form = {"audience": "pupil", "files": file("eleves.csv", PEOPLE.format(rows)), **more}
    return caller.post(f"{PLACE}/rosters", form)


def imported(caller: Client) -> list[dict[str, Any]]:
    """Import two people and two tablets; give the people."""
    made = sent(caller, stock=file("stock.csv", STOCK), cessions=file("c.csv", CEDED))
    assert made.status_code == 200, made.content
    people: list[dict[str, Any]] = caller.get(f"{PLACE}/people").json()["items"]
    return people


def post(caller: Client, path: str, body: dict[str, object]) -> Any:  # noqa: ANN401
    return caller.post(f"{PLACE}/{path}", body, "application/json")


def test_files_are_kept_and_counted(caller: Client) -> None:
    made = sent(caller, stock=file("stock.csv", STOCK), cessions=file("c.csv", CEDED))
    told = made.json()
    counts = {name: told[name] for name in ("people", "people_before", "devices", "cessions")}
    assert counts == {"people": 2, "people_before": 0, "devices": 2, "cessions": 1}
    people = caller.get(f"{PLACE}/people", {"division": "2DE 2"}).json()["items"]
    assert [each["family_name"] for each in people] == ["MESANGE"]
    assert caller.get(f"{PLACE}/people/{people[0]['id']}").json() == people[0]
    assert [each["serial"] for each in caller.get(f"{PLACE}/devices").json()["items"]] == [
        "HA100001",
        "HA100002",
    ]
    assert list(Path(settings.UPLOADS).iterdir()) == []


def test_every_problem_of_the_files_is_told_with_their_names(caller: Client) -> None:
    rows = "E1;CANARI;Zoé;31/02/2010;2DE 1\nE1;MESANGE;Léo;x;2DE 2\n"
    told = problem(sent(caller, rows, stock=file("mon stock.csv", "rien")), 422, "roster-rejected")
    places = " ".join(each["where"] for each in told["problems"])
    assert len(told["problems"]) >= 3
    assert "eleves.csv" in places
    assert "mon stock.csv" in places
    assert "fichier-" not in str(told)
    assert "CANARI" not in str(told)
    assert not models.Person.objects.exists()
    assert list(Path(settings.UPLOADS).iterdir()) == []


def test_a_form_without_files_or_with_too_many_is_refused(caller: Client) -> None:
    problem(caller.post(f"{PLACE}/rosters", {"audience": "pupil"}), 422, "invalid-request")
    problem(caller.post(f"{PLACE}/rosters", {"audience": "x"}), 422, "invalid-request")
    many = [file(f"{n}.csv", PEOPLE.format(ROWS)) for n in range(17)]
    problem(sent(caller, files=many), 413, "too-large")
    more = [file(f"{n}.csv", "x") for n in range(21)]
    problem(sent(caller, files=more), 413, "too-large")
    problem(caller.post(f"{PLACE}/rosters", b"{}", "application/json"), 415, "media-type")
    broken = caller.post(f"{PLACE}/rosters", b"--", "multipart/form-data")
    problem(broken, 400, "malformed-request")


def test_a_cession_is_added_cancelled_and_told(caller: Client) -> None:
    first, second = imported(caller)
    made = post(caller, "cessions", {"person": second["id"], "serial": "ha-100002"})
    problem(made, 422, "invalid-request")  # a label has no hyphen
    made = post(caller, "cessions", {"person": second["id"], "serial": "ha 100002"})
    assert (made.status_code, made.json()["serial"]) == (201, "HA100002")
    again = post(caller, "cessions", {"person": first["id"], "serial": "HA100002"})
    told = problem(again, 422, "invalid-input")
    assert [each["where"] for each in told["problems"]] == ["tablette HA100002", "personne E1"]
    unknown = post(caller, "cessions", {"person": second["id"], "serial": "ZZ999999"})
    assert "stock" in problem(unknown, 422, "invalid-input")["detail"]
    path = f"cessions/{made.json()['id']}/cancel"
    for _ in range(2):
        assert post(caller, path, {}).json()["is_cancelled"] is True
    listed = caller.get(f"{PLACE}/cessions").json()["items"]
    assert [each["is_cancelled"] for each in listed] == [False, True]
    assert (
        post(caller, "cessions", {"person": second["id"], "serial": "HA100002"}).status_code == 201
    )


def test_a_tablet_is_lent_and_comes_back(caller: Client) -> None:
    _, person = imported(caller)
    loan = {
        "person": person["id"],
        "serial": "HA100002",
        "start_date": "2026-09-14",
        "end_date": "2027-06-30",
    }
    made = post(caller, "loans", loan)
    assert (made.status_code, made.json()["returned_date"]) == (201, None)
    assert len(problem(post(caller, "loans", loan), 422, "invalid-input")["problems"]) == 2
    ceded = post(caller, "cessions", {"person": person["id"], "serial": "HA100002"})
    assert "prêtée" in problem(ceded, 422, "invalid-input")["detail"]
    path = f"loans/{made.json()['id']}/return"
    problem(post(caller, path, {"returned_date": "2026-09-01"}), 422, "invalid-input")
    back = post(caller, path, {"returned_date": "2026-10-01"})
    assert back.json()["returned_date"] == "2026-10-01"
    assert post(caller, path, {}).json()["returned_date"] == "2026-10-01"
    listed = caller.get(f"{PLACE}/loans").json()["items"]
    assert [each["returned_date"] for each in listed] == ["2026-10-01"]
    odd = {**loan, "start_date": "0026-09-14", "end_date": "0025-01-01"}
    assert len(problem(post(caller, "loans", odd), 422, "invalid-input")["problems"]) == 3


def test_templates_tell_their_layouts_and_their_schema(caller: Client) -> None:
    found = {each["slug"]: each for each in caller.get("/api/v1/templates").json()}
    charter = found["charte-cession-eleve"]
    assert {each["name"]: each["sheets"] for each in charter["layouts"]} == {
        "police-10": 3,
        "reduction": 2,
        "police-8": 2,
    }
    path = "/api/v1/templates/charte-cession-eleve"
    assert caller.get(path).json() == charter
    assert caller.get(f"{path}/schema").json()["type"] == "object"
    problem(caller.get("/api/v1/templates/rien/schema"), 404, "not-found")
