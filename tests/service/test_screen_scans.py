"""Screens of scans: piles are sent, read, told; what is missing is listed and exported."""

import csv
import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from docgen.backoffice import missing, models
from docgen.backoffice.gate import SYSTEM
from tests import helpers
from tests.service import homecoming, town
from tests.service.homecoming import BARE, BLANK, came, coded

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
HOSTILE = '<script>alert("x")</script>.pdf'
JSON = {"accept": "application/json"}


@pytest.fixture(autouse=True)
def shelf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Print from the templates of the tests."""
    monkeypatch.setenv("DOCGEN_TEMPLATES", str(helpers.SHELF))


@pytest.fixture
def school() -> models.School:
    return town.school()


@pytest.fixture
def desk(school: models.School) -> Client:
    """Give the school's browser."""
    return browser("school", school=school)


def browser(role: str, **bounds: object) -> Client:
    made = Client()
    made.force_login(models.User.objects.create_user(role, role=role, **bounds))
    return made


def pdf(content: bytes = b"%PDF-1.7 one", name: str = "pile.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def test_a_pile_is_sent_once_and_known_the_second_time(desk: Client, school: models.School) -> None:
    where = reverse("scans", args=(school.pk,))
    first = desk.post(where, {"files": pdf()})
    (batch,) = models.ScanBatch.objects.all()
    assert (first.status_code, first["Location"]) == (302, reverse("scan", args=(batch.pk,)))
    again = desk.post(where, {"files": pdf(name="autre nom.pdf")}, follow=True)
    assert "Ce fichier avait déjà été reçu" in again.content.decode()
    assert models.ScanBatch.objects.count() == 1


def test_every_refused_file_is_told_and_the_others_are_kept(
    desk: Client, school: models.School
) -> None:
    files = [pdf(), pdf(b"", "vide.pdf"), pdf(b"bonjour", HOSTILE)]
    answer = desk.post(reverse("scans", args=(school.pk,)), {"files": files})
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert "2 points à corriger" in shown
    assert "vide.pdf" in shown
    assert "Ces fichiers sont reçus" in shown
    assert "<script>alert" not in shown
    assert models.ScanBatch.objects.get().label == "pile.pdf"


def test_a_script_is_told_of_each_file_and_nothing_is_sent_without_one(
    desk: Client, school: models.School
) -> None:
    where = reverse("scans", args=(school.pk,))
    told = desk.post(where, {"files": pdf()}, headers=JSON).json()
    batch = models.ScanBatch.objects.get()
    address = reverse("scan", args=(batch.pk,))
    assert told == {"received": [{"address": address, "is_new": True}], "problems": []}
    refused = desk.post(where, {"files": pdf(b"bonjour")}, headers=JSON).json()
    assert refused["received"] == []
    assert "PDF" in refused["problems"][0]
    nothing = desk.post(where)
    assert nothing.status_code == 422
    assert "aucun fichier" in nothing.content.decode().lower()


def test_too_many_files_and_too_many_bytes_are_refused_in_words(
    desk: Client, school: models.School, settings: object
) -> None:
    where = reverse("scans", args=(school.pk,))
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 2  # type: ignore[attr-defined]
    answer = desk.post(where, {"files": [pdf(b"%PDF-1.7 " + bytes([n])) for n in range(3)]})
    assert answer.status_code == 413
    assert "plus de 2 fichiers" in answer.content.decode()
    settings.SCAN_MOST = 100  # type: ignore[attr-defined]
    assert desk.post(where, {"files": pdf()}).status_code == 413
    assert not models.ScanBatch.objects.exists()


def test_a_batch_says_what_is_complete_what_lacks_and_what_waits(
    desk: Client, school: models.School
) -> None:
    first, second = homecoming.printed(school, 2)
    sides = [coded(first, side) for side in (1, 2, 3)]
    batch = came(school, [*sides, coded(second, 1), BARE, BLANK], HOSTILE)
    signed = homecoming.kept(b"%PDF-1.7 signed")
    back = models.Return.objects.filter(reference=first.reference)
    unsigned = [{"side": 3, "zone": "L’élève"}]
    back.update(stage="bound", sha256=signed, unsigned=unsigned)
    models.Binding.objects.update(state="done")
    shown = text(desk, reverse("scan", args=(batch.pk,)))
    assert "6 faces lues" in shown
    assert "1 face à relire" in shown
    assert "case «\u00a0L’élève\u00a0» vide (face\u00a03)" in shown.replace("&nbsp;", "\u00a0")
    assert "face\u00a03<" in shown
    assert reverse("api:signed", args=(back.get().pk,)) in shown
    assert "<script>alert" not in shown
    assert 'hx-trigger="every 2s"' not in shown
    gallery = text(desk, reverse("scan-sides", args=(batch.pk,)) + "?issue=blank")
    assert "La face est blanche" in gallery
    assert "1 à 1 sur 1" in gallery


def test_a_batch_that_is_read_is_live_and_one_that_stopped_is_tried_again(
    desk: Client, school: models.School
) -> None:
    batch = homecoming.read(school, [BARE])
    part = models.ScanPart.objects.create(batch=batch, first=1, last=2, state="waiting")
    where = reverse("scan", args=(batch.pk,))
    assert 'hx-trigger="every 2s"' in text(desk, where)
    part.state = "quarantined"
    part.save()
    shown = text(desk, where)
    assert "s’est arrêtée" in shown
    assert 'hx-trigger="every 2s"' not in shown
    retry = reverse("scan-retry", args=(batch.pk,))
    assert desk.get(retry).status_code == 405
    assert "La lecture reprend" in desk.post(retry, follow=True).content.decode()
    part.refresh_from_db()
    assert part.state == "waiting"
    assert "Rien dans ce fichier" in desk.post(retry, follow=True).content.decode()


def test_what_is_missing_is_what_stands_and_is_not_home_signed(
    desk: Client, school: models.School
) -> None:
    first, second, third = homecoming.printed(school, 3)
    came(school, [coded(first, side) for side in (1, 2, 3)] + [coded(second, 1)])
    assert list(awaited(school)) == [second.reference, third.reference]
    home = models.Return.objects.filter(reference=first.reference)
    home.update(unsigned=[{"side": 3, "zone": "L’élève"}])
    assert list(awaited(school)) == [first.reference, second.reference, third.reference]
    shown = text(desk, reverse("missing", args=(school.pk,)))
    assert "tout le document" in shown
    assert "face\u00a03" in shown
    # printed again otherwise: only the younger paper is awaited; of a cancelled job, nothing is
    again = homecoming.printed(school, 3, first_name="Zoë")
    assert set(awaited(school)) == {each.reference for each in again}
    models.PrintJob.objects.filter(pk=again[0].volume.job_id).update(stage="cancelled")
    assert set(awaited(school)) == {first.reference, second.reference, third.reference}


def awaited(school: models.School) -> list[str]:
    rows = missing.documents(school.pk, SYSTEM).order_by("pk")
    return list(rows.values_list("reference", flat=True))


def test_copies_that_families_keep_are_not_awaited(school: models.School) -> None:
    job = town.job(school, count=2, copies=2)
    models.PrintJob.objects.filter(pk=job.pk).update(stage="printed")
    marks = missing.documents(school.pk, SYSTEM).values_list("mark", flat=True)
    assert list(marks) == [job.marks[0]] * 2
    models.Document.objects.update(mark="Duplicata")
    models.PrintJob.objects.update(marks=[""])
    assert missing.documents(school.pk, SYSTEM).count() == 2


def test_the_export_begins_with_attestations_and_holds_no_formula(
    desk: Client, school: models.School
) -> None:
    homecoming.printed(school, 1, first_name="Zoé")
    models.Document.objects.update(title="=1+1")
    papers = {"school": school, "title": "Attestation", "sides": 1, "width": 595, "height": 842}
    person = models.Person.objects.get()
    models.Paper.objects.create(
        number=b"abcdef", slug="convention", reference="PE-1", person=person.internal_id, **papers
    )
    day = "2026-09-01"
    facts = {"school": school, "rank": 1, "number": 1, "school_year": "2026-2027"}
    record = {"start_date": day, "end_date": day, "record": {}, "region": {}, "letterhead": {}}
    row = models.Attestation.objects.create(**facts, **record, requested_by="test")
    sheet = {"attestation": row, **papers}
    models.Paper.objects.create(
        number=b"ghijkl", slug="attestation", reference="AT-1", is_mailed=True, **sheet
    )
    # its cover letter goes by post: nobody waits for a scan of it
    models.Paper.objects.create(number=b"mnopqr", slug="bordereau", reference="BE-1", **sheet)
    answer = desk.get(reverse("missing-csv", args=(school.pk,)))
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert [line[1][:2] for line in lines[1:]] == ["AT", "PC", "PE"]
    assert lines[2][3] == "'=1+1"
    assert "Zoé" in lines[3][3]
    shown = text(desk, reverse("missing", args=(school.pk,)) + "?nature=conventions")
    assert "Zoé" in shown
    assert "AT-1" in shown
    models.Attestation.objects.update(state="cancelled")
    assert "AT-1" not in text(desk, reverse("missing", args=(school.pk,)))


def test_a_document_that_came_home_shows_its_sides_and_goes_back_to_review(
    desk: Client, school: models.School
) -> None:
    (document,) = homecoming.printed(school, 1)
    batch = came(school, [coded(document, 1), BARE])
    side = homecoming.pages(batch)[1]
    place = {"place": f"{document.reference}/2"}
    desk.post(reverse("review-assign", args=(side.public_id,)), place)
    back = homecoming.back_of(document)
    listed = text(desk, reverse("returns", args=(school.pk,)) + f"?q={document.reference[3:]}")
    assert document.reference in listed
    shown = text(desk, reverse("return", args=(school.pk, back.pk)))
    assert "rangée à la main" in shown
    assert f"{reverse('history')}?sujet={back.pk}" in shown
    desk.post(reverse("review-undo", args=(side.public_id,)))
    side.refresh_from_db()
    assert side.outcome == "unknown"
    nothing = text(desk, reverse("returns", args=(school.pk,)) + "?q=inconnu")
    assert "Rien ne correspond" in nothing


def test_empty_places_say_what_to_do(desk: Client, school: models.School) -> None:
    assert "Rien n’a encore été reçu" in text(desk, reverse("scans", args=(school.pk,)))
    assert "Rien ne manque" in text(desk, reverse("missing", args=(school.pk,)))
    assert "Envoyez une première pile" in text(desk, reverse("returns", args=(school.pk,)))
    office = browser("back_office")
    assert 'type="file"' in text(office, reverse("all-scans"))
    assert 'type="file"' not in text(desk, reverse("all-scans"))
