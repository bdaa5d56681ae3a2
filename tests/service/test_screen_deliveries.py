"""The post on screen: what would leave, what left, what servers said, and what is decided."""

import dataclasses
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from docgen.backoffice import letters, models
from docgen.backoffice.post import Server
from docgen.mailing import letter
from tests.service import homecoming, mailroom, town
from tests.service.test_screen_region import browser
from tests.service.world import mail

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]
RELAY = Server("relais.exemple.fr", 587, "starttls", "docgen", "secret-du-relais")
WORDS = "5.1.1 <b>no such user</b> & more"


@pytest.fixture
def client() -> Client:
    return browser("back_office")


@pytest.fixture
def school() -> models.School:
    return town.school()


def text(client: Client, name: str, *args: object, query: str = "") -> str:
    answer = client.get(reverse(name, args=args) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def sent(client: Client, name: str, *args: object, **body: str) -> str:
    """Send a form, and give the page that is shown in the end."""
    answer = client.post(reverse(name, args=args), body, follow=True)
    assert answer.redirect_chain
    return answer.content.decode()


def post(**changes: object) -> override_settings:
    return override_settings(POST=dataclasses.replace(settings.POST, **changes))


def test_nothing_planned_says_what_will_be(client: Client) -> None:
    assert "Aucun envoi." in text(client, "deliveries")
    assert "Aucun serveur de courrier n’est réglé" in text(client, "deliveries")
    assert "Aucun courriel n’est arrivé" in text(client, "mails")
    assert "Aucun rappel" in text(client, "reminders")


def test_deliveries_are_counted_filtered_and_cost_the_same(
    client: Client, school: models.School
) -> None:
    for stage in ("refused", "new", "held", "uncertain"):
        mailroom.delivery(school, stage)
    with (
        post(smtp=RELAY),
        CaptureQueriesContext(
            connection,
        ) as few,
    ):
        page = text(client, "deliveries")
    assert "Le serveur a refusé ce message" in page
    assert "La case «" in page
    for _ in range(5):
        mailroom.delivery(school, "new")
    with post(smtp=RELAY), CaptureQueriesContext(connection) as many:
        page = text(client, "deliveries", query=f"?q={school.pk}")
    assert len(many) == len(few)
    assert page.count("Personne n’a encore approuvé") == 6
    assert "a refusé ce message" not in text(client, "deliveries", query="?etat=held")


def test_what_would_leave_is_read_before_it_is_let_go(
    client: Client, school: models.School
) -> None:
    mailroom.delivery(school, "new")
    with post(smtp=RELAY, sender="docgen@exemple.fr"):
        assert "Rien ne part encore" in text(client, "deliveries")
        page = text(client, "post-approval")
        for told in ("relais.exemple.fr", "docgen@exemple.fr", "Attestation signée", "Bonjour"):
            assert told in page
        assert RELAY.password not in page
        assert "autre chemin" in sent(client, "post-approval", way="0" * 64)
        assert not models.Approval.objects.exists()
        way = settings.POST.way("l-ec@maregionsud.fr")
        assert "Le courrier part" in sent(client, "post-approval", way=way)
        assert models.Approval.objects.get().way == way
        assert "Rien ne part encore" not in text(client, "deliveries")


def test_a_mail_is_shown_from_its_beginning(tmp_path: Path) -> None:
    attached = tmp_path / "signed.pdf"
    attached.write_bytes(bytes(300_000))
    content = letter.compose(
        letter.Letter(
            message_id="<1@exemple.fr>",
            at=timezone.now(),
            sender="docgen@exemple.fr",
            sender_name="Attestations",
            recipient="region@exemple.fr",
            words=letter.Words("Attestation signée", "Bonjour,\n\nvoici.", "attestation.pdf"),
            attachment=attached,
        )
    )
    row = models.Message(sha256=homecoming.kept(content), size=len(content))
    look = letters.look(row)
    assert (look.subject, look.recipient) == ("Attestation signée", "region@exemple.fr")
    assert (look.text.split(), look.attachment) == (["Bonjour,", "voici."], "attestation.pdf")
    assert abs(look.attached - 300_000) < 1000


def test_a_detour_is_said_everywhere(client: Client, school: models.School) -> None:
    with post(redirect="essai@exemple.fr"):
        assert "détourné vers essai@exemple.fr" in text(client, "deliveries")
    row = mailroom.delivery(school, is_test=True)
    assert "n’a rien reçu" in text(client, "delivery", row.pk)


def test_a_server_is_quoted_as_it_spoke(client: Client, school: models.School) -> None:
    row = mailroom.delivery(school, "refused")
    row.messages.update(answers=[{**mailroom.ANSWER, "words": WORDS}])
    page = text(client, "delivery", row.pk)
    assert "550 5.1.1 &lt;b&gt;no such user&lt;/b&gt; &amp; more" in page
    assert "5 octobre 2026 à 10:00" in page  # in Paris
    assert "Corrigez ce que dit le serveur" in page
    assert "L’envoi est relancé" in sent(client, "delivery-retry", row.pk)
    row.refresh_from_db()
    assert row.stage == "new"
    told = text(client, "delivery-mail", row.pk, 1)
    assert "Bonjour, voici l’attestation." in told
    assert "Attestation signée" in told
    assert client.get(reverse("delivery-mail", args=(row.pk, 2))).status_code == 404


def test_what_is_held_is_let_go_once_it_is_confirmed(client: Client, school: models.School) -> None:
    row = mailroom.delivery(school, "held")
    page = text(client, "delivery-release", row.pk)
    assert "ne se rappelle pas" in page
    row.refresh_from_db()
    assert row.stage == "held"
    assert "L’envoi part" in sent(client, "delivery-release", row.pk, confirmed="yes")
    row.refresh_from_db()
    assert row.stage == "new"
    again = sent(client, "delivery-release", row.pk, confirmed="yes")
    assert "Cet envoi n’est pas retenu" in again


@pytest.mark.parametrize(("name", "stage"), [("arrived", "sent"), ("not-arrived", "new")])
def test_what_is_uncertain_is_settled_by_somebody(
    client: Client, school: models.School, name: str, stage: str
) -> None:
    row = mailroom.delivery(school, "uncertain")
    page = text(client, "delivery", row.pk)
    assert reverse(f"delivery-{name}", args=(row.pk,)) in page
    assert text(client, f"delivery-{name}", row.pk)
    sent(client, f"delivery-{name}", row.pk, confirmed="yes")
    row.refresh_from_db()
    assert row.stage == stage
    assert "back_office" in text(client, "delivery", row.pk)  # who said so
    assert "Rien n’est incertain" in sent(client, f"delivery-{name}", row.pk, confirmed="yes")


def test_mails_are_told_by_what_they_brought(client: Client, school: models.School) -> None:
    key = mail(school, "<i>pile</i>.zip")
    page = text(client, "mails")
    assert "&lt;i&gt;pile&lt;/i&gt;.zip" in page
    assert "archive" in page
    assert "1 courriel à décider" in page
    assert "écarté" in sent(client, "mail-dismiss", key)
    assert "à décider</a>" not in text(client, "mails")
    assert "Une pile" in text(client, "mail-take", key)
    assert "va être lu de nouveau" in sent(client, "mail-take", key, school=school.pk)
    row = models.Mail.objects.get(pk=key)
    assert (row.verdict, row.state, row.school_id) == ("waiting", "waiting", school.pk)
    strange = client.post(reverse("mail-take", args=(key,)), {"school": "0000000X"})
    assert strange.status_code == 404


def test_reminders_are_told_by_kind_and_by_school(client: Client, school: models.School) -> None:
    attestation = mailroom.attestation(school)
    facts = {"school": school, "due_date": "2026-11-02"}
    models.Reminder.objects.create(
        kind="not-received", subject="1", attestation=attestation, counts={"number": 1}, **facts
    )
    counts = {"pupils": 12, "teachers": 1}
    models.Reminder.objects.create(kind="not-attested", subject="2", counts=counts, **facts)
    page = text(browser("region"), "reminders")
    assert "12 élèves, 1 professeur<" in page
    assert "Original non reçu" in page
    only = text(client, "reminders", query="?objet=not-attested&dep=013")
    assert "attestation n°" not in only
    assert "12 élèves" in only
