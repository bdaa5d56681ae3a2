"""Documents that come home, over the API: what is there, what is missing, the signed file."""

from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from docgen.backoffice import models, reviews
from docgen.backoffice.gate import SYSTEM
from tests import helpers
from tests.service import callers, homecoming, town
from tests.service.homecoming import BARE, came, coded, pages
from tests.service.test_api_frame import problem
from tests.service.test_api_jobs import body
from tests.service.test_api_scans import got
from workers.scans import bind_returns, read_scan

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = "/api/v1"


@pytest.fixture(autouse=True)
def fresh_pace() -> None:
    """Forget the pace of the tests before."""
    cache.clear()


@pytest.fixture
def school() -> models.School:
    return town.school()


@pytest.fixture
def caller(school: models.School) -> Client:
    return Client(headers=callers.token("school", school))


def references(caller: Client, query: str = "") -> list[str]:
    return sorted(each["reference"] for each in got(caller, f"/returns{query}")["items"])


def test_what_is_there_and_what_is_missing_is_told(caller: Client, school: models.School) -> None:
    first, second = homecoming.printed(school)
    (strange,) = homecoming.printed(town.school("0750001K"), 1)
    came(school, [coded(first, 1), coded(second, 3), coded(second, 2)])
    came(strange.volume.job.school, [coded(strange, 1)])
    told = {each["reference"]: each for each in got(caller, "/returns")["items"]}
    assert sorted(told) == sorted([first.reference, second.reference])
    partial, complete = told[first.reference], told[second.reference]
    assert (partial["stage"], partial["home"], partial["missing"]) == ("partial", [1], [3])
    assert (complete["stage"], complete["home"], complete["missing"]) == ("complete", [2, 3], [])
    assert (partial["person"], partial["division"]) == (first.person, "2DE 1")
    models.Return.objects.filter(number=second.number).update(
        unsigned=[{"side": 3, "zone": "Signature de l’élève"}]
    )
    for query, expected in (
        ("?stage=partial", [first]),
        ("?unsigned=true", [second]),
        ("?unsigned=false", [first]),
        ("?division=2DE%201&template=petite-charte", [first, second]),
        ("?division=2DE%202", []),
        ("?school=0750001K", []),
    ):
        assert references(caller, query) == sorted(each.reference for each in expected), query
    pages_of_one = [got(caller, "/returns?limit=1")]
    pages_of_one.append(got(caller, f"/returns?limit=1&cursor={pages_of_one[0]['next']}"))
    listed = [each["reference"] for page in pages_of_one for each in page["items"]]
    assert sorted(listed) == sorted(told)
    office = Client(headers=callers.token("back_office"))
    assert references(office, "?school=0750001K") == [strange.reference]
    whole = got(caller, f"/returns/{partial['id']}")
    assert whole["sources"] == []
    problem(caller.get(f"{ROOT}/returns/{partial['id']}/signed.pdf"), 409, "paper-not-ready")
    theirs = homecoming.back_of(strange)
    problem(caller.get(f"{ROOT}/returns/{theirs.pk}/signed.pdf"), 404, "not-found")


def test_a_signed_file_is_given_and_says_where_its_sides_came_from(
    caller: Client, school: models.School, tmp_path: Path
) -> None:
    job = town.job(school, 1, copies=1)
    papers = town.papers(job)
    batch = town.sent(town.pile(tmp_path / "x.pdf", [papers[2], papers[0]]), school)
    read_scan("1")
    bind_returns("1")
    (told,) = got(caller, f"/returns?school={school.pk}")["items"]
    assert (told["stage"], told["missing"], told["unsigned"]) == ("bound", [], []), told
    path = f"{ROOT}/returns/{told['id']}/signed.pdf"
    answer = caller.get(path)
    content = body(answer)
    assert len(content) == told["size"]
    assert answer["ETag"] == f'"{told["sha256"]}"'
    assert caller.get(path, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    part = caller.get(path, headers={"Range": "bytes=0-99"})
    assert (part.status_code, body(part)) == (206, content[:100])
    assert "Pages:           3" in helpers.poppler("pdfinfo", content)
    sources: list[dict[str, Any]] = got(caller, f"/returns/{told['id']}")["sources"]
    assert [(each["side"], each["origin"], each["number"]) for each in sources] == [
        (1, "scan", 2),
        (2, "print", None),
        (3, "scan", 1),
    ]
    assert {each["scan"] for each in sources} == {str(batch.pk), None}


def test_a_signed_file_is_not_given_while_its_document_changes(
    caller: Client, school: models.School, tmp_path: Path
) -> None:
    job = town.job(school, 1, copies=1)
    batch = town.sent(town.pile(tmp_path / "x.pdf", town.papers(job)), school)
    read_scan("1")
    bind_returns("1")
    back = models.Return.objects.get()
    path = f"{ROOT}/returns/{back.pk}/signed.pdf"
    before = body(caller.get(path))
    last = pages(batch)[2]
    reviews.discard(last, "photocopie", SYSTEM)
    problem(caller.get(path), 409, "paper-not-ready")
    bind_returns("1")
    problem(caller.get(path), 409, "paper-not-ready")
    assert got(caller, f"/returns/{back.pk}")["sha256"] == ""
    report = got(caller, f"/scans/{batch.pk}/report")
    assert (report["is_final"], report["documents"][0]["missing"]) == (True, [3])
    (stray,) = pages(came(school, [BARE]))
    reviews.undo(last, SYSTEM)
    assert not got(caller, f"/scans/{batch.pk}/report")["is_final"]
    bind_returns("1")
    assert body(caller.get(path)) != b""
    assert len(body(caller.get(path))) == len(before)
    assert stray.outcome == "unknown"
