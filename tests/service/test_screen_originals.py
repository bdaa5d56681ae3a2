"""The desk of originals: one field, one scan, one sentence, and a way back."""

import pytest
from django.test import Client
from django.urls import reverse

from docgen.backoffice import models, originals
from tests.service import mailroom, town
from tests.service.test_originals import NUMBER, code, printed
from tests.service.test_screen_region import browser

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
DESK = "/region/originaux/"


@pytest.fixture
def client() -> Client:
    return browser()


@pytest.fixture
def paper() -> models.Paper:
    """Give the paper of an attestation that the region was mailed."""
    attestation = mailroom.delivery(town.school()).attestation
    made = printed(attestation, NUMBER)
    references = {originals.MAILED: made.reference}
    models.Attestation.objects.filter(pk=attestation.pk).update(references=references)
    return made


def scan(client: Client, text: str) -> tuple[int, str]:
    """Scan something; give the status, and the page that is shown in the end."""
    answer = client.post(DESK, {"code": text}, follow=True)
    first = answer.redirect_chain[0][1] if answer.redirect_chain else answer.status_code
    return first, answer.content.decode()


def test_the_field_waits_for_the_next_scan_and_tells_the_last(
    client: Client, paper: models.Paper
) -> None:
    page = client.get(DESK).content.decode()
    assert page.count("autofocus") == 1
    assert paper.reference in page  # awaited
    status, page = scan(client, f"{code()}\r\n")
    said = f"Original de l’attestation n°\u00a01 de {paper.school_id}"
    assert (status, said in page, "autofocus" in page) == (302, True, True)
    assert '<p class="count mb-0">1</p>' in page
    assert paper.reference not in page
    undo = reverse("originals-undo", args=(paper.attestation.public_id,))
    assert page.count(f'action="{undo}"') == 2  # in the sentence, and in the list
    page = client.post(undo, follow=True).content.decode()
    assert "est de nouveau attendu" in page
    assert "Aucun original n’est encore reçu" in page


def test_a_letter_that_no_reference_has_is_read_as_its_digit_and_said(
    client: Client, paper: models.Paper
) -> None:
    typed = paper.reference.replace("1", "I")
    assert typed != paper.reference
    _, page = scan(client, f" {typed.lower()} ")
    assert f"Lu {paper.reference}" in page
    models.Original.objects.update(received_at=None)
    assert "Lu AT" not in scan(client, paper.reference.lower().replace("-", " "))[1]


def test_what_is_there_already_is_told_with_when_and_by_whom(
    client: Client, paper: models.Paper
) -> None:
    scan(client, paper.reference)
    before = models.Original.objects.get().received_at
    assert "était déjà reçu, le" in (page := scan(client, paper.reference)[1])
    assert "par vous" in page
    assert "par un autre compte" in scan(browser("back_office"), paper.reference)[1]
    assert models.Original.objects.get().received_at == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Scannez un code"),
        ("<script>alert(1)</script>", "Une référence s’écrit comme"),
        ("AT-0000-0001", "faute de frappe"),
        ("CE-0000-0024", "aucune attestation connue"),
        ("C1" + "A" * 26, "Code de page"),
        ("x" * 61, "60"),
    ],
)
def test_anything_else_is_refused_in_its_place(client: Client, text: str, said: str) -> None:
    status, page = scan(client, text)
    assert status == 422
    assert said.lower() in page.lower()
    assert "<script>alert" not in page
    assert "autofocus data-select" in page
    assert "data-focus" not in page  # the reader types on
    assert not models.Original.objects.exists()


def test_an_older_print_is_refused(client: Client, paper: models.Paper) -> None:
    printed(paper.attestation, bytes.fromhex("600dc0ffee02"))
    status, page = scan(client, paper.reference)
    assert (status, "a remplacée depuis" in page) == (422, True)


def test_what_is_awaited_is_filtered(client: Client, paper: models.Paper) -> None:
    link = reverse("received-one", args=(paper.attestation.public_id,))
    for query, is_there in (("poste=oui", False), ("poste=non", True), ("q=ailleurs", False)):
        assert (link in client.get(f"{DESK}?{query}").content.decode()) == is_there
    models.Original.objects.create(
        attestation=paper.attestation, school=paper.school, posted_date="2026-10-20"
    )
    assert "20/10/2026" in client.get(f"{DESK}?poste=oui").content.decode()
