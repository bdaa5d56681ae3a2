"""Jobs in the hands of print shops, over the API."""

import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core import signing
from django.test import Client

from docgen.backoffice import links, models
from tests.service import callers
from tests.service.test_api_frame import problem
from tests.service.test_api_jobs import JOBS, body, caller, office, posted, printed, shelf

__all__ = ["caller", "office", "shelf"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop(caller: Client) -> models.PrintShop:
    made = posted(caller, "/api/v1/print-shops", {"name": "Imprimerie d’essai"})
    assert made.status_code == 201
    problem(
        posted(caller, "/api/v1/print-shops", {"name": "Imprimerie d’essai"}), 422, "invalid-input"
    )
    return models.PrintShop.objects.get(pk=made.json()["id"])


@pytest.fixture
def printer(shop: models.PrintShop) -> Client:
    return Client(headers=callers.token("print_shop", shop=shop))


def released(caller: Client, shop: models.PrintShop, **more: object) -> dict[str, Any]:
    job = printed(caller, **more)
    told = posted(caller, f"{JOBS}/{job['id']}/release", {"shop": shop.pk})
    assert told.json()["stage"] == "released", told.content
    return told.json()  # type: ignore[no-any-return]


def test_a_shop_sees_a_job_from_its_release_on(
    caller: Client, shop: models.PrintShop, printer: Client
) -> None:
    job = printed(caller)
    path = f"{JOBS}/{job['id']}"
    problem(printer.get(path), 404, "not-found")
    assert printer.get(JOBS).json()["items"] == []
    posted(caller, f"{path}/release", {"shop": shop.pk})
    assert printer.get(path).json()["shop"] == shop.pk
    assert body(printer.get(f"{path}/volumes/1")).startswith(b"%PDF")
    assert body(printer.get(f"{path}/ticket.pdf")).startswith(b"%PDF")
    problem(posted(caller, f"{path}/release", {"shop": shop.pk}), 409, "stage-conflict")
    assert posted(caller, f"{path}/withdraw").json()["stage"] == "ready"
    problem(printer.get(path), 404, "not-found")


def test_all_sheets_counted_is_a_job_printed(
    caller: Client, shop: models.PrintShop, printer: Client
) -> None:
    job = released(caller, shop, volume=3)
    for volume in job["volumes"]:
        path = f"{JOBS}/{job['id']}/volumes/{volume['number']}/count"
        told = posted(printer, path, {"sheets": volume["sheets"]}).json()
    assert (told["stage"], told["progress"]["problems"]) == ("printed", [])
    events = models.Event.objects.filter(subject=job["id"]).order_by("id")
    assert [each.kind for each in events][-2:] == ["job-released", "job-printed"]


def test_a_wrong_count_reopens_the_job(
    caller: Client, shop: models.PrintShop, printer: Client
) -> None:
    job = released(caller, shop)
    path = f"{JOBS}/{job['id']}"
    told = posted(printer, f"{path}/volumes/1/count", {"sheets": 9}).json()
    assert told["stage"] == "reopened"
    (found,) = told["progress"]["problems"]
    assert found["what"] == f"9 feuilles comptées, {job['volumes'][0]['sheets']} attendues."
    event = models.Event.objects.filter(subject=job["id"]).latest("id")
    assert (event.kind, event.actor[:7]) == ("job-reopened", "client:")
    problem(posted(caller, f"{path}/cancel"), 422, "invalid-input")
    again = posted(caller, f"{path}/release", {"shop": shop.pk}).json()
    assert (again["stage"], again["volumes"][0]["counted_sheets"]) == ("released", None)


def opened(caller: Client, job: dict[str, Any]) -> dict[str, str]:
    made = posted(caller, f"{JOBS}/{job['id']}/links", {"hours": 1})
    assert made.status_code == 201, made.content
    return {each["file"]: urlsplit(each["url"]).path for each in made.json()}


def test_a_link_gives_its_file_without_an_account(caller: Client, shop: models.PrintShop) -> None:
    job = released(caller, shop)
    found = opened(caller, job)
    anybody = Client()
    file = job["volumes"][0]["file"]
    assert list(found) == [file, "manifest.csv", "bon-impression.pdf", "job.json", "lot.zip"]
    for path in found.values():
        assert anybody.get(path).status_code == 200
    part = anybody.get(found[file], headers={"Range": "bytes=0-3"})
    assert body(part) == b"%PDF"


def test_a_link_dies_with_its_release(caller: Client, shop: models.PrintShop) -> None:
    job = released(caller, shop)
    path = f"{JOBS}/{job['id']}"
    (first, *_) = opened(caller, job).values()
    posted(caller, f"{path}/volumes/1/count", {"sheets": 9})
    problem(Client().get(first), 403, "link-refused")
    posted(caller, f"{path}/release", {"shop": shop.pk})
    problem(Client().get(first), 403, "link-refused")
    (second, *_) = opened(caller, job).values()
    assert Client().get(second).status_code == 200
    posted(caller, f"{path}/withdraw")
    problem(Client().get(second), 403, "link-refused")
    problem(posted(caller, f"{path}/links"), 409, "stage-conflict")


def test_a_link_that_was_altered_or_is_old_opens_nothing(
    caller: Client, shop: models.PrintShop
) -> None:
    job = released(caller, shop)
    (path, *_) = opened(caller, job).values()
    token = path.rpartition("/")[2]
    row = models.PrintJob.objects.get(pk=job["id"])
    old = links.make(row, "manifest.csv", int(time.time()) - 1)
    foreign = signing.dumps(["x"], salt="other")
    for wrong in (token[:-1] + ("A" if token[-1] != "A" else "B"), "x", old, foreign, f"a{token}"):
        problem(Client().get(f"/api/v1/links/{wrong}"), 403, "link-refused")
    elsewhere = signing.dumps([job["id"], shop.pk + 1, "", "manifest.csv", 2**40], salt=links.SALT)
    problem(Client().get(f"/api/v1/links/{elsewhere}"), 403, "link-refused")
