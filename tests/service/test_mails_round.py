"""The whole way, on real servers: scans mailed by a school, a receipt in its box, what follows."""

from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from django.conf import settings

from docgen.backoffice import departures, models, post
from tests.hostile.mails import SCHOOL, bounce, mail, named, plain, text
from tests.service import town
from tests.service.mailservers import OURS, MailHouse, mail_house
from workers import mailbox
from workers.deliveries import send_message
from workers.mails import read_mail, write_receipts
from workers.print_jobs import print_volume
from workers.scans import bind_returns, read_scan

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def house() -> Iterator[MailHouse]:
    with mail_house() as made:
        yield made


def rounded() -> None:
    """Do what workers do, once each."""
    assert settings.POST.imap
    mailbox.turn(settings.POST.imap)
    for task in (read_mail, read_scan, bind_returns, write_receipts, send_message):
        task("1")


def test_a_school_mails_its_scans_and_is_answered_once(
    house: MailHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = post.read_post(tmp_path, house.environment())
    monkeypatch.setattr(settings, "POST", found)
    departures.approve("test")
    school = town.school()
    models.School.objects.filter(pk=school.pk).update(email=SCHOOL)
    job = town.job(school, 1)
    print_volume("1")
    pile = town.pile(tmp_path / "pile.pdf", town.papers(job))
    house.dovecot.deliver(OURS, mail(text("Bonjour"), named(pile.read_bytes(), "filename=a.pdf")))
    rounded()
    (content,) = house.dovecot.messages(SCHOOL)
    receipt = message_from_bytes(content, policy=policy.default)
    assert "Tout est reconnu" in receipt.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert models.Mail.objects.get().batches == [str(models.ScanBatch.objects.get().pk)]
    assert models.Return.objects.get().stage == "bound"

    # The school's own machine answers, with and without saying that it is one.
    answers = {"In-Reply-To": receipt["Message-ID"]}
    house.dovecot.deliver(OURS, plain("Absent", *(f"{k}: {v}" for k, v in answers.items())))
    house.dovecot.deliver(OURS, plain("Absent", "Auto-Submitted: auto-replied"))
    rounded()
    assert len(house.dovecot.messages(SCHOOL)) == 1
    told = set(models.Mail.objects.values_list("verdict", "reason"))
    assert told == {("scans", ""), ("empty", "answer"), ("automatic", "automatic-answer")}

    # And its mailbox is full in the end: the notice names the receipt.
    house.dovecot.deliver(OURS, bounce(receipt["Message-ID"], status="5.2.2"))
    rounded()
    message = models.Message.objects.get()
    assert (message.stage, models.Mail.objects.filter(verdict="bounce").count()) == ("refused", 1)
    assert house.dovecot.messages(OURS) == []
    assert len(house.dovecot.messages(OURS, "docgen")) == 4
